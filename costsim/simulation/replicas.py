"""The life of a replica: launched, idle with a timer, stopped (docs/model.md 2, 4.3-4.6)."""

from __future__ import annotations

import math

from costsim.simulation.autoscaler import Policy, needed_replicas
from costsim.simulation.compiled import inlined, inner, unsigned
from costsim.simulation.heap import READY_CLASS, heap_push, time_key
from costsim.simulation.linked import (
    ALIVE,
    NONE,
    ROOM,
    STARTING,
    TIMER,
    append,
    before,
    insert_after,
    last,
    remove,
)
from costsim.simulation.routing import enrol, withdraw
from costsim.simulation.state import Phase

_STARTING = int(Phase.STARTING)
_STOPPED = int(Phase.STOPPED)
_ON_DEMAND = int(Policy.ON_DEMAND)


@inlined
def schedule(s, time_s, code):  # type: ignore[no-untyped-def]
    """Put an event into the heap."""
    s.pool.n_events += 1
    heap_push(s.heap, s.pool.n_events, time_key(time_s), code)


@inner
def new_replica(rules, s, t):  # type: ignore[no-untyped-def]
    """Create the next replica and return its id."""
    replica = s.pool.n_replicas
    s.pool.n_replicas += 1
    s.pool.n_alive += 1
    record = s.replicas[replica]
    record.launch_s = t
    record.ready_s = math.nan
    record.stop_s = math.nan
    life = s.life[replica]
    life.busy_since_s = math.nan
    life.busy_s = 0.0
    life.slot_s = 0.0
    life.n_served = 0
    life.in_service = 0
    life.phase = _STARTING
    life.armed = 0
    life.pinned = 0
    life.available = 0
    life.ready_after = 0
    life.glue_head = NONE
    life.glue_tail = NONE
    life.glued = 0
    append(s, ALIVE, replica)
    enrol(rules, s, replica)
    return replica


@inner
def launch(rules, inputs, s, t):  # type: ignore[no-untyped-def]
    """Start a replica's setup and return its id; NONE if the setup times have run out."""
    n = s.pool.launches
    s.pool.launches += 1
    if n >= inputs.setup_time_s.size:
        # The loop sees the overrun after this event and says so.
        return NONE
    replica = new_replica(rules, s, t)
    s.pool.n_starting += 1
    append(s, STARTING, replica)
    if rules.bound:
        append(s, ROOM, replica)
    schedule(s, t + inputs.setup_time_s[n], READY_CLASS | replica)
    s.pool.end_s = t
    return replica


@inner
def launch_up_to(rules, inputs, s, t, wanted):  # type: ignore[no-untyped-def]
    """Launch while fewer than `wanted` are alive; return how many."""
    launched = 0
    while s.pool.n_alive < wanted:
        if launch(rules, inputs, s, t) == NONE:
            break
        launched += 1
    return launched


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
def _end_life(s, replica, t):  # type: ignore[no-untyped-def]
    """Write the end of a replica that is alive, and take it off the books."""
    s.replicas[unsigned(replica)].stop_s = t
    s.life[unsigned(replica)].phase = _STOPPED
    remove(s, ALIVE, replica)
    s.pool.n_alive -= 1
    s.pool.end_s = t


@inlined
def stop_idle(rules, s, replica, t):  # type: ignore[no-untyped-def]
    """Stop a ready replica with nothing in service."""
    disarm(s, replica)
    withdraw(rules, s, replica)
    s.pool.n_ready -= 1
    _end_life(s, replica, t)


@inner
def abort_setup(s, replica, t):  # type: ignore[no-untyped-def]
    """Stop a starting replica; its READY event stays in the heap and is void."""
    remove(s, STARTING, replica)
    s.pool.n_starting -= 1
    _end_life(s, replica, t)


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
    left = last(s, TIMER)
    while left != NONE:
        left_s = s.life[unsigned(left)].deadline_s
        if left_s < deadline_s or (left_s == deadline_s and left < replica):
            break
        left = before(s, TIMER, left)
    insert_after(s, TIMER, left, replica)
    life = s.life[unsigned(replica)]
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
def go_idle(rules, s, replica, t):  # type: ignore[no-untyped-def]
    """Arm the idle timer (4.5)."""
    if rules.idle_timeout_s < math.inf:
        arm(s, replica, t + rules.idle_timeout_s)


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
