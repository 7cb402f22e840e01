"""A small scenario to sweep, and what a sweep left behind."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from costsim.study.executor import Workers
from costsim.study.sweep.sweep import sweep

if TYPE_CHECKING:
    from collections.abc import Mapping
    from multiprocessing.synchronize import Event
    from pathlib import Path

SCENARIO: dict[str, Any] = {
    "name": "small",
    "seed": 3,
    "horizon": "2h",
    "replications": 2,
    "traffic": {"streams": [{"rate": "60/h"}]},
    "service": {"time": "2s"},
    "setup": "10s",
    "slo": {"p95": "13s"},
    "deployments": [
        {
            "name": "own",
            "pool": {"idle_timeout": "60s"},
            "billing": {"price": "3.6 USD/h", "increment": "0s"},
        },
        {
            "name": "always on",
            "pool": {
                "autoscaler": {"kind": "fixed"},
                "min_replicas": 1,
                "max_replicas": 1,
            },
            "billing": {"price": "3.6 USD/h", "increment": "0s"},
        },
    ],
}
VARY = {
    "deployments.own.pool.idle_timeout": "1s..10m:12:log",
    "replications": "2,3",
}
"""24 points."""


def write_scenario(folder: Path, keys: Mapping[str, Any] = SCENARIO) -> Path:
    """Write a scenario file, JSON being YAML; return its path."""
    path = folder / "scenario.yaml"
    path.write_text(json.dumps(keys, indent=1, ensure_ascii=False), "utf-8")
    return path


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder but the lock, by its name."""
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name != ".lock"
    }


def sweep_alone(
    scenario: Path, vary: Mapping[str, str], out: Path, begun: Event | None = None
) -> None:
    """Sweep in one thread, for a process that is killed; tell that it has begun."""
    if begun is not None:
        begun.set()
    sweep(scenario, vary, out=out, workers=Workers(1))
