"""Scenarios whose cost and p95 are known, and studies of how often intervals hold them.

Closed forms are those of docs/validation.md; prices are 3.6 USD/h, a thousandth of a dollar
for each second of a replica.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from costsim.catalog.platform import load_catalog
from costsim.scenario.deployment import resolve
from costsim.scenario.schema import Scenario
from costsim.study.replicate import replicate
from costsim.study.rows import measured
from costsim.study.run import plan

USD_PER_S = 0.001


@dataclass(frozen=True)
class KnownAnswer:
    """A scenario and what it comes to in the long run."""

    name: str
    rate_per_s: float
    pool: dict[str, Any]
    setup: str
    mean_alive_replicas: float
    p95_s: float
    """Service times are exponential with mean 1 s."""

    def scenario(self, seed: int, requests: int) -> Scenario:
        """Return a scenario with so many requests a replication, about."""
        horizon_s = requests / self.rate_per_s
        return Scenario.model_validate(
            {
                "name": self.name,
                "seed": seed,
                "horizon": f"{horizon_s!r}s",
                # Latencies are those of the steady state; the bill has no warm-up.
                "warm_up": f"{horizon_s / 20!r}s",
                "replications": 10,
                "traffic": {"streams": [{"rate": f"{self.rate_per_s}/s"}]},
                "service": {"time": {"distribution": "exponential", "mean": "1s"}},
                "setup": self.setup,
                "deployments": [
                    {
                        "name": "known",
                        "pool": self.pool,
                        "billing": {"price": "3.6 USD/h", "increment": "0s"},
                    }
                ],
            }
        )

    def cost_usd(self, requests: int) -> float:
        """Return the mean cost of a replication of so many requests."""
        return self.mean_alive_replicas * requests / self.rate_per_s * USD_PER_S


MODELS = (
    # M/M/1 with a setup of 5 s and an idle timeout of 2 s.
    KnownAnswer(
        "one replica to zero",
        0.5,
        {"idle_timeout": "2s", "max_replicas": 1},
        "5s",
        0.904183021,
        9.13153032,
    ),
    # M/M/infinity, most recently used first, idle timeout 5 s, no setup: nobody waits.
    KnownAnswer(
        "a replica a request",
        1.0,
        {"idle_timeout": "5s"},
        "0s",
        2.74334913,
        math.log(20),
    ),
    # One replica without a limit on its slots, setup 5 s, idle timeout 1 s.
    KnownAnswer(
        "one replica for all",
        0.5,
        {"idle_timeout": "1s", "max_replicas": 1, "concurrency_limit": 1_000_000},
        "5s",
        0.436267121 + 0.276019726 + 0.113206305,
        6.66314908,
    ),
)


def coverage(model: KnownAnswer, *, experiments: int, requests: int) -> tuple[int, int]:
    """Return in how many experiments the intervals of cost and of p95 hold the truth."""

    def holds(seed: int) -> tuple[bool, bool]:
        scenario = model.scenario(seed, requests)
        study = plan(scenario, resolve(scenario, load_catalog()).deployments)
        outcomes = [replicate(study, k)[1][0] for k in range(scenario.replications)]
        row = measured(study, study.deployments[0], outcomes).row
        return (
            row.cost_usd_low <= model.cost_usd(requests) <= row.cost_usd_high,
            row.p95_s_low <= model.p95_s <= row.p95_s_high,
        )

    with ThreadPoolExecutor() as pool:
        found = np.array(list(pool.map(holds, range(experiments))))
    cost, p95 = found.sum(axis=0).tolist()
    return cost, p95
