"""Every deployment of a scenario on the same traffic: ``costsim.run``."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from costsim.catalog.platform import load_catalog
from costsim.catalog.provenance import UNDATED
from costsim.catalog.quote import stale_sources
from costsim.errors import InputError
from costsim.scenario.deployment import resolve
from costsim.scenario.load import scenario_hash, scenario_warnings
from costsim.simulation.quantiles import EXACT_UP_TO
from costsim.study.bill_lines import BillLine, mean_bill
from costsim.study.executor import THREADS, Workers, map_tasks, usable_cores
from costsim.study.pools import check_pools
from costsim.study.precision import imprecise, replications_wanted
from costsim.study.replicate import Study, pool_settings, replicate
from costsim.study.result import RunResult
from costsim.study.rows import latency_curve, measured
from costsim.study.trust import row_warnings, traffic_warnings
from costsim.study.verdict import decide
from costsim.study.warm_up import with_warm_up
from costsim.traffic.placement import widest_bin_s
from costsim.traffic.source import (
    expected_requests,
    horizon_s,
    load_trace,
    source_rates,
    trace_warnings,
    traffic_notes,
)
from costsim.units import LONGEST_S, format_duration
from costsim.yaml_source import shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor

    from costsim.catalog.platform import Catalog
    from costsim.scenario.deployment import Resolution, ResolvedDeployment
    from costsim.scenario.schema import Scenario
    from costsim.study.replicate import Replication
    from costsim.study.rows import Measured
    from costsim.traffic.trace import TraceData

_MOST_BINS = 2_000_000
"""Bins of a timeline."""
_PERFECT_UP_TO = 100_000_000
"""Requests of all replications for which a perfect autoscaler is told: about 3 s of work."""


def run(
    scenario: Scenario,
    *,
    catalog: Catalog | None = None,
    executor: Executor | None = None,
    precision: float | None = None,
    timeline_bin_s: float | None = None,
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
    precision : float, optional
        More replications than the scenario says, until the intervals of every cost and
        p95 are no wider than this share of their value on either side. [1]
    timeline_bin_s : float, optional
        Width of the bins of the timeline; a 240th of the horizon if None. [s]
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
        workers=THREADS if executor is None else Workers(executor=executor),
        precision=precision,
        timeline_bin_s=timeline_bin_s,
        on_progress=on_progress,
    )


def run_resolved(
    scenario: Scenario,
    resolution: Resolution,
    *,
    workers: Workers = THREADS,
    precision: float | None = None,
    timeline_bin_s: float | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> RunResult:
    """Run a scenario whose deployments are resolved and checked already; see ``run``."""
    study = plan(scenario, resolution.deployments)
    expected = expected_requests(scenario, study.trace, study.horizon_s)
    _refuse_too_fine(timeline_bin_s, study.horizon_s)
    study = replace(
        study,
        perfect=expected * scenario.replications <= _PERFECT_UP_TO,
        timeline_bin_s=timeline_bin_s,
    )
    finished: list[Replication] = []
    wanted = scenario.replications
    while len(finished) < wanted:
        finished += simulate(
            study,
            range(len(finished), wanted),
            workers=workers,
            on_progress=_after(len(finished), on_progress),
        )
        found = _all_measured(study, finished)
        if precision is not None:
            wanted = replications_wanted(found, precision)
    warnings = [] if precision is None else imprecise(found, precision)
    return _result(study, resolution, finished, found, warnings)


def _refuse_too_fine(bin_s: float | None, horizon_s: float) -> None:
    """Refuse a timeline that would fill the memory."""
    if bin_s is not None and not 0 < horizon_s / bin_s <= _MOST_BINS:
        message = (
            f"a timeline in bins of {format_duration(bin_s)} has more than "
            f"{_MOST_BINS:,} of them in {format_duration(horizon_s)}; make them wider"
        )
        raise InputError(message)


def _after(
    done: int, on_progress: Callable[[int, int], None] | None
) -> Callable[[int, int], None] | None:
    """Return progress that counts what was done before."""
    if on_progress is None:
        return None
    return lambda finished, total: on_progress(done + finished, done + total)


def _all_measured(study: Study, finished: list[Replication]) -> list[Measured]:
    """Return what each deployment did."""
    return [
        measured(study, deployment, [outcomes[i] for _, outcomes in finished])
        for i, deployment in enumerate(study.deployments)
    ]


def plan(
    scenario: Scenario,
    deployments: tuple[ResolvedDeployment, ...],
    trace: TraceData | None = None,
) -> Study:
    """Return what every replication needs.

    Parameters
    ----------
    scenario : Scenario
        What is asked for.
    deployments : tuple of ResolvedDeployment
        What is simulated, the scenario's own or others.
    trace : TraceData, optional
        The scenario's trace if it has been read already.

    Raises
    ------
    InputError
        If the trace cannot be used, or the horizon is too long.
    """
    trace = load_trace(scenario) if trace is None else trace
    end_s = horizon_s(scenario, trace)
    if end_s > LONGEST_S:
        message = (
            f"the horizon of {format_duration(end_s)} is too long; at most "
            f"{format_duration(LONGEST_S)} can be billed"
        )
        raise InputError(message)
    expected = expected_requests(scenario, trace, end_s) * scenario.replications
    study = Study(scenario, deployments, trace, end_s, expected <= EXACT_UP_TO)
    return with_warm_up(study) if scenario.warm_up is None else study


def simulate(
    study: Study,
    replications: Sequence[int],
    *,
    workers: Workers = THREADS,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Replication]:
    """Return some replications of a study, in their order.

    Parameters
    ----------
    study : Study
        From ``plan``.
    replications : sequence of int
        Which ones, from 0.
    workers : Workers
        Where they run.
    on_progress : callable, optional
        Called with (finished, all) replications.
    """
    # With fewer replications than cores the deployments of one share them.
    alone = workers is THREADS and len(replications) < usable_cores()
    return map_tasks(
        _one_lane_a_deployment if alone else replicate,
        study,
        replications,
        workers=workers,
        on_done=on_progress,
    )


def _one_lane_a_deployment(study: Study, replication: int) -> Replication:
    return replicate(study, replication, lanes=len(study.deployments))


def _result(
    study: Study,
    resolution: Resolution,
    finished: list[Replication],
    found: list[Measured],
    doubts: list[str],
) -> RunResult:
    scenario = study.scenario
    sources = tuple(s for one in study.deployments for s in one.sources)
    traffic = [arrived for arrived, _ in finished]
    by_deployment = [
        [outcomes[i] for _, outcomes in finished] for i in range(len(study.deployments))
    ]
    rows = tuple(one.row for one in found)
    warnings = [
        *scenario_warnings(scenario),
        *trace_warnings(study.trace),
        *_wide_bins(study),
        *traffic_warnings(study, traffic),
        *doubts,
        *resolution.warnings,
        *stale_sources(sources, datetime.now(UTC).date()),
    ]
    lines: list[BillLine] = []
    for deployment, row, outcomes in zip(
        study.deployments, rows, by_deployment, strict=True
    ):
        lines += mean_bill(deployment.name, [one.bill.items for one in outcomes])
        warnings += row_warnings(study, deployment, row, outcomes)
    costs_usd = {one.row.deployment: one.samples["cost_usd"] for one in found}
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
        rows=rows,
        verdict=decide(rows, costs_usd, scenario.slo),
        thresholds=tuple(threshold for one in found for threshold in one.thresholds),
        warnings=tuple(dict.fromkeys(warnings)),
        notes=_notes(study, resolution),
        quantile_method="exact" if all(one.exact for one in found) else "histogram",
        bill_lines=tuple(lines),
        timelines=tuple(
            outcomes[0].timeline
            for outcomes in by_deployment
            if outcomes[0].timeline is not None
        ),
        latencies=tuple(map(latency_curve, by_deployment)),
        spending=tuple(
            outcomes[0].spending
            for outcomes in by_deployment
            if outcomes[0].spending is not None
        ),
        sources=sources,
        samples=tuple(one.samples for one in found),
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
    return tuple(dict.fromkeys([*study.notes, *notes, *excluded, *chosen, *capped]))


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
