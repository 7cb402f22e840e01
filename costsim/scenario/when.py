"""When an entry of a schedule applies: days and hours of a zone, or cron fields.

``Mon-Fri 08:00-18:00 Europe/Paris`` and ``0 6 * * *``. Only read here; which seconds of a
run that is, daylight saving included, is found in ``costsim.scenario.timetable``.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from costsim.catalog.lookup import unknown
from costsim.scenario.cron import CronSchedule, parse_cron

MINUTES_PER_DAY = 1440

_DAYS = (
    *("monday", "tuesday", "wednesday", "thursday"),
    *("friday", "saturday", "sunday"),
)
_NUMBER_OF_DAY = {
    word: number for number, name in enumerate(_DAYS) for word in (name, name[:3])
}
_GROUPS = {
    "daily": frozenset(range(7)),
    "weekdays": frozenset(range(5)),
    "weekends": frozenset({5, 6}),
}
_CRON_FIELDS = 5
_OF_THE_MACHINE = "localtime"
"""A name that some systems have; with it, a scenario would mean something else elsewhere."""
_LONGEST = 200
"""Most characters that anybody writes."""

_HOUR = r"(?:[01]?[0-9]|2[0-3]):[0-5][0-9]"
_HOURS = re.compile(rf"({_HOUR})-({_HOUR}|24:00)")
_EXAMPLES = "'Mon-Fri 08:00-18:00 Europe/Paris' or '0 6 * * *'"


@dataclass(frozen=True)
class Window:
    """The same hours on some days of every week, by the clock."""

    weekdays: frozenset[int]
    """Days on which it opens; Monday is 0."""
    opens: int
    """Minute of the day. [min]"""
    closes: int
    """Minute after that day's midnight; above 1440 on the next day. [min]"""


@dataclass(frozen=True)
class When:
    """When an entry applies, and by whose clock."""

    times: Window | CronSchedule
    zone: str | None
    """Name of a time zone; None where the text has none."""


@cache
def parse_when(text: str) -> When:
    """Return the times in text such as ``Mon-Fri 08:00-18:00 Europe/Paris``.

    Days, hours and zone may each be left out: every day, all day, no zone. Days are a
    list of days and ranges, or ``daily``, ``weekdays``, ``weekends``; a range may pass
    Sunday, and hours may pass midnight. Five cron fields are read as such.

    Raises
    ------
    ValueError
        If it cannot be read, or holds no time at all.
    """
    # People set off commas and dashes, and paste dashes that are none of ASCII.
    plain = re.sub(r"\s*([,\u2013-])\s*", r"\1", text[:_LONGEST]).replace("\u2013", "-")
    words = plain.split()
    if not words or len(text) > _LONGEST:
        raise _unreadable(text)
    if len(words) >= _CRON_FIELDS or "*" in plain:
        zone = words.pop() if len(words) == _CRON_FIELDS + 1 else None
        return When(parse_cron(" ".join(words)), _checked(zone))
    return _parse_window(text, words)


def find_zone(name: str) -> ZoneInfo:
    """Return a time zone of the IANA database.

    Raises
    ------
    ValueError
        If there is none of this name; suggests one.
    """
    with suppress(ZoneInfoNotFoundError, ValueError, OSError):
        # A folder of the database, a name too long, a path out of it: all the same.
        if name != _OF_THE_MACHINE:
            return ZoneInfo(name)
    known = sorted(available_timezones() - {_OF_THE_MACHINE})
    raise ValueError(unknown("time zone", name, known))


def _parse_window(text: str, words: list[str]) -> When:
    rest = list(words)
    weekdays = _GROUPS["daily"]
    if ":" not in rest[0] and "/" not in rest[0]:
        weekdays = _parse_days(text, rest.pop(0))
    opens, closes = 0, MINUTES_PER_DAY
    if rest and rest[0][0].isdigit():
        opens, closes = _parse_hours(rest.pop(0))
    zone = rest.pop(0) if rest else None
    if rest or zone == words[0] or _is_day(zone):
        raise _unreadable(text)
    return When(Window(weekdays, opens, closes), _checked(zone))


def _parse_days(text: str, word: str) -> frozenset[int]:
    """Return the days in a list such as ``Mon,Wed-Fri``."""
    if word.casefold() in _GROUPS:
        return _GROUPS[word.casefold()]
    if not re.fullmatch(r"[A-Za-z,-]+", word):
        raise _unreadable(text)
    found: set[int] = set()
    for part in word.split(","):
        first, dash, last = part.partition("-")
        low = _parse_day(first)
        high = _parse_day(last) if dash else low
        found.update(day % 7 for day in range(low, low + (high - low) % 7 + 1))
    return frozenset(found)


def _parse_day(word: str) -> int:
    """Return the number of a day by its name or the first three letters."""
    number = _NUMBER_OF_DAY.get(word.casefold())
    if number is None:
        allowed = [name[:3].capitalize() for name in _DAYS]
        raise ValueError(unknown("day", word, [*allowed, *_GROUPS]))
    return number


def _is_day(word: str | None) -> bool:
    return word is not None and word.casefold() in _NUMBER_OF_DAY


def _parse_hours(word: str) -> tuple[int, int]:
    """Return the first minute of ``08:00-18:00`` and the minute after the last."""
    match = _HOURS.fullmatch(word)
    if match is None:
        message = (
            f"'{word[:40]}' is not a range of hours; write one from 00:00 to 24:00, "
            "such as 08:00-18:00 or 22:00-06:00"
        )
        raise ValueError(message)
    opens, closes = (_minute(time) for time in match.groups())
    if opens == closes:
        message = (
            f"'{word}' is empty; leave the hours out, or write 00:00-24:00, for all day"
        )
        raise ValueError(message)
    return opens, closes if closes > opens else closes + MINUTES_PER_DAY


def _minute(time: str) -> int:
    hours, minutes = time.split(":")
    return 60 * int(hours) + int(minutes)


def _checked(zone: str | None) -> str | None:
    if zone is not None:
        find_zone(zone)
    return zone


def _unreadable(text: str) -> ValueError:
    return ValueError(
        f"'{text[:60]}' is not days and hours or cron fields; write {_EXAMPLES}"
    )
