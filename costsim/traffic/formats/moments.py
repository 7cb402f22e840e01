"""Dates and times as text, one at a time: ISO 8601 and what logs write."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import tzinfo

NS_PER_S = 1_000_000_000


class Kind(StrEnum):
    """What a time is, in words; all times of a file are of one kind."""

    NUMBER = "a number"
    OFFSET = "a date with an offset"
    PLAIN = "a date without an offset"
    LOG = "a date as access logs write it"
    NAMED = "a date with the name of its month"
    DAY_FIRST = "a date whose day and month cannot be told apart"


class Moment(NamedTuple):
    """A date and time that was read."""

    kind: Kind
    ns: int
    """Since 1970; by the wall clock where there is no offset. [ns]"""
    offset: tzinfo | None
    """None if the text has none."""


_CLOCK = (
    r"(?P<hour>\d\d?):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d+))?)?"
)
_ZONE = r"(?P<zone>Z|UTC|GMT|[+-]\d\d:?(?:\d\d)?)?"
_NAME = r"(?P<month>[A-Za-z]{3})[a-z]*\.?"
_ISO = re.compile(
    rf"(?P<year>\d{{4}})([-/.])(?P<month>\d\d?)\2(?P<day>\d\d?)"
    rf"(?:(?:[Tt]|,? +){_CLOCK})? *{_ZONE}",
    re.IGNORECASE,
)
_COMPACT = re.compile(
    r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)T(?P<hour>\d\d):?(?P<minute>\d\d)"
    rf"(?::?(?P<second>\d\d)(?:[.,](?P<fraction>\d+))?)? *{_ZONE}",
    re.IGNORECASE,
)
_LOG = re.compile(
    rf"\[?(?P<day>\d\d?)/{_NAME}/(?P<year>\d{{4}}):{_CLOCK} *{_ZONE}\]?", re.IGNORECASE
)
_NAMED = (
    re.compile(
        rf"(?:[A-Za-z]{{3,9}},? +)?(?P<day>\d\d?)[ -]{_NAME}[ -](?P<year>\d{{4}}),?"
        rf" +{_CLOCK} *{_ZONE}",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(?:[A-Za-z]{{3,9}},? +)?{_NAME} +(?P<day>\d\d?),? +(?P<year>\d{{4}}),?"
        rf" +{_CLOCK} *{_ZONE}",
        re.IGNORECASE,
    ),
)
_DAY_FIRST = re.compile(r"\d\d?([/.-])\d\d?\1\d{2,4}(?:,? .*)?")
_MONTHS = (
    *("jan", "feb", "mar", "apr", "may", "jun"),
    *("jul", "aug", "sep", "oct", "nov", "dec"),
)
_STYLES = (
    (_ISO, None),
    (_LOG, Kind.LOG),
    (_COMPACT, None),
    *((pattern, Kind.NAMED) for pattern in _NAMED),
)


def parse_moment(text: str) -> Moment | None:
    """Return the date and time in a text; None if there is none that exists."""
    stripped = text.strip()
    for pattern, kind in _STYLES:
        match = pattern.fullmatch(stripped)
        if match is not None:
            return _moment(match, kind)
    return None


def is_day_first(text: str) -> bool:
    """Say whether a text is a date such as 01/02/2026, which may be read in two ways."""
    return _DAY_FIRST.fullmatch(text.strip()) is not None


def ns_of_iso(text: str) -> int:
    """Return a date and time of ISO 8601 since 1970; by the wall clock without offset. [ns]

    Raises
    ------
    ValueError
        If it is none; dates as logs write them are read too.
    """
    moment = parse_moment(text)
    if moment is None:
        message = f"{text!r} is not a date and time such as 2026-03-05T18:00:00Z"
        raise ValueError(message)
    return moment.ns


def _moment(match: re.Match[str], style: Kind | None) -> Moment | None:
    part = match.groupdict()
    month = part["month"].lower()
    number = int(month) if month.isdigit() else month_of(month)
    second = int(part["second"] or 0)
    try:
        wall = datetime(
            int(part["year"]),
            number,
            int(part["day"]),
            int(part["hour"] or 0),
            int(part["minute"] or 0),
            min(second, 59),  # 60 is a leap second
            tzinfo=UTC,
        )
        offset = _offset(part["zone"])
    except ValueError:
        return None
    if second > 60:
        return None
    whole = (wall - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    ns = (whole + (second == 60)) * NS_PER_S
    ns += int((part["fraction"] or "0").ljust(9, "0")[:9])
    if offset is not None:
        ns -= int(offset.utcoffset(None).total_seconds()) * NS_PER_S
    plain = Kind.PLAIN if offset is None else Kind.OFFSET
    return Moment(style or plain, ns, offset) if abs(ns) < 2**63 else None


def month_of(name: str) -> int:
    """Return the number of a month by the first three letters, in lower case; else 0."""
    return _MONTHS.index(name) + 1 if name in _MONTHS else 0


def _offset(zone: str | None) -> timezone | None:
    if zone is None:
        return None
    if zone[0] not in "+-":
        return UTC
    digits = zone[1:].replace(":", "")
    minutes = int(digits[:2]) * 60 + int(digits[2:] or 0)
    if minutes == 0:
        return UTC
    return timezone(timedelta(minutes=-minutes if zone[0] == "-" else minutes))
