"""A deployment's settings, read by the platform's own list of what it has.

No vendor's word is known here: names, kinds and ranges come from the platform file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from costsim.catalog.lookup import unknown
from costsim.catalog.rules import Setting

if TYPE_CHECKING:
    from costsim.scenario.findings import Findings

APPLY_LIMITS = "apply_limits"
"""costsim's own word, for every platform: whether the vendor's limits hold."""

_APPLY_LIMITS = Setting(
    kind="flag",
    unit="",
    default=True,
    meaning="Whether the limits on queue, rate and waiting hold; vendors raise them on request.",
    origin="costsim",
)


class Settings:
    """The settings of one deployment, defaults filled in.

    Parameters
    ----------
    given : dict
        What the scenario says.
    known : dict of str to Setting
        What the platform has.
    findings : Findings
        Takes a problem for each unknown name and each value that is not allowed; the
        default then stands in, so that the other settings can be checked too.
    """

    def __init__(
        self, given: dict[str, Any], known: dict[str, Setting], findings: Findings
    ) -> None:
        self._known = known | {APPLY_LIMITS: _APPLY_LIMITS}
        self._values: dict[str, int | float | bool] = {}
        self._read: set[str] = set()
        for name, value in given.items():
            if name not in self._known:
                message = unknown("setting", name, self._known)
                findings.refuse(f"settings.{name}", message)
            elif value is not None:
                self._accept(name, value, findings)

    def _accept(self, name: str, value: Any, findings: Findings) -> None:  # noqa: ANN401 - whatever the file holds
        try:
            self._values[name] = self._known[name].read(value)
        except ValueError as error:
            findings.refuse(f"settings.{name}", str(error))

    def given(self, name: str) -> bool:
        """Return whether the scenario gives the setting a value."""
        return name in self._values

    def count(self, name: str) -> int:
        """Return a setting that is a whole number and has a default."""
        return int(self._required(name))

    def optional_count(self, name: str) -> int | None:
        """Return a setting that is a whole number, or None if it is left out."""
        value = self._value(name)
        return None if value is None else int(value)

    def seconds(self, name: str) -> float:
        """Return a setting that is a duration. [s]"""
        return float(self._required(name))

    def fraction(self, name: str) -> float:
        """Return a setting in per cent as a fraction. [1]"""
        return self._required(name) / 100

    @property
    def limits_apply(self) -> bool:
        """Whether the vendor's limits hold."""
        return bool(self._required(APPLY_LIMITS))

    def unused(self) -> dict[str, Setting]:
        """Return the settings that the scenario gives and nobody has asked for."""
        return {
            name: self._known[name] for name in self._values if name not in self._read
        }

    def _required(self, name: str) -> float:
        value = self._value(name)
        if value is None:
            message = f"setting {name!r} has no default"
            raise ValueError(message)
        return value

    def _value(self, name: str) -> float | None:
        self._read.add(name)
        if name in self._values:
            return self._values[name]
        default = self._known[name].default
        return None if default is None else self._known[name].read(default)
