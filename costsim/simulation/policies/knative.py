"""Knative's pod autoscaler (docs/model.md 9.2), from the rules of its source.

``pkg/autoscaler/scaling/autoscaler.go`` decides, ``pkg/autoscaler/aggregation`` averages,
``pkg/reconciler/autoscaling/kpa/scaler.go`` goes to zero (github.com/knative/serving).

Seconds are numbered from the start; second k is [k, k + 1).
"""

from __future__ import annotations

import math
from enum import IntEnum

import numpy as np

from costsim.simulation.autoscaler import GUARD, guarded_ceil, guarded_floor
from costsim.simulation.compiled import inner
from costsim.simulation.policies.sliding import largest_since

ACTIVATION_TIMEOUT_S = 630.0
"""A pool that is wanted no more, and has not become ready for so long, goes to zero."""

SMALLEST_TARGET = 0.01
PRECISION = 1e6
"""Means are rounded down to so many parts of one."""

NEVER = -1
"""No such second."""
UNDECIDED = -1
"""No count: there is nothing to decide by."""


class Status(IntEnum):
    """Whether the pool serves, is on its way to that, or may go to zero."""

    INACTIVE = 0
    ACTIVATING = 1
    ACTIVE = 2


# Not Python's integers: numba compiles a function anew for each of those.
_INACTIVE = np.int64(Status.INACTIVE)
_ACTIVATING = np.int64(Status.ACTIVATING)
_ACTIVE = np.int64(Status.ACTIVE)

FIELDS = [
    ("panic_since_s", "f8"),  # since when the load was last over the threshold; NaN
    ("panic_replicas", "i8"),  # most that were wanted in this panic
    ("last_second", "i8"),  # the last with data; NEVER
    ("first_stable", "i8"),  # the first with data that the window may go back to
    ("first_panic", "i8"),
    ("poked_second", "i8"),  # in which a request found nothing alive; NEVER
    ("last_desired", "i8"),  # the decision before, or UNDECIDED
    ("status", "i8"),
    ("status_since_s", "f8"),
    ("proxied_since_s", "f8"),  # since when the activator is in the path; NaN
]
"""What it remembers."""


def begin_knative(memory: np.void, initial_replicas: int) -> None:
    """Begin with replicas that are ready: more than one, and it begins in panic."""
    memory["panic_since_s"] = 0.0 if initial_replicas > 1 else math.nan
    memory["panic_replicas"] = initial_replicas
    for name in ("last_second", "first_stable", "first_panic", "poked_second"):
        memory[name] = NEVER
    memory["last_desired"] = UNDECIDED
    memory["status"] = Status.ACTIVE if initial_replicas > 0 else Status.INACTIVE
    memory["proxied_since_s"] = math.nan


@inner
def _note_second(rules, memory, second):  # type: ignore[no-untyped-def]
    """Note that a second has data; after a gap as long as a window, that begins anew."""
    never = memory.last_second == NEVER
    gap = second - memory.last_second
    if never or gap >= rules.scaling_window_s:
        memory.first_stable = second
    if never or gap >= rules.panic_window_s:
        memory.first_panic = second
    memory.last_second = second


@inner
def poke(rules, memory, second):  # type: ignore[no-untyped-def]
    """Note a request that finds nothing alive: its second counts as one, at least."""
    memory.poked_second = second
    _note_second(rules, memory, second)


@inner
def close_second(rules, memory, samples, second, load, ready):  # type: ignore[no-untyped-def]
    """Note the load of a second that has ended.

    Parameters
    ----------
    rules : RULES_DTYPE
    memory : MEMORY_DTYPE
    samples : ndarray of float64
        A ring of pairs: the sum of the loads of all seconds before the k-th, and that
        sum's rounding error.
    second : int
        They are closed one after the other.
    load : float
        Integral of requests in system. [s]
    ready : int
        Replicas ready just before its end.
    """
    if second == memory.poked_second:
        load = max(load, 1.0)
    n = samples.size // 2
    before = 2 * (second % n)
    here = 2 * ((second + 1) % n)
    total = samples[before] + load
    shadow = total - samples[before]
    error = (samples[before] - (total - shadow)) + (load - shadow)
    samples[here] = total
    samples[here + 1] = samples[before + 1] + error
    if load > 0.0 or ready > 0:
        _note_second(rules, memory, second)


@inner
def mean_load(memory, samples, first, window_s, complete):  # type: ignore[no-untyped-def]
    """Return the mean load over the seconds of a window that have data behind them.

    Parameters
    ----------
    memory : MEMORY_DTYPE
    samples : ndarray of float64
    first : int
        The first second that the window may go back to.
    window_s : float
        Whole. [s]
    complete : int
        Seconds that have ended; the one under way counts only if it was poked.
    """
    poked = memory.poked_second == complete
    end = complete + 1 if poked else complete
    begin = max(first, end - int(window_s))
    n_seconds = memory.last_second + 1 - begin
    if n_seconds <= 0:
        return 0.0
    n = samples.size // 2
    now = 2 * (complete % n)
    then = 2 * (begin % n)
    total = (samples[now] - samples[then]) + (samples[now + 1] - samples[then + 1])
    if poked:
        total += 1.0
    return guarded_floor(total / n_seconds * PRECISION) / PRECISION


@inner
def _within_rates(wanted, fewest, most, activation_scale):  # type: ignore[no-untyped-def]
    """Return a wanted count within what one decision may do."""
    allowed = min(max(wanted, fewest), most)
    if wanted > 0:
        allowed = max(allowed, activation_scale)
    return allowed


@inner
def _update_panic(rules, memory, now_s, over):  # type: ignore[no-untyped-def]
    """Begin, extend or end the panic."""
    if over:
        memory.panic_since_s = now_s
    elif memory.panic_since_s + rules.scaling_window_s < now_s:
        memory.panic_since_s = math.nan
        memory.panic_replicas = 0


@inner
def knative_desired(rules, memory, ring, now_s, slot, ready, stable, panic):  # type: ignore[no-untyped-def]
    """Return the desired count before bounds.

    Parameters
    ----------
    rules : RULES_DTYPE
    memory : MEMORY_DTYPE
    ring : ndarray of NOTE_DTYPE
    now_s : float
    slot : int
        Which slot of the scale-down delay the decision falls into.
    ready : int
        Replicas.
    stable, panic : float
        Mean load over the two windows. [requests]
    """
    pods = max(ready, 1)
    target = rules.concurrency_target * rules.target_utilization
    target = max(target, SMALLEST_TARGET)
    most = guarded_ceil(rules.max_scale_up_rate * pods)
    fewest = guarded_floor(pods / rules.max_scale_down_rate)
    for_stable = guarded_ceil(stable / target)
    for_panic = guarded_ceil(panic / target)
    _update_panic(rules, memory, now_s, for_panic / pods >= rules.panic_threshold)
    desired = _within_rates(for_stable, fewest, most, rules.activation_scale)
    if not math.isnan(memory.panic_since_s):
        # A panic never scales down.
        in_panic = _within_rates(for_panic, fewest, most, rules.activation_scale)
        desired = max(desired, in_panic, memory.panic_replicas)
        memory.panic_replicas = desired
    if rules.delay_slots > 0:
        at = np.float64(slot)
        after = at - rules.delay_slots
        desired = largest_since(ring, memory.falls, at, desired, after)
    memory.last_desired = desired
    return desired


@inner
def lacks_burst_capacity(rules, ready, panic):  # type: ignore[no-untyped-def]
    """Return whether a burst would find too few free slots: the activator must stay."""
    if rules.target_burst_capacity < 0.0:
        return True
    if rules.target_burst_capacity == 0.0:
        return False
    capacity = ready * rules.concurrency_target
    return capacity - rules.target_burst_capacity - panic < -GUARD


@inner
def _set_status(memory, status, now_s):  # type: ignore[no-untyped-def]
    if memory.status != status:
        memory.status = status
        memory.status_since_s = now_s


@inner
def _set_proxied(memory, proxied, now_s):  # type: ignore[no-untyped-def]
    if not proxied:
        memory.proxied_since_s = math.nan
    elif math.isnan(memory.proxied_since_s):
        memory.proxied_since_s = now_s


@inner
def _may_stop_last(rules, memory, now_s):  # type: ignore[no-untyped-def]
    """Return whether an inactive pool may go to zero now."""
    inactive_since_s = memory.status_since_s
    if now_s < inactive_since_s + rules.retention_s:
        return False
    longest_s = max(rules.grace_period_s, rules.retention_s)
    return (
        now_s >= inactive_since_s + longest_s
        or now_s >= memory.proxied_since_s + rules.grace_period_s
    )


@inner
def knative_applied(rules, memory, now_s, desired, ready, alive, enough, short):  # type: ignore[no-untyped-def]
    """Return the count to go to: the last replica stops in steps.

    Parameters
    ----------
    rules : RULES_DTYPE
    memory : MEMORY_DTYPE
    now_s : float
    desired : int
        Within the bounds.
    ready, alive : int
        Replicas.
    enough : int
        So many ready make the pool active.
    short : bool
        It lacks burst capacity.
    """
    if memory.status == _ACTIVATING and ready >= enough:
        _set_status(memory, _ACTIVE, now_s)
    was_inactive = memory.status == _INACTIVE
    going = desired
    if desired > 0:
        _set_status(memory, _ACTIVE if ready >= enough else _ACTIVATING, now_s)
    elif memory.status == _ACTIVATING:
        going = alive
        if memory.status_since_s + ACTIVATION_TIMEOUT_S < now_s:
            _set_status(memory, _INACTIVE, now_s)
            going = 0
    elif memory.status == _ACTIVE:
        going = 1
        if now_s >= memory.status_since_s + rules.scaling_window_s:
            _set_status(memory, _INACTIVE, now_s)
            going = alive
    _set_proxied(memory, short or memory.status == _INACTIVE, now_s)
    if desired == 0 and was_inactive:
        going = 0 if _may_stop_last(rules, memory, now_s) else alive
    return going
