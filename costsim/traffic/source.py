"""All traffic of one replication: streams and trace superposed, each with its work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from costsim.errors import InputError
from costsim.traffic.formats.detect import read_trace
from costsim.traffic.rates import begin_s
from costsim.traffic.replay import notes_on, place, repetitions, replay
from costsim.traffic.streams import stream_rng
from costsim.traffic.synthesis import MAX_REQUESTS, expected_draws, stream_arrivals
from costsim.traffic.work import service_times, trace_needs
from costsim.units import format_duration

if TYPE_CHECKING:
    from costsim.records import Floats, Ints
    from costsim.scenario.schema import Scenario
    from costsim.traffic.trace import TraceData

TRACE_NAME = "trace"
"""What the replayed trace is called among the sources."""


@dataclass(frozen=True, eq=False)
class Arrivals:
    """The requests of one replication, in the order of their arrival."""

    arrival_s: Floats
    """Arrivals, ascending, in [0, horizon_s). [s]"""
    service_time_s: Floats
    """Work of each request: its service time at speed 1. [s]"""
    source: npt.NDArray[np.int32]
    """Which of the sources each request comes from."""
    sources: tuple[str, ...]
    """Names of the streams, and ``trace`` last if there is one."""
    horizon_s: float
    """End of the run. [s]"""
    notes: tuple[str, ...] = ()
    """Sentences for the user; the same in every replication."""

    @property
    def n_requests(self) -> int:
        """How many requests arrive."""
        return len(self.arrival_s)

    @property
    def mean_rate_per_s(self) -> float:
        """Realized mean rate over the horizon. [requests/s]"""
        return self.n_requests / self.horizon_s


def load_trace(scenario: Scenario) -> TraceData | None:
    """Return the scenario's recorded trace with what its service takes from it.

    To be called once a run: ``generate`` takes the result for every replication.

    Raises
    ------
    TraceError
        If the file cannot be used.
    """
    spec = scenario.traffic.trace
    return None if spec is None else read_trace(spec, trace_needs(scenario.service))


def horizon_s(scenario: Scenario, trace: TraceData | None = None) -> float:
    """Return the end of the run: given, or one mean gap after the trace's last request.

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
    if where.gap_s <= 0 or where.end_s <= 0:
        message = (
            "the trace gives no horizon, since its requests are all at one moment or "
            "before the start; set one, such as '1h'"
        )
        raise InputError(message)
    if scenario.warm_up >= where.end_s:
        message = (
            f"warm_up ({format_duration(scenario.warm_up)}) must be shorter than the "
            f"trace ({format_duration(where.end_s)})"
        )
        raise InputError(message)
    return where.end_s


def generate(
    scenario: Scenario, replication: int, trace: TraceData | None = None
) -> Arrivals:
    """Return the requests of one replication.

    The streams and the trace each have random numbers of their own, so that adding or
    changing one leaves the others as they are. Service times are drawn by the request's
    place in the merged sequence.

    Parameters
    ----------
    scenario : Scenario
        What is asked for.
    replication : int
        Which repetition, from 0.
    trace : TraceData, optional
        What ``load_trace`` returned.

    Raises
    ------
    InputError
        If there are more requests than fit, or the service takes from the trace what
        the requests of streams do not have.
    """
    end_s = horizon_s(scenario, trace)
    _refuse_unless_generable(scenario, trace, end_s)
    notes = _spike_notes(scenario, end_s)
    parts = [
        stream_arrivals(scenario, stream, replication, end_s)
        for stream in scenario.traffic.streams
    ]
    sources = [stream.name for stream in scenario.traffic.streams]
    recorded = None
    if trace is not None:
        replayed, rows, remarks = _replayed(scenario, trace, replication, end_s)
        recorded = trace.take(rows)
        parts.append(replayed)
        sources.append(TRACE_NAME)
        notes += [*trace.notes, *remarks]
    arrival_s, source = _merged(parts)
    rng = stream_rng(scenario.seed, replication, "work")
    work_s = service_times(scenario.service, len(arrival_s), rng, recorded)
    return Arrivals(arrival_s, work_s, source, tuple(sources), end_s, tuple(notes))


def expected_requests(
    scenario: Scenario, trace: TraceData | None, end_s: float
) -> float:
    """Return about how many requests a replication has. [requests]"""
    n = sum(expected_draws(scenario, one, end_s) for one in scenario.traffic.streams)
    spec = scenario.traffic.trace
    if spec is None or trace is None:
        return n
    where = place(spec, trace, scenario.start)
    times = len(repetitions(where, end_s)) if spec.repeat else 1
    return n + times * len(trace.arrival_s) * spec.scale_rate


def _refuse_unless_generable(
    scenario: Scenario, trace: TraceData | None, end_s: float
) -> None:
    if (scenario.traffic.trace is None) != (trace is None):
        message = "the trace of a scenario is read by load_trace and passed on"
        raise ValueError(message)
    needs = trace_needs(scenario.service)
    if needs and scenario.traffic.streams:
        message = (
            f"the service takes {', '.join(sorted(needs))} from the trace, but the "
            "requests of the streams have none; give a distribution"
        )
        raise InputError(message)
    n = expected_requests(scenario, trace, end_s)
    if not n <= MAX_REQUESTS:  # so that NaN is refused too
        message = (
            f"about {n:.3g} requests (or changes of state) in a replication; at most "
            f"{MAX_REQUESTS:,} fit: lower the rates or shorten the horizon"
        )
        raise InputError(message)


def _replayed(
    scenario: Scenario, trace: TraceData, replication: int, end_s: float
) -> tuple[Floats, Ints, list[str]]:
    """Return the arrivals of the trace, their rows, and notes on them."""
    spec = scenario.traffic.trace
    if spec is None:
        return np.empty(0), np.empty(0, dtype=np.int64), []
    where = place(spec, trace, scenario.start)
    notes = notes_on(spec, trace, where, end_s)
    rng = stream_rng(scenario.seed, replication, "selection")
    jitter_rng = stream_rng(scenario.seed, replication, "jitter")
    return (*replay(spec, trace, where, end_s, rng, jitter_rng), notes)


def _merged(parts: list[Floats]) -> tuple[Floats, npt.NDArray[np.int32]]:
    """Return all arrivals in order, those at one moment by source, and their sources."""
    if len(parts) == 1:
        return parts[0], np.zeros(len(parts[0]), dtype=np.int32)
    arrival_s = np.concatenate(parts)
    numbers = np.arange(len(parts), dtype=np.int32)
    source = np.repeat(numbers, [len(part) for part in parts])
    order = np.argsort(arrival_s, kind="stable")
    return arrival_s[order], source[order]


def _spike_notes(scenario: Scenario, end_s: float) -> list[str]:
    notes = []
    for spike in scenario.traffic.spikes:
        begin = begin_s(spike, scenario.start)
        if begin >= end_s:
            when = f"{format_duration(begin)} after the start"
            notes.append(f"the spike {when} begins after the horizon: no effect")
    return notes
