"""The compiled event loop of one pool: docs/model.md sections 1 to 11, clause by clause.

The loop takes the pending event with the smallest (time, class, id), advances the clock,
applies it, and schedules what follows:

====== =============== ========================= =================================
class  event           applied in                waits in
====== =============== ========================= =================================
0      COMPLETION      ``service.complete``      ``heap``
1      READY           ``service.become_ready``  ``heap``
1.3    FAILURE         ``failures.fail``         ``heap``
1.6    RETRY           ``failures.retry``        ``heap``
1.8    PREWARM         ``keepalive.prewarm``     ``heap``
2      IDLE TIMEOUT    ``replicas.idle_timeout`` list TIMER: a constant timeout
                                                 falls due in the order of going
                                                 idle
3      GIVE-UP         ``arrival.give_up``       two lines in the ring of those who
                                                 wait: a constant patience falls due
                                                 in the order of joining
4      ARRIVAL         ``arrival.arrive``        the chunk of arrivals
5      BOUNDS          ``control.set_bounds``    the schedule
6      TICK            ``control.tick``          a clock
====== =============== ========================= =================================

An event says how many replicas it wants; what is missing is launched after it.

Times are seconds from the start; a derived time is one addition (3.2). What the loop
knows is in ``state``: ``s.pool`` for the pool, ``s.life`` for each replica. It stops where
it needs something and, called again, goes on as if it had not stopped.
"""

from __future__ import annotations

import math
from enum import IntEnum
from typing import TYPE_CHECKING

from costsim.records import Outcome
from costsim.simulation.arrival import arrive, give_up, next_give_up
from costsim.simulation.compiled import (
    compiled,
    inlined,
    inner,
    source_digest,
    spliced,
    unsigned,
)
from costsim.simulation.control import (
    answer_poke,
    set_bounds,
    tick,
    ticks_go_on,
    upcoming_tick_s,
)
from costsim.simulation.failures import fail, retry
from costsim.simulation.heap import (
    FAILURE_CLASS,
    PLACE_MASK,
    PREWARM_CLASS,
    READY_CLASS,
    RETRY_CLASS,
    event_id,
    heap_pop,
    key_time,
)
from costsim.simulation.jobs import end_job, leave_unfinished, settle_begun
from costsim.simulation.keepalive import go_idle, prewarm
from costsim.simulation.linked import NONE, STOPPED, TIMER, append, first
from costsim.simulation.observation import observe
from costsim.simulation.replicas import (
    expect_failure,
    idle_timeout,
    launch,
    new_replica,
    take_away,
)
from costsim.simulation.room import room_to_join, room_to_launch
from costsim.simulation.routing import offer
from costsim.simulation.rows import settle_unserved
from costsim.simulation.rules import AtZero
from costsim.simulation.service import become_ready, complete, tell_busy
from costsim.simulation.state import GIVES_UP, GONE, HELD, NOBODY, OLDEST, Phase

if TYPE_CHECKING:
    from collections.abc import Callable


class Stopped(IntEnum):
    """Why the loop stopped."""

    ENDED = 0
    """The run is over (7)."""
    NEEDS_ARRIVALS = 1
    """The chunk is used up."""
    NEEDS_SETUPS = 2
    """So are the setup times, or it says ``no_more_setups`` and goes on into an overrun."""
    NEEDS_ROOM = 3
    """Something may not fit."""
    OVERRUN = 4
    """There are fewer setup times than launches."""


_ENDED = int(Stopped.ENDED)
_NEEDS_ARRIVALS = int(Stopped.NEEDS_ARRIVALS)
_NEEDS_SETUPS = int(Stopped.NEEDS_SETUPS)
_NEEDS_ROOM = int(Stopped.NEEDS_ROOM)
_OVERRUN = int(Stopped.OVERRUN)

_CHUNK_USED_UP = -1.0
"""Stands for the time of an arrival that has not been given."""

_COMPLETION = 0
_IDLE_TIMEOUT = 2
_GIVE_UP = 3
_ARRIVAL = 4
_BOUNDS = 5
_TICK = 6

_READY = int(Phase.READY)
_STARTING = int(Phase.STARTING)
_STOPPED = int(Phase.STOPPED)
_UNFINISHED = int(Outcome.UNFINISHED)
_HOLD_FOR = int(AtZero.HOLD_FOR)


@inner
def _begin_run(rules, inputs, s, initial_replicas):  # type: ignore[no-untyped-def]
    """Set up the replicas that are ready and idle at 0 (6)."""
    for _ in range(initial_replicas):
        replica = new_replica(rules, s, 0.0)
        s.life[replica].ready_s = 0.0
        s.life[replica].phase = _READY
        s.pool.n_ready += 1
        offer(rules, s, replica)
        if rules.measures_busy:
            s.life[replica].deadline_s = 0.0
        go_idle(rules, s, replica, 0.0)
        if rules.fails:
            lifetime_s = inputs.initial_lifetime_s[s.life[replica].id]
            expect_failure(s, replica, 0.0, lifetime_s)


@inner
def _settle_events(rules, s, end_s):  # type: ignore[no-untyped-def]
    """Settle who backs off at the end, and take back service that lies after it."""
    for event in range(1, s.pool.n_events + 1):
        code = s.heap[event].code
        if code < READY_CLASS and not rules.tracked:
            departure_s = key_time(s.heap[event].key)
            s.life[code & PLACE_MASK].slot_s -= departure_s - end_s
        elif RETRY_CLASS <= code < PREWARM_CLASS:
            settle_begun(rules, s, s.jobs[code & PLACE_MASK], math.nan, _UNFINISHED)


@inner
def _end_run(rules, s):  # type: ignore[no-untyped-def]
    """Settle what the end cut off, and take back seconds that were counted ahead."""
    pool = s.pool
    if rules.cut or pool.end_s < rules.horizon_s < math.inf:
        pool.end_s = rules.horizon_s
    end_s = pool.end_s
    _settle_events(rules, s, end_s)
    for place in range(pool.cursors[OLDEST], pool.tail):
        entry = s.waits[place & (s.waits.size - 1)]
        if entry.state != GONE:
            settle_unserved(rules, s, entry.id, entry.arrival_s, math.nan, _UNFINISHED)
    for replica in range(pool.n_slots):
        life = s.life[replica]
        if life.id != NOBODY and life.phase != _STOPPED:
            if not math.isnan(life.busy_since_s):
                life.busy_s += end_s - life.busy_since_s
                if rules.tracked and not rules.records:
                    tell_busy(s, life, math.nan)
            if rules.tracked:
                leave_unfinished(rules, s, replica, end_s)
            append(s, STOPPED, replica)


@inlined
def _setups_used_up(inputs, s):  # type: ignore[no-untyped-def]
    """Return whether the next launch has no setup time, though there may be more."""
    used = s.pool.launches - s.pool.first_setup
    return used >= inputs.setup_time_s.size and not s.pool.no_more_setups


@inner
def _launch_wanted(rules, inputs, s):  # type: ignore[no-untyped-def]
    """Launch what the event before wanted; return what is needed for that, or ENDED."""
    pool = s.pool
    if s.memory.poked:
        answer_poke(rules, s, pool.wanted_at_s)
    while pool.n_alive < pool.wanted:
        if not room_to_launch(s):
            return _NEEDS_ROOM
        if _setups_used_up(inputs, s):
            return _NEEDS_SETUPS
        if launch(rules, inputs, s, pool.wanted_at_s) == NONE:
            return _OVERRUN
        if rules.records and pool.wanted_for != NOBODY:
            s.requests[pool.wanted_for].launched += 1
    pool.wanted = 0
    pool.wanted_for = NOBODY
    return _ENDED


@inlined
def _at_rest(pool):  # type: ignore[no-untyped-def]
    """Return whether no request is left that a replica could serve."""
    return pool.in_system == 0 and pool.n_in_progress == 0 and pool.backing_off == 0


@inner
def _apply_heap_event(rules, inputs, s, t):  # type: ignore[no-untyped-def]
    """Apply what is first in the heap, other than a completion without jobs."""
    code = s.heap[1].code
    heap_pop(s.heap, s.pool.n_events)
    s.pool.n_events -= 1
    place = code & PLACE_MASK
    if code >= PREWARM_CLASS:
        prewarm(s, event_id(code), t)
        return
    if code >= RETRY_CLASS:
        retry(rules, inputs, s, place, t)
        return
    if code < READY_CLASS:
        if end_job(rules, s, event_id(code), place, t):
            complete(rules, s, place, t)
        return
    # A slot may be another replica's by now.
    life = s.life[place]
    if life.id != event_id(code):
        return
    if code >= FAILURE_CLASS:
        if life.phase != _STOPPED:
            fail(rules, s, place, t)
    elif life.phase == _STARTING:
        become_ready(rules, s, place, t)


@spliced
def _run(rules, inputs, s, initial_replicas):  # type: ignore[no-untyped-def]  # noqa: C901, PLR0912, PLR0915 - the event loop
    """Run the event loop (3, 6, 7); ``run_pool`` is the same for Python."""
    pool = s.pool
    if not pool.begun:
        pool.begun = True
        _begin_run(rules, inputs, s, initial_replicas)
    last_arrival = pool.first_arrival + inputs.arrival_s.size
    observes = rules.observes
    impatient = rules.queue_timeout_s < math.inf or rules.at_zero == _HOLD_FOR
    cut_s = rules.cut_s
    # Completions of requests whose end was known when they began have lower codes.
    known = 0 if rules.tracked else READY_CLASS
    pool.spare = 0
    next_arrival_s = _next_arrival_s(inputs, pool, last_arrival)
    next_tick_s = math.inf
    if pool.ticking:
        next_tick_s = upcoming_tick_s(rules, s)
    next_bounds_s = math.inf
    if pool.next_bounds < inputs.bounds.size:
        next_bounds_s = inputs.bounds[pool.next_bounds].time_s
    leaves = NOBODY
    while True:
        if pool.wanted > 0:
            needs = _launch_wanted(rules, inputs, s)
            if needs != _ENDED:
                return needs
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
        if t >= cut_s and (t > cut_s or event >= _ARRIVAL or t == math.inf):
            break
        if event == _ARRIVAL:
            if pool.spare <= 0:
                if t == _CHUNK_USED_UP:
                    return _NEEDS_ARRIVALS
                room = room_to_join(rules, s)
                if room <= 0:
                    return _NEEDS_ROOM
                pool.spare = min(room, last_arrival - pool.arrived)
        elif event == _COMPLETION and s.heap[1].code >= FAILURE_CLASS:
            # Who dies when all is done is of no interest (11.6).
            late = rules.horizon_s == math.inf or t >= rules.horizon_s
            none_to_come = next_arrival_s == math.inf and next_bounds_s == math.inf
            dies = s.heap[1].code < RETRY_CLASS
            if dies and late and none_to_come and _at_rest(pool):
                heap_pop(s.heap, pool.n_events)
                pool.n_events -= 1
                continue
            if room_to_join(rules, s) <= 0:
                return _NEEDS_ROOM
            pool.spare = 0
        # A launch that a request is bound to is made within the event.
        if rules.bound and _setups_used_up(inputs, s):
            return _NEEDS_SETUPS
        if observes:
            observe(rules, s, t)

        if event == _ARRIVAL:
            pool.spare -= 1
            arrive(rules, inputs, s, t)
            next_arrival_s = _next_arrival_s(inputs, pool, last_arrival)
        elif event == _COMPLETION:
            code = s.heap[1].code
            if code < known:
                heap_pop(s.heap, pool.n_events)
                pool.n_events -= 1
                complete(rules, s, code & PLACE_MASK, t)
            else:
                _apply_heap_event(rules, inputs, s, t)
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
            tick(rules, s, t)
            pool.ticking = ticks_go_on(rules, inputs, s)
            next_tick_s = math.inf
            if pool.ticking:
                next_tick_s = upcoming_tick_s(rules, s)
        if rules.bound and pool.launches - pool.first_setup > inputs.setup_time_s.size:
            return _OVERRUN
    _end_run(rules, s)
    return _ENDED


@inlined
def _next_arrival_s(inputs, pool, last_arrival):  # type: ignore[no-untyped-def]
    """Return when the next request arrives; before all else, if that is not known yet."""
    if pool.arrived < last_arrival:
        return inputs.arrival_s[unsigned(pool.arrived - pool.first_arrival)]
    return math.inf if pool.last_chunk else _CHUNK_USED_UP


@inlined
def _next_to_leave(rules, s):  # type: ignore[no-untyped-def]
    """Return the time and the place of the next GIVE-UP; the request's id breaks a tie."""
    give_up_s, place = next_give_up(s, GIVES_UP, rules.queue_timeout_s)
    held_s, held = next_give_up(s, HELD, rules.hold_for_s)
    if held_s < give_up_s or (held_s == give_up_s and held < place):
        return held_s, held
    return give_up_s, place


def _cached(digest: int) -> Callable[..., tuple[int, int]]:
    """Return the loop for Python; the cache is of use while `digest` stays the same."""

    @compiled
    def run_pool(rules, inputs, s, initial_replicas, rows, ids):  # type: ignore[no-untyped-def]
        _ = digest  # what a function encloses is in its key in numba's cache
        why = _run(rules, inputs, s, initial_replicas)
        return why, take_away(s, rows, ids)

    return run_pool


run_pool = _cached(source_digest())
"""Run a pool until it needs something or is at its end.

Parameters
----------
rules : RULES_DTYPE
inputs : Inputs
    Whatever has not been used yet.
s : State
initial_replicas : int
    Ready and idle at 0.
rows, ids : ndarray of REPLICA_DTYPE and of int64
    Room for as many replicas as there are slots: those that have stopped.

Returns
-------
int, int
    Why it stopped (``Stopped``), and how many rows it wrote.
"""
