"""Tables that fit a terminal without ever clipping a number.

A table that is too wide loses whole columns, in an order that its author states; below
what its last columns need it becomes one block of lines a row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rich.cells import cell_len, set_cell_size
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    Facts = list[tuple[str, str]]

GAP = 2
"""Spaces between columns."""
_LEAST_SENTENCE = 24
"""Characters that a column of sentences has at least, if they are as long."""
_JOINED = ("+-", "->")
"""Titles of columns that belong to the one before: its error, what it becomes."""


@dataclass(frozen=True)
class Column:
    """A column and its cells."""

    title: str
    """Heading."""
    cells: tuple[str, ...]
    """One text a row."""
    justify: Literal["left", "right"] = "left"
    """Numbers go right."""
    wraps: bool = False
    """Whether its cells are sentences, which may take several lines."""

    @property
    def width(self) -> int:
        """Characters that it needs."""
        needed = max(cell_len(text) for text in (self.title, *self.cells))
        return min(needed, _LEAST_SENTENCE) if self.wraps else needed

    @property
    def empty(self) -> bool:
        """Whether no row has anything in it."""
        return not any(self.cells)


def total_width(columns: list[Column]) -> int:
    """Return the characters that columns need side by side."""
    return sum(column.width for column in columns) + GAP * max(0, len(columns) - 1)


def fitting(
    columns: list[Column], drop_first: tuple[str, ...], width: int
) -> tuple[list[Column], list[str]]:
    """Return the columns that fit, and the titles of those dropped.

    If the last ones do not fit either, all are returned, for a block of lines a row.

    Parameters
    ----------
    columns : list of Column
        In their order on the screen. Empty ones are left out without a word.
    drop_first : tuple of str
        Titles that may go, the first to go first. The rest always stays.
    width : int
        Characters of the terminal.
    """
    filled = [column for column in columns if not column.empty]
    kept = filled
    dropped: list[str] = []
    for title in drop_first:
        if total_width(kept) <= width:
            break
        if any(column.title == title for column in kept):
            kept = [column for column in kept if column.title != title]
            dropped.append(title)
    return (kept, dropped) if total_width(kept) <= width else (filled, [])


def render(columns: list[Column], width: int) -> RenderableType:
    """Return a table if the columns fit, else one block of lines a row."""
    if total_width(columns) <= width:
        return _table(columns, width)
    return blocks(columns, width)


def _table(columns: list[Column], width: int) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    rest = width - total_width([column for column in columns if not column.wraps])
    for column in columns:
        # The width is set, so that nothing can be shortened with an ellipsis.
        table.add_column(
            Text(column.title),
            justify=column.justify,
            no_wrap=not column.wraps,
            overflow="fold",
            min_width=column.width,
            max_width=rest - GAP if column.wraps else None,
        )
    for cells in zip(*(column.cells for column in columns), strict=True):
        table.add_row(*(Text(cell) for cell in cells))
    return table


def blocks(columns: list[Column], width: int) -> Group:
    """Return one block of lines a row: what it is, then each measure with its title.

    Parameters
    ----------
    columns : list of Column
        The first ones say what a row is: a mark, which has no title, and a name.
    width : int
        Characters of the terminal.
    """
    n_lead = _leading(columns)
    rows = list(zip(*(column.cells for column in columns), strict=True))
    facts = [_facts(columns[n_lead:], cells[n_lead:]) for cells in rows]
    across = next((n for n in (3, 2) if _grid_width(facts, n) <= width), 1)
    texts = [
        "\n".join([*_heading(cells[:n_lead]), *_grid(some, _pairs(facts, across))])
        for cells, some in zip(rows, facts, strict=True)
    ]
    return Group(Text("\n\n".join(texts), overflow="fold"))


def _leading(columns: list[Column]) -> int:
    """Return how many columns say what a row is: marks, and names behind them."""
    marks = next((i for i, one in enumerate(columns) if one.title.strip()), 0)
    return marks + (columns[marks].justify == "left")


def _heading(cells: Sequence[str]) -> list[str]:
    return [" ".join(cell or " " for cell in cells)] if cells else []


def _facts(columns: Sequence[Column], cells: Sequence[str]) -> Facts:
    """Return titles and cells; an error goes with what it is the error of."""
    found: Facts = []
    for column, cell in zip(columns, cells, strict=True):
        title = column.title.strip()
        if found and title in _JOINED:
            found[-1] = (found[-1][0], f"{found[-1][1]} {title} {cell}")
        elif cell:
            found.append((title, cell))
    return found


def _pairs(facts: Sequence[Facts], across: int) -> list[tuple[int, int]]:
    """Return the widths of title and cell in each column of a grid."""
    return [
        (
            max(
                (cell_len(title) for some in facts for title, _ in some[i::across]),
                default=0,
            ),
            max(
                (cell_len(cell) for some in facts for _, cell in some[i::across]),
                default=0,
            ),
        )
        for i in range(across)
    ]


def _grid_width(facts: Sequence[Facts], across: int) -> int:
    pairs = _pairs(facts, across)
    return sum(title + 1 + cell for title, cell in pairs) + GAP * across


def _grid(facts: Facts, pairs: list[tuple[int, int]]) -> list[str]:
    """Return titles and cells as lines, so many side by side as there are widths."""
    lines = []
    for first in range(0, len(facts), len(pairs)):
        told = [
            f"{set_cell_size(title, title_width)} {set_cell_size(cell, cell_width)}"
            for (title, cell), (title_width, cell_width) in zip(
                facts[first:], pairs, strict=False
            )
        ]
        lines.append((GAP * " " + (GAP * " ").join(told)).rstrip())
    return lines
