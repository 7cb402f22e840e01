"""A log and models of it through the same pools: what they cost, and how slow they are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ValidationError

from costsim.catalog.platform import load_catalog
from costsim.errors import CostsimError
from costsim.scenario.deployment import resolve
from costsim.scenario.schema import Scenario
from costsim.simulation.quantiles import PERCENTS, histogram_quantiles
from costsim.study.replicate import Study, replicate
from costsim.traffic.burstiness import BurstinessMeter
from costsim.traffic.source import arrival_chunks, expected_requests
from costsim.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from costsim.catalog.platform import Catalog
    from costsim.study.replicate import Outcome
    from costsim.traffic.burstiness import Burstiness
    from costsim.traffic.trace import TraceData

SEEDS = 5
"""Seeds that a model is simulated with, at least, and a log replayed."""
_TOO_MANY, _FEW = 5.0, 1000.0
_MOST_RUNS = 20
_REQUESTS_WORTH = 1_000_000
IDLE_TIMEOUTS_S = (60.0, 300.0)
"""Idle timeouts of the reference pools. [s]"""
SETUP = {"distribution": "lognormal", "median": "30s", "sigma": 0.3}
"""Setup time that is assumed where nobody says."""
COST_LIMIT, P95_LIMIT, COLD_LIMIT = 0.10, 0.10, 0.20
"""Largest relative errors of a model that can be used. [1]"""
FEWEST_COLD_STARTS = 10
"""With fewer in the log's replay their share is not compared but for the verdict."""
_FAR = 2.0
"""Standard deviations beyond which an error is no luck."""
_ALIKE = 0.25
"""Errors below this share of what is allowed are none."""
_FEWEST_FOR_SPREAD = 4
_COLD = 2
"""Which of the three errors is that of cold starts."""
_P95 = PERCENTS.index(95)


@dataclass(frozen=True)
class Measured:
    """What a pool did with some traffic: means over realizations or seeds."""

    requests: float
    """Requests that arrived."""
    cost_usd: float
    """Cost over the horizon. [USD]"""
    cost_usd_per_1k_requests: float
    """All costs over all requests. [USD]"""
    p95_s: float
    """95 % quantile of all response times. [s]"""
    cold_start_fraction: float
    """Share of requests that waited for a replica that was starting."""
    cold_starts: float = math.nan
    """How many of them there were."""


@dataclass(frozen=True)
class PoolCheck:
    """The log and the model on one pool; errors are relative, model over log less one."""

    deployment: str
    """Name of the pool."""
    log: Measured
    """The replay."""
    model: Measured
    """The model, over all seeds."""
    model_cost_usd: tuple[float, float]
    """Lowest and highest cost of a seed. [USD]"""
    model_p95_s: tuple[float, float]
    """Lowest and highest 95 % quantile of a seed. [s]"""
    model_cold_start_fraction: tuple[float, float]
    """Lowest and highest share of cold requests of a seed."""
    spread: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Standard deviations of the three errors from one seed to the next: how far off one
    run of the model is of what it is on average, and the log is one run."""

    @property
    def cost_error(self) -> float:
        """Of the cost of a request."""
        return relative_error(
            self.model.cost_usd_per_1k_requests, self.log.cost_usd_per_1k_requests
        )

    @property
    def p95_error(self) -> float:
        """Of the 95 % quantile of response times."""
        return relative_error(self.model.p95_s, self.log.p95_s)

    @property
    def cold_error(self) -> float:
        """Of the share of cold requests."""
        return relative_error(
            self.model.cold_start_fraction, self.log.cold_start_fraction
        )

    @property
    def errors(self) -> tuple[float, float, float]:
        """The three errors in units of what is allowed, without their signs."""
        return (
            abs(self.cost_error) / COST_LIMIT,
            abs(self.p95_error) / P95_LIMIT,
            abs(self.cold_error) / COLD_LIMIT,
        )

    @property
    def badness(self) -> float:
        """The largest of them: at most 1 is good enough."""
        return max(self.errors)

    @property
    def few_cold_starts(self) -> bool:
        """Whether the log's cold starts are so few that their share is luck."""
        return self.log.cold_starts < FEWEST_COLD_STARTS

    @property
    def telling_errors(self) -> tuple[float, float, float]:
        """The errors that models are chosen by: a handful of cold starts tells little."""
        cost, p95, cold = self.errors
        if self.few_cold_starts:
            least = max(1.0, self.log.cold_starts)
            apart = abs(self.model.cold_starts - self.log.cold_starts)
            cold = apart / max(COLD_LIMIT * least, _FAR * math.sqrt(least))
        return cost, p95, cold

    @property
    def telling_badness(self) -> float:
        """The largest of these."""
        return max(self.telling_errors)

    @property
    def loss(self) -> float:
        """Sum of their squares: smoother than the largest."""
        return sum(one * one for one in self.telling_errors)

    @property
    def is_luck(self) -> bool:
        """Whether the log could be one run of the model: no error is beyond its spread."""
        errors = (self.cost_error, self.p95_error, self.cold_error)
        limits = (COST_LIMIT, P95_LIMIT, COLD_LIMIT)
        return all(
            abs(error) <= max(_FAR * spread, _ALIKE * limit)
            or (i == _COLD and self.few_cold_starts and self.telling_errors[i] <= 1.0)
            for i, (error, spread, limit) in enumerate(
                zip(errors, self.spread, limits, strict=True)
            )
        )


def reference_deployments(
    idle_timeouts_s: Sequence[float] = IDLE_TIMEOUTS_S,
) -> list[dict[str, Any]]:
    """Return pools without any vendor's rules, one for each idle timeout [s].

    One request on a replica at a time, launched on demand, 1 USD/h for its whole life.
    """
    return [
        {
            "name": f"idle timeout {format_duration(idle_s)}",
            "pool": {"idle_timeout": f"{idle_s!r}s"},
            "billing": {"price": "1 USD/h", "increment": "0s"},
        }
        for idle_s in idle_timeouts_s
    ]


def relative_error(model: float, log: float) -> float:
    """Return model over log, less one; 0 if both are 0 or neither is known. [1]"""
    if model == log or (math.isnan(model) and math.isnan(log)):
        return 0.0
    if log == 0 or math.isnan(log) or math.isnan(model):
        return math.inf
    return model / log - 1.0


def runs_worth(n_requests: int) -> int:
    """Return how often traffic is simulated: of a short log one run tells little.

    The log, too: its setups and service times are drawn anew each time, and requests of
    bins scattered.
    """
    return max(SEEDS, min(_MOST_RUNS, _REQUESTS_WORTH // max(1, n_requests)))


class Bench:
    """Pools that traffic is sent through: the log once, then any number of models.

    Parameters
    ----------
    trace : TraceData
        The log.
    service : mapping
        The scenario's ``service`` section, for the log and for models.
    start : str, optional
        The scenario's ``start``, if the models need a calendar.
    horizon_s : float
        The scenario's ``horizon``. [s]
    deployments : sequence of mapping, optional
        The scenario's ``deployments``; reference pools if left out.
    setup : optional
        The scenario's ``setup``; log-normal with a median of 30 s if left out.
    catalog : Catalog, optional
        Platforms and prices; the shipped ones if None.
    seed : int
        Of the log's scatter and of the models.
    log_service : mapping, optional
        Another ``service`` section for the log: the work that it recorded.
    """

    def __init__(
        self,
        trace: TraceData,
        service: Mapping[str, Any],
        *,
        start: str | None,
        horizon_s: float,
        deployments: Sequence[Mapping[str, Any]] | None = None,
        setup: Any = None,  # noqa: ANN401 - as the scenario has it
        catalog: Catalog | None = None,
        seed: int = 1,
        log_service: Mapping[str, Any] | None = None,
    ) -> None:
        self._trace = trace
        self._log_service = dict(log_service or service)
        self._common: dict[str, Any] = {
            "seed": seed,
            "start": start,
            "horizon": horizon_s,
            "service": dict(service),
            "setup": setup or SETUP,
            "deployments": list(deployments or reference_deployments()),
        }
        self._catalog = load_catalog() if catalog is None else catalog
        self.n_requests = trace.n_requests
        self.realizations = runs_worth(self.n_requests)
        self._log: _Run | None = None

    @property
    def log(self) -> _Run:
        """What the log does."""
        if self._log is None:
            self._log = self.run({"trace": {"path": "log"}}, self.realizations)
        return self._log

    def compare(self, traffic: Mapping[str, Any], seeds: int) -> tuple[PoolCheck, ...]:
        """Return the log and a model on each pool."""
        model = self.run(traffic, seeds)
        return tuple(
            _pool_check(name, log, other)
            for name, log, other in zip(
                model.names, self.log.outcomes, model.outcomes, strict=True
            )
        )

    def try_out(
        self, traffic: Mapping[str, Any], seeds: int
    ) -> tuple[PoolCheck, ...] | None:
        """Return the same, or None if the model cannot be simulated."""
        try:
            study = self._study(traffic)
            expected = expected_requests(study.scenario, None, study.horizon_s)
            if expected > _TOO_MANY * self.n_requests + _FEW:
                return None
            return self.compare(traffic, seeds)
        except (CostsimError, ValidationError):
            return None

    def run(self, traffic: Mapping[str, Any], times: int) -> _Run:
        """Send traffic through the pools some times."""
        study = self._study(traffic)
        finished = [replicate(study, number)[1] for number in range(times)]
        names = [one.name for one in study.deployments]
        return _Run(names, [[one[i] for one in finished] for i in range(len(names))])

    def burstiness(
        self, traffic: Mapping[str, Any] | None, times: int
    ) -> list[Burstiness]:
        """Return what the log (None) or a model is like, some times."""
        study = self._study(traffic or {"trace": {"path": "log"}})
        found = []
        for number in range(times):
            meter = BurstinessMeter(study.horizon_s)
            for chunk in arrival_chunks(study.scenario, number, study.trace):
                meter.add(chunk.arrival_s)
            found.append(meter.result())
        return found

    def _study(self, traffic: Mapping[str, Any]) -> Study:
        content = {"name": "check", "traffic": traffic, **self._common}
        if "trace" in traffic:
            content["service"] = self._log_service
        scenario = Scenario.model_validate(content)
        trace = self._trace if scenario.traffic.trace is not None else None
        deployments = resolve(scenario, self._catalog).deployments
        return Study(
            scenario,
            deployments,
            trace,
            float(scenario.horizon or 0.0),
            keep_responses=False,
        )


@dataclass(frozen=True, eq=False)
class _Run:
    names: list[str]
    outcomes: list[list[Outcome]]
    """By pool, then by realization or seed."""


def _pool_check(name: str, log: list[Outcome], model: list[Outcome]) -> PoolCheck:
    each = [_measured([one]) for one in model]
    whole = _measured(log)
    return PoolCheck(
        name,
        whole,
        _measured(model),
        _range([one.cost_usd for one in each]),
        _range([one.p95_s for one in each]),
        _range([one.cold_start_fraction for one in each]),
        (
            _spread(
                [one.cost_usd_per_1k_requests for one in each],
                whole.cost_usd_per_1k_requests,
            ),
            _spread([one.p95_s for one in each], whole.p95_s),
            _spread(
                [one.cold_start_fraction for one in each], whole.cold_start_fraction
            ),
        ),
    )


def _measured(outcomes: list[Outcome]) -> Measured:
    measures = [one.measures for one in outcomes]
    cost_usd = math.fsum(one.bill.total_usd for one in outcomes)
    requests = sum(one.requests for one in measures)
    measured = sum(one.measured for one in measures)
    counted = [one.histogram for one in measures if one.histogram is not None]
    responses = np.sum(counted, axis=0)
    cold = sum(one.cold for one in measures)
    return Measured(
        requests / len(outcomes),
        cost_usd / len(outcomes),
        1000.0 * cost_usd / requests if requests else math.nan,
        histogram_quantiles(responses)[_P95] if measured else math.nan,
        cold / measured if measured else math.nan,
        cold / len(outcomes),
    )


def _spread(values: list[float], log: float) -> float:
    """Return the standard deviation of values, relative to the log's; 0 if unknown."""
    known = [one for one in values if math.isfinite(one)]
    if len(known) < _FEWEST_FOR_SPREAD or not log > 0:
        return 0.0
    return float(np.std(known, ddof=1)) / log


def _range(values: list[float]) -> tuple[float, float]:
    return min(values), max(values)
