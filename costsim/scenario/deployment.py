"""From a vendor's words to costsim's: the only module that knows how vendors name things.

``resolve`` turns each deployment of a scenario into a pool for the engine and a tariff
for the bill. All problems of all deployments are collected and raised as one
``ScenarioError``, each with the dotted path of its key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from costsim.catalog.lookup import unknown
from costsim.catalog.provenance import UNDATED
from costsim.catalog.quote import PriceSource, gpu_label
from costsim.catalog.tariff import Component, MeteringRules, Tariff
from costsim.errors import Problem, ScenarioError
from costsim.scenario.distributions import ConstantDuration
from costsim.scenario.findings import Exclusion, Findings
from costsim.scenario.plan import ChosenPlan, find_plan
from costsim.scenario.pool import ConcurrencyWindow, Fixed, OnDemand, Pool, RateLimit
from costsim.scenario.replica import Replica, find_replica
from costsim.scenario.requirements import judge, unknown_requirements
from costsim.scenario.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from costsim.catalog.platform import Catalog, Platform
    from costsim.scenario.distributions import DurationDistribution
    from costsim.scenario.pool import Billing
    from costsim.scenario.schema import Deployment, Scenario


__all__ = ["PriceSource", "Resolution", "ResolvedDeployment", "resolve"]


@dataclass(frozen=True)
class ResolvedDeployment:
    """A deployment, ready to be simulated and billed."""

    name: str
    """For the report."""
    platform: str
    """Title of its platform, or ``custom``."""
    gpu: str
    """GPUs of a replica: ``L4``, ``2x L4``, or nothing."""
    instance: str
    """Instance of a replica, where whole ones are priced; else empty."""
    plan: str
    """Plan; empty if there is none."""
    pool: Pool
    """The pool, for the engine."""
    tariff: Tariff
    """Metering rules and prices, for the bill."""
    setup: DurationDistribution
    """Setup time of a replica."""
    speed: float
    """Service times are divided by it. [1]"""
    sources: tuple[PriceSource, ...]
    """Where each price comes from."""
    warnings: tuple[str, ...] = ()
    """What the user should know before trusting the result."""
    notes: tuple[str, ...] = ()
    """Choices that were made for the user."""
    capped_by: tuple[str, ...] = ()
    """Limits that bound the number of replicas."""

    @property
    def hourly_parts(self) -> tuple[Component, ...]:
        """The priced parts of one replica-hour."""
        return self.tariff.components


@dataclass(frozen=True)
class Resolution:
    """All deployments of a scenario."""

    deployments: tuple[ResolvedDeployment, ...]
    """Those that have every required feature, in the scenario's order."""
    excluded: tuple[Exclusion, ...] = ()
    """Those that lack one: (name, feature, reason), one for each feature they lack."""
    warnings: tuple[str, ...] = ()
    """Warnings of all deployments, each with the deployment's name in front."""


def resolve(scenario: Scenario, catalog: Catalog) -> Resolution:
    """Return the deployments of a scenario in costsim's words.

    Raises
    ------
    ScenarioError
        With every problem of every deployment, or if the requirements leave none.
    """
    problems = unknown_requirements(scenario.requirements)
    kept: list[ResolvedDeployment] = []
    excluded: list[Exclusion] = []
    for i, deployment in enumerate(scenario.deployments):
        findings = Findings(f"deployments.{i}")
        resolved = _resolve_one(deployment, scenario, catalog, findings)
        problems += findings.problems
        excluded += findings.lacking
        if resolved is not None and not findings.lacking:
            kept.append(resolved)
    if not problems and not kept:
        problems = [_nothing_left(excluded)]
    if problems:
        raise ScenarioError(problems)
    warnings = tuple(f"{one.name}: {text}" for one in kept for text in one.warnings)
    return Resolution(tuple(kept), tuple(excluded), warnings)


def _nothing_left(excluded: list[Exclusion]) -> Problem:
    reasons = "; ".join(f"{one.name} lacks {one.feature}" for one in excluded)
    return Problem(f"leave no deployment: {reasons}", "requirements")


def _resolve_one(
    deployment: Deployment, scenario: Scenario, catalog: Catalog, findings: Findings
) -> ResolvedDeployment | None:
    """Return one deployment in costsim's words, or None after a problem."""
    if deployment.pool is not None:
        return _custom(deployment, deployment.pool, scenario, findings)
    platform = catalog.find(str(deployment.platform))
    if platform is None:
        message = unknown("platform", deployment.platform, catalog.names)
        findings.refuse("platform", message)
        return None
    replica = find_replica(deployment, platform, findings)
    plan = find_plan(deployment, platform, findings)
    settings = Settings(deployment.settings, platform.autoscaler.settings, findings)
    gpu_count = replica.gpu_count if replica else deployment.gpu_count
    case = _Case(platform, settings, plan, gpu_count, findings)
    pool = _pool(case)
    _warn_of_unused(settings, findings)
    setup = _setup(deployment, scenario, pool, findings)
    judge(deployment.name, platform, plan.name, scenario.requirements, findings)
    if findings.problems or replica is None or pool is None or setup is None:
        return None
    return ResolvedDeployment(
        name=deployment.name,
        platform=platform.title,
        gpu=replica.label,
        instance=replica.instance,
        plan=plan.name,
        pool=pool,
        tariff=_tariff(deployment, platform, replica, plan),
        setup=setup,
        speed=deployment.speed,
        sources=replica.quote.sources + plan.sources,
        warnings=tuple(findings.warnings),
        notes=tuple(findings.notes),
        capped_by=tuple(findings.capped_by),
    )


def _pool(case: _Case) -> Pool | None:
    """Return the pool of a platform's settings, or None after a problem."""
    try:
        return _POOLS[case.platform.name](case)
    except ValidationError as error:
        # A vendor names no bound here, but the engine has one.
        for fault in error.errors():
            name = ".".join(map(str, fault["loc"]))
            case.findings.refuse("settings", f"{name}: {fault['msg'].lower()}")
        return None


def _custom(
    deployment: Deployment, pool: Pool, scenario: Scenario, findings: Findings
) -> ResolvedDeployment | None:
    """Return a deployment whose pool and prices are written out in the scenario."""
    setup = _setup(deployment, scenario, pool, findings)
    if setup is None or deployment.billing is None:
        return None
    judge(deployment.name, None, "", scenario.requirements, findings)
    price = deployment.billing.price
    gpu = deployment.gpu
    return ResolvedDeployment(
        name=deployment.name,
        platform="custom",
        gpu=gpu_label(gpu, deployment.gpu_count) if gpu else "",
        instance="",
        plan="",
        pool=pool,
        tariff=_custom_tariff(deployment.billing, deployment.unbilled_setup),
        setup=setup,
        speed=deployment.speed,
        sources=(PriceSource("replica", price, "the scenario", UNDATED),),
        warnings=tuple(findings.warnings),
    )


def _custom_tariff(billing: Billing, unbilled_setup_s: float | None) -> Tariff:
    rules = MeteringRules(
        scope=billing.scope,
        increment_s=billing.increment,
        minimum_s=billing.minimum,
        setup_billed=billing.setup,
        idle_billed=billing.idle,
        unbilled_setup_s=unbilled_setup_s or 0.0,
    )
    return Tariff(
        rules,
        (Component("instance", billing.price),),
        usd_per_request=billing.per_request,
        monthly_fee_usd=billing.monthly_fee,
        monthly_credit_usd=billing.monthly_credit,
    )


def _setup(
    deployment: Deployment, scenario: Scenario, pool: Pool | None, findings: Findings
) -> DurationDistribution | None:
    """Return the setup time of a replica; a fixed pool never launches and needs none."""
    setup = deployment.setup or scenario.setup
    if setup is None and pool is not None and isinstance(pool.autoscaler, Fixed):
        return ConstantDuration(distribution="constant", value=0.0)
    if setup is None:
        message = "is missing, here and in the scenario; write one, such as '25s'"
        findings.refuse("setup", message)
    return setup


def _tariff(
    deployment: Deployment, platform: Platform, replica: Replica, plan: ChosenPlan
) -> Tariff:
    return Tariff(
        platform.billing.metering(deployment.unbilled_setup),
        replica.quote.components,
        monthly_fee_usd=plan.fee_usd,
        monthly_credit_usd=plan.credit_usd,
    )


def _warn_of_unused(settings: Settings, findings: Findings) -> None:
    for name, setting in settings.unused().items():
        findings.warnings.append(
            f"settings.{name} has no effect here ({setting.meaning.rstrip('.')})"
        )


@dataclass(frozen=True)
class _Case:
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


def _modal(case: _Case) -> Pool | None:
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


def _modal_most(case: _Case) -> int:
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


def _modal_cap(case: _Case) -> tuple[int, str]:
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


def _baseten(case: _Case) -> Pool | None:
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


def _baseten_bounds(case: _Case) -> tuple[int, int]:
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


def _baseten_concurrency(case: _Case) -> tuple[int, int]:
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


def _ec2(case: _Case) -> Pool | None:
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


_POOLS: dict[str, Callable[[_Case], Pool | None]] = {
    "modal": _modal,
    "baseten": _baseten,
    "ec2": _ec2,
}
"""How each platform's settings become a pool."""
