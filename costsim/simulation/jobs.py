"""Requests in service whose end is not known when they begin (docs/model.md 10, 11).

A replica's *progress* is the work done on a request that has been there since it was last
empty: it grows at the rate 1 / (1 + slowdown (n - 1)) that each of n requests has. A
request completes when the progress has grown by its work, so that arrivals change when
that will be, but not the order: each replica keeps its jobs in the order of the progress
at which they finish, and only the first has an event. An event that a later arrival has
put off is void: its time is not the replica's next completion.

Without a slowdown a job's finish is its departure, and each has its event.
"""

from __future__ import annotations

import math

import numpy as np

from costsim.records import Outcome
from costsim.simulation.compiled import inlined, inner
from costsim.simulation.heap import event_code
from costsim.simulation.linked import NONE
from costsim.simulation.replicas import schedule
from costsim.simulation.rows import settle

_SERVED = int(Outcome.SERVED)
_UNFINISHED = int(Outcome.UNFINISHED)


@inlined
def advance(rules, life, t):  # type: ignore[no-untyped-def]
    """Bring a replica's progress to t."""
    if life.in_service == 0:
        life.progress = 0.0
    elif rules.slowdown > 0.0:
        slower = 1.0 + rules.slowdown * (life.in_service - 1)
        life.progress += (t - life.progress_at_s) / slower
    life.progress_at_s = t


@inner
def reschedule(rules, s, replica, t):  # type: ignore[no-untyped-def]
    """Schedule the next completion on a busy replica, which voids the one before.

    Where nothing slows down there is nothing to void: each job has its event.
    """
    if rules.slowdown == 0.0:
        return
    life = s.life[replica]
    job = s.jobs[life.jobs]
    slower = 1.0 + rules.slowdown * (life.in_service - 1)
    life.next_completion_s = t + max(job.finish - life.progress, 0.0) * slower
    schedule(s, life.next_completion_s, event_code(0, job.id, replica))


@inner
def take_up(rules, s, request, replica, t, work_s):  # type: ignore[no-untyped-def]
    """Put a request among the jobs of a replica; return the job."""
    pool = s.pool
    number = np.int64(pool.free_job)
    if number == NONE:
        number = pool.n_jobs
        pool.n_jobs += 1
    else:
        pool.free_job = s.jobs[number].next
    pool.n_in_progress += 1
    life = s.life[replica]
    job = s.jobs[number]
    job.id = request
    job.start_s = t
    job.replica = life.id
    if rules.slowdown > 0.0:
        job.finish = life.progress + work_s
    else:
        job.finish = t + work_s
        life.slot_s += work_s
        schedule(s, job.finish, event_code(0, request, replica))
    _insert(s, life, number)
    life.in_service += 1
    reschedule(rules, s, replica, t)
    return number


@inner
def _insert(s, life, number):  # type: ignore[no-untyped-def]
    """Add a job to a replica's, in the order of (finish, id)."""
    job = s.jobs[number]
    left = np.int64(NONE)
    right = np.int64(life.jobs)
    while right != NONE:
        other = s.jobs[right]
        if other.finish > job.finish or (
            other.finish == job.finish and other.id > job.id
        ):
            break
        left = right
        right = np.int64(other.next)
    job.next = right
    if left == NONE:
        life.jobs = number
    else:
        s.jobs[left].next = number


@inner
def release(s, number):  # type: ignore[no-untyped-def]
    """Free a job."""
    s.jobs[number].next = s.pool.free_job
    s.pool.free_job = number


@inner
def end_job(rules, s, request, replica, t):  # type: ignore[no-untyped-def]
    """Settle a job that completes; return whether it does: its event may be void."""
    life = s.life[replica]
    left = np.int64(NONE)
    number = np.int64(life.jobs)
    while number != NONE and s.jobs[number].id != request:
        left = number
        number = np.int64(s.jobs[number].next)
    if number == NONE:
        return False
    job = s.jobs[number]
    if rules.slowdown > 0.0:
        if left != NONE or life.next_completion_s != t:
            return False
        life.progress = job.finish
        life.progress_at_s = t
    elif job.finish != t:
        return False
    if left == NONE:
        life.jobs = job.next
    else:
        s.jobs[left].next = job.next
    settle_begun(rules, s, job, t, _SERVED)
    if rules.slowdown > 0.0:
        life.slot_s += t - job.start_s
    s.pool.n_in_progress -= 1
    release(s, number)
    return True


@inner
def count_until(rules, life, job, t):  # type: ignore[no-untyped-def]
    """Count the seconds in service of a job that is cut short at t."""
    # Without a slowdown all of them were counted when it began.
    if rules.slowdown > 0.0:
        life.slot_s += t - job.start_s
    else:
        life.slot_s -= job.finish - t


@inner
def settle_begun(rules, s, job, departure_s, outcome):  # type: ignore[no-untyped-def]
    """Write the row of a request that has begun."""
    row = settle(rules, s, job.id)
    row.arrival_s = job.arrival_s
    row.start_s = job.start_s
    row.departure_s = departure_s
    row.replica = job.replica
    row.cold = job.cold
    row.outcome = outcome


@inner
def leave_unfinished(rules, s, replica, end_s):  # type: ignore[no-untyped-def]
    """Settle the jobs that the end cuts off."""
    life = s.life[replica]
    number = np.int64(life.jobs)
    while number != NONE:
        job = s.jobs[number]
        count_until(rules, life, job, end_s)
        settle_begun(rules, s, job, math.nan, _UNFINISHED)
        number = np.int64(job.next)
