"""How a platform bills, how long its starts take, where its sources disagree."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from costsim.catalog.provenance import NOT_FOUND, Claim, Sourced, yes_or_no
from costsim.catalog.tariff import MeteringRules, Scope
from costsim.spec import Duration, Many, NonNegative, Spec


class ScopeRule(Sourced):
    """What one billed item is."""

    value: Scope
    """The scope."""


class DurationRule(Sourced):
    """A length of time in a billing rule."""

    value: Duration
    """The length."""


class RateRule(Sourced):
    """A share of the price."""

    value: NonNegative
    """The share; 1 is the price itself. [1]"""


class Phase(Sourced):
    """Whether a phase of a replica's life is billed."""

    billed: Annotated[
        Literal["yes", "no", "unknown", "not offered"], BeforeValidator(yes_or_no)
    ]
    """What the vendor says."""
    modeled_as: Literal["billed", "free", "not simulated"] | None = None
    """What costsim does where the vendor does not say."""

    @model_validator(mode="after")
    def _decided(self) -> Self:
        if (self.billed == "unknown") != (self.modeled_as is not None):
            message = "modeled_as goes with 'billed: unknown', and only with it"
            raise ValueError(message)
        return self

    @property
    def charged(self) -> bool:
        """Whether costsim bills it."""
        return self.billed == "yes" or self.modeled_as == "billed"


def _not_stated(modeled_as: Literal["billed", "free", "not simulated"]) -> Phase:
    return Phase(
        billed="unknown", modeled_as=modeled_as, source=NOT_FOUND, evidence="derived"
    )


_PHASES_OF_SETUP = {
    "provision": "waiting_for_capacity",
    "image": "image_pull",
    "boot": "container_boot",
    "download": "weight_download",
}
"""A scenario's names of the phases of a setup; any other is part of the model's load."""


class Phases(Spec):
    """A replica's life, and what is around it."""

    waiting_for_capacity: Phase
    """Asked for, but no machine yet."""
    image_pull: Phase
    """The container image comes to the machine."""
    container_boot: Phase
    """The container starts."""
    weight_download: Phase
    """The model's weights come to the machine."""
    model_load: Phase
    """Imports, weights to the GPU, warm-up calls: until ready."""
    serving: Phase
    """At least one request in service."""
    idle: Phase
    """Ready, nothing in service."""
    min_replicas_idle: Phase
    """The same, for the replicas that are always kept."""
    buffer_replicas_idle: Phase = Field(default_factory=lambda: _not_stated("billed"))
    """The same, for extra replicas above need."""
    draining: Phase = Field(default_factory=lambda: _not_stated("billed"))
    """Told to stop, finishing its requests."""
    failed_start: Phase = Field(default_factory=lambda: _not_stated("billed"))
    """Never became ready."""
    at_zero: Phase
    """No replica at all."""
    image_build: Phase = Field(default_factory=lambda: _not_stated("not simulated"))
    """Building the image."""
    development: Phase = Field(default_factory=lambda: _not_stated("not simulated"))
    """A deployment for development."""

    def bills_setup_phase(self, name: str) -> bool:
        """Return whether costsim bills a phase of a setup, by its name in a scenario."""
        phase: Phase = getattr(self, _PHASES_OF_SETUP.get(name, "model_load"))
        return phase.charged


class Billing(Sourced):
    """What is metered and how it is rounded."""

    meter: str
    """What is measured, in words."""
    scope: ScopeRule
    """What one billed item is."""
    increment: DurationRule
    """Rounded up to this; 0s is not rounded."""
    minimum: DurationRule
    """Shortest time billed."""
    unbilled_setup: DurationRule
    """First part of each setup that is not billed."""
    phases: Phases
    """What is billed, phase by phase."""
    min_replicas_idle_rate: RateRule | None = None
    """Price of the idle time of the replicas that are always kept, as a share; 1 if left out."""
    min_replicas_busy_rate: RateRule | None = None
    """The same of their busy time."""
    release_lag: DurationRule | None = None
    """How long the machine is billed after its replica has left; not at all if left out."""
    build_rate: RateRule | None = None
    """Price of the time that an image is being built, as a share of a replica's; not published if left out."""

    def metering(
        self,
        unbilled_setup_s: float | None = None,
        release_lag_s: float | None = None,
    ) -> MeteringRules:
        """Return the rules for the meter.

        Parameters
        ----------
        unbilled_setup_s : float, optional
            First part of each setup that is not billed, instead of the platform's. [s]
        release_lag_s : float, optional
            How long a machine outlasts its replica, instead of the platform's. [s]
        """
        phases = self.phases
        return MeteringRules(
            scope=self.scope.value,
            increment_s=self.increment.value,
            minimum_s=self.minimum.value,
            setup_billed=phases.model_load.charged,
            idle_billed=phases.idle.charged,
            min_idle_billed=phases.min_replicas_idle.charged,
            min_idle_rate=_value(self.min_replicas_idle_rate, 1.0),
            min_busy_rate=_value(self.min_replicas_busy_rate, 1.0),
            unbilled_setup_s=(
                self.unbilled_setup.value
                if unbilled_setup_s is None
                else unbilled_setup_s
            ),
            failed_start_billed=phases.failed_start.charged,
            release_lag_s=(
                _value(self.release_lag, 0.0)
                if release_lag_s is None
                else release_lag_s
            ),
        )


def _value(rule: RateRule | DurationRule | None, default: float) -> float:
    return default if rule is None else rule.value


class ColdStart(Sourced):
    """A measured or published start."""

    what: str
    """The model, its engine, the GPU."""
    technique: str = ""
    """What was done to make it faster."""
    before: Many[Duration] = ()
    """Time to ready without it: one figure, or the lowest and the highest."""
    after: Many[Duration] = ()
    """Time to ready with it."""


class ColdStarts(Sourced):
    """How long starts take."""

    statements: Many[Claim] = ()
    """What is said about them."""
    entries: Many[ColdStart] = ()
    """Figures."""


class Conflict(Spec):
    """Sources that contradict each other."""

    topic: str
    """What about."""
    claims: Many[Claim]
    """What each says."""
    follows: str
    """What costsim does."""
    choose: str = ""
    """How a scenario takes the other side, where it can."""
