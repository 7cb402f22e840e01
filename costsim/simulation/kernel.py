"""The compiled event loop of one pool: semantics.md sections 1 to 9, clause by clause.

The loop takes the pending event with the smallest (time, class, id), advances the clock,
applies it, and schedules what follows:

====== =============== ==================================================
class  event           where it waits
====== =============== ==================================================
0      COMPLETION      ``heap``
1      READY           ``heap``
2      IDLE TIMEOUT    list TIMER: a constant timeout falls due in the
                       order of going idle
3      GIVE-UP         two queues: a constant patience falls due in the
                       order of arrival
4      ARRIVAL         the arrays of requests
5      BOUNDS          the schedule
6      TICK            a counter
====== =============== ==================================================

Times are seconds from the start; a derived time is one addition (3.2). State lives in
the arrays of ``State``; ``n`` holds its counters, named below.
"""

from __future__ import annotations

import math
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from costsim.records import Outcome
from costsim.simulation.autoscaler import (
    Policy,
    below_since,
    clamped,
    needed_replicas,
    scale_down_step,
    window_desired,
)
from costsim.simulation.compiled import compiled, inlined
from costsim.simulation.heap import (
    READY_CLASS,
    REPLICA_BITS,
    REPLICA_MASK,
    heap_pop,
    heap_push,
)
from costsim.simulation.linked import (
    ALIVE,
    AVAILABLE,
    NONE,
    ROOM,
    STARTING,
    TIMER,
    append,
    insert_after,
    remove,
)
from costsim.simulation.ranking import (
    OUT,
    first_ranked,
    last_ranked,
    next_ranked,
    position_after,
    set_rank,
)

if TYPE_CHECKING:
    from costsim.records import Floats, Ints, Records


class Routing(IntEnum):
    """Which ready replica with a free slot takes an arrival (semantics.md 5)."""

    MOST_RECENTLY_USED = 0
    LEAST_RECENTLY_USED = 1
    NEWEST = 2
    OLDEST = 3
    LEAST_LOADED = 4
    MOST_LOADED = 5
    ROUND_ROBIN = 6


class AtZero(IntEnum):
    """What happens to a request while no replica is ready."""

    HOLD = 0
    REJECT = 1
    HOLD_FOR = 2


class Rules(NamedTuple):
    """The settings of a pool, as numbers; they do not change during a run."""

    policy: int
    routing: int
    at_zero: int
    bound: bool
    cancel_setups: bool
    plain: bool
    """Target = limit and no buffer: an arrival that finds a slot needs no launch."""
    concurrency_limit: int
    concurrency_target: float
    buffer_replicas: int
    max_queued: int
    idle_timeout_s: float
    queue_timeout_s: float
    hold_for_s: float
    rate_per_s: float
    """Rate limit; inf: none."""
    burst: float
    horizon_s: float
    cut: bool
    scaling_interval_s: float
    scaling_window_s: float
    target_utilization: float
    scale_down_delay_s: float
    max_scale_down_fraction: float
    threshold_s: float
    requests_per_replica: float


LIFE_DTYPE = np.dtype(
    [
        ("busy_since_s", "f8"),  # NaN: nothing in service
        ("deadline_s", "f8"),  # of the armed timer
        ("ready_after", "i8"),  # arrivals processed before it was ready
        ("glue_head", "i8"),  # first glued request; -1: none
        ("glue_tail", "i8"),
        ("in_service", "i4"),
        ("glued", "i4"),  # requests that wait for it
        ("position", "i4"),  # in the ranking
        ("phase", "i1"),  # Phase
        ("armed", "i1"),
        ("pinned", "i1"),  # idle without a timer, as one of the min replicas
        ("used", "i1"),  # has begun a request
    ]
)
"""What the loop knows of a replica beyond its record: one cache line."""


class Phase(IntEnum):
    """Where a replica is in its life."""

    STARTING = 0
    READY = 1
    DRAINING = 2
    STOPPED = 3


# Plain constants: numba folds them; an IntEnum's member would be looked up.
_STARTING = int(Phase.STARTING)
_READY = int(Phase.READY)
_DRAINING = int(Phase.DRAINING)
_STOPPED = int(Phase.STOPPED)
_SERVED = int(Outcome.SERVED)
_REJECTED = int(Outcome.REJECTED)
_TIMED_OUT = int(Outcome.TIMED_OUT)
_UNFINISHED = int(Outcome.UNFINISHED)
_ON_DEMAND = int(Policy.ON_DEMAND)
_WINDOW = int(Policy.CONCURRENCY_WINDOW)
_QUEUE_DELAY = int(Policy.QUEUE_DELAY)
_REQUEST_COUNT = int(Policy.REQUEST_COUNT)
_MRU = int(Routing.MOST_RECENTLY_USED)
_LRU = int(Routing.LEAST_RECENTLY_USED)
_NEWEST = int(Routing.NEWEST)
_LEAST_LOADED = int(Routing.LEAST_LOADED)
_MOST_LOADED = int(Routing.MOST_LOADED)
_ROUND_ROBIN = int(Routing.ROUND_ROBIN)
_REJECT_AT_ZERO = int(AtZero.REJECT)
_HOLD_FOR = int(AtZero.HOLD_FOR)

# Counters in State.n.
ARRIVED = 0
HEAP = 1
QUEUE_HEAD = 2
QUEUE_TAIL = 3
QUEUED = 4
IN_SYSTEM = 5
"""Queued, bound, or in service on replicas that are alive."""
READY = 6
ALIVE_NOW = 7
STARTING_NOW = 8
REPLICAS = 9
"""Created so far, initial ones included."""
LAUNCHES = 10
MIN = 11
MAX = 12
GIVE_HEAD = 13
GIVE_TAIL = 14
HELD_HEAD = 15
HELD_TAIL = 16
NEXT_BOUNDS = 17
NEXT_TICK = 18
NEXT_SAMPLE = 19
LAST_ROUTED = 20
N_COUNTERS = 21

# Clocks and sums in State.x.
END = 0
"""Time of the last event that changed a request or a replica."""
LEVEL = 1
"""Tokens in the rate limit's bucket."""
LEVEL_AT = 2
LOW_SINCE = 3
AREA = 4
"""Integral of requests in system, and its rounding error: the window is a difference of
two such integrals, and after a month a plain sum would have lost the ninth digit."""
AREA_ERROR = 5
AREA_AT = 6
N_CLOCKS = 7


class State(NamedTuple):
    """Everything that changes during a run."""

    requests: Records
    replicas: Records
    life: Records
    heap: Records
    queue: Ints
    """Indices of queued requests, in arrival order; one that gave up stays as a ghost."""
    gives_up: Ints
    held: Ints
    """Requests that arrived while nothing was ready: their patience is another."""
    next_glued: Ints
    links: Ints
    ends: Ints
    tree: Ints
    replica_at: Ints
    tree_shape: Ints
    samples: Floats
    """Areas at the starts of coming windows, (area, error) in a ring."""
    n: Ints
    x: Floats


class Inputs(NamedTuple):
    """What arrives and how long things take."""

    arrival_s: Floats
    service_time_s: Floats
    first_service_time_s: Floats
    """Empty: as service_time_s."""
    setup_time_s: Floats
    bounds_s: Floats
    bounds_min: Ints
    bounds_max: Ints


# ---------------------------------------------------------------- routing (5)


@compiled
def _compact(s):  # type: ignore[no-untyped-def]
    """Squeeze stopped replicas out of the ranking; double it if it is still half full."""
    old = s.tree_shape[0]
    used = 0
    # Squeezed to the left in place, then moved to where the leaves of a larger tree are.
    for position in range(s.tree_shape[1]):
        replica = s.replica_at[position]
        if s.life[replica].phase != _STOPPED:
            s.replica_at[used] = replica
            s.life[replica].position = used
            s.tree[old + used] = s.tree[old + position]
            used += 1
    size = old
    if 2 * used > size:
        size *= 2
        for position in range(used - 1, -1, -1):
            s.tree[size + position] = s.tree[old + position]
    for leaf in range(size + used, 2 * size):
        s.tree[leaf] = OUT
    for node in range(size - 1, 0, -1):
        s.tree[node] = min(s.tree[2 * node], s.tree[2 * node + 1])
    s.tree_shape[0] = size
    s.tree_shape[1] = used


@compiled
def _enrol(rules, s, replica):  # type: ignore[no-untyped-def]
    """Give a new replica its place in the ranking, where the routing needs one."""
    if rules.routing <= _LRU:
        return
    if s.tree_shape[1] == s.tree_shape[0]:
        _compact(s)
    s.replica_at[s.tree_shape[1]] = replica
    s.life[replica].position = s.tree_shape[1]
    s.tree_shape[1] += 1


@inlined
def _rank(rules, in_service):  # type: ignore[no-untyped-def]
    if rules.routing == _LEAST_LOADED:
        return in_service
    if rules.routing == _MOST_LOADED:
        return rules.concurrency_limit - in_service
    return 0


@inlined
def _offer(rules, s, replica, was_available):  # type: ignore[no-untyped-def]
    """Stamp a replica that has a free slot (5.1): it becomes the most recently used."""
    if rules.routing <= _LRU:
        if was_available:
            if s.ends[AVAILABLE, 1] == replica:
                return
            remove(s.links, s.ends, AVAILABLE, replica)
        append(s.links, s.ends, AVAILABLE, replica)
    else:
        rank = _rank(rules, s.life[replica].in_service)
        set_rank(s.tree, s.tree_shape, s.life[replica].position, rank)


@inlined
def _withdraw(rules, s, replica):  # type: ignore[no-untyped-def]
    """Take a replica out of those that can be chosen."""
    if rules.routing <= _LRU:
        remove(s.links, s.ends, AVAILABLE, replica)
    else:
        set_rank(s.tree, s.tree_shape, s.life[replica].position, OUT)


@inlined
def _choose(rules, s):  # type: ignore[no-untyped-def]
    """Return the ready replica with a free slot that takes an arrival; NONE if none has."""
    if rules.routing == _MRU:
        return s.ends[AVAILABLE, 1]
    if rules.routing == _LRU:
        return s.ends[AVAILABLE, 0]
    if rules.routing == _NEWEST:
        position = last_ranked(s.tree, s.tree_shape)
    elif rules.routing == _ROUND_ROBIN:
        after = position_after(s.replica_at, s.tree_shape, s.n[LAST_ROUTED])
        position = next_ranked(s.tree, s.tree_shape, after)
        if position < 0:
            position = next_ranked(s.tree, s.tree_shape, 0)
    else:
        position = first_ranked(s.tree, s.tree_shape)
    if position < 0:
        return NONE
    replica = s.replica_at[position]
    s.n[LAST_ROUTED] = replica
    return replica


# ---------------------------------------------------------------- replicas (2, 4.3, 4.5)


@compiled
def _new_replica(rules, s, t):  # type: ignore[no-untyped-def]
    """Create the next replica and return its id."""
    replica = s.n[REPLICAS]
    s.n[REPLICAS] += 1
    s.n[ALIVE_NOW] += 1
    record = s.replicas[replica]
    record.launch_s = t
    record.ready_s = math.nan
    record.stop_s = math.nan
    record.busy_s = 0.0
    record.slot_s = 0.0
    record.n_served = 0
    life = s.life[replica]
    life.busy_since_s = math.nan
    life.ready_after = 0
    life.glue_head = NONE
    life.glue_tail = NONE
    life.in_service = 0
    life.glued = 0
    life.phase = _STARTING
    life.armed = 0
    life.pinned = 0
    life.used = 0
    append(s.links, s.ends, ALIVE, replica)
    _enrol(rules, s, replica)
    return replica


@compiled
def _launch(rules, inputs, s, t):  # type: ignore[no-untyped-def]
    """Start a replica's setup and return its id; NONE if the setup times have run out."""
    launch = s.n[LAUNCHES]
    if launch >= inputs.setup_time_s.size:
        # Count on: the loop sees the overrun after this event and says so.
        s.n[LAUNCHES] += 1
        return NONE
    s.n[LAUNCHES] += 1
    replica = _new_replica(rules, s, t)
    s.n[STARTING_NOW] += 1
    append(s.links, s.ends, STARTING, replica)
    if rules.bound:
        append(s.links, s.ends, ROOM, replica)
    heap_push(
        s.heap,
        s.n[HEAP],
        t + inputs.setup_time_s[launch],
        READY_CLASS | np.int64(replica),
    )
    s.n[HEAP] += 1
    s.x[END] = t
    return replica


@inlined
def _needed(rules, s):  # type: ignore[no-untyped-def]
    """Return min(needed, max): the replicas that on demand keeps alive (4.9)."""
    return min(
        needed_replicas(
            s.n[IN_SYSTEM], rules.concurrency_target, rules.buffer_replicas
        ),
        s.n[MAX],
    )


@compiled
def _launch_up_to(rules, inputs, s, t, wanted):  # type: ignore[no-untyped-def]
    """Launch while fewer than `wanted` are alive; return how many."""
    launched = 0
    while s.n[ALIVE_NOW] < wanted:
        if _launch(rules, inputs, s, t) == NONE:
            break
        launched += 1
    return launched


@inlined
def _forget(rules, s, replica, t):  # type: ignore[no-untyped-def]
    """Write the end of a replica that is alive, and take it off the books."""
    s.replicas[replica].stop_s = t
    s.life[replica].phase = _STOPPED
    remove(s.links, s.ends, ALIVE, replica)
    s.n[ALIVE_NOW] -= 1
    s.x[END] = t


@inlined
def _stop_idle(rules, s, replica, t):  # type: ignore[no-untyped-def]
    _disarm(s, replica)
    _withdraw(rules, s, replica)
    s.n[READY] -= 1
    _forget(rules, s, replica, t)


@compiled
def _abort_setup(rules, s, replica, t):  # type: ignore[no-untyped-def]
    """Stop a starting replica; its READY event stays in the heap and is void."""
    remove(s.links, s.ends, STARTING, replica)
    s.n[STARTING_NOW] -= 1
    _forget(rules, s, replica, t)


@compiled
def _cancel_setups(rules, s, t):  # type: ignore[no-untyped-def]
    """Abort the youngest setups that are no longer needed (4.6)."""
    while s.n[STARTING_NOW] > 0 and s.n[ALIVE_NOW] > max(s.n[MIN], _needed(rules, s)):
        _abort_setup(rules, s, s.ends[STARTING, 1], t)


@inlined
def _arm(s, replica, deadline_s):  # type: ignore[no-untyped-def]
    """Set a timer. Deadlines come in order, but for ties, which go by id."""
    before = s.ends[TIMER, 1]
    while before != NONE and (
        s.life[before].deadline_s > deadline_s
        or (s.life[before].deadline_s == deadline_s and before > replica)
    ):
        before = s.links[before, 2 * TIMER]
    insert_after(s.links, s.ends, TIMER, before, replica)
    s.life[replica].deadline_s = deadline_s
    s.life[replica].armed = 1


@inlined
def _disarm(s, replica):  # type: ignore[no-untyped-def]
    s.life[replica].pinned = 0
    if s.life[replica].armed:
        remove(s.links, s.ends, TIMER, replica)
        s.life[replica].armed = 0


@inlined
def _go_idle(rules, s, replica, t):  # type: ignore[no-untyped-def]
    if rules.idle_timeout_s < math.inf:
        _arm(s, replica, t + rules.idle_timeout_s)


# ---------------------------------------------------------------- requests (4.2, 4.4)


@inlined
def _begin(rules, inputs, s, request, replica, t):  # type: ignore[no-untyped-def]
    """Begin a request on a replica with a free slot (4.4)."""
    life = s.life[replica]
    duration_s = inputs.service_time_s[request]
    if inputs.first_service_time_s.size > 0 and not life.used:
        duration_s = inputs.first_service_time_s[request]
    life.used = 1
    departure_s = t + duration_s
    row = s.requests[request]
    row.start_s = t
    row.departure_s = departure_s
    row.replica = replica
    # Not ready when this request's ARRIVAL was processed (4.7).
    row.cold = life.ready_after > request
    row.outcome = _SERVED
    if life.in_service == 0:
        _disarm(s, replica)
        if math.isnan(life.busy_since_s):
            life.busy_since_s = t
    life.in_service += 1
    s.replicas[replica].slot_s += duration_s
    code = (np.int64(request) << REPLICA_BITS) | np.int64(replica)
    heap_push(s.heap, s.n[HEAP], departure_s, code)
    s.n[HEAP] += 1


@inlined
def _pull(rules, inputs, s, replica, t):  # type: ignore[no-untyped-def]
    """Begin queued requests on a replica while it has a free slot; skip the ghosts."""
    while s.n[QUEUED] > 0 and s.life[replica].in_service < rules.concurrency_limit:
        request = s.queue[s.n[QUEUE_HEAD]]
        s.n[QUEUE_HEAD] += 1
        if s.requests[request].outcome == _UNFINISHED:
            s.n[QUEUED] -= 1
            _begin(rules, inputs, s, request, replica, t)


@inlined
def _free(rules, inputs, s, replica, t, was_available):  # type: ignore[no-untyped-def]
    """Give the free slots of a ready replica to the queue; what is left is on offer."""
    _pull(rules, inputs, s, replica, t)
    life = s.life[replica]
    if life.in_service < rules.concurrency_limit:
        _offer(rules, s, replica, was_available)
    if life.in_service == 0:
        if not math.isnan(life.busy_since_s):
            s.replicas[replica].busy_s += t - life.busy_since_s
            life.busy_since_s = math.nan
        _go_idle(rules, s, replica, t)


@inlined
def _complete(rules, inputs, s, replica, t):  # type: ignore[no-untyped-def]
    """COMPLETION (4.2)."""
    life = s.life[replica]
    was_available = life.in_service < rules.concurrency_limit
    life.in_service -= 1
    s.replicas[replica].n_served += 1
    s.x[END] = t
    if life.phase == _DRAINING:
        if life.in_service == 0:
            s.replicas[replica].busy_s += t - life.busy_since_s
            life.busy_since_s = math.nan
            s.replicas[replica].stop_s = t
            life.phase = _STOPPED
        return
    s.n[IN_SYSTEM] -= 1
    _free(rules, inputs, s, replica, t, was_available)
    if rules.cancel_setups:
        _cancel_setups(rules, s, t)


@compiled
def _become_ready(rules, inputs, s, replica, t):  # type: ignore[no-untyped-def]
    """READY (4.3)."""
    life = s.life[replica]
    life.phase = _READY
    life.ready_after = s.n[ARRIVED]
    s.replicas[replica].ready_s = t
    s.x[END] = t
    remove(s.links, s.ends, STARTING, replica)
    s.n[STARTING_NOW] -= 1
    s.n[READY] += 1
    if rules.bound:
        if life.glued < rules.concurrency_limit:
            remove(s.links, s.ends, ROOM, replica)
        request = life.glue_head
        while request != NONE:
            if s.requests[request].outcome == _UNFINISHED:
                _begin(rules, inputs, s, request, replica, t)
            request = s.next_glued[request]
        life.glued = 0
    _free(rules, inputs, s, replica, t, False)
    if rules.cancel_setups:
        _cancel_setups(rules, s, t)


@inlined
def _idle_timeout(rules, s, replica, t):  # type: ignore[no-untyped-def]
    """IDLE TIMEOUT of an armed timer (4.5)."""
    _disarm(s, replica)
    if s.n[READY] <= s.n[MIN]:
        s.life[replica].pinned = 1
    elif (
        rules.policy == _ON_DEMAND
        and not rules.plain
        and s.n[ALIVE_NOW] <= _needed(rules, s)
    ):
        _arm(s, replica, t + rules.idle_timeout_s)
    else:
        _stop_idle(rules, s, replica, t)


# ---------------------------------------------------------------- giving up (4.11)


@inlined
def _wait(rules, s, request, nothing_ready):  # type: ignore[no-untyped-def]
    """Note when a request that does not begin at once will give up."""
    if rules.at_zero == _HOLD_FOR and nothing_ready:
        s.held[s.n[HELD_TAIL]] = request
        s.n[HELD_TAIL] += 1
    elif rules.queue_timeout_s < math.inf:
        s.gives_up[s.n[GIVE_TAIL]] = request
        s.n[GIVE_TAIL] += 1


@inlined
def _next_give_up(s, waiting, head, tail, patience_s):  # type: ignore[no-untyped-def]
    """Return the time of the next GIVE-UP in a queue, past those that have begun."""
    while s.n[head] < s.n[tail]:
        row = s.requests[waiting[s.n[head]]]
        if row.outcome == _UNFINISHED:
            return row.arrival_s + patience_s
        s.n[head] += 1
    return math.inf


@compiled
def _room_again(s, replica):  # type: ignore[no-untyped-def]
    """List a starting replica by id among those with room for a glued request."""
    before = s.ends[ROOM, 1]
    while before != NONE and before > replica:
        before = s.links[before, 2 * ROOM]
    insert_after(s.links, s.ends, ROOM, before, replica)


@compiled
def _give_up(rules, s, request, t):  # type: ignore[no-untyped-def]
    row = s.requests[request]
    row.outcome = _TIMED_OUT
    s.n[IN_SYSTEM] -= 1
    s.x[END] = t
    if row.replica == NONE:
        s.n[QUEUED] -= 1
    else:
        replica = row.replica
        row.replica = NONE
        if s.life[replica].glued == rules.concurrency_limit:
            _room_again(s, replica)
        s.life[replica].glued -= 1
    if rules.cancel_setups:
        _cancel_setups(rules, s, t)


# ---------------------------------------------------------------- arrivals (4.1)


@inlined
def _over_rate(rules, s, t):  # type: ignore[no-untyped-def]
    """Take a token from the bucket; return whether there was none (4.1a)."""
    level = min(rules.burst, s.x[LEVEL] + rules.rate_per_s * (t - s.x[LEVEL_AT]))
    s.x[LEVEL_AT] = t
    s.x[LEVEL] = level if level < 1.0 else level - 1.0
    return level < 1.0


@compiled
def _glue(rules, s, request, replica):  # type: ignore[no-untyped-def]
    """Bind a request to a starting replica."""
    life = s.life[replica]
    if life.glue_head == NONE:
        life.glue_head = request
    else:
        s.next_glued[life.glue_tail] = request
    s.next_glued[request] = NONE
    life.glue_tail = request
    life.glued += 1
    s.requests[request].replica = replica
    if life.glued == rules.concurrency_limit:
        remove(s.links, s.ends, ROOM, replica)


@compiled
def _bind(rules, inputs, s, request, t):  # type: ignore[no-untyped-def]
    """Glue a request if that is possible; return launches, or -1 if it must queue (4.1d)."""
    replica = s.ends[ROOM, 0]
    launched = 0
    if replica == NONE:
        if s.n[ALIVE_NOW] >= s.n[MAX]:
            return -1
        replica = _launch(rules, inputs, s, t)
        launched = 1
        if replica == NONE:
            return launched
    _glue(rules, s, request, replica)
    return launched


@inlined
def _arrive(rules, inputs, s, request, t):  # type: ignore[no-untyped-def]
    """ARRIVAL (4.1)."""
    s.n[ARRIVED] += 1
    s.x[END] = t
    row = s.requests[request]
    row.arrival_s = t
    row.start_s = math.nan
    row.departure_s = math.nan
    row.replica = NONE
    row.cold = False
    row.launched = 0
    row.outcome = _REJECTED
    if rules.rate_per_s < math.inf and _over_rate(rules, s, t):
        return
    replica = _choose(rules, s)
    if replica != NONE:
        s.n[IN_SYSTEM] += 1
        _begin(rules, inputs, s, request, replica, t)
        in_service = s.life[replica].in_service
        if in_service == rules.concurrency_limit:
            _withdraw(rules, s, replica)
        elif rules.routing == _LEAST_LOADED or rules.routing == _MOST_LOADED:
            rank = _rank(rules, in_service)
            set_rank(s.tree, s.tree_shape, s.life[replica].position, rank)
        if rules.policy == _ON_DEMAND and not rules.plain:
            row.launched = _launch_up_to(rules, inputs, s, t, _needed(rules, s))
        return
    row.launched = _hold(rules, inputs, s, request, t)


@inlined
def _hold(rules, inputs, s, request, t):  # type: ignore[no-untyped-def]
    """Bind, queue or reject a request that found no free slot; return launches (4.1c-g)."""
    nothing_ready = s.n[READY] == 0
    if nothing_ready and rules.at_zero == _REJECT_AT_ZERO:
        return _launch_up_to(rules, inputs, s, t, min(1, s.n[MAX]))
    launched = -1
    if rules.bound:
        launched = _bind(rules, inputs, s, request, t)
    if launched < 0:
        launched = 0
        if s.n[QUEUED] >= rules.max_queued:
            return 0
        s.queue[s.n[QUEUE_TAIL]] = request
        s.n[QUEUE_TAIL] += 1
        s.n[QUEUED] += 1
    s.requests[request].outcome = _UNFINISHED
    s.n[IN_SYSTEM] += 1
    _wait(rules, s, request, nothing_ready)
    wanted = _needed(rules, s) if rules.policy == _ON_DEMAND else min(1, s.n[MAX])
    return launched + _launch_up_to(rules, inputs, s, t, wanted)


# ---------------------------------------------------------------- bounds, ticks (4.10, 9)


@compiled
def _set_bounds(rules, inputs, s, t):  # type: ignore[no-untyped-def]
    """BOUNDS (4.10)."""
    entry = s.n[NEXT_BOUNDS]
    s.n[NEXT_BOUNDS] += 1
    min_fell = inputs.bounds_min[entry] < s.n[MIN]
    s.n[MIN] = inputs.bounds_min[entry]
    s.n[MAX] = inputs.bounds_max[entry]
    _launch_up_to(rules, inputs, s, t, s.n[MIN])
    if rules.policy == _ON_DEMAND:
        _launch_up_to(rules, inputs, s, t, _needed(rules, s))
    if min_fell:
        replica = s.ends[ALIVE, 0]
        while replica != NONE:
            if s.life[replica].pinned:
                s.life[replica].pinned = 0
                _arm(s, replica, t + rules.idle_timeout_s)
            replica = s.links[replica, 2 * ALIVE + 1]
    if rules.cancel_setups:
        _cancel_setups(rules, s, t)


@compiled
def _drain(rules, s, replica, t):  # type: ignore[no-untyped-def]
    """Let a busy replica finish what it has, and take no more."""
    life = s.life[replica]
    if life.in_service < rules.concurrency_limit:
        _withdraw(rules, s, replica)
    life.phase = _DRAINING
    s.n[IN_SYSTEM] -= life.in_service
    s.n[READY] -= 1
    remove(s.links, s.ends, ALIVE, replica)
    s.n[ALIVE_NOW] -= 1
    s.x[END] = t


@compiled
def _least_in_service(s, above):  # type: ignore[no-untyped-def]
    """Return the smallest number in service above `above` on a ready replica."""
    least = OUT
    replica = s.ends[ALIVE, 0]
    while replica != NONE:
        in_service = s.life[replica].in_service
        if in_service > above and in_service < least:
            least = in_service
        replica = s.links[replica, 2 * ALIVE + 1]
    return least


@compiled
def _remove_replicas(rules, s, t, count):  # type: ignore[no-untyped-def]
    """Remove starting, then idle, then the least busy replicas, large ids first (9)."""
    while count > 0 and s.ends[STARTING, 1] != NONE:
        _abort_setup(rules, s, s.ends[STARTING, 1], t)
        count -= 1
    level = 0
    while count > 0 and level != OUT:
        replica = s.ends[ALIVE, 1]
        while count > 0 and replica != NONE:
            before = s.links[replica, 2 * ALIVE]
            if s.life[replica].in_service == level:
                if level == 0:
                    _stop_idle(rules, s, replica, t)
                else:
                    _drain(rules, s, replica, t)
                count -= 1
            replica = before
        level = _least_in_service(s, level)


@compiled
def _window_mean(rules, s, now_s):  # type: ignore[no-untyped-def]
    """Return the mean requests in system over (now - window, now], before 0 none (9.1)."""
    start = 2 * (s.n[NEXT_TICK] % (s.samples.size // 2))
    area = s.x[AREA]
    error = s.x[AREA_ERROR]
    if now_s - rules.scaling_window_s > 0.0:
        area -= s.samples[start]
        error -= s.samples[start + 1]
    return (area + error) / rules.scaling_window_s


@compiled
def _tick(rules, inputs, s, t):  # type: ignore[no-untyped-def]
    """TICK (9)."""
    alive = s.n[ALIVE_NOW]
    if rules.policy == _QUEUE_DELAY:
        if s.n[QUEUED] > 0 and alive < s.n[MAX]:
            head = s.queue[s.n[QUEUE_HEAD]]
            while s.requests[head].outcome != _UNFINISHED:
                s.n[QUEUE_HEAD] += 1
                head = s.queue[s.n[QUEUE_HEAD]]
            if t > s.requests[head].arrival_s + rules.threshold_s:
                _launch(rules, inputs, s, t)
        desired = 0
    elif rules.policy == _REQUEST_COUNT:
        desired = needed_replicas(s.n[IN_SYSTEM], rules.requests_per_replica, 0)
    else:
        mean = _window_mean(rules, s, t)
        desired = window_desired(
            mean, rules.concurrency_target, rules.target_utilization
        )
    desired = clamped(desired, s.n[IN_SYSTEM], s.n[MIN], s.n[MAX])
    _launch_up_to(rules, inputs, s, t, desired)
    if rules.policy == _WINDOW:
        low_since_s = below_since(t, s.x[LOW_SINCE], desired, alive)
        if not math.isnan(low_since_s) and t >= low_since_s + rules.scale_down_delay_s:
            step = scale_down_step(alive, desired, rules.max_scale_down_fraction)
            _remove_replicas(rules, s, t, step)
            low_since_s = t
        s.x[LOW_SINCE] = low_since_s
    s.n[NEXT_TICK] += 1


@compiled
def _ticks_go_on(rules, inputs, s, n_requests):  # type: ignore[no-untyped-def]
    """Return whether the loop has anything left to decide (7)."""
    return (
        s.n[ARRIVED] < n_requests
        or s.n[NEXT_BOUNDS] < inputs.bounds_s.size
        or (s.n[IN_SYSTEM] > 0 and s.n[MAX] > 0)
        or (rules.policy == _WINDOW and s.n[ALIVE_NOW] != s.n[MIN])
    )


@inlined
def _add_area(s, t):  # type: ignore[no-untyped-def]
    """Add to the integral of requests in system, keeping its rounding error (Knuth)."""
    part = s.n[IN_SYSTEM] * (t - s.x[AREA_AT])
    area = s.x[AREA]
    total = area + part
    shadow = total - area
    s.x[AREA_ERROR] += (area - (total - shadow)) + (part - shadow)
    s.x[AREA] = total
    s.x[AREA_AT] = t


@inlined
def _integrate(rules, s, t):  # type: ignore[no-untyped-def]
    """Advance the integral to t, noting it where coming windows begin."""
    while True:
        tick = s.n[NEXT_SAMPLE]
        window_start_s = tick * rules.scaling_interval_s - rules.scaling_window_s
        if window_start_s > t:
            break
        if window_start_s > 0.0:
            _add_area(s, window_start_s)
            slot = 2 * (tick % (s.samples.size // 2))
            s.samples[slot] = s.x[AREA]
            s.samples[slot + 1] = s.x[AREA_ERROR]
        s.n[NEXT_SAMPLE] += 1
    _add_area(s, t)


# ---------------------------------------------------------------- the loop (3, 6, 7)


@compiled
def _begin_run(rules, s, initial_replicas):  # type: ignore[no-untyped-def]
    """Set up the replicas that are ready and idle at 0 (6)."""
    for _ in range(initial_replicas):
        replica = _new_replica(rules, s, 0.0)
        s.replicas[replica].ready_s = 0.0
        s.life[replica].phase = _READY
        s.n[READY] += 1
        _offer(rules, s, replica, False)
        _go_idle(rules, s, replica, 0.0)


@compiled
def _end_run(rules, s):  # type: ignore[no-untyped-def]
    """Take back what the end cut off: departures, and seconds counted ahead."""
    end_s = s.x[END]
    for event in range(s.n[HEAP]):
        code = s.heap[event].code
        if code < READY_CLASS:
            row = s.requests[code >> REPLICA_BITS]
            s.replicas[row.replica].slot_s -= row.departure_s - end_s
            row.departure_s = math.nan
            row.outcome = _UNFINISHED
    for replica in range(s.n[REPLICAS]):
        life = s.life[replica]
        if not math.isnan(life.busy_since_s):
            s.replicas[replica].busy_s += end_s - life.busy_since_s
        request = life.glue_head if life.phase == _STARTING else NONE
        while request != NONE:
            s.requests[request].replica = NONE
            request = s.next_glued[request]


@compiled
def run_pool(rules, inputs, s, n_requests, initial_replicas):  # type: ignore[no-untyped-def]  # noqa: C901, PLR0912, PLR0915 - the event loop
    """Run the pool to its end (7); the state's arrays hold the result.

    Parameters
    ----------
    rules : Rules
    inputs : Inputs
    s : State
        Fresh.
    n_requests : int
        Requests that arrive before the horizon.
    initial_replicas : int
        Ready and idle at 0.
    """
    _begin_run(rules, s, initial_replicas)
    windowed = rules.policy == _WINDOW
    ticking = rules.policy != _ON_DEMAND
    patient = rules.queue_timeout_s == math.inf and rules.at_zero != _HOLD_FOR
    next_arrival_s = inputs.arrival_s[0] if n_requests > 0 else math.inf
    while True:
        # Earlier classes win ties, so only a strictly earlier time takes over.
        t = s.heap[0].time_s if s.n[HEAP] > 0 else math.inf
        event = 0
        timer = s.ends[TIMER, 0]
        if timer != NONE and s.life[timer].deadline_s < t:
            t = s.life[timer].deadline_s
            event = 2
        gives_up_held = False
        if not patient:
            give_up_s = _next_give_up(
                s, s.gives_up, GIVE_HEAD, GIVE_TAIL, rules.queue_timeout_s
            )
            held_s = _next_give_up(s, s.held, HELD_HEAD, HELD_TAIL, rules.hold_for_s)
            if min(give_up_s, held_s) < t:
                t = min(give_up_s, held_s)
                event = 3
                gives_up_held = held_s < give_up_s or (
                    held_s == give_up_s
                    and s.held[s.n[HELD_HEAD]] < s.gives_up[s.n[GIVE_HEAD]]
                )
        if next_arrival_s < t:
            t = next_arrival_s
            event = 4
        if s.n[NEXT_BOUNDS] < inputs.bounds_s.size:
            if inputs.bounds_s[s.n[NEXT_BOUNDS]] < t:
                t = inputs.bounds_s[s.n[NEXT_BOUNDS]]
                event = 5
        if ticking and s.n[NEXT_TICK] * rules.scaling_interval_s < t:
            t = s.n[NEXT_TICK] * rules.scaling_interval_s
            event = 6
        if t == math.inf or (
            rules.cut and (t > rules.horizon_s or (t == rules.horizon_s and event >= 4))
        ):
            break
        if windowed:
            _integrate(rules, s, t)

        if event == 4:
            request = s.n[ARRIVED]
            _arrive(rules, inputs, s, request, t)
            request += 1
            next_arrival_s = (
                inputs.arrival_s[request] if request < n_requests else math.inf
            )
        elif event == 0:
            code = s.heap[0].code
            heap_pop(s.heap, s.n[HEAP])
            s.n[HEAP] -= 1
            replica = code & REPLICA_MASK
            if code < READY_CLASS:
                _complete(rules, inputs, s, replica, t)
            elif s.life[replica].phase == _STARTING:
                _become_ready(rules, inputs, s, replica, t)
        elif event == 2:
            _idle_timeout(rules, s, timer, t)
        elif event == 3:
            if gives_up_held:
                request = s.held[s.n[HELD_HEAD]]
            else:
                request = s.gives_up[s.n[GIVE_HEAD]]
            _give_up(rules, s, request, t)
        elif event == 5:
            _set_bounds(rules, inputs, s, t)
        else:
            _tick(rules, inputs, s, t)
            ticking = _ticks_go_on(rules, inputs, s, n_requests)
        if s.n[LAUNCHES] > inputs.setup_time_s.size:
            return
    if rules.cut or s.x[END] < rules.horizon_s < math.inf:
        s.x[END] = rules.horizon_s
    _end_run(rules, s)
