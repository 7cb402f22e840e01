"""Fields of JSON objects that may have any shape: nothing here raises."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Any

from costsim.traffic.formats.content import Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from costsim.traffic.formats.batch import Account
    from costsim.traffic.formats.content import Content, Head
    from costsim.traffic.formats.json_values import Json


_LATEST_S = 7_258_118_400  # the year 2200: what is later is no time


def mentions(head: Head, *names: str) -> bool:
    """Say whether a file begins as JSON and has all of these field names near there."""
    text = head.text.lstrip("\ufeff \t\r\n")
    return text.startswith(("{", "[")) and all(f'"{name}"' in text for name in names)


def json_objects(
    content: Content, account: Account
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the objects of a file with their numbers; what is none is dropped."""
    for number, value in content.objects():
        if isinstance(value, dict):
            yield number, value
            continue
        account.n_rows += 1
        if isinstance(value, Unreadable):
            account.drop("text that is not valid JSON", number, value.text)
        else:
            account.drop("a value where an object is expected", number, str(value))


def field(value: Json, *path: str) -> Json:
    """Return what is at a path of field names, None if there is nothing."""
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def items(value: Json) -> list[Any]:
    """Return a list as it is, and an empty one for everything else."""
    return value if isinstance(value, list) else []


def number(value: Json) -> float:
    """Return a number, also if it is written as text; NaN for everything else."""
    if isinstance(value, bool) or value is None:
        return nan
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return nan


def whole(value: Json) -> int | None:
    """Return a whole number without rounding, also if it is written as text."""
    if isinstance(value, bool):
        return None
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return None


def ns_of_seconds(value: Json) -> int | None:
    """Return a time in seconds since 1970 or since a zero of its own. [ns]"""
    seconds = number(value)
    return round(seconds * 1e9) if 0 <= seconds < _LATEST_S else None


def ns_of_whole(value: Json, ns_per_unit: int = 1) -> int | None:
    """Return a whole time of some unit, without rounding. [ns]"""
    found = whole(value)
    if found is None or not 0 <= found * ns_per_unit < _LATEST_S * 10**9:
        return None
    return found * ns_per_unit


def text(value: Json) -> str:
    """Return a text or a number as text; empty for everything else."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) else ""
