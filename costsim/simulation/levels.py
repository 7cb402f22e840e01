"""Levels over time as means in bins.

The mean number of intervals open in a bin needs no sorting: an interval counts one in
each bin from its start to its end, less the parts of these two bins that lie outside of
it. Both are summed as integers, parts in units of 2^-52 of a bin, so that levels are
exact after any number of requests, and the same bits in whatever order they come.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from costsim.simulation.compiled import compiled, inlined

if TYPE_CHECKING:
    from costsim.records import Floats, Ints

_HALF_BITS = 26
_HALF = 1 << _HALF_BITS
_COUNT, _HIGH, _LOW = range(3)
"""Columns of a level: ends in a bin, and the parts of it before them in two halves."""


@dataclass(frozen=True)
class Bins:
    """Where the bins are."""

    horizon_s: float
    width_s: float
    n: int

    @classmethod
    def of(cls, horizon_s: float, width_s: float) -> Bins:
        """Return bins of a width; a rounding error makes no bin of its own."""
        n = max(math.ceil(horizon_s / width_s * (1 - 1e-12)), 1)
        return cls(float(horizon_s), float(width_s), n)

    @property
    def shape(self) -> tuple[float, float]:
        """Horizon and width of a bin, as compiled functions take them. [s], [s]"""
        return self.horizon_s, self.width_s

    @property
    def span_s(self) -> Floats:
        """Length of each bin. [s]"""
        span_s = np.full(self.n, self.width_s)
        last_s = self.horizon_s - (self.n - 1) * self.width_s
        if last_s < self.width_s * (1 - 1e-9):
            span_s[-1] = last_s
        return span_s

    def level(self) -> Ints:
        """Return a level of nothing."""
        return np.zeros((self.n, 3), np.int64)

    def add(self, level: Ints, start_s: Floats, stop_s: Floats) -> None:
        """Add intervals to a level."""
        for times_s, step in ((start_s, 1), (stop_s, -1)):
            _visit_ends(np.ascontiguousarray(times_s), step, *self.shape, level)

    def means(self, level: Ints) -> Floats:
        """Return the mean of a level in each bin."""
        open_at_end = np.cumsum(level[:, _COUNT])
        before = np.ldexp(level[:, _HIGH], -_HALF_BITS)
        before += np.ldexp(level[:, _LOW], -2 * _HALF_BITS)
        return open_at_end - before * (self.width_s / self.span_s)


@inlined
def place(time_s: float, width_s: float, n_bins: int) -> tuple[int, int]:
    """Return a time's bin and the part of the bin before it, in units of 2^-52."""
    scaled = time_s / width_s
    which = min(int(scaled), n_bins - 1)
    return which, int((scaled - which) * 2.0**52)


@inlined
def step_level(level: Ints, which: int, part: int, step: int) -> None:
    """Move a level by a step, up or down, in a bin and all after it."""
    level[which, _COUNT] += step
    level[which, _HIGH] += step * (part >> _HALF_BITS)
    level[which, _LOW] += step * (part & (_HALF - 1))


@compiled
def _visit_ends(
    times_s: Floats, step: int, horizon_s: float, width_s: float, level: Ints
) -> None:
    """Move a level at each time before the horizon; NaN is never."""
    for i in range(times_s.size):
        if times_s[i] < horizon_s:
            which, part = place(times_s[i], width_s, len(level))
            step_level(level, which, part, step)


def mean_level(start_s: Floats, stop_s: Floats, span_s: float, n_bins: int) -> Floats:
    """Return the mean number of intervals [start, stop) open in each of equal bins.

    Parameters
    ----------
    start_s, stop_s : ndarray of float64, shape (n,)
        Intervals, from 0 on; NaN: it never begins, or never stops. [s]
    span_s : float
        The bins divide [0, span_s). [s]
    n_bins : int
        How many.
    """
    bins = Bins.of(span_s, span_s / n_bins)
    level = bins.level()
    bins.add(level, start_s, stop_s)
    return bins.means(level)
