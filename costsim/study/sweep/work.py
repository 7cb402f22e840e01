"""What a worker does with a part: every point simulated, as one Parquet file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from costsim.errors import CostsimError
from costsim.study.replicate import replicate
from costsim.study.rows import measured
from costsim.study.run import plan
from costsim.study.sweep.check import reason_of
from costsim.study.sweep.table import as_parquet, row_of, schema_of
from costsim.study.sweep.traces import trace_name
from costsim.study.verdict import decide

if TYPE_CHECKING:
    from collections.abc import Mapping

    from costsim.study.sweep.base import Base
    from costsim.study.sweep.design import Point
    from costsim.study.sweep.parts import Part
    from costsim.study.sweep.table import Parameter
    from costsim.traffic.trace import TraceData


@dataclass(frozen=True)
class Shared:
    """What every part needs."""

    base: Base
    traces: Mapping[str, TraceData]
    """By ``trace_name``."""
    parameters: tuple[Parameter, ...]


def run_part(shared: Shared, part: Part) -> bytes:
    """Return the results of a part; points that cannot be completed are noted in it."""
    rows: list[dict[str, Any]] = []
    failed: dict[int, str] = {}
    for point in part.points:
        try:
            rows += _run_point(shared, point)
        except CostsimError as error:
            # Others are no worse for it, and a sweep may be long.
            failed[point.index] = reason_of(error)
    return as_parquet(rows, failed, schema_of(shared.parameters))


def _run_point(shared: Shared, point: Point) -> list[dict[str, Any]]:
    scenario, resolution = shared.base.at(point.values)
    name = trace_name(scenario)
    trace = None if name is None else shared.traces[name]
    study = replace(plan(scenario, resolution.deployments, trace), timelines=False)
    finished = [replicate(study, k)[1] for k in range(scenario.replications)]
    found = [
        measured(study, deployment, [outcomes[i] for outcomes in finished])
        for i, deployment in enumerate(study.deployments)
    ]
    rows = [one.row for one in found]
    costs_usd = {one.row.deployment: one.samples["cost_usd"] for one in found}
    cheapest = decide(rows, costs_usd, scenario.slo).cheapest
    return [
        row_of(point, shared.parameters, row, cheapest=row.deployment == cheapest)
        for row in rows
    ]
