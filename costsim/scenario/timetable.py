"""From a schedule to the moments at which a pool's bounds change (docs/model.md 4.10).

An entry applies whenever a clock on the wall of its zone shows a time inside its window.
Between two changes of a zone's offset its clock is an ordinary one; so the run is cut at
those changes, and each piece is plain arithmetic. Times are integer microseconds from
the start of the run until they are handed out, so that none is a rounding error off.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from costsim.scenario.autoscalers import Fixed
from costsim.scenario.cron import CronSchedule
from costsim.scenario.when import MINUTES_PER_DAY, find_zone
from costsim.spec import RuleError

if TYPE_CHECKING:
    import numpy.typing as npt

    from costsim.records import Ints
    from costsim.scenario.pool import Pool
    from costsim.scenario.schedule import Schedule, ScheduleEntry
    from costsim.scenario.when import Window

    Bools = npt.NDArray[np.bool_]

_SECOND = 1_000_000
_MINUTE = 60 * _SECOND
_DAY = MINUTES_PER_DAY * _MINUTE
"""Microseconds."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST_US = (datetime(1, 1, 3, tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LAST_US = (datetime(9999, 12, 29, tzinfo=UTC) - _EPOCH) // _MICROSECOND
"""From when to when every zone's clock can be read; before and after it stays."""

_MOST_MOMENTS = 5_000_000
"""Most moments of cron fields in a run."""
_UNLIMITED = 2**62
_OWN = -1
"""In place of an entry's number: the pool's own bound."""


class Bounds(NamedTuple):
    """The bounds from a moment on: an item of the engine's ``bounds``."""

    time_s: float
    """From when. [s]"""
    min_replicas: int
    max_replicas: int | None
    """None: unlimited."""


@dataclass(frozen=True)
class Timetable:
    """A pool's bounds over a run."""

    initial: Bounds
    """At 0."""
    changes: tuple[Bounds, ...]
    """After 0 and before the horizon, ascending; each differs from the one before."""


class Zone:
    """A time zone's clock, counted from the start of a run."""

    def __init__(self, name: str | None, start: datetime) -> None:
        # As for traffic, a start without an offset is in UTC, and its offset is fixed.
        offset = start.utcoffset() or timedelta(0)
        local = start.replace(tzinfo=timezone(offset))
        self._start_us = (local - _EPOCH) // _MICROSECOND
        self._own_us = self._start_us + offset // _MICROSECOND
        self._zone: tzinfo = timezone(offset) if name is None else find_zone(name)
        self._fixed = name is None

    def pieces(self, begin_us: int, end_us: int) -> list[tuple[int, int, int]]:
        """Return (begin, end, clock) of each piece of [begin, end) with one offset. [us]

        The clock shows `clock` plus the time from the start, in local microseconds from
        1970-01-01.
        """
        edges = [begin_us]
        # No zone changes twice in a day: the shortest on record is four days.
        for day in [] if self._fixed else range(begin_us, end_us, _DAY):
            until = min(day + _DAY, end_us)
            if self._clock_us(day) != self._clock_us(until):
                edges.append(self._change_us(day, until))
        edges.append(end_us)
        return [(low, high, self._clock_us(low)) for low, high in pairwise(edges)]

    def leaves_the_start(self, horizon_s: float) -> bool:
        """Return whether its clock is ever another one than that of the start."""
        pieces = self.pieces(0, math.ceil(horizon_s * _SECOND))
        return any(clock_us != self._own_us for _, _, clock_us in pieces)

    def _change_us(self, low_us: int, high_us: int) -> int:
        """Return the moment between two others at which the offset changes."""
        before = self._clock_us(low_us)
        while high_us - low_us > 1:
            middle = (low_us + high_us) // 2
            if self._clock_us(middle) == before:
                low_us = middle
            else:
                high_us = middle
        return high_us

    def _clock_us(self, time_us: int) -> int:
        since_epoch_us = min(max(self._start_us + time_us, _FIRST_US), _LAST_US)
        moment = (_EPOCH + since_epoch_us * _MICROSECOND).astimezone(self._zone)
        return self._start_us + (moment.utcoffset() or timedelta(0)) // _MICROSECOND


def timetable(pool: Pool, start: datetime | None, horizon_s: float) -> Timetable:
    """Return the bounds of a pool over a run.

    Parameters
    ----------
    pool : Pool
        Its bounds, and its schedule.
    start : datetime or None
        Start of the scenario; None only without a schedule.
    horizon_s : float
        End of the run. [s]

    Raises
    ------
    RuleError
        If min is above max at some time, or a fixed pool is not fixed; with the way from
        the schedule to the key.
    ValueError
        If there is a schedule and no start.
    """
    own = Bounds(0.0, pool.min_replicas, pool.max_replicas)
    if not pool.schedule:
        return Timetable(own, ())
    if start is None:
        message = "start is None; a schedule needs the scenario's start"
        raise ValueError(message)
    end_us = math.ceil(horizon_s * _SECOND)
    levels = _levels(pool.schedule, own, start, end_us)
    _check(levels, pool, start)
    return _compressed(_prewarmed(levels, pool.schedule), horizon_s)


@dataclass(frozen=True)
class _Levels:
    """The bounds from each moment on, and the entry that sets each."""

    time_us: Ints
    low: Ints
    high: Ints
    low_by: Ints
    high_by: Ints


def _levels(schedule: Schedule, own: Bounds, start: datetime, end_us: int) -> _Levels:
    """Return the bounds with every window as it stands, from 0 to the last prewarming."""
    # A window that opens beyond the end may raise the minimum before it.
    beyond_us = max(_us(entry.prewarm) for entry in schedule)
    spans = [
        _spans(index, entry, start, end_us + beyond_us)
        for index, entry in enumerate(schedule)
    ]
    edges = np.unique(np.concatenate([np.zeros(1, np.int64), *map(np.ravel, spans)]))
    time_us = edges[edges >= 0]
    low = np.full(time_us.size, own.min_replicas)
    high = np.full(time_us.size, _count(own.max_replicas))
    low_by, high_by = np.full_like(low, _OWN), np.full_like(low, _OWN)
    for index, (entry, (begin, end)) in enumerate(zip(schedule, spans, strict=True)):
        applies = _covered(time_us, begin, end)
        if entry.min_replicas is not None:
            low[applies], low_by[applies] = entry.min_replicas, index
        if entry.max_replicas is not None:
            high[applies], high_by[applies] = _count(entry.max_replicas), index
    return _Levels(time_us, low, high, low_by, high_by)


def _spans(index: int, entry: ScheduleEntry, start: datetime, end_us: int) -> Ints:
    """Return when an entry applies: rows of begins and of ends, disjoint, ascending. [us]"""
    zone = Zone(entry.zone, start)
    times = entry.parsed.times
    if isinstance(times, CronSchedule):
        length_us = _us(entry.for_ or 0.0)
        # What began before the start may still apply.
        n_days = (end_us + length_us) // _DAY + 1
        if n_days * len(times.minutes_of_day) > _MOST_MOMENTS:
            message = f"happens more than {_MOST_MOMENTS:,} times within the horizon"
            raise RuleError(message, index, "when")
        pieces = zone.pieces(-length_us, end_us)
        begin = np.concatenate([_moments(times, *piece) for piece in pieces])
        return _joined(np.stack([begin, begin + length_us]))
    pieces = zone.pieces(0, end_us)
    return _joined(np.hstack([_windows(times, *piece) for piece in pieces]))


def _moments(cron: CronSchedule, begin_us: int, end_us: int, clock_us: int) -> Ints:
    """Return the moments of cron fields in a piece of the run. [us]"""
    days = np.arange((begin_us + clock_us) // _DAY, (end_us + clock_us) // _DAY + 1)
    in_day = np.array(cron.minutes_of_day) * _MINUTE
    matching = days[cron.on_days(days)] * _DAY
    moments: Ints = np.add.outer(matching, in_day).ravel() - clock_us
    return moments[(moments >= begin_us) & (moments < end_us)]


def _windows(window: Window, begin_us: int, end_us: int, clock_us: int) -> Ints:
    """Return the windows in a piece of the run, cut to it. [us]"""
    # The first may have opened on the day before.
    days = np.arange((begin_us + clock_us) // _DAY - 1, (end_us + clock_us) // _DAY + 1)
    # 1970-01-01 was a Thursday.
    opening = days[np.isin((days + 3) % 7, [*window.weekdays])] * _DAY - clock_us
    hours = np.array([[window.opens], [window.closes]]) * _MINUTE
    spans: Ints = np.clip(opening + hours, begin_us, end_us)
    return spans[:, spans[0] < spans[1]]


def _joined(spans: Ints) -> Ints:
    """Return spans in order of their begins with those joined that touch or overlap."""
    begin, end = spans
    reached = np.maximum.accumulate(end)
    is_first = np.append(True, begin[1:] > reached[:-1])[: begin.size]
    is_last = np.append(is_first[1:], True)[: begin.size]
    return np.stack([begin[is_first], reached[is_last]])


def _covered(time_us: Ints, begin: Ints, end: Ints) -> Bools:
    """Return which moments lie in disjoint spans [begin, end)."""
    begun = np.searchsorted(begin, time_us, "right")
    return np.asarray(begun > np.searchsorted(end, time_us, "right"))


def _prewarmed(levels: _Levels, schedule: Schedule) -> _Levels:
    """Return the bounds with each minimum that rises in force earlier."""
    risen = np.append(False, levels.low[1:] > levels.low[:-1])
    leads = []
    for index, entry in enumerate(schedule):
        opens = levels.time_us[risen & (levels.low_by == index)]
        ahead_us = _us(entry.prewarm)
        if ahead_us and opens.size:
            minimum = entry.min_replicas or 0
            leads.append((minimum, np.stack([opens - ahead_us, opens])))
    if not leads:
        return levels
    begins = [spans[0] for _, spans in leads]
    time_us = np.unique(np.concatenate([levels.time_us, *begins]))
    time_us = time_us[time_us >= 0]
    now = np.searchsorted(levels.time_us, time_us, "right") - 1
    low, high = levels.low[now], levels.high[now]
    for minimum, spans in leads:
        early = _covered(time_us, *_joined(spans))
        low[early] = np.maximum(low[early], minimum)
    # Room for them, if the entry that makes it is not yet in force.
    return _Levels(
        time_us, low, np.maximum(high, low), levels.low_by[now], levels.high_by[now]
    )


def _compressed(levels: _Levels, horizon_s: float) -> Timetable:
    """Return the bounds without moments at which nothing changes."""
    before = levels.time_us / _SECOND < horizon_s
    changed = (np.diff(levels.low) != 0) | (np.diff(levels.high) != 0)
    kept = np.flatnonzero(np.append(True, changed) & before)
    rows = [
        Bounds(
            int(levels.time_us[i]) / _SECOND,
            int(levels.low[i]),
            None if levels.high[i] == _UNLIMITED else int(levels.high[i]),
        )
        for i in kept
    ]
    return Timetable(rows[0], tuple(rows[1:]))


def _check(levels: _Levels, pool: Pool, start: datetime) -> None:
    """Refuse bounds that contradict each other."""
    fixed = isinstance(pool.autoscaler, Fixed)
    wrong = levels.low != levels.high if fixed else levels.low > levels.high
    found = np.flatnonzero(wrong)
    if not found.size:
        return
    i = found[0]
    low, high = int(levels.low[i]), int(levels.high[i])
    low_by, high_by = int(levels.low_by[i]), int(levels.high_by[i])
    key = "max_replicas" if high_by > low_by else "min_replicas"
    since = np.datetime64(start.replace(tzinfo=None), "us") + levels.time_us[i]
    must = "must equal, in a fixed pool," if fixed else "must not exceed"
    message = (
        f"from {np.datetime_as_string(since, unit='m')} on min_replicas ({low}, {_by(low_by)}) "
        f"{must} max_replicas ({_shown(high)}, {_by(high_by)})"
    )
    raise RuleError(message, max(low_by, high_by), key)


def _by(index: int) -> str:
    return "the pool's own" if index == _OWN else f"of entry {index}"


def _shown(count: int) -> str:
    return "unlimited" if count == _UNLIMITED else str(count)


def _count(bound: int | None) -> int:
    return _UNLIMITED if bound is None else min(bound, _UNLIMITED)


def _us(seconds: float) -> int:
    return round(seconds * _SECOND)
