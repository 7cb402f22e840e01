"""The law of measured values, as a scenario writes it: a formula, or the values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from costsim.records import Floats

GOOD_DISTANCE = 0.03
"""Largest distance of two distribution functions that counts as none."""
MOST_VALUES = 200
"""Values of an empirical law, at most."""
_FEWEST = 50
_GOOD_MEAN = 0.05
_DIGITS = 5
_LOOKED_AT = 500


def law_of(values: Floats, written: Callable[[float], Any]) -> dict[str, Any]:
    """Return the law of values: constant, log-normal if that fits, else empirical.

    Log-normal fits if its distribution function is nowhere further than 0.03 from that
    of the values, and its mean within 5 % of theirs.

    Parameters
    ----------
    values : ndarray of float64
        At least one, all >= 0.
    written : callable
        Turns a value into what the scenario has, such as ``2.5s``.
    """
    values = np.sort(np.asarray(values, dtype=np.float64))
    if values[0] == values[-1]:
        return {"distribution": "constant", "value": written(float(values[0]))}
    median, sigma = lognormal_of(values)
    if values.size >= _FEWEST and _is_lognormal(values, median, sigma):
        return {
            "distribution": "lognormal",
            "median": written(median),
            "sigma": rounded(sigma),
        }
    return {
        "distribution": "empirical",
        "values": [written(value) for value in group_means(values).tolist()],
    }


def lognormal_of(values: Floats) -> tuple[float, float]:
    """Return median and sigma of the log-normal law of values; of those above 0."""
    logs = np.log(values[values > 0])
    if not logs.size:
        return 0.0, 0.0
    return math.exp(float(logs.mean())), float(logs.std())


def group_means(ascending: Floats, n: int = MOST_VALUES) -> Floats:
    """Return the means of n groups of equally many values, so that the mean stays."""
    if ascending.size <= n:
        return ascending
    edges = np.round(np.linspace(0, ascending.size, n + 1)).astype(np.int64)
    sums = np.add.reduceat(ascending, edges[:-1])
    return np.asarray(sums / np.diff(edges), dtype=np.float64)


def distance(ascending: Floats, cdf: Callable[[float], float]) -> float:
    """Return the largest distance of a distribution function from that of values.

    Kolmogorov's and Smirnov's, looked at in up to 500 of the values.
    """
    n = ascending.size
    looked_at = ascending[:: max(1, n // _LOOKED_AT)]
    law = np.array([cdf(value) for value in looked_at.tolist()])
    last = np.searchsorted(ascending, looked_at, side="right") / n
    first = np.searchsorted(ascending, looked_at, side="left") / n
    return float(max((last - law).max(), (law - first).max()))


def lognormal_cdf(median: float, sigma: float) -> Callable[[float], float]:
    """Return the distribution function of a log-normal law."""

    def cdf(value: float) -> float:
        if value <= 0:
            return 0.0
        return 0.5 * (1.0 + math.erf(math.log(value / median) / sigma / math.sqrt(2)))

    return cdf


def rounded(value: float) -> float:
    """Return a number with as many digits as a fit is worth."""
    return float(f"{value:.{_DIGITS}g}")


def seconds(value_s: float) -> str:
    """Return a length of time as a scenario has it."""
    return f"{value_s:.{_DIGITS}g}s"


def per_second(rate_per_s: float) -> str:
    """Return a rate as a scenario has it."""
    return f"{rate_per_s:.{_DIGITS + 1}g} rps"


def _is_lognormal(ascending: Floats, median: float, sigma: float) -> bool:
    if ascending[0] <= 0 or sigma <= 0:
        return False
    mean = median * math.exp(0.5 * sigma * sigma)
    if abs(mean / float(ascending.mean()) - 1.0) > _GOOD_MEAN:
        return False
    return distance(ascending, lognormal_cdf(median, sigma)) <= GOOD_DISTANCE
