"""Where a recorded trace lies on the scenario's time axis, and how much of it is run."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from costsim.errors import InputError, TraceError
from costsim.traffic.clock import seconds_after
from costsim.traffic.trace import slices
from costsim.units import format_duration

if TYPE_CHECKING:
    from datetime import datetime

    from costsim.records import Floats
    from costsim.scenario.trace import Trace
    from costsim.traffic.trace import Column, TraceData


@dataclass(frozen=True)
class Placement:
    """Where a trace lies on the scenario's time axis, before it is scaled in number."""

    offset_s: float
    """Its first arrival; negative if the scenario starts later. [s]"""
    span_s: float
    """Its length once stretched. [s]"""
    gap_s: float
    """What follows it once stretched: its mean time between arrivals, at least what its
    stamps were cut to; nothing after bins. [s]"""

    @property
    def end_s(self) -> float:
        """Where a repetition would begin. [s]"""
        return self.offset_s + self.span_s + self.gap_s


def place(spec: Trace, trace: TraceData, start: datetime | None) -> Placement:
    """Return where a trace lies.

    If both the scenario and the trace have calendar times, the first request keeps its
    distance from the start; else it arrives at 0.
    """
    offset_s = 0.0
    if start is not None and trace.start is not None:
        offset_s = seconds_after(start, trace.start)
    scale = spec.scale_time
    return Placement(offset_s, trace.span_s * scale, trace.gap_after_s * scale)


def repetitions(where: Placement, horizon_s: float) -> range:
    """Return which repetitions of the trace reach into the run, the first being 0."""
    period_s = where.span_s + where.gap_s
    if period_s <= 0:
        message = "repeat needs a trace with requests at two moments at least"
        raise InputError(message)
    begin = int(max(0.0, -where.offset_s) / period_s)
    end = int(np.ceil((horizon_s - where.offset_s) / period_s))
    return range(begin, max(end, begin + 1))


def expected_arrivals(
    spec: Trace, trace: TraceData, where: Placement, horizon_s: float
) -> float:
    """Return about how many requests of a replayed trace arrive in the run."""
    if spec.repeat:
        times = len(repetitions(where, horizon_s))
        return spec.scale_rate * times * trace.n_requests
    return spec.scale_rate * _parts(spec, trace, where, horizon_s)[1]


def notes_on(
    spec: Trace, trace: TraceData, where: Placement, horizon_s: float
) -> list[str]:
    """Return what the user should know about the ends of a replay.

    Raises
    ------
    TraceError
        If no request falls between the start and the horizon.
    """
    early, within, late = _parts(spec, trace, where, horizon_s)
    if not within and not (spec.repeat and early):
        begins = f" at {trace.start.isoformat()}" if trace.start is not None else ""
        message = (
            f"no request falls into the scenario's {format_duration(horizon_s)}: the "
            f"trace begins{begins}, {format_duration(abs(where.offset_s))} "
            f"{'before' if where.offset_s < 0 else 'after'} the scenario's start; "
            "leave start out to replay it from 0, or move start"
        )
        raise TraceError(message, path=spec.path)
    notes = []
    if round(early):
        notes.append(f"{_counted(round(early))} before the start left out")
    if round(late):
        notes.append(f"{_counted(round(late))} after the horizon left out")
    elif not spec.repeat and where.end_s < 0.9 * horizon_s:
        notes.append(
            f"the trace ends at {format_duration(where.offset_s + where.span_s)} of "
            f"{format_duration(horizon_s)}; repeat: true would start it again"
        )
    return notes


def widest_bin_s(trace: TraceData) -> float:
    """Return the width of the widest bin that has requests; 0 if rows are requests. [s]"""
    if trace.count is None or trace.width_s is None:
        return 0.0
    parts = zip(slices(trace.width_s), slices(trace.count), strict=True)
    return max(float(np.max(w, where=n > 0, initial=0.0)) for w, n in parts)


def _parts(
    spec: Trace, trace: TraceData, where: Placement, horizon_s: float
) -> tuple[float, float, float]:
    """Return how many requests are before the run, in it and after it, once replayed."""
    if trace.count is None or trace.width_s is None:
        before_start, before_end = (
            _first_row(trace.arrival_s, where.offset_s, spec.scale_time, moment)
            for moment in (0.0, horizon_s)
        )
        rest = len(trace.arrival_s) - before_end
        return before_start, before_end - before_start, rest
    early_n = within_n = late_n = 0.0
    columns = (slices(trace.arrival_s), slices(trace.width_s), slices(trace.count))
    for begin, width, count in zip(*columns, strict=True):
        begin_s = where.offset_s + begin * spec.scale_time
        width_s = width * spec.scale_time
        early = _share_before(0.0, begin_s, width_s)
        until = _share_before(horizon_s, begin_s, width_s)
        early_n += float(count @ early)
        within_n += float(count @ (until - early))
        late_n += float(count @ (1.0 - until))
    return early_n, within_n, late_n


def _share_before(moment_s: float, begin_s: Floats, width_s: Floats) -> Floats:
    """Return what share of each bin lies before a moment."""
    at_once = (begin_s < moment_s).astype(np.float64)
    share: Floats = np.divide(
        moment_s - begin_s, width_s, out=at_once, where=width_s > 0
    )
    return share.clip(0.0, 1.0)


def _first_row(arrival_s: Column, offset_s: float, scale: float, moment: float) -> int:
    """Return the first row that is not before a moment, by as few looks as can be."""
    return bisect_left(
        range(len(arrival_s)),
        moment,
        key=lambda row: offset_s + float(arrival_s[row : row + 1][0]) * scale,
    )


def _counted(n: int) -> str:
    return f"{n:,} request{'' if n == 1 else 's'} of the trace"
