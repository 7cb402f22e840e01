"""How high the rate of a stream is: profile, growth, noise, or stages."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from costsim.spec import Duration, Many, NonNegative, PositiveDuration, Rate, Spec


class Seasonal(Spec):
    """A rate that repeats by the clock of the scenario's start; weights are relative."""

    hour_of_day: (
        Annotated[Many[NonNegative], Field(min_length=24, max_length=24)] | None
    ) = None
    """24 weights, midnight first, scaled to a mean of 1."""
    day_of_week: (
        Annotated[Many[NonNegative], Field(min_length=7, max_length=7)] | None
    ) = None
    """7 weights, Monday first, scaled to a mean of 1."""

    @field_validator("hour_of_day", "day_of_week")
    @classmethod
    def _not_all_zero(
        cls, weights: tuple[float, ...] | None
    ) -> tuple[float, ...] | None:
        if weights is not None and sum(weights) <= 0:
            message = "at least one weight must be above 0"
            raise ValueError(message)
        return weights


class Trend(Spec):
    """Growth over the horizon."""

    growth_per_month: Annotated[float, Field(gt=-1, le=1000)]
    """Relative growth in a month of 730 h, compounding: 0.2 is +20 %."""


class Noise(Spec):
    """Slow random changes of the rate, up and down by the same factors."""

    sigma: Annotated[float, Field(ge=0, le=3)]
    """Standard deviation of the logarithm of the rate; 0 switches it off."""
    correlation_time: PositiveDuration
    """The correlation of the logarithm falls to 1/e within this time."""


class Stage(Spec):
    """A linear ramp of the rate, as k6 has it."""

    target: Rate
    """Rate at its end; it begins at the rate before."""
    duration: Duration
    """How long it takes; ``0s`` jumps."""
