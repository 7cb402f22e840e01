"""Bounds on the replicas by the clock, as a scenario writes them."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import ConfigDict, Field, field_validator, model_validator

from costsim.scenario.cron import CronSchedule
from costsim.scenario.when import When, find_zone, parse_when
from costsim.spec import (
    Count,
    Duration,
    Many,
    PositiveDuration,
    Replicas,
    RuleError,
    Spec,
)


class ScheduleEntry(Spec):
    """Other bounds at certain hours; of several entries that apply the last one wins."""

    model_config = ConfigDict(serialize_by_alias=True)

    when: str
    """Days and hours, such as ``Mon-Fri 08:00-18:00 Europe/Paris``, or five cron fields in quotes."""
    for_: Annotated[PositiveDuration | None, Field(alias="for")] = None
    """With cron fields: how long the entry applies each time."""
    time_zone: str | None = None
    """Time zone by its IANA name, such as Europe/Paris, daylight saving included; the fixed offset of the scenario's start if left out."""
    min_replicas: Replicas | None = None
    """Never fewer; as without the entry if left out."""
    max_replicas: Count | None = None
    """Never more; as without the entry if left out."""
    prewarm: Duration = 0.0
    """Raise the minimum this much earlier, so that replicas are ready in time."""

    @field_validator("when")
    @classmethod
    def _readable(cls, when: str) -> str:
        parse_when(when)
        return when

    @field_validator("time_zone")
    @classmethod
    def _known(cls, time_zone: str | None) -> str | None:
        if time_zone is not None:
            find_zone(time_zone)
        return time_zone

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        cron = isinstance(self.parsed.times, CronSchedule)
        if cron and self.for_ is None:
            message = "cron fields say when it begins; add how long, such as 'for: 2h'"
            raise RuleError(message, "when")
        if not cron and self.for_ is not None:
            message = "goes with cron fields; hours such as 08:00-10:00 say how long"
            raise RuleError(message, "for")
        if self.time_zone is not None and self.parsed.zone is not None:
            message = f"when has a time zone already ({self.parsed.zone}); remove one"
            raise RuleError(message, "time_zone")
        self._check_bounds()
        return self

    def _check_bounds(self) -> None:
        low, high = self.min_replicas, self.max_replicas
        if low is None and high is None:
            message = "needs min_replicas, max_replicas or both"
            raise ValueError(message)
        if low is not None and high is not None and low > high:
            message = f"min_replicas ({low}) must not exceed max_replicas ({high})"
            raise RuleError(message, "min_replicas")
        if self.prewarm > 0 and low is None:
            message = "goes with min_replicas, which it raises early"
            raise RuleError(message, "prewarm")

    @property
    def parsed(self) -> When:
        """When it applies."""
        return parse_when(self.when)

    @property
    def zone(self) -> str | None:
        """Name of its time zone; None: the clock of the scenario's start."""
        return self.parsed.zone or self.time_zone


Schedule = Annotated[Many[ScheduleEntry], Field(max_length=100)]
"""Entries; later ones win."""
