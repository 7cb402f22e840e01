"""Quantiles of the normal and the gamma distribution, vectorised, without SciPy.

SciPy would be the largest dependency of the package, for these two functions alone.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from costsim.records import Floats

# Coefficients of AS 241, constant term first: numerator and denominator of a ratio of
# polynomials for the middle (|p - 0.5| <= 0.425), the tails, and the far tails.
_MIDDLE = (
    (
        *(3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3),
        *(1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4),
        *(3.3430575583588128105e4, 2.5090809287301226727e3),
    ),
    (
        *(1.0, 4.2313330701600911252e1, 6.8718700749205790830e2),
        *(5.3941960214247511077e3, 2.1213794301586595867e4, 3.9307895800092710610e4),
        *(2.8729085735721942674e4, 5.2264952788528545610e3),
    ),
)
_TAIL = (
    (
        *(1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0),
        *(3.64784832476320460504e0, 1.27045825245236838258e0),
        *(2.41780725177450611770e-1, 2.27238449892691845833e-2),
        7.74545014278341407640e-4,
    ),
    (
        *(1.0, 2.05319162663775882187e0, 1.67638483018380384940e0),
        *(6.89767334985100004550e-1, 1.48103976427480074590e-1),
        *(1.51986665636164571966e-2, 5.47593808499534494600e-4),
        1.05075007164441684324e-9,
    ),
)
_FAR_TAIL = (
    (
        *(6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0),
        *(2.96560571828504891230e-1, 2.65321895265761230930e-2),
        *(1.24266094738807843860e-3, 2.71155556874348757815e-5),
        2.01033439929228813265e-7,
    ),
    (
        *(1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1),
        *(1.48753612908506148525e-2, 7.86869131145613259100e-4),
        *(1.84631831751005468180e-5, 1.42151175831644588870e-7),
        2.04426310338993978564e-15,
    ),
)

_LARGE_SHAPE = 3e3
"""Above it the gamma quantile is expanded, to 1e-10: its sums would get long."""


def normal_quantile(p: Floats) -> Floats:
    """Return the quantiles of the standard normal distribution.

    Algorithm AS 241 (PPND16); its relative error is about 1e-16.

    Parameters
    ----------
    p : ndarray of float64
        Probabilities, in [0, 1]. [1]

    References
    ----------
    Wichura, M. J. (1988). Algorithm AS 241: The percentage points of the normal
    distribution. Applied Statistics 37, 477-484.
    """
    centered = p - 0.5
    quantile = centered * _ratio(_MIDDLE, 0.180625 - centered * centered)
    outside = np.flatnonzero(np.abs(centered) > 0.425)
    with np.errstate(divide="ignore"):  # 0 and 1 give the infinities
        r = np.sqrt(-np.log(np.minimum(p[outside], 1.0 - p[outside])))
    tail = _ratio(_TAIL, np.minimum(r, 5.0) - 1.6)
    far = np.flatnonzero(r > 5.0)
    tail[far] = _ratio(_FAR_TAIL, np.minimum(r[far], 40.0) - 5.0)
    tail[np.isinf(r)] = np.inf
    quantile[outside] = np.copysign(tail, centered[outside])
    return quantile


def _ratio(
    coefficients: tuple[tuple[float, ...], tuple[float, ...]], x: Floats
) -> Floats:
    numerator, denominator = (np.zeros_like(x), np.zeros_like(x))
    for above, below in zip(*map(reversed, coefficients), strict=True):
        numerator = numerator * x + above
        denominator = denominator * x + below
    return numerator / denominator


def gamma_quantile(p: Floats, shape: float) -> Floats:
    r"""Return the quantiles of the gamma distribution of scale 1.

    Newton's method on the logarithm of the smaller tail as a function of
    :math:`y = \log x`: the logarithm of a gamma variate has a log-concave density, so
    both tails are log-concave in y and the method converges from any start. Relative
    error below 1e-10.

    Parameters
    ----------
    p : ndarray of float64
        Probabilities, in the open interval (0, 1). [1]
    shape : float
        Shape, in [1e-4, 1e8]. [1]
    """
    z = normal_quantile(p)
    if shape > _LARGE_SHAPE:
        return _cornish_fisher(z, shape)
    y = _first_guess(p, z, shape)
    lower = p <= 0.5
    target = np.where(lower, np.log(p), np.log1p(-p))
    for _ in range(200):
        log_lower, log_upper = _log_tails(y, shape)
        log_tail = np.where(lower, log_lower, log_upper)
        log_density = shape * y - np.exp(y) - math.lgamma(shape)
        # Far from the root the tangent is nearly flat; a unit of y is a factor of e.
        slope = np.exp(np.minimum(log_tail - log_density, 700.0))
        step = np.clip((log_tail - target) * slope, -1.0, 1.0)
        y = y - np.where(lower, step, -step)
        if np.all(np.abs(step) < 1e-12 * np.maximum(1.0, np.abs(y))):
            break
    return np.exp(y)


def _first_guess(p: Floats, z: Floats, shape: float) -> Floats:
    """Return log x: Wilson and Hilferty's cube, or near 0 the leading power of x."""
    power = (np.log(p) + math.lgamma(shape + 1.0)) / shape
    cube_root = 1.0 - 1.0 / (9.0 * shape) + z / (3.0 * math.sqrt(shape))
    usable = (cube_root > 0.1) & (shape >= 1.0)
    cube = math.log(shape) + 3.0 * np.log(np.maximum(cube_root, 0.1))
    return np.where(usable, cube, power)


def _log_tails(y: Floats, shape: float) -> tuple[Floats, Floats]:
    """Return the logarithms of P(X <= e^y) and P(X > e^y)."""
    x = np.exp(y)
    below = x < shape + 1.0
    log_lower, log_upper = np.empty_like(y), np.empty_like(y)
    common = shape * y - x
    log_lower[below] = (
        common[below] - math.lgamma(shape + 1.0) + np.log(_series(x[below], shape))
    )
    log_upper[~below] = (
        common[~below] - math.lgamma(shape) + np.log(_fraction(x[~below], shape))
    )
    log_upper[below] = _log_complement(log_lower[below])
    log_lower[~below] = _log_complement(log_upper[~below])
    return log_lower, log_upper


def _log_complement(log_p: Floats) -> Floats:
    """Return log(1 - p), for p that rounding may have put at 1."""
    return np.log1p(-np.exp(np.minimum(log_p, -1e-16)))


def _series(x: Floats, shape: float) -> Floats:
    """Return the sum of x^n / ((a + 1) ... (a + n)) over n >= 0, for x < a + 1."""
    term = np.ones_like(x)
    total = np.ones_like(x)
    n = 0
    while np.any(term > 1e-17 * total):
        n += 1
        term = term * x / (shape + n)
        total += term
    return total


def _fraction(x: Floats, shape: float) -> Floats:
    """Return the continued fraction of the upper tail by Lentz's method, for x > a."""
    b = x + 1.0 - shape
    c = np.full_like(x, 1e300)
    d = 1.0 / b
    value = d
    n = 0
    change = np.zeros_like(x)
    while np.any(np.abs(change - 1.0) > 1e-15):
        n += 1
        numerator = -n * (n - shape)
        b = b + 2.0
        d = 1.0 / (numerator * d + b)
        c = b + numerator / c
        change = c * d
        value = value * change
    return value


def _cornish_fisher(z: Floats, shape: float) -> Floats:
    """Return the quantiles at normal quantiles z, for a large shape.

    References
    ----------
    Goldberg, H. and Levine, H. (1946). Approximate formulas for the percentage points
    and normalization of t and chi^2. Annals of Mathematical Statistics 17, 216-225.
    """
    nu = 2.0 * shape
    root = math.sqrt(2.0 * nu)
    chi_squared = (
        nu
        + root * z
        + (z**2 - 1) * 2 / 3
        + (z**3 - 7 * z) / (9 * root)
        - (6 * z**4 + 14 * z**2 - 32) / (405 * nu)
        + (9 * z**5 + 256 * z**3 - 433 * z) / (4860 * nu * root)
        + (12 * z**6 - 243 * z**4 - 923 * z**2 + 1472) / (25515 * nu**2)
    )
    return chi_squared / 2
