"""CSV with a header: a time of arrival in each row, and what the request brought.

Rows out of order are sorted, rows that cannot be used are left out; both are counted
and reported with their first lines. If more than 1 % cannot be used the file is refused.
"""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

import numpy as np

from costsim.errors import TraceError
from costsim.traffic.formats.columns import (
    SECONDS_IN,
    UNIT_NAMES,
    Column,
    Header,
    find_columns,
)
from costsim.traffic.formats.rows import Rows
from costsim.traffic.formats.text import shown
from costsim.traffic.trace import TraceData
from costsim.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from costsim.records import Floats
    from costsim.scenario.traffic import Trace

_DELIMITERS = ",;\t"

# Numbers between these are seconds since 1970 in some unit: the years 2000 to 2099.
_EARLIEST_EPOCH_S = datetime(2000, 1, 1, tzinfo=UTC).timestamp()
_LATEST_EPOCH_S = datetime(2100, 1, 1, tzinfo=UTC).timestamp()


def read_header(lines: Iterator[str], path: str) -> Header:
    """Return the column names on the first line that is not blank."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            delimiter = max(_DELIMITERS, key=line.count)
            reader = csv.reader([line], delimiter=delimiter)
            return Header(tuple(next(reader)), delimiter, number)
    message = "has no header and no rows"
    raise TraceError(message, path=path)


def read_csv(
    lines: Iterator[str],
    header: Header,
    spec: Trace,
    needs: Iterable[str] | None = None,
    zone: tzinfo | None = None,
) -> TraceData:
    """Return the requests in the lines that follow a header.

    Parameters
    ----------
    lines : iterator of str
        The rest of the file.
    header : Header
        What ``read_header`` found.
    spec : Trace
        Columns and units as the scenario gives them.
    needs : iterable of str, optional
        Fields of ``TraceData`` that must be there; all that there are if left out.
    zone : tzinfo, optional
        Zone of calendar times without an offset, where the format has one.

    Raises
    ------
    TraceError
        If the file cannot be used.
    """
    columns, notes = find_columns(header, spec.columns, needs, spec.path)
    rows = Rows(columns, spec.path)
    reader = csv.reader(lines, delimiter=header.delimiter, strict=True)
    try:
        while rows.take(reader, header):
            pass
    except csv.Error as error:
        at = header.line + reader.line_num
        message = f"is not valid CSV: {error}; is a quotation mark left open?"
        raise TraceError(message, path=spec.path, line=at) from error
    rows.refuse_if_unusable()
    start, arrival_s, note = _seconds(rows, columns["arrival_s"], spec, zone)
    order = np.argsort(arrival_s, kind="stable")
    values = {
        name: rows.column(name)[order] * _scale(name, column, spec, notes)
        for name, column in columns.items()
        if name != "arrival_s"
    }
    return TraceData(
        arrival_s=arrival_s[order],
        start=start,
        notes=(note, *notes, *rows.notes(arrival_s)),
        **values,
    )


def _scale(name: str, column: Column, spec: Trace, notes: list[str]) -> float:
    """Return by what a column is multiplied; durations only have a unit."""
    if name != "duration_s":
        return 1.0
    unit: str = spec.duration_unit
    if column.unit is not None and "duration_unit" not in spec.model_fields_set:
        unit = column.unit
    notes.append(f"durations in {shown(column.name)} are read as {UNIT_NAMES[unit]}")
    return SECONDS_IN[unit]


def _seconds(
    rows: Rows, column: Column, spec: Trace, zone: tzinfo | None
) -> tuple[datetime | None, Floats, str]:
    """Return when the first request arrived, seconds after it, and a note on both."""
    values = rows.column("arrival_s")
    first = float(values.min())
    moment = rows.times.first
    if moment is None:
        unit = _unit(values, column, spec)
        arrival_s = (values - first) * SECONDS_IN[unit]
        start_s = first * SECONDS_IN[unit]
        calendar = _EARLIEST_EPOCH_S <= start_s < _LATEST_EPOCH_S
        start = datetime.fromtimestamp(start_s, UTC) if calendar else None
        how = f"{UNIT_NAMES[unit]}{' since 1970' if calendar else ', the first at 0'}"
    else:
        arrival_s = (values - first) * 1e-6
        start = moment + timedelta(microseconds=first)
        how = "dates with an offset"
        if start.tzinfo is None:
            how = (
                "dates in UTC" if zone is not None else "dates by the scenario's clock"
            )
            start = start.replace(tzinfo=zone)
    begins = "" if start is None else f" from {start.isoformat(timespec='seconds')}"
    span = format_duration(float(arrival_s.max()))
    note = (
        f"{len(arrival_s):,} requests in {span}{begins}: "
        f"times in {shown(column.name)} are read as {how}"
    )
    return start, arrival_s, note


def _unit(values: Floats, column: Column, spec: Trace) -> str:
    """Return the unit of numeric times: given, in the column's name, or by their size."""
    if spec.time_unit != "auto":
        return spec.time_unit
    if column.unit is not None:
        return column.unit
    low, high = float(values.min()), float(values.max())
    for unit, seconds in SECONDS_IN.items():
        if low * seconds >= _EARLIEST_EPOCH_S and high * seconds < _LATEST_EPOCH_S:
            return unit
    if high < _EARLIEST_EPOCH_S:
        return "s"
    message = (
        f"times in {shown(column.name)} from {low:.16g} to {high:.16g} are neither "
        "seconds from 0 nor a time since 1970; set traffic.trace.time_unit"
    )
    raise TraceError(message, path=spec.path)
