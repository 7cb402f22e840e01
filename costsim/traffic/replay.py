"""A recorded trace replayed: moved to the scenario's clock, stretched, scaled, repeated.

It is walked by slices of its rows and read piece by piece: what is in memory are some
rows, and what can still be overtaken by a later one. The requests are the same wherever
they are cut, and a run with a longer horizon begins with the same ones.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol

import numpy as np

from costsim.scenario.trace import Trace
from costsim.traffic.binned import Bins, Scattered
from costsim.traffic.holding import in_order
from costsim.traffic.placement import place, repetitions
from costsim.traffic.streams import stream_rng
from costsim.traffic.trace import ROWS_AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from costsim.records import Floats, Ints
    from costsim.traffic.holding import Block, OpenBlock
    from costsim.traffic.placement import Placement
    from costsim.traffic.streams import Purpose
    from costsim.traffic.trace import Column, TraceData

_SCATTERED_AT_ONCE = 8192
"""Requests that are made of bins at once: few enough to stay in the cache."""


class Rngs(Protocol):
    """Random numbers of one replication."""

    def __call__(self, purpose: Purpose, index: int = 0) -> np.random.Generator:
        """Return the generator of a purpose; see ``stream_rng``."""


class TraceReader:
    """The arrivals of a replayed trace in [0, horizon_s), read piece by piece.

    Of its requests a rate scaled down keeps each with that probability. Scaled up, each
    request is copied, and a copy arrives at a uniform moment before the next request:
    the local rate is multiplied, and requests at one instant stay together. Of a bin
    the number is scaled in the same way. Then requests are scattered over their bin or
    the span that their stamp was cut to, and jittered.

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
    rngs : Rngs
        Where the randomness comes from; not used for exact stamps as they are.
    keep_rows : bool
        Whether the row of each request is kept, to be taken by ``rows``.
    """

    def __init__(
        self,
        spec: Trace,
        trace: TraceData,
        where: Placement,
        horizon_s: float,
        rngs: Rngs,
        *,
        keep_rows: bool = False,
    ) -> None:
        self._blocks = _cut(_replayed(spec, trace, where, horizon_s, rngs), horizon_s)
        self._times_s, self._rows = np.empty(0), np.empty(0, dtype=np.int64)
        self._read_rows: list[Ints] | None = [] if keep_rows else None

    def read(self, out: Floats) -> int:
        """Fill an array with the next arrivals and return how many there were."""
        n = 0
        while n < len(out) and self._hold():
            part = self._times_s[: len(out) - n]
            out[n : n + len(part)] = part
            if self._read_rows is not None:
                self._read_rows.append(self._rows[: len(part)])
            self._times_s = self._times_s[len(part) :]
            self._rows = self._rows[len(part) :]
            n += len(part)
        return n

    def rows(self, n: int) -> Ints:
        """Return the rows of the next n requests among those that were read."""
        if self._read_rows is None:
            message = "rows were not kept"
            raise ValueError(message)
        rows = np.concatenate([np.empty(0, dtype=np.int64), *self._read_rows])
        if n > len(rows):
            message = f"{len(rows)} rows for {n} requests"
            raise ValueError(message)
        self._read_rows = [rows[n:]]
        return rows[:n]

    def _hold(self) -> bool:
        """Take the next block if none is left, and return whether there is any."""
        while not len(self._times_s):
            block = next(self._blocks, None)
            if block is None:
                return False
            self._times_s, self._rows = block
        return True


def realization(trace: TraceData, seed: int, replication: int = 0) -> Iterator[Block]:
    """Yield a trace as it is, from 0: requests of bins and cut stamps scattered.

    Parameters
    ----------
    trace : TraceData
        What was recorded.
    seed, replication : int
        As of ``stream_rng``; they matter only if something is scattered.

    Yields
    ------
    arrival_s : ndarray of float64
        Some arrivals, ascending, also from one to the next; never none. [s]
    rows : ndarray of int64
        The row of the trace of each.
    """
    spec = Trace(path=trace.format)
    rngs = partial(stream_rng, seed, replication)
    return _replayed(spec, trace, place(spec, trace, None), np.inf, rngs)


def _cut(blocks: Iterator[Block], horizon_s: float) -> Iterator[Block]:
    """Yield what is in [0, horizon_s)."""
    for times_s, rows in blocks:
        first, last = np.searchsorted(times_s, [0.0, horizon_s])
        yield times_s[first:last], rows[first:last]
        if last < len(times_s):
            return


def _replayed(
    spec: Trace, trace: TraceData, where: Placement, horizon_s: float, rngs: Rngs
) -> Iterator[Block]:
    """Yield the requests of a trace in their order, up to the horizon and beyond it."""
    if trace.count is not None:
        blocks = _scattered(spec, trace, where, horizon_s, rngs)
        return in_order(_jittered(blocks, spec, rngs)) if spec.jitter > 0 else blocks
    requests = _requests(spec, trace, where, horizon_s, rngs)
    if spec.jitter > 0 or trace.resolution_s > 0 or spec.scale_rate > 1.0:
        return in_order(requests)
    return ((times_s, rows) for times_s, rows, _ in requests if len(rows))


def _requests(
    spec: Trace, trace: TraceData, where: Placement, horizon_s: float, rngs: Rngs
) -> Iterator[OpenBlock]:
    """Yield rows that are requests, some of them or with copies, and moved."""
    at_once = max(1, int(ROWS_AT_ONCE / max(1.0, spec.scale_rate)))
    chosen = _Chosen(spec.scale_rate, rngs("selection", 0), rngs("selection", 1))
    moved = _Moved(trace.resolution_s * spec.scale_time, spec.jitter, rngs)
    for times_s, rows, following_s in _walk(spec, trace, where, horizon_s, at_once):
        last = np.isinf(following_s)
        until_s = times_s[-1] + where.gap_s if last else following_s
        arrival_s, which = chosen(times_s, until_s)
        yield moved(arrival_s), rows[which], following_s


class _Chosen:
    """Some of the requests, or copies of them in the gap that follows each."""

    def __init__(
        self, factor: float, rng: np.random.Generator, delay_rng: np.random.Generator
    ) -> None:
        self._whole = int(factor)
        self._part = factor - self._whole
        self._rng, self._delay_rng = rng, delay_rng

    def __call__(self, times_s: Floats, until_s: float) -> tuple[Floats, Ints | slice]:
        """Return arrivals and which request each is, given when the next one follows."""
        if self._whole == 1 and not self._part:
            return times_s, slice(None)
        n_copies = np.full(len(times_s), self._whole)
        if self._part:
            n_copies += self._rng.random(len(times_s)) < self._part
        which = np.repeat(np.arange(len(times_s)), n_copies)
        arrival_s = times_s[which]
        copies = np.flatnonzero(np.diff(which, prepend=-1) == 0)
        if len(copies):
            gaps_s = np.diff(times_s, append=until_s)[which[copies]]
            arrival_s[copies] += gaps_s * self._delay_rng.random(len(copies))
        return arrival_s, which


class _Moved:
    """Requests scattered over what their stamp was cut to, and jittered."""

    def __init__(self, resolution_s: float, jitter_s: float, rngs: Rngs) -> None:
        self._moves = [
            (span_s, rng)
            for span_s, rng in (
                (resolution_s, rngs("scatter")),
                (jitter_s, rngs("jitter")),
            )
            if span_s > 0
        ]

    def __call__(self, times_s: Floats) -> Floats:
        """Return when requests arrive that were stamped with these times."""
        for span_s, rng in self._moves:
            times_s = times_s + span_s * rng.random(len(times_s))
        return times_s


def _scattered(
    spec: Trace, trace: TraceData, where: Placement, horizon_s: float, rngs: Rngs
) -> Iterator[Block]:
    """Yield the requests of bins, in their order."""
    bins = _bins(spec, trace, where, horizon_s, rngs("selection"))
    scattered = Scattered(bins, rngs("scatter", 0), rngs("scatter", 1))
    n = _SCATTERED_AT_ONCE
    while n == _SCATTERED_AT_ONCE:
        times_s, rows = np.empty(n), np.empty(n, dtype=np.int64)
        n = scattered.read(times_s, rows)
        if n:
            yield times_s[:n], rows[:n]


def _bins(
    spec: Trace,
    trace: TraceData,
    where: Placement,
    horizon_s: float,
    rng: np.random.Generator,
) -> Iterator[Bins]:
    """Yield bins on the scenario's time axis, their numbers scaled."""
    for begin_s, rows, _ in _walk(spec, trace, where, horizon_s, ROWS_AT_ONCE):
        counts = _taken(trace.count, rows, 0.0).astype(np.int64)
        width_s = _taken(trace.width_s, rows, 0.0) * spec.scale_time
        # What has gone before the start need not be made.
        counts[begin_s + width_s + spec.jitter < 0] = 0
        yield Bins(
            begin_s,
            width_s,
            _taken(trace.spacing_shape, rows, 1.0),
            _multiplied(counts, spec.scale_rate, rng),
            rows,
        )


def _multiplied(counts: Ints, factor: float, rng: np.random.Generator) -> Ints:
    """Return numbers of requests: of each a share at random, or copies."""
    whole = int(factor)
    if factor == whole:
        return counts * whole
    return counts * whole + rng.binomial(counts, factor - whole)


def _jittered(blocks: Iterator[Block], spec: Trace, rngs: Rngs) -> Iterator[OpenBlock]:
    moved = _Moved(0.0, spec.jitter, rngs)
    for times_s, rows in blocks:
        yield moved(times_s), rows, float(times_s[-1])


def _taken(column: Column | None, rows: Ints, default: float) -> Floats:
    """Return rows of a column that lie together; the default if there is no column."""
    if column is None:
        return np.full(len(rows), default)
    begin, end = int(rows[0]), int(rows[-1]) + 1
    values = np.asarray(column[begin:end], dtype=np.float64)
    return values[rows - begin]


def _walk(
    spec: Trace, trace: TraceData, where: Placement, horizon_s: float, at_once: int
) -> Iterator[OpenBlock]:
    """Yield when rows begin, which they are, and when the row after them begins.

    Repeated if asked for, up to the horizon; else infinity follows the last row.
    """
    which = repetitions(where, horizon_s) if spec.repeat else range(1)
    period_s = where.span_s + where.gap_s
    n = len(trace.arrival_s)

    def moments(repeated: range, begin: int, end: int) -> Floats:
        times_s = np.asarray(trace.arrival_s[begin:end], dtype=np.float64)
        times_s = where.offset_s + times_s * spec.scale_time
        if not spec.repeat:
            return times_s
        return np.add.outer(np.array(repeated) * period_s, times_s).ravel()

    # Of a short trace many repetitions are made at once, of a long one a part of one.
    for repeated in _parts(which, max(1, at_once // n)):
        for part in _parts(range(n), at_once):
            times_s = moments(repeated, part.start, part.stop)
            following_s = np.inf
            if part.stop < n:
                following_s = moments(repeated, part.stop, part.stop + 1)[0]
            elif spec.repeat:
                following_s = moments(range(repeated.stop, repeated.stop + 1), 0, 1)[0]
            if not times_s[0] < horizon_s:
                return
            rows = np.tile(np.arange(part.start, part.stop), len(repeated))
            yield times_s, rows, float(following_s)


def _parts(whole: range, size: int) -> Iterator[range]:
    """Yield a range in parts of at most that size."""
    for begin in range(whole.start, whole.stop, size):
        yield range(begin, min(begin + size, whole.stop))
