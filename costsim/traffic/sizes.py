"""How many requests a session or a batch has."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from costsim.scenario.distributions import Constant, Empirical
from costsim.scenario.processes import GeometricSize, ScaledSize
from costsim.traffic.draws import Draws, Row
from costsim.traffic.laws import normal_cdf, sampler

if TYPE_CHECKING:
    from collections.abc import Callable

    from costsim.records import Ints
    from costsim.scenario.processes import BatchSize, LognormalSize, SessionSize

_MOST = 1_000_000
"""Log-normal numbers are cut here."""
_SUMMED = 20_000
"""Terms of the mean of a rounded log-normal number that are added one by one."""


def mean_size(law: BatchSize | SessionSize | ScaledSize) -> float:
    """Return the mean number of requests. [requests]"""
    if isinstance(law, ScaledSize):
        return law.factor * mean_size(law.law)
    if isinstance(law, Constant):
        return float(law.value)
    if isinstance(law, GeometricSize):
        return law.mean
    if isinstance(law, Empirical):
        return float(np.average(law.values, weights=law.weights))
    return _rounded_up_mean(law.median, law.sigma)


def sizes(
    law: BatchSize | SessionSize | ScaledSize, rng: np.random.Generator
) -> Callable[[int], Ints]:
    """Return what gives the next n numbers of requests.

    Parameters
    ----------
    law : BatchSize, SessionSize or ScaledSize
        Their law.
    rng : numpy.random.Generator
        Where the randomness comes from; it is taken over.
    """
    if isinstance(law, ScaledSize):
        return _scaled(law, rng)
    if isinstance(law, Constant):
        value = law.value
        return lambda n: np.full(n, value, dtype=np.int64)
    if isinstance(law, GeometricSize):
        return _geometric(law.mean, rng)
    if isinstance(law, Empirical):
        values = np.asarray(law.values, dtype=np.float64).tolist()
        whole = Empirical[float](
            distribution="empirical", values=tuple(values), weights=law.weights
        )
        row = Row(sampler(whole, rng))
        return lambda n: row.take(n).astype(np.int64)
    return _rounded_up(law, rng)


def _scaled(law: ScaledSize, rng: np.random.Generator) -> Callable[[int], Ints]:
    """Return what gives multiples: with U uniform, the whole part of x + U has mean x."""
    (rounding,) = rng.spawn(1)
    whole = sizes(law.law, rng)

    def take(n: int) -> Ints:
        return np.floor(whole(n) * law.factor + rounding.random(n)).astype(np.int64)

    return take


def remaining(law: SessionSize, n: int, rng: np.random.Generator) -> Ints:
    """Return how many requests sessions still have that are met at a random moment.

    A session of N requests is met between two of them in proportion to its N - 1 gaps,
    and in each of those equally likely, if gaps have one law. So r are left with
    probability P(N > r) / E[N - 1].
    """
    if isinstance(law, GeometricSize):
        return _geometric(law.mean, rng)(n)
    if isinstance(law, Empirical):
        values = np.asarray(law.values, dtype=np.int64)
        weights = (values - 1.0) * (
            1.0 if law.weights is None else np.asarray(law.weights)
        )
        met = rng.choice(values, n, p=weights / weights.sum())
    else:
        met = _met_lognormals(law, n, rng)
    return met - rng.integers(1, met)


def _geometric(mean: float, rng: np.random.Generator) -> Callable[[int], Ints]:
    """Return what gives geometric numbers: whole parts of exponential ones."""
    row = Row(Draws(rng).exponentials)
    if mean == 1.0:
        return lambda n: np.ones(n, dtype=np.int64)
    per_request = -math.log1p(-1.0 / mean)
    return lambda n: (row.take(n) / per_request).astype(np.int64) + 1


def _rounded_up(law: LognormalSize, rng: np.random.Generator) -> Callable[[int], Ints]:
    row = Row(Draws(rng).normals)

    def take(n: int) -> Ints:
        x = law.median * np.exp(law.sigma * row.take(n))
        return np.minimum(np.ceil(x), _MOST).astype(np.int64)

    return take


@cache
def _rounded_up_mean(median: float, sigma: float) -> float:
    """Return the mean of a log-normal number X rounded up: the sum of all P(X > r).

    Far out the sum is an integral, by the formula of Euler and Maclaurin.
    """

    def above(r: float) -> float:
        if sigma == 0:
            return float(median > r)
        return normal_cdf((math.log(median) - math.log(r)) / sigma) if r else 1.0

    total = math.fsum(above(r) for r in range(_SUMMED))
    if sigma == 0:
        return total
    first, last = float(_SUMMED), float(_MOST)
    in_tail = [
        normal_cdf((math.log(r / median) - sigma**2) / sigma) for r in (first, last)
    ]
    mean = median * math.exp(0.5 * sigma**2)
    integral = last * above(last) - first * above(first)
    integral += mean * (in_tail[1] - in_tail[0])
    return total + integral + 0.5 * (above(first) - above(last))


def _met_lognormals(law: LognormalSize, n: int, rng: np.random.Generator) -> Ints:
    """Return sizes that are met in proportion to their gaps, by rejection.

    In proportion to X itself the law is log-normal again; of these a share of
    (N - 1) / X is kept, with N = X rounded up.
    """
    median = law.median * math.exp(law.sigma**2)
    met: Ints = np.empty(0, dtype=np.int64)
    while len(met) < n:
        x = median * np.exp(law.sigma * rng.standard_normal(2 * n + 64))
        size = np.minimum(np.ceil(x), _MOST)
        kept = size[rng.random(len(x)) * x < size - 1.0]
        met = np.concatenate([met, kept.astype(np.int64)])
    return met[:n]
