"""costsim: what would each way of serving this traffic cost, and how slow would it be?

The public names are imported on first use (PEP 562), so that ``costsim --help`` does not
pay for numba.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from costsim import queueing
    from costsim.billing.meter import metered_s
    from costsim.catalog.platform import load_catalog
    from costsim.errors import CostsimError, CostsimWarning
    from costsim.scenario.load import load_scenario
    from costsim.scenario.schema import Scenario
    from costsim.simulation.result import SimulationResult
    from costsim.simulation.simulate import simulate_pool
    from costsim.study.breakeven.study import breakeven
    from costsim.study.compare import compare
    from costsim.study.result import RunResult
    from costsim.study.run import run
    from costsim.study.sweep.result import SweepResult
    from costsim.study.sweep.sweep import sweep
    from costsim.study.tune.result import TuneResult
    from costsim.study.tune.tuning import tune

_HOME = {
    "CostsimError": "costsim.errors",
    "CostsimWarning": "costsim.errors",
    "RunResult": "costsim.study.result",
    "Scenario": "costsim.scenario.schema",
    "SimulationResult": "costsim.simulation.result",
    "SweepResult": "costsim.study.sweep.result",
    "TuneResult": "costsim.study.tune.result",
    "breakeven": "costsim.study.breakeven.study",
    "compare": "costsim.study.compare",
    "load_catalog": "costsim.catalog.platform",
    "load_scenario": "costsim.scenario.load",
    "metered_s": "costsim.billing.meter",
    "run": "costsim.study.run",
    "simulate_pool": "costsim.simulation.simulate",
    "sweep": "costsim.study.sweep.sweep",
    "tune": "costsim.study.tune.tuning",
}

__all__ = [
    "CostsimError",
    "CostsimWarning",
    "RunResult",
    "Scenario",
    "SimulationResult",
    "SweepResult",
    "TuneResult",
    "breakeven",
    "compare",
    "load_catalog",
    "load_scenario",
    "metered_s",
    "queueing",
    "run",
    "simulate_pool",
    "sweep",
    "tune",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the type depends on the name
    if name == "queueing":
        return import_module("costsim.queueing")
    if name not in _HOME:
        message = f"module 'costsim' has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
