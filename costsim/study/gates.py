"""``--fail-on 'cost +10%'``: by how much a measure may rise between two answers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from costsim import units
from costsim.catalog.lookup import unknown
from costsim.errors import InputError
from costsim.yaml_source import shorten, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from costsim.study.compare import Change, Comparison

_MEASURES = {
    "cost": "cost_usd_per_month",
    "mean": "mean_s",
    "p50": "p50_s",
    "p90": "p90_s",
    "p95": "p95_s",
    "p99": "p99_s",
    "slow": "over_slo_fraction",
    "cold": "cold_start_fraction",
    "lost": "lost_fraction",
}
_FORM = re.compile(r"\s*(?P<measure>[a-z0-9_]+)\s*\+\s*(?P<amount>.+?)\s*")
_NUMBER = r"(?P<number>[0-9]+(\.[0-9]+)?)"
_PERCENT = re.compile(rf"{_NUMBER}\s*%")
_POINTS = re.compile(rf"{_NUMBER}\s*pp")
_FORMS = (
    "write such as 'cost +10%', 'cost +50 USD' (a month), 'p95 +200ms' or 'cold +1pp'"
)


@dataclass(frozen=True)
class Gate:
    """The most by which a measure may rise."""

    text: str
    """As it was written."""
    measure: str
    most: float
    """A share of the first value, or in the measure's unit; shares of requests: 1."""
    kind: Literal["relative", "absolute"]

    def is_crossed(self, change: Change) -> bool:
        """Return whether a measure rose by more, noise or not: a seed makes it certain.

        A rise from zero is more than any share of it. What is not known crosses nothing.
        """
        if self.kind == "absolute":
            return change.difference.absolute.value > self.most
        if change.before == 0:
            return change.after > 0
        return change.difference.relative.value > self.most


@dataclass(frozen=True)
class Judged:
    """How a deployment does at a gate."""

    gate: Gate
    deployment: str
    change: Change
    ok: bool


def read_gate(text: str) -> Gate:
    """Return what ``--fail-on`` says.

    Raises
    ------
    InputError
        If it says nothing that can be checked.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        message = f"--fail-on {shorten(text)}: {_FORMS}"
        raise InputError(message)
    measure, amount = match["measure"], match["amount"]
    if measure not in _MEASURES:
        message = f"--fail-on: {unknown('measure', measure, _MEASURES)}"
        raise InputError(message)
    relative = _PERCENT.fullmatch(amount)
    if relative is not None:
        most = float(relative["number"]) / 100
        return Gate(text.strip(), _MEASURES[measure], most, "relative")
    most = _absolute(measure, amount, text)
    return Gate(text.strip(), _MEASURES[measure], most, "absolute")


def judged(gates: Sequence[Gate], comparison: Comparison) -> list[Judged]:
    """Return how every deployment does at every gate, what does not pass first."""
    found = [
        Judged(gate, pair.after, change, ok=not gate.is_crossed(change))
        for gate in gates
        for pair in comparison.pairs
        for change in pair.changes
        if change.measure == gate.measure
    ]
    return sorted(found, key=lambda one: one.ok)


def _absolute(measure: str, amount: str, text: str) -> float:
    name = _MEASURES[measure]
    read = units.parse_usd
    if name.endswith("_fraction"):
        read = _parse_points
    elif name.endswith("_s"):
        read = units.parse_duration
    try:
        return read(amount)
    except ValueError as error:
        message = f"--fail-on {shorten(text)}: {error}; {_FORMS}"
        raise InputError(message) from None


def _parse_points(text: object) -> float:
    """Return the share in text such as ``1.5pp``, percentage points."""
    points = _POINTS.fullmatch(str(text))
    if points is None:
        message = f"{shown(text)} is neither a share (10%) nor points (1pp)"
        raise ValueError(message)
    return float(points["number"]) / 100
