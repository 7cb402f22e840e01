"""One small answer of every study, for tests of what answers become."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from small_study import always_on, own, small

from costsim import breakeven, compare, run, sweep, tune

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from costsim.study.exports import Exports


def written(folder: Path, name: str, **other: Any) -> Path:
    """Return a file of a small scenario with two deployments, the first of this name."""
    scenario = small(
        own(name, idle_timeout="20s"), always_on(), slo={"p95": "8s"}, **other
    )
    path = folder / "small.yaml"
    path.write_text(
        # YAML knows no pairs of escapes for one character.
        json.dumps(
            scenario.model_dump(mode="json", exclude_none=True), ensure_ascii=False
        ),
        "utf-8",
    )
    return path


def _breakeven(folder: Path, name: str) -> Exports:
    return breakeven(
        written(folder, name), over="requests=100..4000", overrides=["replications=2"]
    )


def _compare(folder: Path, name: str) -> Exports:
    longer = small(own(name, idle_timeout="90s"), always_on(), name=name)
    return compare(run(small(own(name, idle_timeout="20s"), always_on())), run(longer))


def _sweep(folder: Path, name: str) -> Exports:
    # Replications are no key of a deployment, whose name a key could not have.
    return sweep(
        written(folder, name),
        {"deployments.0.pool.idle_timeout": ["5s", "1m"], "replications": ["2", "3"]},
    )


def _tune(folder: Path, name: str) -> Exports:
    scenario = small(
        own(name, idle_timeout="20s"), always_on(), name=name, slo={"p95": "8s"}
    )
    return tune(scenario, replications=4)


STUDIES: dict[str, Callable[[Path, str], Exports]] = {
    "breakeven": _breakeven,
    "compare": _compare,
    "sweep": _sweep,
    "tune": _tune,
}
"""From a folder and a deployment's name to an answer."""
