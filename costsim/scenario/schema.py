"""The scenario file: frozen, closed models whose attribute docstrings are the manual.

Rules that concern one object stand here; what needs two files (a GPU that the platform
must offer) is checked in ``costsim.scenario.deployment``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import (
    BeforeValidator,
    Field,
    PlainSerializer,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from costsim import units
from costsim.scenario.distributions import (
    FromTrace,
    WorkCount,
    WorkDuration,
)
from costsim.scenario.model import Model
from costsim.scenario.pool import Billing, Pool
from costsim.scenario.schedule import Schedule
from costsim.scenario.setup import Setup
from costsim.scenario.traffic import Traffic, calendar_use
from costsim.spec import (
    Duration,
    Fraction,
    Many,
    Name,
    PositiveCount,
    PositiveDuration,
    PositiveFloat,
    Price,
    RuleError,
    Size,
    Spec,
    TokenRate,
    exactly_one,
    refuse_repeats,
)


class Tokens(Spec):
    """Work in tokens; service time = input / prefill + output / decode."""

    input: WorkCount = FromTrace(distribution="trace")
    """Tokens read by a request, or ``trace`` for the trace's own."""
    output: WorkCount = FromTrace(distribution="trace")
    """Tokens written by a request, or ``trace`` for the trace's own."""
    prefill: TokenRate
    """Speed of reading on one slot."""
    decode: TokenRate
    """Speed of writing on one slot."""


class Service(Spec):
    """How long a replica works on a request, waiting and setup not counted."""

    time: WorkDuration | None = None
    """Service time, or ``trace`` for the durations in the trace."""
    tokens: Tokens | None = None
    """Instead of a time: work in tokens."""

    @model_validator(mode="after")
    def _one_measure(self) -> Self:
        return exactly_one(self, "time", "tokens")


class Resources(Spec):
    """What one replica reserves besides its GPUs."""

    cpu: Annotated[float, Field(gt=0, le=1024)] | None = None
    """Physical cores."""
    memory: Size | None = None
    """Memory."""


class Builds(Spec):
    """Images that are built, where the platform bills the time."""

    per_month: PositiveFloat
    """How many are built in a month."""
    time: PositiveDuration
    """How long one takes."""


class Deployment(Spec):
    """One way of serving the traffic: a platform of the catalog, or one written out here."""

    name: Name
    """For the report."""
    platform: str | None = None
    """A platform of the catalog: see ``costsim platforms``."""
    gpu: str | None = None
    """GPU type, where the platform prices GPUs."""
    gpu_count: PositiveCount = 1
    """GPUs per replica."""
    instance: str | None = None
    """Instance type, where the platform prices whole instances."""
    plan: str | None = None
    """Plan, with its fee, credit and limits."""
    region: str | None = None
    """Region choice, where the platform charges for it."""
    tier: str | None = None
    """Tier of service, such as spot or community, where the platform has several."""
    price: Price | None = None
    """Your own price of a GPU (where those are priced) or of the instance, instead of the catalog's."""
    discount: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Negotiated share off the prices of compute, such as 0.15."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Autoscaler settings in the vendor's own words."""
    schedule: Schedule = ()
    """Other bounds on the replicas at certain hours, days or moments; in a pool, where there is one."""
    resources: Resources | None = None
    """CPU and memory, where the platform prices them apart."""
    setup: Setup | None = None
    """Setup time, instead of the scenario's."""
    unbilled_setup: Duration | None = None
    """First part of the setup that is not billed, instead of the platform's."""
    release_lag: Duration | None = None
    """How long a machine is billed after its replica has left, instead of the platform's."""
    storage: dict[str, Size] = Field(default_factory=dict)
    """Disks and volumes that are paid, by the platform's names: see ``costsim platforms NAME``."""
    data_per_request: Size = 0.0
    """Data that a request moves, where the platform bills that."""
    builds: Builds | None = None
    """Images that are built, where the platform bills that."""
    model: Model | None = None
    """The model, instead of the scenario's."""
    speed: PositiveFloat = 1.0
    """Speed of this hardware: service times are divided by it."""
    pool: Pool | None = None
    """Instead of a platform: the pool in costsim's words."""
    billing: Billing | None = None
    """Instead of a platform: the prices."""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if self.platform is not None:
            own = [key for key in ("pool", "billing") if getattr(self, key) is not None]
            if own:
                message = f"has a platform and its own {own[0]}; use one of the two"
                raise RuleError(message, own[0])
            return self
        if self.pool is None or self.billing is None:
            message = "needs a platform, or both pool and billing"
            raise ValueError(message)
        if self.schedule:
            message = "goes with a platform; here it belongs in pool"
            raise RuleError(message, "schedule")
        foreign = [key for key in _GO_WITH_A_PLATFORM if getattr(self, key)]
        if foreign:
            message = (
                f"'{foreign[0]}' goes with a platform; here pool and billing say it all"
            )
            raise RuleError(message, foreign[0])
        return self


_GO_WITH_A_PLATFORM = (
    *("instance", "plan", "region", "tier", "price", "discount", "settings"),
    *("resources", "release_lag", "storage", "data_per_request", "builds"),
)


class OverBound(Spec):
    """At most a share of requests may be slow."""

    seconds: PositiveDuration
    """Slow is a response time above this."""
    fraction: Fraction
    """Largest share that may be slow."""


class Slo(Spec):
    """What must hold; response times are from arrival to departure."""

    mean: PositiveDuration | None = None
    """Largest mean response time."""
    p50: PositiveDuration | None = None
    """Largest median."""
    p90: PositiveDuration | None = None
    """Largest 90 % quantile."""
    p95: PositiveDuration | None = None
    """Largest 95 % quantile."""
    p99: PositiveDuration | None = None
    """Largest 99 % quantile."""
    over: OverBound | None = None
    """Largest share of slow requests."""
    cold_start_fraction: Fraction | None = None
    """Largest share of requests that wait for a replica that is starting."""
    lost_fraction: Fraction = 0.01
    """Largest share of requests that is not served; holds with any SLO."""
    cost_usd_per_month: Annotated[float, Field(ge=0)] | None = None
    """Largest cost of a month. [USD]"""

    @property
    def slow_after_s(self) -> float | None:
        """Response time above which a request counts as over the SLO. [s]"""
        if self.over is not None:
            return self.over.seconds
        bounds = (self.p95, self.p99, self.p90, self.p50, self.mean)
        return next((bound for bound in bounds if bound is not None), None)


def _read_warm_up(value: Any) -> Any:  # noqa: ANN401 - whatever the file holds
    if value == "auto":
        return None
    return value if type(value) is float else units.parse_duration(value)


WarmUp = Annotated[
    Annotated[float, Field(ge=0, le=units.LONGEST_S)] | None,
    BeforeValidator(_read_warm_up),
    PlainSerializer(
        lambda value: "auto" if value is None else f"{value!r}s", return_type=str
    ),
    WithJsonSchema(
        {
            "type": "string",
            "description": "a duration, with its unit, or auto",
            "examples": ["10m", "auto"],
        }
    ),
]
"""What is cut of latencies; None: to be found. [s]"""


class Scenario(Spec):
    """One question: this traffic, these ways of serving it."""

    name: Name
    """Short name."""
    description: str = ""
    """One sentence."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    """Seed of every random stream."""
    start: datetime | None = None
    """First moment, with its offset; calendars need it."""
    horizon: PositiveDuration | None = None
    """Simulated span; may be left out for a trace or stages, which then set it."""
    warm_up: WarmUp = 0.0
    """Cut from latency statistics, never from the bill; `auto`: until the pools have settled, where the traffic stays the same."""
    replications: Annotated[int, Field(ge=1, le=100_000)] = 10
    """Independent repetitions, for the intervals."""
    traffic: Traffic
    """When requests arrive."""
    service: Service
    """How long they take."""
    setup: Setup | None = None
    """Setup time of a replica (cold start): a law, phases, a mixture or a preset; a deployment may override it."""
    slo: Slo | None = None
    """What must hold."""
    model: Model | None = None
    """The model that is served: it must fit in the memory of a replica's GPUs."""
    requirements: Many[str] = ()
    """Production features that a deployment must have: see ``costsim platforms``."""
    deployments: Annotated[Many[Deployment], Field(min_length=1)]
    """Ways of serving the traffic."""

    @property
    def warm_up_s(self) -> float:
        """The warm-up; 0 while it is to be found. [s]"""
        return self.warm_up or 0.0

    @field_validator("start", mode="before")
    @classmethod
    def _read_start(cls, value: Any) -> Any:  # noqa: ANN401 - whatever the file holds
        return units.parse_calendar(value) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _until_the_last_stage(self) -> Self:
        if self.horizon is None and self.traffic.stages_s:
            return self.model_copy(update={"horizon": self.traffic.stages_s})
        return self

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        refuse_repeats("deployments", [one.name for one in self.deployments])
        if self.horizon is None and (
            self.traffic.streams or self.traffic.trace is None
        ):
            message = "needs a horizon, such as '14d'"
            raise ValueError(message)
        if self.horizon is not None and self.warm_up_s >= self.horizon:
            message = "warm_up must be shorter than the horizon"
            raise RuleError(message, "warm_up")
        use = self._calendar_use()
        if self.start is None and use is not None:
            what, key = use
            message = (
                f"{what} needs the scenario's start, such as 2026-03-02T00:00+01:00"
            )
            raise RuleError(message, *key)
        return self

    def _calendar_use(self) -> tuple[str, tuple[str | int, ...]] | None:
        """Return the first part that needs a calendar, and the way to its key."""
        use = calendar_use(self.traffic)
        if use is not None:
            what, key = use
            return what, ("traffic", *key)
        for index, one in enumerate(self.deployments):
            if one.schedule:
                return "a schedule", ("deployments", index, "schedule")
            if one.pool is not None and one.pool.schedule:
                return "a schedule", ("deployments", index, "pool", "schedule")
        return None
