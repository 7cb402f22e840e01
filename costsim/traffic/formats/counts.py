"""Tables of counts: a row is a bin of time, and some columns say how many requests it had."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from costsim.errors import TraceError
from costsim.traffic.formats.batch import Account
from costsim.traffic.formats.bins import Widths
from costsim.traffic.formats.columns import Column
from costsim.traffic.formats.shown import shown
from costsim.traffic.formats.times import NO_TIME, parse_times
from costsim.traffic.formats.values import floats_of

if TYPE_CHECKING:
    from costsim.records import Floats, Ints
    from costsim.scenario.trace import Trace
    from costsim.traffic.formats.columns import Picked
    from costsim.traffic.formats.source import Source

_REGULAR = 0.5
"""Share of the most frequent difference from which on times are those of bins."""
_FEW = 3
"""Rows that are needed to see that."""
_VALUES = ("duration", "input_tokens", "output_tokens")


@dataclass(frozen=True)
class Counts:
    """Which columns say how many requests a bin had."""

    columns: tuple[Column, ...]
    """One, or a column for each of several series."""
    rates: bool = False
    """They are requests per second."""
    series: bool = False
    """The columns' names are keys."""
    widths_s: dict[str, float] | None = None
    """Width of the bins by key, "" for all others; needed for rates only. [s]"""


def find_counts(
    picked: Picked, source: Source, spec: Trace, account: Account
) -> Counts | None:
    """Return the columns of counts; None if rows are requests.

    Columns that only look like counts are such if the times are regular and no row has a
    duration or tokens.
    """
    rows = source.sample()
    for key in ("rate", "count"):
        column = picked.of.get(key)
        if column is None:
            continue
        if key in picked.named or _is_binned(picked, rows, spec):
            rates = key == "rate"
            widths = _widths(picked, rows, spec) if rates else None
            what = "requests per second" if rates else "numbers of requests"
            account.notes.append(f"{what} are read from {shown(column.name)}")
            return Counts((column,), rates, widths_s=widths)
    others = _numeric_columns(picked, source, rows)
    wants_values = account.needs is not None and any(
        account.wants(name) for name in ("duration_s", "input_tokens", "output_tokens")
    )
    if others and not wants_values and _is_dated(picked, rows, spec):
        names = ", ".join(shown(column.name) for column in others[:8])
        account.notes.append(f"numbers of requests are read from {names}")
        return Counts(tuple(others), series=True)
    return None


def width_of(counts: Counts, keys: list[str] | None, n: int) -> Floats:
    """Return the width of the bin of each row. [s]"""
    widths = counts.widths_s or {}
    if keys is None:
        return np.full(n, widths[""])
    return np.array([widths.get(key, widths[""]) for key in keys])


def _is_binned(picked: Picked, rows: list[list[str]], spec: Trace) -> bool:
    """Say whether rows have nothing but a count, at regular times."""
    if any(key in picked.of for key in _VALUES):
        return False
    return spec.bin is not None or _is_regular(*_keys_and_times(picked, rows, spec))


def _is_dated(picked: Picked, rows: list[list[str]], spec: Trace) -> bool:
    """Say whether rows are at regular times since 1970."""
    account = Account(spec.path)
    keys, times = _keys_and_times(picked, rows, spec, account)
    return account.epoch == "unix" and len(times) >= _FEW and _is_regular(keys, times)


def _is_regular(keys: Ints, times: Ints) -> bool:
    order = np.lexsort((times, keys))
    steps = np.diff(times[order])[np.diff(keys[order]) == 0]
    if not len(steps):
        return True
    _, counts = np.unique(steps, return_counts=True)
    return bool(counts.max() >= _REGULAR * len(steps) and np.any(steps > 0))


def _keys_and_times(
    picked: Picked,
    rows: list[list[str]],
    spec: Trace,
    account: Account | None = None,
) -> tuple[Ints, Ints]:
    """Return a number for the key of each row of a sample, and its time."""
    column = picked.of.get("arrival") or picked.of["end"]
    texts = [row[column.position] for row in rows]
    try:
        times = parse_times(
            texts, account or Account(spec.path), spec, None, column.unit
        )
    except TraceError:  # it will be met again, with its line
        times = np.full(len(texts), NO_TIME)
    key = picked.of.get("key")
    names = ["" if key is None else row[key.position] for row in rows]
    numbers = {name: i for i, name in enumerate(dict.fromkeys(names))}
    keys = np.array([numbers[name] for name in names], dtype=np.int64)
    known = times != NO_TIME
    return keys[known], times[known]


def _widths(picked: Picked, rows: list[list[str]], spec: Trace) -> dict[str, float]:
    """Return the width of bins by key. [s]"""
    if spec.bin is not None:
        return {"": spec.bin}
    keys, times = _keys_and_times(picked, rows, spec)
    widths = Widths()
    widths.add(keys, times)
    key = picked.of.get("key")
    names = dict.fromkeys("" if key is None else row[key.position] for row in rows)
    found = widths.of(len(names), spec.path).tolist()
    return {**dict(zip(names, found, strict=False)), "": found[-1]}


def _numeric_columns(
    picked: Picked, source: Source, rows: list[list[str]]
) -> list[Column]:
    """Return the columns besides the time, if all of them are numbers throughout."""
    if any(key in picked.of for key in _VALUES) or not rows:
        return []
    names = source.header.names
    used = {column.position for column in picked.of.values()}
    others = [i for i in range(len(names)) if i not in used]
    for i in others:
        texts = [row[i] for row in rows if row[i].strip()]
        if np.isnan(floats_of(texts)).any():
            return []
    return [Column(i, names[i].strip()) for i in others]
