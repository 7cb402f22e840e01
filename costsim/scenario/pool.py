"""A pool and its prices in costsim's own words, for a deployment that has no platform."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

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

Interval = Annotated[PositiveDuration, Field(ge=0.01)]
"""Time between decisions; shorter ones only cost time. [s]"""


def _whole_nanoseconds(increment_s: float) -> float:
    if 0 < increment_s < 1e-9:
        message = "must be 0s (not rounded) or at least 1 ns"
        raise ValueError(message)
    return increment_s


Increment = Annotated[Duration, AfterValidator(_whole_nanoseconds)]
"""What billed time is rounded up to; 0: not rounded. [s]"""


_MOST_DECISIONS = 1_000_000
"""Most decisions within one scaling window."""


class OnDemand(Spec):
    """Launch when requests find no free slot; stop a replica when it has idled long enough."""

    kind: Literal["on_demand"]


class Fixed(Spec):
    """A constant number of replicas: min_replicas = max_replicas."""

    kind: Literal["fixed"]


class ConcurrencyWindow(Spec):
    """Aim at a mean concurrency over a sliding window (Baseten and kin)."""

    kind: Literal["concurrency_window"]
    scaling_interval: Interval = 5.0
    """Time between decisions."""
    scaling_window: PositiveDuration = 60.0
    """Span over which requests in system are averaged."""
    target_utilization: Annotated[float, Field(gt=0, le=1)] = 0.7
    """Headroom: the share of the concurrency target to fill."""
    scale_down_delay: Duration = 900.0
    """The desired count must stay lower this long before replicas stop."""
    max_scale_down_fraction: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Largest share of the replicas that one step removes."""

    @model_validator(mode="after")
    def _bounded_memory(self) -> Self:
        # The loop remembers one sum for each decision in the window.
        if self.scaling_window > _MOST_DECISIONS * self.scaling_interval:
            message = f"must be at most {_MOST_DECISIONS:,} scaling intervals"
            raise RuleError(message, "scaling_window")
        return self


class QueueDelay(Spec):
    """Launch one more while the head of the queue has waited too long (RunPod)."""

    kind: Literal["queue_delay"]
    scaling_interval: Interval = 1.0
    """Time between decisions."""
    threshold: Duration = 4.0
    """Waiting time of the queue's head above which a replica is launched."""


class RequestCount(Spec):
    """Keep one replica for so many requests in system (RunPod)."""

    kind: Literal["request_count"]
    scaling_interval: Interval = 1.0
    """Time between decisions."""
    requests_per_replica: PositiveFloat
    """Requests in system for each replica."""


Autoscaler = Annotated[
    OnDemand | Fixed | ConcurrencyWindow | QueueDelay | RequestCount,
    Field(discriminator="kind"),
]
"""The rule that launches and removes replicas."""


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
    per_request: Usd = 0.0
    """Fee for a served request."""
    monthly_fee: Usd = 0.0
    """Plan fee for a month."""
    monthly_credit: Usd = 0.0
    """Free credit for a month."""
