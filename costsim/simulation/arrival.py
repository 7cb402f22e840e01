"""A request arrives, waits, gives up (docs/model.md 4.1, 4.11)."""

from __future__ import annotations

import math

import numpy as np

from costsim.records import Outcome
from costsim.simulation.autoscaler import Policy
from costsim.simulation.compiled import inlined, inner, unsigned
from costsim.simulation.linked import (
    NONE,
    ROOM,
    before,
    first,
    insert_after,
    last,
    remove,
)
from costsim.simulation.replicas import cancel_setups, launch, launch_up_to, needed
from costsim.simulation.routing import choose, load
from costsim.simulation.rules import AtZero
from costsim.simulation.service import begin
from costsim.simulation.state import GIVES_UP, HELD, NEXT_GLUED, QUEUED

_REJECTED = int(Outcome.REJECTED)
_TIMED_OUT = int(Outcome.TIMED_OUT)
_UNFINISHED = int(Outcome.UNFINISHED)
_ON_DEMAND = int(Policy.ON_DEMAND)
_REJECT_AT_ZERO = int(AtZero.REJECT)
_HOLD_FOR = int(AtZero.HOLD_FOR)
_NO_REPLICA = -1
"""In a request's record."""


@inlined
def arrive(rules, inputs, s, t):  # type: ignore[no-untyped-def]
    """ARRIVAL (4.1)."""
    request = np.int64(s.pool.arrived)
    s.pool.arrived += 1
    s.pool.end_s = t
    row = s.requests[unsigned(request)]
    row.arrival_s = t
    row.launched = 0
    if rules.rate_per_s < math.inf and _over_rate(rules, s, t):
        _reject(row)
        return
    replica = choose(rules, s)
    if replica == NONE:
        _reject(row)
        row.launched = _hold(rules, inputs, s, request, t)
        return
    s.pool.in_system += 1
    row.cold = False
    begin(inputs, s, request, replica, t)
    load(rules, s, replica)
    if rules.policy == _ON_DEMAND and not rules.plain:
        row.launched = launch_up_to(rules, inputs, s, t, needed(rules, s))


@inlined
def _reject(row):  # type: ignore[no-untyped-def]
    row.start_s = math.nan
    row.departure_s = math.nan
    row.replica = _NO_REPLICA
    row.cold = False
    row.outcome = _REJECTED


@inlined
def _over_rate(rules, s, t):  # type: ignore[no-untyped-def]
    """Take a token from the bucket; return whether there was none (4.1a)."""
    earned = rules.rate_per_s * (t - s.pool.level_at_s)
    level = min(rules.burst, s.pool.level + earned)
    s.pool.level_at_s = t
    s.pool.level = level if level < 1.0 else level - 1.0
    return level < 1.0


@inner
def _hold(rules, inputs, s, request, t):  # type: ignore[no-untyped-def]
    """Bind or queue a request that found no free slot; return launches (4.1c-g).

    It stays rejected if nothing is ready and that rejects, or if the queue is full.
    """
    nothing_ready = s.pool.n_ready == 0
    wake = min(1, s.pool.max_replicas)
    if nothing_ready and rules.at_zero == _REJECT_AT_ZERO:
        return launch_up_to(rules, inputs, s, t, wake)
    launched = _bind(rules, inputs, s, request, t) if rules.bound else -1
    if launched < 0:
        if s.pool.n_queued >= rules.max_queued:
            return 0
        _stand_in_line(s, QUEUED, request)
        s.pool.n_queued += 1
        launched = 0
    s.requests[request].outcome = _UNFINISHED
    s.pool.in_system += 1
    if rules.at_zero == _HOLD_FOR and nothing_ready:
        _stand_in_line(s, HELD, request)
    elif rules.queue_timeout_s < math.inf:
        _stand_in_line(s, GIVES_UP, request)
    wanted = needed(rules, s) if rules.policy == _ON_DEMAND else wake
    return launched + launch_up_to(rules, inputs, s, t, wanted)


@inlined
def _stand_in_line(s, which, request):  # type: ignore[no-untyped-def]
    s.waits[which, s.pool.tails[which]] = request
    s.pool.tails[which] += 1


@inner
def _bind(rules, inputs, s, request, t):  # type: ignore[no-untyped-def]
    """Glue a request if that is possible; return launches, or -1 if it must queue (4.1d)."""
    replica = first(s, ROOM)
    launched = 0
    if replica == NONE:
        if s.pool.n_alive >= s.pool.max_replicas:
            return -1
        replica = launch(rules, inputs, s, t)
        launched = 1
        if replica == NONE:
            return launched
    _glue(rules, s, request, replica)
    return launched


@inlined
def _glue(rules, s, request, replica):  # type: ignore[no-untyped-def]
    """Bind a request to a starting replica."""
    life = s.life[replica]
    if life.glue_head == NONE:
        life.glue_head = request
    else:
        s.waits[NEXT_GLUED, life.glue_tail] = request
    s.waits[NEXT_GLUED, request] = NONE
    life.glue_tail = request
    life.glued += 1
    s.requests[request].replica = replica
    if life.glued == rules.concurrency_limit:
        remove(s, ROOM, replica)


@inlined
def next_give_up(s, which, patience_s):  # type: ignore[no-untyped-def]
    """Return when the first in a line gives up, and who, past those that have begun."""
    while s.pool.heads[which] < s.pool.tails[which]:
        request = np.int64(s.waits[which, s.pool.heads[which]])
        row = s.requests[unsigned(request)]
        if row.outcome == _UNFINISHED:
            return row.arrival_s + patience_s, request
        s.pool.heads[which] += 1
    return math.inf, NONE


@inner
def give_up(rules, s, request, t):  # type: ignore[no-untyped-def]
    """GIVE-UP (4.11)."""
    row = s.requests[request]
    row.outcome = _TIMED_OUT
    s.pool.in_system -= 1
    s.pool.end_s = t
    if row.replica == _NO_REPLICA:
        s.pool.n_queued -= 1
    else:
        replica = np.int64(row.replica)
        row.replica = _NO_REPLICA
        if s.life[replica].glued == rules.concurrency_limit:
            _room_again(s, replica)
        s.life[replica].glued -= 1
    if rules.cancel_setups:
        cancel_setups(rules, s, t)


@inlined
def _room_again(s, replica):  # type: ignore[no-untyped-def]
    """List a starting replica by id among those with room for a glued request."""
    left = last(s, ROOM)
    while left != NONE and left > replica:
        left = before(s, ROOM, left)
    insert_after(s, ROOM, left, replica)
