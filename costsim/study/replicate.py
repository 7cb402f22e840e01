"""One replication: the same traffic through every deployment, measured and billed.

Common random numbers: all deployments meet the same arrivals and the same work, and the
n-th launch of each takes the same uniform numbers through its own setup laws. So a
difference between two is never one of traffic; how much less it varies than each of them
depends on how alike they are (Law, Simulation Modeling and Analysis, ch. 11).

Traffic is made chunk by chunk, each chunk goes through every pool, and what the pools
settle is accumulated: memory grows with what is in the pools at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from costsim.billing.bill import Bill, bill
from costsim.billing.spans import Spans, joined
from costsim.billing.usage_meter import UsageMeter
from costsim.errors import SimulationError
from costsim.records import REPLICA_DTYPE, REQUEST_DTYPE
from costsim.records import Outcome as Ended
from costsim.simulation.metrics import MeasureAccumulator, PoolMeasures
from costsim.simulation.result import SimulationResult
from costsim.simulation.settings import check_settings
from costsim.simulation.stream import PoolRun, Setups
from costsim.simulation.timeline import Timeline, TimelineAccumulator
from costsim.study.lanes import through_lanes
from costsim.study.perfect import PerfectBill
from costsim.study.pools import pool_arguments
from costsim.traffic.lifetimes import Lifetimes
from costsim.traffic.setups import SetupLaw, UnbilledSetups
from costsim.traffic.source import arrival_chunks, source_names
from costsim.units import LONGEST_S
from costsim.yaml_source import shorten

if TYPE_CHECKING:
    from costsim.records import Floats, Ints, Records
    from costsim.scenario.deployment import ResolvedDeployment
    from costsim.scenario.schema import Scenario
    from costsim.simulation.settings import Settings
    from costsim.traffic.source import ArrivalChunk
    from costsim.traffic.trace import TraceData

_LAUNCHES = 1024
"""Launches whose setup times are drawn at once."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """What one deployment did in one replication."""

    measures: PoolMeasures
    bill: Bill
    timeline: Timeline | None
    """Of the first replication only, if at all; so is the next."""
    spending: Floats | None
    """Cost in each bin of the timeline at the full price, before rounding, fees and
    credits; the min replicas' idle time counts as all idle time does. [USD/h]"""
    perfect_usd: float = math.nan
    """Cost of a perfect autoscaler; NaN where it was not asked for. [USD]"""


@dataclass(frozen=True)
class Arrived:
    """How many requests came in one replication."""

    by_source: tuple[int, ...]
    """Of each of ``source_names``."""
    after_warm_up: int

    @property
    def requests(self) -> int:
        """All of them."""
        return sum(self.by_source)


@dataclass(frozen=True)
class Study:
    """What every replication needs, read once."""

    scenario: Scenario
    deployments: tuple[ResolvedDeployment, ...]
    trace: TraceData | None
    horizon_s: float
    keep_responses: bool
    """Whether all response times are kept, or a histogram."""
    notes: tuple[str, ...] = ()
    """Choices that were made for the user."""
    perfect: bool = False
    """Whether to tell what a perfect autoscaler would pay: it takes a third longer."""
    timelines: bool = True
    """Whether to follow the first replication through time."""
    timeline_bin_s: float | None = None
    """Width of the timeline's bins; a 240th of the horizon if None. [s]"""


Replication = tuple[Arrived, list[Outcome]]
"""How much traffic one replication had, and what each deployment did with it."""


def replicate(study: Study, replication: int, *, lanes: int = 1) -> Replication:
    """Return how much traffic one replication had, and what each deployment did with it.

    Parameters
    ----------
    study : Study
        What is asked for.
    replication : int
        Which repetition, from 0.
    lanes : int
        Threads that the deployments share; the results are the same.

    Raises
    ------
    SimulationError
        If a run would end in centuries only.
    """
    pools = [_Pool(study, deployment, replication) for deployment in study.deployments]
    counted = _Counter(study.scenario)
    chunks = arrival_chunks(study.scenario, replication, study.trace)
    through_lanes(chunks, [counted.feed, *(pool.feed for pool in pools)], lanes)
    return counted.arrived, [pool.finish() for pool in pools]


def response_times(
    study: Study, deployment: ResolvedDeployment, replication: int
) -> tuple[Floats, Floats, Ints]:
    """Return what a deployment did with each request, in the order of their arrival.

    Returns
    -------
    arrival_s, response_s : ndarray of float64
        Arrivals, and times from arrival to departure; NaN without one. [s]
    outcome : ndarray of int
        See ``costsim.records.Outcome``.
    """
    rows = request_records(study, deployment, replication)
    return rows["arrival_s"], rows["departure_s"] - rows["arrival_s"], rows["outcome"]


def request_records(
    study: Study, deployment: ResolvedDeployment, replication: int
) -> Records:
    """Return every request of a replication, in the order of their arrival.

    Returns
    -------
    ndarray of REQUEST_DTYPE
        What the deployment did with each.
    """
    pool = _Pool(study, deployment, replication, keep_requests=True)
    for chunk in arrival_chunks(study.scenario, replication, study.trace):
        pool.feed(chunk)
    pool.finish()
    return pool.requests()


def pool_settings(study: Study, deployment: ResolvedDeployment) -> Settings:
    """Return a deployment's pool in the engine's words."""
    arguments = pool_arguments(deployment.pool, study.scenario.start, study.horizon_s)
    return check_settings(
        **arguments,
        horizon_s=study.horizon_s,
        end="drain",
        setup_mixture=deployment.setup_plan.mixture,
    )


class _Counter:
    """Counts requests as they come."""

    def __init__(self, scenario: Scenario) -> None:
        self._warm_up_s = scenario.warm_up_s
        self._counts = np.zeros(len(source_names(scenario)), dtype=np.int64)
        self._n_early = 0

    def feed(self, chunk: ArrivalChunk) -> None:
        if chunk.source is None:
            self._counts[0] += chunk.arrival_s.size
        else:
            self._counts += np.bincount(chunk.source, minlength=self._counts.size)
        self._n_early += int(chunk.arrival_s.searchsorted(self._warm_up_s))

    @property
    def arrived(self) -> Arrived:
        n = int(self._counts.sum())
        return Arrived(tuple(self._counts.tolist()), n - self._n_early)


class _Pool:
    """One deployment's pool in one replication: run, observed, metered."""

    def __init__(
        self,
        study: Study,
        deployment: ResolvedDeployment,
        replication: int,
        *,
        keep_requests: bool = False,
    ) -> None:
        scenario, pool = study.scenario, deployment.pool
        self._deployment = deployment
        self._horizon_s = study.horizon_s
        settings = pool_settings(study, deployment)
        tracked = settings.rules.tracked
        self._setups = SetupLaw(deployment.setup_plan, scenario.seed, replication)
        self._unbilled = UnbilledSetups(settings.initial_replicas)
        self._lifetimes = Lifetimes(pool.failures, scenario.seed, replication)
        slo = scenario.slo
        self._measures = MeasureAccumulator(
            warm_up_s=scenario.warm_up_s,
            slow_after_s=None if slo is None else slo.slow_after_s,
            concurrency_limit=pool.concurrency_limit,
            horizon_s=study.horizon_s,
            keep=study.keep_responses,
        )
        self._meter = UsageMeter(deployment.tariff.rules, pool.min_replicas)
        self._by_completion = tracked
        self._kept: list[Records] | None = [] if keep_requests else None
        self._records = _Records() if self._meter.needs_records else None
        self._perfect = None
        if study.perfect:
            self._perfect = PerfectBill(
                deployment, settings.initial_replicas, study.horizon_s
            )
        self._timeline = None
        if study.timelines and replication == 0:
            self._timeline = TimelineAccumulator(
                study.horizon_s,
                study.timeline_bin_s,
                concurrency_limit=pool.concurrency_limit,
                by_completion=tracked,
            )
        self._run = PoolRun(
            settings,
            self._draw_setups,
            self,
            initial_lifetime_s=self._lifetimes.draw(settings.initial_replicas),
        )

    def feed(self, chunk: ArrivalChunk) -> None:
        """Let these requests arrive."""
        service_time_s = chunk.service_time_s
        if self._deployment.speed != 1:
            service_time_s = service_time_s / self._deployment.speed
        self._run.feed(chunk.arrival_s, service_time_s)
        if self._perfect is not None:
            self._perfect.feed(chunk.arrival_s, service_time_s)

    def finish(self) -> Outcome:
        """Return what became of them all."""
        self._run.finish()
        end_s = self._run.end_s
        self._refuse_after_centuries(end_s)
        measures = self._measures.measures(
            end_s, self._run.launches, self._run.peak_replicas
        )
        # It holds this pool as its observer: together they would wait for the collector.
        del self._run
        if self._records is not None:
            self._records.give_to(self._meter, end_s, self._horizon_s)
        cost = bill(
            self._meter.usage(end_s),
            self._deployment.tariff,
            served_requests=measures.served,
            span_s=self._horizon_s,
        )
        outcome = Outcome(measures, cost, None, None)
        if self._perfect is not None:
            outcome = replace(outcome, perfect_usd=self._perfect.finish().total_usd)
        if self._timeline is None:
            return outcome
        timeline = self._timeline.timeline()
        return replace(outcome, timeline=timeline, spending=self._spending(timeline))

    def requests(self) -> Records:
        """See ``request_records``; the pool was made to keep them."""
        rows = np.concatenate([np.empty(0, dtype=REQUEST_DTYPE), *(self._kept or [])])
        # Some pools tell of requests when they end.
        ordered: Records = rows[np.argsort(rows["arrival_s"], kind="stable")]
        return ordered

    def _refuse_after_centuries(self, time_s: float) -> None:
        if time_s > LONGEST_S:
            message = (
                f"{shorten(self._deployment.name)}: the run ends only after "
                f"{time_s:.3g} s; shorten service, setup or idle times, or let more "
                "replicas share the work"
            )
            raise SimulationError(message)

    def _spending(self, timeline: Timeline) -> Floats:
        tariff = self._deployment.tariff
        replicas = timeline.billed_setup + timeline.busy
        if tariff.rules.scope == "request":
            replicas = timeline.billed_setup + timeline.in_service
        elif tariff.rules.idle_billed:
            replicas = timeline.billed_setup + timeline.ready
        return replicas * tariff.usd_per_hour

    def _draw_setups(self, launches: int) -> Setups:
        draws = self._setups.draw(launches, _LAUNCHES)
        self._unbilled.add(draws)
        return Setups(
            setup_time_s=draws.setup_s,
            miss_setup_time_s=draws.miss_setup_s,
            u=draws.u,
            lifetime_s=self._lifetimes.draw(_LAUNCHES),
        )

    def on_requests(self, rows: Records) -> None:
        """See ``Observer``."""
        self._measures.add_requests(rows)
        if self._kept is not None:
            self._kept.append(rows.copy())
        if self._timeline is not None:
            self._timeline.add_requests(rows)
        if self._records is not None:
            self._records.requests.append(rows.copy())
        elif (
            not self._by_completion or self._deployment.tariff.rules.scope == "request"
        ):
            self._meter.add_requests(rows)

    def on_busy(self, rows: Records) -> None:
        """See ``Observer``."""
        spans = rows["replica"], rows["start_s"], rows["stop_s"]
        if self._timeline is not None:
            self._timeline.add_busy(*spans)
        if self._records is not None:
            self._records.add_busy(Spans(*(column.copy() for column in spans)))
        elif (
            self._meter.needs_requests
            and self._deployment.tariff.rules.scope != "request"
        ):
            self._meter.add_busy(*spans)

    def on_replicas(self, rows: Records, ids: Ints) -> None:
        """See ``Observer``."""
        self._refuse_after_centuries(float(np.fmax.reduce(rows["stop_s"], initial=0.0)))
        unbilled_s = self._unbilled.take(ids, rows["missed"])
        self._measures.add_replicas(rows)
        if self._timeline is not None:
            billed_s = self._billed_from_s(rows, unbilled_s)
            self._timeline.add_replicas(rows, ids, billed_s)
        if self._records is not None:
            self._records.add_replicas(rows, ids, unbilled_s)
        else:
            self._meter.add_replicas(rows, ids, unbilled_s)

    def _billed_from_s(self, rows: Records, unbilled_s: Floats) -> Floats:
        """Return when the billed part of each setup begins. [s]"""
        rules = self._deployment.tariff.rules
        billed_s = rows["launch_s"] + unbilled_s
        free = np.full(len(rows), not rules.setup_billed)
        if not rules.failed_start_billed:
            free |= np.isnan(rows["ready_s"]) & ~np.isnan(rows["stop_s"])
        return np.where(free, np.fmin(rows["ready_s"], rows["stop_s"]), billed_s)


class _Records:
    """All records, where a bill depends on the whole history of a pool."""

    def __init__(self) -> None:
        self.requests: list[Records] = [np.empty(0, dtype=REQUEST_DTYPE)]
        self._replicas: list[Records] = [np.empty(0, dtype=REPLICA_DTYPE)]
        self._ids: list[Ints] = [np.empty(0, dtype=np.int64)]
        self._unbilled_s: list[Floats] = [np.empty(0)]
        self._busy: list[Spans] = []

    def add_busy(self, spans: Spans) -> None:
        """Keep when replicas were busy, where requests do not tell it all."""
        self._busy.append(spans)

    def add_replicas(self, rows: Records, ids: Ints, unbilled_s: Floats) -> None:
        """Keep what is told of replicas."""
        self._replicas.append(rows.copy())
        self._ids.append(ids.copy())
        self._unbilled_s.append(unbilled_s)

    def give_to(self, meter: UsageMeter, end_s: float, horizon_s: float) -> None:
        """Have a meter take all of them."""
        order = np.argsort(np.concatenate(self._ids))
        replicas = np.concatenate(self._replicas)[order]
        requests = np.concatenate(self.requests)
        # Some pools tell of requests when they end: of equal starts the first to come pays.
        requests = requests[np.argsort(requests["arrival_s"], kind="stable")]
        # Whoever was not served left without a departure.
        requests["departure_s"][requests["outcome"] != Ended.SERVED] = np.nan
        result = SimulationResult(requests, replicas, end_s, 0, horizon_s)
        busy = joined(*self._busy) if self._busy else None
        meter.add_records(result, np.concatenate(self._unbilled_s)[order], busy)
