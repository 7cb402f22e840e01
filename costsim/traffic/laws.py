r"""Laws of lengths and counts: samples, quantiles, means, and residuals.

Samples come from direct generators, a piece at a time, the same however they are cut.

The *residual* of a length is what is left of it at a random moment: a uniform share of a
length that is met with a probability proportional to itself. A process that alternates
between lengths and begins with a residual is stationary from the first moment on.

References
----------
Cox, D. R. (1962). Renewal Theory. Methuen, section 5.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, cast

import numpy as np

from costsim.scenario.distributions import (
    Constant,
    Empirical,
    Exponential,
    Gamma,
    Lognormal,
    Pareto,
    Weibull,
)
from costsim.scenario.processes import LognormalThink
from costsim.traffic.draws import Draws
from costsim.traffic.special import gamma_quantile, normal_quantile

if TYPE_CHECKING:
    from costsim.records import Floats
    from costsim.scenario.distributions import Distribution
    from costsim.traffic.draws import Fill

_LEAST_UNIFORM = 2.0**-54


def uniforms(n: int, rng: np.random.Generator) -> Floats:
    """Return n uniform numbers in the open interval (0, 1), where quantiles are finite."""
    # The generator's own grid is k x 2^-53 with k from 0: only 0 has to move.
    return np.maximum(rng.random(n), _LEAST_UNIFORM)


def sampler(distribution: Distribution, rng: np.random.Generator) -> Fill:
    """Return what fills arrays with independent values.

    Parameters
    ----------
    distribution : Distribution
        The law, in any unit.
    rng : numpy.random.Generator
        Where the randomness comes from; it is taken over.

    Returns
    -------
    callable
        Fills with values, in the distribution's unit.
    """
    if isinstance(distribution, Exponential):
        return _scaled(distribution.mean, Draws(rng).exponentials)
    if isinstance(distribution, Lognormal):
        return _lognormals(distribution, Draws(rng))
    if isinstance(distribution, Gamma):
        shape = _shape(distribution)
        return _scaled(distribution.mean / shape, partial(Draws(rng).gammas, shape))
    if isinstance(distribution, Empirical):
        return _picks(distribution, rng)
    if isinstance(distribution, Weibull):
        return partial(Draws(rng).weibulls, distribution.shape, _scale(distribution))
    if isinstance(distribution, Pareto):
        return _paretos(distribution, Draws(rng))
    return _constants(distribution.value)


def quantile(distribution: Distribution, u: Floats) -> Floats:
    """Return the values that the distribution exceeds with probability 1 - u.

    Parameters
    ----------
    distribution : Distribution
        The law, in any unit.
    u : ndarray of float64
        Probabilities, in the open interval (0, 1). [1]

    Returns
    -------
    ndarray of float64
        The quantiles, of u's shape; they rise with u.
    """
    if isinstance(distribution, Exponential):
        return -distribution.mean * np.log1p(-u)
    if isinstance(distribution, Lognormal):
        return median_of(distribution) * np.exp(distribution.sigma * normal_quantile(u))
    if isinstance(distribution, Gamma):
        shape = _shape(distribution)
        return (distribution.mean / shape) * gamma_quantile(u, shape)
    if isinstance(distribution, Empirical):
        return _empirical_quantile(distribution, u)
    if isinstance(distribution, Weibull):
        exponential = -np.log1p(-u)
        return _scale(distribution) * exponential ** (1.0 / distribution.shape)
    if isinstance(distribution, Pareto):
        return distribution.minimum * np.exp(-np.log1p(-u) / distribution.alpha)
    return np.full_like(u, distribution.value)


def mean_of(law: Distribution) -> float:
    """Return the mean of a law, in its unit."""
    if isinstance(law, Constant):
        return law.value
    if isinstance(law, Lognormal):
        return _lognormal_mean(law)
    if isinstance(law, Weibull):
        return _scale(law) * math.gamma(1.0 + 1.0 / law.shape)
    if isinstance(law, Pareto):
        return law.minimum * law.alpha / (law.alpha - 1.0)
    if isinstance(law, Empirical):
        return float(np.average(law.values, weights=law.weights))
    return law.mean


def residuals(law: Distribution, n: int, rng: np.random.Generator) -> Floats:
    """Return what is left of lengths at random moments, in the law's unit."""
    share: Floats = rng.random(n)
    return share * _met(law, n, rng)


def normal_cdf(z: float) -> float:
    """Return the probability that a standard normal number is not above z. [1]"""
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


def median_of(law: Lognormal[float]) -> float:
    """Return the median of a log-normal law, an upper end not regarded."""
    if law.median is not None:
        return law.median
    return (law.mean or 0.0) * math.exp(-0.5 * law.sigma**2)


def weibull_shape(cv: float) -> float:
    """Return the shape of a Weibull law with a coefficient of variation. [1]

    Its square is Gamma(1 + 2 / k) / Gamma(1 + 1 / k)^2 - 1, which falls with k.
    """
    low, high = math.log(0.05), math.log(1e6)
    for _ in range(80):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if _weibull_cv(middle) > cv else (low, middle)
    return math.exp(low)


def _weibull_cv(log_shape: float) -> float:
    k = math.exp(log_shape)
    return math.sqrt(
        math.expm1(math.lgamma(1.0 + 2.0 / k) - 2.0 * math.lgamma(1.0 + 1.0 / k))
    )


def _met(law: Distribution, n: int, rng: np.random.Generator) -> Floats:
    """Return lengths that are met with a probability proportional to themselves."""
    if isinstance(law, Constant):
        return np.full(n, law.value)
    if isinstance(law, Exponential):
        return law.mean * rng.standard_gamma(2.0, n)
    if isinstance(law, Lognormal):
        return _met_lognormals(law, n, rng)
    if isinstance(law, Gamma):
        shape = _shape(law)
        return law.mean / shape * rng.standard_gamma(shape + 1.0, n)
    if isinstance(law, Weibull):
        power = rng.standard_gamma(1.0 + 1.0 / law.shape, n)
        return _scale(law) * power ** (1.0 / law.shape)
    if isinstance(law, Pareto):
        return law.minimum * np.exp(rng.standard_exponential(n) / (law.alpha - 1.0))
    values = np.asarray(law.values, dtype=np.float64)
    weights = values * (1.0 if law.weights is None else np.asarray(law.weights))
    return rng.choice(values, n, p=weights / weights.sum())


def _met_lognormals(law: Lognormal[float], n: int, rng: np.random.Generator) -> Floats:
    # x times the log-normal density is one again, its median exp(sigma^2) times as large.
    median = median_of(law) * math.exp(law.sigma**2)
    below = normal_cdf(_z(law, shift=law.sigma))
    u = np.maximum(rng.random(n), _LEAST_UNIFORM) * below
    return median * np.exp(law.sigma * normal_quantile(u))


def _lognormal_mean(law: Lognormal[float]) -> float:
    mean = median_of(law) * math.exp(0.5 * law.sigma**2)
    return mean * normal_cdf(_z(law, shift=law.sigma)) / normal_cdf(_z(law, shift=0.0))


def _z(law: Lognormal[float], shift: float) -> float:
    """Return the upper end of a law in standard deviations of the logarithm."""
    most = law.max if isinstance(law, LognormalThink) else None
    if most is None or law.sigma == 0:
        return math.inf
    return math.log(most / median_of(law)) / law.sigma - shift


def _scale(law: Weibull[float]) -> float:
    if law.scale is not None:
        return law.scale
    return (law.mean or 0.0) / math.gamma(1.0 + 1.0 / law.shape)


def _scaled(scale: float, draw: Fill) -> Fill:
    def fill(out: Floats) -> None:
        draw(out)
        np.multiply(out, scale, out=out)

    return fill


def _lognormals(law: Lognormal[float], draws: Draws) -> Fill:
    median, most = median_of(law), _z(law, shift=0.0)

    def fill(out: Floats) -> None:
        if most < math.inf:
            draws.normals_below(most, out)
        else:
            draws.normals(out)
        np.multiply(out, law.sigma, out=out)
        np.exp(out, out=out)
        np.multiply(out, median, out=out)

    return fill


def _paretos(law: Pareto[float], draws: Draws) -> Fill:
    def fill(out: Floats) -> None:
        draws.exponentials(out)
        np.divide(out, law.alpha, out=out)
        np.exp(out, out=out)
        np.multiply(out, law.minimum, out=out)

    return fill


def _constants(value: float) -> Fill:
    def fill(out: Floats) -> None:
        out.fill(value)

    return fill


def _picks(distribution: Empirical[float], rng: np.random.Generator) -> Fill:
    """Return what fills with values of an empirical law, by a guide into its quantiles.

    Chen, H. C. and Asau, Y. (1974). On generating random variates from an empirical
    distribution. AIIE Transactions 6(2), 163-166.
    """
    from costsim.traffic import loops  # numba, as in draws.py

    cumulative, values = _steps(distribution)
    # A power of two, so that a probability times it is exact.
    size = 16 << len(values).bit_length()
    guide = np.searchsorted(cumulative, np.arange(size) / size)

    def fill(out: Floats) -> None:
        rng.random(out=out)
        np.maximum(out, _LEAST_UNIFORM, out=out)
        loops.pick(guide, cumulative, values, out)

    return fill


def _shape(distribution: Gamma[float]) -> float:
    if distribution.shape is not None:
        return distribution.shape
    cv = cast("float", distribution.cv)
    return 1.0 / (cv * cv)


def _empirical_quantile(distribution: Empirical[float], u: Floats) -> Floats:
    """Return the smallest value whose cumulative weight reaches u."""
    cumulative, values = _steps(distribution)
    return values[np.searchsorted(cumulative, u, side="left")]


def _steps(distribution: Empirical[float]) -> tuple[Floats, Floats]:
    """Return cumulative probabilities, ascending to 1, and their values."""
    values = np.asarray(distribution.values, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    weights = np.ones(len(values))
    if distribution.weights is not None:
        weights = np.asarray(distribution.weights, dtype=np.float64)[order]
    cumulative = np.cumsum(weights / weights.max())
    return cumulative / cumulative[-1], values[order]
