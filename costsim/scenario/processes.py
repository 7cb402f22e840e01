"""Arrival processes: how requests are spread around the rate of their stream."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from costsim.scenario.cron import parse_cron
from costsim.scenario.distributions import (
    Constant,
    DurationDistribution,
    Empirical,
    LognormalDuration,
    OrBare,
    PlainDuration,
    read_bare,
)
from costsim.spec import (
    Duration,
    Fraction,
    Many,
    PositiveCount,
    PositiveDuration,
    PositiveFloat,
    Rate,
    RuleError,
    Spec,
    exactly_one,
)

_MOST_IN_GROUP = 1_000_000
"""Requests of a session, and of a batch whose size varies: they are made as a whole."""
_MOST_SIGMAS = 2.0
"""How far below its median a log-normal law may be cut."""

GroupSize = Annotated[int, Field(ge=1, le=_MOST_IN_GROUP)]
MeanSize = Annotated[float, Field(ge=1, le=_MOST_IN_GROUP)]


class Poisson(Spec):
    """Independent users: no memory."""

    process: Literal["poisson"]


class GammaArrivals(Spec):
    """Renewal arrivals with gamma gaps in operational time."""

    process: Literal["gamma"]
    burstiness: Annotated[float, Field(ge=1e-4, le=1e8)] | None = None
    """Shape k of the gaps, as load generators have it: below 1 is burstier than Poisson."""
    cv: Annotated[float, Field(ge=1e-4, le=100)] | None = None
    """Coefficient of variation of the gaps, 1 / sqrt(k). Give this or burstiness."""

    @model_validator(mode="after")
    def _one_shape(self) -> Self:
        return exactly_one(self, "burstiness", "cv")


class WeibullArrivals(Spec):
    """Renewal arrivals with Weibull gaps in operational time."""

    process: Literal["weibull"]
    shape: Annotated[float, Field(ge=0.1, le=1e5)] | None = None
    """Shape k of the gaps: below 1 is burstier than Poisson."""
    cv: Annotated[float, Field(ge=1e-4, le=100)] | None = None
    """Coefficient of variation of the gaps. Give this or shape."""

    @model_validator(mode="after")
    def _one_shape(self) -> Self:
        return exactly_one(self, "shape", "cv")


class GeometricSize(Spec):
    """After each request the session goes on with the same probability."""

    distribution: Literal["geometric"]
    mean: MeanSize
    """Mean number of requests in a session."""


class LognormalSize(Spec):
    """A log-normal number, rounded up to the next whole one."""

    distribution: Literal["lognormal"]
    median: Annotated[float, Field(gt=0, le=1e3)]
    """Median before it is rounded up to a whole number, a million at most."""
    sigma: Annotated[float, Field(ge=0, le=2)]
    """Standard deviation of the logarithm before it is rounded up."""


class EmpiricalSize(Empirical[GroupSize]):
    """A number drawn with replacement from measured ones."""


def _read_size(value: Any) -> Any:  # noqa: ANN401 - whatever the file holds
    """Read a bare number as the mean of a geometric law."""
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return {"distribution": "geometric", "mean": value}
    return value


SessionSize = Annotated[
    GeometricSize | LognormalSize | EmpiricalSize,
    Field(discriminator="distribution"),
    BeforeValidator(_read_size),
    OrBare("number"),
]
"""A random number of requests, 1 at least; a bare number is the mean of a geometric law."""


class LognormalThink(LognormalDuration):
    """A log-normal length of time, with an upper end if it has one."""

    max: PositiveDuration | None = None
    """Longer ones do not occur: the law on condition that it is not above this."""

    @model_validator(mode="after")
    def _something_left(self) -> Self:
        if self.max is not None:
            middle = self.median or (self.mean or 0) * math.exp(-0.5 * self.sigma**2)
            if self.max < middle * math.exp(-_MOST_SIGMAS * self.sigma):
                message = f"leaves nothing of a law around {middle:g} s"
                raise RuleError(message, "max")
        return self


ThinkTime = Annotated[
    PlainDuration | LognormalThink,
    Field(discriminator="distribution"),
    BeforeValidator(read_bare),
    OrBare("string"),
]
"""A random length of time; a bare duration is a constant."""


class Sessions(Spec):
    """Users who come at random and send several requests each."""

    process: Literal["sessions"]
    requests_per_session: SessionSize
    """Requests that one visit brings: the mean of a geometric law, or a distribution."""
    think_time: ThinkTime
    """From one arrival to the next within a session, the service time included."""


class Hawkes(Spec):
    """Requests that set off others: each has children, which have children."""

    process: Literal["hawkes"]
    branching: Annotated[float, Field(ge=0, lt=1)]
    """Mean number of children of a request; toward 1 bursts have no end."""
    decay_time: PositiveDuration
    """Mean time from a request to a child of it."""


class MmppState(Spec):
    """One state of a modulated process."""

    rate: Rate
    """Request rate in this state; relative, since the stream's rate sets the mean."""
    mean_sojourn: PositiveDuration
    """Mean time that a visit to this state lasts."""


class Mmpp(Spec):
    """Markov-modulated Poisson: calm and bursts, each for exponential times, in turn."""

    process: Literal["mmpp"]
    states: Annotated[Many[MmppState], Field(min_length=2, max_length=100)]
    """The states; a visit is followed by each other state with equal probability."""

    @model_validator(mode="after")
    def _some_rate(self) -> Self:
        if all(state.rate == 0 for state in self.states):
            message = "at least one state needs a rate above 0"
            raise ValueError(message)
        return self


class OnOff(Spec):
    """Poisson while on, silent or slow while off, each for times of any law."""

    process: Literal["onoff"]
    on_time: DurationDistribution
    """How long it is on."""
    off_time: DurationDistribution
    """How long it is off."""
    off_share: Fraction = 0.0
    """Rate while off, relative to the rate while on."""

    @field_validator("on_time", "off_time")
    @classmethod
    def _takes_time(cls, law: DurationDistribution) -> DurationDistribution:
        values: tuple[float, ...] = (1.0,)
        if isinstance(law, Constant):
            values = (law.value,)
        elif isinstance(law, Empirical):
            weights = law.weights or (1.0,) * len(law.values)
            values = tuple(
                value
                for value, weight in zip(law.values, weights, strict=True)
                if weight
            )
        if not any(values):
            message = "must be above 0 at least at times"
            raise ValueError(message)
        return law


class ConstantSize(Constant[PositiveCount]):
    """Always the same number."""


def _read_batch(value: Any) -> Any:  # noqa: ANN401 - whatever the file holds
    """Read a bare number as a constant."""
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return {"distribution": "constant", "value": value}
    return value


BatchSize = Annotated[
    ConstantSize | GeometricSize | LognormalSize | EmpiricalSize,
    Field(discriminator="distribution"),
    BeforeValidator(_read_batch),
    OrBare("number"),
]
"""A number of requests, 1 at least: always the same, or random."""


class ScaledSize(Spec):
    """So many times what a law gives, rounded up or down at random: the mean is exact.

    No file says it; it is what ``costsim.scenario.scaled`` makes of a batch.
    """

    law: BatchSize
    """What is multiplied."""
    factor: PositiveFloat
    """By how much. [1]"""


class Cron(Spec):
    """Batches by the clock."""

    process: Literal["cron"]
    schedule: str | None = None
    """Five cron fields in the offset of the scenario's start: ``0 2 * * *``."""
    every: PositiveDuration | None = None
    """Instead of a schedule: a fixed period, the first batch one period after the start."""
    batch_size: BatchSize
    """Requests in a batch: a number, or a distribution."""
    jitter: Duration = 0.0
    """Each request is late by a uniform random time up to this, so that a batch is spread."""

    @field_validator("schedule")
    @classmethod
    def _readable(cls, schedule: str | None) -> str | None:
        if schedule is not None:
            parse_cron(schedule)
        return schedule

    @model_validator(mode="after")
    def _one_clock(self) -> Self:
        return exactly_one(self, "schedule", "every")


Process = Annotated[
    Poisson | GammaArrivals | WeibullArrivals | Sessions | Hawkes | Mmpp | OnOff | Cron,
    Field(discriminator="process"),
]
"""How requests are spread around their rate."""
