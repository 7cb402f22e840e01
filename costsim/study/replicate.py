"""One replication: the same traffic through every deployment, measured and billed.

Common random numbers: all deployments meet the same arrivals and the same work, and the
n-th launch of each takes the same uniform number through its own setup law. So a
difference between two is never one of traffic; how much less it varies than each of them
depends on how alike they are (Law, Simulation Modeling and Analysis, ch. 11).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from costsim.billing.bill import Bill, bill
from costsim.billing.meter import measure
from costsim.errors import SimulationError
from costsim.records import Outcome as Ended
from costsim.simulation.metrics import PoolMeasures, mean_level, measure_pool
from costsim.simulation.settings import TooFewSetupTimesError
from costsim.simulation.simulate import simulate_pool
from costsim.study.pools import pool_arguments
from costsim.traffic.source import Arrivals, generate
from costsim.traffic.streams import stream_rng
from costsim.traffic.work import quantile, uniforms
from costsim.units import LONGEST_S
from costsim.yaml_source import shorten

if TYPE_CHECKING:
    from costsim.records import Floats
    from costsim.scenario.deployment import ResolvedDeployment
    from costsim.scenario.pool import Pool
    from costsim.scenario.schema import Scenario
    from costsim.simulation.result import SimulationResult
    from costsim.traffic.trace import TraceData

TIMELINE_BINS = 240
"""Bins of the timeline, over the horizon."""

_FEWEST_SETUPS = 1024
"""Setup times to begin with; more are drawn when a run has used them up."""


@dataclass(frozen=True, eq=False)
class Timeline:
    """Means in equal bins over the horizon, of the first replication."""

    bin_s: float
    """Width of a bin. [s]"""
    arrivals: Floats
    """Arrival rate. [requests/s]"""
    waiting: Floats
    """Requests that have arrived and not begun. [requests]"""
    in_service: Floats
    """Requests being served. [requests]"""
    starting: Floats
    """Replicas in their setup. [replicas]"""
    ready: Floats
    """Replicas ready, draining ones included. [replicas]"""


@dataclass(frozen=True, eq=False)
class Outcome:
    """What one deployment did in one replication."""

    measures: PoolMeasures
    bill: Bill
    timeline: Timeline | None
    """Of the first replication only."""


@dataclass(frozen=True)
class Study:
    """What every replication needs, read once."""

    scenario: Scenario
    deployments: tuple[ResolvedDeployment, ...]
    trace: TraceData | None
    horizon_s: float
    keep_responses: bool
    """Whether all response times are kept, or a histogram."""


def replicate(study: Study, replication: int) -> tuple[Arrivals, list[Outcome]]:
    """Return the traffic of one replication and what each deployment did with it."""
    arrivals = generate(study.scenario, replication, study.trace)
    setups = _SetupDraws(study.scenario.seed, replication)
    outcomes = [
        _run_one(study, deployment, arrivals, setups, with_timeline=replication == 0)
        for deployment in study.deployments
    ]
    return arrivals, outcomes


class _SetupDraws:
    """Uniform numbers by launch, drawn as far as some deployment has needed them."""

    def __init__(self, seed: int, replication: int) -> None:
        self._key = (seed, replication)
        self._drawn = np.empty(0)

    def first(self, n: int) -> Floats:
        """Return the first n; a longer row begins with the shorter one."""
        if n > self._drawn.size:
            seed, replication = self._key
            self._drawn = uniforms(n, stream_rng(seed, replication, "setup"))
        return self._drawn[:n]


def _simulate(
    deployment: ResolvedDeployment,
    arrivals: Arrivals,
    setups: _SetupDraws,
    horizon_s: float,
) -> SimulationResult:
    """Run a deployment's pool, with more setup times as long as they run out."""
    n = max(_FEWEST_SETUPS, arrivals.n_requests // 16)
    service_time_s = arrivals.service_time_s
    if deployment.speed != 1:
        service_time_s = service_time_s / deployment.speed
    while True:
        try:
            return simulate_pool(
                arrivals.arrival_s,
                service_time_s,
                quantile(deployment.setup, setups.first(n)),
                horizon_s=horizon_s,
                **pool_arguments(deployment.pool),
            )
        except TooFewSetupTimesError:
            n *= 16


def _run_one(
    study: Study,
    deployment: ResolvedDeployment,
    arrivals: Arrivals,
    setups: _SetupDraws,
    *,
    with_timeline: bool,
) -> Outcome:
    result = _simulate(deployment, arrivals, setups, study.horizon_s)
    if result.end_s > LONGEST_S:
        message = (
            f"{shorten(deployment.name)}: the run ends only after {result.end_s:.3g} s; "
            "shorten service, setup or idle times, or let more replicas share the work"
        )
        raise SimulationError(message)
    slo = study.scenario.slo
    measures = measure_pool(
        result,
        warm_up_s=study.scenario.warm_up,
        slow_after_s=None if slo is None else slo.slow_after_s,
        concurrency_limit=deployment.pool.concurrency_limit,
        keep=study.keep_responses,
    )
    usage = measure(
        result, deployment.tariff.rules, min_replicas=deployment.pool.min_replicas
    )
    cost = bill(
        usage,
        deployment.tariff,
        served_requests=measures.served,
        span_s=study.horizon_s,
    )
    timeline = None
    if with_timeline:
        timeline = _timeline(result, deployment.pool, study.horizon_s)
    return Outcome(measures, cost, timeline)


def _timeline(result: SimulationResult, pool: Pool, horizon_s: float) -> Timeline:
    requests = result.requests
    replicas = result.replicas
    begun = ~np.isnan(requests["start_s"])
    end_s = max(result.end_s, horizon_s)
    arrival_s = requests["arrival_s"]
    start_s = requests["start_s"][begun]
    departure_s = np.nan_to_num(requests["departure_s"][begun], nan=end_s)
    stop_s = np.nan_to_num(replicas["stop_s"], nan=end_s)
    ready_s = np.where(np.isnan(replicas["ready_s"]), stop_s, replicas["ready_s"])
    width_s = horizon_s / TIMELINE_BINS
    bins = np.minimum(arrival_s / width_s, TIMELINE_BINS - 1).astype(np.int64)

    def level(since_s: Floats, until_s: Floats) -> Floats:
        return mean_level(since_s, until_s, horizon_s, TIMELINE_BINS)

    return Timeline(
        bin_s=width_s,
        arrivals=np.bincount(bins, minlength=TIMELINE_BINS) / width_s,
        waiting=level(arrival_s, _waited_until_s(result, pool, end_s)),
        in_service=level(start_s, departure_s),
        starting=level(replicas["launch_s"], ready_s),
        ready=level(ready_s, stop_s),
    )


def _waited_until_s(result: SimulationResult, pool: Pool, end_s: float) -> Floats:
    """Return when each request began or gave up; at its arrival if it was rejected. [s]"""
    arrival_s = result.requests["arrival_s"]
    outcome = result.requests["outcome"]
    patience_s = np.full(arrival_s.size, pool.queue_timeout or 0.0)
    if not isinstance(pool.at_zero, str):
        ready_s = np.sort(result.replicas["ready_s"])
        stop_s = np.sort(result.replicas["stop_s"])
        # NaN sorts to the end: never ready, or never stopped.
        ready = ready_s.searchsorted(arrival_s, "right")
        ready -= stop_s.searchsorted(arrival_s, "right")
        patience_s[ready <= 0] = pool.at_zero.hold_for
    return np.select(
        [outcome == Ended.REJECTED, outcome == Ended.TIMED_OUT],
        [arrival_s, arrival_s + patience_s],
        np.nan_to_num(result.requests["start_s"], nan=end_s),
    )
