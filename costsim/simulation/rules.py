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
    scaling_interval_s: float
    scaling_window_s: float
    target_utilization: float
    scale_down_delay_s: float
    max_scale_down_fraction: float
    threshold_s: float
    requests_per_replica: float


RULES_DTYPE = np.dtype(list(get_type_hints(Rules).items()))
"""``Rules`` as a record: one pointer to a compiled function, not 24 arguments."""
