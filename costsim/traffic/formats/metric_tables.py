"""Tables of metrics as dashboards export them: times in one column, series in others."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from math import nan
from typing import TYPE_CHECKING

import numpy as np

from costsim.errors import TraceError
from costsim.traffic.formats.moments import parse_moment
from costsim.traffic.formats.series import Series
from costsim.traffic.formats.split import split_line
from costsim.traffic.formats.times import drop_times, parse_times

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from costsim.scenario.trace import Trace
    from costsim.traffic.formats.batch import Account
    from costsim.traffic.formats.content import Content

_SEPARATOR = re.compile(r"sep=(.)")
_VALUE = re.compile(
    r"(?P<number>[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:[eE][-+]?\d+)?)"
    r"\s*(?P<times>K|k|M|Mil|G|B|Bil|T|Tri|m|µ)?(?:\s+(?P<unit>\S.*)|(?P<per>/\w+))?"
)
# fmt: off
_TIMES = {
    "m": 1e-3, "µ": 1e-6, "K": 1e3, "k": 1e3, "M": 1e6, "Mil": 1e6,
    "G": 1e9, "B": 1e9, "Bil": 1e9, "T": 1e12, "Tri": 1e12,
}
# fmt: on
_MISSING = ("", "-", "nan", "null", "none", "undefined", "n/a", "no data")
_PER_MINUTE = re.compile(r"/m(in(ute)?)?$|^[a-z]*pm$|per min(ute)?$", re.IGNORECASE)


@dataclass
class Table:
    """A table whose first column is a time."""

    names: list[str]
    """Titles of the columns."""
    lines: list[int] = field(default_factory=list)
    """Where each row is."""
    rows: list[list[str]] = field(default_factory=list)
    """Cells of each row."""

    def column(self, position: int) -> list[str]:
        """Return the cells of a column, empty where a row is too short."""
        return [row[position] if position < len(row) else "" for row in self.rows]


def split_rows(lines: Iterator[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield the cells of each line that is not blank, with its number.

    A first line such as ``sep=;`` says what is between cells; else the header tells.
    """
    delimiter = ""
    for at, line in enumerate(lines, start=1):
        stripped = line.lstrip("\ufeff").strip()
        declared = _SEPARATOR.fullmatch(stripped.strip('"'))
        if not stripped or stripped.startswith("#"):
            continue
        if declared and not delimiter:
            delimiter = declared[1]
            continue
        if not delimiter:
            delimiter = max(",;\t", key=stripped.count)
        cells = split_line(stripped, delimiter)
        yield at, [cell.strip() for cell in cells]


def read_table(content: Content, name_rows: Sequence[str] = ()) -> Table:
    """Return a table; titles stand in the row before the first time.

    Parameters
    ----------
    content : Content
        The file.
    name_rows : sequence of str
        First cells of rows that hold the titles, if there are several rows above.
    """
    table = Table([])
    for at, cells in split_rows(content.lines()):
        if not table.rows and not is_time(cells[0]):
            if not table.names or not name_rows or cells[0].lower() in name_rows:
                table.names = cells
            continue
        table.lines.append(at)
        table.rows.append(cells)
    if not table.rows or len(table.names) < 2:
        message = "has no rows that begin with a time below titles of columns"
        raise TraceError(message, path=content.path)
    return table


def is_time(text: str) -> bool:
    """Say whether a cell is a moment: a date, or a number since 1970."""
    return re.fullmatch(r"\d{9,19}(\.\d+)?", text) is not None or (
        parse_moment(text) is not None
    )


def parse_value(text: str) -> tuple[float, str]:
    """Return a number and its unit of what may be written ``3.5 K`` or ``1.2 req/s``.

    Rates per minute become rates per second. NaN if there is no number.
    """
    stripped = text.strip()
    if stripped.lower() in _MISSING:
        return nan, ""
    match = _VALUE.fullmatch(stripped)
    if match is None or not match["number"].strip("+-"):
        return nan, "?"
    value = float(match["number"].replace(",", "")) * _TIMES.get(match["times"], 1.0)
    unit = match["unit"] or match["per"] or ""
    return (value / 60, "/s") if _PER_MINUTE.search(unit) else (value, unit)


def table_series(
    table: Table, time: int, spec: Trace, account: Account
) -> list[Series]:
    """Return the columns of a table, apart from that of the times, as series."""
    texts = table.column(time)
    lines = np.array(table.lines, dtype=np.int64)
    usable = np.ones(len(lines), dtype=bool)
    time_ns = parse_times(texts, account, spec, lines)
    drop_times(texts, time_ns, usable, lines, table.names[time], account)
    account.n_rows += int(np.count_nonzero(~usable))
    good = np.flatnonzero(usable)
    found = []
    for position, name in enumerate(table.names):
        if position == time or not name:
            continue
        values, unit = _values(table, position, account)
        title = f"{name} {unit}".strip()
        key = name if len(table.names) > 2 else ""
        column = np.array(values, dtype=np.float64)
        found.append(Series(title, key, lines[good], time_ns[good], column[good]))
    return found


def _values(table: Table, position: int, account: Account) -> tuple[list[float], str]:
    """Return the numbers of a column, and the unit that they were written with."""
    values, units = [], set()
    for at, text in zip(table.lines, table.column(position), strict=True):
        value, unit = parse_value(text)
        if unit == "?":
            account.n_rows += 1
            account.drop(f"'{table.names[position]}' not readable", at, text)
        elif unit:
            units.add(unit)
        values.append(value)
    return values, sorted(units)[0] if units else ""
