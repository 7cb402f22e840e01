"""Times by the clock on the wall of a time zone, turned into instants."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

import numpy as np

from costsim.traffic.formats.moments import NS_PER_S

if TYPE_CHECKING:
    from costsim.records import Ints

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Clocks are changed at a multiple of this.
_STEP_NS = 900 * NS_PER_S


def instants(wall_ns: Ints, zone: tzinfo) -> Ints:
    """Return instants of wall-clock times; an hour that is there twice is its first. [ns]"""
    if zone is UTC:
        return wall_ns
    quarters, places = np.unique(wall_ns // _STEP_NS, return_inverse=True)
    offsets = [_offset_ns(int(quarter), zone) for quarter in quarters]
    return wall_ns - np.array(offsets, dtype=np.int64)[places]


def wall_clock(instant_ns: int, zone: tzinfo | None) -> datetime:
    """Return the date and time of an instant, to the microsecond.

    Parameters
    ----------
    instant_ns : int
        Since 1970. [ns]
    zone : tzinfo, or None
        Where; None if the time has no zone and is to have none.
    """
    moment = _EPOCH + timedelta(microseconds=instant_ns // 1000)
    return moment.replace(tzinfo=None) if zone is None else moment.astimezone(zone)


def ns_of(moment: datetime) -> int:
    """Return a moment since 1970; by the wall clock if it has no zone. [ns]"""
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return (aware - _EPOCH) // timedelta(microseconds=1) * 1000


def _offset_ns(quarter: int, zone: tzinfo) -> int:
    wall = wall_clock(quarter * _STEP_NS, None).replace(tzinfo=zone)
    offset = wall.utcoffset() or timedelta(0)
    return round(offset.total_seconds()) * NS_PER_S
