"""``--set KEY=VALUE``: change single values of a scenario before it is checked.

A key is a dotted path. In a list, an item is named by its index, or by its ``name``:
``deployments.0.settings.max_containers`` or ``deployments.modal L4.settings...``. The way
there is made where mappings are missing; an item of a list is not.
"""

from __future__ import annotations

import copy
import dataclasses
from typing import TYPE_CHECKING, Any

from costsim.catalog.lookup import did_you_mean
from costsim.errors import Problem, ScenarioError
from costsim.yaml_source import Override, read_yaml, shorten, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from costsim.yaml_source import Document

SET = "--set"
"""The option by which single values are changed."""


class _UnusableError(Exception):
    """An option that cannot be applied; the message says why."""


def apply_overrides(
    document: Document,
    options: Sequence[str],
    *,
    below: str = "",
    option: str = SET,
) -> tuple[Document, list[Problem]]:
    """Return the document with its values changed, and what is wrong with the options.

    Parameters
    ----------
    document : Document
        Its value is a mapping.
    options : sequence of str
        ``KEY=VALUE`` each, in the order to apply them.
    below : str
        What goes before each key, such as ``traffic.trace.``.
    option : str
        How the user wrote them, for messages.
    """
    value = copy.deepcopy(document.value)
    overrides = list(document.overrides)
    problems: list[Problem] = []
    for text in options:
        try:
            override = _apply(text, value, below)
        except _UnusableError as error:
            problems.append(Problem(f"{option_name(text, option)}: {error}"))
        else:
            overrides.append(dataclasses.replace(override, option=option))
    changed = dataclasses.replace(document, value=value, overrides=tuple(overrides))
    return changed, problems


def option_name(text: str, option: str = SET) -> str:
    """Return an override as messages name it."""
    return f"{option} {shorten(text, 60)}"


def split_key(key: str, value: Any) -> tuple[str | int, ...]:  # noqa: ANN401 - any document
    """Return a dotted key as the way to a value, as far as the value goes.

    A key that itself has dots is found; what is not in the value is split at each dot.
    """
    loc: list[str | int] = []
    rest = key
    while rest:
        known = _known_part(rest, value)
        if known is None:
            return (*loc, *rest.split("."))
        part, written = known
        loc.append(part)
        value = value[part]
        rest = rest[len(written) + 1 :]
    return tuple(loc)


def _apply(option: str, value: Any, below: str) -> Override:  # noqa: ANN401 - any document
    """Change the value in place; return where, from the first part that is new."""
    key, equals, text = option.partition("=")
    key = key.strip()
    if not equals or not key:
        message = "write KEY=VALUE, such as seed=7"
        raise _UnusableError(message)
    loc = split_key(f"{below}{key}", value)
    new = read_value(text)
    made: int | None = None
    for depth, part in enumerate(loc[:-1]):
        _check_part(loc, depth, value)
        if isinstance(value, dict) and value.get(part) is None:
            value[part] = {}
            made = depth + 1 if made is None else made
        value = value[part]
    _check_part(loc, len(loc) - 1, value)
    value[loc[-1]] = new
    return Override(option, loc[:made])


def _known_part(rest: str, value: Any) -> tuple[str | int, str] | None:  # noqa: ANN401 - any document
    """Return the part of the value that a dotted key begins with, and its spelling."""
    names: dict[str, str | int] = {}
    if isinstance(value, list):
        names = {str(index): index for index in range(len(value))}
        names = _item_names(value) | names
    elif isinstance(value, dict):
        names = {str(key): key for key in value}
    begun = [name for name in names if f"{rest}.".startswith(f"{name}.")]
    longest = max(begun, key=len, default=None)
    return None if longest is None else (names[longest], longest)


def _item_names(items: list[Any]) -> dict[str, str | int]:
    """Return the indices of the items that have a name; of equals, the first."""
    names: dict[str, str | int] = {}
    for index, item in enumerate(items):
        if isinstance(item, dict) and isinstance(item.get("name"), str):
            names.setdefault(item["name"], index)
    return names


def _check_part(loc: tuple[str | int, ...], depth: int, value: Any) -> None:  # noqa: ANN401 - any document
    """Refuse a part that can neither be found nor made."""
    part = loc[depth]
    above = shown(".".join(map(str, loc[:depth])))
    if part == "":
        message = "a part of the key is empty; write a.b.c=VALUE"
        raise _UnusableError(message)
    if isinstance(value, list) and not isinstance(part, int):
        message = f"{above} has no {shown(part)}; it has {_what_has(part, value)}"
        raise _UnusableError(message)
    if not isinstance(value, (list, dict)):
        message = f"{above} is {shown(value)}, so it has no {shown(part)}"
        raise _UnusableError(message)


def _what_has(part: object, items: list[Any]) -> str:
    if not items:
        return "no items; a list is set as a whole: KEY=[...]"
    count = "item 0" if len(items) == 1 else f"items 0 to {len(items) - 1}"
    names = [shown(name) for name in _item_names(items)]
    listed = f", named {', '.join(names)}" if names else ""
    return f"{count}{listed}{did_you_mean(part, _item_names(items))}"


def read_value(text: str) -> Any:  # noqa: ANN401 - any value
    """Return what a value in YAML says."""
    try:
        document = read_yaml(text, path="--set")
    except ScenarioError as error:
        message = error.problems[0].message
        raise _UnusableError(message) from None
    node = document.root.node
    if isinstance(document.value, (dict, list)) and not getattr(
        node, "flow_style", True
    ):
        message = (
            f"{shown(text)} is a block of YAML; write {{a: b}} or [a, b], or quote it"
        )
        raise _UnusableError(message)
    return document.value
