"""A binary heap of future events, ordered by (time, code).

``code`` packs an event's class, its id and, for completions, the replica, so that one
integer comparison decides a tie as semantics.md 3.1 wants: completions (by request)
before setups that end (by replica).
"""

from __future__ import annotations

import numpy as np

from costsim.simulation.compiled import inlined

EVENT_DTYPE = np.dtype([("time_s", "f8"), ("code", "i8")])
"""16 bytes, so that the two children of a node mostly share a cache line."""

REPLICA_BITS = 28
"""Replicas of a run are fewer than 2^28; requests fewer than 2^34."""
REPLICA_MASK = (1 << REPLICA_BITS) - 1
READY_CLASS = 1 << 62
"""Set in the code of a READY event; its low bits are the replica."""


@inlined
def heap_push(heap, size, time_s, code):  # type: ignore[no-untyped-def]
    """Add an event to a heap of `size` events."""
    hole = size
    while hole > 0:
        parent = (hole - 1) >> 1
        above_s = heap[parent].time_s
        if above_s < time_s or (above_s == time_s and heap[parent].code < code):
            break
        heap[hole].time_s = above_s
        heap[hole].code = heap[parent].code
        hole = parent
    heap[hole].time_s = time_s
    heap[hole].code = code


@inlined
def heap_pop(heap, size):  # type: ignore[no-untyped-def]
    """Remove the first of `size` events.

    The hole sinks to a leaf along the smaller children, then the last event rises from
    there: half the comparisons of the textbook's way, since the last event is nearly
    always a late one.
    """
    last = size - 1
    time_s = heap[last].time_s
    code = heap[last].code
    hole = 0
    child = 1
    while child < last:
        right = child + 1
        if right < last:
            left_s = heap[child].time_s
            right_s = heap[right].time_s
            if right_s < left_s or (
                right_s == left_s and heap[right].code < heap[child].code
            ):
                child = right
        heap[hole].time_s = heap[child].time_s
        heap[hole].code = heap[child].code
        hole = child
        child = 2 * hole + 1
    heap_push(heap, hole, time_s, code)
