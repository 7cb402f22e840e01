"""Requests begin and end on replicas (docs/model.md 4.2-4.4)."""

from __future__ import annotations

import math

from costsim.records import Outcome
from costsim.simulation.compiled import inlined, inner, unsigned
from costsim.simulation.heap import event_code
from costsim.simulation.jobs import advance, reschedule, take_up
from costsim.simulation.keepalive import become_empty, go_idle
from costsim.simulation.linked import ROOM, STARTING, remove
from costsim.simulation.replicas import (
    cancel_setups,
    disarm,
    expect_failure,
    retire,
    schedule,
)
from costsim.simulation.routing import offer
from costsim.simulation.rows import settle
from costsim.simulation.state import GONE, NOBODY, QUEUE, QUEUED, Phase

_READY = int(Phase.READY)
_DRAINING = int(Phase.DRAINING)
_SERVED = int(Outcome.SERVED)
_UNFINISHED = int(Outcome.UNFINISHED)


@inlined
def begin(  # type: ignore[no-untyped-def]
    rules,
    s,
    request,
    arrival_s,
    service_time_s,
    first_service_time_s,
    attempts,
    cold,
    replica,
    t,
):
    """Begin a request on a replica with a free slot (4.4)."""
    life = s.life[unsigned(replica)]
    duration_s = service_time_s
    if life.n_served + life.in_service == 0:
        duration_s = first_service_time_s
    if life.in_service == 0:
        disarm(s, replica)
        if math.isnan(life.busy_since_s):
            life.busy_since_s = t
    if rules.tracked:
        advance(rules, life, t)
        job = s.jobs[take_up(rules, s, request, replica, t, duration_s)]
        job.arrival_s = arrival_s
        job.service_time_s = service_time_s
        job.first_service_time_s = first_service_time_s
        job.attempts = attempts + 1
        job.cold = cold
        return
    life.in_service += 1
    life.slot_s += duration_s
    departure_s = t + duration_s
    row = settle(rules, s, request)
    row.arrival_s = arrival_s
    row.start_s = t
    row.replica = life.id
    row.cold = cold
    row.departure_s = departure_s
    row.outcome = _SERVED
    if departure_s > rules.cut_s:
        row.departure_s = math.nan
        row.outcome = _UNFINISHED
    schedule(s, departure_s, event_code(0, request, replica))


@inlined
def begin_waiting(rules, s, place, replica, t):  # type: ignore[no-untyped-def]
    """Begin a request that waited."""
    entry = s.waits[place & (s.waits.size - 1)]
    entry.state = GONE
    s.pool.n_waiting -= 1
    begin(
        rules,
        s,
        entry.id,
        entry.arrival_s,
        entry.service_time_s,
        entry.first_service_time_s,
        entry.attempts,
        # Not ready when this request's ARRIVAL was processed (4.7).
        s.life[unsigned(replica)].ready_after > entry.joined_as,
        replica,
        t,
    )


@inlined
def first_queued(s):  # type: ignore[no-untyped-def]
    """Return the place of the queue's head, past those who left; it is not empty."""
    place = s.pool.cursors[QUEUE]
    while s.waits[place & (s.waits.size - 1)].state != QUEUED:
        place += 1
    s.pool.cursors[QUEUE] = place
    return place


@inlined
def _pull(rules, s, replica, t):  # type: ignore[no-untyped-def]
    """Begin queued requests on a replica while it has a free slot."""
    life = s.life[unsigned(replica)]
    while s.pool.n_queued > 0 and life.in_service < rules.concurrency_limit:
        s.pool.n_queued -= 1
        begin_waiting(rules, s, first_queued(s), replica, t)


@inlined
def _free(rules, s, replica, t):  # type: ignore[no-untyped-def]
    """Give the free slots of a ready replica to the queue; what is left is on offer."""
    _pull(rules, s, replica, t)
    life = s.life[unsigned(replica)]
    if life.in_service < rules.concurrency_limit:
        offer(rules, s, replica)
    if life.in_service == 0:
        rest(rules, s, life, t)
        go_idle(rules, s, replica, t)
    elif rules.tracked:
        reschedule(rules, s, replica, t)


@inlined
def rest(rules, s, life, t):  # type: ignore[no-untyped-def]
    """Count the busy time that ends now, if there was any."""
    if not math.isnan(life.busy_since_s):
        life.busy_s += t - life.busy_since_s
        if rules.tracked and not rules.records:
            tell_busy(s, life, t)
        life.busy_since_s = math.nan


@inner
def tell_busy(s, life, stop_s):  # type: ignore[no-untyped-def]
    """Write when a replica was busy: the rows of requests come too late to tell."""
    row = s.busy[s.pool.n_busy]
    row.replica = life.id
    row.start_s = life.busy_since_s
    row.stop_s = stop_s
    s.pool.n_busy += 1


@inlined
def complete(rules, s, replica, t):  # type: ignore[no-untyped-def]
    """COMPLETION (4.2)."""
    life = s.life[unsigned(replica)]
    life.in_service -= 1
    life.n_served += 1
    s.pool.end_s = t
    if life.phase == _DRAINING:
        if life.in_service == 0:
            rest(rules, s, life, t)
            retire(s, replica, t)
        elif rules.tracked:
            reschedule(rules, s, replica, t)
        return
    s.pool.in_system -= 1
    if rules.learns and s.pool.in_system == 0:
        become_empty(rules, s, t)
    _free(rules, s, replica, t)
    if rules.cancel_setups:
        cancel_setups(rules, s, t)


@inner
def become_ready(rules, s, replica, t):  # type: ignore[no-untyped-def]
    """READY (4.3)."""
    life = s.life[replica]
    life.phase = _READY
    life.ready_after = s.pool.arrived + s.pool.retried
    life.ready_s = t
    s.pool.end_s = t
    remove(s, STARTING, replica)
    s.pool.n_starting -= 1
    s.pool.n_ready += 1
    if rules.fails:
        expect_failure(s, replica, t, life.deadline_s)
        life.deadline_s = math.nan
    if rules.bound:
        if life.glued < rules.concurrency_limit:
            remove(s, ROOM, replica)
        place = life.glue_head
        while place != NOBODY:
            following = s.waits[place & (s.waits.size - 1)].next_glued
            begin_waiting(rules, s, place, replica, t)
            place = following
        life.glued = 0
    _free(rules, s, replica, t)
    if rules.cancel_setups:
        cancel_setups(rules, s, t)
