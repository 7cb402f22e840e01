"""Whether what may happen next fits into the arrays.

The loop owns no memory. Before an event that could need more than there is, it stops and
says so; the driver makes room and the loop goes on where it was.
"""

from __future__ import annotations

from costsim.simulation.compiled import inner
from costsim.simulation.replicas import free_slots
from costsim.simulation.state import GONE, N_CURSORS, OLDEST


@inner
def room_to_join(rules, s):  # type: ignore[no-untyped-def]
    """Return how many requests can surely join before there must be more room."""
    _forget_the_gone(s)
    pool = s.pool
    room = s.waits.size - (pool.tail - pool.cursors[OLDEST])
    # What waits will have one event more; each arrival two, with the launch it causes.
    events = pool.n_events + pool.n_waiting + 2
    if rules.tracked:
        jobs = pool.n_in_progress + pool.backing_off + pool.n_waiting
        room = min(room, s.jobs.size - jobs)
        # A failure turns jobs into retries, and their completions stay, void.
        events += jobs + pool.n_starting
    room = min(room, (s.heap.size - 1 - events) // 4)
    if not rules.records:
        # Whoever waits or is served will leave a row.
        served = pool.n_in_progress + pool.backing_off
        room = min(room, s.requests.size - pool.n_settled - pool.n_waiting - served)
        if rules.tracked:
            # Each of them ends a busy span at most, and is busy to the end.
            busy = pool.n_busy + 2 * (pool.n_waiting + served)
            room = min(room, (s.busy.size - busy) // 2)
    if rules.bound:
        room = min(room, free_slots(s))
    return room


@inner
def room_to_launch(s):  # type: ignore[no-untyped-def]
    """Return whether a replica more fits, with its READY and its FAILURE."""
    pool = s.pool
    jobs = pool.n_in_progress + pool.backing_off
    events = pool.n_events + pool.n_waiting + pool.n_starting + jobs
    return free_slots(s) > 0 and events + 3 < s.heap.size


@inner
def _forget_the_gone(s):  # type: ignore[no-untyped-def]
    """Free the ring's oldest places whose requests no longer wait."""
    pool = s.pool
    oldest = pool.cursors[OLDEST]
    while oldest < pool.tail and s.waits[oldest & (s.waits.size - 1)].state == GONE:
        oldest += 1
    for cursor in range(N_CURSORS):
        pool.cursors[cursor] = max(pool.cursors[cursor], oldest)
