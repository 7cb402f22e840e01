"""A recorded trace replayed: moved to the scenario's clock, stretched, scaled, repeated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from costsim.errors import InputError, TraceError
from costsim.traffic.clock import seconds_after
from costsim.units import format_duration

if TYPE_CHECKING:
    from datetime import datetime

    from costsim.records import Floats, Ints
    from costsim.scenario.traffic import Trace
    from costsim.traffic.trace import TraceData


@dataclass(frozen=True)
class Placement:
    """Where a trace lies on the scenario's time axis, before it is scaled in number."""

    offset_s: float
    """Its first arrival; negative if the scenario starts later. [s]"""
    span_s: float
    """Its length once stretched. [s]"""
    gap_s: float
    """Its mean time between arrivals once stretched. [s]"""

    @property
    def end_s(self) -> float:
        """One mean gap after the last arrival: where a repetition would begin. [s]"""
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
    return Placement(offset_s, trace.span_s * scale, trace.mean_gap_s * scale)


def replay(
    spec: Trace,
    trace: TraceData,
    where: Placement,
    horizon_s: float,
    rng: np.random.Generator,
    jitter_rng: np.random.Generator,
) -> tuple[Floats, Ints]:
    """Return the arrivals of a replayed trace before the horizon, and their rows.

    A rate scaled down keeps each request with that probability. Scaled up, each request
    is copied, and a copy arrives at a uniform moment before the next request: the local
    rate is multiplied, and requests at one instant stay together.

    Parameters
    ----------
    spec : Trace
        How to scale.
    trace : TraceData
        What was recorded.
    where : Placement
        Where it lies.
    horizon_s : float
        End of the run. [s]
    rng, jitter_rng : numpy.random.Generator
        Where the choice of requests and the jitter come from; not used if the rate is
        not scaled, or there is no jitter.

    Returns
    -------
    arrival_s : ndarray of float64, ascending
        Arrivals, in [0, horizon_s). [s]
    rows : ndarray of int64
        Which row of the trace each one is.
    """
    times = where.offset_s + trace.arrival_s * spec.scale_time
    gaps = np.diff(times, append=times[-1] + where.gap_s)
    arrival_s, rows = _repeated(times, where, horizon_s, spec.repeat)
    if spec.scale_rate != 1.0:
        arrival_s, rows = _scaled(arrival_s, rows, gaps, spec.scale_rate, rng)
    if spec.jitter > 0:
        arrival_s = arrival_s + spec.jitter * jitter_rng.random(len(arrival_s))
    order = np.argsort(arrival_s, kind="stable")
    arrival_s, rows = arrival_s[order], rows[order]
    first, last = np.searchsorted(arrival_s, [0.0, horizon_s])
    return arrival_s[first:last], rows[first:last]


def repetitions(where: Placement, horizon_s: float) -> range:
    """Return which repetitions of the trace reach into the run, the first being 0."""
    period_s = where.span_s + where.gap_s
    if period_s <= 0:
        message = "repeat needs a trace with requests at two moments at least"
        raise InputError(message)
    begin = int(max(0.0, -where.offset_s) / period_s)
    end = int(np.ceil((horizon_s - where.offset_s) / period_s))
    return range(begin, max(end, begin + 1))


def notes_on(
    spec: Trace, trace: TraceData, where: Placement, horizon_s: float
) -> list[str]:
    """Return what the user should know about the ends of a replay.

    Raises
    ------
    TraceError
        If no request falls between the start and the horizon.
    """
    times = where.offset_s + trace.arrival_s * spec.scale_time
    early, before_end = np.searchsorted(times, [0.0, horizon_s]).tolist()
    late = len(times) - before_end
    if early == before_end and not (spec.repeat and early):
        begins = f" at {trace.start.isoformat()}" if trace.start is not None else ""
        message = (
            f"no request falls into the scenario's {format_duration(horizon_s)}: the "
            f"trace begins{begins}, {format_duration(abs(where.offset_s))} "
            f"{'before' if where.offset_s < 0 else 'after'} the scenario's start; "
            "leave start out to replay it from 0, or move start"
        )
        raise TraceError(message, path=spec.path)
    notes = []
    if early:
        notes.append(f"{_counted(early)} before the start left out")
    if late:
        notes.append(f"{_counted(late)} after the horizon left out")
    elif not spec.repeat and where.end_s < 0.9 * horizon_s:
        notes.append(
            f"the trace ends at {format_duration(where.offset_s + where.span_s)} of "
            f"{format_duration(horizon_s)}; repeat: true would start it again"
        )
    return notes


def _counted(n: int) -> str:
    return f"{n:,} request{'' if n == 1 else 's'} of the trace"


def _repeated(
    times: Floats, where: Placement, horizon_s: float, repeat: bool
) -> tuple[Floats, Ints]:
    """Return the trace's times, as often as they fit before the horizon."""
    rows = np.arange(len(times))
    if repeat:
        which = repetitions(where, horizon_s)
        shifts = np.array(which) * (where.span_s + where.gap_s)
        times = np.add.outer(shifts, times).ravel()
        rows = np.tile(rows, len(which))
    return times, rows


def _scaled(
    arrival_s: Floats,
    rows: Ints,
    gaps: Floats,
    factor: float,
    rng: np.random.Generator,
) -> tuple[Floats, Ints]:
    """Return some of the requests, or copies of them in the gap that follows each."""
    whole = int(factor)
    n_copies = whole + (rng.random(len(rows)) < factor - whole)
    source = np.repeat(np.arange(len(rows)), n_copies)
    is_copy = np.diff(source, prepend=-1) == 0
    delay = gaps[rows[source]] * rng.random(len(source)) * is_copy
    return arrival_s[source] + delay, rows[source]
