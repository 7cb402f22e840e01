"""Pools of at most one replica, which stops after an idle timeout and must start again."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from costsim.queueing.arguments import (
    erlangs,
    require_idle_timeout,
    require_non_negative,
    require_positive,
    require_probability,
    require_stable,
)
from costsim.queueing.delayed_exponential import DelayedExponential

TimeoutDistribution = Literal["constant", "exponential"]
"""Law of the idle timeout: the same each time, or memoryless with that mean."""


@dataclass(frozen=True)
class OneReplicaPool:
    """Steady state of a pool of one replica or none; the four fractions sum to 1."""

    arrival_rate_per_s: float
    """Poisson arrivals. [requests/s]"""
    mean_response_time_s: float
    """Arrival to departure. [s]"""
    starting_fraction: float
    """Time in setup. [1]"""
    busy_fraction: float
    """Time with at least one request in service. [1]"""
    idle_fraction: float
    """Time ready with nothing in service. [1]"""
    off_fraction: float
    """Time without a replica. [1]"""

    @property
    def alive_fraction(self) -> float:
        """Time with a replica: starting, busy or idle. [1]"""
        return self.starting_fraction + self.busy_fraction + self.idle_fraction

    @property
    def launch_probability(self) -> float:
        """Launches per request: Poisson arrivals see the time average of "off". [1]"""
        return self.off_fraction

    @property
    def cold_start_fraction(self) -> float:
        """Requests that find no ready replica. [1]"""
        return self.off_fraction + self.starting_fraction

    @property
    def mean_lifetime_s(self) -> float:
        """Launch to stop; inf if the replica never stops. [s]"""
        launches_per_s = self.arrival_rate_per_s * self.launch_probability
        return self.alive_fraction / launches_per_s if launches_per_s else math.inf


def mg1_mean_waiting_time(
    arrival_rate_per_s: float, mean_service_time_s: float, *, service_time_scv: float
) -> float:
    r"""Return the mean waiting time in M/G/1. [s]

    .. math:: E[W_q] = \frac{\lambda E[S^2]}{2 (1 - a)}

    Pollaczek-Khinchine. [PMDCS] ch. 23.
    """
    load = erlangs(arrival_rate_per_s, mean_service_time_s)
    require_non_negative(service_time_scv=service_time_scv)
    require_stable(load, 1)
    return load * mean_service_time_s * (1 + service_time_scv) / (2 * (1 - load))


def mg1_setup(
    arrival_rate_per_s: float,
    mean_service_time_s: float,
    mean_setup_time_s: float,
    idle_timeout_s: float,
    *,
    service_time_scv: float,
    setup_time_scv: float,
    timeout_distribution: TimeoutDistribution = "constant",
) -> OneReplicaPool:
    r"""Return M/G/1 with setup and delayed-off: one replica, one slot, scale to zero.

    .. math:: E[T] = E[S] + E[W_{q, M/G/1}]
        + \frac{p_0 (2 E[C] + \lambda E[C^2])}{2 (1 + \lambda p_0 E[C])}, \quad
        f_{\mathrm{off}} = \frac{p_0 (1 - a)}{1 + \lambda p_0 E[C]}

    :math:`p_0`, the probability that an idle period ends in a stop, is
    :math:`e^{-\lambda \tau}`, or :math:`1 / (1 + \lambda \tau)` for an exponential
    timeout. [Welch]; [PMDCS] ch. 27; [GHA].
    """
    warm_s = mean_service_time_s + mg1_mean_waiting_time(
        arrival_rate_per_s, mean_service_time_s, service_time_scv=service_time_scv
    )
    require_non_negative(
        mean_setup_time_s=mean_setup_time_s, setup_time_scv=setup_time_scv
    )
    p_stop, p_stay = _idle_end(arrival_rate_per_s, idle_timeout_s, timeout_distribution)
    load = arrival_rate_per_s * mean_service_time_s
    setups = arrival_rate_per_s * mean_setup_time_s
    extra_s = p_stop * mean_setup_time_s * (1 + setups * (1 + setup_time_scv) / 2)
    # Per request, and by PASTA also the share of time with nothing in service or setup.
    idle_periods = (1 - load) / (1 + setups * p_stop)
    return OneReplicaPool(
        arrival_rate_per_s=arrival_rate_per_s,
        mean_response_time_s=warm_s + extra_s / (1 + setups * p_stop),
        starting_fraction=setups * p_stop * idle_periods,
        busy_fraction=load,
        idle_fraction=p_stay * idle_periods,
        off_fraction=p_stop * idle_periods,
    )


def mm1_setup_response_time_quantile(
    arrival_rate_per_s: float,
    mean_service_time_s: float,
    mean_setup_time_s: float,
    idle_timeout_s: float,
    probability: float,
    *,
    timeout_distribution: TimeoutDistribution = "constant",
) -> float:
    r"""Return the response time that this fraction of requests stays within. [s]

    .. math:: T = T_{M/M/1} + B C, \quad
        P(B = 1) = \frac{p_0 (1 + \lambda E[C])}{1 + \lambda p_0 E[C]}

    in M/M/1 with exponential setup and delayed-off; :math:`p_0` as in `mg1_setup`.
    [Welch]; [GHA].
    """
    require_probability(probability)
    require_non_negative(mean_setup_time_s=mean_setup_time_s)
    load = erlangs(arrival_rate_per_s, mean_service_time_s)
    require_stable(load, 1)
    p_stop, _ = _idle_end(arrival_rate_per_s, idle_timeout_s, timeout_distribution)
    warm_rate_per_s = (1 - load) / mean_service_time_s
    if mean_setup_time_s == 0:
        return -math.log1p(-probability) / warm_rate_per_s
    setups = arrival_rate_per_s * mean_setup_time_s
    delayed = p_stop * (1 + setups) / (1 + setups * p_stop)
    law = DelayedExponential(warm_rate_per_s, delayed, 1 / mean_setup_time_s)
    return law.quantile(probability)


def unlimited_concurrency_pool(
    arrival_rate_per_s: float, mean_service_time_s: float, idle_timeout_s: float
) -> OneReplicaPool:
    r"""Return the pool whose one replica serves any number at once, without setup.

    .. math:: f_{\mathrm{off}} = e^{-\lambda (E[S] + \tau)}, \quad
        E[\mathrm{lifetime}] = (e^{\lambda (E[S] + \tau)} - 1) / \lambda

    It lives one busy period of M/G/inf with service :math:`S + \tau`; the law of the
    service time does not matter. [EMW].
    """
    require_positive(mean_service_time_s=mean_service_time_s)
    pool = idle_timeout_pool(arrival_rate_per_s, idle_timeout_s)
    load = arrival_rate_per_s * mean_service_time_s
    return OneReplicaPool(
        arrival_rate_per_s=arrival_rate_per_s,
        mean_response_time_s=mean_service_time_s,
        starting_fraction=0.0,
        busy_fraction=-math.expm1(-load),
        idle_fraction=math.exp(-load) * pool.idle_fraction,
        off_fraction=math.exp(-load) * pool.off_fraction,
    )


def idle_timeout_pool(
    arrival_rate_per_s: float, idle_timeout_s: float
) -> OneReplicaPool:
    r"""Return the renewal model of an idle timeout: no service, no setup time.

    .. math:: P(\mathrm{cold}) = e^{-\lambda \tau}, \quad
        E[\mathrm{lifetime}] = (e^{\lambda \tau} - 1) / \lambda

    The usual cold-start formula, right only if requests never overlap. Renewal-reward
    theorem, [PMDCS] ch. 23.
    """
    p_stop, p_stay = _idle_end(arrival_rate_per_s, idle_timeout_s, "constant")
    return OneReplicaPool(arrival_rate_per_s, 0.0, 0.0, 0.0, p_stay, p_stop)


def _idle_end(
    arrival_rate_per_s: float, idle_timeout_s: float, distribution: TimeoutDistribution
) -> tuple[float, float]:
    """Return the probabilities that an idle period ends in a stop, and in an arrival."""
    require_positive(arrival_rate_per_s=arrival_rate_per_s)
    require_idle_timeout(idle_timeout_s)
    arrivals = arrival_rate_per_s * idle_timeout_s
    if distribution == "constant":
        return math.exp(-arrivals), -math.expm1(-arrivals)
    if distribution == "exponential":
        p_stop = 1 / (1 + arrivals)
        return p_stop, arrivals * p_stop if p_stop else 1.0
    msg = f"timeout_distribution must be 'constant' or 'exponential', got {distribution!r}"
    raise ValueError(msg)
