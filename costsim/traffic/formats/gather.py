"""Requests that are found one by one, gathered into batches."""

from __future__ import annotations

from itertools import islice
from math import nan
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from costsim.traffic.formats.batch import Batch
from costsim.traffic.formats.times import drop_times, parse_times
from costsim.traffic.trace import ROWS_AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from costsim.records import Floats, Ints
    from costsim.scenario.trace import Trace
    from costsim.traffic.formats.batch import Account

    Bools = np.ndarray[Any, np.dtype[np.bool_]]

_LONGEST_S = 1e8  # three years
_NO_DURATION = "a duration that cannot be"


class Row(NamedTuple):
    """One request; what it does not have is NaN or empty."""

    line: int
    """Where it is: its line, or its number among the file's objects, from 1."""
    time_ns: int
    """When it arrived, or ended where the format stamps ends. [ns]"""
    duration_s: float = nan
    """Service time. [s]"""
    input_tokens: float = nan
    """Tokens read."""
    output_tokens: float = nan
    """Tokens written."""
    key: str = ""
    """Endpoint, model or function."""
    session: str = ""
    """Session, user or address."""


class DatedRow(NamedTuple):
    """One request whose time is still text; else as ``Row``."""

    line: int
    time: str
    """A date, or a number since 1970, as the file has it."""
    duration_s: float = nan
    input_tokens: float = nan
    output_tokens: float = nan
    key: str = ""
    session: str = ""


T = TypeVar("T", Row, DatedRow)


def batches(rows: Iterable[Row], account: Account) -> Iterator[Batch]:
    """Yield rows by the batch, in their order, without those of unusable durations."""
    for part in _parts(rows):
        kept = _with_durations(part, account)
        if kept:
            line, time_ns, *values = zip(*kept, strict=True)
            yield _batch(_ints(line), _ints(time_ns), values)


def dated_batches(
    rows: Iterable[DatedRow],
    name: str,
    spec: Trace,
    account: Account,
    unit: str | None = None,
) -> Iterator[Batch]:
    """Yield rows by the batch, in their order, without those whose time is unreadable.

    Parameters
    ----------
    rows : iterable of DatedRow
        The requests.
    name : str
        What the time is called, for messages.
    spec : Trace
        The user's keys.
    account : Account
        Where rows are dropped.
    unit : str, optional
        Unit of times that are numbers, if the format tells.
    """
    for parsed in _parts(rows):
        part = _with_durations(parsed, account)
        usable = np.ones(len(part), dtype=bool)
        texts = [row.time for row in part]
        line = _ints([row.line for row in part])
        time_ns = parse_times(texts, account, spec, line, unit)
        drop_times(texts, time_ns, usable, line, name, account)
        good = np.flatnonzero(usable)
        if len(good):
            kept = [part[i] for i in good.tolist()]
            _, _, *values = zip(*kept, strict=True)
            yield _batch(line[good], time_ns[good], values)


def can_be(duration_s: Floats, line: Ints, account: Account) -> Bools:
    """Say which durations can be, or are not known; drop the rows of the others."""
    wrong = (duration_s < 0) | (duration_s > _LONGEST_S)
    for i in np.flatnonzero(wrong).tolist():
        account.drop(_NO_DURATION, int(line[i]), f"{duration_s[i]:g}")
    return ~wrong


def _with_durations(rows: list[T], account: Account) -> list[T]:
    kept = []
    for row in rows:
        if row.duration_s < 0 or row.duration_s > _LONGEST_S:
            account.drop(_NO_DURATION, row.line, f"{row.duration_s:g}")
        else:
            kept.append(row)
    return kept


def _parts(rows: Iterable[T]) -> Iterator[list[T]]:
    source = iter(rows)
    while part := list(islice(source, ROWS_AT_ONCE)):
        yield part


def _batch(line: Ints, time_ns: Ints, values: Sequence[Sequence[object]]) -> Batch:
    duration_s, tokens_in, tokens_out, key, session = values
    return Batch(
        line=line,
        time_ns=time_ns,
        duration_s=_floats(duration_s),
        input_tokens=_floats(tokens_in),
        output_tokens=_floats(tokens_out),
        key=_texts(key),
        session=_texts(session),
    )


def _ints(values: Sequence[object]) -> Ints:
    return np.array(values, dtype=np.int64)


def _floats(values: Sequence[object]) -> Floats | None:
    """Return the values of a batch, None if no row has any."""
    column = np.array(values, dtype=np.float64)
    return None if np.isnan(column).all() else column


def _texts(values: Sequence[object]) -> Sequence[str] | None:
    """Return the texts of a batch, None if no row has any."""
    return [str(value) for value in values] if any(values) else None
