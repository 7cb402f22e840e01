"""KEDA between zero and one (docs/model.md 9.3.6), from the rules of its source.

``pkg/scaling/executor/scale_scaledobjects.go`` (github.com/kedacore/keda). From one on it
is the horizontal pod autoscaler that decides.
"""

from __future__ import annotations

import math

from costsim.simulation.compiled import inner

FIELDS = [
    ("last_active_s", "f8"),  # the last poll that found enough to do; NaN: none yet
]
"""What it remembers."""


@inner
def keda_desired(rules, memory, now_s, in_system, alive, min_replicas):  # type: ignore[no-untyped-def]
    """Return the count that a poll sets: the present one, one from zero, or zero.

    Parameters
    ----------
    rules : RULES_DTYPE
    memory : MEMORY_DTYPE
    now_s : float
    in_system, alive, min_replicas : int
    """
    if in_system > rules.activation_threshold:
        memory.last_active_s = now_s
        return max(alive, min_replicas, 1)
    if min_replicas > 0:
        return max(alive, min_replicas)
    ends_s = memory.last_active_s + rules.cooldown_s
    if math.isnan(memory.last_active_s):
        ends_s = rules.initial_cooldown_s
    return 0 if ends_s < now_s else alive
