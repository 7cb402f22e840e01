"""A recorded trace, once it is read: arrays, and what had to be said about the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from costsim.records import Floats

VALUE_FIELDS = ("duration_s", "input_tokens", "output_tokens")
"""What a trace may hold besides arrivals."""


@dataclass(frozen=True, eq=False)
class TraceData:
    """Requests in the order of their arrival."""

    arrival_s: Floats
    """Arrivals, ascending, the first at 0. [s]"""
    duration_s: Floats | None = None
    """Service times. [s]"""
    input_tokens: Floats | None = None
    """Tokens read."""
    output_tokens: Floats | None = None
    """Tokens written."""
    start: datetime | None = None
    """When the first request arrived, if the file has calendar times; without an offset
    if the file states none."""
    notes: tuple[str, ...] = ()
    """Sentences for the user on how the file was read."""

    @property
    def span_s(self) -> float:
        """Time from the first arrival to the last. [s]"""
        return float(self.arrival_s[-1])

    @property
    def mean_gap_s(self) -> float:
        """Mean time between arrivals; 0 for a single request. [s]"""
        return self.span_s / max(1, len(self.arrival_s) - 1)
