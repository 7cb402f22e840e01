"""Where settings are tried: the same traffic for all, replication by replication."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from costsim.errors import InputError
from costsim.scenario.deployment import resolve
from costsim.study.executor import THREADS, map_tasks, usable_cores
from costsim.study.pools import check_pools
from costsim.study.replicate import replicate
from costsim.study.run import plan
from costsim.study.tune.goal import Trial, sampled
from costsim.traffic.source import arrival_chunks, expected_requests
from costsim.units import SECONDS_PER_MONTH

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from costsim.catalog.platform import Catalog
    from costsim.records import Floats
    from costsim.scenario.deployment import Resolution, ResolvedDeployment
    from costsim.scenario.schema import Deployment, Scenario
    from costsim.study.executor import Workers
    from costsim.study.replicate import Study
    from costsim.study.tune.goal import Goal
    from costsim.traffic.trace import TraceData

_RESPONSES = 4_000_000
"""Response times that one task keeps at once, of all its deployments."""
_MOST_TOGETHER = 16
"""Deployments that share the traffic of one task."""
_SEEN = 5_000_000
"""Requests of which the crowd is told."""


class Lab:
    """Tries deployments on a scenario's traffic.

    Parameters
    ----------
    scenario : Scenario
        Whose traffic it is.
    catalog : Catalog
        Platforms and prices.
    resolution : Resolution
        Its own deployments, of which the warm-up is found if that is asked for.
    workers : Workers
        Where replications run.
    on_progress : callable, optional
        Called with (finished, begun) simulations.
    trace : TraceData, optional
        The scenario's trace if it has been read already.
    before : int
        Simulations that were made elsewhere.
    """

    def __init__(
        self,
        scenario: Scenario,
        catalog: Catalog,
        resolution: Resolution,
        *,
        workers: Workers = THREADS,
        on_progress: Callable[[int, int], None] | None = None,
        trace: TraceData | None = None,
        before: int = 0,
    ) -> None:
        # Response times are kept or not by the length of one replication.
        single = scenario.model_copy(update={"replications": 1})
        self.study = plan(single, resolution.deployments, trace)
        self.simulations = before
        """Deployments times replications so far."""
        self.workers = workers
        self.on_progress = on_progress
        self._catalog = catalog

    @property
    def scenario(self) -> Scenario:
        """The scenario, its warm-up found."""
        return self.study.scenario

    def resolved(self, deployment: Deployment) -> ResolvedDeployment | None:
        """Return a deployment, ready to be tried; None if it is not possible."""
        alone = self.scenario.model_copy(update={"deployments": (deployment,)})
        try:
            resolution = resolve(alone, self._catalog)
            check_pools(alone, resolution)
        except InputError:
            return None
        return resolution.deployments[0]

    def measure(
        self, wanted: Sequence[tuple[ResolvedDeployment, Trial, int]], goal: Goal
    ) -> None:
        """Have each trial reach its number of replications, all on the same traffic."""
        tasks: list[tuple[int, int]] = []
        groups: list[list[tuple[ResolvedDeployment, Trial, int]]] = []
        for group in _alike(wanted, self._together):
            tasks += [(len(groups), k) for k in _lacking(group[0])]
            groups.append(group)
        studies = tuple(
            replace(self.study, deployments=tuple(one for one, _, _ in group))
            for group in groups
        )
        sizes = [len(groups[index]) for index, _ in tasks]
        rows = map_tasks(
            _sample,
            (studies, goal),
            tasks,
            workers=self.workers,
            on_done=self._counting(sizes),
        )
        for (index, _), found in zip(tasks, rows, strict=True):
            for (_, trial, _), row in zip(groups[index], found, strict=True):
                trial.add([row])
        self.simulations += sum(sizes)

    def _counting(self, sizes: list[int]) -> Callable[[int, int], None] | None:
        """Return what is called after each task: it tells progress."""
        tell = self.on_progress
        if tell is None:
            return None
        before, total = self.simulations, sum(sizes)
        # Which task is done is not told; they are of nearly the same size.
        return lambda done, n: tell(before + total * done // n, before + total)

    @property
    def _together(self) -> int:
        n = expected_requests(self.scenario, self.study.trace, self.study.horizon_s)
        return int(min(_MOST_TOGETHER, max(1, _RESPONSES // max(1.0, n))))

    def crowd(self, speed: float, share: float) -> int:
        """Return how many requests are in service at most, if none has to wait.

        Parameters
        ----------
        speed : float
            Service times are divided by it. [1]
        share : float
            Of the time that it holds. [1]
        """
        arrival_s, service_s = self._requests
        if not arrival_s.size:
            return 0
        times = np.concatenate([arrival_s, arrival_s + service_s / speed])
        order = np.argsort(times, kind="stable")
        steps = np.repeat([1, -1], arrival_s.size)[order]
        level = np.cumsum(steps)[:-1]
        held_s = np.bincount(np.maximum(level, 0), np.diff(times[order]))
        # Before the first and after the last request there is nobody.
        held_s[0] += max(0.0, self.study.horizon_s - math.fsum(held_s.tolist()))
        until = np.cumsum(held_s)
        return int(np.searchsorted(until, share * until[-1]))

    def service_quantile_s(self, probability: float) -> float:
        """Return a quantile of the first requests' service times at speed 1. [s]"""
        _, service_s = self._requests
        return float(np.quantile(service_s, probability)) if service_s.size else 0.0

    @cached_property
    def _requests(self) -> tuple[Floats, Floats]:
        """The first requests of the first replication, and their service times. [s]"""
        parts = []
        seen = 0
        for chunk in arrival_chunks(self.scenario, 0, self.study.trace):
            parts.append((chunk.arrival_s, chunk.service_time_s))
            seen += chunk.arrival_s.size
            if seen >= _SEEN:
                break
        if not parts:
            return np.empty(0), np.empty(0)
        arrival_s, service_s = map(np.concatenate, zip(*parts, strict=True))
        return arrival_s, service_s


def _alike(
    wanted: Sequence[tuple[ResolvedDeployment, Trial, int]], most: int
) -> list[list[tuple[ResolvedDeployment, Trial, int]]]:
    """Return what lacks the same replications together, few enough for one task."""
    by_range: dict[range, list[tuple[ResolvedDeployment, Trial, int]]] = {}
    for one in wanted:
        by_range.setdefault(_lacking(one), []).append(one)
    groups = []
    for lacking, several in by_range.items():
        # No core shall wait while another has many deployments to go through.
        fair = math.ceil(len(several) * len(lacking) / (2 * usable_cores()))
        size = max(1, min(most, fair))
        groups += [several[i : i + size] for i in range(0, len(several), size)]
    return groups


def _lacking(wanted: tuple[ResolvedDeployment, Trial, int]) -> range:
    _, trial, n = wanted
    return range(trial.first + trial.n, trial.first + n)


def _sample(
    shared: tuple[tuple[Study, ...], Goal], task: tuple[int, int]
) -> list[Mapping[str, float]]:
    """Return what each deployment of a study did in one replication."""
    studies, goal = shared
    index, replication = task
    study = studies[index]
    months = study.horizon_s / SECONDS_PER_MONTH
    _, outcomes = replicate(study, replication)
    return [sampled(one, months, goal) for one in outcomes]
