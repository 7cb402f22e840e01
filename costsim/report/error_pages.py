"""``costsim explain`` of errors: a kind, a pasted message, a class, the exit codes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from costsim.report.error_kinds import (
    CLASSES,
    EXIT_CODES,
    ErrorKind,
    Section,
    error_kinds,
    kinds_of,
    section,
)
from costsim.report.pages import wrapping_table

if TYPE_CHECKING:
    from costsim.study.tabular import Rows

ALL = "errors"
"""The word for a list of the kinds."""
_CODE = re.compile(r"exit code (\d+)")


@dataclass(frozen=True)
class ErrorHelp:
    """What is said to a word about errors: kinds, or rows of a table."""

    kinds: tuple[ErrorKind, ...] = ()
    section: Section | None = None
    listed: bool = False
    """Whether the kinds are only to be listed."""


def find_errors(word: str) -> ErrorHelp | None:
    """Return the help to a word about errors; None if it is none.

    Parameters
    ----------
    word : str
        A kind, ``errors``, ``exit codes``, ``exit code 2``, the name of a class, or a
        message as it was printed.
    """
    folded = " ".join(word.casefold().split())
    kinds = error_kinds()
    if folded == ALL:
        return ErrorHelp(tuple(kinds.values()), listed=True)
    if folded in kinds:
        return ErrorHelp((kinds[folded],))
    table = _table(folded)
    if table is not None:
        return ErrorHelp(section=table)
    found = kinds_of(word)
    return ErrorHelp(tuple(found)) if found else None


def error_words() -> list[str]:
    """Return every word about errors, without messages."""
    classes = [row["class"] for row in section(CLASSES).rows]
    return [ALL, EXIT_CODES, *error_kinds(), *classes]


def error_page(found: ErrorHelp, width: int) -> RenderableType:
    """Return the help to a word about errors, for a terminal."""
    if found.section is not None:
        return _section_page(found.section, width)
    if found.listed:
        rows = [(kind.name, kind.says[0]) for kind in found.kinds]
        more = Text(f"\ncostsim explain {found.kinds[0].name}")
        return Group(wrapping_table(rows, width), more)
    pages = [_kind_page(kind, width) for kind in found.kinds]
    apart = [part for page in pages for part in (page, Text())]
    return Group(*apart[:-1])


def error_rows(found: ErrorHelp) -> Rows:
    """Return the help to a word about errors, a row each, for programs."""
    if found.section is not None:
        return [dict(row) for row in found.section.rows]
    return [
        {
            "kind": kind.name,
            "why": kind.why,
            "do": kind.remedy,
            "example": kind.example,
            "says": " | ".join(kind.says),
        }
        for kind in found.kinds
    ]


def _table(folded: str) -> Section | None:
    """Return the table that a word means, or its one row."""
    codes = section(EXIT_CODES)
    if folded in {EXIT_CODES, EXIT_CODES.removesuffix("s")}:
        return codes
    asked = _CODE.fullmatch(folded)
    rows = [row for row in codes.rows if asked and row["code"] == asked[1]]
    rows += [row for row in section(CLASSES).rows if row["class"].casefold() == folded]
    return Section(folded, tuple(rows), ()) if rows else None


def _section_page(found: Section, width: int) -> RenderableType:
    parts: list[RenderableType] = []
    for row in found.rows:
        (label, name), *cells = row.items()
        title = f"exit code {name}" if label == "code" else name
        told = [(key if key != "code" else "exit code", cell) for key, cell in cells]
        parts += [Text(title, style="bold"), wrapping_table(told, width), Text()]
    for text in found.text:
        parts += [Text(text), Text()]
    return Group(*parts[:-1])


def _kind_page(kind: ErrorKind, width: int) -> RenderableType:
    rows = [("why", _capital(kind.why)), ("do", _capital(kind.remedy))]
    rows += [("says" if i == 0 else "", one) for i, one in enumerate(kind.says)]
    page: list[RenderableType] = [
        Text(kind.name, style="bold"),
        wrapping_table(rows, width),
    ]
    if kind.example:
        lines = [f"    {line}" for line in kind.example.splitlines()]
        page += [Text("\nright:"), Text("\n".join(lines), overflow="fold")]
    return Group(*page)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
