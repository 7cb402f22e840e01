"""Random lengths and counts, as a scenario writes them.

A bare value is a constant: ``setup: 25s``. ``trace`` takes the trace's own values.
"""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, Self, TypeVar

from pydantic import BeforeValidator, Field, model_validator

from costsim.spec import (
    Duration,
    Many,
    NonNegative,
    PositiveDuration,
    PositiveFloat,
    Spec,
    exactly_one,
)

Quantity = TypeVar("Quantity")


class Constant(Spec, Generic[Quantity]):
    """Always the same value."""

    distribution: Literal["constant"]
    value: Quantity
    """The value."""


class Exponential(Spec, Generic[Quantity]):
    """Exponential: memoryless."""

    distribution: Literal["exponential"]
    mean: Quantity
    """Its mean."""


class Lognormal(Spec, Generic[Quantity]):
    """Log-normal: the usual shape of service and setup times."""

    distribution: Literal["lognormal"]
    median: Quantity | None = None
    """Its median. Give this or the mean."""
    mean: Quantity | None = None
    """Its mean, median x exp(sigma^2 / 2)."""
    sigma: Annotated[float, Field(ge=0, le=10)]
    """Standard deviation of the logarithm."""

    @model_validator(mode="after")
    def _one_location(self) -> Self:
        return exactly_one(self, "median", "mean")


class Gamma(Spec, Generic[Quantity]):
    """Gamma, by its mean and its shape or coefficient of variation."""

    distribution: Literal["gamma"]
    mean: Quantity
    """Its mean."""
    shape: PositiveFloat | None = None
    """Shape k: 1 is exponential, larger is more regular. Give this or cv."""
    cv: PositiveFloat | None = None
    """Coefficient of variation, 1 / sqrt(shape)."""

    @model_validator(mode="after")
    def _one_shape(self) -> Self:
        return exactly_one(self, "shape", "cv")


class Empirical(Spec, Generic[Quantity]):
    """Drawn with replacement from measured values."""

    distribution: Literal["empirical"]
    values: Annotated[Many[Quantity], Field(min_length=1)]
    """The values."""
    weights: Many[Annotated[float, Field(ge=0)]] | None = None
    """How often each occurs, relative to the others; equal if left out."""

    @model_validator(mode="after")
    def _weights_fit(self) -> Self:
        if self.weights is not None and len(self.weights) != len(self.values):
            message = f"has {len(self.values)} values but {len(self.weights)} weights"
            raise ValueError(message)
        if self.weights is not None and sum(self.weights) <= 0:
            message = "at least one weight must be above 0"
            raise ValueError(message)
        return self


class FromTrace(Spec):
    """The value that the trace recorded for the request."""

    distribution: Literal["trace"]


def _shorthand(value: Any) -> Any:  # noqa: ANN401 - whatever the file holds
    """Read a bare value as a constant, and ``trace`` as the trace's own."""
    if value == "trace":
        return {"distribution": "trace"}
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return {"distribution": "constant", "value": value}
    return value


# One statement a line: pydantic reads attribute docstrings from the source line that
# makes a generic model, and trips over a statement that spans several.
_ConstantDuration = Constant[Duration]
_ExponentialDuration = Exponential[PositiveDuration]
_LognormalDuration = Lognormal[PositiveDuration]
_GammaDuration = Gamma[PositiveDuration]
_EmpiricalDuration = Empirical[Duration]
_ConstantCount = Constant[NonNegative]
_ExponentialCount = Exponential[PositiveFloat]
_LognormalCount = Lognormal[PositiveFloat]
_GammaCount = Gamma[PositiveFloat]
_EmpiricalCount = Empirical[NonNegative]

DurationDistribution = Annotated[
    _ConstantDuration
    | _ExponentialDuration
    | _LognormalDuration
    | _GammaDuration
    | _EmpiricalDuration,
    Field(discriminator="distribution"),
    BeforeValidator(_shorthand),
]
"""A random length of time; a bare duration is a constant."""

WorkDuration = Annotated[
    _ConstantDuration
    | _ExponentialDuration
    | _LognormalDuration
    | _GammaDuration
    | _EmpiricalDuration
    | FromTrace,
    Field(discriminator="distribution"),
    BeforeValidator(_shorthand),
]
"""A random length of time, or ``trace``."""

WorkCount = Annotated[
    _ConstantCount
    | _ExponentialCount
    | _LognormalCount
    | _GammaCount
    | _EmpiricalCount
    | FromTrace,
    Field(discriminator="distribution"),
    BeforeValidator(_shorthand),
]
"""A random number such as tokens, or ``trace``."""

Distribution = Constant[float] | Exponential[float] | Lognormal[float] | Gamma[float] | Empirical[float]  # fmt: skip
"""Any distribution once its unit is gone: for samplers."""
