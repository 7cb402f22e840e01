"""The maximal billed spans of every replica (docs/model.md 8.1).

A replica's life is setup [launch, ready), then busy and idle time until it stops. Which
of these are billed is a question of the tariff; billed times that touch or overlap are
one span. All times are float seconds from the start of the run, exactly as recorded:
rounding comes after.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from costsim.compiling import compiled

if TYPE_CHECKING:
    from costsim.catalog.tariff import MeteringRules
    from costsim.records import Floats, Ints, Records

Bools = npt.NDArray[np.bool_]


class Spans(NamedTuple):
    """Spans [start, end) of replicas, in no particular order."""

    replica: Ints
    """Whose; the row of the replica records."""
    start_s: Floats
    end_s: Floats
    """At or after the start: a span may be empty. [s]"""


@dataclass(frozen=True)
class Lives:
    """When each replica was launched, ready and gone, without a NaN."""

    launch_s: Floats
    ready_s: Floats
    """When the setup ended; the end of its life if it was never ready. [s]"""
    stop_s: Floats
    """When it stopped, or the end of the run. Draining time is before it. [s]"""

    @classmethod
    def of(cls, replicas: Records, end_s: float) -> Lives:
        """Return the lives on record, cut at the end of the run."""
        # fmin prefers a number to a NaN: who never stopped lasts to the end.
        stop_s = np.fmin(replicas["stop_s"], end_s)
        return cls(
            launch_s=np.minimum(replicas["launch_s"], stop_s),
            ready_s=np.fmin(replicas["ready_s"], stop_s),
            stop_s=stop_s,
        )


def billed_from_s(
    lives: Lives, rules: MeteringRules, unbilled_setup_s: Floats | None = None
) -> Floats:
    """Return when the billed part of each setup begins; ready_s if it has none. [s]

    Parameters
    ----------
    lives : Lives
        Of all replicas.
    rules : MeteringRules
        Whether setups are billed, and the first part that is not.
    unbilled_setup_s : ndarray of float64, optional
        That first part of each replica's own setup, instead of the rules' for all. [s]
    """
    if not rules.setup_billed:
        return lives.ready_s
    free_s = rules.unbilled_setup_s if unbilled_setup_s is None else unbilled_setup_s
    return np.minimum(lives.launch_s + free_s, lives.ready_s)


def requests_matter(rules: MeteringRules, min_replicas: int) -> bool:
    """Return whether the bill depends on when requests were in service.

    It does not where all idle time is billed: then a replica has one span.
    """
    some_idle_free = not rules.min_idle_billed and min_replicas > 0
    return rules.scope == "request" or not rules.idle_billed or some_idle_free


def services(requests: Records, n_replicas: int, end_s: float) -> Spans:
    """Return the time in service of each request that began, by start, then index.

    What the end of the run cut short lasts until then.
    """
    start_s = np.ascontiguousarray(requests["start_s"])
    begun = ~np.isnan(start_s)
    start_s = start_s[begun]
    stop_s = np.fmin(requests["departure_s"][begun], end_s)
    replica = requests["replica"][begun].astype(np.int64)
    if np.any(replica < 0) or np.any(replica >= n_replicas):
        message = f"a request began on a replica that is not one of the {n_replicas}"
        raise ValueError(message)
    if np.any(start_s[1:] < start_s[:-1]):
        order = np.argsort(start_s, kind="stable")
        replica, start_s, stop_s = replica[order], start_s[order], stop_s[order]
    return Spans(replica, start_s, stop_s)


def billed_spans(
    requests: Records,
    replicas: Records,
    end_s: float,
    rules: MeteringRules,
    min_replicas: int = 0,
    unbilled_setup_s: Floats | None = None,
) -> Spans:
    """Return the maximal billed spans of every replica.

    Where all idle time is billed each replica has exactly one, and no request is looked
    at; otherwise the times in service decide.

    Parameters
    ----------
    requests, replicas : structured array
        Records of one run: REQUEST_DTYPE, REPLICA_DTYPE.
    end_s : float
        End of the run. [s]
    rules : MeteringRules
        What is billed; not with the scope `request`, whose items are no spans.
    min_replicas : int
        Replicas whose idle time is free if ``rules.min_idle_billed`` is false.
    unbilled_setup_s : ndarray of float64, optional
        First part of each replica's setup that is not billed, instead of the rules'. [s]
    """
    lives = Lives.of(replicas, end_s)
    from_s = billed_from_s(lives, rules, unbilled_setup_s)
    if not requests_matter(rules, min_replicas):
        return Spans(np.arange(len(replicas)), from_s, lives.stop_s)
    spans = services(requests, len(replicas), end_s)
    if rules.idle_billed:
        spans = _by_start(spans, surplus_spans(lives, min_replicas))
    return _merged(spans, from_s, lives.ready_s)


def surplus_spans(lives: Lives, min_replicas: int) -> Spans:
    """Return when each ready replica is beyond the min replicas.

    At every instant the min replicas are those with the lowest ids among the replicas
    that are ready and not yet stopped. Records do not tell a draining replica from a
    ready one, so that it counts as one of them until it stops.
    """
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


def _by_start(some: Spans, others: Spans) -> Spans:
    """Return both, in order of start."""
    start_s = np.concatenate([some.start_s, others.start_s])
    order = np.argsort(start_s, kind="stable")
    return Spans(
        np.concatenate([some.replica, others.replica])[order],
        start_s[order],
        np.concatenate([some.end_s, others.end_s])[order],
    )


def _merged(spans: Spans, from_s: Floats, ready_s: Floats) -> Spans:
    """Return the spans, in order of start, merged with the billed setups."""
    n_most = len(spans.replica) + len(from_s)
    replica = np.empty(n_most, np.int64)
    start_s, end_s = np.empty(n_most), np.empty(n_most)
    # The open spans are worked on in place, hence the copies.
    n_spans = _merge(*spans, from_s.copy(), ready_s.copy(), replica, start_s, end_s)
    return Spans(replica[:n_spans], start_s[:n_spans], end_s[:n_spans])


@compiled
def _merge(
    replica: Ints,
    start_s: Floats,
    end_s: Floats,
    open_start_s: Floats,
    open_end_s: Floats,
    merged_replica: Ints,
    merged_start_s: Floats,
    merged_end_s: Floats,
) -> int:
    """Write the maximal spans and return how many they are.

    One pass in order of start: a replica's open span, which begins as its billed setup,
    grows as long as the next one touches it, and is written when one does not.
    """
    n_spans = 0
    for i in range(len(replica)):
        x = replica[i]
        if start_s[i] > open_end_s[x]:
            merged_replica[n_spans] = x
            merged_start_s[n_spans] = open_start_s[x]
            merged_end_s[n_spans] = open_end_s[x]
            n_spans += 1
            open_start_s[x] = start_s[i]
            open_end_s[x] = end_s[i]
        elif end_s[i] > open_end_s[x]:
            open_end_s[x] = end_s[i]
    for x in range(len(open_start_s)):
        merged_replica[n_spans] = x
        merged_start_s[n_spans] = open_start_s[x]
        merged_end_s[n_spans] = open_end_s[x]
        n_spans += 1
    return n_spans


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
