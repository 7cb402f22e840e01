"""Small scenarios for tests of whole runs: two hours, a request a minute, own prices."""

from typing import Any

from costsim.scenario.schema import Scenario
from costsim.study.result import DeploymentRow, RunResult
from costsim.study.run import run

ROW_NAMES = [
    "deployment", "platform", "gpu", "replications", "requests", "served", "rejected",
    "timed_out", "failed", "cost_usd", "cost_usd_low", "cost_usd_high", "cost_usd_per_month",
    "cost_usd_per_1k_requests", "busy_usd", "idle_usd", "setup_usd", "rounding_usd",
    "fees_usd", "credits_usd", "mean_s", "p50_s", "p90_s", "p95_s", "p95_s_low",
    "p95_s_high", "p99_s", "mean_wait_s", "cold_start_fraction", "launches",
    "over_slo_fraction", "utilization", "mean_ready_replicas", "peak_replicas",
    "replica_hours", "meets_slo", "perfect_usd",
]  # fmt: skip
"""What scripts rely on: the columns of a result, in their order."""


def own(
    name: str = "own", *, price: str = "3.6 USD/h", billing: Any = None, **pool: Any
) -> dict[str, Any]:
    """Return a deployment in costsim's words; keywords are those of its pool."""
    return {
        "name": name,
        "pool": pool,
        "billing": {"price": price, "increment": "0s", **(billing or {})},
    }


def always_on(name: str = "always on", n: int = 1, **other: Any) -> dict[str, Any]:
    """Return a deployment of n replicas that never stop."""
    return own(
        name, autoscaler={"kind": "fixed"}, min_replicas=n, max_replicas=n, **other
    )


def small(*deployments: dict[str, Any], **other: Any) -> Scenario:
    """Return a small scenario of these deployments; keywords replace its keys."""
    keys = {
        "name": "small",
        "seed": 3,
        "horizon": "2h",
        "replications": 3,
        "traffic": {"streams": [{"name": "users", "rate": "60/h"}]},
        "service": {"time": "2s"},
        "setup": "10s",
        "deployments": list(deployments or (own(), always_on())),
    }
    keys.update(other)
    return Scenario.model_validate(keys)


def batches(every: str, batch_size: int = 1) -> dict[str, Any]:
    """Return traffic by the clock: so many requests at once, the first after a period."""
    arrivals = {"process": "cron", "every": every, "batch_size": batch_size}
    return {"streams": [{"name": "clock", "arrivals": arrivals}]}


def answer(*deployments: dict[str, Any], **other: Any) -> RunResult:
    """Return the result of a small scenario."""
    return run(small(*deployments, **other))


def only_row(deployment: dict[str, Any], **other: Any) -> DeploymentRow:
    """Return the row of a small scenario's one deployment."""
    (row,) = answer(deployment, **other).rows
    return row
