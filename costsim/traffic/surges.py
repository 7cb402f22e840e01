"""Where the rate rises far above its usual level for a while."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from costsim.units import SECONDS_PER_DAY

if TYPE_CHECKING:
    import numpy.typing as npt

    from costsim.records import Floats, Ints

SURGE_RATIO = 6.0
"""A surge exceeds the median over 24 h this many times."""
_BIN_S = 300.0
_SAME_S = 1800.0
"""Rises with less than this between them are one surge. [s]"""
_MEDIANS_PER_DAY = 24
_SIGNIFICANT = 6.0
"""Standard deviations of a Poisson count by which a surge exceeds the usual, too."""
_FEWEST = 10.0
"""Requests above the usual that make a surge, at least."""


@dataclass(frozen=True)
class Surge:
    """A time with far more requests than usual."""

    begin_s: float
    """Its first bin begins. [s]"""
    end_s: float
    """Its last bin ends. [s]"""
    peak_s: float
    """The middle of its highest bin. [s]"""
    peak_rate_per_s: float
    """Mean rate in its highest bin. [requests/s]"""
    usual_rate_per_s: float
    """Median rate of the 24 h around it. [requests/s]"""
    excess: float
    """Requests above the usual. [requests]"""

    @property
    def magnitude(self) -> float:
        """Peak over usual; inf where nothing is usual. [1]"""
        if self.usual_rate_per_s <= 0:
            return math.inf
        return self.peak_rate_per_s / self.usual_rate_per_s


def find_surges(
    counts: Ints, width_s: float, bin_s: float = 0.0
) -> tuple[Surge, ...] | None:
    """Return where counts exceed six times their median over 24 h.

    Parameters
    ----------
    counts : ndarray of int64
        Requests in bins from 0 on.
    width_s : float
        Width of the bins. [s]
    bin_s : float
        Width of the bins of the log itself, below which nothing is known. [s]

    Returns
    -------
    tuple of Surge or None
        In their order; None with less than a day.
    """
    times = max(1, math.ceil(max(_BIN_S, bin_s) / width_s - 1e-9))
    width_s *= times
    per_day = round(SECONDS_PER_DAY / width_s)
    n = counts.size // times
    if per_day < 4 or n < per_day:
        return None
    counts = counts[: n * times].reshape(n, times).sum(axis=1)
    usual = rolling_median(counts, per_day)
    least = np.maximum(_FEWEST, _SIGNIFICANT * np.sqrt(usual))
    above = (counts > SURGE_RATIO * usual) & (counts - usual > least)
    return tuple(
        _surge(counts, usual, width_s, begin, end)
        for begin, end in runs(above, max(1, round(_SAME_S / width_s)))
    )


def runs(marked: npt.NDArray[np.bool_], apart: int = 1) -> list[tuple[int, int]]:
    """Return where marked bins begin and end, as one run if fewer lie between them."""
    places = np.flatnonzero(marked)
    if not places.size:
        return []
    breaks = np.flatnonzero(np.diff(places) > apart)
    begins = places[np.concatenate([[0], breaks + 1])]
    ends = places[np.concatenate([breaks, [places.size - 1]])] + 1
    return list(zip(begins.tolist(), ends.tolist(), strict=True))


def rolling_median(counts: Ints, window: int) -> Floats:
    """Return the median of the bins around each bin, taken 24 times a window."""
    step = max(1, window // _MEDIANS_PER_DAY)
    padded = np.lib.stride_tricks.sliding_window_view(counts, min(window, counts.size))
    medians = np.median(padded[::step], axis=1)
    nearest = np.arange(counts.size) - window // 2
    place = np.clip(np.round(nearest / step).astype(np.int64), 0, medians.size - 1)
    return np.asarray(medians[place], dtype=np.float64)


def _surge(counts: Ints, usual: Floats, width_s: float, begin: int, end: int) -> Surge:
    peak = begin + int(np.argmax(counts[begin:end]))
    return Surge(
        begin_s=begin * width_s,
        end_s=end * width_s,
        peak_s=(peak + 0.5) * width_s,
        peak_rate_per_s=float(counts[peak]) / width_s,
        usual_rate_per_s=float(usual[peak]) / width_s,
        excess=float((counts[begin:end] - usual[begin:end]).sum()),
    )
