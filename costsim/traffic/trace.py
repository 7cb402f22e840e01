"""A recorded trace, once it is read: columns, and what had to be said about the file.

A row is one request, or a bin with a number of requests. Columns of a long file lie on
disk, so that none is ever in memory as a whole: take them slice by slice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    import numpy.typing as npt

VALUE_FIELDS = ("duration_s", "input_tokens", "output_tokens")
"""What a trace may hold of a request besides its arrival; NaN where a row has none."""
ROWS_AT_ONCE = 65_536
"""Rows that are worth taking from a column at once."""


class Column(Protocol):
    """Numbers that are taken by slices: an array, or a file that is like one."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: slice, /) -> npt.NDArray[Any]: ...


@dataclass(frozen=True, eq=False)
class TraceData:
    """Requests in the order of their arrival; all columns have the same length."""

    arrival_s: Column
    """Arrivals, ascending, the first at 0; of a bin its beginning. [s]"""
    duration_s: Column | None = None
    """Service times. [s]"""
    input_tokens: Column | None = None
    """Tokens read."""
    output_tokens: Column | None = None
    """Tokens written."""
    count: Column | None = None
    """Requests of each row, >= 0, if rows are bins; None if each row is a request."""
    width_s: Column | None = None
    """Width of each row's bin, if rows are bins. [s]"""
    spacing_shape: Column | None = None
    """How requests lie in their bin: their gaps are gamma of this shape, scaled to the
    bin. None or 1: uniform and independent; below 1: in clusters. [1]"""
    key: Column | None = None
    """Endpoint, model or function of each row: a position in ``keys``, -1 if none."""
    keys: tuple[str, ...] = ()
    """Names of the endpoints."""
    session: Column | None = None
    """Session, user or address of each row: a number for each, -1 if none."""
    resolution_s: float = 0.0
    """Stamps were cut to multiples of this, so that a request arrived somewhere in the
    span of this length that begins at its stamp; 0 if they are exact. [s]"""
    start: datetime | None = None
    """When the first request arrived, if the file has calendar times; without an offset
    if the file states none."""
    format: str = "csv"
    """Name of the format that it was read by."""
    notes: tuple[str, ...] = ()
    """Sentences for the user on how the file was read."""
    warnings: tuple[str, ...] = ()
    """Sentences on what may make an answer wrong."""
    owner: object = field(default=None, repr=False)
    """What keeps the files of the columns; they go when it goes."""

    @property
    def n_requests(self) -> int:
        """How many requests there are."""
        if self.count is None:
            return len(self.arrival_s)
        return sum(int(part.sum()) for part in slices(self.count))

    @property
    def span_s(self) -> float:
        """Time from the first arrival to the last; to the end of the last bin. [s]"""
        if self.width_s is None:
            return float(self.arrival_s[-1:][0])
        ends = zip(slices(self.arrival_s), slices(self.width_s), strict=True)
        return max(float((begin + width).max()) for begin, width in ends)

    @property
    def gap_after_s(self) -> float:
        """What lies between the end of the span and a repetition. [s]

        Nothing after bins; else the mean gap, at least what stamps were cut to.
        """
        return (
            0.0 if self.count is not None else max(self.mean_gap_s, self.resolution_s)
        )

    @property
    def mean_gap_s(self) -> float:
        """Mean time between arrivals; 0 for a single request and for bins. [s]"""
        if self.count is not None:
            return 0.0  # the end of the last bin is where the next one begins
        return self.span_s / max(1, len(self.arrival_s) - 1)


def slices(column: Column, size: int = ROWS_AT_ONCE) -> Iterator[npt.NDArray[Any]]:
    """Yield a column as arrays of at most ``size`` rows."""
    for begin in range(0, len(column), size):
        yield np.asarray(column[begin : begin + size])
