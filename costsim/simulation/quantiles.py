"""Quantiles of response times: exact while all are kept, else from a histogram."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from costsim.simulation.compiled import compiled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from costsim.records import Floats, Ints

PERCENTS = (50, 90, 95, 99)
"""Quantiles that are reported, in per cent."""

EXACT_UP_TO = 10_000_000
"""Response times that are kept; when there are more, they become a histogram."""

CURVE_SHARES = (
    *(Fraction(n, 200) for n in range(1, 198)),
    *(Fraction(n, 1000) for n in range(990, 1000)),
    *(Fraction(9995, 10_000), Fraction(9999, 10_000), Fraction(1)),
)
"""Shares of requests for which the response time is told: closer where tails are."""

_SHARES = tuple(Fraction(percent, 100) for percent in PERCENTS)

_MANTISSA_BITS = 9
"""Bins split each power of two into 2^9: the middle of one is within 0.1 % of all in it."""
_LEAST_S = 2.0**-30
"""Shorter times, about a nanosecond, share the first bin. [s]"""
_N_BINS = 64 << _MANTISSA_BITS
"""64 powers of two: up to 1.7e10 s."""
_SHIFT = 52 - _MANTISSA_BITS
_FIRST_BIN = int(np.float64(_LEAST_S).view(np.int64)) >> _SHIFT

_FEWEST = 1024
_MANY = 1_000_000


class ResponseTimes:
    """Response times as they come: kept up to a number, beyond it counted in bins."""

    def __init__(self, *, keep: bool = True) -> None:
        self._kept = np.empty(_FEWEST if keep else 0)
        self._counts = None if keep else histogram(np.empty(0))
        self.n = 0
        """How many there are."""

    @property
    def kept_s(self) -> Floats:
        """All of them, in no order; empty if they are counted in bins. [s]"""
        return self._kept[: self.n if self._counts is None else 0]

    @property
    def histogram(self) -> Ints | None:
        """Counts in log-spaced bins; None while all are kept."""
        return None if self._counts is None else self._counts.copy()

    def room_for(self, n: int) -> Floats:
        """Return where to write up to n more, before `add_written`. [s]"""
        if self._counts is not None:
            if self._kept.size < n:
                self._kept = np.empty(n)
            return self._kept
        if self._kept.size < self.n + n:
            self._kept = _roomier(self._kept[: self.n], n)
        return self._kept[self.n :]

    def add_written(self, n: int) -> None:
        """Take the first n that were written."""
        if self._counts is not None:
            _count(self._kept[:n].view(np.int64), self._counts)
        self.n += n
        if self._counts is None and self.n > EXACT_UP_TO:
            self._counts = histogram(self._kept[: self.n])
            self._kept = np.empty(0)


def _roomier(values: Floats, n: int) -> Floats:
    """Return the values with room for n more, and mostly for many more than that.

    Room is virtual memory until it is written to. So there are few copies, and large
    room only for runs that are long.
    """
    size = max(2 * values.size, values.size + n)
    if size > _MANY:
        size = max(EXACT_UP_TO + n, size)
    room = np.empty(size)
    room[: values.size] = values
    return room


def quantiles(values: Floats) -> tuple[float, ...]:
    """Return the exact quantiles at PERCENTS: of n, the ceil(q n)-th smallest.

    NaN where there are no values. The values are reordered in place.
    """
    n = values.size
    if n == 0:
        return (np.nan,) * len(PERCENTS)
    # In integers: 0.95 x 20 is not 19 for every float.
    ranks = [-(-n * percent // 100) - 1 for percent in PERCENTS]
    values.partition(sorted(set(ranks)))
    return tuple(float(values[rank]) for rank in ranks)


def histogram(values: Floats) -> Ints:
    """Return counts in log-spaced bins; zero goes to the first."""
    counts = np.zeros(_N_BINS, dtype=np.int64)
    _count(np.ascontiguousarray(values).view(np.int64), counts)
    return counts


def histogram_quantiles(
    counts: Ints, shares: Sequence[Fraction] = _SHARES
) -> tuple[float, ...]:
    """Return quantiles to 0.1 %, from the sum of histograms.

    Parameters
    ----------
    counts : ndarray of int
        From ``histogram``.
    shares : sequence of Fraction
        Which ones, above 0; those at PERCENTS if nothing is said.
    """
    cumulative = np.cumsum(counts)
    n = int(cumulative[-1])
    if n == 0:
        return (np.nan,) * len(shares)
    ranks = [math.ceil(n * share) for share in shares]
    bins = np.searchsorted(cumulative, ranks)
    # Half a bin up, in the arithmetic of the bits.
    middle = ((2 * (bins + _FIRST_BIN) + 1) << (_SHIFT - 1)).view(np.float64)
    return tuple(float(value) for value in middle)


@compiled
def _count(bits: Ints, counts: Ints) -> None:
    """Add values to a histogram: a float's bits are its logarithm in steps."""
    for i in range(bits.size):
        # A negative time, by a rounding error, is a negative integer as well.
        which = max((bits[i] >> _SHIFT) - _FIRST_BIN, 0)
        counts[min(which, _N_BINS - 1)] += 1
