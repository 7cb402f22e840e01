"""What autoscalers remember, in one record and one ring, and fresh ones to begin with."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from costsim.simulation.autoscaler import Policy
from costsim.simulation.policies import (
    hpa,
    keda,
    knative,
    request_rate,
    step_tracking,
)
from costsim.simulation.policies.sliding import NOTE_DTYPE

if TYPE_CHECKING:
    from costsim.records import Records
    from costsim.simulation.rules import Rules

_WINDOW = 4
"""Numbers of a window in the ring, see ``sliding``."""

MEMORY_DTYPE = np.dtype(
    [
        # The load since the last second or datapoint, for those that take its mean.
        ("load", "f8"),  # request-seconds
        ("load_at_s", "f8"),
        ("second", "i8"),  # the one under way
        ("next_poll", "i8"),
        ("poked", "i8"),  # a request has found nothing alive, and waits for an answer
        # Windows of what was desired or proposed, and a ring of changes.
        ("falls", "i8", _WINDOW),
        ("rises", "i8", _WINDOW),
        ("changes", "i8", _WINDOW),
        *knative.FIELDS,
        *hpa.FIELDS,
        *keda.FIELDS,
        *request_rate.FIELDS,
        *step_tracking.FIELDS,
    ]
)
"""What an autoscaler remembers; each uses what is its own."""


def fresh_memory(rules: Rules, initial_replicas: int) -> tuple[np.void, Records]:
    """Return the memory of an autoscaler that has decided nothing, and its ring."""
    memory = np.zeros(1, dtype=MEMORY_DTYPE)[0]
    memory["next_poll"] = 1
    knative.begin_knative(memory, initial_replicas)
    for name in ("last_active_s", "last_scaled_s", "scaled_out_s", "scaled_in_s"):
        memory[name] = math.nan
    periods = (
        rules.up_replicas_period_s,
        rules.up_fraction_period_s,
        rules.down_replicas_period_s,
        rules.down_fraction_period_s,
    )
    sizes = {
        "falls": max(rules.delay_slots, _ticks_in(rules.down_stabilization_s, rules)),
        "rises": _ticks_in(rules.up_stabilization_s, rules),
        "changes": _ticks_in(max(periods), rules),
    }
    offset = 0
    for name, size in sizes.items():
        memory[name] = (offset, size + 2, 0, 0)
        offset += size + 2
    return memory, np.zeros(offset, dtype=NOTE_DTYPE)


def _ticks_in(window_s: float, rules: Rules) -> int:
    """Return how many ticks may fall into a window, at most."""
    return math.ceil(window_s / rules.scaling_interval_s) + 1 if window_s > 0 else 1


def samples_in_window(rules: Rules) -> int:
    """Return how many samples of the load a loop keeps at a time, at least 1.

    Knative needs one for each second of its window; others one for each coming tick whose
    window may have begun.
    """
    if rules.policy == Policy.KNATIVE:
        return int(rules.scaling_window_s) + 2
    if rules.scaling_window_s == 0:
        return 1
    return math.floor(rules.scaling_window_s / rules.scaling_interval_s) + 3
