"""Characters to nodes: PyYAML's parser, with YAML 1.2's types and with bounds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NoReturn

from yaml import MarkedYAMLError
from yaml.composer import Composer
from yaml.events import AliasEvent, Event
from yaml.nodes import MappingNode, Node, SequenceNode
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner

from costsim.errors import Problem
from costsim.yaml_source.characters import NotYamlError

if TYPE_CHECKING:
    from yaml.error import Mark

MAX_NODES = 100_000
"""Most values, each alias counted as all that it stands for."""
MAX_DEPTH = 50
"""Deepest nesting, aliases written out."""

TAG = "tag:yaml.org,2002:"
MERGE = f"{TAG}merge"

_INT = r"[-+]?[0-9]+(?:_[0-9]+)*|0o[0-7]+|0x[0-9a-fA-F]+"
_FLOAT = (
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:_[0-9]+)*(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
PATTERNS = {
    "null": re.compile(r"(?:~|null|Null|NULL|)\Z"),
    "bool": re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"),
    "int": re.compile(rf"(?:{_INT})\Z"),
    "float": re.compile(rf"(?:{_FLOAT})\Z"),
    "merge": re.compile(r"<<\Z"),
}
"""What a plain word means, the first that fits; anything else is text."""


def read_nodes(characters: str, lines: tuple[str, ...]) -> Node | None:
    """Return the root of a document, or None if there is nothing in it.

    Raises
    ------
    NotYamlError
        If it is not YAML, or exceeds a bound.
    """
    loader = _Loader(characters)
    try:
        return loader.get_single_node()
    except MarkedYAMLError as error:
        mark, message = _in_plain_words(error)
    except (ValueError, OverflowError):
        # PyYAML trips over \UFFFFFFFF in double quotes, and over %YAML 1.999...
        mark, message = loader.get_mark(), "a number here is far too large"
    source = lines[mark.line]
    raise NotYamlError(
        Problem(message, line=mark.line + 1, column=mark.column + 1, source=source)
    )


class _Loader(Reader, Scanner, Parser, Composer, BaseResolver):
    """PyYAML's stages up to nodes; refuses what would grow without bound."""

    def __init__(self, characters: str) -> None:
        Reader.__init__(self, characters)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        BaseResolver.__init__(self)
        self._depth = 0
        self._count = 0
        self._sizes: dict[Node, tuple[int, int]] = {}
        """Of each finished node: the values in it, and how deep they are nested."""

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:  # noqa: ANN401 - PyYAML's own
        """Compose one node, unless that exceeds a bound."""
        event: Event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, AliasEvent):
            return self._compose_alias(parent, index, event)
        before = self._count
        self._admit(1, 1, event)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        if node is not None:
            self._sizes[node] = (self._count - before, 1 + self._height(node))
        return node

    def _compose_alias(
        self,
        parent: Node | None,
        index: Any,  # noqa: ANN401 - PyYAML's own
        event: AliasEvent,
    ) -> Node | None:
        node = super().compose_node(parent, index)
        if node is None or node not in self._sizes:
            _refuse(f"'*{event.anchor}' stands inside what it repeats", event)
        self._admit(*self._sizes[node], event)
        return node

    def _admit(self, count: int, height: int, event: Event) -> None:
        self._count += count
        if self._count > MAX_NODES:
            _refuse(f"more than {MAX_NODES:,} values, aliases written out", event)
        if self._depth + height > MAX_DEPTH:
            _refuse(f"nested more than {MAX_DEPTH} deep", event)

    def _height(self, node: Node) -> int:
        if isinstance(node, MappingNode):
            children = [child for pair in node.value for child in pair]
        else:
            children = node.value if isinstance(node, SequenceNode) else []
        return max((self._sizes[child][1] for child in children), default=0)


for _name, _pattern in PATTERNS.items():
    _Loader.add_implicit_resolver(f"{TAG}{_name}", _pattern, None)


def _refuse(message: str, event: Event) -> NoReturn:
    mark: Any = event.start_mark
    raise MarkedYAMLError(problem=message, problem_mark=mark)


_OPENED = (
    ("could not find expected ':'", "no ': ' follows this key"),
    ("found unexpected end of stream", "the quote that opens here is never closed"),
    ("']', but got '<stream end>'", "the '[' that opens here is never closed"),
    ("'}', but got '<stream end>'", "the '{' that opens here is never closed"),
)
"""PyYAML's words and ours, for what is better shown where it begins."""

_MET = (
    ("expected ',' or ']'", "expected ',' or ']'; the '[' on line LINE is still open"),
    ("expected ',' or '}'", "expected ',' or '}'; the '{' on line LINE is still open"),
    (
        "mapping values are not allowed",
        "': ' cannot stand here; quote text that holds it, and check the indentation",
    ),
    (
        "sequence entries are not allowed",
        "'- ' cannot stand here; begin the list on a line of its own",
    ),
    (
        "expected <block end>",
        "this does not line up with what stands above; check the indentation",
    ),
    (
        "expected '<document start>'",
        "this does not belong to what stands above; check the indentation",
    ),
    ("'\\t' that cannot start", "a tab; YAML is indented with spaces"),
    ("cannot start any token", "text that begins with this character needs quotes"),
    ("expected the node content", "a value is missing here, or needs quotes"),
    ("undefined alias", "no anchor of this name ('&name') stands above"),
    ("second occurrence", "an anchor of this name exists already"),
    ("found another document", "a second document begins here; write one a file"),
    ("unknown escape", r"unknown escape; write \\ for \, or use single quotes"),
)
"""The same, for what is shown where the parser met it."""


def _in_plain_words(error: MarkedYAMLError) -> tuple[Mark, str]:
    """Return where a syntax error is, and what to do about it."""
    problem = error.problem or "not YAML"
    met: Any = error.problem_mark or error.context_mark
    for fragment, words in _OPENED:
        if fragment in problem:
            return error.context_mark or met, words
    for fragment, words in _MET:
        if fragment in problem:
            opened = error.context_mark or met
            return met, words.replace("LINE", str(opened.line + 1))
    return met, problem.replace(r"'\x00'", "the end of the file")
