"""On and off: times of bursts and of the silence between them, of any law."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from costsim.traffic.fit.laws import law_of, seconds
from costsim.traffic.fit.sessions import cut_by_gap

if TYPE_CHECKING:
    from costsim.records import Floats

_FEWEST = 20


@dataclass(frozen=True, eq=False)
class OnOffFit:
    """Bursts of a log."""

    on_s: Floats
    """Lengths of bursts: to the last request and the mean gap in bursts more. [s]"""
    off_s: Floats
    """Silences between them. [s]"""
    rate_per_s: float
    """Requests a second while on. [requests/s]"""

    @property
    def process(self) -> dict[str, Any]:
        """The arrival process of a scenario for bursts like these."""
        return {
            "process": "onoff",
            "on_time": law_of(self.on_s, seconds),
            "off_time": law_of(self.off_s, seconds),
        }


def fit_onoff(arrival_s: Floats, silence_s: float) -> OnOffFit | None:
    """Return the bursts between gaps that are longer than a given time.

    Parameters
    ----------
    arrival_s : ndarray of float64, ascending
        Arrivals. [s]
    silence_s : float
        Gaps that are longer are silence. [s]

    Returns
    -------
    OnOffFit or None
        None with fewer than 20 bursts, or without a burst of more than one request.
    """
    cut = cut_by_gap(arrival_s, silence_s)
    within = cut.sizes > 1
    if cut.sizes.size < _FEWEST or not within.any():
        return None
    ends = np.cumsum(cut.sizes) - 1
    length_s = arrival_s[ends] - cut.begin_s
    # A time on that is seen from its first request to its last is one gap longer.
    gap_s = max(float(cut.gaps_s.mean()), 1e-6)
    on_s = length_s + gap_s
    off_s = np.maximum(np.diff(cut.begin_s) - on_s[:-1], 1e-6)
    return OnOffFit(on_s, off_s, float(cut.sizes.sum() / on_s.sum()))
