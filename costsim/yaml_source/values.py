"""Nodes to values and places: core types, unique keys, merges."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from costsim.errors import Problem
from costsim.yaml_source.characters import FORBIDDEN
from costsim.yaml_source.document import Place, locate_node
from costsim.yaml_source.syntax import MERGE, PATTERNS, TAG

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_TEXT = 10_000
"""Longest single value. [characters]"""
_MAX_DIGITS = 40


class FileFloat(float):
    """A bare number with a decimal point, as a file has it.

    Its type tells it from a float that Python code gives: a quantity takes plain floats
    from code, but from a file only text with a unit (``costsim.spec``).
    """


def shown(value: object) -> str:
    """Return a value as a message shows it: short, and safe for a terminal."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f"'{shorten(value)}'"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, float) and not math.isfinite(value):
        return re.sub("(inf|nan)", r".\1", str(value))
    return shorten(value)


def shorten(text: object, limit: int = 40) -> str:
    """Return text cut to a number of characters, what does not print replaced."""
    characters = str(text)
    if len(characters) > limit:
        characters = f"{characters[: limit - 3]}..."
    return "".join(
        c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in characters
    )


def _integer(text: str) -> int:
    digits = text.replace("_", "")
    # 017 is 17 in YAML 1.2, and for people; in 1.1 it was 15.
    return int(digits, {"0o": 8, "0x": 16}.get(digits[:2], 10))


def _real(text: str) -> FileFloat:
    plain = text.replace("_", "").lower()
    return FileFloat(plain.replace(".inf", "inf").replace(".nan", "nan"))


_READ: dict[str, Callable[[str], Any]] = {
    f"{TAG}null": lambda _: None,
    f"{TAG}bool": lambda text: text.lower() == "true",
    f"{TAG}int": _integer,
    f"{TAG}float": _real,
}

_Entry = tuple[Any, Place]


class Builder:
    """Makes values and places of nodes, and collects what is wrong with them."""

    def __init__(self, lines: tuple[str, ...]) -> None:
        self._lines = lines
        self._problems: dict[tuple[int, int], Problem] = {}

    @property
    def problems(self) -> list[Problem]:
        """What is wrong, once for each place: an alias repeats what its anchor has."""
        return list(self._problems.values())

    def build(self, node: Node | None, key: Node | None) -> _Entry:
        """Return the value of a node, and where it and its parts are written."""
        if isinstance(node, MappingNode) and self._has_tag(node, "map"):
            entries = self._entries(node)
            value = {name: value for name, (value, _) in entries.items()}
            places = {name: place for name, (_, place) in entries.items()}
            return value, Place(key, node, places)
        if isinstance(node, SequenceNode) and self._has_tag(node, "seq"):
            items = [self.build(item, None) for item in node.value]
            where = {index: place for index, (_, place) in enumerate(items)}
            return [value for value, _ in items], Place(key, node, where)
        scalar = self._scalar(node) if isinstance(node, ScalarNode) else None
        return scalar, Place(key, node)

    def _entries(self, node: MappingNode) -> dict[Any, _Entry]:
        own: dict[Any, _Entry] = {}
        merged: dict[Any, _Entry] = {}
        first: dict[Any, Node] = {}
        for key, value in node.value:
            name = "<<" if key.tag == MERGE else self._key(key)
            if name in first:
                self._note(key, self._repeated(name, first[name]))
            elif key.tag == MERGE:
                merged = self._merged(value)
            elif name is not None:
                own[name] = self.build(value, key)
            first.setdefault(name, key)
        return merged | own

    def _merged(self, node: Node) -> dict[Any, _Entry]:
        """Return the entries that ``<<`` brings; of a list, the first mapping wins."""
        entries: dict[Any, _Entry] = {}
        for source in node.value if isinstance(node, SequenceNode) else [node]:
            if isinstance(source, MappingNode):
                entries = self._entries(source) | entries
            else:
                self._note(source, "<< takes a mapping, or a list of mappings")
        return entries

    def _key(self, node: Node) -> str | None:
        """Return a key, a number as it is written; None if it is no text and no number."""
        name = self._scalar(node) if isinstance(node, ScalarNode) else node.value
        if isinstance(name, (str, int, float)) and not isinstance(name, bool):
            return str(node.value)
        kind = shown({} if isinstance(node, MappingNode) else name)
        self._note(node, f"a key must be text or a number, found {kind}; quote it")
        return None

    def _scalar(self, node: ScalarNode) -> Any:  # noqa: ANN401 - any scalar
        fault = self._scalar_fault(node)
        if fault is None:
            return _READ.get(node.tag, str)(node.value)
        self._note(node, fault)
        return None

    def _scalar_fault(self, node: ScalarNode) -> str | None:
        name = node.tag.removeprefix(TAG)
        text = node.value
        if name not in {"str", *PATTERNS}:
            return _unknown_tag(node)
        if len(text) > MAX_TEXT:
            return f"a value of {len(text):,} characters; the most is {MAX_TEXT:,}"
        if name in PATTERNS and not PATTERNS[name].match(text):
            return f"{shown(text)} is not a !!{name}"
        if name == "int" and len(text) > _MAX_DIGITS:
            return f"a number of {len(text)} digits; the most is {_MAX_DIGITS}"
        # An escape in double quotes can write what the file itself may not hold.
        bad = FORBIDDEN.search(text)
        return f"holds the character U+{ord(bad.group()):04X}" if bad else None

    def _has_tag(self, node: Node, name: str) -> bool:
        if node.tag == f"{TAG}{name}":
            return True
        self._note(node, _unknown_tag(node))
        return False

    def _repeated(self, name: object, first: Node) -> str:
        line = locate_node(first, self._lines).line
        return f"the key {shown(name)} is repeated; line {line} has it already"

    def _note(self, node: Node, message: str) -> None:
        line, column, length, source = locate_node(node, self._lines)
        problem = Problem(message, "", line, column, length, source)
        self._problems.setdefault((line, column), problem)


def _unknown_tag(node: Node) -> str:
    tag = shorten(node.tag.replace(TAG, "!!"))
    return f"the tag {tag} is not supported; write the value without it"
