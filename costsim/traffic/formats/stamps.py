"""What access logs write: stamps such as 17/May/2015:10:05:03 +0000, and request lines."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

from costsim.traffic.formats.moments import Kind, month_of, parse_moment
from costsim.traffic.formats.times import NO_TIME

if TYPE_CHECKING:
    import pyarrow as pa

_LAST_YEAR = 2200


@lru_cache(maxsize=4096)
def _midnight_ns(day: str) -> int:
    """Return when a day such as 17/May/2015 begins, in UTC. [ns]"""
    number, month, year = day.split("/")
    if not 1970 <= int(year) <= _LAST_YEAR:
        return NO_TIME
    days = date(int(year), month_of(month.lower()), int(number)).toordinal()
    return (days - date(1970, 1, 1).toordinal()) * 86_400 * 10**9


def stamp_ns(text: str) -> int:
    """Return what ``[17/May/2015:10:05:03`` is by its own clock. [ns]"""
    try:
        day, hour, minute, second = text.lstrip("[").split(":")
        clock_s = int(hour) * 3600 + int(minute) * 60 + int(second)
        if int(hour) > 23 or int(minute) > 59 or int(second) > 60:
            return NO_TIME
        midnight_ns = _midnight_ns(day)
        return NO_TIME if midnight_ns == NO_TIME else midnight_ns + clock_s * 10**9
    except (ValueError, OverflowError):
        return NO_TIME


def offset_ns(text: str) -> int:
    """Return what ``+0130]`` is ahead of UTC. [ns]"""
    digits = text.rstrip("]")
    if len(digits) != 5 or digits[0] not in "+-" or not digits[1:].isdigit():
        return NO_TIME
    minutes = int(digits[1:3]) * 60 + int(digits[3:])
    return (-minutes if digits[0] == "-" else minutes) * 60 * 10**9


def request_path(request: str) -> str:
    """Return the path of a request line such as ``GET /a?b=c HTTP/1.1``, without query."""
    parts = request.split(" ", 2)
    return parts[1].partition("?")[0] if len(parts) > 1 else ""


def request_paths(requests: pa.Array) -> pa.Array:
    """Return the paths of many request lines."""
    import pyarrow as pa
    from pyarrow import compute

    try:
        targets = compute.list_element(compute.split_pattern(requests, " "), 1)
        return compute.list_element(compute.split_pattern(targets, "?"), 0)
    except pa.ArrowException:  # a request line without blanks
        paths = [request_path(request) for request in requests.to_pylist()]
        return pa.array(paths, pa.string())


def log_ns(text: str) -> int:
    """Return when ``17/May/2015:10:05:03 +0000`` is; ``NO_TIME`` if it is none. [ns]"""
    moment = parse_moment(text)
    if moment is None or moment.kind is not Kind.LOG or moment.offset is None:
        return NO_TIME
    return moment.ns
