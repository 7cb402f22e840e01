"""Replicas for a rate of requests (docs/model.md 9.5.1): dstack and kin.

``RPSAutoscaler`` of ``src/dstack/_internal/server/services/services/autoscalers.py``
(github.com/dstackai/dstack).
"""

from __future__ import annotations

from costsim.simulation.autoscaler import clamped, guarded_ceil
from costsim.simulation.compiled import inner

FIELDS = [
    ("last_scaled_s", "f8"),  # NaN: not yet
]
"""What it remembers."""


@inner
def rate_desired(  # type: ignore[no-untyped-def]
    rules, memory, now_s, arrivals, alive, in_system, min_replicas, max_replicas
):
    """Return the desired count, within the bounds.

    Parameters
    ----------
    rules : RULES_DTYPE
    memory : MEMORY_DTYPE
    now_s : float
    arrivals : int
        Requests within the window.
    alive, in_system, min_replicas, max_replicas : int
    """
    rate_per_s = arrivals / rules.scaling_window_s
    wanted = guarded_ceil(rate_per_s / rules.target)
    wanted = clamped(wanted, in_system, min_replicas, max_replicas)
    within_bounds = min_replicas <= alive <= max_replicas
    if within_bounds and alive > 0:
        delay_s = rules.up_delay_s if wanted > alive else rules.down_delay_s
        # Not yet scaled is NaN, and no time is before that.
        if now_s < memory.last_scaled_s + delay_s:
            return alive
    if wanted != alive:
        memory.last_scaled_s = now_s
    return wanted
