"""Gaps between requests, counted as they come."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from costsim.units import SECONDS_PER_HOUR

if TYPE_CHECKING:
    from costsim.records import Floats

GAP_PERCENTS = (5, 25, 50, 75, 90, 95, 99)
"""Quantiles of the gaps that are told. [%]"""
_SHORTEST_S = 1e-6
_PER_DECADE = 50
_DECADES = 16
_FEWEST_PER_HOUR = 10.0
"""Requests in a busy hour below which its own rate says nothing."""
_MOST_HOURS = 1_000_000


@dataclass(frozen=True, eq=False)
class GapSummary:
    """How long the gaps between requests are."""

    quantiles_s: dict[int, float]
    """By percent; right to 5 %. [s]"""
    edges_s: Floats
    """Edges of a histogram with a ratio of 10^(1/50), shape (n + 1,). [s]"""
    counts: Floats
    """Gaps in each of its bins, shape (n,); gaps shorter than a microsecond are in none."""
    n_zero: int
    """Gaps shorter than a microsecond."""


class GapStatistics:
    """Moments and a logarithmic histogram of the gaps."""

    def __init__(self) -> None:
        self._latest_s: float | None = None
        self._n, self._sum, self._squares = 0, 0.0, 0.0
        self._counts = np.zeros(_PER_DECADE * _DECADES + 1, dtype=np.int64)

    def add(self, block: Floats) -> None:
        """Take arrivals that come after all others so far. [s]"""
        before = block[:1] if self._latest_s is None else [self._latest_s]
        gaps = np.diff(block, prepend=before)[0 if self._latest_s is not None else 1 :]
        self._latest_s = float(block[-1])
        self._n += gaps.size
        self._sum += float(gaps.sum())
        self._squares += float(np.square(gaps).sum())
        with np.errstate(divide="ignore"):
            place = np.log10(gaps / _SHORTEST_S) * _PER_DECADE
        place = np.clip(np.floor(place) + 1, 0, self._counts.size - 1)
        self._counts += np.bincount(place.astype(np.int64), minlength=self._counts.size)

    @property
    def cv(self) -> float | None:
        """Standard deviation over mean. [1]"""
        if self._n < 2 or self._sum <= 0:
            return None
        mean = self._sum / self._n
        return math.sqrt(max(0.0, self._squares / self._n - mean * mean)) / mean

    def summary(self) -> GapSummary | None:
        """Return quantiles and histogram; None without a gap."""
        if not self._n:
            return None
        exponents = np.arange(_PER_DECADE * _DECADES + 1) / _PER_DECADE
        edges_s = _SHORTEST_S * 10.0**exponents
        reached = np.cumsum(self._counts) / self._n
        # The middle of a bin; the first place is of gaps too short to tell apart.
        middles_s = np.concatenate([[0.0], np.sqrt(edges_s[1:] * edges_s[:-1])])
        quantiles_s = {
            percent: float(middles_s[np.searchsorted(reached, percent / 100 - 1e-12)])
            for percent in GAP_PERCENTS
        }
        used = np.flatnonzero(self._counts[1:])
        first, last = (used[0], used[-1] + 1) if used.size else (0, 0)
        return GapSummary(
            quantiles_s,
            edges_s[first : last + 1],
            self._counts[1:][first:last].astype(np.float64),
            int(self._counts[0]),
        )


class HourlyGaps:
    """What is left of the variation of gaps once each hour has a rate of its own.

    Of each hour its first and last request, their number and the squares of the gaps
    between them are kept: enough to measure every gap in operational time.

    Parameters
    ----------
    span_s : float
        Time that the requests cover. [s]
    """

    def __init__(self, span_s: float) -> None:
        n = min(int(span_s / SECONDS_PER_HOUR) + 1, _MOST_HOURS)
        self._count, self._squares = np.zeros(n, dtype=np.int64), np.zeros(n)
        self._first_s, self._last_s = np.full(n, np.nan), np.full(n, np.nan)

    def add(self, block: Floats) -> None:
        """Take arrivals that come after all others so far. [s]"""
        hour = (block / SECONDS_PER_HOUR).astype(np.int64)
        begins = np.flatnonzero(np.diff(hour, prepend=-1))
        ends = np.append(begins[1:], block.size)
        for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
            if hour[begin] < self._count.size:
                self._add_in_hour(int(hour[begin]), block[begin:end])

    def _add_in_hour(self, hour: int, arrival_s: Floats) -> None:
        if self._count[hour]:
            arrival_s = np.concatenate([[self._last_s[hour]], arrival_s])
            self._count[hour] -= 1
        else:
            self._first_s[hour] = arrival_s[0]
        self._count[hour] += arrival_s.size
        self._squares[hour] += float(np.square(np.diff(arrival_s)).sum())
        self._last_s[hour] = arrival_s[-1]

    @property
    def local_cv(self) -> float | None:
        """Coefficient of variation of gaps in operational time. [1]

        None if a busy hour has fewer than ten requests on average.
        """
        busy = np.flatnonzero(self._count)
        n = int(self._count.sum())
        if n < 3 or n / busy.size < _FEWEST_PER_HOUR:
            return None
        rate_per_s = self._count[busy] / SECONDS_PER_HOUR
        within = float((self._squares[busy] * rate_per_s**2).sum())
        # A gap from hour to hour: nothing of it lies in hours without a request.
        left_s = (busy + 1) * SECONDS_PER_HOUR - self._last_s[busy]
        come_s = self._first_s[busy] - busy * SECONDS_PER_HOUR
        across = left_s[:-1] * rate_per_s[:-1] + come_s[1:] * rate_per_s[1:]
        squares = within + float(np.square(across).sum())
        total = n - come_s[0] * rate_per_s[0] - left_s[-1] * rate_per_s[-1]
        if total <= 0:
            return None
        mean = total / (n - 1)
        return float(math.sqrt(max(0.0, squares / (n - 1) - mean**2)) / mean)
