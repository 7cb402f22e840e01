"""Text of many rows to numbers and moments, with a verdict on each value.

The fast way converts a whole column at once; only if that fails does a slow way look
for the values at fault.
"""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from costsim.errors import TraceError
from costsim.traffic.formats.text import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from costsim.records import Floats, Ints


class Fault(IntEnum):
    """What may be wrong with a value."""

    NONE = 0
    MISSING = 1
    UNREADABLE = 2
    NOT_FINITE = 3
    NEGATIVE = 4


FAULT_WORDS = {
    Fault.MISSING: "missing",
    Fault.UNREADABLE: "not readable",
    Fault.NOT_FINITE: "not finite",
    Fault.NEGATIVE: "negative",
}


def parse_numbers(texts: Sequence[str]) -> tuple[Floats, Ints]:
    """Return numbers >= 0, NaN where there is none, and the fault of each."""
    faults = np.zeros(len(texts), dtype=np.int64)
    try:
        values = np.array(list(map(float, texts)), dtype=np.float64)
    except ValueError:
        values = np.array([_number(text) for text in texts], dtype=np.float64)
        for i in np.flatnonzero(np.isnan(values)).tolist():
            faults[i] = _why_no_number(texts[i])
    finite = np.isfinite(values)
    faults[~finite & (faults == Fault.NONE)] = Fault.NOT_FINITE
    faults[finite & (values < 0)] = Fault.NEGATIVE
    return values, faults


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _why_no_number(text: str) -> Fault:
    if not text.strip():
        return Fault.MISSING
    is_nan = text.strip().lower().lstrip("+-") == "nan"
    return Fault.NOT_FINITE if is_nan else Fault.UNREADABLE


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        return None


class TimeColumn:
    """The arrival column: numbers or ISO 8601 moments, all of one kind.

    The first readable value decides the kind. Moments become microseconds after that
    first one; digits beyond are cut off.
    """

    def __init__(self, path: str) -> None:
        self.first: datetime | None = None
        """The first moment; None for numbers."""
        self._path = path
        self._kind: str | None = None
        self._kind_line = 0

    def parse(self, texts: Sequence[str], lines: Ints) -> tuple[Floats, Ints]:
        """Return the values of rows that stand at some lines, and the fault of each.

        Raises
        ------
        TraceError
            If a value is of another kind than the first.
        """
        if self._kind is None:
            self._decide(texts, lines)
        if self.first is None:
            values, faults = parse_numbers(texts)
        else:
            values, faults = self._parse_moments(texts, lines, self.first)
        for i in np.flatnonzero(faults == Fault.UNREADABLE).tolist():
            self._refuse_other_kind(texts[i], int(lines[i]))
        return values, faults

    def _decide(self, texts: Sequence[str], lines: Ints) -> None:
        for text, line in zip(texts, lines, strict=True):
            kind = _kind_of(text)
            if kind is not None:
                self._kind, self._kind_line = kind, int(line)
                self.first = None if kind == "a number" else _moment(text)
                return

    def _parse_moments(
        self, texts: Sequence[str], lines: Ints, first: datetime
    ) -> tuple[Floats, Ints]:
        try:
            since_s = [
                (moment - first).total_seconds()
                for moment in map(datetime.fromisoformat, texts)
            ]
        except (ValueError, TypeError):  # unreadable; with and without an offset
            return self._parse_slowly(texts, lines, first)
        # Whole microseconds are exact in a float, fractions of a second are not.
        return np.rint(np.array(since_s) * 1e6), np.zeros(len(texts), dtype=np.int64)

    def _parse_slowly(
        self, texts: Sequence[str], lines: Ints, first: datetime
    ) -> tuple[Floats, Ints]:
        values = np.full(len(texts), np.nan)
        faults = np.zeros(len(texts), dtype=np.int64)
        for i, text in enumerate(texts):
            moment = _moment(text)
            if moment is None:
                faults[i] = Fault.UNREADABLE if text.strip() else Fault.MISSING
                continue
            self._refuse_other_kind(text, int(lines[i]))
            values[i] = (moment - first).total_seconds() * 1e6
        return np.rint(values), faults

    def _refuse_other_kind(self, text: str, line: int) -> None:
        kind = _kind_of(text)
        if self._kind is not None and kind is not None and kind != self._kind:
            message = (
                f"{shown(text)} is {kind}, but line {self._kind_line} has "
                f"{self._kind}; all times must be of one kind"
            )
            raise TraceError(message, path=self._path, line=line)


def _kind_of(text: str) -> str | None:
    """Return in words what a time is, if it is one."""
    if not np.isnan(_number(text)):
        return "a number"
    moment = _moment(text)
    if moment is None:
        return None
    return "a date without an offset" if moment.tzinfo is None else "a date with offset"
