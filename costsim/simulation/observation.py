"""What a control loop sees of the load between its ticks (docs/model.md 9)."""

from __future__ import annotations

import math

from costsim.simulation.autoscaler import Policy
from costsim.simulation.compiled import inlined, inner
from costsim.simulation.linked import ALIVE, NONE, after, first
from costsim.simulation.policies.knative import close_second
from costsim.simulation.state import Phase

_READY = int(Phase.READY)
_WINDOW = int(Policy.CONCURRENCY_WINDOW)
_KNATIVE = int(Policy.KNATIVE)
_REQUEST_RATE = int(Policy.REQUEST_RATE)


@inlined
def observe(rules, s, t):  # type: ignore[no-untyped-def]
    """Bring what the loop follows to t, before an event at t is processed."""
    if rules.policy == _WINDOW:
        _integrate(rules, s, t)
    elif rules.policy == _REQUEST_RATE:
        _count_arrivals(rules, s, t)
    else:
        if rules.policy == _KNATIVE:
            _close_seconds(rules, s, t)
        _add_load(s, t)


# --- The mean over a sliding window (9.1)


@inner
def window_mean(rules, s, now_s):  # type: ignore[no-untyped-def]
    """Return the mean requests in system over (now - window, now], before 0 none."""
    area = s.pool.area
    error = s.pool.area_error
    if now_s - rules.scaling_window_s > 0.0:
        sample = 2 * (s.pool.next_tick % (s.samples.size // 2))
        area -= s.samples[sample]
        error -= s.samples[sample + 1]
    return (area + error) / rules.scaling_window_s


@inlined
def _integrate(rules, s, t):  # type: ignore[no-untyped-def]
    """Advance the integral of requests in system to t, noting where windows begin."""
    while True:
        number = s.pool.next_sample
        window_start_s = number * rules.scaling_interval_s - rules.scaling_window_s
        if window_start_s > t:
            break
        if window_start_s > 0.0:
            _add_area(s.pool, window_start_s)
            sample = 2 * (number % (s.samples.size // 2))
            s.samples[sample] = s.pool.area
            s.samples[sample + 1] = s.pool.area_error
        s.pool.next_sample += 1
    _add_area(s.pool, t)


@inlined
def _add_area(pool, t):  # type: ignore[no-untyped-def]
    """Add to the integral, keeping the rounding error of the sum (Knuth)."""
    part = pool.in_system * (t - pool.area_at_s)
    total = pool.area + part
    shadow = total - pool.area
    pool.area_error += (pool.area - (total - shadow)) + (part - shadow)
    pool.area = total
    pool.area_at_s = t


# --- Arrivals within a sliding window (9.5.2)


@inner
def arrivals_in_window(rules, s, now_s):  # type: ignore[no-untyped-def]
    """Return how many requests arrived in (now - window, now]."""
    before = 0.0
    if now_s - rules.scaling_window_s >= 0.0:
        before = s.samples[2 * (s.pool.next_tick % (s.samples.size // 2))]
    return s.pool.arrived - before


@inlined
def _count_arrivals(rules, s, t):  # type: ignore[no-untyped-def]
    """Note how many had arrived where windows begin, those of that instant included."""
    while True:
        number = s.pool.next_sample
        window_start_s = number * rules.scaling_interval_s - rules.scaling_window_s
        if window_start_s >= t:
            break
        if window_start_s >= 0.0:
            s.samples[2 * (number % (s.samples.size // 2))] = s.pool.arrived
        s.pool.next_sample += 1


# --- The load of a second, or of a datapoint (9.2.1, 9.5.3)


@inlined
def _add_load(s, t):  # type: ignore[no-untyped-def]
    """Add to the load since the last second or datapoint."""
    s.memory.load += s.pool.in_system * (t - s.memory.load_at_s)
    s.memory.load_at_s = t


@inlined
def _close_seconds(rules, s, t):  # type: ignore[no-untyped-def]
    """Close the seconds that have ended."""
    while s.memory.second + 1.0 <= t:
        _add_load(s, s.memory.second + 1.0)
        close_second(
            rules, s.memory, s.samples, s.memory.second, s.memory.load, s.pool.n_ready
        )
        s.memory.load = 0.0
        s.memory.second += 1


# --- The busy fraction of replicas (9.3.2)


@inner
def measure_busy(rules, s, t):  # type: ignore[no-untyped-def]
    """Return the sum of busy fractions since the tick before, and of how many replicas.

    A replica's busy seconds at the tick before are where others have the deadline of
    their timer: here there are no timers.
    """
    busy = 0.0
    measured = 0
    replica = first(s, ALIVE)
    while replica != NONE:
        life = s.life[replica]
        if life.phase == _READY:
            busy_s = life.busy_s
            if not math.isnan(life.busy_since_s):
                busy_s += t - life.busy_since_s
            if not math.isnan(life.deadline_s):
                busy += (busy_s - life.deadline_s) / rules.scaling_interval_s
                measured += 1
            life.deadline_s = busy_s
        replica = after(s, ALIVE, replica)
    return busy, measured
