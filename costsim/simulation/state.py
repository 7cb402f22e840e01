"""What the loop knows while it runs: a record for the pool, one for each replica.

Records, since a compiled function takes one as one pointer; a counter in an array of
counters would have no name.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from costsim.simulation.linked import N_LISTS

if TYPE_CHECKING:
    from costsim.records import Floats, Ints, Records


class Phase(IntEnum):
    """Where a replica is in its life."""

    STARTING = 0
    READY = 1
    DRAINING = 2
    STOPPED = 3


LIFE_DTYPE = np.dtype(
    [
        # What most events touch: one cache line.
        ("busy_since_s", "f8"),  # NaN: nothing in service
        ("deadline_s", "f8"),  # of the armed timer
        ("busy_s", "f8"),  # as in the replica's record, so far
        ("slot_s", "f8"),
        ("n_served", "i8"),
        ("in_service", "i4"),
        ("phase", "i1"),  # Phase
        ("armed", "i1"),
        ("pinned", "i1"),  # idle without a timer, as one of the min replicas
        ("available", "i1"),  # ready with a free slot
        ("links", "u4", 2 * N_LISTS),  # AVAILABLE and TIMER are still in that line
        # The rest.
        ("ready_after", "i8"),  # arrivals processed before it was ready
        ("glue_head", "u4"),  # first glued request
        ("glue_tail", "u4"),
        ("glued", "i4"),  # requests that wait for it
        ("position", "i4"),  # in the ranking
        ("spare", "f8", 2),
    ]
)
"""What the loop knows of a replica beyond its record: two cache lines."""

# The rows of ``State.waits``.
QUEUED = np.int64(0)
"""Indices of queued requests, in arrival order; one that gave up stays as a ghost."""
GIVES_UP = np.int64(1)
"""Requests that wait, by the time they will give up."""
HELD = np.int64(2)
"""Those that arrived while nothing was ready: their patience is another."""
NEXT_GLUED = np.int64(3)
"""Not a line: the request glued to the same replica after this one."""
N_LINES = 3

POOL_DTYPE = np.dtype(
    [
        ("arrived", "u4"),
        ("n_events", "i8"),  # in the heap
        ("n_queued", "i8"),
        ("in_system", "i8"),  # queued, bound, or in service on replicas alive
        ("n_ready", "i8"),
        ("n_alive", "i8"),
        ("n_starting", "i8"),
        ("n_replicas", "i8"),  # created so far, initial ones included
        ("launches", "i8"),
        ("min_replicas", "i8"),
        ("max_replicas", "i8"),
        ("next_bounds", "i8"),
        ("next_tick", "i8"),
        ("next_sample", "i8"),
        ("last_routed", "i8"),
        ("tree_size", "i8"),
        ("tree_used", "i8"),
        ("end_s", "f8"),  # the last event that changed a request or a replica
        ("level", "f8"),  # tokens in the rate limit's bucket
        ("level_at_s", "f8"),
        ("low_since_s", "f8"),
        # Integral of requests in system, and its rounding error: the window is a
        # difference of two, and after a month a plain sum has lost the ninth digit.
        ("area", "f8"),
        ("area_error", "f8"),
        ("area_at_s", "f8"),
        ("ends", "u4", 2 * N_LISTS),  # first and last replica of each list
        ("heads", "u4", N_LINES),
        ("tails", "u4", N_LINES),
    ]
)
"""The pool's counters, clocks and ends of lists."""


class State(NamedTuple):
    """Everything that changes during a run."""

    pool: np.void
    """POOL_DTYPE."""
    requests: Records
    """The result, REQUEST_DTYPE."""
    replicas: Records
    """The result, REPLICA_DTYPE; seconds and counts are filled in at the end."""
    life: Records
    heap: Records
    waits: Ints
    """Shape (4, n_requests): QUEUED, GIVES_UP and HELD, lines of requests from the pool's
    ``heads`` to its ``tails``; and NEXT_GLUED."""
    tree: Ints
    replica_at: Ints
    """The replica at each position of the ranking."""
    samples: Floats
    """Areas at the starts of coming windows, (area, error) in a ring."""


class Inputs(NamedTuple):
    """What arrives and how long things take."""

    arrival_s: Floats
    service_time_s: Floats
    first_service_time_s: Floats
    """The same array as service_time_s if a replica's first request is like the others."""
    setup_time_s: Floats
    bounds: Records
    """BOUNDS_DTYPE, by time."""


BOUNDS_DTYPE = np.dtype(
    [("time_s", "f8"), ("min_replicas", "i8"), ("max_replicas", "i8")]
)
