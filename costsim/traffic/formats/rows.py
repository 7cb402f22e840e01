"""Rows of a table turned into arrays, and an account of those that cannot be used."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from costsim.errors import TraceError
from costsim.traffic.formats.text import shown
from costsim.traffic.formats.values import (
    FAULT_WORDS,
    Fault,
    TimeColumn,
    parse_numbers,
)

if TYPE_CHECKING:
    from _csv import Reader

    from costsim.records import Floats, Ints
    from costsim.traffic.formats.columns import Column, Header

MAX_UNUSABLE = 0.01
"""Largest share of rows that may be left out."""
MAX_ROWS = 250_000_000
"""Largest number of rows."""

_ROWS_AT_ONCE = 65536
_EXPECTED = (
    "a number has a decimal point, a date is written as 2026-03-05T18:00:00+01:00"
)


@dataclass
class _Fault:
    """One reason for which rows are left out."""

    example: str = ""
    """The first text that could not be read, if that is the reason."""
    lines: list[int] = field(default_factory=list)


class Rows:
    """The usable rows so far, and the others by reason.

    Parameters
    ----------
    columns : dict of str to Column
        What is read, by field of ``TraceData``.
    path : str
        For messages.
    """

    def __init__(self, columns: dict[str, Column], path: str) -> None:
        self.times = TimeColumn(path)
        self._columns = columns
        self._path = path
        self._n_rows = 0
        self._parts: dict[str, list[Floats]] = {name: [] for name in columns}
        self._lines: list[Ints] = []
        self._faults: dict[str, _Fault] = {}

    def take(self, reader: Reader, header: Header) -> bool:
        """Take over the next rows; return False if there were none."""
        # Rows are pulled apart at once: a million lists kept alive would set off the
        # garbage collector again and again, which triples the time.
        texts: dict[str, list[str]] = {name: [] for name in self._columns}
        into = [(texts[name], one.position) for name, one in self._columns.items()]
        lines, ragged, n = [], [], 0
        for row in islice(reader, _ROWS_AT_ONCE):
            n += 1
            if len(row) == len(header.names):
                lines.append(header.line + reader.line_num)
                for column, position in into:
                    column.append(row[position])
            elif row:  # no field at all is a blank line
                ragged.append(header.line + reader.line_num)
        self._n_rows += len(lines) + len(ragged)
        if self._n_rows > MAX_ROWS:
            message = f"has more than {MAX_ROWS:,} rows; split it"
            raise TraceError(message, path=self._path)
        if ragged:
            self._leave_out("another number of fields than the header", ragged)
        self._add(texts, np.array(lines, dtype=np.int64))
        return n > 0

    def column(self, name: str) -> Floats:
        """Return the values of the usable rows, in the order of the file."""
        return np.concatenate(self._parts[name])

    def refuse_if_unusable(self) -> None:
        """Raise ``TraceError`` if there are no rows, or too many that cannot be used."""
        if self._n_rows == 0:
            message = "has a header but no rows"
            raise TraceError(message, path=self._path)
        faults = self._faults.values()
        n_unusable = sum(len(fault.lines) for fault in faults)
        if n_unusable > MAX_UNUSABLE * self._n_rows:
            hint = f"; {_EXPECTED}" if any(fault.example for fault in faults) else ""
            message = (
                f"{n_unusable:,} of {self._n_rows:,} rows cannot be used, more than "
                f"{MAX_UNUSABLE:.0%}: {'; '.join(self._reasons())}{hint}"
            )
            first = min(fault.lines[0] for fault in faults)
            raise TraceError(message, path=self._path, line=first)

    def notes(self, arrival_s: Floats) -> list[str]:
        """Return what must be said about rows left out and sorted."""
        notes = [f"rows left out: {reason}" for reason in self._reasons()]
        late = np.flatnonzero(arrival_s < np.maximum.accumulate(arrival_s))
        if len(late):
            what = "1 row out of order was"
            if len(late) > 1:
                what = f"{len(late):,} rows out of order were"
            first = np.concatenate(self._lines)[late[0]]
            notes.append(f"{what} sorted; first at line {first}")
        return notes

    def _add(self, texts: dict[str, list[str]], lines: Ints) -> None:
        """Add the rows without a fault; a row with several counts by its first."""
        usable = np.ones(len(lines), dtype=bool)
        parsed = {}
        for name, column in self._columns.items():
            if name == "arrival_s":
                values, faults = self.times.parse(texts[name], lines)
            else:
                values, faults = parse_numbers(texts[name])
            for code in np.unique(faults[usable & (faults != Fault.NONE)]).tolist():
                at = np.flatnonzero(usable & (faults == code)).tolist()
                example = texts[name][at[0]] if code == Fault.UNREADABLE else ""
                reason = f"{shown(column.name)} {FAULT_WORDS[Fault(code)]}"
                self._leave_out(reason, lines[at].tolist(), example)
            usable &= faults == Fault.NONE
            parsed[name] = values
        for name, values in parsed.items():
            self._parts[name].append(values[usable])
        self._lines.append(lines[usable])

    def _leave_out(self, reason: str, lines: list[int], example: str = "") -> None:
        self._faults.setdefault(reason, _Fault(example)).lines.extend(lines)

    def _reasons(self) -> list[str]:
        return [
            f"{len(fault.lines):,} with {reason} ({_where(fault)})"
            for reason, fault in self._faults.items()
        ]


def _where(fault: _Fault) -> str:
    """Return the first lines at fault, and an example."""
    first = ", ".join(map(str, fault.lines[:3]))
    lines = f"line{'' if len(fault.lines) == 1 else 's'} {first}"
    more = ", ..." if len(fault.lines) > 3 else ""
    example = f": {shown(fault.example)}" if fault.example else ""
    return lines + more + example
