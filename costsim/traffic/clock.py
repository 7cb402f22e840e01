"""Calendar moments as seconds after the scenario's start.

The clock of a scenario is the offset of its start, fixed: there is no daylight saving.
A moment without an offset is read by that clock.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from costsim.units import SECONDS_PER_DAY


def clock_of(start: datetime) -> timezone:
    """Return the fixed offset of a start; UTC if it has none."""
    offset = start.utcoffset()
    return UTC if offset is None else timezone(offset)


def seconds_after(start: datetime, moment: datetime) -> float:
    """Return how long after the start a moment is; negative before it. [s]"""
    clock = clock_of(start)
    # Through UTC: the difference of two moments in one zone ignores its changes.
    return (_in_utc(moment, clock) - _in_utc(start, clock)) / timedelta(seconds=1)


def seconds_into_week(start: datetime) -> float:
    """Return the seconds from Monday 00:00 to the start, by its own clock. [s]"""
    into_day = timedelta(
        hours=start.hour,
        minutes=start.minute,
        seconds=start.second,
        microseconds=start.microsecond,
    )
    return start.weekday() * SECONDS_PER_DAY + into_day / timedelta(seconds=1)


def _in_utc(moment: datetime, clock: timezone) -> datetime:
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=clock)
    return aware.astimezone(UTC)
