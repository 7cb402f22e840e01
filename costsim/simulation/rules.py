"""The settings of a pool as the kernel reads them: numbers in one record."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple, get_type_hints

import numpy as np


class Routing(IntEnum):
    """Which ready replica with a free slot takes an arrival (docs/model.md 5)."""

    MOST_RECENTLY_USED = 0
    LEAST_RECENTLY_USED = 1
    NEWEST = 2
    OLDEST = 3
    LEAST_LOADED = 4
    MOST_LOADED = 5
    ROUND_ROBIN = 6


class AtZero(IntEnum):
    """What happens to a request while no replica is ready."""

    HOLD = 0
    REJECT = 1
    HOLD_FOR = 2


class Rules(NamedTuple):
    """The settings of a pool, as numbers; they do not change during a run."""

    policy: int
    routing: int
    at_zero: int
    bound: bool
    cancel_setups: bool
    plain: bool
    """Target = limit and no buffer: an arrival that finds a slot needs no launch."""
    concurrency_limit: int
    concurrency_target: float
    buffer_replicas: int
    max_queued: int
    idle_timeout_s: float
    queue_timeout_s: float
    hold_for_s: float
    rate_per_s: float
    """Rate limit; inf: none."""
    burst: float
    horizon_s: float
    cut: bool
    cut_s: float
    """The horizon where it cuts the run off, else inf."""
    slowdown: float
    max_attempts: int
    backoff_s: float
    backoff_factor: float
    fails: bool
    """Whether replicas die."""
    tracked: bool
    """Whether a request's end is not known when it begins."""
    hit_probability: float
    hit_half_life_s: float
    mixed: bool
    """Whether a launch may find a cache, and so has two setup times."""
    learns: bool
    """Whether idle replicas are kept by the histogram policy, not for a time."""
    bin_s: float
    head: float
    tail: float
    margin: float
    cv_threshold: float
    most_out_of_bounds: float
    records: bool
    """Whether every request's row is kept, by id."""
    # The autoscaler's; each reads its own (docs/model.md 9).
    removes: bool = False
    """Whether the loop removes replicas; else they stop by idle timeout."""
    wakes_itself: bool = False
    """Whether a pool at zero waits for the loop, and no request wakes it."""
    observes: bool = False
    """Whether the loop follows the load between its ticks."""
    scaling_interval_s: float = 0.0
    scaling_window_s: float = 0.0
    target_utilization: float = 0.0
    scale_down_delay_s: float = 0.0
    max_scale_down_fraction: float = 0.0
    threshold_s: float = 0.0
    requests_per_replica: float = 0.0
    target: float = 0.0
    panic_window_s: float = 0.0
    panic_threshold: float = 0.0
    max_scale_up_rate: float = 0.0
    max_scale_down_rate: float = 0.0
    activation_scale: int = 1
    target_burst_capacity: float = 0.0
    grace_period_s: float = 0.0
    retention_s: float = 0.0
    delay_slots: int = 0
    """The scale-down delay, in intervals."""
    measures_busy: bool = False
    """Whether the metric is the busy fraction of replicas, not requests in system."""
    up_tolerance: float = 0.0
    up_stabilization_s: float = 0.0
    up_select: int = 0
    up_replicas: int = 0
    """Most replicas added in a period; 0: no such limit."""
    up_replicas_period_s: float = 0.0
    up_fraction: float = 0.0
    up_fraction_period_s: float = 0.0
    down_tolerance: float = 0.0
    down_stabilization_s: float = 0.0
    down_select: int = 0
    down_replicas: int = 0
    down_replicas_period_s: float = 0.0
    down_fraction: float = 0.0
    down_fraction_period_s: float = 0.0
    polling_interval_s: float = 0.0
    """0: nothing is polled."""
    cooldown_s: float = 0.0
    initial_cooldown_s: float = 0.0
    activation_threshold: float = 0.0
    up_delay_s: float = 0.0
    down_delay_s: float = 0.0
    counts_arrivals: bool = False
    """Whether the metric is the arrivals of a datapoint, not requests in system."""
    high_datapoints: int = 0
    low_datapoints: int = 0
    low_fraction: float = 0.0
    up_cooldown_s: float = 0.0
    down_cooldown_s: float = 0.0


RULES_DTYPE = np.dtype(list(get_type_hints(Rules).items()))
"""``Rules`` as a record: one pointer to a compiled function, not 80 arguments."""
