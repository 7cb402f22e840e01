"""What a model is fitted to: one realization of a log, as requests and as counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from costsim.traffic.counting import Counts, minute_width
from costsim.traffic.placement import widest_bin_s
from costsim.traffic.replay import realization
from costsim.traffic.trace import slices

if TYPE_CHECKING:
    from collections.abc import Iterator

    from costsim.records import Floats
    from costsim.traffic.trace import TraceData

MOST_REQUESTS = 1_000_000
"""Requests that estimators look at one by one, at most."""
_LEAST_SPAN_S = 1.0


@dataclass(frozen=True, eq=False)
class Evidence:
    """One realization of a log."""

    arrival_s: Floats
    """Arrivals, ascending; of a longer log those of one stretch in its middle. [s]"""
    begin_s: float
    """Where that stretch begins. [s]"""
    end_s: float
    """Where it ends. [s]"""
    minutes: Counts
    """All requests by the minute; longer bins if there were too many minutes."""
    n_requests: int
    """All requests."""
    span_s: float
    """Time that the log covers, from 0. [s]"""
    bin_s: float
    """Width of the log's widest bins; 0 if its rows are requests. [s]"""
    shape: float | None
    """Mean shape of the gaps in its bins, if it is known. [1]"""
    start: datetime | None
    """The moment 0, if the log has calendar times."""

    @property
    def whole(self) -> bool:
        """Whether ``arrival_s`` has all requests."""
        return self.arrival_s.size == self.n_requests


def gather_evidence(trace: TraceData, seed: int = 1) -> Evidence:
    """Return one realization of a log.

    Parameters
    ----------
    trace : TraceData
        The log.
    seed : int
        Of the scatter, where requests are scattered.
    """
    span_s = log_span_s(trace)
    n = trace.n_requests
    minutes = Counts(minute_width(span_s), span_s)
    first = max(0, (n - MOST_REQUESTS) // 2)
    kept, seen = [np.empty(0)], 0
    for block, _ in realization(trace, seed):
        minutes.add(block)
        part = block[max(0, first - seen) : max(0, first + MOST_REQUESTS - seen)]
        kept.append(part.copy())
        seen += block.size
    arrival_s = np.concatenate(kept)
    whole = arrival_s.size == n
    return Evidence(
        arrival_s=arrival_s,
        begin_s=0.0 if whole else float(arrival_s[0]),
        end_s=span_s if whole else float(arrival_s[-1]),
        minutes=minutes,
        n_requests=n,
        span_s=span_s,
        bin_s=widest_bin_s(trace),
        shape=_mean_shape(trace),
        start=log_start(trace),
    )


def log_start(trace: TraceData) -> datetime | None:
    """Return the moment of the first request; by UTC where the log states no offset."""
    start = trace.start
    return start if start is None or start.tzinfo else start.replace(tzinfo=UTC)


def log_span_s(trace: TraceData) -> float:
    """Return the time that a log covers, a second at least. [s]"""
    return max(trace.span_s + trace.gap_after_s, _LEAST_SPAN_S)


def _mean_shape(trace: TraceData) -> float | None:
    """Return the mean logarithm's shape of the gaps, each bin by its requests."""
    if trace.spacing_shape is None or trace.count is None:
        return None
    total = weight = 0.0
    for shape, count in _both(trace):
        known = np.isfinite(shape) & (shape > 0) & (count > 1)
        total += float((np.log(shape[known]) * count[known]).sum())
        weight += float(count[known].sum())
    return float(np.exp(total / weight)) if weight else None


def _both(trace: TraceData) -> Iterator[tuple[Floats, Floats]]:
    if trace.spacing_shape is not None and trace.count is not None:
        yield from zip(slices(trace.spacing_shape), slices(trace.count), strict=True)
