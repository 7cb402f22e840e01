"""Replicas that die, and requests that come back (docs/model.md 11)."""

from __future__ import annotations

import math

import numpy as np

from costsim.records import Outcome
from costsim.simulation.arrival import join
from costsim.simulation.autoscaler import Policy
from costsim.simulation.compiled import inner
from costsim.simulation.heap import RETRY_CLASS, event_code
from costsim.simulation.jobs import count_until, release, settle_begun
from costsim.simulation.keepalive import become_empty
from costsim.simulation.linked import NONE
from costsim.simulation.replicas import (
    cancel_setups,
    disarm,
    needed,
    no_longer_alive,
    retire,
    schedule,
    want,
)
from costsim.simulation.routing import withdraw
from costsim.simulation.service import rest
from costsim.simulation.state import Phase

_READY = int(Phase.READY)
_ON_DEMAND = int(Policy.ON_DEMAND)
_FAILED = int(Outcome.FAILED)


@inner
def fail(rules, s, replica, t):  # type: ignore[no-untyped-def]
    """FAILURE of a replica that is ready or draining."""
    pool = s.pool
    life = s.life[replica]
    before = pool.in_system
    if life.phase == _READY:
        if life.in_service < rules.concurrency_limit:
            withdraw(rules, s, replica)
        disarm(s, replica)
        pool.n_ready -= 1
        pool.in_system -= life.in_service
        no_longer_alive(s, replica, t)
    number = np.int64(life.jobs)
    while number != NONE:
        following = np.int64(s.jobs[number].next)
        _interrupt(rules, s, life, number, t)
        number = following
    life.jobs = NONE
    life.in_service = 0
    rest(rules, s, life, t)
    retire(s, replica, t)
    if rules.learns and before > 0 and pool.in_system == 0:
        become_empty(rules, s, t)
    want(s, t, pool.min_replicas)
    if rules.policy == _ON_DEMAND:
        want(s, t, needed(rules, s))
    elif pool.in_system > 0 and pool.n_alive == 0:
        want(s, t, min(np.int64(1), pool.max_replicas))
    if rules.cancel_setups:
        cancel_setups(rules, s, t)


@inner
def _interrupt(rules, s, life, number, t):  # type: ignore[no-untyped-def]
    """Have a request whose replica dies come back, or lose it."""
    job = s.jobs[number]
    count_until(rules, life, job, t)
    s.pool.n_in_progress -= 1
    if job.attempts >= rules.max_attempts:
        settle_begun(rules, s, job, math.nan if rules.records else t, _FAILED)
        release(s, number)
        return
    backoff_s = rules.backoff_s * math.pow(
        rules.backoff_factor, np.float64(job.attempts - 1)
    )
    s.pool.backing_off += 1
    schedule(s, t + backoff_s, event_code(RETRY_CLASS, job.id, number))


@inner
def retry(rules, inputs, s, number, t):  # type: ignore[no-untyped-def]
    """RETRY of a request that was interrupted."""
    job = s.jobs[number]
    s.pool.backing_off -= 1
    s.pool.retried += 1
    request, arrival_s = job.id, job.arrival_s
    service_time_s, first_s = job.service_time_s, job.first_service_time_s
    attempts = job.attempts
    release(s, number)
    join(
        rules,
        inputs,
        s,
        request,
        arrival_s,
        service_time_s,
        first_s,
        attempts,
        t,
    )
