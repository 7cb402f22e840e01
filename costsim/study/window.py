"""A part of a log that is long enough to tell models apart, and models for that part."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from costsim.traffic.trace import slices
from costsim.units import SECONDS_PER_DAY, format_duration, parse_duration, parse_rate

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from costsim.traffic.trace import Column, TraceData

_COLUMNS = (
    *("arrival_s", "duration_s", "input_tokens", "output_tokens", "count", "width_s"),
    *("spacing_shape", "key", "session"),
)


@dataclass(frozen=True, eq=False)
class Window:
    """A part of a log, or all of it."""

    trace: TraceData
    """Its requests, the first row at 0."""
    begin_s: float
    """Where it begins in the log. [s]"""
    horizon_s: float
    """How long it is. [s]"""
    start: str | None
    """Its first moment, as a scenario has it, if there is a calendar."""
    level: float = 1.0
    """Its mean rate over that of the log. [1]"""
    note: str = ""
    """A sentence for the user; empty if it is the whole log."""

    def model(self, traffic: Mapping[str, Any]) -> dict[str, Any]:
        """Return a model of the log as one of this part: its own mean rate."""
        if not self.begin_s and self.level == 1.0:
            return dict(traffic)
        moved = copy.deepcopy(dict(traffic))
        for stream in moved["streams"]:
            if "stages" in stream:
                self._move_stages(stream)
            elif "rate" in stream:
                stream["rate"] = f"{parse_rate(stream['rate']) * self.level!r} rps"
        if "spikes" in moved:
            moved["spikes"] = [
                later for one in moved["spikes"] if (later := self._moved(one))
            ]
        return moved

    def _move_stages(self, stream: dict[str, Any]) -> None:
        """Keep of ramps what lies in this part."""
        rates = [stream["start_rate"], *(one["target"] for one in stream["stages"])]
        lengths_s = [parse_duration(one["duration"]) for one in stream["stages"]]
        knots_s = np.concatenate([[0.0], np.cumsum(lengths_s)])
        end_s = self.begin_s + self.horizon_s
        inside = knots_s[(knots_s > self.begin_s) & (knots_s < end_s)]
        at_s = np.concatenate([[self.begin_s], inside, [end_s]])
        heights = np.interp(at_s, knots_s, [parse_rate(rate) for rate in rates])
        stream["start_rate"] = f"{float(heights[0])!r} rps"
        stream["stages"] = [
            {"target": f"{rate!r} rps", "duration": f"{length_s!r}s"}
            for rate, length_s in zip(
                heights[1:].tolist(), np.diff(at_s).tolist(), strict=True
            )
        ]

    def _moved(self, spike: dict[str, Any]) -> dict[str, Any] | None:
        if "at" not in spike:
            return spike
        at_s = parse_duration(spike["at"]) - self.begin_s
        return {**spike, "at": f"{at_s!r}s"} if at_s >= 0 else None


def cut_window(
    trace: TraceData, span_s: float, most: int, start: datetime | None
) -> Window:
    """Return a part of a log with about so many requests: whole days in its middle.

    Parameters
    ----------
    trace : TraceData
        The log.
    span_s : float
        Time that it covers. [s]
    most : int
        Requests, about.
    start : datetime or None
        The moment 0, if models need a calendar.
    """
    n = trace.n_requests
    if n <= most:
        return Window(trace, 0.0, span_s, None if start is None else start.isoformat())
    begin_s, length_s = _in_the_middle(span_s, span_s * most / n)
    part = _sliced(trace, begin_s, begin_s + length_s)
    if not most / 4 <= part.n_requests <= 4 * most:
        begin_s, length_s = _among_requests(trace, n, most)
        part = _sliced(trace, begin_s, begin_s + length_s)
    level = part.n_requests / length_s / (n / span_s)
    moment = None if start is None else start + timedelta(seconds=begin_s)
    return Window(
        replace(part, start=None),
        begin_s,
        length_s,
        None if moment is None else moment.isoformat(),
        level,
        f"models are compared with {format_duration(length_s)} in the middle of the log "
        f"({part.n_requests:,} of {n:,} requests)",
    )


def _in_the_middle(span_s: float, length_s: float) -> tuple[float, float]:
    """Return begin and length of the middle of a span, in whole days if it is so long."""
    if length_s < SECONDS_PER_DAY:
        return 0.5 * (span_s - length_s), length_s
    length_s = SECONDS_PER_DAY * round(length_s / SECONDS_PER_DAY)
    begin_s = max(0.0, 0.5 * (span_s - length_s))
    return SECONDS_PER_DAY * (begin_s // SECONDS_PER_DAY), length_s


def _among_requests(trace: TraceData, n: int, most: int) -> tuple[float, float]:
    """Return begin and length of the time in which the middle requests come."""
    first, last = (n - most) // 2, (n + most) // 2
    begin_s = end_s = 0.0
    seen = 0
    counts = None if trace.count is None else slices(trace.count)
    for part in slices(trace.arrival_s):
        size = np.ones(part.size) if counts is None else next(counts)
        reached = seen + np.cumsum(size)
        if seen <= first:
            begin_s = float(
                part[min(int(np.searchsorted(reached, first)), part.size - 1)]
            )
        if seen < last:
            end_s = float(part[min(int(np.searchsorted(reached, last)), part.size - 1)])
        seen = int(reached[-1])
    width_s = 0.0 if trace.width_s is None else float(np.max(trace.width_s[:1]))
    return begin_s, max(end_s + width_s - begin_s, 1.0)


def _sliced(trace: TraceData, begin_s: float, end_s: float) -> TraceData:
    first = _rows_before(trace.arrival_s, begin_s)
    last = _rows_before(trace.arrival_s, end_s)
    columns: dict[str, Any] = {}
    for name in _COLUMNS:
        column: Column | None = getattr(trace, name)
        columns[name] = None if column is None else np.asarray(column[first:last])
    columns["arrival_s"] = columns["arrival_s"] - begin_s
    return replace(trace, **columns)


def _rows_before(arrival_s: Column, time_s: float) -> int:
    return sum(int(np.searchsorted(part, time_s)) for part in slices(arrival_s))
