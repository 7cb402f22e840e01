"""Vendors' settings to pools: the only module that knows what a vendor calls a replica.

A function for each platform reads its settings and returns the pool that they describe;
what is wrong goes into the case's findings, each at the key of the setting.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from costsim.scenario.autoscalers import ConcurrencyWindow, Fixed, OnDemand
from costsim.scenario.pool import Pool, RateLimit

if TYPE_CHECKING:
    from collections.abc import Callable

    from costsim.catalog.platform import Platform
    from costsim.scenario.findings import Findings
    from costsim.scenario.plan import ChosenPlan
    from costsim.scenario.settings import Settings


@dataclass(frozen=True)
class Case:
    """What a vendor's words are read with."""

    platform: Platform
    settings: Settings
    plan: ChosenPlan
    gpu_count: int
    findings: Findings

    def limit(self, name: str) -> int:
        """Return one of the platform's limits."""
        return self.platform.limits.entries[name].value

    def must_not_exceed(
        self, name: str, value: float | None, bound_name: str, bound: float | None
    ) -> None:
        """Refuse a setting that is above another, or above what bounds it."""
        if value is not None and bound is not None and value > bound:
            message = f"{name} ({value:g}) must not exceed {bound_name} ({bound:g})"
            self.findings.refuse(f"settings.{name}", message)


def find_pool(case: Case) -> Pool | None:
    """Return the pool of a platform's settings, or None after a problem."""
    try:
        return _POOLS[case.platform.name](case)
    except ValidationError as error:
        # A vendor names no bound here, but the engine has one.
        for fault in error.errors():
            name = ".".join(map(str, fault["loc"]))
            case.findings.refuse("settings", f"{name}: {fault['msg'].lower()}")
        return None


def bound_settings(platform: str) -> dict[str, str]:
    """Return a platform's words for the bounds on its replicas, by costsim's."""
    return _BOUNDS.get(platform, {})


def replica_cap(case: Case) -> tuple[int, str] | None:
    """Return the most replicas that a platform gives, and what says so; None: no limit."""
    return _modal_cap(case) if case.platform.name == "modal" else None


def _modal(case: Case) -> Pool | None:
    """Containers on demand, each with its own idle window."""
    settings = case.settings
    max_inputs = settings.count("max_inputs")
    target_inputs = settings.optional_count("target_inputs")
    least = settings.count("min_containers")
    most = _modal_most(case)
    case.must_not_exceed("target_inputs", target_inputs, "max_inputs", max_inputs)
    idle_timeout = settings.seconds("scaledown_window")
    buffer = settings.count("buffer_containers")
    limited = settings.limits_apply
    if case.findings.problems:
        return None
    rate = float(case.limit("request_rate"))
    burst = rate * case.limit("request_burst")
    return Pool(
        autoscaler=OnDemand(kind="on_demand"),
        idle_timeout=idle_timeout,
        min_replicas=least,
        max_replicas=most,
        concurrency_limit=max_inputs,
        concurrency_target=None if target_inputs is None else float(target_inputs),
        buffer_replicas=buffer,
        max_queued=case.limit("queued_inputs") if limited else None,
        rate_limit=RateLimit(rate=rate, burst=burst) if limited else None,
    )


def _modal_most(case: Case) -> int:
    """Return the largest number of containers: what is asked for, or what is allowed."""
    least = case.settings.count("min_containers")
    asked = case.settings.optional_count("max_containers")
    most, why = _modal_cap(case)
    findings = case.findings
    if most < 1:
        message = f"{case.gpu_count} GPUs are more than {why} allows"
        findings.refuse("gpu_count", message)
    if asked is not None and asked <= most:
        case.must_not_exceed("min_containers", least, "max_containers", asked)
        return asked
    findings.capped_by.append(f"at most {most} containers: {why}")
    if asked is not None:
        findings.warnings.append(f"max_containers {asked} is cut to {most}: {why}")
    if least > most:
        message = f"min_containers ({least}) must not exceed {most}: {why}"
        findings.refuse("settings.min_containers", message)
    return most


def _modal_cap(case: Case) -> tuple[int, str]:
    """Return the most containers that Modal allows, and what says so."""
    name, terms = case.plan.name, case.plan.terms
    caps = [(case.limit("containers_per_function"), "the limit of a Function")]
    if terms.max_replicas is not None:
        why = f"plan {name} with {terms.max_replicas} containers"
        caps.append((terms.max_replicas, why))
    if terms.max_gpus is not None and case.gpu_count:
        why = f"plan {name} with {terms.max_gpus} GPUs"
        caps.append((terms.max_gpus // case.gpu_count, why))
    return min(caps, key=lambda cap: cap[0])


def _baseten(case: Case) -> Pool | None:
    """Replicas that follow the mean concurrency over a sliding window."""
    settings = case.settings
    least, most = _baseten_bounds(case)
    target, limit = _baseten_concurrency(case)
    autoscaler = ConcurrencyWindow(
        kind="concurrency_window",
        scaling_interval=settings.seconds("decision_interval"),
        scaling_window=settings.seconds("autoscaling_window"),
        target_utilization=settings.fraction("target_utilization_percentage"),
        scale_down_delay=settings.seconds("scale_down_delay"),
        max_scale_down_fraction=settings.fraction("max_scale_down_rate"),
    )
    parking_timeout = settings.seconds("parking_timeout")
    limited = settings.limits_apply
    if case.findings.problems:
        return None
    return Pool(
        autoscaler=autoscaler,
        min_replicas=least,
        max_replicas=most,
        concurrency_limit=limit,
        concurrency_target=float(target),
        queue_timeout=parking_timeout if limited else None,
        routing="least_loaded",
    )


def _baseten_bounds(case: Case) -> tuple[int, int]:
    """Return the smallest and the largest number of replicas."""
    settings = case.settings
    least, most = settings.count("min_replica"), settings.count("max_replica")
    if settings.given("max_replica"):
        case.must_not_exceed("min_replica", least, "max_replica", most)
    else:
        case.must_not_exceed("min_replica", least, "max_replica's default", most)
        case.findings.warnings.append(
            f"max_replica is not given: {most} by default, so it does not scale out"
        )
    return least, most


def _baseten_concurrency(case: Case) -> tuple[int, int]:
    """Return the concurrency target and the limit of a replica."""
    settings = case.settings
    target = settings.count("concurrency_target")
    limit = settings.count("predict_concurrency")
    if settings.given("predict_concurrency"):
        case.must_not_exceed("concurrency_target", target, "predict_concurrency", limit)
    elif target > limit:
        case.findings.warnings.append(
            f"predict_concurrency is not given: taken as {target}, the concurrency_target"
        )
        limit = target
    return target, limit


def _ec2(case: Case) -> Pool | None:
    """Instances that are always up."""
    instances = case.settings.count("instances")
    concurrency = case.settings.count("concurrency")
    if case.findings.problems:
        return None
    return Pool(
        autoscaler=Fixed(kind="fixed"),
        min_replicas=instances,
        max_replicas=instances,
        concurrency_limit=concurrency,
        routing="least_loaded",
    )


_POOLS: dict[str, Callable[[Case], Pool | None]] = {
    "modal": _modal,
    "baseten": _baseten,
    "ec2": _ec2,
}
"""How each platform's settings become a pool."""

_BOUNDS = {
    "modal": {"min_replicas": "min_containers", "max_replicas": "max_containers"},
    "baseten": {"min_replicas": "min_replica", "max_replicas": "max_replica"},
}
"""What each platform calls the bounds, where it has settings for them."""
