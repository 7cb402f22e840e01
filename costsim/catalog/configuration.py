"""A platform's settings as the vendor's own configuration, ready to paste.

A platform file has a text in the vendor's language, with placeholders:

- ``$name`` and ``${name}`` are a setting in the vendor's words; ``$gpu``, ``$gpu_count`` and
  ``$instance`` what a replica runs on; ``$$`` is a dollar sign;
- ``${name:seconds}``, ``minutes`` or ``milliseconds`` is how the vendor wants a duration;
  ``${name:seconds=15}`` is 15 where the setting has no value;
- ``${gpu:counted}`` is ``H100``, or ``H100:2`` with two of them;
- a line with a placeholder that has no value is left out, and so is a line whose indented
  lines are all left out, with its closing bracket;
- in ``sh`` an indented line continues the one above it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from costsim.catalog.lookup import unknown
from costsim.catalog.provenance import Sourced
from costsim.catalog.scaling import is_reference
from costsim.spec import Many, RuleError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Self

    from costsim.catalog.scaling import Setting

Language = Literal["python", "json", "yaml", "toml", "sh"]

GPU, GPU_COUNT, INSTANCE = HARDWARE = ("gpu", "gpu_count", "instance")
"""Placeholders that are no settings."""

SECONDS = {"seconds": 1.0, "minutes": 60.0, "milliseconds": 0.001}
"""Units of a duration, by the format of a placeholder. [s]"""
COUNTED = "counted"
"""Format of the GPU with its number behind it, if there are several."""

PLACEHOLDER = re.compile(
    r"\$(?:(?P<dollar>\$)"
    r"|(?P<bare>[A-Za-z_][A-Za-z0-9_]*)"
    r"|\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"(?::(?P<form>[a-z]+)(?:=(?P<otherwise>[^}\s]+))?)?\}"
    r"|(?P<wrong>[^\s,;]*))"
)
"""One placeholder; ``wrong`` matches where there is none."""


@dataclass(frozen=True)
class Placeholder:
    """What a text has in the place of a value."""

    name: str
    """Of the setting, or one of ``HARDWARE``."""
    form: str
    """Unit of a duration, ``counted``, or nothing."""
    otherwise: str | None
    """What stands there if it has no value; None: its line is left out."""
    text: str
    """How it is written."""


def placeholders(text: str) -> list[Placeholder]:
    """Return the placeholders of a text.

    Raises
    ------
    RuleError
        If a dollar sign begins none; says what is allowed.
    """
    found: list[Placeholder] = []
    for match in PLACEHOLDER.finditer(text):
        if match["wrong"] is not None:
            message = (
                f"'{match[0]}' is no placeholder; write '$setting', "
                "'${setting:seconds}', or '$$' for a dollar sign"
            )
            raise RuleError(message, word=match[0])
        if not match["dollar"]:
            name, form = match["bare"] or match["name"], match["form"] or ""
            found.append(Placeholder(name, form, match["otherwise"], match[0]))
    return found


def _worded(layout: Any) -> Any:  # noqa: ANN401 - whatever the file holds
    """Write the branches of a choice as words: YAML reads a bare 1 as a number."""
    if not isinstance(layout, dict):
        return layout
    key = next(iter(layout), None)
    branches = layout.get(key)
    if len(layout) != 1 or not is_reference(key) or not isinstance(branches, dict):
        message = "is a text, or one '$setting' with a mapping of its values to texts"
        raise ValueError(message)
    return {key: {_word(value): text for value, text in branches.items()}}


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


Layout = Annotated[str | dict[str, dict[str, str]], BeforeValidator(_worded)]
"""A text, or a choice of texts by the value of a setting: ``none``, ``else`` and its words."""


class Configuration(Sourced):
    """The settings as the vendor's own configuration."""

    language: Language
    """What it is written in."""
    template: Layout
    """The text, with placeholders; or ``$setting`` with a mapping of its values to texts."""
    gpus: dict[str, str] = Field(default_factory=dict)
    """The words for GPUs in it, where they are not the names of the price list; one without a word is left out."""
    required: Many[str] = ()
    """Settings that the vendor asks for, and that have no default."""

    @model_validator(mode="after")
    def _well_formed(self) -> Self:
        for text in self.texts:
            try:
                placeholders(text)
            except RuleError as error:
                raise RuleError(str(error), "template", word=error.word) from None
        return self

    @property
    def choice(self) -> str | None:
        """The setting whose value chooses the text; None: there is one text."""
        if isinstance(self.template, str):
            return None
        return next(iter(self.template)).removeprefix("$")

    @property
    def texts(self) -> tuple[str, ...]:
        """Every text."""
        if isinstance(self.template, str):
            return (self.template,)
        (branches,) = self.template.values()
        return tuple(branches.values())

    def text(self, value: object) -> str:
        """Return the text for the value of the setting that chooses; empty if none is meant."""
        if isinstance(self.template, str):
            return self.template
        (branches,) = self.template.values()
        if value is None:
            return branches.get("none", "")
        return branches.get(_word(value), branches.get("else", ""))

    def check(self, settings: Mapping[str, Setting]) -> None:
        """Refuse what does not fit the settings of the platform.

        Raises
        ------
        RuleError
            With the way from this section to the key, and the placeholder at fault.
        """
        if self.choice is not None and self.choice not in settings:
            raise RuleError(unknown("setting", self.choice, settings), "template")
        for index, name in enumerate(self.required):
            if name not in settings:
                raise RuleError(unknown("setting", name, settings), "required", index)
        for one in self._placeholders():
            problem = _problem(one, settings)
            if problem:
                raise RuleError(problem, "template", word=one.text)

    def _placeholders(self) -> Iterator[Placeholder]:
        for text in self.texts:
            yield from placeholders(text)


def _problem(one: Placeholder, settings: Mapping[str, Setting]) -> str:
    """Return what is wrong with a placeholder, or nothing."""
    setting = settings.get(one.name)
    if one.name in HARDWARE:
        return _misformed(one, ("", COUNTED) if one.name == GPU else ("",))
    if setting is None:
        own = [name for name, one in settings.items() if one.origin == "vendor"]
        known = [f"${name}" for name in (*own, *HARDWARE)]
        return unknown("placeholder", one.text, known)
    if setting.origin == "costsim":
        return f"'{one.text}' is costsim's own word, which no vendor knows"
    return _misformed(one, tuple(SECONDS) if setting.kind == "duration" else ("",))


def _misformed(one: Placeholder, allowed: tuple[str, ...]) -> str:
    """Return that a placeholder has none of the formats allowed, or nothing."""
    if one.form in allowed:
        return ""
    name = one.name
    written = [f"'${{{name}:{form}}}'" if form else f"'${name}'" for form in allowed]
    return f"'{one.text}' has the wrong format; write {' or '.join(written)}"
