"""Spikes of a log as spikes of a scenario."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from costsim.traffic.fit.laws import (
    distance,
    group_means,
    lognormal_cdf,
    lognormal_of,
    rounded,
    seconds,
)
from costsim.traffic.surges import find_surges
from costsim.units import SECONDS_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from costsim.traffic.counting import Counts
    from costsim.traffic.surges import Surge

_MOST_TIME = 0.05
"""Spikes take no more of the time than this; what takes more is how requests come."""
_FEWEST_AT_RANDOM = 4
"""Spikes that are taken to come at random; fewer are kept where they were."""
_GOOD_DISTANCE = 0.15
_HELD = 50
"""Values of an empirical law of magnitudes."""


@dataclass(frozen=True)
class SpikesFit:
    """The spikes of a log, masked and as a scenario has them."""

    surges: tuple[Surge, ...]
    """Those with a usual rate above 0; others are left to the arrival process."""
    used: npt.NDArray[np.bool_]
    """Bins of the counts without a spike."""
    section: tuple[dict[str, Any], ...]
    """The scenario's ``spikes``."""
    note: str
    """A sentence for the user; empty without spikes."""


def fit_spikes(minutes: Counts, span_s: float, bin_s: float) -> SpikesFit:
    """Return the spikes of a log: rises to more than six times the median over 24 h.

    Parameters
    ----------
    minutes : Counts
        Requests by the minute.
    span_s : float
        Time that the log covers. [s]
    bin_s : float
        Width of its own bins. [s]
    """
    used = np.ones(minutes.counts.size, dtype=np.bool_)
    found = find_surges(minutes.counts, minutes.width_s, bin_s) or ()
    surges = tuple(one for one in found if math.isfinite(one.magnitude))
    length_s = sum(one.end_s - one.begin_s for one in surges)
    if not surges or length_s > _MOST_TIME * span_s:
        return SpikesFit((), used, (), "")
    for one in surges:
        first = int(one.begin_s / minutes.width_s)
        used[first : math.ceil(one.end_s / minutes.width_s)] = False
    if len(surges) < _FEWEST_AT_RANDOM:
        section = tuple(_dated(one) for one in surges)
        return SpikesFit(surges, used, section, _note(surges, "at their own times"))
    section = (_at_random(surges, span_s),)
    per_week = section[0]["per_week"]
    return SpikesFit(surges, used, section, _note(surges, f"{per_week:g} a week"))


def _dated(surge: Surge) -> dict[str, Any]:
    length_s = _equivalent_s([surge])
    return {
        "shape": "event",
        "at": seconds(surge.begin_s),
        "magnitude": rounded(surge.magnitude),
        "rise": "0s",
        "hold": seconds(length_s),
        "fall_half_life": "0s",
    }


def _at_random(surges: Sequence[Surge], span_s: float) -> dict[str, Any]:
    magnitudes = np.sort([one.magnitude for one in surges])
    hold_s = min(
        float(np.median([_above_half_s(one) for one in surges])), _equivalent_s(surges)
    )
    rest_s = max(0.0, _equivalent_s(surges) - hold_s)
    return {
        "shape": "event",
        "per_week": rounded(len(surges) * 7 * SECONDS_PER_DAY / span_s),
        "magnitude": _magnitude_law(magnitudes),
        "rise": "0s",
        "hold": seconds(hold_s),
        "fall_half_life": seconds(rest_s * math.log(2.0)),
    }


def _magnitude_law(ascending: npt.NDArray[np.float64]) -> dict[str, Any]:
    median, sigma = lognormal_of(ascending)
    mean = median * math.exp(0.5 * sigma * sigma)
    fits = sigma > 0 and abs(mean / float(ascending.mean()) - 1.0) < 0.1
    if fits and distance(ascending, lognormal_cdf(median, sigma)) < _GOOD_DISTANCE:
        return {
            "distribution": "lognormal",
            "median": rounded(median),
            "sigma": rounded(sigma),
        }
    return {
        "distribution": "empirical",
        "values": [rounded(one) for one in group_means(ascending, _HELD).tolist()],
    }


def _equivalent_s(surges: Sequence[Surge]) -> float:
    """Return how long spikes would last at their peaks to bring what they brought. [s]"""
    excess = sum(one.excess for one in surges)
    height = sum(one.peak_rate_per_s - one.usual_rate_per_s for one in surges)
    return max(1.0, excess / height)


def _above_half_s(surge: Surge) -> float:
    """Return about how long a spike is high: as long as at its peak, at most. [s]"""
    return min(surge.end_s - surge.begin_s, _equivalent_s([surge]))


def _note(surges: Sequence[Surge], when: str) -> str:
    heights = [one.magnitude for one in surges]
    n = len(surges)
    return (
        f"{n} spike{'' if n == 1 else 's'} above 6 times the median over 24 h, up to "
        f"{max(heights):.3g} times, {when}"
    )
