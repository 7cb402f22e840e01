"""One replica that always runs and slows down with load: processor sharing.

Each of n requests in service progresses at the rate 1 / (1 + s (n - 1)), s >= 0 the
`slowdown`: 0 is as many servers as requests, 1 is one server shared among them, and
above 1 they are slower together than one after the other.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from costsim.queueing.arguments import (
    erlangs,
    require_count,
    require_non_negative,
    require_stable,
)


class LimitedSharing(NamedTuple):
    """Steady state of a replica that serves at most so many requests at once."""

    waiting_probability: float
    """Requests that find every slot taken. [1]"""
    mean_waiting_time_s: float
    """Before service begins. [s]"""
    mean_response_time_s: float
    """Arrival to departure. [s]"""


def processor_sharing_mean_response_time(
    arrival_rate_per_s: float, mean_service_time_s: float, slowdown: float
) -> float:
    r"""Return the mean response time where no request waits: M/G/1-PS for s = 1. [s]

    .. math:: E[T \mid S = x] = \frac{x}{1 - s a}, \quad
        P(N = n) = \binom{n + 1 / s - 1}{n} (s a)^n (1 - s a)^{1 / s}

    The law of the service time does not matter, to the mean or to :math:`N`, the
    number in service: negative binomial, which is geometric for s = 1 and Poisson in
    the limit of s = 0. [Cohen].
    """
    load = erlangs(arrival_rate_per_s, mean_service_time_s)
    require_non_negative(slowdown=slowdown)
    require_stable(load, 1 / slowdown if slowdown else math.inf)
    return mean_service_time_s / (1 - slowdown * load)


def limited_processor_sharing(
    concurrency_limit: int,
    arrival_rate_per_s: float,
    mean_service_time_s: float,
    slowdown: float,
) -> LimitedSharing:
    r"""Return one replica of `concurrency_limit` slots K, for exponential services.

    .. math:: p_n \propto \prod_{j=1}^{n} r_j, \quad
        r_j = \frac{a (1 + s (k - 1))}{k}, \quad k = \min(j, K)

    A birth-death process, in which those beyond K wait; it is M/M/K for s = 0. [PMDCS]
    ch. 13.
    """
    require_count(1, concurrency_limit=concurrency_limit)
    load = erlangs(arrival_rate_per_s, mean_service_time_s)
    require_non_negative(slowdown=slowdown)
    others = concurrency_limit - 1
    require_stable(load, concurrency_limit / (1 + slowdown * others))
    if load == 0:
        return LimitedSharing(0.0, 0.0, mean_service_time_s)
    # As if there were room for n, one by one: `full` is P(N = n), `mean` is E[N].
    full, mean = 1.0, 0.0
    for n in range(1, concurrency_limit + 1):
        full *= load * (1 + slowdown * (n - 1)) / n
        full /= 1 + full
        mean += full * (n - mean)
    # Then there is room for all: beyond K each state is as much likelier than the next.
    ratio = load * (1 + slowdown * others) / concurrency_limit
    beyond = full * ratio / (1 - ratio)
    queued = beyond / (1 - ratio)
    in_system = mean + concurrency_limit * beyond + queued
    per_arrival_s = mean_service_time_s / load / (1 + beyond)
    return LimitedSharing(
        waiting_probability=(full + beyond) / (1 + beyond),
        mean_waiting_time_s=queued * per_arrival_s,
        mean_response_time_s=in_system * per_arrival_s,
    )
