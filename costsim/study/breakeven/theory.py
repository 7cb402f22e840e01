"""What closed forms say of a break-even, where a scenario is as simple as they are.

One side is a pool that is always on, at a constant price. The other one scales to zero and
is billed by its replicas' lives. With Poisson arrivals and one replica of one slot at most
it is M/G/1 with setup and delayed-off; with evenly spaced requests that do not overlap,
each has a replica of its own (``costsim.queueing.break_even``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from costsim.queueing.break_even import (
    break_even_arrival_rate,
    periodic_break_even_rate,
)
from costsim.scenario.autoscalers import Fixed, OnDemand
from costsim.scenario.distributions import Constant
from costsim.scenario.processes import GammaArrivals, Poisson
from costsim.traffic.laws import mean_of
from costsim.units import SECONDS_PER_DAY, SECONDS_PER_HOUR

if TYPE_CHECKING:
    from costsim.scenario.deployment import ResolvedDeployment
    from costsim.scenario.pool import Pool
    from costsim.scenario.schema import Scenario
    from costsim.study.breakeven.base import Case

_EVEN_CV = 0.01
"""Gaps that vary no more are evenly spaced."""
_FINE = 0.01
"""An increment that is a smaller share of a replica's life does not count. [1]"""


@dataclass(frozen=True)
class ClosedForm:
    """Where two deployments cost the same, by theory."""

    below: str
    """The cheaper one below it: it scales to zero."""
    above: str
    """The one that is always on."""
    requests_per_day: float
    """Inf: the first is cheaper at every volume that it can serve. [requests/day]"""
    formula: str
    """What it is called."""


def closed_forms(case: Case) -> list[ClosedForm]:
    """Return the break-evens in requests a day that theory knows."""
    arrivals = _arrivals(case.scenario)
    if arrivals is None:
        return []
    found = []
    for scaling in case.deployments:
        for fixed in case.deployments:
            if not (_scales_to_zero(scaling) and _is_always_on(fixed)):
                continue
            form = (
                _poisson(case, scaling, fixed)
                if arrivals == "poisson"
                else _periodic(case, scaling, fixed)
            )
            found += [form] if form is not None else []
    return found


def _poisson(
    case: Case, scaling: ResolvedDeployment, fixed: ResolvedDeployment
) -> ClosedForm | None:
    pool, law = scaling.pool, scaling.setup_plan.law
    if law is None or pool.max_replicas != 1 or pool.concurrency_limit != 1:
        return None
    rate = break_even_arrival_rate(
        _usd_per_hour(fixed),
        scaling.tariff.usd_per_hour / SECONDS_PER_HOUR,
        case.service_s / scaling.speed,
        mean_of(law),
        pool.idle_timeout,
        setup_billed=scaling.tariff.rules.setup_billed,
    )
    name = "M/G/1 with setup and idle timeout"
    return ClosedForm(scaling.name, fixed.name, rate * SECONDS_PER_DAY, name)


def _periodic(
    case: Case, scaling: ResolvedDeployment, fixed: ResolvedDeployment
) -> ClosedForm | None:
    law = scaling.setup_plan.law
    constant = isinstance(case.scenario.service.time, Constant)
    if not (constant and isinstance(law, Constant)):
        return None
    billed_setup_s = law.value if scaling.tariff.rules.setup_billed else 0.0
    service_s = case.service_s / scaling.speed
    rate = periodic_break_even_rate(
        _usd_per_hour(fixed),
        scaling.tariff.usd_per_hour / SECONDS_PER_HOUR,
        service_s,
        billed_setup_s,
        scaling.pool.idle_timeout,
    )
    # A request must find no replica of the one before, its setup included.
    if rate * (service_s + law.value + scaling.pool.idle_timeout) > 1:
        return None
    name = "evenly spaced requests, each with a replica of its own"
    return ClosedForm(scaling.name, fixed.name, rate * SECONDS_PER_DAY, name)


def _arrivals(scenario: Scenario) -> str | None:
    """Return ``poisson`` or ``even`` for traffic that is nothing but that."""
    traffic = scenario.traffic
    if traffic.trace is not None or traffic.spikes or len(traffic.streams) != 1:
        return None
    (stream,) = traffic.streams
    if stream.rate is None or stream.seasonal or stream.trend or stream.noises:
        return None
    process = stream.arrivals
    if isinstance(process, Poisson):
        return "poisson"
    if isinstance(process, GammaArrivals):
        cv = process.cv or 1 / math.sqrt(process.burstiness or 1.0)
        return "even" if cv <= _EVEN_CV else None
    return None


def _is_always_on(deployment: ResolvedDeployment) -> bool:
    """Return whether a deployment costs the same whatever comes."""
    pool, tariff = deployment.pool, deployment.tariff
    fixed = isinstance(pool.autoscaler, Fixed) and pool.failures is None
    billed = tariff.rules.idle_billed and tariff.rules.scope != "request"
    return fixed and billed and not pool.schedule and _has_no_extras(deployment)


def _scales_to_zero(deployment: ResolvedDeployment) -> bool:
    """Return whether replicas live from a request to an idle timeout, and are all paid."""
    pool, rules = deployment.pool, deployment.tariff.rules
    if not (isinstance(pool.autoscaler, OnDemand) and _is_plain(pool)):
        return False
    life_s = pool.idle_timeout
    whole_life = rules.scope == "replica" and rules.idle_billed
    unrounded = max(rules.increment_s, rules.minimum_s) <= _FINE * life_s
    no_lag = rules.unbilled_setup_s == 0 and rules.release_lag_s == 0
    return whole_life and unrounded and no_lag and _has_no_extras(deployment)


def _is_plain(pool: Pool) -> bool:
    zero = (pool.min_replicas, pool.buffer_replicas, pool.initial_replicas or 0)
    limits = (pool.max_queued, pool.queue_timeout, pool.rate_limit)
    others = (pool.keep_alive, pool.failures)
    return (
        zero == (0, 0, 0)
        and all(one is None for one in (*limits, *others))
        and not (pool.schedule or pool.cancel_setups)
        and pool.at_zero == "hold"
        and pool.binding == "shared"
        and math.isfinite(pool.idle_timeout)
    )


def _has_no_extras(deployment: ResolvedDeployment) -> bool:
    """Return whether replica-hours at full price are all that is paid."""
    tariff = deployment.tariff
    fees = (
        *(tariff.usd_per_request, tariff.monthly_fee_usd, tariff.monthly_credit_usd),
        *(tariff.gib_per_request, tariff.build_hours_per_month),
        *(one.free_hours_per_month for one in tariff.components),
    )
    paid = tariff.rules.min_idle_billed and not tariff.rules.discounts_min_replicas
    return not any(fees) and not tariff.storage and paid and tariff.usd_per_hour > 0


def _usd_per_hour(deployment: ResolvedDeployment) -> float:
    """Return what an always-on pool costs. [USD/h]"""
    return deployment.pool.min_replicas * deployment.tariff.usd_per_hour
