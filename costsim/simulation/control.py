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
from costsim.simulation.keepalive import go_idle
from costsim.simulation.linked import (
    ALIVE,
    NONE,
    STARTING,
    after,
    before,
    first,
    last,
)
from costsim.simulation.observation import (
    arrivals_in_window,
    measure_busy,
    window_mean,
)
from costsim.simulation.policies.hpa import (
    Select,
    busy_proposal,
    hpa_desired,
    requests_proposal,
)
from costsim.simulation.policies.keda import keda_desired
from costsim.simulation.policies.knative import (
    NEVER,
    UNDECIDED,
    knative_applied,
    knative_desired,
    lacks_burst_capacity,
    mean_load,
    poke,
)
from costsim.simulation.policies.request_rate import rate_desired
from costsim.simulation.policies.step_tracking import tracking_desired
from costsim.simulation.ranking import OUT
from costsim.simulation.replicas import (
    abort_setup,
    cancel_setups,
    needed,
    no_longer_alive,
    stop_idle,
    want,
)
from costsim.simulation.routing import withdraw
from costsim.simulation.service import first_queued
from costsim.simulation.state import Phase

_DRAINING = int(Phase.DRAINING)
_ON_DEMAND = int(Policy.ON_DEMAND)
_WINDOW = int(Policy.CONCURRENCY_WINDOW)
_QUEUE_DELAY = int(Policy.QUEUE_DELAY)
_REQUEST_COUNT = int(Policy.REQUEST_COUNT)
_KNATIVE = int(Policy.KNATIVE)
_HPA = int(Policy.HPA)
_KEDA = int(Policy.KEDA)
_REQUEST_RATE = int(Policy.REQUEST_RATE)
_DISABLED = int(Select.DISABLED)


@inner
def set_bounds(rules, inputs, s, t):  # type: ignore[no-untyped-def]
    """BOUNDS (4.10)."""
    entry = inputs.bounds[s.pool.next_bounds]
    s.pool.next_bounds += 1
    min_fell = entry.min_replicas < s.pool.min_replicas
    s.pool.min_replicas = entry.min_replicas
    s.pool.max_replicas = entry.max_replicas
    want(s, t, s.pool.min_replicas)
    if rules.policy == _ON_DEMAND:
        want(s, t, needed(rules, s))
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
            go_idle(rules, s, replica, t)
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
    no_longer_alive(s, replica, t)
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
    level = np.int64(0)
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
def _decide(rules, s, t, alive):  # type: ignore[no-untyped-def]
    """Return the count that a tick calls for, not yet within the bounds."""
    pool = s.pool
    low, high = pool.min_replicas, pool.max_replicas
    desired = 0
    if rules.policy == _QUEUE_DELAY:
        if pool.n_queued > 0:
            head = s.waits[first_queued(s) & (s.waits.size - 1)]
            if t > head.joined_s + rules.threshold_s:
                desired = alive + 1
    elif rules.policy == _REQUEST_COUNT:
        desired = needed_replicas(
            pool.in_system, rules.requests_per_replica, np.int64(0)
        )
    elif rules.policy == _WINDOW:
        mean = window_mean(rules, s, t)
        desired = window_desired(
            mean, rules.concurrency_target, rules.target_utilization
        )
    elif rules.policy == _KNATIVE:
        desired = _knative(rules, s, t, pool.next_tick, alive)
    elif rules.policy == _HPA:
        desired = _hpa(rules, s, t, alive, low)
    elif rules.policy == _KEDA:
        return _keda(rules, s, t, alive)
    elif rules.policy == _REQUEST_RATE:
        arrivals = arrivals_in_window(rules, s, t)
        desired = rate_desired(
            rules, s.memory, t, arrivals, alive, pool.in_system, low, high
        )
    else:
        desired = _tracking(rules, s, t, alive)
    pool.next_tick += 1
    return desired if desired > 0 or pool.in_system == 0 else 1


@inner
def _knative(rules, s, t, slot, alive):  # type: ignore[no-untyped-def]
    """Return the count that Knative goes to, at a tick or a poke (9.2)."""
    pool, memory = s.pool, s.memory
    ended = memory.second
    desired = memory.last_desired
    panic = mean_load(
        memory, s.samples, memory.first_panic, rules.panic_window_s, ended
    )
    without_data = ended - 1 - memory.last_second
    if memory.last_second != NEVER and without_data <= rules.scaling_window_s:
        stable = mean_load(
            memory, s.samples, memory.first_stable, rules.scaling_window_s, ended
        )
        desired = knative_desired(
            rules, memory, s.ring, t, slot, pool.n_ready, stable, panic
        )
    if desired == UNDECIDED:
        return alive
    desired = clamped(desired, pool.in_system, pool.min_replicas, pool.max_replicas)
    short = lacks_burst_capacity(rules, pool.n_ready, panic)
    enough = max(1, pool.min_replicas)
    return knative_applied(
        rules, memory, t, desired, pool.n_ready, alive, enough, short
    )


@inner
def _hpa(rules, s, t, alive, min_replicas):  # type: ignore[no-untyped-def]
    """Return the count of Kubernetes' autoscaler (9.3.1-9.3.5)."""
    pool = s.pool
    if rules.measures_busy:
        busy, measured = measure_busy(rules, s, t)
        proposal = busy_proposal(rules, busy, measured, alive)
    else:
        proposal = requests_proposal(rules, pool.in_system, alive)
    return hpa_desired(
        rules,
        s.memory,
        s.ring,
        t,
        alive,
        pool.in_system,
        min_replicas,
        pool.max_replicas,
        proposal,
    )


@inner
def _keda(rules, s, t, alive):  # type: ignore[no-untyped-def]
    """Return the count after the autoscaler's tick, a poll, or one after the other (9.3.6)."""
    pool, memory = s.pool, s.memory
    count = alive
    if t >= pool.next_tick * rules.scaling_interval_s:
        pool.next_tick += 1
        if alive > 0:
            count = _hpa(rules, s, t, alive, max(1, pool.min_replicas))
    if t >= memory.next_poll * rules.polling_interval_s:
        memory.next_poll += 1
        count = keda_desired(rules, memory, t, pool.in_system, count, pool.min_replicas)
    return count


@inner
def _tracking(rules, s, t, alive):  # type: ignore[no-untyped-def]
    """Return the count of a policy that tracks a target by alarms (9.5.3)."""
    pool, memory = s.pool, s.memory
    load = memory.load
    if rules.counts_arrivals:
        load = pool.arrived - memory.arrived_before
    memory.load = 0.0
    memory.arrived_before = pool.arrived
    return tracking_desired(
        rules,
        memory,
        t,
        load / rules.scaling_interval_s,
        pool.n_ready,
        alive,
        pool.in_system,
        pool.min_replicas,
        pool.max_replicas,
    )


@inner
def answer_poke(rules, s, t):  # type: ignore[no-untyped-def]
    """Have Knative decide at once for the request that found nothing alive (9.2.6)."""
    pool, memory = s.pool, s.memory
    memory.poked = 0
    poke(rules, memory, memory.second)
    count = _knative(rules, s, t, pool.next_tick - 1, np.int64(0))
    pool.wanted = min(max(count, 1), pool.max_replicas)


@inner
def tick(rules, s, t):  # type: ignore[no-untyped-def]
    """TICK (9)."""
    alive = s.pool.n_alive
    desired = _decide(rules, s, t, alive)
    desired = min(max(desired, s.pool.min_replicas), s.pool.max_replicas)
    want(s, t, desired)
    if rules.policy == _WINDOW:
        _scale_down(rules, s, t, desired, alive)
    elif rules.removes and desired < alive:
        _remove_replicas(rules, s, t, alive - desired)


@inlined
def upcoming_tick_s(rules, s):  # type: ignore[no-untyped-def]
    """Return when the next TICK comes; polls are ticks too."""
    next_s = s.pool.next_tick * rules.scaling_interval_s
    if rules.policy == _KEDA:
        next_s = min(next_s, s.memory.next_poll * rules.polling_interval_s)
    return next_s


@inner
def _scale_down(rules, s, t, desired, alive):  # type: ignore[no-untyped-def]
    """Take a step down if every tick has wanted fewer for long enough (9.1)."""
    low_since_s = below_since(t, s.pool.low_since_s, desired, alive)
    if not math.isnan(low_since_s) and t >= low_since_s + rules.scale_down_delay_s:
        step = scale_down_step(alive, desired, rules.max_scale_down_fraction)
        _remove_replicas(rules, s, t, step)
        low_since_s = t
    s.pool.low_since_s = low_since_s


@inner
def _may_go_down(rules, s, alive):  # type: ignore[no-untyped-def]
    """Return whether a loop that removes replicas may yet remove one."""
    if not rules.removes or alive == s.pool.min_replicas:
        return False
    if rules.policy == _KEDA and s.pool.min_replicas == 0:
        return True
    return rules.down_select != _DISABLED


@inner
def _may_serve(rules, s, alive):  # type: ignore[no-untyped-def]
    """Return whether what is in system may yet be served."""
    if rules.policy == _KEDA and alive == 0:
        return s.pool.in_system > rules.activation_threshold
    return s.pool.in_system > 0


@inner
def ticks_go_on(rules, inputs, s):  # type: ignore[no-untyped-def]
    """Return whether the loop has anything left to decide (7)."""
    # What this tick wants is launched after it.
    alive = max(s.pool.n_alive, s.pool.wanted)
    return (
        s.pool.arrived < s.pool.first_arrival + inputs.arrival_s.size
        or not s.pool.last_chunk
        or s.pool.backing_off > 0
        or s.pool.next_bounds < inputs.bounds.size
        or (s.pool.max_replicas > 0 and _may_serve(rules, s, alive))
        or _may_go_down(rules, s, alive)
    )
