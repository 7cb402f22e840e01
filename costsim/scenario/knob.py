"""A knob of a deployment: costsim's word for it, its value, what it takes.

Where knobs stand, in costsim's words, is told here; see ``costsim.scenario.knobs``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from costsim import units
from costsim.errors import InputError
from costsim.yaml_source import shown

Kind = Literal["duration", "count", "number"]
Path = tuple[str, ...]

LOOP = "autoscaler"
_PLACES: dict[str, tuple[Path, ...]] = {
    # A control loop may have several delays: the first of these is its idle timeout.
    "idle_timeout": (
        ("idle_timeout",),
        (LOOP, "scale_down_delay"),
        (LOOP, "retention"),
        (LOOP, "down_cooldown"),
        (LOOP, "down_delay"),
        (LOOP, "cooldown"),
        (LOOP, "scale_down", "stabilization"),
    ),
    "retention": ((LOOP, "retention"),),
    "min_replicas": (("min_replicas",),),
    "max_replicas": (("max_replicas",),),
    "buffer_replicas": (("buffer_replicas",),),
    "concurrency_target": (
        ("concurrency_target",),
        (LOOP, "target"),
        (LOOP, "requests_per_replica"),
    ),
    "concurrency_limit": (("concurrency_limit",),),
}
KNOBS = tuple(_PLACES)
"""What can be turned, in costsim's words."""

_ONLY_OF: dict[Path, frozenset[str]] = {
    ("idle_timeout",): frozenset({"on_demand", "queue_delay", "request_count"}),
    ("buffer_replicas",): frozenset({"on_demand"}),
    ("concurrency_target",): frozenset({"on_demand", "concurrency_window", "knative"}),
}
"""The autoscalers that a key of the pool has an effect on, where it is not all of them."""

KINDS: dict[str, Kind] = {
    "idle_timeout": "duration",
    "retention": "duration",
    "concurrency_target": "number",
}
"""Of all others: count."""
_SAME = 1e-9


@dataclass(frozen=True)
class Knob:
    """Something that can be turned at a deployment; values are in costsim's units."""

    name: str
    """costsim's word: one of ``KNOBS``."""
    word: str
    """The vendor's word for it, or the key of the scenario's own pool, with dots."""
    kind: Kind
    """A duration in seconds, a whole number, or any number."""
    value: float | None
    """What it is now; None: left out, where that means something of its own."""
    minimum: float
    """Smallest value allowed."""
    maximum: float
    """Largest value allowed; infinite if there is no bound."""
    allowed: str
    """What may be written, for people: ``a duration from 2s to 20m``."""
    is_setting: bool
    """Whether it is a vendor's setting."""
    per: float = 1.0
    """What one of the vendor's units is in costsim's, such as 0.01 of per cent."""
    moves: tuple[str, ...] = ()
    """Knobs that turn with it, such as both bounds where replicas always stay."""
    pins: tuple[tuple[str, Any], ...] = ()
    """Settings that would turn with it and must not, and what they stay at."""

    def text(self, value: float) -> str:
        """Return a value as the vendor counts it, for people: ``90s``, ``never``, ``2``."""
        if self.kind == "duration":
            return units.format_duration(value)
        return f"{self._own(value):g}"

    def said(self, value: float) -> str:
        """Return the knob's word and a value: ``scaledown_window 90s``."""
        return f"{self.word} {self.text(value)}"

    def read(self, text: str) -> float:
        """Return the value in a text, in the vendor's units.

        Raises
        ------
        InputError
            If it is of the wrong kind or out of range; says what is allowed.
        """
        try:
            value = self._parsed(text.strip())
        except ValueError:
            raise self._refusal(shown(text)) from None
        self.check(value)
        return value

    def check(self, value: float) -> None:
        """Refuse a value that the knob does not take.

        Raises
        ------
        InputError
            Says what is allowed.
        """
        within = self.minimum - _SAME <= value <= self.maximum + _SAME
        whole = self.kind != "count" or float(value).is_integer()
        if not (within and whole):
            raise self._refusal(self.text(value))

    def written(self, value: float) -> int | float | str:
        """Return a value as a scenario file has it."""
        if self.kind == "duration":
            return "never" if math.isinf(value) else f"{_plain(value)}s"
        return _plain(self._own(value))

    def _parsed(self, text: str) -> float:
        if self.kind != "duration":
            return float(text) * self.per
        endless = text == "never" and not self.is_setting
        return math.inf if endless else units.parse_duration(text)

    def _own(self, value: float) -> float:
        """Return a value in the vendor's units."""
        own = value / self.per
        nearest = round(own) if math.isfinite(own) else own
        return nearest if math.isclose(own, nearest, rel_tol=_SAME) else own

    def _refusal(self, written: str) -> InputError:
        return InputError(f"{self.word} {written} is not allowed; write {self.allowed}")


def _plain(value: float) -> int | float:
    return int(value) if float(value).is_integer() else value


def places(name: str, autoscaler: str) -> list[Path]:
    """Return where a knob may stand in a pool with this kind of autoscaler."""
    return [
        path
        for path in _PLACES[name]
        if path not in _ONLY_OF or autoscaler in _ONLY_OF[path]
    ]
