"""Logs that are simulated, so that what an estimator should find is known."""

from typing import Any

import numpy as np
from whole_traffic import generate

from costsim.scenario.schema import Scenario
from costsim.traffic.trace import TraceData

DAY = 86_400.0


def arrivals_of(
    process: dict[str, Any],
    *,
    rate: str,
    horizon_s: float,
    seed: int = 5,
    start: str | None = None,
    spikes: Any = (),
    **stream: Any,
) -> np.ndarray:
    """Return the arrivals of one stream, the first of them not moved to 0. [s]"""
    scenario = Scenario.model_validate(
        {
            "name": "log",
            "seed": seed,
            "start": start,
            "horizon": horizon_s,
            "traffic": {
                "streams": [
                    {"name": "users", "rate": rate, "arrivals": process, **stream}
                ],
                "spikes": list(spikes),
            },
            "service": {"time": "1s"},
            "deployments": [
                {"name": "one", "pool": {}, "billing": {"price": "1 USD/h"}}
            ],
        }
    )
    return generate(scenario, 0).arrival_s


def log_of(process: dict[str, Any], **other: Any) -> TraceData:
    """Return the same as a log."""
    arrival_s = arrivals_of(process, **other)
    return TraceData(arrival_s - arrival_s[0])
