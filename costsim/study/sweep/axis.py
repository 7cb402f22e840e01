"""What is varied: a key of the scenario and its values, in the syntax of ``--vary``."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from costsim.errors import InputError
from costsim.study.sweep.ranges import Range, read_range
from costsim.yaml_source import shorten

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_OPENING, _CLOSING = "[{", "]}"
_QUOTES = "'\""
_BEFORE_TEXT = ("", "[", "{", ",", ":")
"""Elsewhere a quote is an apostrophe."""


@dataclass(frozen=True)
class Axis:
    """A key and what it shall be."""

    key: str
    """Dotted path, as for ``--set``."""
    text: str
    """The values as they were written."""
    values: tuple[str, ...]
    """Each in YAML; empty where a range is drawn from."""
    span: Range | None = None
    """Where values are drawn from, in a Latin hypercube."""

    @property
    def option(self) -> str:
        """How messages name it."""
        return f"--vary {shorten(f'{self.key}={self.text}', 60)}"


def read_axes(
    vary: Mapping[str, str | Iterable[object]], *, drawn: bool
) -> tuple[Axis, ...]:
    """Return what is varied.

    Parameters
    ----------
    vary : mapping of str to str or iterable
        Values by key: a text in the syntax of ``--vary``, or the values themselves.
    drawn : bool
        Whether values may be drawn from ranges, as for a Latin hypercube.

    Raises
    ------
    InputError
        If nothing is varied, or values cannot be read.
    """
    if not vary:
        message = "nothing to vary; give --vary KEY=VALUES"
        raise InputError(message)
    return tuple(_axis(key.strip(), values, drawn) for key, values in vary.items())


def split_options(options: Sequence[str]) -> dict[str, str]:
    """Return the values of each key in texts such as ``key=1,2,3``.

    Raises
    ------
    InputError
        If one has no key or no values, or a key comes again.
    """
    vary: dict[str, str] = {}
    for option in options:
        key, equals, values = (part.strip() for part in option.partition("="))
        if not (key and equals and values):
            message = (
                f"--vary {shorten(option, 60)}: write KEY=VALUES, such as "
                "replications=5,10 or deployments.0.settings.max_containers=1..8"
            )
            raise InputError(message)
        if key in vary:
            message = f"--vary {shorten(option, 60)}: {shorten(key)} is varied already"
            raise InputError(message)
        vary[key] = values
    return vary


def _axis(key: str, values: str | Iterable[object], drawn: bool) -> Axis:
    if not isinstance(values, str):
        texts = tuple(_as_yaml(value) for value in values)
        axis = Axis(key, ",".join(texts), texts)
        return _checked(axis)
    try:
        items = [item.strip() for item in _split(values)]
        if len(items) == 1 and drawn:
            span = read_range(items[0])
            # Of whole numbers each has its stratum, as the items of a list have.
            if span and span.n is None and (span.log or not span.whole):
                return Axis(key, values, (), span)
        texts = tuple(text for item in items for text in _expanded(item))
    except ValueError as error:
        message = f"{Axis(key, values, ()).option}: {error}"
        raise InputError(message) from None
    return _checked(Axis(key, values, texts))


def _checked(axis: Axis) -> Axis:
    again = [one for one, n in Counter(axis.values).items() if n > 1]
    if again or not axis.values or "" in axis.values:
        wrong = f"the value {again[0]!r} comes again" if again else "a value is missing"
        message = f"{axis.option}: {wrong}"
        raise InputError(message)
    return axis


def _as_yaml(value: object) -> str:
    """Return a value of Python as YAML; text is what YAML would read it as."""
    return value if isinstance(value, str) else json.dumps(value)


def _expanded(item: str) -> tuple[str, ...]:
    found = read_range(item)
    return (item,) if found is None else found.values()


def _split(text: str) -> list[str]:
    """Split at commas that stand in no brackets and no quotes."""
    items, begin, depth, quote = [], 0, 0, ""
    for position, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif (
            character in _QUOTES and text[begin:position].rstrip()[-1:] in _BEFORE_TEXT
        ):
            quote = character
        elif character in _OPENING:
            depth += 1
        elif character in _CLOSING:
            depth -= 1
        elif character == "," and depth == 0:
            items.append(text[begin:position])
            begin = position + 1
        if depth < 0:
            message = f"a {character!r} closes nothing"
            raise ValueError(message)
    if depth or quote:
        message = f"{'a bracket' if depth else 'a quote'} is not closed"
        raise ValueError(message)
    return [*items, text[begin:]]
