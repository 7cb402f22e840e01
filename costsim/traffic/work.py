"""How much work a request brings: samples and quantiles of the scenario's distributions.

Service times come from direct generators, one draw a request: every deployment divides
the same draw by its speed. Setup times go by quantiles: the n-th launch takes the same
uniform number through each deployment's own law, so that deployments with different
laws still meet the same luck.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from costsim.errors import InputError
from costsim.scenario.distributions import (
    Distribution,
    Empirical,
    Exponential,
    FromTrace,
    Gamma,
    Lognormal,
)
from costsim.traffic.special import gamma_quantile, normal_quantile

if TYPE_CHECKING:
    from costsim.records import Floats
    from costsim.scenario.distributions import WorkCount, WorkDuration
    from costsim.scenario.schema import Service, Tokens
    from costsim.traffic.trace import TraceData


def uniforms(n: int, rng: np.random.Generator) -> Floats:
    """Return n uniform numbers in the open interval (0, 1), where quantiles are finite."""
    # The generator's own grid is k x 2^-53 with k from 0: only 0 has to move.
    return np.maximum(rng.random(n), 2.0**-54)


def sample(distribution: Distribution, n: int, rng: np.random.Generator) -> Floats:
    """Return n independent values.

    Parameters
    ----------
    distribution : Distribution
        The law, in any unit.
    n : int
        How many.
    rng : numpy.random.Generator
        Where the randomness comes from.

    Returns
    -------
    ndarray of float64, shape (n,)
        The values, in the distribution's unit.
    """
    if isinstance(distribution, Exponential):
        return distribution.mean * rng.standard_exponential(n)
    if isinstance(distribution, Lognormal):
        return _median(distribution) * np.exp(
            distribution.sigma * rng.standard_normal(n)
        )
    if isinstance(distribution, Gamma):
        shape = _shape(distribution)
        return (distribution.mean / shape) * rng.standard_gamma(shape, n)
    if isinstance(distribution, Empirical):
        return quantile(distribution, uniforms(n, rng))
    return np.full(n, distribution.value)


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
    return np.full_like(u, distribution.value)


def service_times(
    service: Service, n: int, rng: np.random.Generator, trace: TraceData | None = None
) -> Floats:
    """Return the service time of each of n requests at speed 1.

    Parameters
    ----------
    service : Service
        A time, or tokens and the speeds of reading and writing them. Numbers of tokens
        drawn from a distribution are not rounded.
    n : int
        How many requests.
    rng : numpy.random.Generator
        Where the randomness comes from.
    trace : TraceData, optional
        What was recorded of these n requests, in their order.

    Returns
    -------
    ndarray of float64, shape (n,)
        Service times. [s]

    Raises
    ------
    InputError
        If the service takes from the trace what the trace does not hold.
    """
    if service.tokens is not None:
        return _token_times(service.tokens, n, rng, trace)
    time = service.time
    if isinstance(time, FromTrace):
        recorded = None if trace is None else trace.duration_s
        return _recorded(recorded, n, "service.time", "durations")
    return sample(cast("Distribution", time), n, rng)


def trace_needs(service: Service) -> frozenset[str]:
    """Return the fields of ``TraceData`` that the service takes from the trace."""
    laws: dict[str, WorkDuration | WorkCount | None] = {"duration_s": service.time}
    if service.tokens is not None:
        laws = {
            "input_tokens": service.tokens.input,
            "output_tokens": service.tokens.output,
        }
    return frozenset(name for name, law in laws.items() if isinstance(law, FromTrace))


def _token_times(
    tokens: Tokens, n: int, rng: np.random.Generator, trace: TraceData | None
) -> Floats:
    if isinstance(tokens.input, FromTrace):
        recorded = None if trace is None else trace.input_tokens
        read = _recorded(recorded, n, "service.tokens.input", "input tokens")
    else:
        read = sample(tokens.input, n, rng)
    if isinstance(tokens.output, FromTrace):
        recorded = None if trace is None else trace.output_tokens
        written = _recorded(recorded, n, "service.tokens.output", "output tokens")
    else:
        written = sample(tokens.output, n, rng)
    return read / tokens.prefill + written / tokens.decode


def _recorded(values: Floats | None, n: int, key: str, what: str) -> Floats:
    if values is None:
        message = (
            f"{key} is 'trace', but no {what} were recorded; "
            "use a trace that has them, or a distribution"
        )
        raise InputError(message)
    if len(values) != n:
        message = f"{len(values)} recorded {what} for {n} requests"
        raise ValueError(message)
    return values


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
    values = np.asarray(distribution.values, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    weights = np.ones(len(values))
    if distribution.weights is not None:
        weights = np.asarray(distribution.weights, dtype=np.float64)[order]
    cumulative = np.cumsum(weights / weights.max())
    position = np.searchsorted(cumulative / cumulative[-1], u, side="left")
    return values[order][position]
