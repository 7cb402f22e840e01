"""When a ready replica is one of the min replicas, and when it is beyond them.

At every instant the min replicas are those with the lowest ids among the replicas that
are ready and not yet stopped. Records do not tell a draining replica from a ready one, so
that it counts as one of them until it stops.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from costsim.billing.spans import Spans, joined, lengths_ns, merged
from costsim.compiling import compiled

if TYPE_CHECKING:
    from costsim.billing.spans import Bools, IdleBilled, Lives
    from costsim.catalog.tariff import Scope
    from costsim.records import Floats, Ints


class MinTime(NamedTuple):
    """What each replica did while it was one of the min replicas."""

    busy_ns: Ints
    """Time in service; under the scope `request` every request counts. [ns]"""
    idle_ns: Ints
    """Time with nothing in service. [ns]"""


def min_time(
    busy: Spans,
    lives: Lives,
    min_replicas: int,
    scope: Scope,
    requests: Spans | None = None,
) -> MinTime:
    """Return what the min replicas did, each while it was one.

    Parameters
    ----------
    busy : Spans
        Times with something in service, in order of start.
    lives : Lives
        Of all replicas of the run.
    min_replicas : int
        How many they are.
    scope : str
        Under `aligned` both ends of a span are rounded.
    requests : Spans, optional
        Times in service, in order of start, each of which counts as busy time.
    """
    least = min_spans(lives, surplus_spans(lives, min_replicas))
    n_replicas = len(lives.ready_s)
    union = merged(busy, lives.ready_s, lives.ready_s)
    busy_ns = _overlaps_ns(union, least, n_replicas, scope)
    all_ns = np.zeros(n_replicas, np.int64)
    np.add.at(all_ns, least.replica, lengths_ns(least.start_s, least.end_s, scope))
    # The parts of a span may be a nanosecond longer than the whole.
    idle_ns = np.maximum(all_ns - busy_ns, 0)
    if requests is not None:
        busy_ns = _overlaps_ns(requests, least, n_replicas, scope)
    return MinTime(busy_ns, idle_ns)


def billed_spans(
    busy: Spans, lives: Lives, from_s: Floats, idle: IdleBilled, min_replicas: int
) -> Spans:
    """Return the maximal billed spans of every replica.

    Parameters
    ----------
    busy : Spans
        Times with something in service, in order of start.
    lives : Lives
        Of all replicas of the run.
    from_s : ndarray of float64
        When the billed part of each setup begins. [s]
    idle : IdleBilled
        Whose idle time is billed.
    min_replicas : int
        How many they are.
    """
    surplus = surplus_spans(lives, min_replicas)
    ready = [surplus] if idle.surplus else []
    if idle.least:
        ready.append(min_spans(lives, surplus))
    return merged(joined(busy, *ready), from_s, lives.ready_s)


def surplus_spans(lives: Lives, min_replicas: int) -> Spans:
    """Return when each ready replica is beyond the min replicas."""
    ready = np.flatnonzero(lives.ready_s < lives.stop_s)
    times_s = np.concatenate([lives.stop_s[ready], lives.ready_s[ready]])
    is_ready = np.repeat([False, True], len(ready))
    # Stops come first at a tie: a life is the half-open [ready, stop).
    order = np.lexsort((is_ready, times_s))
    replica, start_s, end_s = _surplus(
        times_s[order],
        is_ready[order],
        np.concatenate([ready, ready])[order],
        len(lives.ready_s),
        min_replicas,
    )
    return Spans(replica, start_s, end_s)


def min_spans(lives: Lives, surplus: Spans) -> Spans:
    """Return when each ready replica is not surplus, by replica, then start."""
    ready = np.flatnonzero(lives.ready_s < lives.stop_s)
    replica = np.concatenate([ready, surplus.replica])
    # The n-th of a replica lasts from the end of its surplus span n - 1 to the start of n.
    start_s = np.concatenate([lives.ready_s[ready], surplus.end_s])
    end_s = np.concatenate([lives.stop_s[ready], surplus.start_s])
    by_start, by_end = np.lexsort((start_s, replica)), np.lexsort((end_s, replica))
    replica, start_s, end_s = replica[by_start], start_s[by_start], end_s[by_end]
    some = start_s < end_s
    return Spans(replica[some], start_s[some], end_s[some])


def _overlaps_ns(spans: Spans, others: Spans, n_replicas: int, scope: Scope) -> Ints:
    """Return how much of each replica's spans lies in others of its own. [ns]

    Parameters
    ----------
    spans : Spans
        Each replica's in order of start; they may overlap.
    others : Spans
        By replica, then start; they do not overlap.
    n_replicas : int
        How many replicas there are.
    scope : str
        How lengths become nanoseconds.
    """
    bounds = np.searchsorted(others.replica, np.arange(n_replicas + 1))
    overlap_ns = np.zeros(n_replicas, np.int64)
    _add_overlaps(
        *spans,
        bounds[:-1].copy(),
        bounds[1:],
        others.start_s,
        others.end_s,
        scope == "aligned",
        overlap_ns,
    )
    return overlap_ns


@compiled
def _surplus(
    times_s: Floats,
    is_ready: Bools,
    replica: Ints,
    n_replicas: int,
    min_replicas: int,
) -> tuple[Ints, Floats, Floats]:
    """Return the spans during which a replica is ready and has min_replicas below it.

    A sweep over the instants at which a replica becomes ready or stops. The min replicas
    are the ready ones with ids up to `last`, the surplus those above. `last` walks back
    only where setups overtake each other, so that its walks stay short.
    """
    ready = np.zeros(n_replicas, np.bool_)
    since_s = np.empty(n_replicas)
    # Every READY begins one surplus span at most.
    span_replica = np.empty(n_replicas, np.int64)
    span_start_s = np.empty(n_replicas)
    span_end_s = np.empty(n_replicas)
    n_spans, n_ready, last = 0, 0, -1
    for i in range(len(times_s)):
        x, t = replica[i], times_s[i]
        ready[x] = is_ready[i]
        n_ready += 1 if is_ready[i] else -1
        if is_ready[i] and n_ready <= min_replicas:
            last = max(last, x)
        elif is_ready[i]:
            if x <= last:  # one too many: the highest of them leaves
                x = _walk(ready, last, -1)
                last = x - 1
            since_s[x] = t
        elif x > last or n_ready >= min_replicas:
            if x <= last:  # one too few: the lowest of the surplus joins
                x = _walk(ready, last + 1, 1)
                last = x
            span_replica[n_spans] = x
            span_start_s[n_spans], span_end_s[n_spans] = since_s[x], t
            n_spans += 1
    return span_replica[:n_spans], span_start_s[:n_spans], span_end_s[:n_spans]


@compiled
def _walk(ready: Bools, replica: int, step: int) -> int:
    """Return the first ready replica from this one on, up or down."""
    while not ready[replica]:
        replica += step
    return replica


@compiled
def _add_overlaps(
    replica: Ints,
    start_s: Floats,
    end_s: Floats,
    first: Ints,
    after: Ints,
    other_start_s: Floats,
    other_end_s: Floats,
    by_ends: bool,
    overlap_ns: Ints,
) -> None:
    """Add up each replica's overlaps. [ns]

    A replica's spans begin later and later, so that others which are over stay so: the
    first one that is not only moves on.
    """
    for i in range(len(replica)):
        x = replica[i]
        while first[x] < after[x] and other_end_s[first[x]] <= start_s[i]:
            first[x] += 1
        for j in range(first[x], after[x]):
            from_s = max(start_s[i], other_start_s[j])
            to_s = min(end_s[i], other_end_s[j])
            if to_s <= from_s:
                break
            if by_ends:
                overlap_ns[x] += int(np.rint(to_s * 1e9)) - int(np.rint(from_s * 1e9))
            else:
                overlap_ns[x] += int(np.rint((to_s - from_s) * 1e9))
