"""What the loop knows while it runs: records for the pool, its replicas and requests.

Records, since a compiled function takes one as one pointer; a counter in an array of
counters would have no name.

A replica lives in a *slot* of ``State.life`` and a request that waits in a place of the
ring ``State.waits``; both are used again, so that memory grows with what is in the pool,
not with the length of the run. Ids count up for ever and decide every tie; a slot is only
where to look.
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
        (
            "deadline_s",
            "f8",
        ),  # of the armed timer; while starting, how long it will live; `hpa` has none: busy_s a tick ago
        ("busy_s", "f8"),  # as in the replica's record, so far
        ("slot_s", "f8"),
        ("n_served", "i8"),
        ("in_service", "i4"),
        ("phase", "i1"),  # Phase
        ("armed", "i1"),
        ("pinned", "i1"),  # idle without a timer, as one of the min replicas
        ("available", "i1"),  # ready with a free slot
        ("links", "u4", 2 * N_LISTS),  # AVAILABLE and TIMER are still in that line
        # The rest: two more.
        ("id", "i8"),
        ("launch_s", "f8"),
        ("ready_s", "f8"),
        ("stop_s", "f8"),
        ("ready_after", "i8"),  # requests that had joined before it was ready
        ("glue_head", "i8"),  # first glued request's place; NOBODY
        ("glue_tail", "i8"),
        ("glued", "i4"),  # requests that wait for it
        ("position", "i4"),  # in the ranking
        ("progress", "f8"),  # work done on a request that has been here all along
        ("progress_at_s", "f8"),
        ("next_completion_s", "f8"),
        ("jobs", "u4"),  # first job, by what it has left; NONE
        ("missed", "?"),
        ("spare", "i1", 3),
    ]
)
"""What the loop knows of a replica: three cache lines."""

WAIT_DTYPE = np.dtype(
    [
        ("arrival_s", "f8"),
        ("joined_s", "f8"),  # its arrival, or its last retry
        ("service_time_s", "f8"),
        ("first_service_time_s", "f8"),
        ("id", "i8"),
        ("joined_as", "i8"),  # requests that had joined before it
        ("next_glued", "i8"),  # the place of the one after it on the same replica
        ("slot", "u4"),  # of the replica that it is glued to
        ("attempts", "i4"),  # times that it has begun before
        ("state", "i1"),  # QUEUED, GLUED or GONE
        ("line", "i1"),  # GIVES_UP or HELD, if it gives up at all
    ]
)
"""A request that waits."""

JOB_DTYPE = np.dtype(
    [
        ("id", "i8"),
        ("arrival_s", "f8"),
        ("start_s", "f8"),
        ("service_time_s", "f8"),
        ("first_service_time_s", "f8"),
        ("finish", "f8"),  # the replica's progress at which it completes
        ("next", "u4"),  # on its replica, by (finish, id); or the next free one
        ("attempts", "i4"),  # times that it has begun
        ("replica", "i8"),
        ("cold", "?"),
    ]
)
"""A request in service, where its end is not known when it begins; or one backing off."""

BUSY_DTYPE = np.dtype([("replica", "i8"), ("start_s", "f8"), ("stop_s", "f8")])
"""A maximal time with a request in service on a replica; NaN: not over."""

NOBODY = np.int64(-1)
"""No place in the ring."""

QUEUED = 0
GLUED = 1
GONE = 2

# Cursors into the ring; ``GIVES_UP`` and ``HELD`` are also lines of those who lose patience.
QUEUE = np.int64(0)
"""The head of the queue, or a place before it."""
GIVES_UP = np.int64(1)
"""The next to give up of those with the queue's patience."""
HELD = np.int64(2)
"""The same of those that arrived while nothing was ready: their patience is another."""
OLDEST = np.int64(3)
"""Before it the ring is free."""
N_CURSORS = 4

POOL_DTYPE = np.dtype(
    [
        ("n_events", "i8"),  # in the heap
        ("n_alive", "i8"),
        ("wanted", "i8"),  # launch up to so many after this event
        ("wanted_for", "i8"),  # the request that caused it; NOBODY
        ("n_busy", "i8"),  # busy spans, likewise
        ("n_settled", "i8"),  # rows written since they were last taken away
        ("spare", "i8"),  # requests that may join before room is looked for
        ("arrived", "i8"),
        ("first_arrival", "i8"),  # the request that the chunk begins with
        ("retried", "i8"),  # retries so far: with the arrivals, all that have joined
        ("in_system", "i8"),  # queued, bound, or in service on replicas alive
        ("n_queued", "i8"),
        ("n_waiting", "i8"),  # queued or bound
        ("n_ready", "i8"),
        ("n_starting", "i8"),
        ("n_present", "i8"),  # alive or draining
        ("peak_present", "i8"),
        ("n_replicas", "i8"),  # created so far, initial ones included
        ("launches", "i8"),
        ("first_setup", "i8"),  # the launch that the setup times begin with
        ("min_replicas", "i8"),
        ("max_replicas", "i8"),
        ("next_bounds", "i8"),
        ("next_tick", "i8"),
        ("next_sample", "i8"),
        ("last_routed", "i8"),
        ("tree_size", "i8"),
        ("tree_used", "i8"),
        ("n_slots", "i8"),  # slots that have ever been used
        ("n_free", "i8"),  # of those, free
        ("free_slot", "u4"),  # the first of them
        ("n_jobs", "i8"),  # jobs that have ever been used
        ("n_in_progress", "i8"),  # of those, in service
        ("backing_off", "i8"),  # of those, requests that will come back
        ("free_job", "u4"),
        # Of the histogram policy.
        ("within_bounds", "i8"),  # idle times in the histogram
        ("squares", "i8"),  # sum of the squares of its counts
        ("out_of_bounds", "i8"),
        ("prewarms", "i8"),  # decided, or made void, so far
        ("keep_alive_s", "f8"),
        ("idle_since_s", "f8"),  # since when nothing is in system; NaN: something is
        ("unloaded", "?"),  # until the next prewarm
        ("begun", "?"),
        ("last_chunk", "?"),
        ("ticking", "?"),
        ("no_more_setups", "?"),
        ("wanted_at_s", "f8"),
        ("end_s", "f8"),  # the last event that changed a request or a replica
        ("empty_since_s", "f8"),  # since when nothing is alive
        ("level", "f8"),  # tokens in the rate limit's bucket
        ("level_at_s", "f8"),
        ("low_since_s", "f8"),
        # Integral of requests in system, and its rounding error: the window is a
        # difference of two, and after a month a plain sum has lost the ninth digit.
        ("area", "f8"),
        ("area_error", "f8"),
        ("area_at_s", "f8"),
        ("ends", "u4", 2 * N_LISTS),  # first and last replica of each list
        ("cursors", "i8", N_CURSORS),
        ("tail", "i8"),  # the ring's next free place
    ]
)
"""The pool's counters, clocks and ends of lists."""


class State(NamedTuple):
    """Everything that changes during a run."""

    pool: np.void
    """POOL_DTYPE."""
    memory: np.void
    """What the autoscaler remembers, ``policies.memory.MEMORY_DTYPE``."""
    requests: Records
    """REQUEST_DTYPE: every request by its id, or a buffer of those that were settled."""
    life: Records
    heap: Records
    waits: Records
    """WAIT_DTYPE, a ring: its size is a power of two, places count up for ever."""
    jobs: Records
    idle_times: Ints
    """How often the pool was idle so long, by bin: the histogram policy's."""
    busy: Records
    """BUSY_DTYPE, a buffer; of use where requests are told of when they complete."""
    tree: Ints
    enrolled: Ints
    """The replica at each position of the ranking: its id and its slot."""
    samples: Floats
    """Areas at the starts of coming windows, (area, error) in a ring."""
    ring: Records
    """Its windows and changes, ``policies.sliding.NOTE_DTYPE``."""


class Inputs(NamedTuple):
    """What arrives next and how long things take."""

    arrival_s: Floats
    """A chunk of the arrivals."""
    service_time_s: Floats
    first_service_time_s: Floats
    """The same array as service_time_s if a replica's first request is like the others."""
    setup_time_s: Floats
    """From the launch ``pool.first_setup`` on."""
    miss_setup_time_s: Floats
    """The same where the launch misses the cache; empty without a mixture."""
    setup_u: Floats
    """The launch's luck, uniform; empty without a mixture."""
    lifetime_s: Floats
    """The same for how long each lives once it is ready; empty if none fails."""
    initial_lifetime_s: Floats
    """Of the initial replicas."""
    bounds: Records
    """BOUNDS_DTYPE, by time."""


BOUNDS_DTYPE = np.dtype(
    [("time_s", "f8"), ("min_replicas", "i8"), ("max_replicas", "i8")]
)
