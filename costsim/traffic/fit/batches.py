"""Requests by the clock: batches at equal distances."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from costsim.traffic.fit.laws import seconds
from costsim.traffic.fit.sessions import cut_by_gap, size_law

if TYPE_CHECKING:
    from costsim.records import Floats

_FEWEST = 5
_REGULAR_CV = 0.1
_WIDE_GAP = 10.0


def fit_batches(arrival_s: Floats) -> dict[str, Any] | None:
    """Return the arrival process of a scenario for batches, if a log has nothing else.

    Gaps are parted at the widest jump of their logarithms; batches are what lies between
    the long ones. Their distances must vary by less than 10 %.

    Parameters
    ----------
    arrival_s : ndarray of float64, ascending
        Arrivals. [s]

    Returns
    -------
    dict or None
        A ``cron`` process.
    """
    if arrival_s.size < _FEWEST:
        return None
    cut = cut_by_gap(arrival_s, _long_gap_s(np.diff(arrival_s)))
    distances = np.diff(cut.begin_s)
    if distances.size < _FEWEST - 1 or distances.mean() <= 0:
        return None
    if float(distances.std() / distances.mean()) > _REGULAR_CV:
        return None
    ends = np.cumsum(cut.sizes) - 1
    spread_s = float(np.quantile(arrival_s[ends] - cut.begin_s, 0.9))
    size = size_law(cut.sizes)
    if (cut.sizes == cut.sizes[0]).all():
        size = int(cut.sizes[0])
    elif not isinstance(size, dict):
        size = {"distribution": "geometric", "mean": size}
    return {
        "process": "cron",
        "every": seconds(float(distances.mean())),
        "batch_size": size,
        "jitter": seconds(spread_s),
    }


def _long_gap_s(gaps_s: Floats) -> float:
    """Return a length that parts long gaps from short ones; 0 if there is no part."""
    ascending = np.sort(gaps_s)
    positive = ascending[ascending > 0]
    if positive.size == 0:
        return np.inf
    if positive.size < ascending.size:  # requests at one moment
        positive = np.concatenate([[positive[0] / (2 * _WIDE_GAP)], positive])
    ratios = positive[1:] / positive[:-1]
    if ratios.size == 0 or ratios.max() < _WIDE_GAP:
        return 0.0
    at = int(np.argmax(ratios))
    return float(np.sqrt(positive[at] * positive[at + 1]))
