"""A read file: its value, and where each part of it is written."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from yaml.nodes import Node

Loc = tuple[str | int, ...]
"""The way to a value: keys of mappings, indices of lists."""


class Location(NamedTuple):
    """Where something is written; line and column count from 1."""

    line: int
    column: int
    length: int
    """Characters on that line."""
    source: str
    """The line, without its newline."""


@dataclass(frozen=True)
class Place:
    """Where a value is written, and where the values in it are."""

    key: Node | None
    """Its key; None for the root and for items of a list."""
    node: Node | None
    """The value itself; None in an empty file."""
    children: Mapping[Any, Place] = field(default_factory=dict)
    """By key or index."""


@dataclass(frozen=True)
class Override:
    """A value that came from elsewhere, such as an option of a command."""

    text: str
    """As the user wrote it."""
    loc: Loc
    """It made everything at and below this."""
    option: str = "--set"
    """The option."""


@dataclass(frozen=True)
class Document:
    """What a file says, and where."""

    path: str
    """The file, for messages."""
    value: Any
    """Mappings, lists, text, numbers, true, false and None."""
    lines: tuple[str, ...]
    """The file's text."""
    root: Place
    """Where it is written."""
    overrides: tuple[Override, ...] = ()
    """What in ``value`` is not from the file."""

    def locate(self, loc: Loc, *, at: Literal["key", "value"] = "value") -> Location:
        """Return where a value is written.

        Parameters
        ----------
        loc : tuple of str or int
            The way to the value. A part that is not in the file is skipped, so that a
            missing key is found at the mapping that misses it.
        at : {"key", "value"}
            Which of the two to point at; items of a list have no key.

        Returns
        -------
        Location
            A merged value (``<<``) is found where it is written.
        """
        place = self.root
        for part in loc:
            place = place.children.get(part, place)
        node = place.node
        if place.key is not None and (at == "key" or _is_empty(node)):
            node = place.key
        return Location(1, 1, 1, "") if node is None else locate_node(node, self.lines)

    def locate_word(self, word: str, *, after: Location) -> Location:
        """Return where a word is first written from a place on; that place if nowhere.

        For a text of several lines, of which ``locate`` knows where it begins.
        """
        whole = re.compile(rf"{re.escape(word)}(?!(?<=\w)\w)")
        for number, line in enumerate(self.lines[after.line - 1 :], after.line):
            found = whole.search(line)
            if found:
                return Location(number, found.start() + 1, len(word), line)
        return after

    def override_of(self, loc: Loc) -> Override | None:
        """Return the override that made the value at ``loc``; of several, the last."""
        for override in reversed(self.overrides):
            if loc[: len(override.loc)] == override.loc:
                return override
        return None


def locate_node(node: Node, lines: tuple[str, ...]) -> Location:
    """Return where a node is written; of several lines, the first."""
    start, end = node.start_mark, node.end_mark
    source = lines[start.line]
    stop = end.column if end.line == start.line else len(source.rstrip())
    return Location(
        start.line + 1, start.column + 1, max(1, stop - start.column), source
    )


def _is_empty(node: Node | None) -> bool:
    return node is None or node.start_mark.index == node.end_mark.index
