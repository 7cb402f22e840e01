"""What worker processes have loaded when they begin; importing this module does it, once.

The process that they are copied from imports it: the engine, its compiled code and what a
small run needs. It takes about a second, and half a minute where nothing has been compiled
yet.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

_SPREAD: dict[str, Any] = {"distribution": "lognormal", "median": "1s", "sigma": 0.5}
_SMALL: dict[str, Any] = {
    "name": "warm",
    "horizon": "1m",
    "replications": 1,
    "traffic": {"streams": [{"rate": "1/s"}]},
    "service": {"time": _SPREAD},
    "setup": _SPREAD,
    "deployments": [{"name": "own", "pool": {}, "billing": {"price": "1 USD/h"}}],
}


def _warm() -> None:
    """Simulate a minute: compiled code is loaded when it is called first."""
    from costsim.catalog.platform import load_catalog
    from costsim.scenario.deployment import resolve
    from costsim.scenario.schema import Scenario
    from costsim.study.replicate import replicate
    from costsim.study.rows import measured
    from costsim.study.run import plan

    scenario = Scenario.model_validate(_SMALL)
    study = plan(scenario, resolve(scenario, load_catalog()).deployments)
    _, outcomes = replicate(study, 0)
    measured(study, study.deployments[0], outcomes)


# Whatever goes wrong here goes wrong again where it can be told.
with suppress(Exception):
    _warm()
