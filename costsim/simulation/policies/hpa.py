"""Kubernetes' horizontal pod autoscaler (docs/model.md 9.3), from the rules of its source.

``pkg/controller/podautoscaler/replica_calculator.go`` proposes a count from a metric,
``horizontal.go`` stabilizes and limits it (github.com/kubernetes/kubernetes).
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from costsim.simulation.autoscaler import GUARD, clamped, guarded_ceil, guarded_floor
from costsim.simulation.compiled import inner
from costsim.simulation.policies.sliding import OFFSET, SIZE, largest_since


class Select(IntEnum):
    """Which of two limits holds."""

    MAX = 0
    """The one that allows more change."""
    MIN = 1
    """The one that allows less."""
    DISABLED = 2
    """No change that way."""


_MIN = int(Select.MIN)
_DISABLED = int(Select.DISABLED)

# The limits. Not Python's integers: numba compiles a function anew for each of those.
UP_REPLICAS = np.int64(0)
UP_FRACTION = np.int64(1)
DOWN_REPLICAS = np.int64(2)
DOWN_FRACTION = np.int64(3)
N_LIMITS = 4

FIELDS = [
    ("n_changes", "i8"),  # of its own making, so far
    ("limit_first", "i8", N_LIMITS),  # the first of them within each limit's period
    ("limit_change", "i8", N_LIMITS),  # what they add up to
]
"""What it remembers, beside windows of what was proposed and a ring of its changes."""


@inner
def requests_proposal(rules, in_system, alive):  # type: ignore[no-untyped-def]
    """Return the count that holds requests per replica at the target.

    As for an external metric with an average value: readiness does not matter.
    """
    if alive > 0:
        ratio = in_system / (rules.target * alive)
        if _is_tolerable(rules, ratio):
            return alive
    return guarded_ceil(in_system / rules.target)


@inner
def _is_tolerable(rules, ratio):  # type: ignore[no-untyped-def]
    """Return whether a metric is near enough to its target."""
    low = 1.0 - rules.down_tolerance - GUARD
    return low <= ratio <= 1.0 + rules.up_tolerance + GUARD


@inner
def _busy_ratio(rules, busy, n):  # type: ignore[no-untyped-def]
    """Return utilization over target; utilization is whole per cent, rounded down."""
    return guarded_floor(100.0 * busy / n) / (100.0 * rules.target)


@inner
def busy_proposal(rules, busy, measured, alive):  # type: ignore[no-untyped-def]
    """Return the count that holds the busy fraction of replicas at the target.

    Parameters
    ----------
    rules : RULES_DTYPE
    busy : float
        Sum of the busy fractions of the replicas that have been measured. [1]
    measured, alive : int
        Replicas.
    """
    if measured == 0:
        return alive
    ratio = _busy_ratio(rules, busy, measured)
    if ratio <= 1.0 + GUARD or measured == alive:
        if _is_tolerable(rules, ratio):
            return alive
        return guarded_ceil(ratio * measured)
    # On the way up those that are not measured count as idle.
    ratio = _busy_ratio(rules, busy, alive)
    if ratio < 1.0 - GUARD or _is_tolerable(rules, ratio):
        return alive
    return max(guarded_ceil(ratio * alive), alive)


@inner
def _stabilized(rules, memory, ring, now_s, alive, proposal):  # type: ignore[no-untyped-def]
    """Return the count nearest to the present one that recent proposals allow."""
    lowest = -largest_since(
        ring, memory.rises, now_s, -proposal, now_s - rules.up_stabilization_s
    )
    highest = largest_since(
        ring, memory.falls, now_s, proposal, now_s - rules.down_stabilization_s
    )
    return min(max(alive, lowest), highest)


@inner
def _forget_changes(memory, ring, limit, until_s):  # type: ignore[no-untyped-def]
    """Take changes out of a limit's period that were made until a time."""
    changes = memory.changes
    first = memory.limit_first[limit]
    while first < memory.n_changes:
        change = ring[changes[OFFSET] + first % changes[SIZE]]
        if change.at > until_s:
            break
        memory.limit_change[limit] -= change.value
        first += 1
    memory.limit_first[limit] = first


@inner
def _forget_old_changes(rules, memory, ring, now_s):  # type: ignore[no-untyped-def]
    _forget_changes(memory, ring, UP_REPLICAS, now_s - rules.up_replicas_period_s)
    _forget_changes(memory, ring, UP_FRACTION, now_s - rules.up_fraction_period_s)
    _forget_changes(memory, ring, DOWN_REPLICAS, now_s - rules.down_replicas_period_s)
    _forget_changes(memory, ring, DOWN_FRACTION, now_s - rules.down_fraction_period_s)


@inner
def _note_change(memory, ring, now_s, value):  # type: ignore[no-untyped-def]
    changes = memory.changes
    change = ring[changes[OFFSET] + memory.n_changes % changes[SIZE]]
    change.at = now_s
    change.value = value
    memory.n_changes += 1
    for limit in range(N_LIMITS):
        memory.limit_change[limit] += value


@inner
def _most_allowed(rules, memory, alive):  # type: ignore[no-untyped-def]
    """Return how high the limits let it go: never below the present count."""
    if rules.up_select == _DISABLED:
        return alive
    by_replicas = alive - memory.limit_change[UP_REPLICAS] + rules.up_replicas
    at_start = alive - memory.limit_change[UP_FRACTION]
    by_fraction = guarded_ceil(at_start * (1.0 + rules.up_fraction))
    if rules.up_replicas == 0:
        most = by_fraction
    elif rules.up_fraction == 0.0:
        most = by_replicas
    elif rules.up_select == _MIN:
        most = min(by_replicas, by_fraction)
    else:
        most = max(by_replicas, by_fraction)
    return max(most, alive)


@inner
def _fewest_allowed(rules, memory, alive):  # type: ignore[no-untyped-def]
    """Return how low the limits let it go: never above the present count."""
    if rules.down_select == _DISABLED:
        return alive
    by_replicas = alive - memory.limit_change[DOWN_REPLICAS] - rules.down_replicas
    at_start = alive - memory.limit_change[DOWN_FRACTION]
    by_fraction = guarded_floor(at_start * (1.0 - rules.down_fraction))
    if rules.down_replicas == 0:
        fewest = by_fraction
    elif rules.down_fraction == 0.0:
        fewest = by_replicas
    elif rules.down_select == _MIN:
        fewest = max(by_replicas, by_fraction)
    else:
        fewest = min(by_replicas, by_fraction)
    return min(fewest, alive)


@inner
def hpa_desired(  # type: ignore[no-untyped-def]
    rules, memory, ring, now_s, alive, in_system, min_replicas, max_replicas, proposal
):
    """Return the desired count, within the bounds.

    Parameters
    ----------
    rules : RULES_DTYPE
    memory : MEMORY_DTYPE
    ring : ndarray of NOTE_DTYPE
    now_s : float
    alive, in_system, min_replicas, max_replicas : int
    proposal : int
        What the metric calls for.
    """
    _forget_old_changes(rules, memory, ring, now_s)
    desired = alive
    if min_replicas <= alive <= max_replicas:
        desired = _stabilized(rules, memory, ring, now_s, alive, proposal)
        if desired > alive:
            desired = min(desired, _most_allowed(rules, memory, alive))
        elif desired < alive:
            desired = max(desired, _fewest_allowed(rules, memory, alive))
    desired = clamped(desired, in_system, min_replicas, max_replicas)
    if desired != alive:
        _note_change(memory, ring, now_s, desired - alive)
    return desired
