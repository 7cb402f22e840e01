"""Requests counted in bins and windows of equal width, and how the counts vary."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np

if TYPE_CHECKING:
    from costsim.records import Floats, Ints

_FEWEST_WINDOWS = 10
"""Fewer windows than this tell nothing of how counts vary."""
_MOST_MINUTES = 5_000_000
"""Minutes that are counted one by one, at most: nine years. Wider bins beyond."""
_ROUND_S = (
    *(1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800),
    *(21_600, 43_200, 86_400, 172_800, 604_800),
)
"""Widths of bins that people read well. [s]"""


class Counts:
    """Requests counted in bins of equal width, all that lie whole in the span.

    Parameters
    ----------
    width_s : float
        Width of a bin. [s]
    span_s : float
        Span from 0 on. [s]
    """

    def __init__(self, width_s: float, span_s: float) -> None:
        self.width_s = width_s
        self.counts: Ints = np.zeros(whole_windows(span_s, width_s), dtype=np.int64)

    def add(self, block: Floats) -> None:
        """Count arrivals. [s]"""
        if not (block.size and self.counts.size):
            return
        first, last = int(block[0] // self.width_s), int(block[-1] // self.width_s)
        last = min(last, self.counts.size - 1)
        if first <= last:
            edges = np.arange(first, last + 2) * self.width_s
            self.counts[first : last + 1] += np.diff(np.searchsorted(block, edges))

    def add_to(self, bins: Ints, numbers: Ints) -> None:
        """Add numbers of requests to bins, those beyond the span left out."""
        within = (bins >= 0) & (bins < self.counts.size)
        np.add.at(self.counts, bins[within], numbers[within])

    def merged(self, width_s: float) -> Ints | None:
        """Return the counts in bins of a multiple of the width; None if it is none."""
        times = round(width_s / self.width_s)
        if times < 1 or not math.isclose(times * self.width_s, width_s):
            return None
        n = self.counts.size // times
        return cast("Ints", self.counts[: n * times].reshape(n, times).sum(axis=1))


class WindowFigures(NamedTuple):
    """How counts in windows of one width vary; None where they are too few."""

    peak_to_mean: float | None = None
    """Largest count over the mean count."""
    dispersion: float | None = None
    """Variance over mean of counts."""
    idle: float | None = None
    """Share of windows without a request."""


class NarrowWindows:
    """Sums over the counts of windows of one width, without the counts.

    Parameters
    ----------
    width_s : float
        Width of a window. [s]
    span_s : float
        Span from 0 on. [s]
    """

    def __init__(self, width_s: float, span_s: float) -> None:
        self.width_s = width_s
        self._n = whole_windows(span_s, width_s)
        self._window, self._count = -1, 0
        self._busy, self._most, self._sum, self._squares = 0, 0, 0, 0.0

    def add(self, block: Floats) -> None:
        """Count arrivals that come after all others so far. [s]"""
        windows, counts = _counted(block, self.width_s)
        if windows[0] == self._window:
            counts[0] += self._count
        else:
            self._settle(np.array([self._window]), np.array([self._count]))
        self._settle(windows[:-1], counts[:-1])
        self._window, self._count = int(windows[-1]), int(counts[-1])

    def figures(self) -> WindowFigures:
        """Return how the counts vary, once all are added."""
        self._settle(np.array([self._window]), np.array([self._count]))
        self._window, self._count = -1, 0
        return _figures(self._n, self._busy, self._most, self._sum, self._squares)

    def _settle(self, windows: Ints, counts: Ints) -> None:
        counts = counts[(windows >= 0) & (windows < self._n)]
        if counts.size:
            self._busy += counts.size
            self._most = max(self._most, int(counts.max()))
            self._sum += int(counts.sum())
            self._squares += float(np.square(counts, dtype=np.float64).sum())


def figures_of(counts: Ints) -> WindowFigures:
    """Return how counts in windows of one width vary."""
    return _figures(
        counts.size,
        int(np.count_nonzero(counts)),
        int(counts.max(initial=0)),
        int(counts.sum()),
        float(np.square(counts, dtype=np.float64).sum()),
    )


def _figures(n: int, busy: int, most: int, total: int, squares: float) -> WindowFigures:
    if n < _FEWEST_WINDOWS:
        return WindowFigures()
    if not total:
        return WindowFigures(idle=1.0)
    mean = total / n
    dispersion = (squares - n * mean * mean) / (n - 1) / mean
    return WindowFigures(most / mean, dispersion, 1.0 - busy / n)


def _counted(block: Floats, width_s: float) -> tuple[Ints, Ints]:
    """Return the windows in which some arrivals are, and how many are in each."""
    first, last = int(block[0] // width_s), int(block[-1] // width_s)
    if last - first > block.size // 8:
        window = (block / width_s).astype(np.int64)
        begins = np.flatnonzero(np.diff(window, prepend=-1))
        return window[begins], np.diff(begins, append=block.size)
    # In few windows their edges are found faster than the window of each request.
    inner = np.arange(first + 1, last + 1) * width_s
    edges = np.concatenate([[0], np.searchsorted(block, inner), [block.size]])
    counts = np.diff(edges)
    some = counts > 0
    return np.arange(first, last + 1)[some], counts[some]


def autocorrelation(counts: Ints | Floats, lag: float) -> float | None:
    """Return the autocorrelation of counts at a lag in windows.

    None with fewer than two lags' windows, or if all counts are equal.
    """
    step = round(lag)
    if counts.size < max(2 * step, _FEWEST_WINDOWS):
        return None
    centered = counts - counts.mean()
    variance = float(np.mean(centered * centered))
    if variance <= 0:
        return None
    return float(np.mean(centered[:-step] * centered[step:]) / variance)


def whole_windows(span_s: float, width_s: float) -> int:
    """Return how many windows lie whole in a span, rounding errors forgiven."""
    return int(span_s / width_s + 1e-9)


def minute_width(span_s: float) -> float:
    """Return 60 s, or more where a span has too many minutes to count each. [s]"""
    return 60.0 * max(1, math.ceil(span_s / 60.0 / _MOST_MINUTES))


def round_width(width_s: float) -> float:
    """Return the next larger width that people read well. [s]"""
    weeks = math.ceil(width_s / _ROUND_S[-1]) * _ROUND_S[-1]
    return float(next((one for one in _ROUND_S if one >= width_s), weeks))
