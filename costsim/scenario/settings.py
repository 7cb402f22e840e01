"""A deployment's settings, read by the platform's own list of what it has.

No vendor's word is known here: names, kinds and ranges come from the platform file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from costsim.catalog.lookup import unknown
from costsim.catalog.scaling import Setting

if TYPE_CHECKING:
    from costsim.catalog.scaling import SettingValue
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
        self._values: dict[str, SettingValue] = {}
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

    def value(self, name: str) -> SettingValue | None:
        """Return a setting, its default if it is left out, or None if it has none.

        A duration is in seconds, and per cent are a fraction.
        """
        self._read.add(name)
        setting = self._known[name]
        if name not in self._values and setting.default_from is not None:
            return self.value(setting.default_from)
        value = self.stated(name)
        if setting.kind == "percent" and isinstance(value, (int, float)):
            return value / 100
        return value

    def stated(self, name: str) -> SettingValue | None:
        """Return a setting as its platform states it: as ``value``, but per cent as they are."""
        setting = self._known[name]
        if name in self._values:
            return self._values[name]
        if setting.default_from is not None:
            return self.stated(setting.default_from)
        return None if setting.default is None else setting.read(setting.default)

    def borrowed(self) -> dict[str, str]:
        """Return settings that are left out and take the value that another one was given."""
        return {
            name: other
            for name in self._read - self._values.keys()
            if (other := self._known[name].default_from) and self.given(other)
        }

    @property
    def limits_apply(self) -> bool:
        """Whether the vendor's limits hold."""
        return bool(self.value(APPLY_LIMITS))

    def unused(self) -> dict[str, Setting]:
        """Return the settings that the scenario gives and nobody has asked for."""
        return {
            name: self._known[name] for name in self._values if name not in self._read
        }
