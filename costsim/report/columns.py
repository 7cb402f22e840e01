"""Tables that fit a terminal without ever clipping a number.

A table that is too wide loses whole columns, in an order that its author states; below
what its last columns need it becomes one block of lines a row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

GAP = 2
"""Spaces between columns."""
_LEAST_SENTENCE = 24
"""Characters that a column of sentences has at least, if they are as long."""


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
    return _blocks(columns)


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


def _blocks(columns: list[Column]) -> Group:
    blocks: list[Text] = []
    for cells in zip(*(column.cells for column in columns), strict=True):
        lines = [
            f"{column.title}: {cell}" if column.title.strip() else cell
            for column, cell in zip(columns, cells, strict=True)
            if cell
        ]
        above = [""] if blocks else []
        blocks.append(Text("\n".join([*above, *lines]), overflow="fold"))
    return Group(*blocks)
