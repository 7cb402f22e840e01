"""A price list as a table of text: columns by name, each row with its line."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from costsim.yaml_source import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from costsim.catalog.imports.faults import Faults

MOST_USD_PER_HOUR = 1e6
"""More than the largest pod of TPUs costs. [USD/h]"""
MOST_VCPU = 1e5
"""More than any machine has."""
MOST_GIB = 1e6
"""More than any machine has. [GiB]"""
MOST_GPUS = 1e4
"""More than any instance has."""

_LONGEST_NAME = 200
# ASCII digits only: float() also takes 1_000, nan and other scripts' digits.
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    line: int
    """Where it begins, counted from 1."""
    cells: dict[str, str]
    """By the column's name in lower case, without spaces around."""
    faults: Faults
    """Where to note what is wrong with it."""

    def text(self, column: str) -> str:
        """Return a text; empty if the table has no such column."""
        text = self.cells.get(column, "")
        if len(text) > _LONGEST_NAME or not text.isprintable():
            self._fault(column, text, f"a name of up to {_LONGEST_NAME} letters")
            return ""
        return text

    def number(self, column: str, most: float) -> float | None:
        """Return a number in [0, most]; None if there is none."""
        text = self.cells.get(column, "")
        if not text:
            return None
        number = float(text) if _NUMBER.fullmatch(text) else -1.0
        if 0 <= number <= most:
            return number
        self._fault(column, text, f"a number from 0 to {most:,.0f}")
        return None

    def yes_or_no(self, column: str) -> bool:
        """Return a truth value; False if there is none."""
        text = self.cells.get(column, "")
        if text.casefold() not in {"", "true", "false"}:
            self._fault(column, text, "True or False")
        return text.casefold() == "true"

    def refuse(self, message: str) -> None:
        """Note that the line cannot be used."""
        self.faults.add(message, line=self.line)

    def _fault(self, column: str, text: str, allowed: str) -> None:
        self.refuse(f"{column} must be {allowed}, found {shown(text)}")


@dataclass(frozen=True)
class Table:
    """The whole list."""

    columns: tuple[str, ...]
    """Names of the columns, as written."""
    rows: tuple[Row, ...]
    """The lines under them."""

    def require(self, columns: tuple[str, ...], whose: str, faults: Faults) -> None:
        """Refuse a table that lacks a column.

        Raises
        ------
        CatalogError
            Names the missing columns and those found.
        """
        present = {name.casefold() for name in self.columns}
        missing = [name for name in columns if name.casefold() not in present]
        if missing:
            found = ", ".join(shown(name) for name in self.columns)
            message = f"{whose} has no column {', '.join(missing)}; found {found}"
            faults.refuse(message, line=1)


def read_table(text: str, faults: Faults) -> Table:
    """Return the table in the text of a CSV file.

    Raises
    ------
    CatalogError
        If it is not CSV: quotes that never end, a repeated or nameless column.
    """
    lines = _records(text, faults)
    _, header = next(lines, (1, []))
    columns = tuple(name.strip() for name in header)
    keys = [name.casefold() for name in columns]
    repeated = [name for name in columns if keys.count(name.casefold()) > 1]
    if repeated:
        faults.refuse(f"the column {shown(repeated[0])} is there twice", line=1)
    rows = []
    for line, record in lines:
        if len(record) == len(columns):
            cells = dict(zip(keys, map(str.strip, record), strict=True))
            rows.append(Row(line, cells, faults))
        else:
            found = f"{len(record)} values under {len(columns)} columns"
            faults.add(found, line=line)
    return Table(columns, tuple(rows))


def _records(text: str, faults: Faults) -> Iterator[tuple[int, list[str]]]:
    """Yield each record with the line where it begins; blank lines are none."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    while True:
        try:
            record = next(reader, None)
        except csv.Error as error:
            faults.refuse(f"not CSV: {error}", line=line)
        if record is None:
            return
        if record:
            yield line, record
        line = reader.line_num + 1
