"""The compiled event loop of one pool: docs/model.md sections 1 to 9, clause by clause.

The loop takes the pending event with the smallest (time, class, id), advances the clock,
applies it, and schedules what follows:

====== =============== ========================= =================================
class  event           applied in                waits in
====== =============== ========================= =================================
0      COMPLETION      ``service.complete``      ``heap``
1      READY           ``service.become_ready``  ``heap``
2      IDLE TIMEOUT    ``replicas.idle_timeout`` list TIMER: a constant timeout
                                                 falls due in the order of going
                                                 idle
3      GIVE-UP         ``arrival.give_up``       two lines: a constant patience
                                                 falls due in the order of arrival
4      ARRIVAL         ``arrival.arrive``        the arrays of requests
5      BOUNDS          ``control.set_bounds``    the schedule
6      TICK            ``control.tick``          a counter
====== =============== ========================= =================================

Times are seconds from the start; a derived time is one addition (3.2). What the loop
knows is in ``state``: ``s.pool`` for the pool, ``s.life`` for each replica.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from costsim.records import Outcome
from costsim.simulation.arrival import arrive, give_up, next_give_up
from costsim.simulation.autoscaler import Policy
from costsim.simulation.compiled import (
    compiled,
    inlined,
    inner,
    source_digest,
    spliced,
    unsigned,
)
from costsim.simulation.control import integrate, set_bounds, tick, ticks_go_on
from costsim.simulation.heap import (
    READY_CLASS,
    REPLICA_BITS,
    REPLICA_MASK,
    heap_pop,
    key_time,
)
from costsim.simulation.linked import NONE, TIMER, first
from costsim.simulation.replicas import go_idle, idle_timeout, new_replica
from costsim.simulation.routing import offer
from costsim.simulation.rules import AtZero
from costsim.simulation.service import become_ready, complete
from costsim.simulation.state import GIVES_UP, HELD, NEXT_GLUED, Phase

if TYPE_CHECKING:
    from collections.abc import Callable

_COMPLETION = 0
_IDLE_TIMEOUT = 2
_GIVE_UP = 3
_ARRIVAL = 4
_BOUNDS = 5
_TICK = 6

_STARTING = int(Phase.STARTING)
_READY = int(Phase.READY)
_UNFINISHED = int(Outcome.UNFINISHED)
_ON_DEMAND = int(Policy.ON_DEMAND)
_WINDOW = int(Policy.CONCURRENCY_WINDOW)
_HOLD_FOR = int(AtZero.HOLD_FOR)


@inner
def _begin_run(rules, s, initial_replicas):  # type: ignore[no-untyped-def]
    """Set up the replicas that are ready and idle at 0 (6)."""
    for _ in range(initial_replicas):
        replica = new_replica(rules, s, 0.0)
        s.replicas[replica].ready_s = 0.0
        s.life[replica].phase = _READY
        s.pool.n_ready += 1
        offer(rules, s, replica)
        go_idle(rules, s, replica, 0.0)


@inner
def _end_run(s):  # type: ignore[no-untyped-def]
    """Take back what the end cut off: departures, and seconds counted ahead."""
    end_s = s.pool.end_s
    for event in range(1, s.pool.n_events + 1):
        code = s.heap[event].code
        if code < READY_CLASS:
            row = s.requests[code >> REPLICA_BITS]
            s.life[row.replica].slot_s -= row.departure_s - end_s
            row.departure_s = math.nan
            row.outcome = _UNFINISHED
    for replica in range(s.pool.n_replicas):
        life = s.life[replica]
        if not math.isnan(life.busy_since_s):
            life.busy_s += end_s - life.busy_since_s
        record = s.replicas[replica]
        record.busy_s = life.busy_s
        record.slot_s = life.slot_s
        record.n_served = life.n_served
        request = life.glue_head if life.phase == _STARTING else NONE
        while request != NONE:
            s.requests[request].replica = -1
            request = s.waits[NEXT_GLUED, request]


@spliced
def _run(rules, inputs, s, n_requests, initial_replicas):  # type: ignore[no-untyped-def]  # noqa: C901, PLR0912, PLR0915 - the event loop
    """Run the event loop (3, 6, 7); ``run_pool`` is the same for Python."""
    _begin_run(rules, s, initial_replicas)
    pool = s.pool
    windowed = rules.policy == _WINDOW
    impatient = rules.queue_timeout_s < math.inf or rules.at_zero == _HOLD_FOR
    cut_s = rules.horizon_s if rules.cut else math.inf
    next_arrival_s = inputs.arrival_s[0] if n_requests > 0 else math.inf
    next_bounds_s = inputs.bounds[0].time_s if inputs.bounds.size > 0 else math.inf
    next_tick_s = math.inf if rules.policy == _ON_DEMAND else rules.scaling_interval_s
    leaves = NONE
    while True:
        # Earlier classes win ties, so only a strictly earlier time takes over.
        t = key_time(s.heap[1].key) if pool.n_events > 0 else math.inf
        event = _COMPLETION
        timer = first(s, TIMER)
        if timer != NONE and s.life[unsigned(timer)].deadline_s < t:
            t = s.life[unsigned(timer)].deadline_s
            event = _IDLE_TIMEOUT
        if impatient:
            give_up_s, leaves = _next_to_leave(rules, s)
            if give_up_s < t:
                t = give_up_s
                event = _GIVE_UP
        if next_arrival_s < t:
            t = next_arrival_s
            event = _ARRIVAL
        if next_bounds_s < t:
            t = next_bounds_s
            event = _BOUNDS
        if next_tick_s < t:
            t = next_tick_s
            event = _TICK
        if t == math.inf or t > cut_s or (t == cut_s and event >= _ARRIVAL):
            break
        if windowed:
            integrate(rules, s, t)

        if event == _ARRIVAL:
            arrive(rules, inputs, s, t)
            next_arrival_s = (
                inputs.arrival_s[pool.arrived]
                if pool.arrived < n_requests
                else math.inf
            )
        elif event == _COMPLETION:
            code = s.heap[1].code
            heap_pop(s.heap, pool.n_events)
            pool.n_events -= 1
            replica = code & REPLICA_MASK
            if code < READY_CLASS:
                complete(rules, inputs, s, replica, t)
            elif s.life[replica].phase == _STARTING:
                become_ready(rules, inputs, s, replica, t)
        elif event == _IDLE_TIMEOUT:
            idle_timeout(rules, s, timer, t)
        elif event == _GIVE_UP:
            give_up(rules, s, leaves, t)
        elif event == _BOUNDS:
            set_bounds(rules, inputs, s, t)
            next_bounds_s = math.inf
            if pool.next_bounds < inputs.bounds.size:
                next_bounds_s = inputs.bounds[pool.next_bounds].time_s
        else:
            tick(rules, inputs, s, t)
            next_tick_s = math.inf
            if ticks_go_on(rules, inputs, s, n_requests):
                next_tick_s = pool.next_tick * rules.scaling_interval_s
        if pool.launches > inputs.setup_time_s.size:
            return
    if rules.cut or pool.end_s < rules.horizon_s < math.inf:
        pool.end_s = rules.horizon_s
    _end_run(s)


@inlined
def _next_to_leave(rules, s):  # type: ignore[no-untyped-def]
    """Return the time and the request of the next GIVE-UP; the index breaks a tie."""
    give_up_s, request = next_give_up(s, GIVES_UP, rules.queue_timeout_s)
    held_s, held = next_give_up(s, HELD, rules.hold_for_s)
    if held_s < give_up_s or (held_s == give_up_s and held < request):
        return held_s, held
    return give_up_s, request


def _cached(digest: int) -> Callable[..., None]:
    """Return the loop for Python; the cache is of use while `digest` stays the same."""

    @compiled
    def run_pool(rules, inputs, s, n_requests, initial_replicas):  # type: ignore[no-untyped-def]
        _ = digest  # what a function encloses is in its key in numba's cache
        _run(rules, inputs, s, n_requests, initial_replicas)

    return run_pool


run_pool = _cached(source_digest())
"""Run a pool to its end (7); the state's arrays hold the result.

Parameters
----------
rules : RULES_DTYPE
inputs : Inputs
s : State
    Fresh.
n_requests : int
    Requests that arrive before the horizon.
initial_replicas : int
    Ready and idle at 0.
"""
