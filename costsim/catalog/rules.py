"""How a platform bills, scales and limits; where its sources contradict each other."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from costsim import units
from costsim.catalog.provenance import Claim, Sourced, yes_or_no
from costsim.catalog.tariff import MeteringRules, Scope
from costsim.spec import Duration, Many, Spec
from costsim.yaml_source import shown


class ScopeRule(Sourced):
    """What one billed item is."""

    value: Scope
    """The scope."""


class DurationRule(Sourced):
    """A length of time in a billing rule."""

    value: Duration
    """The length."""


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
    buffer_replicas_idle: Phase
    """The same, for extra replicas above need."""
    draining: Phase
    """Told to stop, finishing its requests."""
    failed_start: Phase
    """Never became ready."""
    at_zero: Phase
    """No replica at all."""
    image_build: Phase
    """Building the image."""
    development: Phase
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

    def metering(self, unbilled_setup_s: float | None = None) -> MeteringRules:
        """Return the rules for the meter.

        Parameters
        ----------
        unbilled_setup_s : float, optional
            First part of each setup that is not billed, instead of the platform's. [s]
        """
        return MeteringRules(
            scope=self.scope.value,
            increment_s=self.increment.value,
            minimum_s=self.minimum.value,
            setup_billed=self.phases.model_load.charged,
            idle_billed=self.phases.idle.charged,
            min_idle_billed=self.phases.min_replicas_idle.charged,
            unbilled_setup_s=(
                self.unbilled_setup.value
                if unbilled_setup_s is None
                else unbilled_setup_s
            ),
        )


Kind = Literal["count", "duration", "percent", "flag"]
_NUMBERS: dict[Kind, tuple[type, ...]] = {
    "count": (int,),
    "percent": (int, float),
    "flag": (),
}
Value = int | float | bool | str | None


class Setting(Sourced):
    """A setting of the autoscaler, in the vendor's words."""

    kind: Kind
    """A whole number, a duration with its unit, per cent from 0 to 100, or true or false."""
    unit: str
    """What it counts."""
    default: Value = None
    """Its value if left out; none if that means something of its own."""
    minimum: Value = None
    """Smallest value allowed."""
    maximum: Value = None
    """Largest value allowed."""
    meaning: str
    """What it does."""
    origin: Literal["vendor", "costsim"] = "vendor"
    """Whose word it is: the vendor's, or costsim's for what the vendor leaves open."""

    @model_validator(mode="after")
    def _of_its_kind(self) -> Self:
        for value in (self.minimum, self.maximum, self.default):
            if value is not None:
                self.read(value)
        return self

    @property
    def allowed(self) -> str:
        """What may be written, for people: ``a duration from 2s to 20m``."""
        noun = {
            "count": "a whole number",
            "duration": "a duration",
            "percent": "a percentage",
            "flag": "true or false",
        }[self.kind]
        if self.maximum is not None:
            return f"{noun} from {_plain(self.minimum)} to {_plain(self.maximum)}"
        return noun if self.minimum is None else f"{noun} from {_plain(self.minimum)}"

    def read(self, value: object) -> int | float | bool:
        """Return a value as a number, durations in seconds.

        Raises
        ------
        ValueError
            If it is of the wrong kind or out of range; says what is allowed.
        """
        number = self._convert(value)
        low, high = (self._bound(bound) for bound in (self.minimum, self.maximum))
        if (low is not None and number < low) or (high is not None and number > high):
            message = f"{shown(value)} is out of range; allowed is {self.allowed}"
            raise ValueError(message)
        return number

    def _bound(self, bound: Value) -> float | None:
        return None if bound is None else float(self._convert(bound))

    def _convert(self, value: object) -> int | float | bool:
        if self.kind == "duration":
            return units.parse_duration(value)
        # A bool is an int to Python; here true is never 1.
        if isinstance(value, bool):
            right = self.kind == "flag"
        else:
            right = isinstance(value, _NUMBERS[self.kind])
        if not right:
            message = f"{shown(value)} is not allowed; write {self.allowed}"
            raise ValueError(message)
        return value  # type: ignore[return-value] # its type was just checked


def _plain(value: Value) -> str:
    return "0" if value is None else str(value)


class Autoscaler(Sourced):
    """What launches and removes replicas."""

    scale_up: Claim
    """When replicas are launched."""
    scale_down: Claim
    """When replicas are removed."""
    to_zero: Claim
    """When the last one goes."""
    wake: Claim
    """What brings the first one back."""
    queue: Claim
    """Where requests wait."""
    routing: Claim
    """Which replica takes a request."""
    readiness: Claim
    """When a replica takes its first request."""
    decision_interval: Claim
    """How often it decides."""
    schedule: Claim
    """Whether the bounds can follow a schedule."""
    settings: dict[str, Setting]
    """Settings, by the vendor's word."""


class Limit(Sourced):
    """A limit that is not a setting."""

    value: int
    """The figure."""
    unit: str
    """Its unit."""
    scope: str
    """What it counts for: a Function, the workspace, a request."""
    on_exceed: str
    """What happens above it."""


class Limits(Sourced):
    """Limits that are not settings."""

    entries: dict[str, Limit] = Field(default_factory=dict)
    """The limits."""


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
