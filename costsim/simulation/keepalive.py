"""How long idle replicas are kept: for a time, or by a histogram (docs/model.md 4.5, 9.6).

The histogram policy learns how long the pool is usually empty between requests. Where
that is regular it unloads at once, loads again just before the next request is likely,
and gives up when one has become unlikely.
"""

from __future__ import annotations

import math

import numpy as np

from costsim.simulation.compiled import inlined, inner
from costsim.simulation.heap import PREWARM_CLASS, event_code
from costsim.simulation.linked import ALIVE, NONE, after, first
from costsim.simulation.replicas import arm, disarm, schedule, want

_ONE = np.int64(1)


@inlined
def go_idle(rules, s, replica, t):  # type: ignore[no-untyped-def]
    """Arm the idle timer (4.5)."""
    if rules.learns:
        arm(s, replica, _learned_deadline_s(s.pool, t))
    elif rules.idle_timeout_s < math.inf:
        arm(s, replica, t + rules.idle_timeout_s)


@inner
def _learned_deadline_s(pool, t):  # type: ignore[no-untyped-def]
    if math.isnan(pool.idle_since_s):
        return t + pool.keep_alive_s
    if pool.unloaded:
        return t
    return max(t, pool.idle_since_s + pool.keep_alive_s)


@inner
def note_idle_time(rules, s, t):  # type: ignore[no-untyped-def]
    """Learn how long the pool was empty, from the request at t that ends it."""
    pool = s.pool
    pool.unloaded = False
    pool.prewarms += 1  # what was scheduled is void
    if math.isnan(pool.idle_since_s):
        return
    idle_s = t - pool.idle_since_s
    pool.idle_since_s = math.nan
    if idle_s >= rules.bin_s * s.idle_times.size:
        pool.out_of_bounds += 1
        return
    number = min(np.int64(idle_s / rules.bin_s), s.idle_times.size - 1)
    # The sum of the squares of all counts.
    pool.squares += 2 * s.idle_times[number] + 1
    s.idle_times[number] += 1
    pool.within_bounds += 1


@inner
def become_empty(rules, s, t):  # type: ignore[no-untyped-def]
    """Decide how long the replicas are kept, now that nothing is in system."""
    pool = s.pool
    pool.idle_since_s = t
    head, tail = window_bins(
        s.idle_times,
        pool.within_bounds,
        pool.squares,
        pool.out_of_bounds,
        rules.head,
        rules.tail,
        rules.cv_threshold,
        rules.most_out_of_bounds,
    )
    prewarm_s = head * rules.bin_s * (1.0 - rules.margin)
    pool.keep_alive_s = tail * rules.bin_s * (1.0 + rules.margin)
    if head < 0:
        prewarm_s = 0.0
        pool.keep_alive_s = s.idle_times.size * rules.bin_s
    if prewarm_s > 0.0:
        pool.unloaded = True
        pool.prewarms += 1
        schedule(s, t + prewarm_s, event_code(PREWARM_CLASS, pool.prewarms, 0))
    _rearm(s, t)


@inner
def window_bins(  # type: ignore[no-untyped-def]
    counts, within, squares, out_of_bounds, head, tail, cv_threshold, most_out_of_bounds
):
    """Return the bins between which the pool's idle time will be; (-1, -1): unknown.

    Parameters
    ----------
    counts : ndarray of int64
        Idle times so far, by bin.
    within : int
        Their sum.
    squares : int
        The sum of their squares.
    out_of_bounds : int
        Idle times beyond the last bin.
    head, tail : float
        Quantiles to begin and to end with. [1]
    cv_threshold : float
        The least coefficient of variation of the counts at which they say something.
    most_out_of_bounds : float
        The share of idle times out of bounds at which they do not.

    Returns
    -------
    int, int
        The lower edge of the head's bin and the upper edge of the tail's. [bins]

    References
    ----------
    Shahrad, M. et al. (2020). Serverless in the Wild. USENIX ATC, section 4.2.
    """
    unknown = np.int64(-1)
    seen = within + out_of_bounds
    if within == 0 or out_of_bounds >= most_out_of_bounds * seen:
        return unknown, unknown
    # Squared coefficient of variation of the counts over all bins.
    variation = counts.size * squares / (float(within) * within) - 1.0
    if variation < cv_threshold * cv_threshold:
        return unknown, unknown
    first_bin = unknown
    total = np.int64(0)
    for number in range(counts.size):
        total += counts[number]
        if first_bin < 0 and total >= head * within:
            first_bin = np.int64(number)
        if total >= tail * within:
            return first_bin, np.int64(number + 1)
    return first_bin, np.int64(counts.size)


@inner
def _rearm(s, t):  # type: ignore[no-untyped-def]
    """Give every idle timer the new deadline."""
    deadline_s = _learned_deadline_s(s.pool, t)
    replica = first(s, ALIVE)
    while replica != NONE:
        if s.life[replica].armed:
            disarm(s, replica)
            arm(s, replica, deadline_s)
        replica = after(s, ALIVE, replica)


@inner
def prewarm(s, number, t):  # type: ignore[no-untyped-def]
    """PREWARM: load one replica, if nothing has happened since it was decided."""
    pool = s.pool
    if number == pool.prewarms and pool.unloaded:
        pool.unloaded = False
        if pool.n_alive == 0:
            want(s, t, min(_ONE, pool.max_replicas))
