"""Random lengths and counts, as a scenario writes them.

A bare value is a constant: ``setup: 25s``. ``trace`` takes the trace's own values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, Self, TypeVar

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler, model_validator

from costsim.spec import (
    Duration,
    Many,
    NonNegative,
    PositiveDuration,
    PositiveFloat,
    RuleError,
    Spec,
    exactly_one,
)

if TYPE_CHECKING:
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

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
    shape: Annotated[float, Field(ge=1e-4, le=1e8)] | None = None
    """Shape k: 1 is exponential, larger is more regular. Give this or cv."""
    cv: Annotated[float, Field(ge=1e-4, le=100)] | None = None
    """Coefficient of variation, 1 / sqrt(shape)."""

    @model_validator(mode="after")
    def _one_shape(self) -> Self:
        return exactly_one(self, "shape", "cv")


class Weibull(Spec, Generic[Quantity]):
    """Weibull, by its shape and its mean or its scale."""

    distribution: Literal["weibull"]
    shape: Annotated[float, Field(ge=0.1, le=1e5)]
    """Shape k: 1 is exponential, below it the tail is heavier, above it is more regular."""
    mean: Quantity | None = None
    """Its mean, scale x Gamma(1 + 1 / shape). Give this or the scale."""
    scale: Quantity | None = None
    """Its scale: what 63 % of the values do not exceed."""

    @model_validator(mode="after")
    def _one_size(self) -> Self:
        return exactly_one(self, "mean", "scale")


class Pareto(Spec, Generic[Quantity]):
    """Pareto: a power law above a minimum, the heaviest of the tails."""

    distribution: Literal["pareto"]
    minimum: Quantity
    """Its smallest value."""
    alpha: Annotated[float, Field(gt=1, le=1000)]
    """Exponent: P(X > x) = (minimum / x)^alpha; up to 1 there would be no mean."""


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
            raise RuleError(message, "weights")
        if self.weights is not None and sum(self.weights) <= 0:
            message = "at least one weight must be above 0"
            raise RuleError(message, "weights")
        return self


class FromTrace(Spec):
    """The value that the trace recorded for the request."""

    distribution: Literal["trace"]


def read_bare(value: Any) -> Any:  # noqa: ANN401 - whatever the file holds
    """Read a bare value as a constant, and ``trace`` as the trace's own."""
    if value == "trace":
        return {"distribution": "trace"}
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return {"distribution": "constant", "value": value}
    return value


# Classes with a name of their own, which the JSON Schema shows.


class ConstantDuration(Constant[Duration]):
    """Always the same length of time."""


class ExponentialDuration(Exponential[PositiveDuration]):
    """An exponential length of time: memoryless."""


class LognormalDuration(Lognormal[PositiveDuration]):
    """A log-normal length of time: the usual shape of service and setup times."""


class GammaDuration(Gamma[PositiveDuration]):
    """A gamma length of time, by its mean and its shape or coefficient of variation."""


class WeibullDuration(Weibull[PositiveDuration]):
    """A Weibull length of time, by its shape and its mean or its scale."""


class ParetoDuration(Pareto[PositiveDuration]):
    """A length of time with a power law above a minimum: the heaviest of the tails."""


class EmpiricalDuration(Empirical[Duration]):
    """A length of time drawn with replacement from measured ones."""


class ConstantNumber(Constant[NonNegative]):
    """Always the same number."""


class ExponentialNumber(Exponential[PositiveFloat]):
    """An exponential number."""


class LognormalNumber(Lognormal[PositiveFloat]):
    """A log-normal number."""


class GammaNumber(Gamma[PositiveFloat]):
    """A gamma number, by its mean and its shape or coefficient of variation."""


class WeibullNumber(Weibull[PositiveFloat]):
    """A Weibull number, by its shape and its mean or its scale."""


class ParetoNumber(Pareto[PositiveFloat]):
    """A number with a power law above a minimum: the heaviest of the tails."""


class EmpiricalNumber(Empirical[NonNegative]):
    """A number drawn with replacement from measured ones."""


class OrBare:
    """Tells the JSON Schema, too, that a bare value may stand for a constant."""

    def __init__(self, kind: Literal["string", "number"], *words: str) -> None:
        self._bare = [{"type": kind}, *({"const": word} for word in words)]

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [*self._bare, handler(schema)]}


PlainDuration = (
    ConstantDuration
    | ExponentialDuration
    | GammaDuration
    | WeibullDuration
    | ParetoDuration
    | EmpiricalDuration
)
"""The laws of a length of time but for the log-normal one, which may have an upper end."""

DurationDistribution = Annotated[
    PlainDuration | LognormalDuration,
    Field(discriminator="distribution"),
    BeforeValidator(read_bare),
    OrBare("string"),
]
"""A random length of time; a bare duration is a constant."""

WorkDuration = Annotated[
    PlainDuration | LognormalDuration | FromTrace,
    Field(discriminator="distribution"),
    BeforeValidator(read_bare),
    OrBare("string"),
]
"""A random length of time, or ``trace``."""

WorkCount = Annotated[
    ConstantNumber
    | ExponentialNumber
    | LognormalNumber
    | GammaNumber
    | WeibullNumber
    | ParetoNumber
    | EmpiricalNumber
    | FromTrace,
    Field(discriminator="distribution"),
    BeforeValidator(read_bare),
    OrBare("number", "trace"),
]
"""A random number such as tokens, or ``trace``."""

Distribution = Constant[float] | Exponential[float] | Lognormal[float] | Gamma[float] | Weibull[float] | Pareto[float] | Empirical[float]  # fmt: skip
"""Any distribution once its unit is gone: for samplers."""
