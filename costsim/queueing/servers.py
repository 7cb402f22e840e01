"""Pools of constant size: many servers, a shared queue, no setup, no timeout."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from itertools import accumulate, count, takewhile
from operator import mul
from typing import TYPE_CHECKING, NamedTuple

from costsim.queueing.arguments import (
    erlangs,
    require_count,
    require_non_negative,
    require_probability,
    require_stable,
)
from costsim.queueing.delayed_exponential import DelayedExponential

if TYPE_CHECKING:
    from collections.abc import Iterable


class LossQueue(NamedTuple):
    """Steady state of M/M/c/K."""

    loss_probability: float
    """Rejected requests over arrivals. [1]"""
    waiting_probability: float
    """Accepted requests that find every server busy. [1]"""
    mean_waiting_time_s: float
    """Over accepted requests. [s]"""
    mean_response_time_s: float
    """Over accepted requests. [s]"""


def erlang_b(servers: int, offered_load: float) -> float:
    r"""Return the probability that M/G/c/c rejects a request, at any load. [1]

    .. math:: B(n) = \frac{a B(n - 1)}{n + a B(n - 1)}, \quad B(0) = 1

    The law of the service time does not matter. [PMDCS] ch. 14.
    """
    require_count(1, servers=servers)
    require_non_negative(offered_load=offered_load)
    blocking = 1.0
    for n in range(1, servers + 1):
        blocking = offered_load * blocking / (n + offered_load * blocking)
    return blocking


def erlang_c(servers: int, offered_load: float) -> float:
    r"""Return the probability that an M/M/c request waits. [1]

    .. math:: C = \frac{c B(c)}{c - a (1 - B(c))}

    [PMDCS] ch. 14.
    """
    blocking = erlang_b(servers, offered_load)
    require_stable(offered_load, servers)
    return servers * blocking / (servers - offered_load + offered_load * blocking)


def mmc_mean_waiting_time(
    servers: int, arrival_rate_per_s: float, mean_service_time_s: float
) -> float:
    r"""Return the mean waiting time in M/M/c. [s]

    .. math:: E[W_q] = C \, E[S] / (c - a)

    The mean response time is this plus the mean service time. [PMDCS] ch. 14.
    """
    law = _mmc(servers, arrival_rate_per_s, mean_service_time_s)
    return law.delay_probability / law.delay_rate_per_s


def mmc_waiting_time_quantile(
    servers: int,
    arrival_rate_per_s: float,
    mean_service_time_s: float,
    probability: float,
) -> float:
    r"""Return the waiting time that this fraction of M/M/c requests stays within. [s]

    .. math:: P(W_q > t) = C e^{-(c - a) t / E[S]}

    [PMDCS] ch. 14.
    """
    require_probability(probability)
    law = _mmc(servers, arrival_rate_per_s, mean_service_time_s)
    excess = law.delay_probability / (1 - probability)
    return math.log(excess) / law.delay_rate_per_s if excess > 1 else 0.0


def mmc_response_time_cdf(
    servers: int,
    arrival_rate_per_s: float,
    mean_service_time_s: float,
    response_time_s: float,
) -> float:
    r"""Return the fraction of M/M/c requests with a response time of at most this. [1]

    .. math:: P(T > t) = (1 - C) P(S > t) + C P(S + D > t), \quad
        D \sim \mathrm{Exp}((c - a) / E[S])

    [PMDCS] ch. 14.
    """
    require_non_negative(response_time_s=response_time_s)
    law = _mmc(servers, arrival_rate_per_s, mean_service_time_s)
    return 1 - law.survival(response_time_s)


def mmc_response_time_quantile(
    servers: int,
    arrival_rate_per_s: float,
    mean_service_time_s: float,
    probability: float,
) -> float:
    """Return the response time that this fraction of M/M/c requests stays within. [s]

    Inverse of `mmc_response_time_cdf`, to float resolution. [PMDCS] ch. 14.
    """
    require_probability(probability)
    return _mmc(servers, arrival_rate_per_s, mean_service_time_s).quantile(probability)


def mmck(
    servers: int, capacity: int, arrival_rate_per_s: float, mean_service_time_s: float
) -> LossQueue:
    r"""Return M/M/c/K, where at most `capacity` K >= c are in system, at any load.

    .. math:: P(\mathrm{loss}) = p_K, \quad
        p_j \propto \prod_{n=1}^{j} \frac{a}{\min(n, c)}

    An accepted request finds the state law of M/M/c/(K-1). [PMDCS] ch. 14.
    """
    require_count(1, servers=servers)
    require_count(servers, capacity=capacity)
    load = erlangs(arrival_rate_per_s, mean_service_time_s)
    # Room grows by one place at a time, as in Erlang B, so that nothing overflows.
    # `full` is P(last place taken), `waiting` P(N >= c), `queued` E[(N - c)^+].
    full, waiting, queued = 1.0, 0.0, 0.0
    for n in range(1, capacity):
        full = load * full / (min(n, servers) + load * full)
        if n >= servers:
            waiting += full * (1 - waiting)
            queued += full * (n - servers - queued)
    loss = load * full / (servers + load * full)
    waiting_time_s = (queued + waiting) * mean_service_time_s / servers
    response_time_s = waiting_time_s + mean_service_time_s
    return LossQueue(loss, waiting, waiting_time_s, response_time_s)


def mg_infinity_busy_quantile(offered_load: float, probability: float) -> int:
    r"""Return the least n with P(busy servers <= n) >= `probability` in M/G/inf.

    .. math:: P(N = n) = e^{-a} a^n / n!

    The law of the service time does not matter. [EMW].
    """
    require_non_negative(offered_load=offered_load)
    require_probability(probability)
    mode = int(offered_load)
    below = _products(n / offered_load for n in range(mode, 0, -1))
    above = _products(offered_load / n for n in count(mode + 1))
    weights = [*reversed(below), 1.0, *above]
    total = math.fsum(weights)
    # Summed from the nearer end: from the other, rounding would drown the small terms.
    if probability < 0.5:
        head = list(accumulate(weights))
        return mode - len(below) + bisect_left(head, probability * total)
    tail = list(accumulate(reversed(weights)))
    return mode + len(above) - bisect_right(tail, (1 - probability) * total)


def _mmc(
    servers: int, arrival_rate_per_s: float, mean_service_time_s: float
) -> DelayedExponential:
    """Return the law of the response time: a service, delayed if all servers are busy."""
    load = erlangs(arrival_rate_per_s, mean_service_time_s)
    waiting = erlang_c(servers, load)
    spare_per_s = (servers - load) / mean_service_time_s
    return DelayedExponential(1 / mean_service_time_s, waiting, spare_per_s)


def _products(ratios: Iterable[float]) -> list[float]:
    """Return the running products, down to where they no longer count."""
    return list(takewhile(lambda weight: weight > 1e-300, accumulate(ratios, mul)))
