"""Quantities with units: text at the edge, floats inside.

Inside the package a time is float seconds, money float US dollars, a size float GiB,
a rate float per second. Here is the one place where text such as ``5m``, ``48/h``,
``16 GiB`` and ``2.49 USD/h`` becomes such a float, and where a float becomes text for
people. A bare number is refused, so that 300 is never milliseconds for one reader and
seconds for another.
"""

from __future__ import annotations

import math
import re
from contextlib import suppress
from datetime import MAXYEAR, MINYEAR, datetime
from typing import TypeGuard

HOURS_PER_MONTH = 730.0
"""A month in every price table and bill: 365 x 24 / 12. [h]"""

LONGEST_S = 4e9
"""Longest time anywhere: twice that still fits 63 bits of the meter's nanoseconds. [s]"""

SECONDS_PER_HOUR = 3600.0
SECONDS_PER_DAY = 86400.0
SECONDS_PER_MONTH = HOURS_PER_MONTH * SECONDS_PER_HOUR

_SECONDS = {
    "us": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "sec": 1.0,
    "m": 60.0,
    "min": 60.0,
    "h": SECONDS_PER_HOUR,
    "hour": SECONDS_PER_HOUR,
    "d": SECONDS_PER_DAY,
    "day": SECONDS_PER_DAY,
    "w": 7 * SECONDS_PER_DAY,
    "week": 7 * SECONDS_PER_DAY,
    "month": SECONDS_PER_MONTH,
}
_GIB = {
    "B": 2.0**-30,
    "KiB": 2.0**-20,
    "MiB": 2.0**-10,
    "GiB": 1.0,
    "TiB": 2.0**10,
    "KB": 1e3 / 2**30,
    "MB": 1e6 / 2**30,
    "GB": 1e9 / 2**30,
    "TB": 1e12 / 2**30,
}
_LONGEST = 100
"""Most characters that a quantity can have."""
_MULTIPLIER = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6}

# Digits are ASCII only: str.isdigit and \d accept other scripts' digits.
_NUMBER = r"[+-]?(?:[0-9][0-9_]*(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_DURATION_PART = re.compile(rf"\s*({_NUMBER})\s*([a-z]+)")
_RATE = re.compile(
    rf"({_NUMBER})\s*([kKM]?)\s*(?:(?:requests?|req)?\s*(?:/|per)\s*([a-z]+)|(rps|rpm))"
)
_TOKEN_RATE = re.compile(rf"({_NUMBER})\s*([kKM]?)\s*tokens?\s*(?:/|per)\s*([a-z]+)")
_SIZE = re.compile(rf"({_NUMBER})\s*([A-Za-z]+)")
_MONEY = rf"(?:(?:USD|\$)\s*({_NUMBER})|({_NUMBER})\s*(?:USD|\$))"
_USD = re.compile(_MONEY)
_PRICE = re.compile(rf"{_MONEY}\s*(?:/|per)\s*([a-z]+)")


def parse_duration(text: object) -> float:
    """Return the seconds in text such as ``90s``, ``5m``, ``1h30m`` or ``900 ms``.

    Raises
    ------
    ValueError
        If it is not a finite duration with a unit.
    """
    parts = list(_DURATION_PART.finditer(text)) if _is_short(text) else []
    spelled = "".join(part.group(0) for part in parts)
    signed = any(part.group(1)[0] in "+-" for part in parts[1:])
    if not parts or signed or spelled != str(text).rstrip():
        raise _refuse(text, "a duration", "'90s', '5m' or '1h30m'")
    seconds = 0.0
    for part in parts:
        seconds += _number(part.group(1)) * _scale(part.group(2), _SECONDS, text)
    return _finite(seconds, text)


def parse_rate(text: object) -> float:
    """Return the requests per second in text such as ``48/h``, ``2.5 rps``, ``1.2k/day``."""
    match = _match(_RATE, text)
    if match is None:
        raise _refuse(text, "a rate", "'48/h', '2.5/s' or '50k/day'")
    number, multiplier, period, short = match.groups()
    seconds = {"rps": 1.0, "rpm": 60.0}.get(short) or _scale(period, _SECONDS, text)
    return _finite(_number(number) * _MULTIPLIER[multiplier] / seconds, text)


def parse_token_rate(text: object) -> float:
    """Return the tokens per second in text such as ``8000 tokens/s``."""
    match = _match(_TOKEN_RATE, text)
    if match is None:
        raise _refuse(text, "a token rate", "'8000 tokens/s' or '45 tokens/s'")
    number, multiplier, period = match.groups()
    seconds = _scale(period, _SECONDS, text)
    return _finite(_number(number) * _MULTIPLIER[multiplier] / seconds, text)


def parse_size(text: object) -> float:
    """Return the GiB in text such as ``16 GiB``, ``512 MiB`` or ``24 GB``."""
    match = _match(_SIZE, text)
    if match is None:
        raise _refuse(text, "a size", "'16 GiB' or '512 MiB'")
    return _finite(_number(match.group(1)) * _scale(match.group(2), _GIB, text), text)


def parse_usd(text: object) -> float:
    """Return the US dollars in text such as ``250 USD`` or ``$250``."""
    match = _match(_USD, text)
    if match is None:
        raise _refuse(text, "an amount", "'250 USD'")
    return _finite(_number(match.group(1) or match.group(2)), text)


def parse_price(text: object) -> float:
    """Return the US dollars per hour in text such as ``2.49 USD/h`` or ``$0.000222/s``."""
    match = _match(_PRICE, text)
    if match is None:
        raise _refuse(text, "a price", "'2.49 USD/h' or '0.000222 USD/s'")
    before, after, period = match.groups()
    seconds = _scale(period, _SECONDS, text)
    # The ratio first: it is exactly 1 for an hour, so 1.861 USD/h reads as 1.861.
    return _finite(_number(before or after) * (SECONDS_PER_HOUR / seconds), text)


def parse_moment(text: object) -> datetime | float:
    """Return a calendar moment, or seconds after the start for a duration.

    ``2026-03-05T18:00+01:00`` is a moment; without an offset it is read in the offset of
    the scenario's ``start``. ``3d18h`` is that long after the start.
    """
    for parse in (parse_calendar, parse_duration):
        try:
            return parse(text)
        except ValueError:
            continue
    examples = "'2026-03-05T18:00+01:00', or '3d18h' after the start"
    raise _refuse(text, "a moment", examples, how="")


def parse_calendar(text: object) -> datetime:
    """Return the moment in text such as ``2026-03-02T00:00+01:00``.

    Raises
    ------
    ValueError
        If it is not one, or so early or late that no time zone could be applied to it.
    """
    moment = None
    if isinstance(text, str):
        with suppress(ValueError):
            moment = datetime.fromisoformat(text.strip())
    if moment is None or not MINYEAR < moment.year < MAXYEAR:
        raise _refuse(text, "a date and time", "'2026-03-02T00:00+01:00'", how="")
    return moment


def format_duration(seconds: float) -> str:
    """Return a duration as people read it: ``850ms``, ``2.35s``, ``4m10s``, ``3h20m``, ``14d``."""
    if not math.isfinite(seconds):
        return "never" if seconds > 0 else "-"
    if seconds < 0:
        return f"-{format_duration(-seconds)}"
    if seconds < 0.9995:
        digits = 0 if seconds >= 0.00095 else 1
        return f"{seconds * 1e3:.{digits}f}ms" if seconds else "0s"
    if seconds < 99.95:
        return f"{seconds:.2f}".rstrip("0").rstrip(".") + "s"
    return _two_units(round(seconds))


def _two_units(seconds: int) -> str:
    """Return whole seconds in a unit and the next smaller one, rounded to that."""
    for large, small, name, next_name in (
        (86400, 3600, "d", "h"),
        (3600, 60, "h", "m"),
        (60, 1, "m", "s"),
    ):
        # 23h59m40s rounds to 24 hours, which is a day.
        if seconds >= large - small // 120:
            whole, rest = divmod(round(seconds / small) * small, large)
            return f"{whole}{name}" + (f"{rest // small}{next_name}" if rest else "")
    return f"{seconds}s"


def rate_unit(rate_per_s: float) -> tuple[float, str]:
    """Return by what a rate is multiplied so that it is at least 1, and its unit.

    The unit is s, min, h, or day, however little that is.
    """
    units = ((1.0, "s"), (60.0, "min"), (3600.0, "h"))
    day = (SECONDS_PER_DAY, "day")
    return next((one for one in units if rate_per_s * one[0] >= 1), day)


def format_rate(rate_per_s: float) -> str:
    """Return a rate with three digits, such as ``2.87/min``."""
    scale, unit = rate_unit(rate_per_s)
    rate = rate_per_s * scale
    return f"{rate:,.0f}/{unit}" if rate >= 1000 else f"{rate:.3g}/{unit}"


def format_usd(usd: float) -> str:
    """Return money with cents below 1,000, whole dollars above, and a sign if negative."""
    if not math.isfinite(usd):
        return "-"
    digits = 2 if abs(usd) < 999.995 else 0
    sign = "-" if round(usd, digits) < 0 else ""
    return f"{sign}${abs(usd):,.{digits}f}"


def format_fraction(fraction: float) -> str:
    """Return a fraction as per cent with two significant digits: ``6.9%``, ``0.02%``."""
    if not math.isfinite(fraction):
        return "-"
    percent = fraction * 100
    if percent == 0 or abs(percent) >= 9.95 or percent == round(percent):
        return f"{percent:.0f}%"
    digits = 1 if abs(percent) >= 0.095 else 2
    return f"{percent:.{digits}f}%" if abs(percent) >= 0.005 else "<0.01%"


def _is_short(text: object) -> TypeGuard[str]:
    # The patterns backtrack: ten thousand digits would take minutes.
    return isinstance(text, str) and len(text) <= _LONGEST


def _match(pattern: re.Pattern[str], text: object) -> re.Match[str] | None:
    return pattern.fullmatch(text.strip()) if _is_short(text) else None


def _number(text: str) -> float:
    return float(text.replace("_", ""))


def _scale(unit: str, table: dict[str, float], text: object) -> float:
    # Plurals are how people write words: 2 days, 3 weeks; "ms" is not two metres.
    singular = unit[:-1] if len(unit) > 3 and unit.endswith("s") else unit
    if singular not in table:
        message = f"'{text}' has the unit '{unit}'; allowed are {', '.join(table)}"
        raise ValueError(message)
    return table[singular]


def _finite(value: float, text: object) -> float:
    if not math.isfinite(value):
        message = f"'{text}' is not finite"
        raise ValueError(message)
    return value


def _refuse(
    text: object, kind: str, examples: str, how: str = "a number and a unit, such as "
) -> ValueError:
    shown = str(text)
    if len(shown) > 40:
        shown = f"{shown[:37]}..."
    return ValueError(f"'{shown}' is not {kind}; write {how}{examples}")
