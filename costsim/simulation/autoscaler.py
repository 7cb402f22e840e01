"""Compiled autoscaler policies: pure functions of numbers.

Observed load and ``now`` go in, a count comes out; launching and removing is the
kernel's. Floats before a ceiling or floor are guarded by 1e-9, so that 0.7 x 10 does not
need an eighth replica for the rounding error of a float (docs/model.md 9).
"""

from __future__ import annotations

import math
from enum import IntEnum

from costsim.simulation.compiled import inlined, inner

GUARD = 1e-9


class Policy(IntEnum):
    """Which rule launches and removes replicas."""

    ON_DEMAND = 0
    """Launch on arrival, stop by idle timeout (Modal, Lambda, Beam)."""
    CONCURRENCY_WINDOW = 1
    """Aim at a mean concurrency over a sliding window (Baseten)."""
    QUEUE_DELAY = 2
    """Launch while the queue's head waits too long (RunPod)."""
    REQUEST_COUNT = 3
    """Launch by requests in system (RunPod)."""
    KNATIVE = 4
    """Knative's pod autoscaler: a stable and a panic window."""
    HPA = 5
    """Kubernetes' horizontal pod autoscaler."""
    KEDA = 6
    """The same, with KEDA between zero and one."""
    REQUEST_RATE = 7
    """Aim at a rate of requests per replica (dstack)."""
    STEP_TRACKING = 8
    """Track a target by alarms, and wake from zero by another (SageMaker)."""


@inlined
def guarded_ceil(quotient):  # type: ignore[no-untyped-def]
    """Return the ceiling of a quotient that may carry a rounding error."""
    return math.ceil(quotient - GUARD)


@inlined
def needed_replicas(in_system, concurrency_target, buffer_replicas):  # type: ignore[no-untyped-def]
    """Return the replicas that so many requests call for on demand (docs/model.md 4.9).

    Parameters
    ----------
    in_system : int
        Requests queued, bound, or in service on replicas that are alive.
    concurrency_target : float
        Requests per replica to aim at.
    buffer_replicas : int
        Extra replicas while the pool is active.
    """
    if in_system == 0:
        return 0
    return max(1, guarded_ceil(in_system / concurrency_target)) + buffer_replicas


@inlined
def guarded_floor(quotient):  # type: ignore[no-untyped-def]
    """Return the floor of a quotient that may carry a rounding error."""
    return math.floor(quotient + GUARD)


@inner
def clamped(desired, in_system, min_replicas, max_replicas):  # type: ignore[no-untyped-def]
    """Return a desired count raised to 1 while there is work, then within the bounds."""
    if in_system > 0:
        desired = max(desired, 1)
    return min(max(desired, min_replicas), max_replicas)


@inner
def window_desired(mean_in_system, concurrency_target, target_utilization):  # type: ignore[no-untyped-def]
    """Return the replicas that hold a mean concurrency at the target (docs/model.md 9.1)."""
    return guarded_ceil(mean_in_system / (concurrency_target * target_utilization))


@inner
def scale_down_step(alive, desired, max_scale_down_fraction):  # type: ignore[no-untyped-def]
    """Return how many replicas one step may remove: never none, or one could never go."""
    largest = max(1, guarded_floor(alive * max_scale_down_fraction))
    return min(alive - desired, largest)


@inner
def below_since(now_s, low_since_s, desired, alive):  # type: ignore[no-untyped-def]
    """Return since when every tick has wanted fewer replicas; NaN if this one does not."""
    if desired >= alive:
        return math.nan
    return now_s if math.isnan(low_since_s) else low_since_s
