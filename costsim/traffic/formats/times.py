"""Times of many rows at once: dates, or numbers since 1970 or since the file's own zero.

The first time that can be read decides what kind they all are. The fast way converts a
column as a whole; where that fails, halves of it, down to single values.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

import numpy as np

from costsim.errors import TraceError
from costsim.traffic.formats.dates import NO_TIME, parse_dates
from costsim.traffic.formats.moments import (
    NS_PER_S,
    Kind,
    is_day_first,
    ns_of_iso,
    parse_moment,
)
from costsim.traffic.formats.shown import shown
from costsim.traffic.formats.values import (
    MISSING,
    are_missing,
    drop_rows,
    float_of,
    floats_of,
    text_array,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pyarrow as pa

    from costsim.records import Floats, Ints
    from costsim.scenario.trace import Trace
    from costsim.traffic.formats.batch import Account

__all__ = [
    "NO_TIME",
    "NS_PER",
    "UNIT_NAMES",
    "Clock",
    "drop_times",
    "how_times_were_read",
    "ns_of_epoch",
    "ns_of_iso",
    "parse_times",
    "times_of_numbers",
]

NS_PER = {"s": NS_PER_S, "ms": 1_000_000, "us": 1_000, "ns": 1}
"""Nanoseconds in a unit."""
UNIT_NAMES = {
    "s": "seconds",
    "ms": "milliseconds",
    "us": "microseconds",
    "ns": "nanoseconds",
}

# Numbers between these are seconds since 1970 in some unit: the years 2000 to 2099.
_EARLIEST_EPOCH_S = datetime(2000, 1, 1, tzinfo=UTC).timestamp()
_LATEST_EPOCH_S = datetime(2100, 1, 1, tzinfo=UTC).timestamp()


@dataclass(frozen=True)
class Clock:
    """What the times of a file are."""

    kind: Kind
    """Number or date, and of which form."""
    line: int | None
    """Where the first one is."""
    offset: tzinfo | None = None
    """Offset of the first date, if it has one."""
    unit: str = "s"
    """Unit of numbers."""
    since_1970: bool = True
    """Numbers count from 1970, not from a zero of their own."""


def parse_times(
    texts: Sequence[str] | pa.Array,
    account: Account,
    spec: Trace,
    lines: Ints | None = None,
    unit: str | None = None,
) -> Ints:
    """Return the times in some texts, ``NO_TIME`` where there is none. [ns]

    Decides at the first call what the times of this file are, sets ``account.clock``,
    and ``account.epoch`` and ``account.zone`` if it follows from it.

    Parameters
    ----------
    texts : sequence of str, or pyarrow.Array of strings
        One for each row.
    account : Account
        That of the file.
    spec : Trace
        For the unit of numbers, if the scenario gives it.
    lines : Ints, optional
        Line of each row, for messages.
    unit : str, optional
        Unit of numbers by the format or by the column's name.

    Raises
    ------
    TraceError
        If a time is of another kind than the first one, or of two meanings.
    """
    array = text_array(texts)
    clock = account.clock or _decide(array, account, spec, lines, unit)
    if clock is None:
        return np.full(len(array), NO_TIME)
    ns = (
        _numbers(array, clock)
        if clock.kind is Kind.NUMBER
        else parse_dates(array, clock.kind)
    )
    seen = set(MISSING)
    for i in np.flatnonzero(ns == NO_TIME).tolist():
        text = str(array[i].as_py())
        if text not in seen:
            seen.add(text)
            _refuse_other_kind(text, clock, account, _line(lines, i))
    return ns


def times_of_numbers(
    values: Floats | Ints,
    account: Account,
    spec: Trace,
    lines: Ints | None = None,
    unit: str | None = None,
) -> Ints:
    """Return times that are numbers already; else as ``parse_times``. [ns]"""
    clock = account.clock
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return np.full(len(values), NO_TIME)
    first = int(known[0])
    if clock is None:
        clock = _set_numbers(values[known], account, spec, _line(lines, first), unit)
    elif clock.kind is not Kind.NUMBER:
        _refuse_other_kind(str(values[first]), clock, account, _line(lines, first))
    return _scaled(values, clock)


def drop_times(
    texts: Sequence[str] | pa.Array,
    ns: Ints,
    usable: npt.NDArray[np.bool_],
    lines: Ints,
    name: str,
    account: Account,
) -> None:
    """Drop the rows whose time could not be read, each with its reason.

    Parameters
    ----------
    texts : sequence of str, or pyarrow.Array
        What was parsed.
    ns : Ints
        What came of it.
    usable : array of bool
        Rows that are not dropped so far; those dropped here are set to False.
    lines : Ints
        Line of each row.
    name : str
        What the column is called, for messages.
    account : Account
        Where rows are dropped.
    """
    at = np.flatnonzero((ns == NO_TIME) & usable)
    if not len(at):
        return
    import pyarrow as pa

    values = floats_of(text_array(texts).take(pa.array(at)))
    missing = are_missing(texts, at)
    reasons = {
        "missing": missing & np.isnan(values),
        "not readable": ~missing & np.isnan(values),
        "not finite": np.isinf(values),
        "negative": values < 0,
        "out of the range of the others": values >= 0,
    }
    for why, these in reasons.items():
        left = these & usable[at]
        drop_rows(texts, at[left], usable, lines, f"{shown(name)} {why}", account)


def ns_of_epoch(value: float, unit: str) -> int:
    """Return a number of some unit. [ns]"""
    if isinstance(value, int):
        return value * NS_PER[unit]
    whole = int(value // 1)
    return whole * NS_PER[unit] + round((value - whole) * NS_PER[unit])


def how_times_were_read(account: Account) -> str:
    """Return in words what the times are, such as ``milliseconds since 1970``."""
    clock = account.clock
    if clock is None or clock.kind is not Kind.NUMBER:
        if clock is None or clock.offset is None:
            return "dates in UTC" if account.zone is UTC else "dates without an offset"
        return "dates in UTC" if clock.offset is UTC else "dates with an offset"
    since = "since 1970" if clock.since_1970 else "from the start of the file"
    return f"{UNIT_NAMES[clock.unit]} {since}"


def _decide(
    array: pa.Array,
    account: Account,
    spec: Trace,
    lines: Ints | None,
    unit: str | None,
) -> Clock | None:
    """Return the account's clock, set by the first time that can be read, if any can."""
    for i, scalar in enumerate(array):
        text, line = str(scalar.as_py()), _line(lines, i)
        if math.isfinite(float_of(text)):
            values = floats_of(array)
            known = values[np.isfinite(values)]
            return _set_numbers(known, account, spec, line, unit)
        if is_day_first(text):
            raise _ambiguous(text, account, line)
        moment = parse_moment(text)
        if moment is not None:
            account.clock = Clock(moment.kind, line, moment.offset)
            account.zone = account.zone if moment.offset is None else UTC
            return account.clock
    return None


def _set_numbers(
    values: Floats | Ints,
    account: Account,
    spec: Trace,
    line: int | None,
    unit: str | None,
) -> Clock:
    low, high = float(values.min()), float(values.max())
    found, since_1970 = _unit(low, high, spec, unit, account.path)
    account.clock = Clock(Kind.NUMBER, line, None, found, since_1970)
    account.epoch = "unix" if since_1970 else "file"
    account.zone = UTC if since_1970 else None
    return account.clock


def _line(lines: Ints | None, at: int) -> int | None:
    return None if lines is None else int(lines[at])


def _unit(
    low: float, high: float, spec: Trace, unit: str | None, path: str
) -> tuple[str, bool]:
    """Return the unit of numbers, and whether they count from 1970."""
    known = spec.time_unit if spec.time_unit != "auto" else unit
    for name in NS_PER if known is None else (known,):
        scale = NS_PER[name] / NS_PER_S
        if low * scale >= _EARLIEST_EPOCH_S and high * scale < _LATEST_EPOCH_S:
            return name, True
    if known is not None:
        return known, False
    if high < _EARLIEST_EPOCH_S:
        return "s", False
    message = (
        f"times from {low:.16g} to {high:.16g} are neither seconds from 0 nor a time "
        "since 1970; set traffic.trace.time_unit"
    )
    raise TraceError(message, path=path)


def _numbers(array: pa.Array, clock: Clock) -> Ints:
    import pyarrow as pa

    try:  # whole numbers are exact, even where a float is not
        return _scaled(array.cast(pa.int64()).to_numpy(zero_copy_only=False), clock)
    except (pa.ArrowException, ValueError):
        return _scaled(floats_of(array), clock)


def _scaled(values: Floats | Ints, clock: Clock) -> Ints:
    """Return numbers in ns; ``NO_TIME`` where they are out of the range of the others."""
    scale = NS_PER[clock.unit]
    low_s = _EARLIEST_EPOCH_S if clock.since_1970 else 0.0
    high_s = _LATEST_EPOCH_S if clock.since_1970 else 2 * _EARLIEST_EPOCH_S
    with np.errstate(invalid="ignore"):
        known = (values >= low_s * NS_PER_S / scale) & (
            values < high_s * NS_PER_S / scale
        )
    if values.dtype == np.int64:
        return np.where(known, np.where(known, values, 0) * scale, NO_TIME)
    kept = np.where(known, values, 0.0)
    whole = np.floor(kept)
    # A float since 1970 has no digits beyond the microsecond.
    step = max(1, 1000 if clock.since_1970 else 1) if scale >= 1_000_000 else 1
    rest = np.rint((kept - whole) * (scale // step)).astype(np.int64) * step
    return np.where(known, whole.astype(np.int64) * scale + rest, NO_TIME)


def _refuse_other_kind(
    text: str, clock: Clock, account: Account, line: int | None
) -> None:
    kind = _kind_of(text)
    if kind is None or kind is clock.kind:
        return
    where = "the first one is" if clock.line is None else f"line {clock.line} has"
    message = (
        f"{shown(text)} is {kind}, but {where} {clock.kind}; all times must be of one "
        "kind"
    )
    raise TraceError(message, path=account.path, line=line)


def _kind_of(text: str) -> Kind | None:
    if not np.isnan(float_of(text)):
        return Kind.NUMBER
    if is_day_first(text):
        return Kind.DAY_FIRST
    moment = parse_moment(text)
    return None if moment is None else moment.kind


def _ambiguous(text: str, account: Account, line: int | None) -> TraceError:
    message = (
        f"{shown(text)} may be read with the day or with the month first; write dates "
        "with the year first, such as 2026-03-05T18:00:00+01:00"
    )
    return TraceError(message, path=account.path, line=line)


def parse_column_of_times(
    column: pa.Array,
    account: Account,
    spec: Trace,
    lines: Ints,
    unit: str | None = None,
) -> Ints:
    """Return the times in a column of numbers, moments or texts; as ``parse_times``. [ns]"""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _moments(column, account)
    if pa.types.is_integer(kind) and not column.null_count:
        values = np.asarray(column.cast(pa.int64()))
        return times_of_numbers(values, account, spec, lines, unit)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return times_of_numbers(floats_of(column), account, spec, lines, unit)
    return parse_times(column, account, spec, lines, unit)


def _moments(column: pa.Array, account: Account) -> Ints:
    """Return moments that are stored as such."""
    import pyarrow as pa

    zone = getattr(column.type, "tz", None)
    if account.clock is None:
        kind = Kind.PLAIN if zone is None else Kind.OFFSET
        account.clock = Clock(kind, None, None if zone is None else UTC)
        account.zone = account.zone if zone is None else UTC
    stored = column.cast(pa.timestamp("ns", zone), safe=False).cast(pa.int64())
    return np.array(stored.fill_null(NO_TIME).to_numpy(zero_copy_only=False))
