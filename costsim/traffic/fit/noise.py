r"""Slow changes of the rate that no clock explains: Ornstein-Uhlenbeck terms.

A log-normal rate with terms of variances :math:`\sigma_j^2` and correlation times
:math:`\tau_j` has the pair correlation

.. math:: \ln g(u) = \sum_j \sigma_j^2 e^{-u / \tau_j},

and g is what counts at a distance u, over what is expected of each, are multiplied to on
average. The variances on a grid of correlation times are found by least squares, none of
them negative (Moller, Syversveen, Waagepetersen, Scand. J. Statist. 25, 1998).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from costsim.records import Floats

MAX_SIGMA = 2.5
"""Largest standard deviation of a term's logarithm."""
_LEAST_VARIANCE = 0.003
_FEWEST_LAGS = 4
_PER_TENFOLD = 6
_MOST_TERMS = 2


@dataclass(frozen=True)
class Term:
    """One term of the logarithm of the rate."""

    sigma: float
    """Standard deviation. [1]"""
    correlation_time_s: float
    """Time in which its correlation falls to 1/e. [s]"""


def fit_noise(
    counts: Floats,
    expected: Floats,
    width_s: float,
    *,
    shortest_s: float = 600.0,
    longest_s: float = 6 * 3600.0,
) -> tuple[Term, ...]:
    """Return one or two terms, or none, for counts that vary more than is expected.

    Parameters
    ----------
    counts : ndarray
        Requests in bins.
    expected : ndarray of float64
        What the profile expects of each bin; 0 leaves it out.
    width_s : float
        Width of the bins. [s]
    shortest_s, longest_s : float
        Lags that are looked at: below, the arrival process itself is clustered. [s]
    """
    longest_s = min(longest_s, counts.size * width_s / 4)
    lags = _lags(shortest_s, longest_s, width_s)
    if lags.size < _FEWEST_LAGS:
        return ()
    pairs = np.array([_pair_correlation(counts, expected, int(k)) for k in lags])
    known = pairs[:, 1] > 0
    if known.sum() < _FEWEST_LAGS:
        return ()
    lags, log_g = lags[known], np.log(np.maximum(pairs[known, 0], 0.05))
    return _terms(lags * width_s, log_g, width_s, longest_s)


def _lags(shortest_s: float, longest_s: float, width_s: float) -> Floats:
    least = max(1, math.ceil(shortest_s / width_s - 1e-9))
    most = math.floor(longest_s / width_s + 1e-9)
    if most < least:
        return np.empty(0)
    n = max(2, math.ceil(8 * math.log10(most / least + 1)))
    return np.unique(np.round(np.geomspace(least, most, n)))


def _pair_correlation(
    counts: Floats, expected: Floats, lag: int
) -> tuple[float, float]:
    """Return g at a lag in bins, and how many pairs of requests it rests on."""
    before, after = expected[:-lag], expected[lag:]
    whole = float((before * after).sum())
    if whole <= 0:
        return 1.0, 0.0
    both = (before > 0) & (after > 0)
    found = float((counts[:-lag] * counts[lag:] * both).sum())
    return found / whole, whole


def _terms(
    lag_s: Floats, log_g: Floats, width_s: float, longest_s: float
) -> tuple[Term, ...]:
    """Return at most two terms: the best pair of correlation times of a grid."""
    low, high = max(lag_s[0] / 2, width_s / 2), longest_s
    n = max(2, math.ceil(_PER_TENFOLD * math.log10(high / low)))
    times_s = np.geomspace(low, high, n)
    best: tuple[float, tuple[Term, ...]] = (float((log_g**2).sum()), ())
    for i in range(n):
        for j in range(i, n):
            chosen = times_s[[i]] if i == j else times_s[[i, j]]
            variances, loss = nonnegative(np.exp(-lag_s[:, None] / chosen), log_g)
            # A second term has to explain a good part of what one leaves.
            if loss < (0.98 if i == j else 0.8) * best[0]:
                terms = tuple(
                    Term(min(MAX_SIGMA, math.sqrt(variance)), float(tau))
                    for variance, tau in zip(variances, chosen, strict=True)
                    if variance > _LEAST_VARIANCE
                )
                if len(terms) <= _MOST_TERMS:
                    best = (loss, terms)
    return best[1]


def nonnegative(design: Floats, target: Floats) -> tuple[Floats, float]:
    """Return the least-squares solution without negative parts, and its loss.

    For one or two columns: the unbounded solution, or the better of the single ones.
    """
    if design.shape[1] == 2:
        gram, right = design.T @ design, design.T @ target
        if abs(np.linalg.det(gram)) > 1e-9 * gram[0, 0] * gram[1, 1]:
            both = np.linalg.solve(gram, right)
            if (both >= 0).all():
                return np.asarray(both, dtype=np.float64), float(
                    ((design @ both - target) ** 2).sum()
                )
        singles = [nonnegative(design[:, [k]], target) for k in (0, 1)]
        k = int(singles[1][1] < singles[0][1])
        solution = np.zeros(2)
        solution[k] = singles[k][0][0]
        return solution, singles[k][1]
    column = design[:, 0]
    size = max(0.0, float(column @ target) / float(column @ column))
    return np.array([size]), float(((column * size - target) ** 2).sum())
