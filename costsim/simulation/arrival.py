"""A request arrives or comes back, waits, gives up (docs/model.md 4.1, 4.11, 11)."""

from __future__ import annotations

import math

import numpy as np

from costsim.records import Outcome
from costsim.simulation.autoscaler import Policy
from costsim.simulation.compiled import inlined, inner, unsigned
from costsim.simulation.keepalive import become_empty, note_idle_time
from costsim.simulation.linked import (
    NONE,
    ROOM,
    before,
    first,
    insert_after,
    last,
    remove,
)
from costsim.simulation.replicas import cancel_setups, launch, needed, want_for
from costsim.simulation.routing import choose, load
from costsim.simulation.rows import settle_unserved
from costsim.simulation.rules import AtZero
from costsim.simulation.service import begin
from costsim.simulation.state import (
    GIVES_UP,
    GLUED,
    GONE,
    HELD,
    NOBODY,
    QUEUED,
)

_REJECTED = int(Outcome.REJECTED)
_TIMED_OUT = int(Outcome.TIMED_OUT)
_UNFINISHED = int(Outcome.UNFINISHED)
_ON_DEMAND = int(Policy.ON_DEMAND)
_KNATIVE = int(Policy.KNATIVE)
_REJECT_AT_ZERO = int(AtZero.REJECT)
_HOLD_FOR = int(AtZero.HOLD_FOR)
_PATIENT = np.int64(-1)
"""In no line of those who give up."""


@inlined
def arrive(rules, inputs, s, t):  # type: ignore[no-untyped-def]
    """ARRIVAL (4.1)."""
    request = s.pool.arrived
    here = unsigned(request - s.pool.first_arrival)
    s.pool.arrived = request + 1
    if rules.rate_per_s < math.inf and _over_rate(rules, s, t):
        s.pool.end_s = t
        settle_unserved(rules, s, request, t, t, _REJECTED)
        return
    join(
        rules,
        inputs,
        s,
        request,
        t,
        inputs.service_time_s[here],
        inputs.first_service_time_s[here],
        np.int32(0),  # not Python's: `join` is compiled once for all
        t,
    )


@inlined
def join(  # type: ignore[no-untyped-def]
    rules,
    inputs,
    s,
    request,
    arrival_s,
    service_time_s,
    first_service_time_s,
    attempts,
    t,
):
    """Begin a request, or have it wait, or reject it (4.1b-g)."""
    s.pool.end_s = t
    if rules.learns and s.pool.in_system == 0:
        note_idle_time(rules, s, t)
    replica = choose(rules, s)
    if replica == NONE:
        _hold(
            rules,
            inputs,
            s,
            request,
            arrival_s,
            service_time_s,
            first_service_time_s,
            attempts,
            t,
        )
        return
    s.pool.in_system += 1
    begin(
        rules,
        s,
        request,
        arrival_s,
        service_time_s,
        first_service_time_s,
        attempts,
        np.bool_(False),
        replica,
        t,
    )
    load(rules, s, replica)
    if rules.policy == _ON_DEMAND and not rules.plain:
        want_for(s, t, request, needed(rules, s))


@inlined
def _over_rate(rules, s, t):  # type: ignore[no-untyped-def]
    """Take a token from the bucket; return whether there was none (4.1a)."""
    earned = rules.rate_per_s * (t - s.pool.level_at_s)
    level = min(rules.burst, s.pool.level + earned)
    s.pool.level_at_s = t
    s.pool.level = level if level < 1.0 else level - 1.0
    return level < 1.0


@inner
def _hold(  # type: ignore[no-untyped-def]
    rules,
    inputs,
    s,
    request,
    arrival_s,
    service_time_s,
    first_service_time_s,
    attempts,
    t,
):
    """Bind, queue or reject a request that found no free slot (4.1c-g)."""
    pool = s.pool
    nothing_ready = pool.n_ready == 0
    if nothing_ready and rules.at_zero == _REJECT_AT_ZERO:
        settle_unserved(rules, s, request, arrival_s, t, _REJECTED)
        if pool.n_alive == 0:
            _wake(rules, s, request, t)
        return
    replica = _to_bind(rules, inputs, s, request, t) if rules.bound else NONE
    if replica == NONE and pool.n_queued >= rules.max_queued:
        settle_unserved(rules, s, request, arrival_s, t, _REJECTED)
        return
    if rules.records:
        settle_unserved(rules, s, request, arrival_s, math.nan, _UNFINISHED)
    pool.in_system += 1
    pool.n_waiting += 1
    entry = s.waits[pool.tail & (s.waits.size - 1)]
    entry.arrival_s = arrival_s
    entry.joined_s = t
    entry.service_time_s = service_time_s
    entry.first_service_time_s = first_service_time_s
    entry.id = request
    entry.joined_as = pool.arrived + pool.retried - 1
    entry.attempts = attempts
    entry.line = _PATIENT
    if rules.at_zero == _HOLD_FOR and nothing_ready:
        entry.line = HELD
    elif rules.queue_timeout_s < math.inf:
        entry.line = GIVES_UP
    if replica == NONE:
        entry.state = QUEUED
        pool.n_queued += 1
    else:
        entry.state = GLUED
        _glue(rules, s, pool.tail, replica)
    pool.tail += 1
    if rules.policy == _ON_DEMAND:
        want_for(s, t, request, needed(rules, s))
    elif pool.n_alive == 0:
        _wake(rules, s, request, t)


@inner
def _wake(rules, s, request, t):  # type: ignore[no-untyped-def]
    """Launch one for a request that finds nothing alive, if the loop does so (4.1c, g)."""
    pool, memory = s.pool, s.memory
    if rules.wakes_itself:
        memory.without_capacity = 1
    elif pool.max_replicas > 0:
        memory.last_scaled_s = t
        memory.poked = rules.policy == _KNATIVE
        want_for(s, t, request, np.int64(1))


@inner
def _to_bind(rules, inputs, s, request, t):  # type: ignore[no-untyped-def]
    """Return the starting replica that a request waits for; NONE: it must queue (4.1d)."""
    replica = first(s, ROOM)
    if replica == NONE and s.pool.n_alive < s.pool.max_replicas:
        replica = launch(rules, inputs, s, t)
        if rules.records:
            s.requests[request].launched += 1
    return replica


@inner
def _glue(rules, s, place, replica):  # type: ignore[no-untyped-def]
    """Bind a request to a starting replica."""
    life = s.life[replica]
    entry = s.waits[place & (s.waits.size - 1)]
    entry.slot = replica
    entry.next_glued = NOBODY
    if life.glue_head == NOBODY:
        life.glue_head = place
    else:
        s.waits[life.glue_tail & (s.waits.size - 1)].next_glued = place
    life.glue_tail = place
    life.glued += 1
    if life.glued == rules.concurrency_limit:
        remove(s, ROOM, replica)


@inlined
def next_give_up(s, which, patience_s):  # type: ignore[no-untyped-def]
    """Return when the first in a line gives up, and its place, past those who left."""
    while s.pool.cursors[which] < s.pool.tail:
        place = s.pool.cursors[which]
        entry = s.waits[place & (s.waits.size - 1)]
        if entry.state != GONE and entry.line == which:
            return entry.joined_s + patience_s, place
        s.pool.cursors[which] += 1
    return math.inf, NOBODY


@inner
def give_up(rules, s, place, t):  # type: ignore[no-untyped-def]
    """GIVE-UP (4.11)."""
    entry = s.waits[place & (s.waits.size - 1)]
    s.pool.in_system -= 1
    s.pool.n_waiting -= 1
    s.pool.end_s = t
    settle_unserved(rules, s, entry.id, entry.arrival_s, t, _TIMED_OUT)
    if entry.state == QUEUED:
        s.pool.n_queued -= 1
    else:
        replica = np.int64(entry.slot)
        if s.life[replica].glued == rules.concurrency_limit:
            _room_again(s, replica)
        _unglue(s, place, replica)
    entry.state = GONE
    if rules.learns and s.pool.in_system == 0:
        become_empty(rules, s, t)
    if rules.cancel_setups:
        cancel_setups(rules, s, t)


@inner
def _unglue(s, place, replica):  # type: ignore[no-untyped-def]
    """Take a request off the starting replica that it is bound to."""
    life = s.life[replica]
    life.glued -= 1
    following = s.waits[place & (s.waits.size - 1)].next_glued
    if life.glue_head == place:
        life.glue_head = following
        return
    left = life.glue_head
    while s.waits[left & (s.waits.size - 1)].next_glued != place:
        left = s.waits[left & (s.waits.size - 1)].next_glued
    s.waits[left & (s.waits.size - 1)].next_glued = following
    if life.glue_tail == place:
        life.glue_tail = left


@inlined
def _room_again(s, replica):  # type: ignore[no-untyped-def]
    """List a starting replica by id among those with room for a glued request."""
    left = last(s, ROOM)
    while left != NONE and s.life[left].id > s.life[replica].id:
        left = before(s, ROOM, left)
    insert_after(s, ROOM, left, replica)
