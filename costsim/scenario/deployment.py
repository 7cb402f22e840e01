"""A scenario's deployments in costsim's words, whatever they were written in.

``resolve`` turns each deployment of a scenario into a pool for the engine and a tariff
for the bill. All problems of all deployments are collected and raised as one
``ScenarioError``, each with the dotted path of its key.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from costsim.catalog.lookup import unknown
from costsim.catalog.provenance import UNDATED
from costsim.catalog.quote import PriceSource, gpu_label
from costsim.catalog.tariff import Component, MeteringRules, Tariff
from costsim.errors import Problem, ScenarioError
from costsim.scenario.charges import find_charges
from costsim.scenario.findings import Exclusion, Findings
from costsim.scenario.plan import find_plan
from costsim.scenario.replica import find_replica, memory_of
from costsim.scenario.requirements import judge, unknown_requirements
from costsim.scenario.scheduling import with_schedule
from costsim.scenario.settings import Settings
from costsim.scenario.setup_plan import find_setup
from costsim.scenario.vendor_pool import Case, find_pool

if TYPE_CHECKING:
    from costsim.catalog.platform import Catalog, Platform
    from costsim.scenario.charges import Charges
    from costsim.scenario.plan import ChosenPlan
    from costsim.scenario.pool import Billing, Pool
    from costsim.scenario.replica import Replica
    from costsim.scenario.schema import Deployment, Scenario
    from costsim.scenario.setup_plan import SetupPlan


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
    setup_plan: SetupPlan
    """How long a replica takes from launch to ready, and what of it is billed."""
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
    case = _case(deployment, platform, replica, findings)
    pool = with_schedule(find_pool(case), deployment.schedule, case, scenario)
    charges = find_charges(deployment, case)
    _warn_of_unused(case.settings, findings)
    billing = platform.billing
    rules = billing.metering(deployment.unbilled_setup, deployment.release_lag)
    bills = billing.phases.bills_setup_phase
    setup = find_setup(deployment, scenario, pool, rules, bills, findings)
    judge(deployment.name, platform, case.plan.name, scenario.requirements, findings)
    _check_release(rules, "release_lag", findings)
    if replica is not None:
        gpus = (replica.gpu, replica.gpu_count)
        _check_model(deployment, scenario, gpus, replica.gpu_memory_gib, findings)
    if findings.problems or replica is None or pool is None or setup is None:
        return None
    return ResolvedDeployment(
        name=deployment.name,
        platform=platform.title,
        gpu=replica.label,
        instance=replica.instance,
        plan=case.plan.name,
        pool=pool,
        tariff=_tariff(setup.metering(rules), replica, case.plan, charges),
        setup_plan=setup,
        speed=deployment.speed,
        sources=replica.quote.sources + case.plan.sources + charges.sources,
        warnings=tuple(findings.warnings),
        notes=tuple(findings.notes),
        capped_by=tuple(findings.capped_by),
    )


def _case(
    deployment: Deployment,
    platform: Platform,
    replica: Replica | None,
    findings: Findings,
) -> Case:
    """Return what the vendor's words of a deployment are read with."""
    plan = find_plan(deployment, platform, findings)
    settings = Settings(deployment.settings, platform.autoscaler.settings, findings)
    gpu_count = replica.gpu_count if replica else deployment.gpu_count
    return Case(platform, settings, plan, gpu_count, findings)


def _custom(
    deployment: Deployment, pool: Pool, scenario: Scenario, findings: Findings
) -> ResolvedDeployment | None:
    """Return a deployment whose pool and prices are written out in the scenario."""
    billing = deployment.billing
    if billing is None:
        return None
    rules = _custom_rules(billing, deployment.unbilled_setup)
    setup = find_setup(
        deployment, scenario, pool, rules, lambda _: billing.setup, findings
    )
    if setup is None:
        return None
    judge(deployment.name, None, "", scenario.requirements, findings)
    gpu = deployment.gpu or ""
    gpus = (gpu, deployment.gpu_count if gpu else 0)
    _check_model(deployment, scenario, gpus, memory_of(*gpus), findings)
    _check_release(rules, "billing.release_lag", findings)
    if findings.problems:
        return None
    return ResolvedDeployment(
        name=deployment.name,
        platform="custom",
        gpu=gpu_label(*gpus),
        instance="",
        plan="",
        pool=pool,
        tariff=_custom_tariff(billing, setup.metering(rules)),
        setup_plan=setup,
        speed=deployment.speed,
        sources=(PriceSource("replica", billing.price, "the scenario", UNDATED),),
        warnings=tuple(findings.warnings),
        notes=tuple(findings.notes),
    )


def _custom_rules(billing: Billing, unbilled_setup_s: float | None) -> MeteringRules:
    min_idle = billing.min_replicas_idle
    if min_idle is None:
        # As of all others: by request no idle time is billed, whatever `idle` says.
        min_idle = billing.idle and billing.scope != "request"
    return MeteringRules(
        scope=billing.scope,
        increment_s=billing.increment,
        minimum_s=billing.minimum,
        setup_billed=billing.setup,
        idle_billed=billing.idle,
        min_idle_billed=min_idle,
        min_idle_rate=billing.min_replicas_idle_rate,
        min_busy_rate=billing.min_replicas_busy_rate,
        unbilled_setup_s=unbilled_setup_s or 0.0,
        failed_start_billed=billing.failed_starts,
        release_lag_s=billing.release_lag,
    )


def _custom_tariff(billing: Billing, rules: MeteringRules) -> Tariff:
    return Tariff(
        rules,
        (Component("instance", billing.price, billing.free_hours),),
        usd_per_request=billing.per_request,
        free_requests_per_month=float(billing.free_requests),
        monthly_fee_usd=billing.monthly_fee,
        monthly_credit_usd=billing.monthly_credit,
    )


def _tariff(
    rules: MeteringRules, replica: Replica, plan: ChosenPlan, charges: Charges
) -> Tariff:
    """Return what replicas cost, with the plan and what is paid besides."""
    besides, quote = charges.tariff, replica.quote
    return replace(
        besides,
        rules=replace(rules, disk_increment_s=besides.rules.disk_increment_s),
        components=quote.components,
        monthly_fee_usd=plan.fee_usd,
        monthly_credit_usd=plan.credit_usd,
        usd_per_build_hour=quote.usd_per_hour * charges.build_rate,
    )


def _check_release(rules: MeteringRules, key: str, findings: Findings) -> None:
    """Refuse machines that outlast their replicas where only requests are billed."""
    if rules.scope == "request" and rules.release_lag_s > 0:
        message = "has no meaning where only requests are billed (scope: request)"
        findings.refuse(key, message)


def _check_model(
    deployment: Deployment,
    scenario: Scenario,
    gpus: tuple[str, int],
    gpu_memory_gib: float | None,
    findings: Findings,
) -> None:
    """Refuse a replica whose GPUs, a type and a number, have no room for the model."""
    model = deployment.model or scenario.model
    gpu, count = gpus
    if model is None or not count:
        return
    if gpu_memory_gib is None:
        text = "whether the model fits is not checked: the GPU's memory is not known"
        findings.warnings.append(text)
        return
    problem = model.misfit(gpu, count, gpu_memory_gib / count)
    if problem is not None:
        key = "model" if deployment.model is not None else "gpu"
        findings.refuse(key, f"the model {problem}")


def _warn_of_unused(settings: Settings, findings: Findings) -> None:
    for name, setting in settings.unused().items():
        findings.warnings.append(
            f"settings.{name} has no effect here ({setting.meaning.rstrip('.')})"
        )
