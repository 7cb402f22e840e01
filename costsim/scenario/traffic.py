"""The ``traffic`` section: streams with a rate and an arrival process, spikes, a trace."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from costsim.scenario.cron import parse_cron
from costsim.spec import (
    Duration,
    Many,
    Moment,
    Name,
    NonNegative,
    PositiveCount,
    PositiveDuration,
    Rate,
    RuleError,
    Spec,
    exactly_one,
    refuse_repeats,
)


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


class Cron(Spec):
    """Batches by the clock: a fixed number of requests each time."""

    process: Literal["cron"]
    schedule: str | None = None
    """Five cron fields in the offset of the scenario's start: ``0 2 * * *``."""
    every: PositiveDuration | None = None
    """Instead of a schedule: a fixed period, the first batch one period after the start."""
    batch_size: PositiveCount
    """Requests in a batch."""
    jitter: Duration = 0.0
    """Each request is late by a uniform random time up to this."""

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
    Poisson | GammaArrivals | Mmpp | Cron, Field(discriminator="process")
]
"""How requests are spread around their rate."""


class Stream(Spec):
    """One kind of traffic; several streams add up."""

    name: Name = "requests"
    """For the report and for spikes."""
    rate: Rate | None = None
    """Mean request rate over a season, spikes not counted. Not for cron."""
    seasonal: Seasonal | None = None
    """By hour of day and day of week."""
    trend: Trend | None = None
    """Growth."""
    arrivals: Process = Poisson(process="poisson")
    """Arrival process."""

    @model_validator(mode="after")
    def _rate_or_clock(self) -> Self:
        clocked = isinstance(self.arrivals, Cron)
        if clocked and (self.rate is not None or self.seasonal or self.trend):
            message = "cron batches set their own rate; remove rate, seasonal and trend"
            raise RuleError(message, "rate" if self.rate is not None else "arrivals")
        if not clocked and self.rate is None:
            message = "needs a rate, such as '48/h'"
            raise ValueError(message)
        return self


class _Spike(Spec):
    at: Moment
    """When it begins: a date and time, or a duration after the start."""
    magnitude: Annotated[float, Field(ge=1, le=1e6)] | None = None
    """At its top the rate is this many times the usual. Give this or peak."""
    peak: Rate | None = None
    """At its top this many requests per second come on top of the usual."""
    streams: Many[Name] | None = None
    """Streams it acts on; all if left out. A peak acts on exactly one."""

    @model_validator(mode="after")
    def _one_height(self) -> Self:
        return exactly_one(self, "magnitude", "peak")


class EventSpike(_Spike):
    """A scheduled event: a ramp, a plateau, an abrupt end."""

    shape: Literal["event"]
    rise: Duration = 45 * 60.0
    """Linear ramp from the usual to the top."""
    hold: Duration = 90 * 60.0
    """Time at the top."""
    fall_half_life: Duration = 11 * 60.0
    """Afterwards the excess halves in this time."""


class ViralSpike(_Spike):
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


class Columns(Spec):
    """Which column of a recorded trace holds what."""

    arrival: str | None = None
    """Time at which the request arrived."""
    duration: str | None = None
    """Service time, without waiting."""
    input_tokens: str | None = None
    """Tokens read."""
    output_tokens: str | None = None
    """Tokens written."""


class Trace(Spec):
    """A recorded trace, replayed as it was."""

    path: Annotated[str, Field(min_length=1)]
    """The file, relative to the scenario; ``.gz`` is unpacked."""
    format: Literal["auto", "csv", "azure-llm"] = "auto"
    """How to read it."""
    columns: Columns = Columns()
    """Column names, where the usual ones are not used."""
    time_unit: Literal["auto", "s", "ms", "us", "ns"] = "auto"
    """Unit of numeric arrival times; auto tells epoch units apart by their size."""
    duration_unit: Literal["s", "ms", "us", "ns"] = "s"
    """Unit of numeric durations."""
    scale_rate: Annotated[float, Field(gt=0, le=1e4)] = 1.0
    """Keep this share of the requests, or superpose copies where above 1."""
    scale_time: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    """Stretch the time between requests."""
    repeat: bool = False
    """Start again at the end of the trace, until the horizon."""
    jitter: Duration = 0.0
    """Move each request by a uniform random time up to this."""


class Traffic(Spec):
    """When requests arrive."""

    streams: Many[Stream] = ()
    """Synthetic traffic."""
    spikes: Many[Spike] = ()
    """Temporary excess on the streams."""
    trace: Trace | None = None
    """Recorded traffic, alone or beside the streams."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.streams and self.trace is None:
            message = "needs streams or a trace"
            raise ValueError(message)
        names = [stream.name for stream in self.streams]
        refuse_repeats("streams", names)
        for index, spike in enumerate(self.spikes):
            targets = names if spike.streams is None else spike.streams
            fault = _target_fault(spike, targets, self.streams)
            if fault is not None:
                raise RuleError(fault, "spikes", index, "streams")
        return self


def _target_fault(
    spike: _Spike, targets: list[str] | tuple[str, ...], streams: tuple[Stream, ...]
) -> str | None:
    """Return what is wrong with the streams that a spike acts on, if anything."""
    rated = {stream.name for stream in streams if stream.rate is not None}
    for name in targets:
        if spike.streams is not None and name not in rated:
            return (
                f"a spike names the stream '{name[:40]}'; streams with a rate are "
                f"{', '.join(sorted(rated)) or 'missing'}"
            )
    if spike.peak is not None and len([name for name in targets if name in rated]) != 1:
        return "a spike with a peak acts on one stream; name it in its streams"
    return None


def calendar_use(traffic: Traffic) -> tuple[str, tuple[str | int, ...]] | None:
    """Return the first part of the traffic that needs a calendar, and the way to its key."""
    for index, stream in enumerate(traffic.streams):
        if stream.seasonal is not None:
            return "seasonal", ("streams", index, "seasonal")
        if isinstance(stream.arrivals, Cron) and stream.arrivals.schedule is not None:
            return "a cron schedule", ("streams", index, "arrivals", "schedule")
    for index, spike in enumerate(traffic.spikes):
        if isinstance(spike.at, datetime):
            return "a spike at a date", ("spikes", index, "at")
    return None
