"""Metrics over time as bins of requests, whatever tool they were exported by.

A point of a metric is a number of requests per step, a rate, or a counter that only
rises. Missing points are steps without a request.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from costsim.errors import TraceError
from costsim.traffic.formats.batch import Batch
from costsim.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from costsim.records import Floats, Ints
    from costsim.scenario.trace import Trace
    from costsim.traffic.formats.batch import Account

_RATE = re.compile(
    r"(?<![a-z])(i?rate|rps|qps|reqps|per.?sec(ond)?)(?![a-z])"
    r"|/s(ec(ond)?)?(?![a-z/])",
    re.IGNORECASE,
)
_INCREASE = re.compile(r"(?<![a-z])(increase|delta|count_over_time)\(")
_LABELS = re.compile(r"\{[^}]*\}")
_COUNTER = re.compile(r"(_total|_count)($|[\s{])")
_MAX_FALLS = (
    0.25  # a counter falls when its process restarts; counts fall half the time
)
_LARGEST = 1e12
_FEW = 3  # distances of which the smallest is the step, the others being gaps
_ENOUGH_POINTS = 10  # as many counts that never fall are a counter


class Meaning(StrEnum):
    """What the values of a metric are."""

    COUNT = "the number of requests in each step"
    RATE = "requests per second"
    TOTAL = "a counter of all requests so far"


@dataclass(frozen=True, eq=False)
class Series:
    """One metric over time; arrays of equal length."""

    name: str
    """Name of the metric or title of the column, by which it may be told what it is."""
    key: str
    """Endpoint, model or function that it counts."""
    line: Ints
    """Where each point is in the file."""
    time_ns: Ints
    """Moments. [ns]"""
    value: Floats
    """Values, NaN where the point is missing."""

    def in_order(self) -> Series:
        """Return it by time, without missing points."""
        order = np.argsort(self.time_ns, kind="stable")
        order = order[np.isfinite(self.value[order])]
        return Series(
            self.name,
            self.key,
            self.line[order],
            self.time_ns[order],
            self.value[order],
        )


def chosen(series: Sequence[Series], spec: Trace) -> list[Series]:
    """Return the series that ``columns.count`` or ``columns.rate`` names, else all."""
    named = spec.columns.count or spec.columns.rate
    if named is None or named.lower() in ("value", "values"):
        return list(series)
    found = [one for one in series if named in (one.name, one.key)]
    if not found:
        names = ", ".join(f"'{one.name or one.key}'" for one in series[:8])
        column = "count" if spec.columns.count else "rate"
        message = (
            f"has no series '{named}', which traffic.trace.columns.{column} names; "
            f"series are {names or 'none'}"
        )
        raise TraceError(message, path=spec.path)
    return found


def bins(
    series: Sequence[Series],
    spec: Trace,
    account: Account,
    *,
    meaning: Meaning | None = None,
    step_s: float | None = None,
    stamps_end: bool = False,
    from_zero: bool = False,
) -> Iterator[Batch]:
    """Yield the bins of all series, and note how their values were read.

    Parameters
    ----------
    series : sequence of Series
        Metrics that add up to the traffic.
    spec : Trace
        The user's keys; ``columns.count`` and ``columns.rate`` say what values are.
    account : Account
        What is said of the file.
    meaning : Meaning, optional
        What the values are, if the format tells; else by the names and the values.
    step_s : float, optional
        Width of a step, if the format tells; else by the times. [s]
    stamps_end : bool
        Whether times are the ends of steps.
    from_zero : bool
        Whether a counter was 0 a step before its first point.
    """
    picked = chosen(series, spec)
    found = [one for one in (one.in_order() for one in picked) if len(one.value)]
    if not found:
        message = "has no points with a value"
        raise TraceError(message, path=spec.path)
    width_s = spec.bin or step_s or _step_s(picked, spec)
    meanings = [_meaning(one, spec, meaning, account) for one in found]
    account.notes.append(
        f"values are read as {' or '.join(sorted(set(meanings)))}, "
        f"in steps of {format_duration(width_s)}"
    )
    account.stamped_end = ends = account.stamped_end or stamps_end
    # A counter that appears later is that of a process that started then.
    late_ns = min(int(one.time_ns[0]) for one in found) + round(1.5 * width_s * 1e9)
    for one, its_meaning in zip(found, meanings, strict=True):
        if its_meaning is Meaning.TOTAL:
            anew = from_zero or one.time_ns[0] > late_ns
            batch = _differences(one, width_s if anew else None, stamps_end=ends)
        else:
            batch = _steps(one, its_meaning, width_s)
        account.n_rows += len(batch.time_ns)
        if len(batch.time_ns):
            yield _possible(batch, account)


def _possible(batch: Batch, account: Account) -> Batch:
    """Return bins with the counts that are too large to be set to none, and dropped."""
    count = batch.count
    assert count is not None
    wrong = count > _LARGEST
    for i in np.flatnonzero(wrong).tolist():
        reason = "more requests than can be"
        account.drop(reason, int(batch.line[i]), f"{count[i]:g}")
    return replace(batch, count=np.where(wrong, 0.0, count))


def _meaning(
    series: Series, spec: Trace, given: Meaning | None, account: Account
) -> Meaning:
    """Return what the values are: by the user, the format, the name or the values."""
    if spec.columns.rate is not None:
        return Meaning.RATE
    if spec.columns.count is not None:
        return Meaning.COUNT
    if given is not None:
        return given
    name = _LABELS.sub("", series.name)
    if _RATE.search(name):
        return Meaning.RATE
    if _INCREASE.search(name):
        return Meaning.COUNT
    return _meaning_by_values(series, account)


def _meaning_by_values(series: Series, account: Account) -> Meaning:
    steps = np.diff(series.value)
    falls = np.count_nonzero(steps < 0)
    if _COUNTER.search(series.name) and falls <= max(1, _MAX_FALLS * len(steps)):
        return Meaning.TOTAL
    if not falls and len(np.unique(series.value)) >= _ENOUGH_POINTS:
        account.warnings.append(
            "values never fall, so they are read as a counter of all requests so far; "
            "if they are requests per step, name the series in traffic.trace.columns.count"
        )
        return Meaning.TOTAL
    if np.mean(series.value % 1 != 0) > 0.5 and np.median(series.value) < 5:
        account.warnings.append(
            "most values are small and not whole, as rates are, but are read as requests "
            "per step; if they are requests per second, set traffic.trace.columns.rate "
            "to value"
        )
    return Meaning.COUNT


def _step_s(series: Sequence[Series], spec: Trace) -> float:
    """Return the most frequent distance of points; if none repeats, the middle one. [s]"""
    gaps = np.concatenate([np.diff(np.unique(one.time_ns)) for one in series])
    if not len(gaps):
        message = (
            "has one point in time only, so that the width of a step is not known; "
            "set traffic.trace.bin"
        )
        raise TraceError(message, path=spec.path)
    values, counts = np.unique(gaps, return_counts=True)
    repeats = counts.max() > 1 or len(values) <= _FEW
    return float(values[counts.argmax()] if repeats else np.median(gaps)) / 1e9


def _steps(series: Series, meaning: Meaning, width_s: float) -> Batch:
    scale = width_s if meaning is Meaning.RATE else 1.0
    return Batch(
        line=series.line,
        time_ns=series.time_ns,
        count=series.value * scale,
        width_s=np.full(len(series.value), width_s),
        key=[series.key] * len(series.value) if series.key else None,
    )


def _differences(
    series: Series, first_width_s: float | None, *, stamps_end: bool
) -> Batch:
    """Return what a counter rose by between its points; after a fall it began anew."""
    line, time_ns, value = series.line, series.time_ns, series.value
    if first_width_s is not None:
        before = time_ns[:1] - round(first_width_s * 1e9)
        line = np.concatenate([line[:1], line])
        time_ns = np.concatenate([before, time_ns])
        value = np.concatenate([[0.0], value])
    rise = np.diff(value)
    rise = np.where(rise < 0, value[1:], rise)
    moved = np.diff(time_ns) > 0
    return Batch(
        line=line[1:][moved],
        time_ns=(time_ns[1:] if stamps_end else time_ns[:-1])[moved],
        count=rise[moved],
        width_s=np.diff(time_ns)[moved] / 1e9,
        key=[series.key] * int(moved.sum()) if series.key else None,
    )
