"""Which lines of a text with placeholders stay, and how they hang together.

A line is left out if it has no value for a placeholder; so is a line whose indented lines
are all left out, with its closing bracket.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from costsim.catalog.configuration import Language

_CLOSING = re.compile(r"\s*[)\]}]+[,:;]?\s*")


@dataclass
class _Block:
    """A line, with the lines indented below it and its closing bracket."""

    line: str
    inside: list[_Block] = field(default_factory=list)
    end: list[str] = field(default_factory=list)

    def kept(self, is_kept: Callable[[str], bool]) -> Iterator[str]:
        """Yield the lines that stay."""
        if not is_kept(self.line):
            return
        inside = [line for block in self.inside for line in block.kept(is_kept)]
        if any(map(str.strip, inside)) or not self.inside:
            yield from (self.line, *inside, *self.end)


def laid_out(
    text: str, language: Language, is_kept: Callable[[str], bool]
) -> list[str]:
    """Return the lines of a text that stay.

    Parameters
    ----------
    text : str
        With placeholders.
    language : str
        In ``json`` the comma before a closing bracket goes; in ``sh`` a line that an
        indented one continues gets its backslash.
    is_kept : callable
        Whether a line has a value for every placeholder.
    """
    blocks = _blocks(text.rstrip().splitlines())
    kept = [line for block in blocks for line in block.kept(is_kept)]
    follows = [*(after for _, after in pairwise(kept)), ""]
    if language == "json":
        return [_without_comma(*both) for both in zip(kept, follows, strict=True)]
    if language == "sh":
        return [_continued(*both) for both in zip(kept, follows, strict=True)]
    return kept


def _blocks(lines: list[str]) -> list[_Block]:
    """Return lines as a tree by their indentation."""
    root = _Block("")
    way = [(-1, root)]
    for indent, line in zip(_indents(lines), lines, strict=True):
        while way[-1][0] > indent:
            way.pop()
        at, last = way[-1]
        if at == indent and last.inside and _CLOSING.fullmatch(line):
            last.end.append(line)
            continue
        if at == indent:
            way.pop()
        block = _Block(line)
        way[-1][1].inside.append(block)
        way.append((indent, block))
    return root.inside


def _indents(lines: list[str]) -> list[int]:
    """Return the indentation of each line; an empty one has that of the next."""
    indents: list[int] = []
    following = 0
    for line in reversed(lines):
        if line.strip():
            following = len(line) - len(line.lstrip())
        indents.append(following)
    return indents[::-1]


def _without_comma(line: str, following: str) -> str:
    return line.rstrip(",") if _CLOSING.fullmatch(following) else line


def _continued(line: str, following: str) -> str:
    return f"{line} \\" if following.startswith(" ") else line
