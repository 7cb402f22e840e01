"""A binary heap of future events, ordered by (time, code).

``code`` packs an event's class, its id and where it is applied, so that one integer
comparison decides a tie as docs/model.md 3.1 wants: completions by request, setups that
end by replica, failures by replica, retries by request; a prewarm last.

A time's key is its bits, read as an integer: for times >= 0 they are in the same order,
and comparing integers takes a third of the time. The first event is at index 1, so that
two children share a cache line.
"""

from __future__ import annotations

import numpy as np

from costsim.simulation.compiled import inlined, unsigned

EVENT_DTYPE = np.dtype([("key", "i8"), ("code", "i8")])

PLACE_BITS = 26
"""The low bits of a code: the replica's slot, or the job of a request that comes back."""
PLACE_MASK = (1 << PLACE_BITS) - 1
ID_BITS = 34
"""Then the id: requests and launches of a run are fewer than 2^34."""
ID_MASK = (1 << ID_BITS) - 1
_CLASS_SHIFT = PLACE_BITS + ID_BITS
READY_CLASS = 1 << _CLASS_SHIFT
"""Codes below it are completions."""
FAILURE_CLASS = 2 << _CLASS_SHIFT
RETRY_CLASS = 3 << _CLASS_SHIFT
PREWARM_CLASS = 4 << _CLASS_SHIFT


@inlined
def event_code(event_class, number, place):  # type: ignore[no-untyped-def]
    """Return the code of an event."""
    return event_class | (number << PLACE_BITS) | place


@inlined
def event_id(code):  # type: ignore[no-untyped-def]
    """Return the request or the replica that an event is of."""
    return (code >> PLACE_BITS) & ID_MASK


@inlined
def time_key(time_s):  # type: ignore[no-untyped-def]
    """Return the bits of a time >= 0; adding 0 turns -0.0 into 0.0."""
    return np.float64(time_s + 0.0).view(np.int64)


@inlined
def key_time(key):  # type: ignore[no-untyped-def]
    """Return the time that has these bits."""
    return np.int64(key).view(np.float64)


@inlined
def heap_push(heap, size, key, code):  # type: ignore[no-untyped-def]
    """Add an event, which makes them `size`."""
    hole = size
    while hole > 1:
        above = heap[unsigned(hole >> 1)]
        if above.key < key or (above.key == key and above.code < code):
            break
        here = heap[unsigned(hole)]
        here.key = above.key
        here.code = above.code
        hole >>= 1
    here = heap[unsigned(hole)]
    here.key = key
    here.code = code


@inlined
def heap_pop(heap, size):  # type: ignore[no-untyped-def]
    """Remove the first of `size` events.

    The hole sinks to a leaf along the smaller children, then the last event rises from
    there: half the comparisons of the textbook's way, since the last event is nearly
    always a late one. Which child is smaller is a coin toss that no processor predicts,
    so it is added to the index, not branched on; only a tie branches.
    """
    last = heap[unsigned(size)]
    hole = 1
    child = 2
    while child + 1 < size:
        left = heap[unsigned(child)]
        right = heap[unsigned(child + 1)]
        right_is_first = right.key < left.key
        if right.key == left.key:
            right_is_first = right.code < left.code
        child += right_is_first
        here = heap[unsigned(hole)]
        best = heap[unsigned(child)]
        here.key = best.key
        here.code = best.code
        hole = child
        child = 2 * hole
    if child < size:
        here = heap[unsigned(hole)]
        best = heap[unsigned(child)]
        here.key = best.key
        here.code = best.code
        hole = child
    heap_push(heap, hole, last.key, last.code)
