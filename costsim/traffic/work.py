"""How much work a request brings: samples and quantiles of the scenario's distributions.

Service times come from direct generators, one draw a request: every deployment divides
the same draw by its speed. They are drawn a piece at a time, the same however they are
cut. Setup times go by quantiles: the n-th launch takes the same
uniform number through each deployment's own law, so that deployments with different
laws still meet the same luck.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, cast

import numpy as np

from costsim.scenario.distributions import (
    Distribution,
    Empirical,
    Exponential,
    FromTrace,
    Gamma,
    Lognormal,
    Pareto,
    Weibull,
)
from costsim.traffic import laws
from costsim.traffic.draws import Draws
from costsim.traffic.special import gamma_quantile, normal_quantile

if TYPE_CHECKING:
    from costsim.records import Floats, Ints
    from costsim.scenario.distributions import WorkCount, WorkDuration
    from costsim.scenario.schema import Service
    from costsim.traffic.draws import Fill
    from costsim.traffic.recorded import RecordedWork

_LEAST_UNIFORM = 2.0**-54
Work = Callable[["Floats", "Ints | None"], None]
"""Fills an array with service times [s] of requests, given the row of the trace of each;
-1 for a request that is not of the trace, None if no row is asked for."""
_Recorded = Mapping[str, "Floats"]
"""What was recorded of some requests, by field of ``TraceData``."""


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
        return _lognormals(_median(distribution), distribution.sigma, Draws(rng))
    if isinstance(distribution, Gamma):
        shape = _shape(distribution)
        return _scaled(distribution.mean / shape, partial(Draws(rng).gammas, shape))
    if isinstance(distribution, Empirical):
        return _picks(distribution, rng)
    if isinstance(distribution, (Pareto, Weibull)):
        return laws.sampler(distribution, rng)
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
        return _median(distribution) * np.exp(distribution.sigma * normal_quantile(u))
    if isinstance(distribution, Gamma):
        shape = _shape(distribution)
        return (distribution.mean / shape) * gamma_quantile(u, shape)
    if isinstance(distribution, Empirical):
        return _empirical_quantile(distribution, u)
    if isinstance(distribution, (Pareto, Weibull)):
        return laws.quantile(distribution, u)
    return np.full_like(u, distribution.value)


def service_times(
    service: Service,
    rngs: tuple[np.random.Generator, np.random.Generator],
    recorded: RecordedWork | None = None,
) -> Work:
    """Return what fills arrays with the service times of requests at speed 1.

    Parameters
    ----------
    service : Service
        A time, or tokens and the speeds of reading and writing them. Numbers of tokens
        drawn from a distribution are not rounded.
    rngs : pair of numpy.random.Generator
        Where the randomness of times or of tokens read comes from, and that of tokens
        written: two, so that neither depends on how many of the other are drawn.
    recorded : RecordedWork, optional
        What was recorded of ``trace_needs``.

    Returns
    -------
    callable
        Fills with the service times of the requests that come next, the same wherever
        they are cut. [s]
    """
    fill = _work(service, rngs)

    def fill_of(out: Floats, rows: Ints | None = None) -> None:
        if recorded is None:
            fill(out, {})
            return
        if rows is None or len(rows) != len(out):
            n = 0 if rows is None else len(rows)
            message = f"{n} recorded rows for {len(out)} requests"
            raise ValueError(message)
        fill(out, recorded.take(rows))

    return fill_of


def trace_needs(service: Service) -> frozenset[str]:
    """Return the fields of ``TraceData`` that the service takes from the trace."""
    laws: dict[str, WorkDuration | WorkCount | None] = {"duration_s": service.time}
    if service.tokens is not None:
        laws = {
            "input_tokens": service.tokens.input,
            "output_tokens": service.tokens.output,
        }
    return frozenset(name for name, law in laws.items() if isinstance(law, FromTrace))


def _work(
    service: Service, rngs: tuple[np.random.Generator, np.random.Generator]
) -> Callable[[Floats, _Recorded], None]:
    """Return what fills with service times, given what was recorded. [s]"""
    tokens = service.tokens
    if tokens is None:
        return _values(cast("WorkDuration", service.time), "duration_s", rngs[0])
    read = _values(tokens.input, "input_tokens", rngs[0])
    written = _values(tokens.output, "output_tokens", rngs[1])

    def fill(out: Floats, recorded: _Recorded) -> None:
        to_write = np.empty_like(out)
        read(out, recorded)
        written(to_write, recorded)
        out /= tokens.prefill
        out += to_write / tokens.decode

    return fill


def _values(
    law: WorkDuration | WorkCount, field: str, rng: np.random.Generator
) -> Callable[[Floats, _Recorded], None]:
    """Return what fills with values of a law, or those that were recorded."""
    if isinstance(law, FromTrace):

        def copy(out: Floats, recorded: _Recorded) -> None:
            out[:] = recorded[field]

        return copy
    draw = sampler(law, rng)
    return lambda out, _: draw(out)


def _scaled(scale: float, draw: Fill) -> Fill:
    def fill(out: Floats) -> None:
        draw(out)
        np.multiply(out, scale, out=out)

    return fill


def _lognormals(median: float, sigma: float, draws: Draws) -> Fill:
    def fill(out: Floats) -> None:
        draws.normals(out)
        np.multiply(out, sigma, out=out)
        np.exp(out, out=out)
        np.multiply(out, median, out=out)

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


def _median(distribution: Lognormal[float]) -> float:
    if distribution.median is not None:
        return distribution.median
    mean = cast("float", distribution.mean)
    return mean * float(np.exp(-0.5 * distribution.sigma**2))


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
