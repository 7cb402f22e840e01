"""What theory says about money: rounding, and always-on against paid by the second."""

from __future__ import annotations

import math

from costsim.queueing.arguments import (
    require_idle_timeout,
    require_non_negative,
    require_positive,
)
from costsim.queueing.bisection import bisect
from costsim.queueing.one_replica import mg1_setup


def exponential_mean_billed_time(mean_time_s: float, increment_s: float) -> float:
    r"""Return the mean of an exponential time X rounded up to whole increments g. [s]

    .. math:: E[g \lceil X / g \rceil] = g \sum_{k \ge 0} P(X > k g)
        = \frac{g}{1 - e^{-g / E[X]}}

    Both arguments > 0 [s]. The tail-sum formula.
    """
    require_positive(mean_time_s=mean_time_s, increment_s=increment_s)
    return -increment_s / math.expm1(-increment_s / mean_time_s)


def break_even_utilization(
    always_on_usd_per_hour: float, alive_usd_per_s: float
) -> float:
    r"""Return the share of time alive at which both prices cost the same. [1]

    .. math:: u^* = p_h / (3600 p_s)

    Both prices > 0. [USD/h], [USD/s] At 1 or more, the second is always cheaper.
    """
    require_positive(
        always_on_usd_per_hour=always_on_usd_per_hour, alive_usd_per_s=alive_usd_per_s
    )
    return always_on_usd_per_hour / (3600 * alive_usd_per_s)


def break_even_arrival_rate(
    always_on_usd_per_hour: float,
    alive_usd_per_s: float,
    mean_service_time_s: float,
    mean_setup_time_s: float,
    idle_timeout_s: float,
    *,
    setup_billed: bool = True,
) -> float:
    r"""Return the rate above which an always-on replica costs less. [requests/s]

    .. math:: f_{\mathrm{alive}}(\lambda^*) = u^*

    with :math:`u^*` of `break_even_utilization`. The other choice is `mg1_setup`, billed
    per second [USD/s] while busy, idle and, if `setup_billed`, starting; with neither
    setup nor timeout :math:`\lambda^* = u^* / E[S]`. Inf if it is cheaper at every rate
    that one slot can carry. [Welch]; [GHA].
    """
    share = break_even_utilization(always_on_usd_per_hour, alive_usd_per_s)
    require_positive(mean_service_time_s=mean_service_time_s)
    require_non_negative(mean_setup_time_s=mean_setup_time_s)
    require_idle_timeout(idle_timeout_s)
    if share >= 1:
        return math.inf

    def costs_less(rate_per_s: float) -> bool:
        pool = mg1_setup(
            rate_per_s,
            mean_service_time_s,
            mean_setup_time_s,
            idle_timeout_s,
            service_time_scv=0,  # the fractions of time depend on the means only
            setup_time_scv=0,
        )
        free = 0.0 if setup_billed else pool.starting_fraction
        return pool.alive_fraction - free < share

    # The billed share of time grows with the rate, so there is one root at most. A float
    # below fl(1 / s), times s, never rounds to 1: every rate tried has a steady state.
    return bisect(costs_less, 0.0, 1 / mean_service_time_s)


def periodic_break_even_rate(
    always_on_usd_per_hour: float,
    alive_usd_per_s: float,
    service_time_s: float,
    setup_time_s: float,
    idle_timeout_s: float,
) -> float:
    r"""Return the same for evenly spaced requests and constant times. [requests/s]

    .. math:: \lambda^* = u^* / (S + C + \tau)

    Each request has a replica of its own, billed from launch to stop. Inf if that is
    cheaper at every rate at which they do not overlap. Renewal-reward, [PMDCS] ch. 23.
    """
    share = break_even_utilization(always_on_usd_per_hour, alive_usd_per_s)
    require_positive(service_time_s=service_time_s)
    require_non_negative(setup_time_s=setup_time_s, idle_timeout_s=idle_timeout_s)
    alive_s = service_time_s + setup_time_s + idle_timeout_s
    return share / alive_s if share <= 1 else math.inf
