"""Confidence intervals over replications.

Replications are independent, so a mean has a Student interval. A quantile is that of all
replications' values pooled, with an interval by sectioning: each replication's own
quantile, squared about the pooled one (Asmussen and Glynn, Stochastic Simulation, 2007,
ch. III). Differences between deployments are paired, since both met the same traffic.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

LEVEL = 0.95
"""Confidence of every interval that is reported."""


@dataclass(frozen=True)
class Estimate:
    """A value with its confidence interval."""

    value: float
    low: float
    """NaN with fewer than two replications."""
    high: float

    @property
    def half_width(self) -> float:
        """Half of the interval's width."""
        return (self.high - self.low) / 2


def estimate_mean(values: Sequence[float], level: float = LEVEL) -> Estimate:
    """Return the mean with its Student interval.

    Parameters
    ----------
    values : sequence of float
        One a replication, independent.
    level : float
        Confidence, in (0, 1).
    """
    return estimate_about(math.fsum(values) / len(values), values, level)


def estimate_about(
    center: float, sections: Sequence[float], level: float = LEVEL
) -> Estimate:
    """Return an estimate whose error is told by one value from each replication.

    Parameters
    ----------
    center : float
        The estimate from all replications together.
    sections : sequence of float
        The same measure of each replication alone.
    level : float
        Confidence, in (0, 1).
    """
    n = len(sections)
    if n < 2 or not all(map(math.isfinite, sections)):
        return Estimate(center, math.nan, math.nan)
    square = math.fsum((value - center) ** 2 for value in sections) / (n - 1)
    half = student_quantile((1 + level) / 2, n - 1) * math.sqrt(square / n)
    return Estimate(center, center - half, center + half)


@cache  # ten milliseconds, and the same few arguments again and again
def student_quantile(probability: float, degrees: int) -> float:
    """Return the quantile of Student's t, by bisection on its distribution function.

    Parameters
    ----------
    probability : float
        In [0.5, 1).
    degrees : int
        Degrees of freedom, >= 1.
    """
    low, high = 0.0, 1.0
    while student_cdf(high, degrees) < probability:
        low, high = high, 2 * high
    while low < (middle := (low + high) / 2) < high:
        if student_cdf(middle, degrees) < probability:
            low = middle
        else:
            high = middle
    return high


def student_cdf(t: float, degrees: int) -> float:
    r"""Return P(T <= t) for t >= 0.

    .. math:: 1 - \tfrac12 I_{\nu / (\nu + t^2)}(\nu / 2, 1 / 2)

    Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.1.
    """
    x = degrees / (degrees + t * t)
    return 1 - _incomplete_beta(x, degrees / 2, 0.5) / 2


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """Return the regularized incomplete beta function (Abramowitz and Stegun 26.5.8)."""
    if x in (0.0, 1.0):
        return x
    # The continued fraction converges fast on this side of the mean.
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(1 - x, b, a)
    log_front = (
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
        + a * math.log(x) + b * math.log1p(-x)
    )  # fmt: skip
    return math.exp(log_front) / (a * _beta_fraction(x, a, b))


def _beta_fraction(x: float, a: float, b: float) -> float:
    """Return the continued fraction 1 + d1/(1 + d2/(1 + ...)), from the inside out."""
    value = 1.0
    for m in range(200, 0, -1):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m - 1) * (a + b + m - 1) * x / ((a + 2 * m - 2) * (a + 2 * m - 1))
        value = 1 + odd / (1 + even / value)
    return value
