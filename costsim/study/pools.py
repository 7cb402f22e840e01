"""A scenario's pool in the engine's words, and what the engine refuses told by its key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from costsim.errors import Problem, ScenarioError
from costsim.scenario.pool import Pool

if TYPE_CHECKING:
    from costsim.scenario.schema import Scenario

_UNITLESS = frozenset(
    {"kind", "target_utilization", "max_scale_down_fraction", "requests_per_replica"}
)


def pool_arguments(pool: Pool) -> dict[str, Any]:
    """Return a scenario's pool as the keyword arguments of ``simulate_pool``."""
    autoscaler: dict[str, Any] = {}
    for name in type(pool.autoscaler).model_fields:
        key = name if name in _UNITLESS else f"{name}_s"
        autoscaler[key] = getattr(pool.autoscaler, name)
    limit = pool.rate_limit
    at_zero = (
        pool.at_zero
        if isinstance(pool.at_zero, str)
        else ("hold_for", pool.at_zero.hold_for)
    )
    return {
        "autoscaler": autoscaler,
        "idle_timeout_s": pool.idle_timeout,
        "min_replicas": pool.min_replicas,
        "max_replicas": pool.max_replicas,
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
        "initial_replicas": pool.initial_replicas,
    }


def check_pools(scenario: Scenario) -> None:
    """Refuse pools with options that do not go together.

    The rules stand in the engine; here its refusal becomes a problem of the scenario.

    Raises
    ------
    ScenarioError
        With a problem for each pool that the engine does not take.
    """
    problems = [
        problem
        for index, deployment in enumerate(scenario.deployments)
        if deployment.pool is not None
        and (problem := _refusal(deployment.pool, f"deployments.{index}.pool"))
    ]
    if problems:
        raise ScenarioError(problems)


def _refusal(pool: Pool, key: str) -> Problem | None:
    """Return why the engine does not take a pool, at the key it names, or None."""
    # The engine is slow to import, and a scenario of platforms alone needs none of it.
    from costsim.simulation.settings import check_settings

    try:
        check_settings(
            **pool_arguments(pool),
            horizon_s=None,
            end="drain",
            slowdown=0.0,
            bounds=None,
        )
    except ValueError as error:
        # It begins with the argument's name, which is the key's but for its unit.
        argument, space, rest = str(error).partition(" ")
        name = argument.removesuffix("_s")
        place = f"{key}.{name}" if name in Pool.model_fields else key
        return Problem(f"{name}{space}{rest}", place)
    return None
