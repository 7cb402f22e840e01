"""``warm_up: auto``: how long a pool takes to forget that it started empty.

The response times of a few replications are averaged by the order of arrival, and MSER-5
tells where to cut them: means of five, of which those from d on have the least squared
error of their mean (White, Cobb and Spratt, A comparison of five steady-state truncation
heuristics for simulation, WSC 2000). On a single run it mostly says 0; averaged over
replications it works. At least twice the idle timeout and the longest setup are cut.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from costsim.records import Outcome as Ended
from costsim.scenario.processes import Cron
from costsim.study.executor import THREADS, map_tasks
from costsim.study.replicate import response_times
from costsim.traffic.setups import SetupLaw
from costsim.traffic.source import expected_requests
from costsim.units import format_duration

if TYPE_CHECKING:
    from costsim.records import Floats
    from costsim.scenario.schema import Scenario
    from costsim.study.replicate import Study

_REPLICATIONS = 20
_MOST_REQUESTS = 50_000
"""Of a replication: a pool that has not settled by then never does."""
_BATCH = 5
_LAUNCHES = 1024
"""Launches of which the longest setup counts."""
_LONGEST = 0.5
"""Share of the horizon beyond which too little would be left."""


def with_warm_up(study: Study) -> Study:
    """Return a study whose warm-up is known, with a note that says what was cut.

    Traffic that changes by itself has no steady state to wait for: nothing is cut.
    """
    scenario = study.scenario
    changing = _changing_part(scenario)
    if changing:
        note = f"warm_up: auto cuts nothing, since {changing} has no steady state"
        return _cut(study, 0.0, note)
    pilot = _shortened(study)
    ends_s = map_tasks(
        _settling_s, pilot, range(len(study.deployments)), workers=THREADS
    )
    warm_up_s = max(ends_s)
    if warm_up_s > _LONGEST * study.horizon_s:
        warm_up_s = _LONGEST * study.horizon_s
        note = (
            f"warm_up: auto cuts {format_duration(warm_up_s)}, half of the horizon, which "
            "is too short for the pools to settle: lengthen it"
        )
        return _cut(study, warm_up_s, note)
    return _cut(study, warm_up_s, f"warm_up: auto cuts {format_duration(warm_up_s)}")


def mser5(values: Floats) -> int:
    """Return how many values to cut from the beginning of a series.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        In their order.

    Returns
    -------
    int
        A multiple of five; at most half of them can be judged, so half says: too short.
    """
    n = values.size // _BATCH
    if n < 2:
        return 0
    means = values[: n * _BATCH].reshape(n, _BATCH).mean(axis=1)
    # Sums of what is left from each batch on, from the end.
    left = np.arange(n, 0, -1)
    sums = np.cumsum(means[::-1])[::-1]
    squares = np.cumsum(means[::-1] ** 2)[::-1]
    errors = (squares - sums**2 / left) / left**2
    return int(np.argmin(errors[: n // 2 + 1])) * _BATCH


def _cut(study: Study, warm_up_s: float, note: str) -> Study:
    scenario = study.scenario.model_copy(update={"warm_up": warm_up_s})
    return replace(study, scenario=scenario, notes=(*study.notes, note))


def _changing_part(scenario: Scenario) -> str:
    """Return what of the traffic changes with time; empty if nothing does."""
    traffic = scenario.traffic
    if traffic.trace is not None:
        return "a recorded trace"
    if traffic.spikes:
        return "traffic with spikes"
    for stream in traffic.streams:
        if stream.seasonal or stream.trend or stream.stages:
            return "traffic with seasons, a trend or stages"
        if isinstance(stream.arrivals, Cron):
            return "traffic by the clock"
    scheduled = [one for one in scenario.deployments if one.schedule]
    scheduled += [one for one in scenario.deployments if one.pool and one.pool.schedule]
    return "a pool with a schedule" if scheduled else ""


def _shortened(study: Study) -> Study:
    """Return the study with a horizon of no more requests than are worth looking at."""
    requests = expected_requests(study.scenario, study.trace, study.horizon_s)
    share = min(1.0, _MOST_REQUESTS / requests) if requests else 1.0
    horizon_s = share * study.horizon_s
    scenario = study.scenario.model_copy(update={"horizon": horizon_s})
    return replace(study, scenario=scenario, horizon_s=horizon_s)


def _settling_s(study: Study, which: int) -> float:
    """Return when a deployment's response times have settled. [s]"""
    deployment = study.deployments[which]
    runs = [response_times(study, deployment, k) for k in range(_REPLICATIONS)]
    fewest = min(arrival_s.size for arrival_s, _, _ in runs)
    if not fewest:
        return 0.0
    arrival_s = np.mean([one[0][:fewest] for one in runs], axis=0)
    responses = np.array(
        [
            np.where(outcome == Ended.SERVED, response_s, np.nan)[:fewest]
            for _, response_s, outcome in runs
        ]
    )
    n_served = np.isfinite(responses).sum(axis=0)
    sums = np.nansum(responses, axis=0)
    means = sums[n_served > 0] / n_served[n_served > 0]
    first = mser5(means)
    settled_s = float(arrival_s[n_served > 0][first]) if first else 0.0
    return max(settled_s, _memory_s(study, which))


def _memory_s(study: Study, which: int) -> float:
    """Return twice the idle timeout and a long setup; 0 for a pool that never changes."""
    deployment = study.deployments[which]
    pool = deployment.pool
    if pool.min_replicas == pool.max_replicas:
        return 0.0
    idle_s = pool.idle_timeout if math.isfinite(pool.idle_timeout) else 0.0
    draws = SetupLaw(deployment.setup_plan, study.scenario.seed, 0).draw(0, _LAUNCHES)
    longest_s = np.concatenate([draws.setup_s, draws.miss_setup_s]).max()
    return 2 * idle_s + float(longest_s)
