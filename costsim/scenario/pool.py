"""A pool and its prices in costsim's own words, for a deployment that has no platform."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from costsim.scenario.autoscalers import Autoscaler, Fixed, OnDemand
from costsim.scenario.schedule import Schedule
from costsim.spec import (
    Count,
    Duration,
    PositiveCount,
    PositiveDuration,
    PositiveFloat,
    Price,
    Rate,
    Replicas,
    RuleError,
    Spec,
    Timeout,
    Usd,
)


def _whole_nanoseconds(increment_s: float) -> float:
    if 0 < increment_s < 1e-9:
        message = "must be 0s (not rounded) or at least 1 ns"
        raise ValueError(message)
    return increment_s


Increment = Annotated[Duration, AfterValidator(_whole_nanoseconds)]
"""What billed time is rounded up to; 0: not rounded. [s]"""


class RateLimit(Spec):
    """A token bucket before the pool."""

    rate: Annotated[Rate, Field(gt=0)]
    """Sustained rate."""
    burst: Annotated[float, Field(ge=1)]
    """Requests that may come at once."""


class HoldFor(Spec):
    """Hold a request for a time while nothing is ready."""

    hold_for: Duration
    """It gives up after this."""


Share = Annotated[float, Field(ge=0, le=1)]
"""A part of a whole. [1]"""


_MOST_BINS = 1_000_000
"""Most bins of a histogram."""


class HistogramKeepAlive(Spec):
    """Learn how long idle replicas are worth keeping (Shahrad et al., USENIX ATC 2020)."""

    kind: Literal["histogram"]
    range: PositiveDuration = 4 * 3600.0
    """Idle times of the pool beyond it are not told apart."""
    bin: PositiveDuration = 60.0
    """Width of the histogram's bins."""
    head: Share = 0.05
    """Share of idle times that may end before a replica is loaded again."""
    tail: Share = 0.99
    """Share of idle times that a replica is kept for."""
    margin: Share = 0.1
    """How much earlier than the head, and later than the tail."""
    cv_threshold: Annotated[float, Field(ge=0)] = 2.0
    """Coefficient of variation of the counts below which they say nothing: then the whole range is kept."""
    most_out_of_bounds: Share = 0.5
    """Share of idle times beyond the range at which the whole range is kept."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.head > self.tail:
            message = f"({self.head:g}) must not exceed the tail ({self.tail:g})"
            raise RuleError(message, "head")
        if self.range < self.bin:
            message = "must be at least one bin"
            raise RuleError(message, "range")
        if self.range > _MOST_BINS * self.bin:
            message = f"must be at most {_MOST_BINS:,} bins"
            raise RuleError(message, "range")
        return self


class Failures(Spec):
    """Replicas die, as when a spot machine is taken away."""

    mean_lifetime: PositiveDuration
    """How long a replica lives once it is ready, on average; exponentially distributed."""
    max_attempts: PositiveCount = 1
    """Times that a request may begin; one whose last attempt dies with its replica is lost."""
    backoff: Duration = 0.0
    """Before an interrupted request comes back the first time."""
    backoff_factor: Annotated[float, Field(ge=1)] = 2.0
    """How much longer it waits each time."""


Routing = Literal[
    "most_recently_used",
    "least_recently_used",
    "newest",
    "oldest",
    "least_loaded",
    "most_loaded",
    "round_robin",
]


class Pool(Spec):
    """Replicas and the rules they live by, in costsim's words."""

    autoscaler: Autoscaler = OnDemand(kind="on_demand")
    """What launches and removes replicas."""
    idle_timeout: Timeout = 60.0
    """A ready replica with nothing in service stops after this long; `never` keeps it."""
    min_replicas: Replicas = 0
    """Never fewer."""
    max_replicas: Count | None = None
    """Never more; unlimited if left out."""
    schedule: Schedule = ()
    """Other bounds at certain hours, days or moments; later entries win."""
    concurrency_limit: PositiveCount = 1
    """Requests that a replica serves at once."""
    concurrency_target: PositiveFloat | None = None
    """Requests per replica that the autoscaler aims at; the limit if left out."""
    buffer_replicas: Replicas = 0
    """Extra replicas while the pool is active (on demand only)."""
    max_queued: Count | None = None
    """Requests that may wait; more are rejected."""
    queue_timeout: Duration | None = None
    """How long a request waits before it gives up."""
    rate_limit: RateLimit | None = None
    """Requests above it are rejected."""
    at_zero: Literal["hold", "reject"] | HoldFor = "hold"
    """What happens to a request while no replica is ready."""
    binding: Literal["shared", "bound"] = "shared"
    """Shared: one queue. Bound: the request that causes a launch waits for that replica."""
    cancel_setups: bool = False
    """Abort a setup that is no longer needed (queueing literature; platforms do not)."""
    routing: Routing = "most_recently_used"
    """Which ready replica takes an arrival."""
    keep_alive: HistogramKeepAlive | None = None
    """Learn how long idle replicas are kept, instead of idle_timeout (on demand only)."""
    slowdown: Annotated[float, Field(ge=0)] = 0.0
    """With n requests on a replica each takes 1 + slowdown x (n - 1) times as long (batching)."""
    failures: Failures | None = None
    """Replicas that die; never if left out."""
    initial_replicas: Replicas | None = None
    """Ready at the start; min_replicas if left out."""

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if self.max_replicas is not None and self.min_replicas > self.max_replicas:
            message = (
                f"min_replicas ({self.min_replicas}) must not exceed "
                f"max_replicas ({self.max_replicas})"
            )
            raise RuleError(message, "min_replicas")
        target = self.concurrency_target
        if target is not None and target > self.concurrency_limit:
            message = (
                f"concurrency_target ({target:g}) must not exceed "
                f"concurrency_limit ({self.concurrency_limit})"
            )
            raise RuleError(message, "concurrency_target")
        if (
            isinstance(self.autoscaler, Fixed)
            and self.min_replicas != self.max_replicas
        ):
            message = "a fixed pool needs min_replicas = max_replicas"
            raise ValueError(message)
        return self

    @property
    def most_replicas(self) -> int | None:
        """The largest max_replicas of any time; None: unlimited."""
        if self.max_replicas is None:
            return None
        by_clock = (entry.max_replicas or 0 for entry in self.schedule)
        return max(self.max_replicas, *by_clock, 0)


class Billing(Spec):
    """What a replica costs, in costsim's words."""

    price: Price
    """Price of one replica."""
    scope: Literal["replica", "segment", "request", "total", "aligned"] = "replica"
    """What is rounded: each replica's life, each billed interval, each request, all together, or clock slots."""
    increment: Increment = 1.0
    """Rounded up to this; 0s is not rounded."""
    minimum: Duration = 0.0
    """Shortest time billed for an item."""
    setup: bool = True
    """Is the time from launch to ready billed?"""
    idle: bool = True
    """Is idle time billed?"""
    min_replicas_idle: bool | None = None
    """The same of the min replicas; as of all others if left out."""
    min_replicas_idle_rate: Annotated[float, Field(ge=0)] = 1.0
    """Price of the min replicas' idle time, as a share of the price."""
    min_replicas_busy_rate: Annotated[float, Field(ge=0)] = 1.0
    """Price of the min replicas' busy time, as a share of the price."""
    failed_starts: bool = True
    """Is the setup billed of a replica that stopped before it was ready?"""
    release_lag: Duration = 0.0
    """How long the machine is billed after its replica has left."""
    per_request: Usd = 0.0
    """Fee for a served request."""
    free_requests: Count = 0
    """Requests without a fee in a month."""
    free_hours: Annotated[float, Field(ge=0)] = 0.0
    """Replica-hours that are free in a month."""
    monthly_fee: Usd = 0.0
    """Plan fee for a month."""
    monthly_credit: Usd = 0.0
    """Free credit for a month."""
