"""Requests begin and end on replicas (docs/model.md 4.2-4.4)."""

from __future__ import annotations

import math

import numpy as np

from costsim.records import Outcome
from costsim.simulation.compiled import inlined, inner, unsigned
from costsim.simulation.heap import REPLICA_BITS
from costsim.simulation.linked import NONE, ROOM, STARTING, remove
from costsim.simulation.replicas import cancel_setups, disarm, go_idle, schedule
from costsim.simulation.routing import offer
from costsim.simulation.state import NEXT_GLUED, QUEUED, Phase

_READY = int(Phase.READY)
_DRAINING = int(Phase.DRAINING)
_STOPPED = int(Phase.STOPPED)
_SERVED = int(Outcome.SERVED)
_UNFINISHED = int(Outcome.UNFINISHED)


@inlined
def begin(inputs, s, request, replica, t):  # type: ignore[no-untyped-def]
    """Begin a request on a replica with a free slot (4.4)."""
    life = s.life[unsigned(replica)]
    if life.n_served + life.in_service > 0:
        duration_s = inputs.service_time_s[unsigned(request)]
    else:
        duration_s = inputs.first_service_time_s[unsigned(request)]
    departure_s = t + duration_s
    row = s.requests[unsigned(request)]
    row.start_s = t
    row.departure_s = departure_s
    row.replica = replica
    row.outcome = _SERVED
    if life.in_service == 0:
        disarm(s, replica)
        if math.isnan(life.busy_since_s):
            life.busy_since_s = t
    life.in_service += 1
    life.slot_s += duration_s
    schedule(s, departure_s, (request << REPLICA_BITS) | replica)


@inlined
def first_queued(s):  # type: ignore[no-untyped-def]
    """Return the request at the head of the queue, past the ghosts; it is not empty."""
    while True:
        request = np.int64(s.waits[QUEUED, s.pool.heads[QUEUED]])
        if s.requests[unsigned(request)].outcome == _UNFINISHED:
            return request
        s.pool.heads[QUEUED] += 1


@inlined
def _pull(rules, inputs, s, replica, t):  # type: ignore[no-untyped-def]
    """Begin queued requests on a replica while it has a free slot."""
    life = s.life[unsigned(replica)]
    while s.pool.n_queued > 0 and life.in_service < rules.concurrency_limit:
        request = first_queued(s)
        s.pool.heads[QUEUED] += 1
        s.pool.n_queued -= 1
        # Not ready when this request's ARRIVAL was processed (4.7).
        s.requests[unsigned(request)].cold = life.ready_after > request
        begin(inputs, s, request, replica, t)


@inlined
def _free(rules, inputs, s, replica, t):  # type: ignore[no-untyped-def]
    """Give the free slots of a ready replica to the queue; what is left is on offer."""
    _pull(rules, inputs, s, replica, t)
    life = s.life[unsigned(replica)]
    if life.in_service < rules.concurrency_limit:
        offer(rules, s, replica)
    if life.in_service == 0:
        _rest(life, t)
        go_idle(rules, s, replica, t)


@inlined
def _rest(life, t):  # type: ignore[no-untyped-def]
    """Count the busy time that ends now, if there was any."""
    if not math.isnan(life.busy_since_s):
        life.busy_s += t - life.busy_since_s
        life.busy_since_s = math.nan


@inlined
def complete(rules, inputs, s, replica, t):  # type: ignore[no-untyped-def]
    """COMPLETION (4.2)."""
    life = s.life[unsigned(replica)]
    life.in_service -= 1
    life.n_served += 1
    s.pool.end_s = t
    if life.phase == _DRAINING:
        if life.in_service == 0:
            _rest(life, t)
            s.replicas[unsigned(replica)].stop_s = t
            life.phase = _STOPPED
        return
    s.pool.in_system -= 1
    _free(rules, inputs, s, replica, t)
    if rules.cancel_setups:
        cancel_setups(rules, s, t)


@inner
def become_ready(rules, inputs, s, replica, t):  # type: ignore[no-untyped-def]
    """READY (4.3)."""
    life = s.life[replica]
    life.phase = _READY
    life.ready_after = s.pool.arrived
    s.replicas[replica].ready_s = t
    s.pool.end_s = t
    remove(s, STARTING, replica)
    s.pool.n_starting -= 1
    s.pool.n_ready += 1
    if rules.bound:
        if life.glued < rules.concurrency_limit:
            remove(s, ROOM, replica)
        request = np.int64(life.glue_head)
        while request != NONE:
            if s.requests[request].outcome == _UNFINISHED:
                s.requests[request].cold = True
                begin(inputs, s, request, replica, t)
            request = np.int64(s.waits[NEXT_GLUED, request])
        life.glued = 0
    _free(rules, inputs, s, replica, t)
    if rules.cancel_setups:
        cancel_setups(rules, s, t)
