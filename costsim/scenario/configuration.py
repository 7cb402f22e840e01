"""A deployment's settings as the vendor's own configuration, ready to paste.

No vendor's word is known here: the text comes from the platform file (see
``costsim.catalog.configuration``). What the text has no place for is told in comments.
"""

from __future__ import annotations

import json
import math
import re
import shlex
import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import yaml

from costsim.catalog.configuration import (
    COUNTED,
    GPU,
    GPU_COUNT,
    HARDWARE,
    INSTANCE,
    PLACEHOLDER,
    SECONDS,
    placeholders,
)
from costsim.catalog.quote import gpu_label
from costsim.scenario.findings import Findings
from costsim.scenario.layout import laid_out
from costsim.scenario.replica import find_replica
from costsim.scenario.settings import Settings
from costsim.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from costsim.catalog.configuration import Configuration, Language, Placeholder
    from costsim.catalog.platform import Platform
    from costsim.catalog.scaling import SettingValue
    from costsim.scenario.pool import Pool
    from costsim.scenario.schedule import ScheduleEntry
    from costsim.scenario.schema import Deployment

_WIDTH = 78
"""Characters of a comment's line."""
_COMMENT = {"json": "//"}
"""What begins a comment, where it is not ``#``. JSON has none: drop these lines."""


def configuration_text(deployment: Deployment, platform: Platform | None) -> str:
    """Return the settings of a deployment in the vendor's own language.

    Parameters
    ----------
    deployment : Deployment
        Of a scenario that was checked.
    platform : Platform or None
        Its platform; None for a deployment whose pool is written out, which gives the
        YAML of that pool.

    Returns
    -------
    str
        Comments, then the text, with a newline at the end; empty if the platform has no
        settings of its own. In ``json`` the comments are lines that begin with ``//``.
    """
    if deployment.pool is not None:
        return _pool_text(deployment.pool)
    if platform is None or platform.configuration is None:
        return ""
    values = _Values(deployment, platform, platform.configuration)
    language = platform.configuration.language
    text = "".join(f"{line}\n" for line in values.lines())
    return _commented(values.remarks(), language) + text


def _pool_text(pool: Pool) -> str:
    written = pool.model_dump(mode="json", exclude_unset=True, by_alias=True)
    text = yaml.safe_dump({"pool": written}, sort_keys=False, allow_unicode=True)
    return re.sub(r"(?m)(: \d+)\.0s$", r"\1s", text)


def _commented(remarks: list[str], language: Language) -> str:
    """Return remarks as comments, wrapped; the later lines of each are indented."""
    mark = _COMMENT.get(language, "#")
    return "".join(
        f"{line}\n"
        for remark in remarks
        for line in textwrap.wrap(
            remark,
            _WIDTH,
            initial_indent=f"{mark} ",
            subsequent_indent=f"{mark}   ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    )


@dataclass
class _Values:
    """What a platform's text is filled with."""

    deployment: Deployment
    platform: Platform
    configuration: Configuration
    settings: Settings = field(init=False)
    text: str = field(init=False)
    hardware: dict[str, SettingValue | None] = field(init=False)

    def __post_init__(self) -> None:
        # Problems were told when the scenario was checked.
        findings = Findings("")
        known = self.platform.autoscaler.settings
        self.settings = Settings(self.deployment.settings, known, findings)
        choice = self.configuration.choice
        chosen = None if choice is None else self.settings.stated(choice)
        self.text = self.configuration.text(chosen)
        self.hardware = self._hardware(findings)

    def _hardware(self, findings: Findings) -> dict[str, SettingValue | None]:
        """Return the GPU, how many, and the instance; None where there is none."""
        found = find_replica(self.deployment, self.platform, findings)
        if found is None:
            return dict.fromkeys(HARDWARE)
        own = self.deployment.gpu
        # A vendor's own spelling may say more than the catalog's name: H100! is no H100.
        spelled = own if own in self.platform.prices.gpu_aliases else found.gpu
        words = self.configuration.gpus
        gpu = words.get(found.gpu) if words else spelled
        count = found.gpu_count if gpu else None
        return {GPU: gpu or None, GPU_COUNT: count, INSTANCE: found.instance or None}

    # ---- the text

    def kept(self) -> list[str]:
        """Return the lines of the text that stay, with their placeholders."""
        language = self.configuration.language
        return laid_out(self.text, language, self._has_values)

    def lines(self) -> list[str]:
        """Return the lines of the text that stay, filled."""
        return [PLACEHOLDER.sub(self._filled, line) for line in self.kept()]

    def _has_values(self, line: str) -> bool:
        return all(
            one.otherwise is not None or self._value(one.name) is not None
            for one in placeholders(line)
        )

    def _value(self, name: str) -> SettingValue | None:
        return self.hardware[name] if name in HARDWARE else self.settings.stated(name)

    def _filled(self, match: re.Match[str]) -> str:
        if match["dollar"]:
            return "$"
        (one,) = placeholders(match[0])
        value = self._value(one.name)
        if value is None:
            return str(one.otherwise)
        language = self.configuration.language
        if isinstance(value, bool):
            return str(value) if language == "python" else str(value).lower()
        if isinstance(value, str):
            return _quoted(self._counted(value, one), language)
        return str(_whole(value, one.form)) if one.form else f"{value:.15g}"

    def _counted(self, word: str, one: Placeholder) -> str:
        count = self.hardware[GPU_COUNT]
        several = one.form == COUNTED and isinstance(count, int) and count > 1
        return f"{word}:{count}" if several else word

    # ---- what the text does not say

    def remarks(self) -> list[str]:
        """Return what the text leaves unsaid, a sentence each."""
        unchecked = self.configuration.evidence == "unverified"
        return [
            *(["Nobody has checked this form for costsim."] if unchecked else []),
            *self._unsaid(),
            *self._missing(),
            *self._rounded(),
            *self._schedule(),
        ]

    def _unsaid(self) -> Iterator[str]:
        """Yield what the deployment says and the text has no place for."""
        parts = [*self._unsaid_hardware(), *self._unsaid_settings()]
        if parts:
            yield f"Not in this text: {', '.join(parts)}."

    def _unsaid_hardware(self) -> Iterator[str]:
        said, one = self._said(), self.deployment
        if one.instance and INSTANCE not in said:
            yield f"instance {one.instance}"
        elif one.gpu and not {GPU, INSTANCE} & said:
            yield f"gpu {gpu_label(one.gpu, one.gpu_count)}"
        if one.resources is not None and one.resources.cpu is not None:
            cores = f"{one.resources.cpu:g}"
            yield f"{cores} physical core{'s' * (cores != '1')}"
        if one.resources is not None and one.resources.memory is not None:
            yield f"{one.resources.memory:g} GiB of memory"
        prices = self.platform.prices
        usual = {"region": prices.default_region, "tier": prices.default_tier}
        for key, default in usual.items():
            word = getattr(one, key)
            if word not in (None, default):
                yield f"{key} {word}"

    def _said(self) -> set[str | None]:
        """Return the names of what the text says."""
        said = {one.name for line in self.kept() for one in placeholders(line)}
        return {*said, self.configuration.choice}

    def _unsaid_settings(self) -> Iterator[str]:
        said = self._said()
        for name, setting in self.platform.autoscaler.settings.items():
            other = setting.default_from
            asked = self.settings.given(name) or (other and self.settings.given(other))
            if asked and name not in said and setting.origin == "vendor":
                yield f"{name} {self._plain(name)}"

    def _plain(self, name: str) -> str:
        """Return a setting for people."""
        value = self.settings.stated(name)
        kind = self.platform.autoscaler.settings[name].kind
        if kind == "duration" and isinstance(value, (int, float)):
            return format_duration(value)
        return str(value).lower() if isinstance(value, bool) else f"{value}"

    def _missing(self) -> Iterator[str]:
        for name in self.configuration.required:
            if self.settings.stated(name) is None:
                title = self.platform.title
                yield f"{title} wants {name}, and here it is not given."

    def _rounded(self) -> Iterator[str]:
        for one in placeholders(self.text):
            value = self._value(one.name)
            if one.form in SECONDS and isinstance(value, (int, float)):
                whole_s = _whole(value, one.form) * SECONDS[one.form]
                if not math.isclose(whole_s, value, abs_tol=1e-6):
                    told = f"{one.name} {self._plain(one.name)}"
                    yield f"{told} is rounded up to whole {one.form}."

    def _schedule(self) -> Iterator[str]:
        if not self.deployment.schedule:
            return
        yield "Not in this text: the schedule."
        for entry in self.deployment.schedule:
            yield f"- {_entry_text(entry, self.platform.replica)}"
        claim = self.platform.autoscaler.schedule
        if claim.evidence in {"official", "quoted"}:
            yield f"Schedules on {self.platform.title}: {claim.says}"


def _quoted(word: str, language: Language) -> str:
    """Return a word for inside quotation marks, or for a shell."""
    return shlex.quote(word) if language == "sh" else json.dumps(word)[1:-1]


def _whole(seconds: float, unit: str) -> int:
    """Return a duration in whole units, rounded up: none at all may mean never."""
    return math.ceil(round(seconds / SECONDS[unit], 6))


def _entry_text(entry: ScheduleEntry, replica: str) -> str:
    when = entry.when
    if entry.for_ is not None:
        when += f" for {format_duration(entry.for_)}"
    if entry.time_zone is not None:
        when += f" {entry.time_zone}"
    bounds = {"at least": entry.min_replicas, "at most": entry.max_replicas}
    told = ", ".join(f"{word} {n}" for word, n in bounds.items() if n is not None)
    early = f", from {format_duration(entry.prewarm)} before" if entry.prewarm else ""
    return f"{when}: {replica}s {told}{early}"
