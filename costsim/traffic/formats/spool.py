"""Rows in the order of time, however many: in memory, or sorted by parts on disk.

What does not fit in memory is written as runs, each in order, which are merged block by
block into one file a column. The files have no name and go with the last reference.
"""

from __future__ import annotations

import os
import tempfile
import weakref
from typing import TYPE_CHECKING, Any

import numpy as np

from costsim.errors import TraceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

MAX_ROWS_IN_MEMORY = 4_000_000
"""Rows that are sorted at once; more are written to disk."""
ROWS_OF_A_RUN = 65_536
"""Rows that are taken from a run at once."""

TIME = "time_ns"
"""Name of the column by which rows are sorted."""

Table = dict[str, "npt.NDArray[Any]"]
"""Columns of equal length, by name."""

_MISSING = {"key": -1, "session": -1}


class FileColumn:
    """Numbers in a file, taken by slices.

    Parameters
    ----------
    owner : Files
        Keeps the file open.
    file : int
        Its descriptor.
    dtype : numpy.dtype
        Of the numbers.
    n : int
        How many there are.
    offset : int
        Where they begin. [B]
    """

    def __init__(
        self, owner: Files, file: int, dtype: np.dtype[Any], n: int, offset: int = 0
    ) -> None:
        self._owner = owner
        self._file = file
        self._dtype = dtype
        self._n = n
        self._offset = offset

    def __len__(self) -> int:
        return self._n

    def __getitem__(self, rows: slice, /) -> npt.NDArray[Any]:
        begin, end, step = rows.indices(self._n)
        if step != 1:
            message = "a column on disk is taken in steps of 1"
            raise ValueError(message)
        values = np.empty(max(0, end - begin), self._dtype)
        memory = _bytes_of(values)
        at, done = self._offset + begin * self._dtype.itemsize, 0
        while done < len(memory):
            done += os.preadv(self._file, [memory[done:]], at + done)
        return values


class Files:
    """Open files without a name, closed and so deleted with the last reference."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._open: list[int] = []
        weakref.finalize(self, _close, self._open)

    def new(self) -> int:
        """Return the descriptor of a new file."""
        try:
            descriptor, name = tempfile.mkstemp(prefix="costsim-")
            os.unlink(name)  # noqa: PTH108
        except OSError as error:
            raise self._full(error) from error
        self._open.append(descriptor)
        return descriptor

    def write(self, file: int, values: npt.NDArray[Any]) -> None:
        """Append numbers to a file."""
        rest = _bytes_of(np.ascontiguousarray(values))
        try:
            while len(rest):
                rest = rest[os.write(file, rest) :]
        except OSError as error:
            raise self._full(error) from error

    def _full(self, error: OSError) -> TraceError:
        message = (
            f"is too long for memory, and {tempfile.gettempdir()} does not take a "
            f"sorted copy of it: {error.strerror}; set TMPDIR to another folder"
        )
        return TraceError(message, path=self._path)


class Spool:
    """Rows that come in any order and go in the order of time.

    Parameters
    ----------
    path : str
        For messages.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._parts: list[Table] = []
        self._n = 0
        self._runs: list[dict[str, FileColumn]] = []
        self._files = Files(path)

    @property
    def spilled(self) -> bool:
        """Whether rows are on disk."""
        return bool(self._runs)

    def add(self, table: Table) -> None:
        """Take over some rows; a column may be missing in some tables."""
        self._parts.append(table)
        self._n += len(table[TIME])
        if self._n >= MAX_ROWS_IN_MEMORY:
            self._spill()

    def blocks(self) -> Iterator[Table]:
        """Yield all rows in the order of time; those of equal times as they came."""
        if not self.spilled:
            if self._parts:
                yield self._sorted()
            return
        if self._parts:
            self._spill()
        yield from _merge(self._runs)

    def _sorted(self) -> Table:
        """Return the rows in memory in the order of time, and forget them."""
        parts, self._parts, self._n = self._parts, [], 0
        names = list(dict.fromkeys(name for part in parts for name in part))
        order = None
        table: Table = {}
        for name in [TIME, *(name for name in names if name != TIME)]:
            column = np.concatenate([_column(part, name) for part in parts])
            for part in parts:
                if name != TIME:
                    part.pop(name, None)
            if name == TIME and not np.all(column[1:] >= column[:-1]):
                order = np.argsort(column, kind="stable")
            table[name] = column if order is None else column[order]
        return table

    def _spill(self) -> None:
        table = self._sorted()
        file = self._files.new()
        run, offset = {}, 0
        for name, values in table.items():
            run[name] = FileColumn(self._files, file, values.dtype, len(values), offset)
            self._files.write(file, values)
            offset += values.nbytes
        self._runs.append(run)


class FileTable:
    """Columns that grow on disk.

    Parameters
    ----------
    path : str
        For messages.
    """

    def __init__(self, path: str) -> None:
        self._files = Files(path)
        self._columns: dict[str, tuple[int, np.dtype[Any]]] = {}
        self._n = 0

    @property
    def owner(self) -> object:
        """What keeps the files."""
        return self._files

    def append(self, table: Table) -> None:
        """Add rows; all tables have the same columns."""
        for name, values in table.items():
            if name not in self._columns:
                self._columns[name] = self._files.new(), values.dtype
            self._files.write(self._columns[name][0], values)
        self._n += len(next(iter(table.values())))

    def columns(self) -> dict[str, FileColumn]:
        """Return the columns by name."""
        return {
            name: FileColumn(self._files, file, dtype, self._n)
            for name, (file, dtype) in self._columns.items()
        }


class _Cursor:
    """A place in a run, and the rows that follow it."""

    def __init__(self, run: dict[str, FileColumn], names: list[str]) -> None:
        self._run = run
        self._names = names
        self._at = 0
        self._n = len(run[TIME])
        self.rows: Table = {}
        self.fill()

    def fill(self) -> None:
        """Read on if all rows have been taken."""
        if self.rows and len(self.rows[TIME]):
            return
        part = slice(self._at, self._at + ROWS_OF_A_RUN)
        found = {name: column[part] for name, column in self._run.items()}
        self.rows = {name: _column(found, name) for name in self._names}
        self._at = min(self._n, part.stop)

    @property
    def last(self) -> int | None:
        """Time of the last row that has been read, if there are more."""
        return int(self.rows[TIME][-1]) if self._at < self._n else None

    def take(self, bound: int | None) -> Table:
        """Return the rows up to a time, and go behind them."""
        time = self.rows[TIME]
        n = (
            len(time)
            if bound is None
            else int(np.searchsorted(time, bound, side="right"))
        )
        taken = {name: column[:n] for name, column in self.rows.items()}
        self.rows = {name: column[n:] for name, column in self.rows.items()}
        return taken


def _merge(runs: list[dict[str, FileColumn]]) -> Iterator[Table]:
    """Yield the rows of all runs in the order of time."""
    names = list(dict.fromkeys(name for run in runs for name in run))
    cursors = [_Cursor(run, names) for run in runs]
    while cursors:
        lasts = [cursor.last for cursor in cursors]
        bounds = [last for last in lasts if last is not None]
        bound = min(bounds) if bounds else None
        taken = [cursor.take(bound) for cursor in cursors]
        taken = [table for table in taken if len(table[TIME])]
        yield _joined(taken)
        for cursor in cursors:
            cursor.fill()
        cursors = [cursor for cursor in cursors if len(cursor.rows[TIME])]


def _joined(tables: list[Table]) -> Table:
    if len(tables) == 1:
        return tables[0]
    order = np.argsort(np.concatenate([table[TIME] for table in tables]), kind="stable")
    return {
        name: np.concatenate([table[name] for table in tables])[order]
        for name in tables[0]
    }


def _column(table: Table, name: str) -> npt.NDArray[Any]:
    """Return a column, filled with what stands for nothing if the table has none."""
    found = table.get(name)
    if found is not None:
        return found
    n = len(table[TIME])
    if name in _MISSING:
        return np.full(n, _MISSING[name], np.int64 if name == "session" else np.int32)
    return np.full(n, 1.0 if name == "count" else np.nan)


def _bytes_of(values: npt.NDArray[Any]) -> memoryview:
    return values.data.cast("B") if len(values) else memoryview(b"")


def _close(files: list[int]) -> None:
    for file in files:
        os.close(file)
