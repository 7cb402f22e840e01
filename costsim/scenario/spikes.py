"""Spikes: a temporary excess of traffic, when it comes and how high it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from costsim.scenario.distributions import (
    Constant,
    Empirical,
    ExponentialNumber,
    GammaNumber,
    LognormalNumber,
    OrBare,
    ParetoNumber,
    WeibullNumber,
    read_bare,
)
from costsim.spec import (
    Duration,
    Many,
    Moment,
    Name,
    PositiveDuration,
    PositiveFloat,
    Rate,
    RuleError,
    Spec,
)

if TYPE_CHECKING:
    from costsim.scenario.distributions import Distribution

_HEIGHTS = ("magnitude", "peak", "requests")

_Times = Annotated[float, Field(ge=1, le=1e6)]


class ConstantMagnitude(Constant[_Times]):
    """Always the same height."""


class EmpiricalMagnitude(Empirical[_Times]):
    """A height drawn with replacement from measured ones."""


Magnitude = Annotated[
    ConstantMagnitude
    | ExponentialNumber
    | LognormalNumber
    | GammaNumber
    | WeibullNumber
    | ParetoNumber
    | EmpiricalMagnitude,
    Field(discriminator="distribution"),
    BeforeValidator(read_bare),
    OrBare("number"),
]
"""How many times the usual; a bare number is a constant, what is drawn below 1 is 1."""


class BaseSpike(Spec):
    """When a spike comes, how high it is and where."""

    at: Moment | None = None
    """When it begins: a date and time, or a duration after the start."""
    every: PositiveDuration | None = None
    """It comes again after each such time, first at ``at``, or one period after the start."""
    per_week: Annotated[float, Field(gt=0, le=10_000)] | None = None
    """Instead of a time: so many a week on average, at random moments, others in each replication."""
    magnitude: Magnitude | None = None
    """At its top the rate is this many times the usual: a number, or a distribution from which each spike draws. Give this, peak or requests."""
    peak: Rate | None = None
    """At its top this many requests per second come on top of the usual."""
    requests: PositiveFloat | None = None
    """So many requests come on top of the usual, from its beginning to its end."""
    streams: Many[Name] | None = None
    """Streams it acts on; all if left out. A peak or a number of requests acts on exactly one."""

    @model_validator(mode="after")
    def _one_time(self) -> Self:
        if self.per_week is not None:
            for key in ("at", "every"):
                if getattr(self, key) is not None:
                    message = f"comes at random moments (per_week); remove {key}"
                    raise RuleError(message, key)
        elif self.at is None and self.every is None:
            message = "needs a time: at, every or per_week"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _one_height(self) -> Self:
        given = [key for key in _HEIGHTS if getattr(self, key) is not None]
        message = "needs exactly one of magnitude, peak and requests"
        if not given:
            raise ValueError(message)
        if len(given) > 1:
            raise RuleError(message, given[1])
        return self


class EventSpike(BaseSpike):
    """A scheduled event: a ramp, a plateau, an abrupt end."""

    shape: Literal["event"]
    rise: Duration = 45 * 60.0
    """Linear ramp from the usual to the top."""
    hold: Duration = 90 * 60.0
    """Time at the top."""
    fall_half_life: Duration = 11 * 60.0
    """Afterwards the excess halves in this time."""

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if self.requests is not None and not (
            self.rise or self.hold or self.fall_half_life
        ):
            message = "cannot bring requests in no time; give it a rise, hold or fall"
            raise RuleError(message, "requests")
        return self


class ViralSpike(BaseSpike):
    """A viral mention: up within minutes, down as a power law."""

    shape: Literal["viral"]
    rise: Duration = 3 * 60.0
    """Linear ramp from the usual to the top."""
    decay_time: PositiveDuration = 3.8 * 60.0
    """Scale of the decay (1 + t / decay_time)^-decay_exponent."""
    decay_exponent: Annotated[float, Field(gt=1, le=20)] = 1.5
    """Exponent of the decay."""


Spike = Annotated[EventSpike | ViralSpike, Field(discriminator="shape")]
"""A temporary excess of traffic."""


def usual_magnitude(spike: Spike) -> float:
    """Return about how many times the usual a spike is; 1 if it is not given so. [1]"""
    law: Distribution | None = spike.magnitude
    if law is None:
        return 1.0
    if isinstance(law, Constant):
        return law.value
    if isinstance(law, Empirical):
        return sorted(law.values)[len(law.values) // 2]
    sizes = (getattr(law, key, None) for key in ("median", "mean", "scale", "minimum"))
    return next(float(size) for size in sizes if size is not None)
