"""The life of a replica: launched, idle with a timer, stopped (docs/model.md 2, 4.3-4.6).

Replicas are named by their slots; where an order is one of ids, it is that of ``life.id``.
"""

from __future__ import annotations

import math

import numpy as np

from costsim.simulation.autoscaler import Policy, needed_replicas
from costsim.simulation.compiled import inlined, inner, unsigned
from costsim.simulation.heap import (
    FAILURE_CLASS,
    READY_CLASS,
    event_code,
    heap_push,
    time_key,
)
from costsim.simulation.linked import (
    ALIVE,
    NONE,
    ROOM,
    STARTING,
    STOPPED,
    TIMER,
    after,
    append,
    before,
    first,
    insert_after,
    last,
    remove,
)
from costsim.simulation.routing import enrol, withdraw
from costsim.simulation.state import NOBODY, Phase

_STARTING = int(Phase.STARTING)
_STOPPED = int(Phase.STOPPED)
_ON_DEMAND = int(Policy.ON_DEMAND)


@inlined
def schedule(s, time_s, code):  # type: ignore[no-untyped-def]
    """Put an event into the heap."""
    s.pool.n_events += 1
    heap_push(s.heap, s.pool.n_events, time_key(time_s), code)


@inlined
def free_slots(s):  # type: ignore[no-untyped-def]
    """Return how many replicas can still be created."""
    return s.life.size - s.pool.n_slots + s.pool.n_free


@inlined
def _take_slot(s):  # type: ignore[no-untyped-def]
    """Return a free slot; there is one."""
    pool = s.pool
    if pool.n_free > 0:
        slot = np.int64(pool.free_slot)
        pool.free_slot = s.life[slot].links[2 * STOPPED + 1]
        pool.n_free -= 1
        return slot
    slot = pool.n_slots
    pool.n_slots += 1
    return slot


@inner
def new_replica(rules, s, t):  # type: ignore[no-untyped-def]
    """Create the next replica and return its slot."""
    replica = _take_slot(s)
    pool = s.pool
    life = s.life[replica]
    life.id = pool.n_replicas
    pool.n_replicas += 1
    pool.n_alive += 1
    pool.n_present += 1
    pool.peak_present = max(pool.peak_present, pool.n_present)
    life.launch_s = t
    life.ready_s = math.nan
    life.stop_s = math.nan
    life.busy_since_s = math.nan
    life.deadline_s = math.nan
    life.busy_s = 0.0
    life.slot_s = 0.0
    life.n_served = 0
    life.in_service = 0
    life.phase = _STARTING
    life.armed = 0
    life.pinned = 0
    life.available = 0
    life.ready_after = 0
    life.glue_head = NOBODY
    life.glue_tail = NOBODY
    life.glued = 0
    life.progress = 0.0
    life.progress_at_s = t
    life.jobs = NONE
    life.missed = False
    append(s, ALIVE, replica)
    enrol(rules, s, replica)
    return replica


@inner
def launch(rules, inputs, s, t):  # type: ignore[no-untyped-def]
    """Start a replica's setup and return its slot; NONE if the setup times have run out."""
    n = s.pool.launches - s.pool.first_setup
    s.pool.launches += 1
    s.pool.spare = 0  # it takes some of the room that was promised to arrivals
    if n >= inputs.setup_time_s.size:
        # The loop sees the overrun after this event and says so.
        return NONE
    setup_s = inputs.setup_time_s[n]
    missed = rules.mixed and inputs.setup_u[n] >= _hit_probability(rules, s, t)
    if missed:
        setup_s = inputs.miss_setup_time_s[n]
    replica = new_replica(rules, s, t)
    s.life[replica].missed = missed
    if rules.fails:
        s.life[replica].deadline_s = inputs.lifetime_s[n]
    s.pool.n_starting += 1
    append(s, STARTING, replica)
    if rules.bound:
        append(s, ROOM, replica)
    schedule(s, t + setup_s, event_code(READY_CLASS, s.life[replica].id, replica))
    s.pool.end_s = t
    return replica


@inner
def _hit_probability(rules, s, t):  # type: ignore[no-untyped-def]
    """Return the chance that a launch finds its cache: it fades while nothing is alive."""
    if s.pool.n_alive > 0 or rules.hit_half_life_s == math.inf:
        return rules.hit_probability
    away_s = t - s.pool.empty_since_s
    return rules.hit_probability * 2.0 ** (-away_s / rules.hit_half_life_s)


@inner
def expect_failure(s, replica, t, lifetime_s):  # type: ignore[no-untyped-def]
    """Schedule the death of a replica that is ready at t (11)."""
    if lifetime_s < math.inf:
        code = event_code(FAILURE_CLASS, s.life[replica].id, replica)
        schedule(s, t + lifetime_s, code)


@inlined
def want(s, t, wanted):  # type: ignore[no-untyped-def]
    """Have the loop launch, after this event at t, while fewer than `wanted` are alive."""
    if wanted > max(s.pool.n_alive, s.pool.wanted):
        s.pool.wanted = wanted
        s.pool.wanted_at_s = t


@inlined
def want_for(s, t, request, wanted):  # type: ignore[no-untyped-def]
    """Have it launch likewise; the launches are the request's (4.7)."""
    if wanted > s.pool.n_alive:
        s.pool.wanted = wanted
        s.pool.wanted_at_s = t
        s.pool.wanted_for = request


@inlined
def needed(rules, s):  # type: ignore[no-untyped-def]
    """Return min(needed, max): the replicas that on demand keeps alive (4.9)."""
    return min(
        needed_replicas(
            s.pool.in_system, rules.concurrency_target, rules.buffer_replicas
        ),
        s.pool.max_replicas,
    )


@inlined
def retire(s, replica, t):  # type: ignore[no-untyped-def]
    """Write the end of a replica, and keep it until it is taken away."""
    life = s.life[unsigned(replica)]
    life.stop_s = t
    life.phase = _STOPPED
    append(s, STOPPED, replica)
    s.pool.n_present -= 1
    s.pool.end_s = t


@inlined
def no_longer_alive(s, replica, t):  # type: ignore[no-untyped-def]
    """Take a replica off the books of those that are alive."""
    remove(s, ALIVE, replica)
    s.pool.n_alive -= 1
    if s.pool.n_alive == 0:
        s.pool.empty_since_s = t


@inlined
def stop_idle(rules, s, replica, t):  # type: ignore[no-untyped-def]
    """Stop a ready replica with nothing in service."""
    disarm(s, replica)
    withdraw(rules, s, replica)
    s.pool.n_ready -= 1
    no_longer_alive(s, replica, t)
    retire(s, replica, t)


@inner
def abort_setup(s, replica, t):  # type: ignore[no-untyped-def]
    """Stop a starting replica; its READY event stays in the heap and is void."""
    remove(s, STARTING, replica)
    s.pool.n_starting -= 1
    no_longer_alive(s, replica, t)
    retire(s, replica, t)


@inner
def cancel_setups(rules, s, t):  # type: ignore[no-untyped-def]
    """Abort the youngest setups that are no longer needed (4.6)."""
    while s.pool.n_starting > 0 and s.pool.n_alive > max(
        s.pool.min_replicas, needed(rules, s)
    ):
        abort_setup(s, last(s, STARTING), t)


@inlined
def arm(s, replica, deadline_s):  # type: ignore[no-untyped-def]
    """Set a timer. Deadlines come in order, but for ties, which go by id."""
    life = s.life[unsigned(replica)]
    left = last(s, TIMER)
    while left != NONE:
        other = s.life[unsigned(left)]
        if other.deadline_s < deadline_s or (
            other.deadline_s == deadline_s and other.id < life.id
        ):
            break
        left = before(s, TIMER, left)
    insert_after(s, TIMER, left, replica)
    life.deadline_s = deadline_s
    life.armed = 1


@inlined
def disarm(s, replica):  # type: ignore[no-untyped-def]
    """Take the timer off a replica, if it has one; it is not pinned either."""
    life = s.life[unsigned(replica)]
    life.pinned = 0
    if life.armed:
        remove(s, TIMER, replica)
        life.armed = 0


@inlined
def idle_timeout(rules, s, replica, t):  # type: ignore[no-untyped-def]
    """IDLE TIMEOUT of an armed timer (4.5)."""
    disarm(s, replica)
    if s.pool.n_ready <= s.pool.min_replicas:
        s.life[unsigned(replica)].pinned = 1
    elif (
        rules.policy == _ON_DEMAND
        and not rules.plain
        and s.pool.n_alive <= needed(rules, s)
    ):
        arm(s, replica, t + rules.idle_timeout_s)
    else:
        stop_idle(rules, s, replica, t)


@inner
def take_away(s, rows, ids):  # type: ignore[no-untyped-def]
    """Write the replicas that have stopped, in that order, and free their slots.

    Parameters
    ----------
    s : State
    rows : ndarray of REPLICA_DTYPE, shape (n,)
        With room for all of them.
    ids : ndarray of int64, shape (n,)
        Whose rows they are.

    Returns
    -------
    int
        How many.
    """
    n = 0
    replica = first(s, STOPPED)
    while replica != NONE:
        life = s.life[replica]
        row = rows[n]
        row.launch_s = life.launch_s
        row.ready_s = life.ready_s
        row.stop_s = life.stop_s
        row.busy_s = life.busy_s
        row.slot_s = life.slot_s
        row.n_served = life.n_served
        row.missed = life.missed
        ids[n] = life.id
        n += 1
        following = after(s, STOPPED, replica)
        life.id = NOBODY
        life.links[2 * STOPPED + 1] = s.pool.free_slot
        s.pool.free_slot = replica
        s.pool.n_free += 1
        replica = following
    s.pool.ends[2 * STOPPED] = NONE
    s.pool.ends[2 * STOPPED + 1] = NONE
    return n
