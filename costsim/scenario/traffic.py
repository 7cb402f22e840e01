"""The ``traffic`` section: streams with a rate and an arrival process, spikes, a trace."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from costsim.scenario.processes import Cron, Poisson, Process
from costsim.scenario.rates import Noise, Seasonal, Stage, Trend
from costsim.scenario.spikes import Spike
from costsim.scenario.trace import Trace
from costsim.scenario.traffic_presets import PresetName, expanded, preset_profile
from costsim.spec import Many, Name, Rate, RuleError, Spec, refuse_repeats

_BESIDE_STAGES = ("rate", "seasonal", "trend")


class Stream(Spec):
    """One kind of traffic; several streams add up."""

    name: Name = "requests"
    """For the report and for spikes; the preset's name if it has a preset."""
    preset: PresetName | None = Field(default=None, exclude=True)
    """Traffic that somebody measured; keys beside it replace the preset's."""
    rate: Rate | None = None
    """Mean request rate over a season, spikes not counted, whatever the process. Not for cron."""
    seasonal: Seasonal | None = None
    """By hour of day and day of week."""
    trend: Trend | None = None
    """Growth."""
    stages: Annotated[Many[Stage], Field(min_length=1, max_length=10_000)] | None = None
    """Instead of a rate, seasonal and trend: ramps, as k6 has them. After the last the rate is 0."""
    start_rate: Rate | None = None
    """Rate at which the first stage begins; 0 if left out."""
    noise: Noise | Many[Noise] | None = None
    """Slow random changes of the rate; of several the factors are multiplied."""
    arrivals: Process = Poisson(process="poisson")
    """Arrival process."""

    @property
    def noises(self) -> tuple[Noise, ...]:
        """The noise, whether one or several; those that are switched off left out."""
        given = self.noise
        several = (given,) if isinstance(given, Noise) else given or ()
        return tuple(one for one in several if one.sigma > 0)

    @property
    def has_rate(self) -> bool:
        """Whether it has a rate on which spikes and noise can act."""
        return not isinstance(self.arrivals, Cron)

    @property
    def stages_s(self) -> float | None:
        """How long the stages take together; None if there are none. [s]"""
        if self.stages is None:
            return None
        return sum(stage.duration for stage in self.stages)

    @model_validator(mode="after")
    def _one_measure(self) -> Self:
        if isinstance(self.arrivals, Cron):
            self._refuse_beside_cron()
        elif self.stages is not None:
            for key in _BESIDE_STAGES:
                if getattr(self, key) is not None:
                    message = f"stages set the rate themselves; remove {key}"
                    raise RuleError(message, key)
        elif self.start_rate is not None:
            message = "goes with stages"
            raise RuleError(message, "start_rate")
        elif self.rate is None:
            message = "needs a rate, such as '48/h'"
            if self.preset is not None:
                message = f"{message}: the preset '{self.preset}' has none of its own"
            raise ValueError(message)
        return self

    def _refuse_beside_cron(self) -> None:
        if self.rate is not None or self.seasonal or self.trend:
            message = "cron batches set their own rate; remove rate, seasonal and trend"
            raise RuleError(message, "rate" if self.rate is not None else "arrivals")
        for key in ("stages", "start_rate", "noise"):
            if getattr(self, key) is not None:
                message = f"cron batches set their own rate; remove {key}"
                raise RuleError(message, key)


class Traffic(Spec):
    """When requests arrive."""

    preset: PresetName | None = Field(default=None, exclude=True)
    """Instead of streams: short for one stream with this preset."""
    streams: Many[Stream] = ()
    """Synthetic traffic."""
    spikes: Many[Spike] = ()
    """Temporary excess on the streams."""
    trace: Trace | None = None
    """Recorded traffic, alone or beside the streams."""

    @property
    def stages_s(self) -> float | None:
        """When the last stage ends, if there is nothing but stages. [s]"""
        ends = [stream.stages_s for stream in self.streams]
        known = [end for end in ends if end is not None]
        if self.trace is not None or len(known) < len(ends) or not known:
            return None
        return max(known)

    @model_validator(mode="before")
    @classmethod
    def _with_presets(cls, value: Any) -> Any:  # noqa: ANN401 - whatever the file holds
        return expanded(value) if isinstance(value, dict) else value

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
    spike: Spike, targets: list[str] | tuple[str, ...], streams: tuple[Stream, ...]
) -> str | None:
    """Return what is wrong with the streams that a spike acts on, if anything."""
    rated = {stream.name for stream in streams if stream.has_rate}
    for name in targets:
        if spike.streams is not None and name not in rated:
            return (
                f"a spike names the stream '{name[:40]}'; streams with a rate are "
                f"{', '.join(sorted(rated)) or 'missing'}"
            )
    if spike.magnitude is None and len([one for one in targets if one in rated]) != 1:
        what = "a peak" if spike.peak is not None else "a number of requests"
        return f"a spike with {what} acts on one stream; name it in its streams"
    return None


def calendar_use(traffic: Traffic) -> tuple[str, tuple[str | int, ...]] | None:
    """Return the first part of the traffic that needs a calendar, and the way to its key."""
    for index, stream in enumerate(traffic.streams):
        use = _calendar_use_of(stream)
        if use == "preset" and traffic.preset is not None:
            return f"the profile of the preset '{stream.preset}'", ("preset",)
        if use == "preset":
            key = ("streams", index, "preset")
            return f"the profile of the preset '{stream.preset}'", key
        if use == "seasonal":
            return use, ("streams", index, "seasonal")
        if use is not None:
            return "a cron schedule", ("streams", index, "arrivals", "schedule")
    for index, spike in enumerate(traffic.spikes):
        if isinstance(spike.at, datetime):
            return "a spike at a date", ("spikes", index, "at")
    return None


def _calendar_use_of(stream: Stream) -> str | None:
    """Return which part of a stream needs a calendar, if any."""
    seasonal = stream.seasonal
    if seasonal is not None and (seasonal.hour_of_day or seasonal.day_of_week):
        return "preset" if seasonal == preset_profile(stream.preset) else "seasonal"
    if isinstance(stream.arrivals, Cron) and stream.arrivals.schedule is not None:
        return "schedule"
    return None
