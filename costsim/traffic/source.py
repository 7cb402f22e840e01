"""All traffic of one replication: streams and trace superposed, each with its work.

It is made in chunks, so that a billion requests need no more memory than a million.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from costsim.errors import InputError
from costsim.scenario.processes import Cron
from costsim.traffic.merge import merged
from costsim.traffic.placement import expected_arrivals, notes_on, place
from costsim.traffic.recorded import RecordedWork
from costsim.traffic.replay import TraceReader
from costsim.traffic.streams import stream_rng
from costsim.traffic.synthesis import (
    MAX_IN_MEMORY,
    asked_rate,
    expected_draws,
    stream_notes,
    stream_reader,
)
from costsim.traffic.work import service_times, trace_needs
from costsim.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from costsim.records import Floats, Ints
    from costsim.scenario.schema import Scenario
    from costsim.traffic.arrivals import Reader
    from costsim.traffic.merge import Sources
    from costsim.traffic.replay import Rngs
    from costsim.traffic.trace import TraceData
    from costsim.traffic.work import Work

TRACE_NAME = "trace"
"""What the replayed trace is called among the sources."""
MAX_REQUESTS = 2**34 - 1
"""Requests of one replication: the engine has ids for no more."""
CHUNK_SIZE = 32_768
"""Requests of a chunk. At twice as many the system takes the memory back each time."""


@dataclass(frozen=True, eq=False)
class ArrivalChunk:
    """Some requests of a replication, one after the other; arrays of equal length."""

    arrival_s: Floats
    """Arrivals, ascending, also from chunk to chunk; in [0, horizon_s). [s]"""
    service_time_s: Floats
    """Work of each request: its service time at speed 1. [s]"""
    source: Sources | None
    """Position of each one's source in ``source_names``; None if there is only one."""

    def first(self, n: int) -> ArrivalChunk:
        """Return the first n requests, in arrays of their own."""
        source = None if self.source is None else self.source[:n].copy()
        return ArrivalChunk(
            self.arrival_s[:n].copy(), self.service_time_s[:n].copy(), source
        )


@dataclass(frozen=True)
class SourceRate:
    """How many requests one of the sources brought, and how many it was asked for."""

    name: str
    """A stream, ``trace``, or a key of a log."""
    requests: float
    """Requests that came; the mean of several replications. [requests]"""
    rate_per_s: float
    """Realized mean rate. [requests/s]"""
    asked_rate_per_s: float | None
    """Mean rate that the scenario asks for, profile, trend and spikes included; None for
    what was recorded. [requests/s]"""


def source_rates(
    scenario: Scenario, requests: Sequence[float], end_s: float
) -> tuple[SourceRate, ...]:
    """Return how many requests each source brought, beside what was asked for.

    Parameters
    ----------
    scenario : Scenario
        What was asked for.
    requests : sequence of float
        Of each of ``source_names``, in a replication. [requests]
    end_s : float
        End of the run. [s]
    """
    asked = {
        stream.name: asked_rate(scenario, stream, end_s)
        for stream in scenario.traffic.streams
    }
    return tuple(
        SourceRate(name, n, n / end_s, asked.get(name))
        for name, n in zip(source_names(scenario), requests, strict=True)
    )


def load_trace(scenario: Scenario) -> TraceData | None:
    """Return the scenario's recorded trace with what its service takes from it.

    To be called once a run: ``generate`` takes the result for every replication.

    Raises
    ------
    TraceError
        If the file cannot be used.
    """
    from costsim.traffic.formats.detect import read_trace  # loads much

    spec = scenario.traffic.trace
    return None if spec is None else read_trace(spec, trace_needs(scenario.service))


def horizon_s(scenario: Scenario, trace: TraceData | None = None) -> float:
    """Return the end of the run: given, or where the trace would be repeated.

    Raises
    ------
    InputError
        If the trace gives no usable horizon.
    """
    if scenario.horizon is not None:
        return scenario.horizon
    spec = scenario.traffic.trace
    if spec is None or trace is None or spec.repeat:
        message = "the scenario needs a horizon, such as '14d'"
        if spec is not None and spec.repeat:
            message = "a trace that repeats needs the scenario's horizon, such as '14d'"
        raise InputError(message)
    where = place(spec, trace, scenario.start)
    if where.end_s <= max(0.0, where.offset_s):
        message = (
            "the trace gives no horizon, since its requests are all at one moment or "
            "before the start; set one, such as '1h'"
        )
        raise InputError(message)
    if scenario.warm_up_s >= where.end_s:
        message = (
            f"warm_up ({format_duration(scenario.warm_up_s)}) must be shorter than the "
            f"trace ({format_duration(where.end_s)})"
        )
        raise InputError(message)
    return where.end_s


def source_names(scenario: Scenario) -> tuple[str, ...]:
    """Return the names of the streams, and ``trace`` last if there is one."""
    names = [stream.name for stream in scenario.traffic.streams]
    return (*names, TRACE_NAME) if scenario.traffic.trace is not None else (*names,)


def traffic_notes(
    scenario: Scenario, trace: TraceData | None = None
) -> tuple[str, ...]:
    """Return sentences for the user on the traffic; the same in every replication.

    Raises
    ------
    TraceError
        If no request of the trace falls between the start and the horizon.
    """
    end_s = horizon_s(scenario, trace)
    notes = stream_notes(scenario, end_s)
    spec = scenario.traffic.trace
    if spec is not None and trace is not None:
        where = place(spec, trace, scenario.start)
        notes += [*trace.notes, *notes_on(spec, trace, where, end_s)]
    return tuple(notes)


def trace_warnings(trace: TraceData | None) -> tuple[str, ...]:
    """Return sentences on what in the recorded trace may make an answer wrong."""
    return () if trace is None else trace.warnings


def arrival_chunks(
    scenario: Scenario,
    replication: int,
    trace: TraceData | None = None,
    *,
    chunk_size: int = CHUNK_SIZE,
) -> Iterator[ArrivalChunk]:
    """Return the requests of one replication, some at a time.

    The streams and the trace each have random numbers of their own, so that adding or
    changing one leaves the others as they are. Service times are drawn by the request's
    place in the merged sequence. The requests are the same whatever the chunks' size.
    What is in memory grows neither with the horizon nor with the rates of streams nor
    with the trace; only cron batches are made as a whole.

    Parameters
    ----------
    scenario : Scenario
        What is asked for.
    replication : int
        Which repetition, from 0.
    trace : TraceData, optional
        What ``load_trace`` returned.
    chunk_size : int
        Requests in each chunk but the last, which has the rest and is not empty.

    Raises
    ------
    InputError
        At once, if there are more requests than can be made, or the service takes from
        the trace what it does not hold.
    TraceError
        At once, if no request of the trace falls into the run.
    """
    if chunk_size < 1:
        message = f"chunk_size must be at least 1, not {chunk_size}"
        raise ValueError(message)
    end_s = horizon_s(scenario, trace)
    _refuse_unless_generable(scenario, trace, end_s)
    traffic_notes(scenario, trace)
    rngs = partial(stream_rng, scenario.seed, replication)
    readers = [
        stream_reader(scenario, stream, replication, end_s)
        for stream in scenario.traffic.streams
    ]
    recorded = _recorded(scenario, trace, rngs)
    work = service_times(scenario.service, (rngs("work", 0), rngs("work", 1)), recorded)
    spec = scenario.traffic.trace
    if spec is None or trace is None:
        return _chunks(readers, None, work, chunk_size)
    replayed = TraceReader(
        spec,
        trace,
        place(spec, trace, scenario.start),
        end_s,
        rngs,
        keep_rows=recorded is not None,
    )
    keeper = None if recorded is None else replayed
    return _chunks([*readers, replayed], keeper, work, chunk_size)


def expected_requests(
    scenario: Scenario, trace: TraceData | None, end_s: float
) -> float:
    """Return about how many requests a replication has. [requests]"""
    return sum(_expected(scenario, trace, end_s))


def _expected(
    scenario: Scenario, trace: TraceData | None, end_s: float
) -> tuple[float, float]:
    """Return how many requests are drawn piece by piece, and how many made at once."""
    drawn = made = 0.0
    for stream in scenario.traffic.streams:
        n = expected_draws(scenario, stream, end_s)
        if isinstance(stream.arrivals, Cron):
            made += n
        else:
            drawn += n
    spec = scenario.traffic.trace
    if spec is not None and trace is not None:
        where = place(spec, trace, scenario.start)
        drawn += expected_arrivals(spec, trace, where, end_s)
    return drawn, made


def _refuse_unless_generable(
    scenario: Scenario, trace: TraceData | None, end_s: float
) -> None:
    if (scenario.traffic.trace is None) != (trace is None):
        message = "the trace of a scenario is read by load_trace and passed on"
        raise ValueError(message)
    drawn, made = _expected(scenario, trace, end_s)
    _refuse_above(MAX_IN_MEMORY, made, "requests of cron batches", "fit in memory")
    _refuse_above(
        MAX_REQUESTS, drawn + made, "requests (or changes of state)", "can be simulated"
    )


def _refuse_above(most: int, n: float, what: str, verb: str) -> None:
    if not n <= most:  # so that NaN is refused too
        message = (
            f"about {n:.3g} {what} in a replication; at most {most:,} {verb}: "
            "lower the rates or shorten the horizon"
        )
        raise InputError(message)


def _recorded(
    scenario: Scenario, trace: TraceData | None, rngs: Rngs
) -> RecordedWork | None:
    """Return what the service takes from the trace; None if it takes nothing."""
    needs = sorted(trace_needs(scenario.service))
    if not needs:
        return None
    return RecordedWork(trace, needs, rngs("resample", 0), rngs("resample", 1))


def _chunks(
    readers: list[Reader], keeper: TraceReader | None, work: Work, chunk_size: int
) -> Iterator[ArrivalChunk]:
    """Yield the requests of all sources with their work.

    The trace is the last source; it is the keeper of its rows if work depends on them.
    """
    several = merged(readers) if len(readers) > 1 else None
    n = chunk_size
    while n == chunk_size:
        # New arrays each time: a chunk stays as it is while the next one is made.
        arrival_s, service_time_s = np.empty(chunk_size), np.empty(chunk_size)
        source = None
        if several is None:
            n = readers[0].read(arrival_s)
        else:
            source = np.empty(chunk_size, dtype=np.int32)
            n = several.read(arrival_s, source)
        of_trace = None if source is None else source[:n] == len(readers) - 1
        work(service_time_s[:n], _rows(keeper, n, of_trace))
        chunk = ArrivalChunk(arrival_s, service_time_s, source)
        if n:
            yield chunk if n == chunk_size else chunk.first(n)


def _rows(
    keeper: TraceReader | None, n: int, of_trace: npt.NDArray[np.bool_] | None
) -> Ints | None:
    """Return the rows of n requests, -1 for those that are not of the trace."""
    if keeper is None:
        return None
    if of_trace is None:
        return keeper.rows(n)
    rows = np.full(n, -1)
    rows[of_trace] = keeper.rows(int(of_trace.sum()))
    return rows
