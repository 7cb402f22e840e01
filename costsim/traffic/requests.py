"""The requests of a log, or of a scenario's traffic, with what is known of each."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from costsim.traffic.export import Requests
from costsim.traffic.recorded import gather
from costsim.traffic.replay import realization
from costsim.traffic.source import arrival_chunks, load_trace, source_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from costsim.records import Floats, Ints
    from costsim.scenario.schema import Scenario
    from costsim.traffic.source import ArrivalChunk
    from costsim.traffic.trace import Column, TraceData


def log_requests(trace: TraceData, seed: int = 1) -> Iterator[Requests]:
    """Yield the requests of a log, some at a time, with what it recorded of them.

    Parameters
    ----------
    trace : TraceData
        The log.
    seed : int
        Of the scatter, where its requests are known to bins or seconds only.
    """
    for arrival_s, rows in realization(trace, seed):
        yield Requests(
            arrival_s,
            _values(trace.duration_s, rows),
            _values(trace.input_tokens, rows),
            _values(trace.output_tokens, rows),
            _names(trace.key, rows, trace.keys),
            _numbers(trace.session, rows),
        )


def scenario_requests(scenario: Scenario, replication: int = 0) -> Iterator[Requests]:
    """Yield the requests of a scenario's traffic, some at a time.

    Durations are service times at speed 1; where the work is in tokens, these too. The
    key is the stream, if there are several.
    """
    trace = load_trace(scenario)
    names = source_names(scenario)
    times = arrival_chunks(scenario, replication, trace)
    if scenario.service.tokens is None:
        for chunk in times:
            key = _streams(names, chunk)
            yield Requests(chunk.arrival_s, chunk.service_time_s, key=key)
        return
    # The same draws, divided by other speeds: input / 1 + output / infinity.
    read, written = (
        arrival_chunks(_at_speeds(scenario, *speeds), replication, trace)
        for speeds in ((1.0, math.inf), (math.inf, 1.0))
    )
    for chunk, n_read, n_written in zip(times, read, written, strict=True):
        yield Requests(
            chunk.arrival_s,
            chunk.service_time_s,
            n_read.service_time_s,
            n_written.service_time_s,
            _streams(names, chunk),
        )


def _streams(names: tuple[str, ...], chunk: ArrivalChunk) -> list[str] | None:
    """Return the stream of each request, if there are several."""
    if chunk.source is None:
        return None
    return [names[i] for i in chunk.source.tolist()]


def _at_speeds(scenario: Scenario, prefill: float, decode: float) -> Scenario:
    """Return a scenario whose tokens are read and written at other speeds."""
    tokens = scenario.service.tokens
    if tokens is None:
        return scenario
    changed = tokens.model_copy(update={"prefill": prefill, "decode": decode})
    service = scenario.service.model_copy(update={"tokens": changed})
    return scenario.model_copy(update={"service": service})


def _values(column: Column | None, rows: Ints) -> Floats | None:
    return None if column is None else gather(column, rows)


def _names(
    column: Column | None, rows: Ints, names: tuple[str, ...]
) -> Sequence[str] | None:
    if column is None:
        return None
    listed = np.array([*names, ""], dtype=object)  # -1, no name, is the last one
    found: list[str] = listed[gather(column, rows).astype(np.int64)].tolist()
    return found


def _numbers(column: Column | None, rows: Ints) -> Sequence[str] | None:
    if column is None:
        return None
    numbers = gather(column, rows).astype(np.int64).tolist()
    return [str(one) if one >= 0 else "" for one in numbers]
