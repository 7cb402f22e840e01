"""Tracking a target by alarms (docs/model.md 9.5.2): SageMaker and kin.

Alarms count datapoints in a row: few of them scale out, many scale in. A pool at zero has
no metric to track; another alarm, for requests without capacity, wakes it by one.
"""

from __future__ import annotations

from costsim.simulation.autoscaler import GUARD, clamped, guarded_ceil
from costsim.simulation.compiled import inner

FIELDS = [
    ("n_high", "i8"),  # datapoints above the target, in a row
    ("n_low", "i8"),  # well below it
    ("scaled_out_s", "f8"),  # NaN: not yet
    ("scaled_in_s", "f8"),
    ("base", "i8"),  # replicas before the scale-outs of the running cooldown
    ("arrived_before", "i8"),  # requests that had arrived at the datapoint before
    ("without_capacity", "i8"),  # since then one arrived with nothing alive
]
"""What it remembers."""


@inner
def _count_datapoints(rules, memory, ratio):  # type: ignore[no-untyped-def]
    """Count how many datapoints in a row are high, and how many are low."""
    memory.n_high = memory.n_high + 1 if ratio > 1.0 + GUARD else 0
    memory.n_low = memory.n_low + 1 if ratio < rules.low_fraction - GUARD else 0


@inner
def _scale_out(rules, memory, now_s, ratio, alive, max_replicas):  # type: ignore[no-untyped-def]
    """Return the count that the high alarm sets.

    What the last scale-out added is not serving yet: during its cooldown the ratio is
    applied to what there was before, and only a larger count than the present one counts.
    """
    cooling = now_s < memory.scaled_out_s + rules.up_cooldown_s
    if not cooling:
        memory.base = alive
    desired = min(guarded_ceil(memory.base * ratio), max_replicas)
    if desired <= alive:
        return alive
    memory.scaled_out_s = now_s
    return desired


@inner
def _scale_in(rules, memory, now_s, ratio, alive, in_system, min_replicas):  # type: ignore[no-untyped-def]
    """Return the count that the low alarm sets."""
    if now_s < memory.scaled_in_s + rules.down_cooldown_s:
        return alive
    desired = clamped(guarded_ceil(alive * ratio), in_system, min_replicas, alive)
    if desired < alive:
        memory.scaled_in_s = now_s
    return desired


@inner
def tracking_desired(  # type: ignore[no-untyped-def]
    rules, memory, now_s, load, ready, alive, in_system, min_replicas, max_replicas
):
    """Return the desired count.

    Parameters
    ----------
    rules : RULES_DTYPE
    memory : MEMORY_DTYPE
    now_s : float
    load : float
        Mean requests in system over the datapoint, or arrivals per second of it.
    ready, alive, in_system, min_replicas, max_replicas : int
    """
    knocked = memory.without_capacity
    memory.without_capacity = 0
    if ready == 0:
        # No replica, no metric.
        memory.n_high = 0
        memory.n_low = 0
        wake = alive == 0 and (knocked > 0 or in_system > 0)
        return 1 if wake else alive
    ratio = load / ready / rules.target
    _count_datapoints(rules, memory, ratio)
    if memory.n_high >= rules.high_datapoints:
        return _scale_out(rules, memory, now_s, ratio, alive, max_replicas)
    if memory.n_low >= rules.low_datapoints:
        return _scale_in(rules, memory, now_s, ratio, alive, in_system, min_replicas)
    return alive
