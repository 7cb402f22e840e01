"""Scenarios or saved results side by side: what differs, and whether that is certain."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from costsim import __version__
from costsim.errors import InputError
from costsim.study.differences import Difference, Sampled, difference
from costsim.study.exports import Exports
from costsim.study.saved import read_saved
from costsim.yaml_source import shorten

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from costsim.study.gates import Judged
    from costsim.study.result import RunResult

MEASURES = (
    *("cost_usd_per_month", "mean_s", "p50_s", "p90_s", "p95_s", "p99_s"),
    *("over_slo_fraction", "cold_start_fraction", "lost_fraction"),
)
"""What is compared."""

SCHEMA_VERSION = 1
"""Of the JSON form; additions keep it, anything else raises it."""
_ROUNDING = 1e-12
_OF_TRAFFIC = ("seed", "start", "horizon", "warm_up", "traffic", "service")
"""Keys of a scenario that decide which requests come, and with how much work."""


@dataclass(frozen=True)
class Side:
    """The answer to one scenario, as far as it is compared."""

    label: str
    """Where it comes from, for people."""
    scenario: str
    """Name of the scenario."""
    cheapest: str | None
    """The deployment that its verdict chooses."""
    deployments: Mapping[str, Mapping[str, Sampled]]
    """Measures by deployment."""
    traffic: Mapping[str, Any]
    """What decides the requests; equal: replications can be paired."""


@dataclass(frozen=True)
class Change:
    """How one measure of a deployment differs."""

    measure: str
    """Such as ``p95_s``."""
    before: float
    after: float
    difference: Difference

    @property
    def is_same(self) -> bool:
        """Whether it is the same in every replication, as far as is known."""
        found = self.difference.absolute
        # Sums of the same numbers in another order differ in their last digits.
        nothing = _ROUNDING * max(abs(self.before), abs(self.after))
        return abs(found.value) <= nothing and not found.half_width > nothing


@dataclass(frozen=True)
class Pair:
    """A deployment on both sides."""

    before: str
    """Its name in the first."""
    after: str
    """Its name in the second."""
    changes: tuple[Change, ...]

    @property
    def is_same(self) -> bool:
        """Whether nothing differs in any replication."""
        return all(one.is_same for one in self.changes)


@dataclass(frozen=True)
class Comparison(Exports):
    """What differs between a first answer and another one."""

    kind = "compare"

    first: Side
    second: Side
    paired: bool
    """Whether both met the same traffic, so that differences are taken replication by
    replication."""
    pairs: tuple[Pair, ...]
    only_first: tuple[str, ...]
    """Deployments that the second does not have."""
    only_second: tuple[str, ...]
    """Deployments that the first does not have."""

    def to_rows(self) -> list[dict[str, Any]]:
        """Return one dict for each deployment and measure; what is not known is None."""
        return [
            {
                "first": self.first.label,
                "second": self.second.label,
                "deployment": pair.before,
                "deployment_second": pair.after,
                "measure": change.measure,
                "before": _known(change.before),
                "after": _known(change.after),
                **_spread("change", change.difference.absolute),
                **_spread("change_fraction", change.difference.relative),
                "noise": change.difference.is_noise,
                "paired": self.paired,
            }
            for pair in self.pairs
            for change in pair.changes
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--format json`` prints: no NaN, no infinity."""
        return Comparisons((self,), ((),)).to_dict()

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Return the changes."""
        return {"changes": self.to_rows()}


@dataclass(frozen=True)
class Comparisons(Exports):
    """One answer against several others, and how these do at gates."""

    kind = "compare"

    comparisons: tuple[Comparison, ...]
    """One for each other answer."""
    judged: tuple[tuple[Judged, ...], ...]
    """How the deployments of each do at gates."""

    def to_rows(self) -> list[dict[str, Any]]:
        """Return the rows of all of them."""
        return [row for one in self.comparisons for row in one.to_rows()]

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--format json`` prints: no NaN, no infinity."""
        return {
            "schema_version": SCHEMA_VERSION,
            "costsim_version": __version__,
            "comparisons": [
                {
                    "first": one.first.label,
                    "second": one.second.label,
                    "paired": one.paired,
                    "only_first": list(one.only_first),
                    "only_second": list(one.only_second),
                    "gates": [_gate_record(gate) for gate in some],
                    "changes": one.to_rows(),
                }
                for one, some in zip(self.comparisons, self.judged, strict=True)
            ],
        }

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Return the changes."""
        return {"changes": self.to_rows()}


def side_of(result: RunResult, label: str) -> Side:
    """Return the answer to a scenario as a side of a comparison."""
    return _side(json.loads(result.to_json()), label)


def saved_side(path: str | Path) -> Side:
    """Return a saved ``result.json``, or the one in a folder, as a side.

    Raises
    ------
    InputError
        If it cannot be read, or is no result.
    """
    content = read_saved(path)
    try:
        return _side(content, str(path))
    except (AttributeError, KeyError, TypeError, ValueError):
        message = (
            "has no results of single replications, which differences are made from; "
            "write it again with 'costsim run SCENARIO --out DIR'"
        )
        raise InputError(message, path=str(path)) from None


def compare(first: Side | RunResult, second: Side | RunResult) -> Comparison:
    """Return what differs between two answers.

    Deployments are matched by their names; a single one on each side whatever its name.

    Parameters
    ----------
    first, second : RunResult or Side
        From ``run``, or from ``saved_side``.

    Raises
    ------
    InputError
        If there is nothing to match.
    """
    first = first if isinstance(first, Side) else side_of(first, "the first")
    second = second if isinstance(second, Side) else side_of(second, "the second")
    names = [(name, name) for name in first.deployments if name in second.deployments]
    if not names and len(first.deployments) == len(second.deployments) == 1:
        names = list(zip(first.deployments, second.deployments, strict=True))
    if not names:
        message = (
            f"{first.label} and {second.label} have no deployment in common: "
            f"{_listed(first)}; {_listed(second)}"
        )
        raise InputError(message)
    paired = _is_paired(first, second, names)
    pairs = tuple(
        Pair(before, after, _changes(first, second, before, after, paired=paired))
        for before, after in names
    )
    return Comparison(
        first=first,
        second=second,
        paired=paired,
        pairs=pairs,
        only_first=_others(first, [before for before, _ in names]),
        only_second=_others(second, [after for _, after in names]),
    )


def _gate_record(judged: Judged) -> dict[str, Any]:
    return {
        "gate": judged.gate.text,
        "deployment": judged.deployment,
        "measure": judged.change.measure,
        "before": _known(judged.change.before),
        "after": _known(judged.change.after),
        "ok": judged.ok,
    }


def _side(content: dict[str, Any], label: str) -> Side:
    rows = {row["deployment"]: row for row in content["deployments"]}
    scenario = content["resolved_scenario"]
    return Side(
        label=label,
        scenario=content["scenario"]["name"],
        cheapest=content["verdict"]["cheapest"],
        deployments={
            name: {
                measure: Sampled(
                    _number(_center(rows[name], measure)),
                    tuple(map(_number, samples[measure])),
                )
                for measure in MEASURES
            }
            for name, samples in content["samples"].items()
        },
        traffic={key: _without_folder(scenario.get(key)) for key in _OF_TRAFFIC},
    )


def _center(row: Mapping[str, Any], measure: str) -> float | None:
    """Return a measure of all replications together."""
    if measure == "lost_fraction":
        requests = row["requests"]
        return (requests - row["served"]) / requests if requests else None
    value: float | None = row[measure]
    return value


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _without_folder(part: Any) -> Any:  # noqa: ANN401 - any part of a scenario
    """Return a part of a scenario in which a trace counts by its file's name."""
    if isinstance(part, dict) and part.get("trace"):
        trace = {**part["trace"], "path": Path(part["trace"]["path"]).name}
        return {**part, "trace": trace}
    return part


def _is_paired(first: Side, second: Side, names: Sequence[tuple[str, str]]) -> bool:
    before, after = names[0]
    measure = MEASURES[0]
    n_before = len(first.deployments[before][measure].samples)
    n_after = len(second.deployments[after][measure].samples)
    return first.traffic == second.traffic and n_before == n_after


def _changes(
    first: Side, second: Side, before: str, after: str, *, paired: bool
) -> tuple[Change, ...]:
    changes = []
    for measure in MEASURES:
        old = first.deployments[before][measure]
        new = second.deployments[after][measure]
        if math.isnan(old.value) and math.isnan(new.value):
            continue
        found = difference(old, new, paired=paired)
        changes.append(Change(measure, old.value, new.value, found))
    return tuple(changes)


def _others(side: Side, matched: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in side.deployments if name not in matched)


def _listed(side: Side) -> str:
    return f"{side.label} has {', '.join(map(shorten, side.deployments))}"


def _spread(name: str, found: Any) -> dict[str, float | None]:  # noqa: ANN401 - an Estimate
    return {
        name: _known(found.value),
        f"{name}_low": _known(found.low),
        f"{name}_high": _known(found.high),
    }


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
