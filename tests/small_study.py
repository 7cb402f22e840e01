"""Small scenarios for tests of whole runs: two hours, a request a minute, own prices."""

from typing import Any

from costsim.scenario.schema import Scenario
from costsim.study.compare import run
from costsim.study.result import DeploymentRow, RunResult


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
