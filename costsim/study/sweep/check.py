"""Which points are possible, found out before anything runs.

A value that no point can have is a mistake, and refused; a combination that is impossible
although each of its values is possible with others is left out, with the reason.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from costsim.catalog.quote import stale_sources
from costsim.errors import InputError, Problem, ScenarioError
from costsim.scenario.load import scenario_warnings
from costsim.scenario.overrides import option_name
from costsim.study.sweep.base import VARY
from costsim.traffic.source import expected_requests, horizon_s, trace_warnings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from costsim.scenario.schema import Scenario
    from costsim.study.sweep.axis import Axis
    from costsim.study.sweep.base import Base
    from costsim.study.sweep.design import Point
    from costsim.study.sweep.traces import Traces

_S_PER_REQUEST = 3e-7
_S_PER_POOL = 1e-3
_S_PER_POINT = 2e-3
"""About what a request, a deployment in a replication, and a point take on one core. [s]"""


@dataclass(frozen=True)
class Possible:
    """A point that can be run."""

    point: Point
    work_s: float
    """About how long it takes on one core. [s]"""


@dataclass(frozen=True)
class LeftOut:
    """A point that cannot be run."""

    point: Point
    reason: str
    """What is wrong with the combination, or what went wrong."""


@dataclass
class Checked:
    """What has been found out about all points."""

    possible: list[Possible] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    warnings: Counter[str] = field(default_factory=Counter)
    """At how many points each holds."""
    notes: Counter[str] = field(default_factory=Counter)
    """The same."""


def check_points(
    axes: Sequence[Axis],
    points: Sequence[Point],
    base: Base,
    traces: Traces,
    *,
    crossed: bool,
    on_progress: Callable[[int, int], None] | None = None,
) -> Checked:
    """Return which points are possible.

    Parameters
    ----------
    axes : sequence of Axis
        What is varied.
    points : sequence of Point
        All of them.
    base : Base
        The scenario.
    traces : Traces
        Takes the traces that are met.
    crossed : bool
        Whether every value comes with all values of the other keys.
    on_progress : callable, optional
        Called with (checked, all) points.

    Raises
    ------
    ScenarioError
        If no point is possible, or a value is in none that is though it comes with all
        others.
    """
    checked = Checked()
    first_error: InputError | None = None
    for done, point in enumerate(points, start=1):
        try:
            work_s = _examine(point, base, traces, checked)
        except InputError as error:
            first_error = first_error or error
            checked.left_out.append(LeftOut(point, reason_of(error)))
        else:
            checked.possible.append(Possible(point, work_s))
        if on_progress is not None:
            on_progress(done, len(points))
    if first_error is not None:
        if not checked.possible:
            raise first_error
        if crossed:
            _refuse_unusable(axes, base, checked)
    return checked


def reason_of(error: Exception) -> str:
    """Return the first thing that an error tells, on one line."""
    if isinstance(error, ScenarioError):
        first = error.problems[0]
        return ": ".join(part for part in (first.key, first.message) if part)
    return str(error)


def _examine(point: Point, base: Base, traces: Traces, checked: Checked) -> float:
    """Return about how long a point takes; note what should be known of it. [s]"""
    scenario, resolution = base.at(point.values)
    trace = traces.of(scenario)
    end_s = horizon_s(scenario, trace)
    requests = expected_requests(scenario, trace, end_s)
    sources = tuple(s for one in resolution.deployments for s in one.sources)
    checked.warnings.update(
        {
            *scenario_warnings(scenario),
            *trace_warnings(trace),
            *resolution.warnings,
            *stale_sources(sources, datetime.now(UTC).date()),
        }
    )
    checked.notes.update(
        f"{one.name} is left out, it lacks {one.feature}: {one.reason}"
        for one in resolution.excluded
    )
    return _work_s(scenario, requests, len(resolution.deployments))


def _work_s(scenario: Scenario, requests: float, n_deployments: int) -> float:
    """Return about how long a point takes on one core; the same on any machine. [s]"""
    pools = scenario.replications * n_deployments
    return _S_PER_POINT + pools * (_S_PER_POOL + requests * _S_PER_REQUEST)


def _refuse_unusable(axes: Sequence[Axis], base: Base, checked: Checked) -> None:
    """Refuse values that no point can have."""
    problems = []
    for position, axis in enumerate(axes):
        usable = {one.point.values[position] for one in checked.possible}
        reasons = {one.point.values[position]: one.reason for one in checked.left_out}
        problems += [
            Problem(_blaming(axis, value, reason))
            for value, reason in reasons.items()
            if value not in usable
        ]
    if problems:
        raise ScenarioError(problems, path=base.document.path)


def _blaming(axis: Axis, value: str, reason: str) -> str:
    option = option_name(f"{axis.key}={value}", VARY)
    return reason if reason.startswith(option) else f"{option}: {reason}"
