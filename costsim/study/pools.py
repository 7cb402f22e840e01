"""A scenario's pool in the engine's words, and what the engine refuses told by its key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from costsim.errors import Problem, ScenarioError
from costsim.scenario.pool import Pool
from costsim.scenario.scheduling import CHECKED_S
from costsim.scenario.timetable import timetable
from costsim.spec import RuleError, Spec

if TYPE_CHECKING:
    from datetime import datetime

    from costsim.scenario.deployment import Resolution
    from costsim.scenario.schema import Scenario

_UNITLESS = frozenset(
    {
        *("kind", "metric", "target", "select", "tolerance", "replicas", "fraction"),
        *("target_utilization", "max_scale_down_fraction", "requests_per_replica"),
        *("panic_window_fraction", "panic_threshold", "activation_scale"),
        *("max_scale_up_rate", "max_scale_down_rate", "target_burst_capacity"),
        *("activation_threshold", "high_datapoints", "low_datapoints", "low_fraction"),
    }
)
_PER_SECOND = frozenset({"target_rate"})


def pool_arguments(
    pool: Pool, start: datetime | None = None, horizon_s: float = CHECKED_S
) -> dict[str, Any]:
    """Return a scenario's pool as the keyword arguments of ``simulate_pool``.

    Parameters
    ----------
    pool : Pool
        As the scenario has it.
    start : datetime, optional
        Start of the scenario, for a schedule.
    horizon_s : float
        End of the run: how far a schedule is written out. [s]

    Raises
    ------
    ScenarioError
        If a schedule contradicts itself or the pool; with the key in the pool.
    """
    try:
        bounds = timetable(pool, start, horizon_s)
    except RuleError as error:
        key = ".".join(map(str, ("schedule", *error.key)))
        raise ScenarioError([Problem(str(error), key)]) from None
    limit = pool.rate_limit
    at_zero = (
        pool.at_zero
        if isinstance(pool.at_zero, str)
        else ("hold_for", pool.at_zero.hold_for)
    )
    return {
        "autoscaler": _autoscaler(pool.autoscaler),
        "idle_timeout_s": pool.idle_timeout,
        "min_replicas": bounds.initial.min_replicas,
        "max_replicas": bounds.initial.max_replicas,
        "bounds": list(bounds.changes) or None,
        "concurrency_limit": pool.concurrency_limit,
        "concurrency_target": pool.concurrency_target,
        "buffer_replicas": pool.buffer_replicas,
        "max_queued": pool.max_queued,
        "queue_timeout_s": pool.queue_timeout,
        "rate_limit": None if limit is None else (limit.rate, limit.burst),
        "at_zero": at_zero,
        "binding": pool.binding,
        "cancel_setups": pool.cancel_setups,
        "routing": pool.routing,
        "slowdown": pool.slowdown,
        "failures": _failures(pool),
        "keep_alive": _keep_alive(pool),
        "initial_replicas": pool.initial_replicas,
    }


def _autoscaler(spec: Spec) -> dict[str, Any]:
    """Return an autoscaler in the engine's words: its own, with the unit."""
    parameters: dict[str, Any] = {}
    for name in type(spec).model_fields:
        value = getattr(spec, name)
        if isinstance(value, Spec):
            parameters[name] = _autoscaler(value)
        elif name in _PER_SECOND:
            parameters[f"{name}_per_s"] = value
        else:
            parameters[name if name in _UNITLESS else f"{name}_s"] = value
    return parameters


def _keep_alive(pool: Pool) -> dict[str, Any] | None:
    policy = pool.keep_alive
    if policy is None:
        return None
    return {
        "bin_s": policy.bin,
        "range_s": policy.range,
        "head": policy.head,
        "tail": policy.tail,
        "margin": policy.margin,
        "cv_threshold": policy.cv_threshold,
        "most_out_of_bounds": policy.most_out_of_bounds,
    }


def _failures(pool: Pool) -> dict[str, Any] | None:
    """Return how requests come back; when replicas die is drawn."""
    failures = pool.failures
    if failures is None:
        return None
    return {
        "max_attempts": failures.max_attempts,
        "backoff_s": failures.backoff,
        "backoff_factor": failures.backoff_factor,
    }


def check_pools(scenario: Scenario, resolution: Resolution) -> None:
    """Refuse pools with options that do not go together.

    The rules stand in the engine; here its refusal becomes a problem of the scenario.

    Parameters
    ----------
    scenario : Scenario
        Whose deployments may have written out their pools.
    resolution : Resolution
        The same, resolved, for the pools that platforms' settings make.

    Raises
    ------
    ScenarioError
        With a problem for each pool that the engine does not take.
    """
    made = {one.name: one.pool for one in resolution.deployments}
    problems: list[Problem] = []
    for index, deployment in enumerate(scenario.deployments):
        key, own = f"deployments.{index}", deployment.pool
        pool = own or made.get(deployment.name)
        refusal = pool and _refusal(pool, f"{key}.pool", scenario)
        if refusal:
            # The pool of a platform has no keys of its own in the file.
            in_settings = Problem(refusal.message, f"{key}.settings")
            problems.append(refusal if own else in_settings)
    if problems:
        raise ScenarioError(problems)


def _refusal(pool: Pool, key: str, scenario: Scenario) -> Problem | None:
    """Return why the engine does not take a pool, at the key it names, or None."""
    # The engine is slow to import, and a scenario of platforms alone needs none of it.
    from costsim.simulation.settings import check_settings

    try:
        arguments = pool_arguments(pool, scenario.start, scenario.horizon or CHECKED_S)
        check_settings(**arguments, horizon_s=None, end="drain")
    except ScenarioError as error:
        (problem,) = error.problems
        return Problem(problem.message, f"{key}.{problem.key}")
    except ValueError as error:
        # It begins with the argument's name, which is the key's but for its unit.
        argument, space, rest = str(error).partition(" ")
        name = argument.removesuffix("_s")
        place = f"{key}.{name}" if name in Pool.model_fields else key
        return Problem(f"{name}{space}{rest}", place)
    return None
