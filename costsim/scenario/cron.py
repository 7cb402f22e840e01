"""Five cron fields, read strictly, so that a bad schedule is refused with the scenario.

A schedule is written in minutes of a fixed offset, so that of a cron library only the
fields would be used, none of its daylight-saving rules; and its times are wanted as an
array (``costsim.traffic.cron``), not one by one. Hence this reader instead of a
dependency. The language is Vixie cron's: lists, ranges, steps, names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from costsim.records import Ints

_MONTHS = (
    *("JAN", "FEB", "MAR", "APR", "MAY", "JUN"),
    *("JUL", "AUG", "SEP", "OCT", "NOV", "DEC"),
)
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_DAYS_IN_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True)
class _Field:
    name: str
    low: int
    high: int
    names: dict[str, int]


_FIELDS = (
    _Field("minute", 0, 59, {}),
    _Field("hour", 0, 23, {}),
    _Field("day of month", 1, 31, {}),
    _Field("month", 1, 12, {name: i for i, name in enumerate(_MONTHS, start=1)}),
    _Field("day of week", 0, 7, {name: i for i, name in enumerate(_WEEKDAYS)}),
)


@dataclass(frozen=True)
class CronSchedule:
    """The minutes at which something happens."""

    minutes: frozenset[int]
    """Minutes of the hour, 0 to 59."""
    hours: frozenset[int]
    """Hours of the day, 0 to 23."""
    days: frozenset[int]
    """Days of the month, 1 to 31."""
    months: frozenset[int]
    """Months, 1 to 12."""
    weekdays: frozenset[int]
    """Days of the week, Sunday is 0."""
    either_day: bool
    """A day matches by its day of month or by its day of week; else it must by both."""

    @property
    def minutes_of_day(self) -> list[int]:
        """Minutes after midnight at which it happens on a day that matches. [min]"""
        return sorted(
            60 * hour + minute for hour in self.hours for minute in self.minutes
        )

    def on_days(self, days: Ints) -> npt.NDArray[np.bool_]:
        """Return whether it happens on days, each counted from 1970-01-01."""
        import numpy as np

        date = days.astype("datetime64[D]")
        month = date.astype("datetime64[M]")
        day_of_month = (date - month).astype(np.int64) + 1
        by_date = np.isin(day_of_month, [*self.days])
        # 1970-01-01 was a Thursday, and Sunday is 0.
        by_weekday = np.isin((days + 4) % 7, [*self.weekdays])
        matches = by_date | by_weekday if self.either_day else by_date & by_weekday
        in_month = np.isin(month.astype(np.int64) % 12 + 1, [*self.months])
        return np.asarray(matches & in_month)


def parse_cron(text: str) -> CronSchedule:
    """Return the schedule in text such as ``0 2 * * *`` or ``*/15 9-17 * * MON-FRI``.

    As in Vixie cron, if neither of the two day fields begins with ``*`` then a day that
    matches one of them is enough.

    Raises
    ------
    ValueError
        If it is not five fields, a value is out of range, or no day ever matches.
    """
    fields = text.split()
    if len(fields) != len(_FIELDS):
        names = ", ".join(field.name for field in _FIELDS)
        message = (
            f"'{text[:60]}' has {len(fields)} fields; a schedule has five: {names}"
        )
        raise ValueError(message)
    minutes, hours, days, months, weekdays = (
        _read_field(part, field) for part, field in zip(fields, _FIELDS, strict=True)
    )
    either_day = not fields[2].startswith("*") and not fields[4].startswith("*")
    longest = max(_DAYS_IN_MONTH[month - 1] for month in months)
    if min(days) > longest and not either_day:
        message = f"'{text[:60]}' never happens: no such month has {min(days)} days"
        raise ValueError(message)
    sunday_is_zero = frozenset(day % 7 for day in weekdays)
    return CronSchedule(minutes, hours, days, months, sunday_is_zero, either_day)


def _read_field(text: str, field: _Field) -> frozenset[int]:
    """Return the values of a comma-separated list of parts."""
    values: set[int] = set()
    for part in text.split(","):
        values.update(_read_part(part, field))
    return frozenset(values)


def _read_part(text: str, field: _Field) -> range:
    """Return the values of ``*``, ``5``, ``1-5``, ``*/2`` or ``1-31/2``."""
    body, slash, step_text = text.partition("/")
    first, dash, last = body.partition("-")
    if body == "*":
        low, high = field.low, field.high
    else:
        low = _read_value(first, field)
        high = _read_value(last, field) if dash else low
    if low > high:
        message = f"'{text}' in the {field.name} field runs backwards; write two ranges"
        raise ValueError(message)
    if not slash:
        return range(low, high + 1)
    if body != "*" and not dash:
        message = f"'{text}' in the {field.name} field: a step goes with * or a range"
        raise ValueError(message)
    return range(low, high + 1, _read_step(step_text, high - low, field))


def _read_value(text: str, field: _Field) -> int:
    value = field.names.get(text.upper(), -1)
    if text.isascii() and text.isdigit():
        value = int(text) if len(text) <= 2 else -1
    if not field.low <= value <= field.high:
        names = f" or {'-'.join([*field.names][:: len(field.names) - 1])}"
        message = (
            f"'{text[:20]}' in the {field.name} field; allowed are "
            f"{field.low}-{field.high}{names if field.names else ''}"
        )
        raise ValueError(message)
    return value


def _read_step(text: str, width: int, field: _Field) -> int:
    step = int(text) if text.isascii() and text.isdigit() and len(text) <= 2 else 0
    if not 1 <= step <= max(1, width):
        # */90 minutes would mean once an hour, which nobody who writes it wants.
        message = (
            f"a step of '{text[:20]}' in the {field.name} field; "
            f"allowed are 1 to {max(1, width)}"
        )
        raise ValueError(message)
    return step
