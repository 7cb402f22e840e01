"""Is a log no more than its profile: independent requests, at a rate that is constant?

What cannot be told from independent requests is not modeled as anything else.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from costsim.records import Floats, Ints

_FEWEST = 50
_EXPECTED = 5.0
_FEWEST_WINDOWS = 12
_TIMES = 3
_REJECTED = 3.3
"""Standard deviations: one in a thousand, and several tests are made."""
_REJECTED_DISTANCE = 1.45
"""Of Kolmogorov and Smirnov, times the root of the number of gaps; one in a thousand or
two where the mean is that of the gaps themselves (Lilliefors, J. Am. Stat. Assoc. 64,
1969)."""
_CHANGES = 3.0


def counts_are_independent(counts: Ints | Floats, expected: Floats) -> bool:
    """Return whether counts vary about what is expected as those of a Poisson process.

    By the index of dispersion, in windows from five requests on, each three times as wide
    as the one before.

    Parameters
    ----------
    counts : ndarray
        Requests in bins.
    expected : ndarray of float64
        What is expected of each; 0 leaves it out.
    """
    used = expected > 0
    counts, expected = counts[used].astype(np.float64), expected[used]
    total = float(counts.sum())
    if total < _FEWEST:
        return False
    expected = expected * (total / float(expected.sum()))
    times = max(1, math.ceil(_EXPECTED * counts.size / total))
    while counts.size // times >= _FEWEST_WINDOWS:
        n = counts.size // times
        found = counts[: n * times].reshape(n, times).sum(1)
        mean = expected[: n * times].reshape(n, times).sum(1)
        known = mean >= _EXPECTED / 2
        if known.sum() >= _FEWEST_WINDOWS:
            square = float(
                (np.square(found - mean) / np.maximum(mean, 1e-9))[known].sum()
            )
            if abs(_chi_square_deviate(square, int(known.sum()) - 1)) > _REJECTED:
                return False
        times *= _TIMES
    return True


def gaps_are_exponential(operational_s: Floats) -> bool:
    """Return whether gaps in operational time are those of a Poisson process.

    Parameters
    ----------
    operational_s : ndarray of float64, ascending
        Arrivals in the time of the profile. [s]
    """
    gaps = np.sort(np.diff(operational_s))
    n = gaps.size
    if n < _FEWEST or gaps[-1] <= 0:
        return False
    x = gaps / gaps.mean()
    # Greenwood: the mean square of unit exponential gaps is 2, with variance 4 / n.
    if abs(float(np.square(x).mean()) - 2.0) > 2.0 * 2.0 * _REJECTED / math.sqrt(n):
        return False
    law = 1.0 - np.exp(-x)
    place = np.arange(n, dtype=np.float64)
    distance = max(float(((place + 1) / n - law).max()), float((law - place / n).max()))
    return distance * math.sqrt(n) <= _REJECTED_DISTANCE


def rate_changes(counts: Ints | Floats, n_stages: int) -> bool:
    """Return whether a constant rate is rejected: by chi-square of the counts of stages.

    Bursts can be the reason as well; then models without stages are tried, too.

    Parameters
    ----------
    counts : ndarray
        Requests in bins of equal width.
    n_stages : int
        Parts of equal length.
    """
    n, total = counts.size, float(counts.sum())
    if n < 2 * n_stages or not total:
        return False
    part = np.arange(n) * n_stages // n
    expected = total * np.bincount(part, minlength=n_stages) / n
    found = np.bincount(part, counts, n_stages)
    square = float((np.square(found - expected) / expected).sum())
    return _chi_square_deviate(square, n_stages - 1) > _CHANGES


def _chi_square_deviate(square: float, free: int) -> float:
    """Return the normal deviate of chi-square (Wilson and Hilferty)."""
    width = 2.0 / (9.0 * free)
    return float(((square / free) ** (1.0 / 3.0) - (1.0 - width)) / math.sqrt(width))
