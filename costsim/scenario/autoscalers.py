"""The rules that launch and remove replicas, as a scenario writes them."""

from __future__ import annotations

import math
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from costsim.spec import (
    Duration,
    NonNegative,
    PositiveCount,
    PositiveDuration,
    PositiveFloat,
    Rate,
    RuleError,
    Spec,
    exactly_one,
)
from costsim.units import format_duration

Interval = Annotated[PositiveDuration, Field(ge=0.01)]
"""Time between decisions; shorter ones only cost time. [s]"""

MOST_DECISIONS = 1_000_000
"""Most decisions within one window."""

_HOUR_S = 3600.0


def _whole_seconds(duration_s: float) -> float:
    if duration_s != math.floor(duration_s):
        message = "must be whole seconds"
        raise ValueError(message)
    return duration_s


WholeSeconds = Annotated[Duration, Field(le=_HOUR_S), AfterValidator(_whole_seconds)]
"""A length of time that Knative counts in seconds. [s]"""

Datapoints = Annotated[int, Field(ge=1, le=MOST_DECISIONS)]
ChangeRate = Annotated[float, Field(ge=1.001)]
"""A factor that one decision may change a count by. [1]"""
PositiveShare = Annotated[float, Field(gt=0, le=1)]


def _bounded(window_s: float, interval_s: float, *key: str) -> None:
    """Raise ``RuleError`` at a window of more decisions than a loop remembers."""
    if window_s > MOST_DECISIONS * interval_s:
        message = f"must be at most {MOST_DECISIONS:,} scaling intervals"
        raise RuleError(message, *key)


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
    target_utilization: PositiveShare = 0.7
    """Headroom: the share of the concurrency target to fill."""
    scale_down_delay: Duration = 900.0
    """The desired count must stay lower this long before replicas stop."""
    max_scale_down_fraction: PositiveShare = 0.5
    """Largest share of the replicas that one step removes."""

    @model_validator(mode="after")
    def _bounded_memory(self) -> Self:
        # The loop remembers one sum for each decision in the window.
        _bounded(self.scaling_window, self.scaling_interval, "scaling_window")
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


class Knative(Spec):
    """Knative's pod autoscaler: a stable window, and a panic window for bursts."""

    kind: Literal["knative"]
    scaling_interval: Interval = 2.0
    """Time between decisions."""
    scaling_window: Annotated[WholeSeconds, Field(ge=6)] = 60.0
    """The stable window: span over which the load is averaged; also the length of a panic."""
    panic_window_fraction: Annotated[float, Field(ge=0.01, le=1)] = 0.1
    """The panic window as a share of the scaling window; at least a scaling interval."""
    panic_threshold: Annotated[float, Field(ge=1.1, le=10)] = 2.0
    """Panic when the panic window wants this many times the replicas that are ready."""
    target_utilization: PositiveShare = 0.7
    """Headroom: the share of the concurrency target to fill. With one slot a busy replica wants a second one."""
    max_scale_up_rate: ChangeRate = 1000.0
    """At most this many times the ready replicas at once."""
    max_scale_down_rate: ChangeRate = 2.0
    """No fewer than the ready replicas divided by this at once."""
    scale_down_delay: WholeSeconds = 0.0
    """The desired count is the largest of the last so many seconds."""
    activation_scale: Annotated[PositiveCount, Field(le=MOST_DECISIONS)] = 1
    """At least so many replicas whenever there are any."""
    target_burst_capacity: Annotated[float, Field(ge=-1)] = 211.0
    """Free slots below which the activator stays in the path, so that going to zero need not wait for it; -1: always."""
    grace_period: PositiveDuration = 30.0
    """How long going to zero waits for the activator at most."""
    retention: Duration = 0.0
    """The last replica stays at least this long once it is not wanted."""

    @property
    def panic_window_s(self) -> float:
        """Whole seconds, at least one. [s]"""
        return max(
            1, math.floor(self.scaling_window * self.panic_window_fraction + 0.5)
        )

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.panic_window_s < self.scaling_interval:
            window = format_duration(self.panic_window_s)
            interval = format_duration(self.scaling_interval)
            message = (
                f"panic_window_fraction ({self.panic_window_fraction:g}) gives a panic "
                f"window of {window}; it must be at least one scaling_interval "
                f"({interval})"
            )
            raise RuleError(message, "panic_window_fraction")
        if -1 < self.target_burst_capacity < 0:
            message = "must be -1 (always in the path) or at least 0"
            raise RuleError(message, "target_burst_capacity")
        _bounded(self.scale_down_delay, self.scaling_interval, "scale_down_delay")
        return self


class ScalingRules(Spec):
    """What holds Kubernetes' autoscaler back, on the way up or down."""

    stabilization: Annotated[Duration | None, Field(le=_HOUR_S)] = None
    """The most cautious proposal of this long counts; 0s up and 5m down if left out."""
    tolerance: Annotated[float, Field(ge=0, le=0.999)] = 0.1
    """How far the metric may be from its target, as a share of it."""
    replicas: Annotated[PositiveCount | None, Field(le=MOST_DECISIONS)] = None
    """At most so many replicas more or fewer in a period. With no limit of its own a way up has 4 and fraction 1, a way down fraction 1."""
    replicas_period: Annotated[PositiveDuration, Field(le=_HOUR_S / 2)] = 15.0
    """The period of `replicas`."""
    fraction: Annotated[float | None, Field(ge=0.01, le=1e4)] = None
    """At most this share of the replicas more or fewer in a period; 1 doubles them, or stops them all."""
    fraction_period: Annotated[PositiveDuration, Field(le=_HOUR_S / 2)] = 15.0
    """The period of `fraction`."""
    select: Literal["max", "min", "disabled"] = "max"
    """Of two limits the one that allows more, the one that allows less, or no change this way."""

    @model_validator(mode="after")
    def _period_of_something(self) -> Self:
        own = self.replicas is not None or self.fraction is not None
        for limit in ("replicas", "fraction"):
            key = f"{limit}_period"
            if own and getattr(self, limit) is None and key in self.model_fields_set:
                message = f"has no use without {limit}"
                raise RuleError(message, key)
        return self


class _HorizontalScaling(Spec):
    """What `hpa` and `keda` have in common."""

    scaling_interval: Interval = 15.0
    """Time between decisions."""
    scale_up: ScalingRules = Field(default_factory=ScalingRules)
    """What holds it back on the way up."""
    scale_down: ScalingRules = Field(default_factory=ScalingRules)
    """What holds it back on the way down."""

    @model_validator(mode="after")
    def _bounded_memory(self) -> Self:
        for way in ("scale_up", "scale_down"):
            rules = getattr(self, way)
            for name in ("stabilization", "replicas_period", "fraction_period"):
                window_s = getattr(rules, name) or 0.0
                _bounded(window_s, self.scaling_interval, way, name)
        return self


class Hpa(_HorizontalScaling):
    """Kubernetes' horizontal pod autoscaler."""

    kind: Literal["hpa"]
    metric: Literal["requests", "busy"] = "requests"
    """Requests in system, or the share of time that replicas have something in service."""
    target: PositiveFloat
    """Requests in system for each replica, or the share of time, at most 1."""

    @model_validator(mode="after")
    def _share(self) -> Self:
        if self.metric == "busy" and self.target > 1:
            message = (
                f"({self.target:g}) is a share of time with metric 'busy': at most 1"
            )
            raise RuleError(message, "target")
        return self


class Keda(_HorizontalScaling):
    """KEDA between zero and one, Kubernetes' horizontal pod autoscaler from one on."""

    kind: Literal["keda"]
    target: PositiveFloat
    """Requests in system for each replica."""
    polling_interval: Interval = 30.0
    """Time between polls; only a poll wakes a pool at zero."""
    cooldown: Duration = 300.0
    """Time after the last active poll before the pool goes to zero."""
    initial_cooldown: Duration = 0.0
    """Time before it does so if no poll was active yet."""
    activation_threshold: NonNegative = 0.0
    """A poll is active with more requests in system than this."""


class RequestRate(Spec):
    """Aim at a rate of requests for each replica (dstack)."""

    kind: Literal["request_rate"]
    target: Annotated[Rate, Field(gt=0)]
    """Arrivals for each replica."""
    scaling_interval: Interval = 10.0
    """Time between decisions."""
    scaling_window: PositiveDuration = 60.0
    """Span over which arrivals are counted."""
    up_delay: Duration = 300.0
    """Time after the last change before replicas are added, except to none."""
    down_delay: Duration = 600.0
    """Time after the last change before replicas stop."""

    @model_validator(mode="after")
    def _long_enough(self) -> Self:
        if self.scaling_window < self.scaling_interval:
            interval = format_duration(self.scaling_interval)
            message = f"must be at least one scaling_interval ({interval})"
            raise RuleError(message, "scaling_window")
        _bounded(self.scaling_window, self.scaling_interval, "scaling_window")
        return self


class StepTracking(Spec):
    """Track a target by alarms, and wake from zero by another one (SageMaker)."""

    kind: Literal["step_tracking"]
    target: PositiveFloat | None = None
    """Requests in system for each ready replica."""
    target_rate: Annotated[Rate, Field(gt=0)] | None = None
    """Arrivals for each ready replica, instead of target."""
    scaling_interval: Interval = 60.0
    """Span of one datapoint."""
    high_datapoints: Datapoints = 3
    """Datapoints above the target, in a row, that add replicas."""
    low_datapoints: Datapoints = 15
    """Datapoints below it, in a row, that remove some."""
    low_fraction: Annotated[float, Field(ge=0.01, le=1)] = 0.9
    """The share of the target that a low datapoint is below."""
    up_cooldown: Duration = 300.0
    """Time before what was added counts as capacity."""
    down_cooldown: Duration = 300.0
    """Time after a removal before the next one."""

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        return exactly_one(self, "target", "target_rate")


Autoscaler = Annotated[
    OnDemand
    | Fixed
    | ConcurrencyWindow
    | QueueDelay
    | RequestCount
    | Knative
    | Hpa
    | Keda
    | RequestRate
    | StepTracking,
    Field(discriminator="kind"),
]
"""The rule that launches and removes replicas."""
