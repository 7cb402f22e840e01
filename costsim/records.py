"""NumPy dtypes of request and replica records: the joint between engine and billing.

A **request** is queued, bound to a starting replica, or in service, and ends in one
outcome. A **replica** is *starting* from ``launch_s`` to ``ready_s``, *ready* (idle or
busy) until ``stop_s``, the end of a possible drain included.

All times are seconds from the start of the run; NaN means "not, so far".
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

Records = np.ndarray[Any, np.dtype[np.void]]
"""A structured array of one of the dtypes below."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Outcome(IntEnum):
    """How a request ended."""

    SERVED = 0
    REJECTED = 1
    """No room in the queue, over the rate limit, or nothing ready and no holding."""
    TIMED_OUT = 2
    """Waited longer than it was willing to."""
    UNFINISHED = 3
    """Still in the system at the end."""
    FAILED = 4
    """Its replica died, and its attempts were used up."""


REQUEST_DTYPE = np.dtype(
    [
        ("arrival_s", "f8"),
        ("start_s", "f8"),  # service began; NaN: never
        ("departure_s", "f8"),  # service ended; NaN unless served
        ("replica", "i4"),  # that began it; -1: none
        ("cold", "?"),  # that replica was not ready at the arrival
        ("launched", "i4"),  # launches made by this arrival
        ("outcome", "i1"),  # Outcome
    ]
)
"""One request's visit: arrival_s <= start_s <= departure_s."""

REPLICA_DTYPE = np.dtype(
    [
        ("launch_s", "f8"),  # the autoscaler asked for it
        ("ready_s", "f8"),  # setup ended; NaN: never
        ("stop_s", "f8"),  # released; NaN: alive at the end
        ("busy_s", "f8"),  # with at least one request in service
        ("slot_s", "f8"),  # slot-seconds in service
        ("n_served", "i8"),  # completions
        ("missed", "?"),  # its setup did not find its cache
    ]
)
"""One replica's life: launch_s <= ready_s <= stop_s."""
