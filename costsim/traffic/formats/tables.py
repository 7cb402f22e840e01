"""Tables with a row for each request, or for each bin of time, by whatever names.

CSV and its cousins, JSON objects, and Parquet or Arrow files are read alike: the columns
are found by their names, the rows come as arrays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from costsim.errors import TraceError
from costsim.traffic.formats.batch import Batch, Format
from costsim.traffic.formats.columns import find_columns
from costsim.traffic.formats.counts import find_counts, width_of
from costsim.traffic.formats.csv_rows import CsvSource
from costsim.traffic.formats.json_rows import JsonSource
from costsim.traffic.formats.not_traces import refuse_other_tables
from costsim.traffic.formats.shown import shown
from costsim.traffic.formats.stored_rows import StoredSource
from costsim.traffic.formats.times import (
    NS_PER,
    UNIT_NAMES,
    drop_times,
    how_times_were_read,
    parse_column_of_times,
)
from costsim.traffic.formats.values import parse_values, text_array
from costsim.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt
    import pyarrow as pa

    from costsim.records import Floats
    from costsim.scenario.trace import Trace
    from costsim.traffic.formats.batch import Account
    from costsim.traffic.formats.columns import Layout, Picked
    from costsim.traffic.formats.content import Content, Head
    from costsim.traffic.formats.counts import Counts
    from costsim.traffic.formats.source import Chunk, Source

_LONG_S = 600.0
"""Durations above this are rather milliseconds. [s]"""


def source_of(content: Content) -> Source:
    """Return the rows of a table, by what the file looks like."""
    if content.table_kind:
        return StoredSource(content)
    if content.head.text.lstrip("\ufeff \t\r\n").startswith(("{", "[")):
        return JsonSource(content)
    return CsvSource(content)


def read_rows(
    content: Content, spec: Trace, account: Account, layout: Layout | None = None
) -> Iterator[Batch]:
    """Yield the rows of a table.

    Parameters
    ----------
    content : Content
        The file.
    spec : Trace
        The user's choices.
    account : Account
        What is said of the file.
    layout : Layout, optional
        Names of the columns, if the format is known; found by usual names if left out.
    """
    source = source_of(content)
    refuse_other_tables(source.header, content.path)
    picked = find_columns(source.header, spec.columns, layout, account)
    counts = None
    if layout is None or picked.of.keys() & {"count", "rate"}:
        counts = find_counts(picked, source, spec, account)
    reader = _RowReader(picked, counts, spec, account, layout)
    for chunk in source.chunks(reader.positions, account, reader.names):
        if len(chunk.lines):
            yield from reader.batches(chunk)
    if account.n_rows == 0:
        message = "has a header but no rows"
        raise TraceError(message, path=content.path)


class _RowReader:
    """Makes batches of the columns of a table."""

    def __init__(
        self,
        picked: Picked,
        counts: Counts | None,
        spec: Trace,
        account: Account,
        layout: Layout | None,
    ) -> None:
        self._of = dict(picked.of)
        self._counts = counts
        self._spec = spec
        self._account = account
        self._waiting = picked.waiting
        self._first = True
        for name in ("count", "rate"):
            self._of.pop(name, None)
        if counts is not None:
            account.stamped_end = "end" in self._of
        self._time = self._of.get("arrival") or self._of["end"]
        by_format = None if layout is None else layout.time_unit
        self._time_unit = self._time.unit or by_format
        self._scale, self._unit = self._duration_unit(layout)

    @property
    def positions(self) -> list[int]:
        """Columns that are read."""
        counted = self._counts.columns if self._counts else ()
        columns = (*self._of.values(), *counted)
        return list(dict.fromkeys(column.position for column in columns))

    @property
    def names(self) -> list[int]:
        """Columns that are names, even where they look like numbers."""
        return [self._of[n].position for n in ("key", "session") if n in self._of]

    def batches(self, chunk: Chunk) -> Iterator[Batch]:
        """Yield the usable rows of a chunk; once for each series, if there are several."""
        account, lines = self._account, chunk.lines
        account.n_rows += len(lines)
        usable = np.ones(len(lines), dtype=bool)
        texts = chunk.columns[self._time.position]
        time_ns = parse_column_of_times(
            texts, account, self._spec, lines, self._time_unit
        )
        drop_times(texts, time_ns, usable, lines, self._time.name, account)
        columns: dict[str, Any] = {"line": lines, "time_ns": time_ns}
        for name, field in _VALUE_FIELDS.items():
            values = self._values(chunk, name, usable)
            if values is not None:
                columns[field] = values * self._scale if name == "duration" else values
        for name in ("key", "session"):
            if name in self._of:
                columns[name] = text_array(chunk.columns[self._of[name].position])
        if self._first:
            self._first = False
            self._note(columns.get("duration_s"))
        if self._counts is None:
            yield kept(columns, usable)
            return
        yield from self._binned(chunk, columns, usable, self._counts)

    def _binned(
        self,
        chunk: Chunk,
        columns: dict[str, Any],
        usable: npt.NDArray[np.bool_],
        counts: Counts,
    ) -> Iterator[Batch]:
        n = len(chunk.lines)
        for column in counts.columns:
            texts = chunk.columns[column.position]
            values = parse_values(
                texts, usable, chunk.lines, column.name, self._account
            )
            if counts.series and len(counts.columns) > 1:
                columns["key"] = [column.name] * n
            if counts.rates:
                keys = columns.get("key")
                names = None if keys is None else keys.to_pylist()
                columns["width_s"] = width_of(counts, names, n)
                values = values * columns["width_s"]
            yield kept({**columns, "count": values}, usable)

    def _values(
        self, chunk: Chunk, name: str, usable: npt.NDArray[np.bool_]
    ) -> Floats | None:
        column = self._of.get(name)
        if column is None:
            return None
        texts = chunk.columns[column.position]
        return parse_values(texts, usable, chunk.lines, column.name, self._account)

    def _duration_unit(self, layout: Layout | None) -> tuple[float, str]:
        """Return by what durations are multiplied, and the name of their unit."""
        column = self._of.get("duration")
        unit: str = self._spec.duration_unit
        if unit == "auto":
            by_name = column.unit if column is not None else None
            unit = by_name or (layout and layout.duration_unit) or "s"
        return NS_PER[unit] / NS_PER["s"], unit

    def _note(self, durations: Floats | None) -> None:
        """Say how times and durations are read."""
        notes = self._account.notes
        how = how_times_were_read(self._account)
        end = ", the ends of requests" if self._account.stamped_end else ""
        notes.append(f"times in {shown(self._time.name)} are read as {how}{end}")
        column = self._of.get("duration")
        if column is None or durations is None:
            return
        name = shown(column.name)
        notes.append(f"durations in {name} are read as {UNIT_NAMES[self._unit]}")
        if self._waiting:
            self._account.warnings.append(
                f"{name} may include waiting, which a simulation adds once more; a "
                "column with the service time alone can be named in "
                "traffic.trace.columns.duration"
            )
        known = durations[np.isfinite(durations)]
        typical = float(np.median(known)) if len(known) else 0.0
        if typical > _LONG_S and self._unit == "s":
            self._account.warnings.append(
                f"half of the durations in {name} are above {format_duration(typical)}; "
                "if they are milliseconds, set traffic.trace.duration_unit to ms"
            )


_VALUE_FIELDS = {
    "duration": "duration_s",
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
}


def kept(columns: dict[str, Any], usable: npt.NDArray[np.bool_]) -> Batch:
    """Return a batch of some of the rows that some columns hold."""
    if usable.all():
        return Batch(**columns)
    return Batch(**{name: _part(column, usable) for name, column in columns.items()})


def _part(
    column: npt.NDArray[Any] | pa.Array | list[str], usable: npt.NDArray[np.bool_]
) -> Any:  # noqa: ANN401 : of the kind that it was
    import pyarrow as pa

    if isinstance(column, pa.Array):
        return column.filter(pa.array(usable))
    if isinstance(column, list):
        return [text for text, kept in zip(column, usable, strict=True) if kept]
    return column[usable]


def _is_json(head: Head) -> bool:
    return head.text.lstrip("\ufeff \t\r\n").startswith(("{", "["))


def _is_stored(head: Head) -> bool:
    return bool(head.columns)


def _is_csv(head: Head) -> bool:
    return not head.columns and not _is_json(head)


_ARRIVAL = "the time column, found by its name; ends less durations where only ends are"
_HOLDS = "durations, tokens, keys and sessions, or counts of bins, as columns are named"

FORMATS: tuple[Format, ...] = (
    Format(
        "parquet", "Parquet or Arrow table", _is_stored, read_rows, _ARRIVAL, _HOLDS
    ),
    Format("jsonl", "JSON objects", _is_json, read_rows, _ARRIVAL, _HOLDS),
    Format("csv", "CSV with a header", _is_csv, read_rows, _ARRIVAL, _HOLDS),
)
"""Tables of any names; they go last, since they match any file."""
