"""A pool's records as an engine would tell them while it runs, in batches of any size."""

import math
from itertools import cycle, pairwise
from typing import NamedTuple

import numpy as np

from costsim.records import Outcome


class Stream(NamedTuple):
    """Requests in the order in which they are settled, replicas as they stop."""

    requests: np.ndarray
    settled_s: np.ndarray
    replicas: np.ndarray
    ids: np.ndarray
    stop_s: np.ndarray
    end_s: float


def stream_of(pool):
    """Return the stream that would leave these records.

    The record of a request that timed out does not say when; half a second of patience
    stands for it.
    """
    requests = pool.requests.copy()
    gave_up = requests["outcome"] == Outcome.TIMED_OUT
    requests["departure_s"][gave_up] = requests["arrival_s"][gave_up] + 0.5
    settled_s = np.where(gave_up, requests["departure_s"], requests["start_s"])
    rejected = requests["outcome"] == Outcome.REJECTED
    settled_s = np.where(rejected, requests["arrival_s"], settled_s)
    settled_s = np.nan_to_num(settled_s, nan=math.inf)
    stop_s = np.nan_to_num(pool.replicas["stop_s"], nan=math.inf)
    order, ids = np.argsort(settled_s, kind="stable"), np.argsort(stop_s, kind="stable")
    return Stream(
        requests[order],
        settled_s[order],
        pool.replicas[ids],
        ids,
        stop_s[ids],
        pool.end_s,
    )


def tell(stream, on_requests, on_replicas, sizes=(1 << 62,), times=()):
    """Tell observers of a stream, in batches of these sizes, over and over again.

    At each of the times, and at the end, all that has happened is told: requests, then
    replicas. A batch is overwritten once it was told, as an engine's buffer is.
    """
    size = cycle(sizes)
    for since_s, until_s in pairwise([-math.inf, *sorted(times), math.inf]):
        last = until_s == math.inf
        now = _between(stream.settled_s, since_s, until_s, last)
        for batch in batches(now, size):
            rows = stream.requests[batch].copy()
            on_requests(rows)
            rows[:] = np.zeros(1, rows.dtype)
        now = _between(stream.stop_s, since_s, until_s, last)
        for batch in batches(now, size):
            rows, ids = stream.replicas[batch].copy(), stream.ids[batch].copy()
            on_replicas(rows, ids)
            rows[:], ids[:] = np.zeros(1, rows.dtype), -1


def _between(times_s, since_s, until_s, last):
    """Return the indices of times in (since, until], or after since if they are the last."""
    first = np.searchsorted(times_s, since_s, "right")
    return range(
        first, len(times_s) if last else np.searchsorted(times_s, until_s, "right")
    )


def batches(indices, size):
    """Cut a range into slices."""
    first = indices.start
    while first < indices.stop:
        last = min(first + next(size), indices.stop)
        yield slice(first, last)
        first = last


def busy_spans(pool):
    """Return (replica, start, stop) of the maximal spans in service, as they end."""
    found = []
    for replica in range(len(pool.replicas)):
        own = pool.requests[pool.requests["replica"] == replica]
        own = own[np.argsort(own["start_s"], kind="stable")]
        stops = np.nan_to_num(own["departure_s"], nan=pool.end_s)
        spans = []
        for start_s, stop_s in zip(own["start_s"], stops, strict=True):
            touches = bool(spans) and start_s <= spans[-1][1]
            since_s, until_s = spans.pop() if touches else (start_s, stop_s)
            spans.append((since_s, max(until_s, stop_s)))
        found += [(replica, *span) for span in spans]
    found.sort(key=lambda span: span[2])
    ids, start_s, stop_s = zip(*found, strict=True) if found else ((), (), ())
    return np.array(ids, np.int64), np.array(start_s), np.array(stop_s)
