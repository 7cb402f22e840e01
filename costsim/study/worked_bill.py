"""One replica's life on a platform, billed by the meter itself: a worked example.

A request meets a pool of one replica with the platform's default settings. The pool goes
through the engine, its records through the meter, so that the example cannot say anything
else than a run would. Plan, credit and free grants are left out: they are a month's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ValidationError

from costsim.billing.bill import Bill, bill
from costsim.billing.meter import measure
from costsim.catalog.lookup import unknown
from costsim.errors import InputError, ScenarioError
from costsim.records import Outcome
from costsim.scenario.deployment import resolve
from costsim.scenario.schema import Scenario
from costsim.simulation.simulate import simulate_pool
from costsim.study.pools import pool_arguments
from costsim.traffic.setups import SetupLaw
from costsim.units import SECONDS_PER_HOUR

if TYPE_CHECKING:
    from costsim.catalog.platform import Catalog, Platform
    from costsim.catalog.quote import PriceSource
    from costsim.catalog.tariff import MeteringRules, Tariff
    from costsim.scenario.deployment import ResolvedDeployment
    from costsim.scenario.pool import Pool
    from costsim.simulation.result import SimulationResult

SERVICE_S = 2.4
"""Time in service of the example's request. [s]"""

SETUP_S = {"provision": 5.0, "image": 10.0, "boot": 3.0, "load": 20.0}
"""Phases of the example's setup, by their names in a scenario. [s]"""

PHASES = {
    "provision": "waiting for capacity",
    "image": "image pull",
    "boot": "container boot",
    "load": "model load",
}
"""The same phases, by their names on a platform's page."""

_WATCHED_S = SECONDS_PER_HOUR
"""What stays up all the time is billed for an hour of it. [s]"""


class NoExampleError(InputError):
    """There is no life to work out: no price, or no request that is served."""


@dataclass(frozen=True)
class LifePart:
    """A part of a replica's life."""

    from_s: float
    """Start, from the request on. [s]"""
    to_s: float
    """End. [s]"""
    phase: str
    """What the replica does."""
    share: float
    """Share of the price that is billed; 0: free. [1]"""

    @property
    def lasts_s(self) -> float:
        """How long it lasts. [s]"""
        return self.to_s - self.from_s


@dataclass(frozen=True)
class WorkedBill:
    """One replica's life and what it costs."""

    what: str
    """The hardware: a GPU, an instance, or the word for a replica."""
    always_on: bool
    """Whether the replica is up before the request and stays; then an hour is billed."""
    tries: int
    """How often the request had to come until it was served."""
    life: tuple[LifePart, ...]
    """The parts of the life, in order."""
    rules: MeteringRules
    """How it is billed."""
    bill: Bill
    """What it costs, line by line."""
    billed_s: float
    """Time billed, rounding included. [s]"""
    usd_per_hour: float
    """Price of a replica-hour. [USD/h]"""
    sources: tuple[PriceSource, ...]
    """Where the prices come from."""

    @property
    def used_s(self) -> float:
        """Time in service. [s]"""
        return SERVICE_S

    @property
    def times_as_much(self) -> float:
        """Time billed for each second used. [1]"""
        return self.billed_s / self.used_s


def worked_bill(
    platform: Platform,
    catalog: Catalog,
    *,
    gpu: str | None = None,
    instance: str | None = None,
    usd_per_hour: float | None = None,
) -> WorkedBill:
    """Return one replica's life on a platform and its bill.

    Parameters
    ----------
    platform : Platform
        One of the catalog.
    catalog : Catalog
        Where it stands.
    gpu, instance : str, optional
        The hardware; the cheapest one with a GPU and a price if left out.
    usd_per_hour : float, optional
        Your own price of it. [USD/h]

    Raises
    ------
    NoExampleError
        If it has no price, or one replica does not serve the request.
    """
    priced = usd_per_hour is not None
    deployment = _hardware(platform, gpu, instance, priced)
    if priced:
        deployment["price"] = f"{usd_per_hour!r} USD/h"
    resolved = _resolved(platform, catalog, deployment)
    what = resolved.instance or resolved.gpu or platform.replica
    return _billed(resolved, what)


def _billed(resolved: ResolvedDeployment, what: str) -> WorkedBill:
    pool = _of_one(resolved.pool)
    result = _lived(pool, resolved)
    law = SetupLaw(resolved.setup_plan, seed=1, replication=0)
    tariff = _of_usage(resolved.tariff)
    usage = measure(
        result,
        tariff.rules,
        min_replicas=pool.min_replicas,
        unbilled_setup_s=law.draw(0, 1).unbilled_s * (result.launches > 0),
    )
    return WorkedBill(
        what=what,
        always_on=pool.min_replicas > 0,
        tries=len(result.requests),
        life=_life(result, resolved, pool),
        rules=tariff.rules,
        bill=bill(usage, tariff, served_requests=1, span_s=result.end_s),
        billed_s=usage.billed_s,
        usd_per_hour=tariff.usd_per_hour,
        sources=resolved.sources,
    )


def _hardware(
    platform: Platform, gpu: str | None, instance: str | None, priced: bool
) -> dict[str, Any]:
    """Return the keys of a deployment that say what its replica is."""
    prices = platform.prices
    named = {"gpu": gpu, "instance": instance}
    chosen = {key: word for key, word in named.items() if word is not None}
    if instance is not None:
        return chosen
    if prices.by_instance:
        return {"instance": _cheapest_instance(platform, gpu, priced)}
    if gpu is None and prices.gpus:
        return {"gpu": _cheapest_gpu(platform, priced)}
    if not priced and not any(prices.items()):
        raise _unpriced(platform, f"{platform.replica}s")
    return chosen


def _cheapest_instance(platform: Platform, gpu: str | None, priced: bool) -> str:
    """Return the cheapest instance with a GPU, or with this one; without if none has."""
    prices = platform.prices
    name = None if gpu is None else prices.gpu_name(gpu)
    if gpu is not None and name is None:
        message = unknown(f"GPU of {platform.title}", gpu, prices.gpu_names)
        raise NoExampleError(message)
    usd = {
        key: one.price if one.price is not None else np.inf
        for key, one in prices.instances.items()
        if (one.price is not None or priced) and name in (None, one.gpu)
    }
    with_gpu = {key: price for key, price in usd.items() if prices.instances[key].gpu}
    if not usd:
        raise _unpriced(platform, f"{platform.replica}s")
    return min(with_gpu or usd, key=usd.__getitem__)


def _cheapest_gpu(platform: Platform, priced: bool) -> str:
    """Return the cheapest GPU that is priced by itself."""
    usd = {
        name: one.price if one.price is not None else np.inf
        for name, one in platform.prices.gpus.items()
        if one.price is not None or priced
    }
    if not usd:
        raise _unpriced(platform, "GPUs")
    return min(usd, key=usd.__getitem__)


def _unpriced(platform: Platform, what: str) -> NoExampleError:
    message = (
        f"the catalog has no price of {_genitive(platform.title)} {what}; give yours, "
        "such as --price '2 USD/h'"
    )
    return NoExampleError(message)


def _genitive(name: str) -> str:
    return f"{name}'" if name.endswith("s") else f"{name}'s"


def _resolved(
    platform: Platform, catalog: Catalog, deployment: dict[str, Any]
) -> ResolvedDeployment:
    """Return a deployment with default settings and the example's setup."""
    fields = {
        "name": "worked example",
        "horizon": f"{_WATCHED_S:g}s",
        "traffic": {"streams": [{"rate": "1/h"}]},
        "service": {"time": f"{SERVICE_S}s"},
        "setup": {"phases": {name: f"{t:g}s" for name, t in SETUP_S.items()}},
        "deployments": [{"name": "example", "platform": platform.name, **deployment}],
    }
    try:
        return resolve(Scenario.model_validate(fields), catalog).deployments[0]
    except ScenarioError as error:
        reasons = "; ".join(problem.message for problem in error.problems)
        raise NoExampleError(reasons) from None
    except ValidationError as error:
        fault = error.errors()[0]
        message = f"{fault['loc'][-1]}: {fault['msg'].lower()}"
        raise NoExampleError(message) from None


def _of_one(pool: Pool) -> Pool:
    """Return a pool with a single replica: kept at all times if it keeps any."""
    return pool.model_copy(
        update={
            "min_replicas": min(pool.min_replicas, 1),
            "max_replicas": 1,
            "initial_replicas": None,
        }
    )


def _of_usage(tariff: Tariff) -> Tariff:
    """Return a tariff without what is counted by the month: plan, credit, free grants."""
    return replace(
        tariff,
        components=tuple(
            replace(part, free_hours_per_month=0.0) for part in tariff.components
        ),
        free_requests_per_month=0.0,
        monthly_fee_usd=0.0,
        monthly_credit_usd=0.0,
    )


def _lived(pool: Pool, resolved: ResolvedDeployment) -> SimulationResult:
    """Return the records of a request's pool; what was turned away at zero comes again.

    Raises
    ------
    NoExampleError
        If the request is not served by one replica.
    """
    setup_s = sum(SETUP_S.values())
    for arrival_s in ([0.0], [0.0, setup_s]):
        result = simulate_pool(
            arrival_s,
            [SERVICE_S] * len(arrival_s),
            [setup_s] * 10,
            **pool_arguments(pool, horizon_s=_WATCHED_S),
            horizon_s=_WATCHED_S,
            setup_mixture=resolved.setup_plan.mixture,
        )
        served = result.requests["outcome"] == Outcome.SERVED
        if served.sum() == len(result.replicas) == 1:
            return result
    message = "with the default settings no single replica serves a single request"
    raise NoExampleError(message)


def _life(
    result: SimulationResult, resolved: ResolvedDeployment, pool: Pool
) -> tuple[LifePart, ...]:
    """Return the parts of the only replica's life."""
    (replica,) = result.replicas
    request = result.requests[-1]
    rules = resolved.tariff.rules
    launch_s, stop_s = float(replica["launch_s"]), float(replica["stop_s"])
    parts = [LifePart(0.0, launch_s, "not launched yet", 0.0)]
    if result.launches:
        parts += _setup(launch_s, resolved)
    idle, serving = _shares(rules, kept=pool.min_replicas > 0)
    start_s, end_s = float(request["start_s"]), float(request["departure_s"])
    parts += [
        LifePart(float(replica["ready_s"]), start_s, "idle", idle),
        LifePart(start_s, end_s, "serving", serving),
    ]
    if np.isnan(stop_s):
        parts.append(LifePart(end_s, result.end_s, "idle", idle))
    else:
        gone_s = stop_s + rules.release_lag_s
        parts.append(LifePart(end_s, stop_s, "idle", idle))
        parts.append(LifePart(stop_s, gone_s, "release of the machine", 1.0))
    return tuple(part for part in parts if part.to_s > part.from_s)


def _setup(launch_s: float, resolved: ResolvedDeployment) -> list[LifePart]:
    """Return the phases of the setup."""
    parts: list[LifePart] = []
    for phase in resolved.setup_plan.hit.phases:
        from_s = parts[-1].to_s if parts else launch_s
        share = 1.0 if phase.billed else 0.0
        to_s = from_s + SETUP_S[phase.name]
        parts.append(LifePart(from_s, to_s, PHASES[phase.name], share))
    return parts


def _shares(rules: MeteringRules, *, kept: bool) -> tuple[float, float]:
    """Return the shares of the price of idle and of busy time. [1]"""
    if kept:
        idle = rules.min_idle_rate if rules.min_idle_billed else 0.0
        return idle, rules.min_busy_rate
    by_request = rules.scope == "request"
    return 0.0 if by_request else float(rules.idle_billed), 1.0
