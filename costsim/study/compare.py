"""Every deployment of a scenario on the same traffic: ``costsim.run``."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from costsim.catalog.platform import load_catalog
from costsim.catalog.provenance import UNDATED
from costsim.catalog.quote import stale_sources
from costsim.errors import InputError
from costsim.scenario.deployment import ResolvedDeployment, resolve
from costsim.scenario.load import scenario_hash, scenario_warnings
from costsim.simulation.quantiles import (
    EXACT_UP_TO,
    PERCENTS,
    histogram,
    histogram_quantiles,
    quantiles,
)
from costsim.study.executor import map_tasks, usable_cores
from costsim.study.pools import check_pools
from costsim.study.replicate import (
    Arrived,
    Outcome,
    Study,
    pool_settings,
    replicate,
)
from costsim.study.result import BillLine, DeploymentRow, RunResult, mean_bill
from costsim.study.statistics import Estimate, estimate_about, estimate_mean
from costsim.study.trust import row_warnings, traffic_warnings
from costsim.study.verdict import check, decide, limits
from costsim.traffic.placement import widest_bin_s
from costsim.traffic.source import (
    expected_requests,
    horizon_s,
    load_trace,
    source_rates,
    trace_warnings,
    traffic_notes,
)
from costsim.units import LONGEST_S, SECONDS_PER_MONTH, format_duration
from costsim.yaml_source import shorten

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from costsim.catalog.platform import Catalog
    from costsim.scenario.deployment import Resolution
    from costsim.scenario.schema import Scenario


def run(
    scenario: Scenario,
    *,
    catalog: Catalog | None = None,
    executor: Executor | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> RunResult:
    """Simulate every deployment of a scenario on the same traffic.

    Parameters
    ----------
    scenario : Scenario
        As ``load_scenario`` returns it.
    catalog : Catalog, optional
        Platforms and prices; the shipped ones if None.
    executor : concurrent.futures.Executor, optional
        Where replications run; all cores of this machine if None.
    on_progress : callable, optional
        Called with (finished, all) replications.

    Returns
    -------
    RunResult
        The same for the same scenario and version, wherever it runs.

    Raises
    ------
    InputError
        If the deployments or the trace cannot be used.
    SimulationError
        If a run would end in centuries only.
    """
    platforms = load_catalog() if catalog is None else catalog
    resolution = resolve(scenario, platforms)
    check_pools(scenario, resolution)
    return run_resolved(
        scenario,
        resolution,
        executor=executor,
        on_progress=on_progress,
    )


def run_resolved(
    scenario: Scenario,
    resolution: Resolution,
    *,
    executor: Executor | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> RunResult:
    """Run a scenario whose deployments are resolved and checked already; see ``run``."""
    study = _plan(scenario, resolution.deployments)
    # With fewer replications than cores the deployments of one share them.
    here = executor is None and scenario.replications < usable_cores()
    lanes = len(study.deployments) if here else 1
    finished = map_tasks(
        lambda replication: replicate(study, replication, lanes=lanes),
        range(scenario.replications),
        executor=executor,
        on_done=on_progress,
    )
    traffic = [arrived for arrived, _ in finished]
    by_deployment = [
        [outcomes[i] for _, outcomes in finished]
        for i in range(len(resolution.deployments))
    ]
    return _result(study, resolution, traffic, by_deployment)


def _plan(scenario: Scenario, deployments: tuple[ResolvedDeployment, ...]) -> Study:
    trace = load_trace(scenario)
    end_s = horizon_s(scenario, trace)
    if end_s > LONGEST_S:
        message = (
            f"the horizon of {format_duration(end_s)} is too long; at most "
            f"{format_duration(LONGEST_S)} can be billed"
        )
        raise InputError(message)
    expected = expected_requests(scenario, trace, end_s) * scenario.replications
    return Study(scenario, deployments, trace, end_s, expected <= EXACT_UP_TO)


def _result(
    study: Study,
    resolution: Resolution,
    traffic: list[Arrived],
    by_deployment: list[list[Outcome]],
) -> RunResult:
    scenario = study.scenario
    bounds = limits(scenario.slo)
    sources = tuple(s for one in study.deployments for s in one.sources)
    rows: list[DeploymentRow] = []
    thresholds = []
    lines: list[BillLine] = []
    warnings = [
        *scenario_warnings(scenario),
        *trace_warnings(study.trace),
        *_wide_bins(study),
        *traffic_warnings(study, traffic),
        *resolution.warnings,
        *stale_sources(sources, datetime.now(UTC).date()),
    ]
    costs_usd = {}
    for deployment, outcomes in zip(study.deployments, by_deployment, strict=True):
        row, bounded = _row(study, deployment, outcomes)
        checked = check(row, bounds, bounded)
        if bounds:
            row = replace(row, meets_slo=all(one.ok for one in checked))
        rows.append(row)
        thresholds += checked
        lines += mean_bill(deployment.name, [one.bill.items for one in outcomes])
        warnings += row_warnings(study, deployment, row, outcomes)
        costs_usd[deployment.name] = [one.bill.total_usd for one in outcomes]
    return RunResult(
        scenario=scenario,
        scenario_hash=scenario_hash(scenario),
        seed=scenario.seed,
        horizon_s=study.horizon_s,
        traffic=source_rates(
            scenario,
            np.mean([one.by_source for one in traffic], axis=0).tolist(),
            study.horizon_s,
        ),
        prices_as_of=min(
            (one.as_of for one in sources if one.as_of != UNDATED), default=None
        ),
        rows=tuple(rows),
        verdict=decide(rows, costs_usd, scenario.slo),
        thresholds=tuple(thresholds),
        warnings=tuple(dict.fromkeys(warnings)),
        notes=_notes(study, resolution),
        quantile_method="exact" if all(map(_exact, by_deployment)) else "histogram",
        bill_lines=tuple(lines),
        timelines=tuple(
            outcomes[0].timeline
            for outcomes in by_deployment
            if outcomes[0].timeline is not None
        ),
        spending=tuple(
            outcomes[0].spending
            for outcomes in by_deployment
            if outcomes[0].spending is not None
        ),
        sources=sources,
    )


def _notes(study: Study, resolution: Resolution) -> tuple[str, ...]:
    excluded = [
        f"{one.name} is left out, it lacks {one.feature}: {one.reason}"
        for one in resolution.excluded
    ]
    chosen = [f"{one.name}: {text}" for one in study.deployments for text in one.notes]
    capped = [
        f"{one.name}: {text}" for one in study.deployments for text in one.capped_by
    ]
    notes = traffic_notes(study.scenario, study.trace)
    return tuple(dict.fromkeys([*notes, *excluded, *chosen, *capped]))


def _wide_bins(study: Study) -> list[str]:
    """Say where bins of a trace are too wide to know when replicas would be idle."""
    spec = study.scenario.traffic.trace
    if spec is None or study.trace is None:
        return []
    width_s = widest_bin_s(study.trace) * spec.scale_time
    found = []
    for deployment in study.deployments:
        pool = deployment.pool
        idle_s = pool_settings(study, deployment).rules.idle_timeout_s
        fixed = pool.min_replicas == pool.max_replicas and not pool.schedule
        if idle_s < 2 * width_s and not fixed:
            found.append(
                f"{shorten(deployment.name)}: bins of {format_duration(width_s)} hide "
                f"the gaps that an idle timeout of {format_duration(idle_s)} reacts to: "
                "cost and cold starts may be far off"
            )
    return found


def _row(
    study: Study, deployment: ResolvedDeployment, outcomes: list[Outcome]
) -> tuple[DeploymentRow, dict[str, Estimate]]:
    """Return a deployment's row, its SLO not judged, and what an SLO can bound."""
    measures = [one.measures for one in outcomes]
    costs = estimate_mean([one.bill.total_usd for one in outcomes])
    pooled = _pooled_quantiles(outcomes)
    spans = [
        estimate_about(value, [one.quantiles_s[i] for one in measures])
        for i, value in enumerate(pooled)
    ]
    p50, p90, p95, p99 = spans
    months = study.horizon_s / SECONDS_PER_MONTH
    served = _mean([one.served for one in measures])
    bounded = _bounded(spans, costs, outcomes, months)
    slo = study.scenario.slo
    timed = slo is not None and slo.slow_after_s is not None
    row = DeploymentRow(
        deployment=deployment.name,
        platform=deployment.platform,
        gpu=deployment.gpu,
        replications=len(outcomes),
        requests=_mean([one.requests for one in measures]),
        served=served,
        rejected=_mean([one.rejected for one in measures]),
        timed_out=_mean([one.timed_out for one in measures]),
        failed=_mean([one.failed for one in measures]),
        cost_usd=costs.value,
        cost_usd_low=_not_below_zero(costs.low),
        cost_usd_high=costs.high,
        cost_usd_per_month=costs.value / months,
        cost_usd_per_1k_requests=_share(1000 * costs.value, served),
        busy_usd=_mean([one.bill.busy_usd for one in outcomes]),
        idle_usd=_mean([one.bill.idle_usd for one in outcomes]),
        setup_usd=_mean([one.bill.setup_usd for one in outcomes]),
        rounding_usd=_mean([one.bill.rounding_usd for one in outcomes]),
        fees_usd=_mean([one.bill.fees_usd for one in outcomes]),
        credits_usd=_mean([one.bill.credits_usd for one in outcomes]),
        mean_s=bounded["mean_s"].value,
        p50_s=p50.value,
        p90_s=p90.value,
        p95_s=p95.value,
        p95_s_low=_not_below_zero(p95.low),
        p95_s_high=p95.high,
        p99_s=p99.value,
        mean_wait_s=_weighted([(one.mean_wait_s, one.measured) for one in measures]),
        cold_start_fraction=bounded["cold_start_fraction"].value,
        launches=_mean([one.launches for one in measures]),
        over_slo_fraction=bounded["over_slo_fraction"].value if timed else math.nan,
        utilization=_mean([one.utilization for one in measures]),
        mean_ready_replicas=_mean([one.mean_ready_replicas for one in measures]),
        peak_replicas=_mean([one.peak_replicas for one in measures]),
        replica_hours=_mean([one.replica_hours for one in measures]),
        meets_slo=None,
    )
    return row, bounded


def _bounded(
    spans: list[Estimate], costs: Estimate, outcomes: list[Outcome], months: float
) -> dict[str, Estimate]:
    """Return every measure that an SLO can bound, with its interval."""
    measures = [one.measures for one in outcomes]
    measured = sum(one.measured for one in measures)
    requests = sum(one.requests for one in measures)
    return {
        "mean_s": estimate_about(
            _weighted([(one.mean_s, one.measured) for one in measures]),
            [one.mean_s for one in measures],
        ),
        **{
            f"p{percent}_s": span for percent, span in zip(PERCENTS, spans, strict=True)
        },
        "over_slo_fraction": estimate_about(
            _share(sum(one.over_slo for one in measures), measured),
            [_share(one.over_slo, one.measured) for one in measures],
        ),
        "cold_start_fraction": estimate_about(
            _share(sum(one.cold for one in measures), measured),
            [_share(one.cold, one.measured) for one in measures],
        ),
        "lost_fraction": estimate_about(
            _share(sum(one.lost for one in measures), requests),
            [_share(one.lost, one.requests) for one in measures],
        ),
        "cost_usd_per_month": Estimate(
            costs.value / months, costs.low / months, costs.high / months
        ),
    }


def _exact(outcomes: list[Outcome]) -> bool:
    """Return whether every response time was kept."""
    return all(one.measures.histogram is None for one in outcomes)


def _pooled_quantiles(outcomes: list[Outcome]) -> tuple[float, ...]:
    if _exact(outcomes):
        return quantiles(np.concatenate([one.measures.response_s for one in outcomes]))
    # A run that was longer than expected has a histogram where others kept them all.
    counts = [
        histogram(one.measures.response_s)
        if one.measures.histogram is None
        else one.measures.histogram
        for one in outcomes
    ]
    return histogram_quantiles(np.sum(counts, axis=0))


def _not_below_zero(value: float) -> float:
    # max() would turn NaN, which is no interval, into zero.
    return 0.0 if value < 0 else value


def _mean(values: list[float] | list[int]) -> float:
    return math.fsum(values) / len(values)


def _share(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def _weighted(values: list[tuple[float, int]]) -> float:
    """Return the mean over requests from means and counts by replication."""
    total = sum(weight for _, weight in values)
    return _share(math.fsum(v * w for v, w in values if w), total)
