"""Ranges as ``--vary`` has them: ``1..8``, ``0.1..0.9:5``, ``30s..15m:6:log``."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from costsim import units

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_VALUES = 100_000
"""Most values of one range."""
_DIGITS = 6
"""Significant digits of values between the ends: enough for any use, few to read."""

_RANGE = re.compile(
    r"(?P<low>[-+$.\d].*?)\.\.(?P<high>[-+$.\d].*?)(?::(?P<n>\d+))?(?::(?P<log>log))?"
)
_NUMBER = r"[+-]?(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_QUANTITY = re.compile(rf"({_NUMBER})(\s*[^\s\d].*)?")
_WHOLE = re.compile(r"[+-]?\d[\d_]*")

_BASE_UNITS: tuple[tuple[Callable[[object], float], str], ...] = (
    (units.parse_duration, "s"),
    (units.parse_rate, "/s"),
    (units.parse_token_rate, " tokens/s"),
    (units.parse_size, " GiB"),
    (units.parse_usd, " USD"),
    (units.parse_price, " USD/h"),
)
"""What ends with different units are turned into."""


@dataclass(frozen=True)
class Range:
    """All values between two ends, the ends included."""

    low: float
    high: float
    unit: str
    """What follows the number: ``s``, ``/h``, or nothing."""
    whole: bool
    """Whether there are only whole numbers."""
    log: bool
    """Whether equal steps are equal ratios."""
    n: int | None
    """How many values were asked for; None: not said."""
    ends: tuple[str, str]
    """As they were written."""

    def at(self, share: float) -> str:
        """Return the value that is this far from the low end, in [0, 1], as text."""
        if share in (0.0, 1.0):
            return self.ends[int(share)]
        if self.log:
            value = self.low * (self.high / self.low) ** share
        else:
            value = self.low + (self.high - self.low) * share
        return self._text(value)

    def values(self) -> tuple[str, ...]:
        """Return as many values as were asked for, or every whole number.

        Raises
        ------
        ValueError
            If neither is said.
        """
        if self.n is None:
            if not self.whole or self.log:
                example = f"{self.ends[0]}..{self.ends[1]}:5{':log' * self.log}"
                message = f"say how many values, such as {example}"
                raise ValueError(message)
            return tuple(str(one) for one in range(int(self.low), int(self.high) + 1))
        steps = [self.at(i / (self.n - 1)) for i in range(self.n)]
        # Of whole numbers there may be fewer than were asked for.
        return tuple(dict.fromkeys(steps))

    def _text(self, value: float) -> str:
        if self.whole:
            return str(math.floor(value + 0.5))
        rounded = min(max(float(f"{value:.{_DIGITS}g}"), self.low), self.high)
        return f"{rounded!r}".removesuffix(".0") + self.unit


def read_range(text: str) -> Range | None:
    """Return the range in a text, or None if it is none.

    Raises
    ------
    ValueError
        If it is a range that makes no sense.
    """
    match = _RANGE.fullmatch(text)
    if match is None:
        return None
    ends = match["low"].strip(), match["high"].strip()
    low, high, unit = _ends(*ends)
    n = None if match["n"] is None else int(match["n"])
    _check(low, high, n, ends, log=bool(match["log"]))
    whole = all(_WHOLE.fullmatch(end) for end in ends)
    if whole and n is None and high - low >= MOST_VALUES:
        message = f"more than {MOST_VALUES:,} values; say how many: {text}:10"
        raise ValueError(message)
    return Range(low, high, unit, whole, bool(match["log"]), n, ends)


def _ends(low: str, high: str) -> tuple[float, float, str]:
    """Return two ends as numbers of one unit, which follows."""
    found = [_QUANTITY.fullmatch(end) for end in (low, high)]
    first, second = found
    # One unit is kept, so that 48/h..4800/h has values that people would have written.
    if first is not None and second is not None and first[2] == second[2]:
        return _number(first[1]), _number(second[1]), first[2] or ""
    for parse, unit in _BASE_UNITS:
        try:
            return parse(low), parse(high), unit
        except ValueError:
            continue
    message = f"its ends are {low!r} and {high!r}; write two numbers, or two quantities of one kind, such as 30s..15m"
    raise ValueError(message)


def _number(text: str) -> float:
    return float(text.replace("_", ""))


def _check(
    low: float, high: float, n: int | None, ends: tuple[str, str], *, log: bool
) -> None:
    if not low < high:
        message = f"the low end comes first, {ends[0]} is not below {ends[1]}"
        raise ValueError(message)
    if not (math.isfinite(low) and math.isfinite(high)):
        message = "its ends must be finite"
        raise ValueError(message)
    if log and low <= 0:
        message = f"a geometric range (log) begins above 0, not at {ends[0]}"
        raise ValueError(message)
    if n is not None and not 2 <= n <= MOST_VALUES:
        message = f"{n} values are asked for; a range has 2 to {MOST_VALUES:,}"
        raise ValueError(message)
