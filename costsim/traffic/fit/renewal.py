"""The shape of gaps, gamma or Weibull, by maximum likelihood."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from costsim.records import Floats

SHAPES = (0.02, 100.0)
"""Shapes beyond which a log does not tell them apart. [1]"""
_MOST_GAPS = 200_000


def gamma_shape(gaps: Floats) -> float:
    """Return the shape k of gamma gaps: psi(k) - ln k = mean(ln x) - ln(mean x).

    Parameters
    ----------
    gaps : ndarray of float64
        Gaps in any unit; those of 0 count as far shorter than the others.
    """
    x = _positive(gaps)
    if x.size < 2:
        return 1.0
    deficit = math.log(float(x.mean())) - float(np.log(x).mean())
    return _root(lambda k: math.log(k) - digamma(k) - deficit)


def weibull_shape(gaps: Floats) -> float:
    """Return the shape of Weibull gaps; see ``gamma_shape``."""
    x = _positive(gaps)
    if x.size < 2:
        return 1.0
    x = x / x.max()  # so that no power overflows
    logs = np.log(x)
    mean = float(logs.mean())

    def slope(k: float) -> float:
        powers = x**k
        return 1.0 / k + mean - float((powers * logs).sum() / powers.sum())

    return _root(slope)


def digamma(x: float) -> float:
    """Return the derivative of ln Gamma (Abramowitz and Stegun 6.3.5 and 6.3.18)."""
    shift = 0.0
    while x < 8.0:
        shift -= 1.0 / x
        x += 1.0
    y = 1.0 / (x * x)
    series = y * (1 / 12 - y * (1 / 120 - y * (1 / 252 - y / 240)))
    return shift + math.log(x) - 0.5 / x - series


def _positive(gaps: Floats) -> Floats:
    step = max(1, gaps.size // _MOST_GAPS)
    x = np.asarray(gaps[::step], dtype=np.float64)
    mean = float(x.mean()) if x.size else 0.0
    if mean <= 0:
        return np.empty(0)
    # Gaps of 0 are shorter than what the stamps tell apart.
    return np.maximum(x, max(1e-9 * mean, float(x[x > 0].min())))


def _root(falling: Callable[[float], float]) -> float:
    """Return where a falling function of the shape is 0, by bisection of its logarithm."""
    low, high = SHAPES
    if falling(low) <= 0:
        return low
    if falling(high) >= 0:
        return high
    while high / low > 1.0001:
        middle = math.sqrt(low * high)
        if falling(middle) > 0:
            low = middle
        else:
            high = middle
    return math.sqrt(low * high)
