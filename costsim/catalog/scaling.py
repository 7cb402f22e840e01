"""What launches and removes replicas on a platform: its rules, its settings, its pool.

A platform file says in costsim's words what its settings make of a pool. ``pool`` has the
keys of a scenario's ``pool``; a value may be an expression:

- ``$name`` is a setting, ``$limits.name`` a limit; one that is left out leaves the key out;
- ``$a * $b`` and ``$a * 0.6`` are products;
- a mapping with one key that is an expression chooses by its value; ``none`` stands for a
  setting that is left out, ``else`` for any other value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from costsim import units
from costsim.catalog.lookup import unknown
from costsim.catalog.provenance import NOT_FOUND, Claim, Sourced
from costsim.spec import Many, RuleError
from costsim.yaml_source import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

Kind = Literal["count", "number", "duration", "percent", "flag", "choice"]
_TYPES: dict[Kind, tuple[type, ...]] = {
    "count": (int,),
    "number": (int, float),
    "percent": (int, float),
    "flag": (bool,),
    "choice": (str,),
}
_NOUNS: dict[Kind, str] = {
    "count": "a whole number",
    "number": "a number",
    "duration": "a duration",
    "percent": "a percentage",
    "flag": "true or false",
}
Value = int | float | bool | str | None
SettingValue = int | float | bool | str


class Setting(Sourced):
    """A setting of the autoscaler, in the vendor's words."""

    kind: Kind
    """A whole number, any number, a duration with its unit, per cent, true or false, or one of some words."""
    unit: str = ""
    """What it counts."""
    default: Value = None
    """Its value if left out; ``$name`` is that of another setting; none if that means something of its own."""
    minimum: Value = None
    """Smallest value allowed."""
    maximum: Value = None
    """Largest value allowed."""
    choices: Many[str] = ()
    """The words, of a choice."""
    meaning: str
    """What it does."""
    origin: Literal["vendor", "costsim"] = "vendor"
    """Whose word it is: the vendor's, or costsim's for what the vendor leaves open."""

    @model_validator(mode="after")
    def _of_its_kind(self) -> Self:
        if (self.kind == "choice") != bool(self.choices):
            message = "choices go with 'kind: choice', and only with it"
            raise ValueError(message)
        for value in (self.minimum, self.maximum, self.default):
            if value is not None and not is_reference(value):
                self.read(value)
        return self

    @property
    def default_from(self) -> str | None:
        """Name of the setting whose value is its default; None: it has its own."""
        return str(self.default)[1:] if is_reference(self.default) else None

    @property
    def allowed(self) -> str:
        """What may be written, for people: ``a duration from 2s to 20m``."""
        if self.kind == "choice":
            return " or ".join(self.choices)
        noun = _NOUNS[self.kind]
        if self.maximum is not None:
            return f"{noun} from {_plain(self.minimum)} to {_plain(self.maximum)}"
        return noun if self.minimum is None else f"{noun} from {_plain(self.minimum)}"

    def read(self, value: object) -> SettingValue:
        """Return a value, durations in seconds, per cent as they are.

        Raises
        ------
        ValueError
            If it is of the wrong kind or out of range; says what is allowed.
        """
        converted = self._convert(value)
        if isinstance(converted, str):
            return converted
        low, high = (self._bound(bound) for bound in (self.minimum, self.maximum))
        below = low is not None and converted < low
        if below or (high is not None and converted > high):
            message = f"{shown(value)} is out of range; allowed is {self.allowed}"
            raise ValueError(message)
        return converted

    def _bound(self, bound: Value) -> float | None:
        return None if bound is None else float(self._convert(bound))

    def _convert(self, value: object) -> SettingValue:
        if self.kind == "duration":
            return units.parse_duration(value)
        # A bool is an int to Python; here true is never 1.
        right = isinstance(value, _TYPES[self.kind]) and (
            isinstance(value, bool) == (self.kind == "flag")
        )
        if not right or (self.kind == "choice" and value not in self.choices):
            message = f"{shown(value)} is not allowed; write {self.allowed}"
            raise ValueError(message)
        return value  # type: ignore[return-value] # its type was just checked


def _plain(value: Value) -> str:
    return "0" if value is None else str(value)


def is_reference(value: object) -> bool:
    """Return whether a value of a platform file is an expression, such as ``$name``."""
    return isinstance(value, str) and value.startswith("$")


_OPERAND = re.compile(
    r"\$(?P<limit>limits\.)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)|\d+(\.\d+)?"
)


@dataclass(frozen=True)
class Reference:
    """What an operand of an expression names."""

    name: str
    """Of the setting or the limit."""
    is_limit: bool
    """Whether it is a limit."""
    is_factor: bool
    """Whether it is multiplied: then it must be a number."""


def operands(expression: str) -> list[Reference | float]:
    """Return the operands of a product: names and numbers.

    Raises
    ------
    ValueError
        If it is none; says what is allowed.
    """
    found: list[Reference | float] = []
    parts = expression.split("*")
    for part in parts:
        match = _OPERAND.fullmatch(part.strip())
        if match is None:
            message = (
                f"{shown(expression)} is no expression; write '$setting', "
                "'$limits.name' or a product such as '$a * 0.6'"
            )
            raise ValueError(message)
        name = match["name"]
        factor = len(parts) > 1
        found.append(
            Reference(name, bool(match["limit"]), factor) if name else float(part)
        )
    return found


def expressions(node: object) -> Iterator[str]:
    """Yield every expression in a part of a platform's pool."""
    if is_reference(node):
        yield str(node)
    if isinstance(node, dict):
        for key, child in node.items():
            yield from expressions(key)
            yield from expressions(child)


def _worded(node: Any) -> Any:  # noqa: ANN401 - whatever the file holds
    """Check expressions; write keys as words: YAML reads a bare true as a flag."""
    if is_reference(node):
        operands(node)
    if not isinstance(node, dict):
        return node
    for key, child in node.items():
        if is_reference(key) and not (len(node) == 1 and isinstance(child, dict)):
            message = f"a choice by {key} is one key, with a mapping of its branches"
            raise ValueError(message)
    return {
        str(key).lower() if isinstance(key, (bool, int)) else key: _worded(child)
        for key, child in node.items()
    }


Template = Annotated[dict[str, Any], BeforeValidator(_worded)]
"""Part of a pool, with expressions in the place of values."""


def _not_found() -> Claim:
    return Claim(says="Not found.", source=NOT_FOUND, evidence="derived")


class Autoscaler(Sourced):
    """What launches and removes replicas."""

    scale_up: Claim
    """When replicas are launched."""
    scale_down: Claim
    """When replicas are removed."""
    to_zero: Claim
    """When the last one goes."""
    wake: Claim
    """What brings the first one back."""
    queue: Claim
    """Where requests wait."""
    routing: Claim = Field(default_factory=_not_found)
    """Which replica takes a request."""
    readiness: Claim = Field(default_factory=_not_found)
    """When a replica takes its first request."""
    decision_interval: Claim = Field(default_factory=_not_found)
    """How often it decides."""
    schedule: Claim = Field(default_factory=_not_found)
    """Whether the bounds can follow a schedule."""
    modeled_as: Claim
    """How costsim simulates it, and what of it is a guess."""
    settings: dict[str, Setting]
    """Settings, by the vendor's word."""
    not_above: Many[Annotated[tuple[str, str], Field(strict=False)]] = ()
    """Pairs of settings of which the first must not exceed the second, besides the bounds on replicas."""
    pool: Template
    """What the settings make of a pool, in the words of a scenario's ``pool``; values may be expressions."""
    pool_within_limits: Template = Field(default_factory=dict)
    """More of the same, only while the vendor's limits apply."""

    @model_validator(mode="after")
    def _names_settings(self) -> Self:
        for key, name in self._named():
            if name not in self.settings:
                raise RuleError(unknown("setting", name, self.settings), *key)
        for name, setting in self.settings.items():
            other = setting.default_from
            if other is not None and self.settings[other].default_from is not None:
                message = f"{other} has no value of its own to give"
                raise RuleError(message, "settings", name, "default")
        for part, one in self.references:
            kind = "number" if one.is_limit else self.settings[one.name].kind
            if one.is_factor and kind in {"choice", "flag"}:
                message = f"${one.name} is a {kind}, and no number to multiply"
                raise RuleError(message, part)
        return self

    def _named(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Yield every setting that is named, after the key that names it."""
        for part, one in self.references:
            if not one.is_limit:
                yield (part,), one.name
        for index, pair in enumerate(self.not_above):
            for name in pair:
                yield ("not_above", index), name
        for name, setting in self.settings.items():
            if setting.default_from is not None:
                yield ("settings", name, "default"), setting.default_from

    @property
    def references(self) -> Iterator[tuple[str, Reference]]:
        """What the pool names: settings and limits, each after its part of the pool."""
        parts = ("pool", self.pool), ("pool_within_limits", self.pool_within_limits)
        for key, part in parts:
            for expression in expressions(part):
                for operand in operands(expression):
                    if isinstance(operand, Reference):
                        yield key, operand

    def named_by(self, key: str) -> str | None:
        """Return the setting that is a key of the pool, such as min_replicas, or None."""
        value = str(self.pool.get(key))
        return value[1:] if is_reference(value) and "*" not in value else None


class Limit(Sourced):
    """A limit that is not a setting."""

    value: int | float
    """The figure: a whole number, or with a point what need not be one."""
    unit: str
    """Its unit."""
    scope: str
    """What it counts for: a Function, the workspace, a request."""
    on_exceed: str
    """What happens above it."""
    caps_replicas: bool = False
    """Whether it bounds the replicas of a deployment."""


class Limits(Sourced):
    """Limits that are not settings."""

    entries: dict[str, Limit] = Field(default_factory=dict)
    """The limits."""
