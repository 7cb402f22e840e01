"""Azure's public traces of functions: counts by the minute (2019), and calls (2021)."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np

from costsim.errors import TraceError
from costsim.traffic.formats.batch import Batch, Format
from costsim.traffic.formats.columns import Layout, plain_name
from costsim.traffic.formats.csv_rows import names_of
from costsim.traffic.formats.moments import NS_PER_S
from costsim.traffic.formats.shown import shown
from costsim.traffic.formats.tables import read_rows
from costsim.traffic.formats.values import float_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from costsim.scenario.trace import Trace
    from costsim.traffic.formats.batch import Account
    from costsim.traffic.formats.content import Content, Head

_MINUTE_S = 60.0
_MINUTES_PER_DAY = 1440
_NAMES = ("HashOwner", "HashApp", "HashFunction", "Trigger")
_LAYOUT_2021 = Layout(
    end="end_timestamp",
    duration="duration",
    key="func",
    time_unit="s",
    duration_unit="s",
)


def _is_2019(head: Head) -> bool:
    names = names_of(head)
    return {"HashFunction", "Trigger"} <= set(names) and any(map(str.isdigit, names))


def _is_2021(head: Head) -> bool:
    names = {plain_name(name) for name in names_of(head)}
    return names >= {"app", "func", "end_timestamp", "duration"}


def _read_2019(content: Content, spec: Trace, account: Account) -> Iterator[Batch]:
    lines = enumerate(csv.reader(content.lines()), start=1)
    number, header = next(((n, row) for n, row in lines if row), (1, []))
    minutes = [i for i, name in enumerate(header) if _is_minute(name)]
    key = _key_column(header, spec, content.path)
    if not minutes:
        message = "has no columns for minutes, named 1 to 1440"
        raise TraceError(message, path=content.path, line=number)
    account.epoch = "file"
    first = header[minutes[0]]
    account.notes.append(
        f"columns {first} to {header[minutes[-1]]} are minutes of a day whose date and "
        "time zone are not stated; calls were counted when they had ended"
    )
    begins = np.array([int(header[i]) - 1 for i in minutes]) * int(_MINUTE_S * NS_PER_S)
    for line, row in lines:
        if row:
            account.n_rows += 1
            counts = _counts(row, minutes, len(header), line, account)
            if counts is not None:
                yield _function(line, begins, counts, row[key])


def _is_minute(name: str) -> bool:
    return name.isdigit() and 1 <= int(name) <= _MINUTES_PER_DAY


def _key_column(header: list[str], spec: Trace, path: str) -> int:
    name = spec.columns.key or "HashFunction"
    if name not in header:
        names = ", ".join(map(shown, _NAMES))
        message = f"has no column {shown(name)} to be the key; there are {names}"
        raise TraceError(message, path=path, line=1)
    return header.index(name)


def _counts(
    row: list[str], minutes: list[int], n: int, line: int, account: Account
) -> np.ndarray[tuple[int], np.dtype[np.float64]] | None:
    if len(row) != n:
        account.drop("another number of fields than the header", line)
        return None
    texts = [row[i] for i in minutes]
    try:
        values = np.array(texts, dtype=np.float64)
    except ValueError:
        values = np.array([float_of(text or "0") for text in texts])
    if np.isnan(values).any() or (values < 0).any():
        account.drop("counts that are not readable", line)
        return None
    return values


def _function(
    line: int,
    begins: np.ndarray[tuple[int], np.dtype[np.int64]],
    counts: np.ndarray[tuple[int], np.dtype[np.float64]],
    key: str,
) -> Batch:
    some = counts > 0
    some[[0, -1]] = True  # the file covers all of its minutes
    n = int(some.sum())
    return Batch(
        line=np.full(n, line),
        time_ns=begins[some],
        count=counts[some],
        width_s=np.full(n, _MINUTE_S),
        key=[key] * n,
    )


def _read_2021(content: Content, spec: Trace, account: Account) -> Iterator[Batch]:
    n_zero = 0
    for batch in read_rows(content, spec, account, _LAYOUT_2021):
        if batch.duration_s is not None:
            n_zero += int((batch.duration_s == 0).sum())
        yield batch
    if n_zero:
        account.notes.append(
            f"{n_zero:,} calls have a duration of 0, as is common in this trace"
        )


FORMATS: tuple[Format, ...] = (
    Format(
        "azure-functions-2019",
        "Azure Functions 2019, invocations per minute",
        _is_2019,
        _read_2019,
        "the minute, scattered inside it",
        "counts; the function as key, or the column that columns.key names",
        "github.com/Azure/AzurePublicDataset",
    ),
    Format(
        "azure-functions-2021",
        "Azure Functions 2021",
        _is_2021,
        _read_2021,
        "end_timestamp less duration, in seconds",
        "durations, the function as key",
        "github.com/Azure/AzurePublicDataset",
    ),
)
"""What is read here."""
