"""Points of an axis: every deployment on the same traffic, replication by replication."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from costsim.study.differences import Difference, Sampled, difference
from costsim.study.executor import THREADS
from costsim.study.rows import measured
from costsim.study.run import plan, simulate
from costsim.study.verdict import limits
from costsim.traffic.source import expected_requests
from costsim.units import SECONDS_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from costsim.scenario.deployment import ResolvedDeployment
    from costsim.study.breakeven.axis import Axis
    from costsim.study.breakeven.base import Case
    from costsim.study.executor import Workers
    from costsim.study.replicate import Outcome, Study
    from costsim.study.rows import Measured

COST = "cost_usd_per_month"

_SAME = 1e-9
"""Costs nearer than this share, or this many dollars, are equal but for rounding."""
_S_PER_REQUEST, _S_PER_DECISION, _S_PER_POOL = 2.5e-7, 1.2e-7, 2e-3
"""About what a request, a decision of an autoscaler, and a deployment in a replication
take on one core. [s]"""
_POINT_S = 0.8
"""Work of one point above which it has fewer replications, on one core. [s]"""
_FEWEST_REPLICATIONS = 4
"""Of a point with much traffic; three degrees of freedom make an interval 1.6 times as
wide as many would."""
_LOST = 0.01
"""Share of requests that may be lost where no SLO says it."""
_WAITS_FOR, _LASTS_FOR = 0.01, 0.01
"""A pool cannot keep up whose mean wait is this share of the horizon, if after the horizon
it still works off what is left for this share of all replica time. [1]"""
_EXACT_UP_TO = 2_000_000
"""Response times of a point and deployment that are kept; else there is a histogram."""


@dataclass(frozen=True)
class Reading:
    """What one deployment did at one point."""

    measured: Measured | None
    """None: it was not simulated, since it has too few slots for the work."""
    keeps_up: bool
    """Whether it serves the traffic; if not, its cost is not comparable."""
    slo_sign: int
    """1: the SLO is met for certain, -1: missed for certain, 0: not certain. Always 1
    without an SLO."""

    @property
    def is_likely(self) -> bool:
        """Whether the SLO is met as far as can be seen, for certain or not."""
        found = self.measured
        seen = found is not None and found.row.meets_slo is not False
        return self.slo_sign > 0 or (self.slo_sign == 0 and seen)

    @property
    def cost(self) -> Sampled:
        """Cost of a month, of all replications and of each. [USD/month]"""
        if self.measured is None:
            return Sampled(math.nan, ())
        found = self.measured
        return Sampled(found.estimates[COST].value, found.samples[COST])


@dataclass(frozen=True)
class Point:
    """Every deployment at one value of what is varied."""

    value: float
    replications: int
    requests_per_day: float
    """What was asked for. [requests/day]"""
    readings: dict[str, Reading]
    """By deployment."""

    def cost_usd(self, name: str) -> float:
        """Return the cost of a month; NaN if it is not known. [USD/month]"""
        return self.readings[name].cost.value

    def difference(self, first: str, second: str) -> Difference | None:
        """Return the first's cost minus the second's, paired; None if not comparable."""
        ours, theirs = self.readings[first], self.readings[second]
        if not (ours.keeps_up and theirs.keeps_up):
            return None
        return difference(theirs.cost, ours.cost, paired=True)

    def sign(self, first: str, second: str) -> int | None:
        """Return -1 if the first costs less, 1 if more, 0 if that is not certain."""
        found = self.difference(first, second)
        if found is None:
            return None
        usd = found.absolute.value
        # What a credit pays for is zero but for rounding.
        same = abs(usd) <= _SAME * max(1.0, abs(self.cost_usd(first)))
        return 0 if same or found.is_noise else int(math.copysign(1, usd))


class Curve:
    """All points of an axis that have been simulated.

    Parameters
    ----------
    axis : Axis
        What is varied.
    names : sequence of str
        The deployments.
    replications : int
        Of a point whose traffic is not too much.
    patience : float
        How many times the usual work a point may take. [1]
    workers : Workers
        Where replications run.
    on_progress : callable, optional
        Called with (finished, begun) points.
    """

    def __init__(
        self,
        axis: Axis,
        names: tuple[str, ...],
        replications: int,
        *,
        patience: float = 1.0,
        workers: Workers = THREADS,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self.axis = axis
        self.names = names
        self.work_s = 0.0
        """About how long all that was simulated takes on one core. [s]"""
        self._replications = replications
        self._most_s = _POINT_S * patience
        self._workers = workers
        self._on_progress = on_progress
        self._points: dict[float, Point] = {}

    @property
    def points(self) -> list[Point]:
        """All points, in the order of their values."""
        return [self._points[value] for value in sorted(self._points)]

    def evaluate(self, values: Iterable[float]) -> None:
        """Simulate the points at these values, unless that has been done."""
        new = [value for value in values if value not in self._points]
        total = len(self._points) + len(new)
        for value in new:
            self._points[value] = self._point(value)
            if self._on_progress is not None:
                self._on_progress(len(self._points), total)

    def _point(self, value: float) -> Point:
        case = self.axis.case(value)
        able = tuple(one for one in case.deployments if load(case, one) < 1)
        requests = expected_requests(case.scenario, case.trace, case.horizon_s)
        one_s = work_s(requests, able, case.horizon_s)
        n = replications_within(self._most_s, one_s, self._replications)
        self.work_s += n * one_s
        found = _simulated(case, able, n, requests, self._workers)
        missed = -1 if limits(case.scenario.slo) else 1
        readings = {
            name: found.get(name, Reading(None, keeps_up=False, slo_sign=missed))
            for name in self.names
        }
        return Point(value, n, case.requests_per_day, readings)


def work_s(
    requests: float, deployments: Sequence[ResolvedDeployment], horizon_s: float
) -> float:
    """Return about how long a replication takes on one core; as on any machine. [s]"""
    every_s = [
        getattr(one.pool.autoscaler, "scaling_interval", math.inf)
        for one in deployments
    ]
    decisions = sum(horizon_s / one for one in every_s)
    pools_s = (1 + len(deployments)) * (_S_PER_POOL + requests * _S_PER_REQUEST)
    return pools_s + decisions * _S_PER_DECISION


def most_requests(n_deployments: int, within_s: float) -> float:
    """Return the requests of a replication for which the fewest take so long. [requests]"""
    return within_s / _FEWEST_REPLICATIONS / (1 + n_deployments) / _S_PER_REQUEST


def replications_within(limit_s: float, one_s: float, wanted: int) -> int:
    """Return as many replications as are wanted, or fewer if they take too long."""
    return min(wanted, max(_FEWEST_REPLICATIONS, int(limit_s / one_s)))


def load(case: Case, deployment: ResolvedDeployment) -> float:
    """Return the work that comes as a share of what a deployment can do at most. [1]"""
    pool = deployment.pool
    most = pool.most_replicas
    if most is None:
        return 0.0
    # With all slots of a replica in use each request takes that much longer.
    slower = 1 + pool.slowdown * (pool.concurrency_limit - 1)
    slots = most * pool.concurrency_limit / slower
    erlangs = case.requests_per_day / SECONDS_PER_DAY * case.service_s
    return erlangs / deployment.speed / slots if slots else math.inf


def _simulated(
    case: Case,
    deployments: tuple[ResolvedDeployment, ...],
    replications: int,
    requests: float,
    workers: Workers,
) -> dict[str, Reading]:
    if not deployments:
        return {}
    scenario = case.scenario.model_copy(update={"replications": replications})
    study = plan(scenario, deployments, case.trace)
    few = requests * replications <= _EXACT_UP_TO
    keep = study.keep_responses and few
    study = replace(study, keep_responses=keep, timelines=False)
    finished = simulate(study, range(replications), workers=workers)
    found = {}
    for i, one in enumerate(deployments):
        found[one.name] = _reading(study, one, [by[i] for _, by in finished])
    return found


def _reading(
    study: Study, deployment: ResolvedDeployment, outcomes: list[Outcome]
) -> Reading:
    found = measured(study, deployment, outcomes)
    slo = study.scenario.slo
    allowed = _LOST if slo is None else slo.lost_fraction
    loses = found.estimates["lost_fraction"].value > allowed
    tail = math.fsum(one.measures.tail_hours for one in outcomes)
    lasts = tail >= _LASTS_FOR * math.fsum(
        one.measures.replica_hours for one in outcomes
    )
    waits = found.row.mean_wait_s >= _WAITS_FOR * study.horizon_s
    keeps_up = not (loses or (waits and lasts))
    return Reading(found, keeps_up=keeps_up, slo_sign=_slo_sign(found, keeps_up))


def _slo_sign(found: Measured, keeps_up: bool) -> int:
    if not found.thresholds:
        return 1
    if not keeps_up:
        return -1
    # One replication has no interval (None): what it says has to do.
    if any(not one.ok and one.certain is not False for one in found.thresholds):
        return -1
    return int(all(one.ok and one.certain is not False for one in found.thresholds))
