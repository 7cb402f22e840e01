"""The scenario that is varied: its file, and what it is at one point of an axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from costsim.errors import ScenarioError
from costsim.scenario.deployment import resolve
from costsim.scenario.distributions import FromTrace
from costsim.scenario.load import check_document, locate_problems
from costsim.study.pools import check_pools
from costsim.traffic.laws import mean_of
from costsim.traffic.source import arrival_chunks, horizon_s, load_trace
from costsim.traffic.volume import volume_per_day
from costsim.traffic.work import trace_needs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from costsim.catalog.platform import Catalog
    from costsim.errors import Problem
    from costsim.scenario.deployment import Resolution, ResolvedDeployment
    from costsim.scenario.schema import Scenario
    from costsim.traffic.trace import TraceData
    from costsim.yaml_source import Document

_MEASURED = 200_000
"""Requests whose mean service time is taken, where no law tells it."""


@dataclass(frozen=True)
class Case:
    """A scenario as one point of an axis has it."""

    scenario: Scenario
    deployments: tuple[ResolvedDeployment, ...]
    trace: TraceData | None
    service_s: float
    """Mean work of a request: its service time at speed 1. [s]"""

    @property
    def horizon_s(self) -> float:
        """End of the run. [s]"""
        return horizon_s(self.scenario, self.trace)

    @property
    def requests_per_day(self) -> float:
        """What is asked for on average. [requests/day]"""
        return volume_per_day(self.scenario, self.trace, self.horizon_s)


@dataclass(frozen=True)
class Base:
    """The scenario as its file and the options have it."""

    document: Document
    catalog: Catalog
    scenario: Scenario
    resolution: Resolution
    trace: TraceData | None

    @property
    def own(self) -> Case:
        """The scenario as it is."""
        service_s = mean_service_s(self.scenario, self.trace)
        deployments = self.resolution.deployments
        return Case(self.scenario, deployments, self.trace, service_s)


def read_base(
    document: Document, catalog: Catalog, problems: Sequence[Problem] = ()
) -> Base:
    """Return a scenario file, checked.

    Parameters
    ----------
    document : Document
        From ``read_document``; so are the problems that it has already.
    catalog : Catalog
        Platforms and prices.
    problems : sequence of Problem
        What is wrong with the file's YAML or with options.

    Raises
    ------
    ScenarioError
        With every problem.
    """
    scenario = check_document(document, problems)
    resolution = resolved(scenario, document, catalog)
    return Base(document, catalog, scenario, resolution, load_trace(scenario))


def mean_service_s(scenario: Scenario, trace: TraceData | None) -> float:
    """Return the mean work of a request: its service time at speed 1. [s]

    Where it is recorded, that of the first requests of the first replication.
    """
    law = scenario.service.time
    if law is not None and not isinstance(law, FromTrace):
        return mean_of(law)
    total_s, n = 0.0, 0
    for chunk in arrival_chunks(scenario, 0, trace):
        total_s += float(chunk.service_time_s.sum())
        n += chunk.service_time_s.size
        if n >= _MEASURED:
            break
    return total_s / n if n else 0.0


def resolved(scenario: Scenario, document: Document, catalog: Catalog) -> Resolution:
    """Return the deployments of a scenario, checked; problems have their lines."""
    try:
        resolution = resolve(scenario, catalog)
        check_pools(scenario, resolution)
    except ScenarioError as error:
        located = locate_problems(error.problems, document)
        raise ScenarioError(located, path=document.path) from None
    return resolution


def trace_of(scenario: Scenario, base: Base) -> TraceData | None:
    """Return the trace of a scenario, which is nearly always the one read already."""
    same = scenario.traffic.trace == base.scenario.traffic.trace
    if same and trace_needs(scenario.service) == trace_needs(base.scenario.service):
        return base.trace
    return load_trace(scenario)
