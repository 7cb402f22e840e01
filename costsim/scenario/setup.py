"""How long a replica takes from launch to ready, as a scenario writes it.

One law (``setup: 25s``), phases one after the other, a mixture of a fast and a slow
start, or a preset with its source. What of it is billed is settled with the platform, in
``costsim.scenario.setup_plan``.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from costsim.catalog.lookup import unknown
from costsim.scenario.distributions import (
    DurationDistribution,
    LognormalDuration,
    OrBare,
    PlainDuration,
    read_bare,
)
from costsim.spec import Fraction, RuleError, Spec, Timeout, exactly_one

_MOST_PHASES = 20
_LONGEST_NAME = 100

PhaseName = Annotated[str, Field(min_length=1, max_length=_LONGEST_NAME)]


class _Timed(Spec):
    """Phases and what is billed of them."""

    phases: dict[PhaseName, DurationDistribution] | None = None
    """Phases in the order in which they happen: ``provision``, ``image``, ``boot``, ``load``, ``warm_up``, or names of your own."""
    billed: dict[PhaseName, bool] = Field(default_factory=dict)
    """Whether a phase is billed, where the platform's own rule does not hold."""

    @field_validator("phases")
    @classmethod
    def _some(
        cls, phases: dict[str, DurationDistribution] | None
    ) -> dict[str, DurationDistribution] | None:
        if phases is not None and not 1 <= len(phases) <= _MOST_PHASES:
            message = f"needs 1 to {_MOST_PHASES} phases, such as 'load: 20s'"
            raise ValueError(message)
        return phases

    @model_validator(mode="after")
    def _known_phases(self) -> Self:
        for name in self.billed:
            if name not in (self.phases or {}):
                raise RuleError(
                    unknown("phase", name, self.phases or ()), "billed", name
                )
        return self


class PhasedSetup(_Timed):
    """A setup in phases, one after the other; those that are not billed come first."""

    distribution: Literal["phases"] = "phases"
    """May be left out, as the key ``phases`` says it."""
    phases: dict[PhaseName, DurationDistribution]
    """Phases in the order in which they happen: ``provision``, ``image``, ``boot``, ``load``, ``warm_up``, or names of your own."""


class Miss(_Timed):
    """A start that finds nothing in the host's cache."""

    time: DurationDistribution | None = None
    """Setup time. Give this or phases."""

    @model_validator(mode="after")
    def _one_measure(self) -> Self:
        return exactly_one(self, "time", "phases")


class Hit(Miss):
    """A start that finds the host's cache warm, and how likely that is."""

    probability: Fraction
    """Share of launches that do, while the pool has replicas."""
    half_life: Annotated[Timeout, Field(gt=0)] = math.inf
    """While it has none, the probability halves in this time; ``never`` keeps it."""


class MixedSetup(Spec):
    """Two kinds of start, and which of them a launch is."""

    distribution: Literal["mixture"] = "mixture"
    """May be left out, as the key ``hit`` says it."""
    hit: Hit
    """The host has the image or the snapshot."""
    miss: Miss
    """It does not."""


class PresetSetup(Spec):
    """A setup that somebody measured or published, of the list of presets."""

    distribution: Literal["preset"] = "preset"
    """May be left out, as the key ``preset`` says it."""
    preset: str
    """Its name."""


_TELLING_KEYS = {
    "phases": "phases",
    "hit": "mixture",
    "miss": "mixture",
    "preset": "preset",
}


def _read_setup(value: Any) -> Any:  # noqa: ANN401 - whatever the file holds
    """Read a bare value as a constant, and tell the other forms by their keys."""
    if isinstance(value, dict) and "distribution" not in value:
        for key, form in _TELLING_KEYS.items():
            if key in value:
                return {"distribution": form, **value}
    return read_bare(value)


MeasuredSetup = Annotated[
    PlainDuration | LognormalDuration | PhasedSetup | MixedSetup,
    Field(discriminator="distribution"),
    BeforeValidator(_read_setup),
]
"""A setup that says itself how long it takes."""

Setup = Annotated[
    PlainDuration | LognormalDuration | PhasedSetup | MixedSetup | PresetSetup,
    Field(discriminator="distribution"),
    BeforeValidator(_read_setup),
    OrBare("string"),
]
"""How long a setup takes; a bare duration is a constant."""
