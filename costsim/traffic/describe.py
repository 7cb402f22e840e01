"""What the requests of a log, or of a scenario's traffic, are like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from costsim.traffic.burstiness import BurstinessMeter
from costsim.traffic.fit.evidence import gather_evidence, log_span_s
from costsim.traffic.fit.service import known_values
from costsim.traffic.fit.sessions import log_sessions
from costsim.traffic.placement import widest_bin_s
from costsim.traffic.replay import realization
from costsim.traffic.source import (
    SourceRate,
    arrival_chunks,
    horizon_s,
    load_trace,
    source_names,
    source_rates,
    trace_warnings,
    traffic_notes,
)
from costsim.traffic.streams import stream_rng
from costsim.traffic.trace import VALUE_FIELDS, slices

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from costsim.records import Floats
    from costsim.scenario.schema import Scenario
    from costsim.traffic.burstiness import Burstiness
    from costsim.traffic.trace import TraceData

QUANTILES = (0.5, 0.95, 0.99)
"""Quantiles of the work that are told."""
_MINUTE_S = 60.0
"""Bins from which on requests need not be made to be counted. [s]"""
_MOST_VALUES = 1_000_000
"""Values of a scenario's work from which on not all are looked at."""


@dataclass(frozen=True)
class Work:
    """One measure of the work that requests bring."""

    field: str
    """``duration_s``, ``service_time_s``, ``input_tokens`` or ``output_tokens``."""
    n: int
    """Requests of which it is known, or of a long log those that were looked at."""
    mean: float
    """Their mean. [s] or tokens"""
    quantiles: tuple[float, ...]
    """Their values at ``QUANTILES``. [s] or tokens"""


@dataclass(frozen=True)
class Sessions:
    """Sessions of a log that names them: a user's requests with no long silence."""

    n: int
    """How many there are."""
    mean_requests: float
    """Requests of one. [requests]"""
    median_gap_s: float | None
    """Between two requests of one; None if all have one request. [s]"""


@dataclass(frozen=True, eq=False)
class Description:
    """What a log or the first replication of a scenario's traffic is like."""

    name: str
    """The file."""
    format: str
    """Format of the log; ``scenario`` for one."""
    start: datetime | None
    """The moment 0, if there is a calendar."""
    burstiness: Burstiness
    """Rate, dispersion, idle windows, gaps."""
    work: tuple[Work, ...]
    """What requests bring."""
    sessions: Sessions | None
    """Sessions, if the log names them."""
    sources: tuple[SourceRate, ...]
    """Streams of a scenario; keys of a log, the busiest first."""
    notes: tuple[str, ...]
    """How it was read."""
    warnings: tuple[str, ...]
    """What may make an answer wrong."""


def describe_log(trace: TraceData, name: str, seed: int = 1) -> Description:
    """Return what a log is like.

    Parameters
    ----------
    trace : TraceData
        The log.
    name : str
        What it is called.
    seed : int
        Of the scatter, where its requests are known to bins or seconds only.
    """
    bin_s = widest_bin_s(trace)
    meter = BurstinessMeter(log_span_s(trace), bin_s)
    if trace.count is not None and trace.width_s is not None and bin_s >= _MINUTE_S:
        rng = stream_rng(seed, 0, "scatter")
        columns = (trace.arrival_s, trace.width_s, trace.count)
        for begin_s, width_s, count in zip(*map(slices, columns), strict=True):
            meter.add_bins(begin_s, width_s, count, rng)
    else:
        for arrival_s, _ in realization(trace, seed):
            meter.add(arrival_s)
    return Description(
        name=name,
        format=trace.format,
        start=trace.start,
        burstiness=meter.result(trace.start),
        work=tuple(_work_of(trace)),
        sessions=_sessions(trace, seed),
        sources=_keys(trace),
        notes=trace.notes,
        warnings=trace.warnings,
    )


def describe_scenario(scenario: Scenario, name: str) -> Description:
    """Return what the first replication of a scenario's traffic is like."""
    trace = load_trace(scenario)
    end_s = horizon_s(scenario, trace)
    names = source_names(scenario)
    counts = np.zeros(len(names), dtype=np.int64)
    meter = BurstinessMeter(end_s)
    work = []
    for chunk in arrival_chunks(scenario, 0, trace):
        meter.add(chunk.arrival_s)
        source = np.zeros(1, np.int64) if chunk.source is None else chunk.source
        weight = chunk.arrival_s.size if chunk.source is None else 1
        counts += weight * np.bincount(source, minlength=len(names))
        work.append(chunk.service_time_s[:: 1 + int(counts.sum()) // _MOST_VALUES])
    return Description(
        name=name,
        format="scenario",
        start=scenario.start,
        burstiness=meter.result(scenario.start),
        work=_figures("service_time_s", np.concatenate([np.empty(0), *work])),
        sessions=None,
        sources=source_rates(scenario, counts.tolist(), end_s),
        notes=traffic_notes(scenario, trace),
        warnings=trace_warnings(trace),
    )


def _work_of(trace: TraceData) -> Iterator[Work]:
    for field in VALUE_FIELDS:
        yield from _figures(field, known_values(getattr(trace, field)))


def _figures(field: str, values: Floats) -> tuple[Work, ...]:
    if not values.size:
        return ()
    quantiles = np.quantile(values, QUANTILES, method="inverted_cdf").tolist()
    return (Work(field, values.size, float(values.mean()), tuple(quantiles)),)


def _sessions(trace: TraceData, seed: int) -> Sessions | None:
    if trace.session is None:
        return None
    cut = log_sessions(trace, gather_evidence(trace, seed), seed)
    if cut is None:
        return None
    gap_s = float(np.median(cut.gaps_s)) if cut.gaps_s.size else None
    return Sessions(cut.sizes.size, cut.mean_size, gap_s)


def _keys(trace: TraceData) -> tuple[SourceRate, ...]:
    if trace.key is None:
        return ()
    counts = np.zeros(len(trace.keys) + 1)
    ones = (np.ones(len(part)) for part in slices(trace.key))
    weights = ones if trace.count is None else slices(trace.count)
    for key, weight in zip(slices(trace.key), weights, strict=True):
        counts += np.bincount(key + 1, weight, minlength=counts.size)
    span_s = log_span_s(trace)
    busiest = np.argsort(-counts[1:], kind="stable").tolist()
    return tuple(
        SourceRate(trace.keys[i], int(counts[i + 1]), counts[i + 1] / span_s, None)
        for i in busiest
        if counts[i + 1]
    )
