"""What pages about platforms are put together from: headings, tables that wrap, footnotes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from costsim.catalog.provenance import age_days
from costsim.report.columns import GAP

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from costsim.report.facts import Fact

NARROW = 76
"""Characters of a terminal below which columns get no more than a third of it."""

OURS = "costsim"
"""The source of what costsim decides itself."""

_WIDEST_FIRST = 30
"""Enough for the longest name of a setting, which people copy from a page."""


def heading(section: str) -> Text:
    """Return the heading of a section, an empty line above it."""
    return Text(f"\n{section.upper()}", style="bold")


def wrapping_table(rows: Sequence[tuple[str, ...]], width: int) -> Table:
    """Return a table whose last column wraps; nothing in it is ever cut off."""
    table = Table(
        box=None, show_header=False, pad_edge=False, padding=(0, GAP, 0, 0), width=width
    )
    most = width // 3 if width < NARROW else max(width // 3, _WIDEST_FIRST)
    for cells in list(zip(*rows, strict=True))[:-1]:
        needed = max(cell_len(cell) for cell in cells)
        word = max(cell_len(part) for cell in cells for part in cell.split(" "))
        room = max(most, min(word, width // 2))  # rather wide than cut within a word
        table.add_column(overflow="fold", width=max(1, min(needed, room)))
    table.add_column(overflow="fold", ratio=1)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def sentences(text: str, note: str) -> str:
    """Return a text and a note as sentences."""
    if not note:
        return text
    return f"{text}{' ' if text.endswith('.') else '. '}{note}"


class Footnotes:
    """Numbers for sources, in the order in which they are first cited."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str, str], int] = {}
        self._doubted = False

    def cited(self, text: str, fact: Fact) -> str:
        """Return text with a mark if nobody has checked it, and its source's number."""
        doubted = fact.evidence == "unverified"
        self._doubted |= doubted
        marked = f"{text}*" if doubted else text
        if fact.source == OURS:
            return marked
        key = (fact.source, fact.as_of, fact.evidence)
        return f"{marked} [{self._numbers.setdefault(key, len(self._numbers) + 1)}]"

    def lines(self, today: date) -> list[tuple[str, str]]:
        """Return the sources with their numbers, dates and ages; what the mark means."""
        lines = [
            (f"[{number}]", f"{source} ({as_of}, {evidence}{_age(as_of, today)})")
            for (source, as_of, evidence), number in self._numbers.items()
        ]
        if self._doubted:
            lines.append(("*", "Nobody has checked it for this catalog."))
        return lines or [("", "None besides costsim's own reading.")]


def _age(as_of: str, today: date) -> str:
    days = age_days(as_of, today)
    return "" if days is None else f", up to {days} day{'s' * (days != 1)} old"
