"""What the reference simulator is about: settings, requests, replicas, and its records.

Written from sections 1, 2 and 11 of docs/model.md; numbers in comments are its clauses.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

COMPLETION, READY, FAILURE, RETRY, PREWARM, IDLE_TIMEOUT = range(6)
GIVE_UP, ARRIVAL, BOUNDS, TICK = range(6, 10)
"""Classes of events, in the order of 3.1."""

SERVED, REJECTED, TIMED_OUT, UNFINISHED, FAILED = range(5)
NAN = math.nan

REQUEST_DTYPE = np.dtype(
    [
        ("arrival_s", "f8"),
        ("start_s", "f8"),
        ("departure_s", "f8"),
        ("replica", "i8"),
        ("cold", "?"),
        ("launched", "i8"),
        ("outcome", "i8"),
    ]
)
REPLICA_DTYPE = np.dtype(
    [
        ("launch_s", "f8"),
        ("ready_s", "f8"),
        ("stop_s", "f8"),
        ("busy_s", "f8"),
        ("slot_s", "f8"),
        ("n_served", "i8"),
    ]
)


@dataclass
class Settings:
    """Section 1, except the arrays."""

    idle_timeout_s: float = 60.0
    min_replicas: int = 0
    max_replicas: int | None = None
    concurrency_limit: int = 1
    concurrency_target: float | None = None
    buffer_replicas: int = 0
    max_queued: int | None = None
    queue_timeout_s: float | None = None
    rate_limit: tuple[float, float] | None = None
    at_zero: str | tuple[str, float] = "hold"
    binding: str = "shared"
    cancel_setups: bool = False
    routing: str = "most_recently_used"
    initial_replicas: int | None = None
    horizon_s: float | None = None
    end: str = "drain"
    first_service_time_s: Sequence[float] | None = None
    slowdown: float = 0.0
    failures: Mapping[str, Any] | None = None
    keep_alive: Mapping[str, Any] | None = None
    autoscaler: str | Mapping[str, Any] = "on_demand"
    bounds: Sequence[tuple[float, int, int | None]] | None = None


@dataclass(eq=False)  # equal only to itself
class Request:
    index: int
    arrival_s: float
    start_s: float = NAN
    departure_s: float = NAN
    replica: int = -1
    cold: bool = False
    launched: int = 0
    outcome: int = UNFINISHED
    arrived_at_step: int = -1
    waits_for: "Replica | None" = None
    """The starting replica it is glued to, if any."""
    waits_since_s: float = NAN
    """Its arrival, or its last retry. [s]"""
    give_up_timer: int = 0
    """The number of its armed give-up: one with another number is void."""
    service: "Service | None" = None
    """What it is in, if it is in service."""
    n_begun: int = 0
    """How many times it has begun service."""


@dataclass(eq=False)
class Service:
    """One request on one replica, from begin to completion or failure."""

    start_s: float
    work_left_s: float
    stop_s: float = math.inf
    completed: bool = False


@dataclass(eq=False)
class Replica:
    id: int
    launch_s: float
    state: str = "starting"
    ready_s: float = NAN
    stop_s: float = NAN
    ready_at_step: int = -1
    stamp: int = -1
    timer: int | None = None
    """The number of the armed idle timer: a timer with another number is void."""
    pinned: bool = False
    glued: list[Request] = field(default_factory=list)
    in_service: list[Request] = field(default_factory=list)
    begun: list[Service] = field(default_factory=list)
    """Every service it ever began, in order."""

    @property
    def alive(self):
        return self.state in ("starting", "ready")  # 2


@dataclass
class Pool:
    requests: np.ndarray
    replicas: np.ndarray
    end_s: float
