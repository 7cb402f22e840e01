"""Schedules and control loops: bounds change, ticks decide (docs/model.md 4.10, 9)."""

from __future__ import annotations

import math

import numpy as np

from costsim.simulation.autoscaler import (
    Policy,
    below_since,
    clamped,
    needed_replicas,
    scale_down_step,
    window_desired,
)
from costsim.simulation.compiled import inlined, inner
from costsim.simulation.linked import (
    ALIVE,
    NONE,
    STARTING,
    after,
    before,
    first,
    last,
    remove,
)
from costsim.simulation.ranking import OUT
from costsim.simulation.replicas import (
    abort_setup,
    arm,
    cancel_setups,
    launch,
    launch_up_to,
    needed,
    stop_idle,
)
from costsim.simulation.routing import withdraw
from costsim.simulation.service import first_queued
from costsim.simulation.state import Phase

_DRAINING = int(Phase.DRAINING)
_ON_DEMAND = int(Policy.ON_DEMAND)
_WINDOW = int(Policy.CONCURRENCY_WINDOW)
_QUEUE_DELAY = int(Policy.QUEUE_DELAY)
_REQUEST_COUNT = int(Policy.REQUEST_COUNT)


@inner
def set_bounds(rules, inputs, s, t):  # type: ignore[no-untyped-def]
    """BOUNDS (4.10)."""
    entry = inputs.bounds[s.pool.next_bounds]
    s.pool.next_bounds += 1
    min_fell = entry.min_replicas < s.pool.min_replicas
    s.pool.min_replicas = entry.min_replicas
    s.pool.max_replicas = entry.max_replicas
    launch_up_to(rules, inputs, s, t, s.pool.min_replicas)
    if rules.policy == _ON_DEMAND:
        launch_up_to(rules, inputs, s, t, needed(rules, s))
    if min_fell:
        _unpin(rules, s, t)
    if rules.cancel_setups:
        cancel_setups(rules, s, t)


@inlined
def _unpin(rules, s, t):  # type: ignore[no-untyped-def]
    """Arm the timers of the idle replicas that were kept as min replicas."""
    replica = first(s, ALIVE)
    while replica != NONE:
        if s.life[replica].pinned:
            s.life[replica].pinned = 0
            arm(s, replica, t + rules.idle_timeout_s)
        replica = after(s, ALIVE, replica)


@inlined
def _drain(rules, s, replica, t):  # type: ignore[no-untyped-def]
    """Let a busy replica finish what it has, and take no more."""
    life = s.life[replica]
    if life.in_service < rules.concurrency_limit:
        withdraw(rules, s, replica)
    life.phase = _DRAINING
    s.pool.in_system -= life.in_service
    s.pool.n_ready -= 1
    remove(s, ALIVE, replica)
    s.pool.n_alive -= 1
    s.pool.end_s = t


@inlined
def _least_in_service(s, above):  # type: ignore[no-untyped-def]
    """Return the smallest number in service above `above` on a replica that is alive."""
    least = OUT
    replica = first(s, ALIVE)
    while replica != NONE:
        in_service = np.int64(s.life[replica].in_service)
        if above < in_service < least:
            least = in_service
        replica = after(s, ALIVE, replica)
    return least


@inner
def _remove_replicas(rules, s, t, count):  # type: ignore[no-untyped-def]
    """Remove starting, then idle, then the least busy replicas, large ids first (9)."""
    while count > 0 and last(s, STARTING) != NONE:
        abort_setup(s, last(s, STARTING), t)
        count -= 1
    level = 0
    while count > 0 and level != OUT:
        replica = last(s, ALIVE)
        while count > 0 and replica != NONE:
            next_one = before(s, ALIVE, replica)
            if s.life[replica].in_service == level:
                if level == 0:
                    stop_idle(rules, s, replica, t)
                else:
                    _drain(rules, s, replica, t)
                count -= 1
            replica = next_one
        level = _least_in_service(s, level)


@inner
def tick(rules, inputs, s, t):  # type: ignore[no-untyped-def]
    """TICK (9)."""
    alive = s.pool.n_alive
    if rules.policy == _QUEUE_DELAY:
        desired = 0
        if s.pool.n_queued > 0 and alive < s.pool.max_replicas:
            head = s.requests[first_queued(s)]
            if t > head.arrival_s + rules.threshold_s:
                launch(rules, inputs, s, t)
    elif rules.policy == _REQUEST_COUNT:
        desired = needed_replicas(s.pool.in_system, rules.requests_per_replica, 0)
    else:
        desired = window_desired(
            _window_mean(rules, s, t),
            rules.concurrency_target,
            rules.target_utilization,
        )
    desired = clamped(
        desired, s.pool.in_system, s.pool.min_replicas, s.pool.max_replicas
    )
    launch_up_to(rules, inputs, s, t, desired)
    if rules.policy == _WINDOW:
        _scale_down(rules, s, t, desired, alive)
    s.pool.next_tick += 1


@inlined
def _scale_down(rules, s, t, desired, alive):  # type: ignore[no-untyped-def]
    """Take a step down if every tick has wanted fewer for long enough (9.1)."""
    low_since_s = below_since(t, s.pool.low_since_s, desired, alive)
    if not math.isnan(low_since_s) and t >= low_since_s + rules.scale_down_delay_s:
        step = scale_down_step(alive, desired, rules.max_scale_down_fraction)
        _remove_replicas(rules, s, t, step)
        low_since_s = t
    s.pool.low_since_s = low_since_s


@inner
def ticks_go_on(rules, inputs, s, n_requests):  # type: ignore[no-untyped-def]
    """Return whether the loop has anything left to decide (7)."""
    return (
        s.pool.arrived < n_requests
        or s.pool.next_bounds < inputs.bounds.size
        or (s.pool.in_system > 0 and s.pool.max_replicas > 0)
        or (rules.policy == _WINDOW and s.pool.n_alive != s.pool.min_replicas)
    )


@inlined
def _window_mean(rules, s, now_s):  # type: ignore[no-untyped-def]
    """Return the mean requests in system over (now - window, now], before 0 none (9.1)."""
    area = s.pool.area
    error = s.pool.area_error
    if now_s - rules.scaling_window_s > 0.0:
        sample = 2 * (s.pool.next_tick % (s.samples.size // 2))
        area -= s.samples[sample]
        error -= s.samples[sample + 1]
    return (area + error) / rules.scaling_window_s


@inlined
def integrate(rules, s, t):  # type: ignore[no-untyped-def]
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
