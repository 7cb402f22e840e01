"""The busiest hours of the week, and schedules that keep replicas warm in them.

Traffic that repeats by the week is told by the profiles of its streams; of a trace, and of
streams without a rate, the requests of the first replication are counted. Days from Monday
to Friday are taken together, and so are the two others: a schedule that differs from
Tuesday to Wednesday would follow chance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from costsim.scenario.schedule import ScheduleEntry
from costsim.traffic.clock import seconds_into_week
from costsim.traffic.rates import weekly_weights
from costsim.traffic.setups import SetupLaw
from costsim.traffic.source import arrival_chunks
from costsim.units import SECONDS_PER_HOUR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from costsim.records import Floats, Ints
    from costsim.scenario.schedule import Schedule
    from costsim.scenario.schema import Scenario
    from costsim.scenario.setup_plan import SetupPlan
    from costsim.traffic.trace import TraceData

_HOURS_OF_WEEK = 7 * 24
_GROUPS = {"Mon-Fri": range(5), "Sat-Sun": range(5, 7)}
_COVERED = (0.6, 0.85, 0.97)
"""Shares of the traffic that fall into the hours of a schedule."""
_EVEN = 1.3
"""A busiest hour below so many times the mean is no reason for a schedule."""
_LAUNCHES = 1024
_STEP_S = 60.0
"""Prewarming is told in whole minutes. [s]"""
_DAY = 24


@dataclass(frozen=True)
class Hours:
    """The same hours of some days."""

    days: str
    """As a schedule writes them; empty: every day."""
    opens: int
    """First hour of the day."""
    closes: int
    """Hour at which they end, the next day's if not above ``opens``; 24 is midnight."""

    @property
    def length(self) -> int:
        """How many there are."""
        return (self.closes - self.opens - 1) % _DAY + 1

    def moved(self, opens: int, closes: int) -> Hours | None:
        """Return them with other ends, or None if that leaves nothing or wraps around."""
        length = self.length + closes - opens
        if not 1 <= length <= _DAY:
            return None
        begin = (self.opens + opens) % _DAY
        return Hours(self.days, begin, (begin + length - 1) % _DAY + 1)

    def entry(self, replicas: int, prewarm_s: float) -> ScheduleEntry:
        """Return the entry of a schedule that keeps replicas warm in them."""
        times = f"{self.opens:02d}:00-{self.closes:02d}:00"
        if self.length == _DAY:
            times = ""
        when = " ".join(part for part in (self.days, times) if part)
        return ScheduleEntry.model_validate(
            {
                "when": when or "00:00-24:00",
                "min_replicas": replicas,
                "prewarm": prewarm_s,
            }
        )


@dataclass(frozen=True)
class Warmth:
    """Replicas that are kept warm in some hours."""

    hours: tuple[Hours, ...]
    replicas: int
    prewarm_s: float
    """How much earlier they are launched. [s]"""

    @property
    def schedule(self) -> Schedule:
        """The same as a scenario writes it."""
        return tuple(one.entry(self.replicas, self.prewarm_s) for one in self.hours)

    def neighbors(self, most: int) -> Iterator[Warmth]:
        """Yield what differs by one replica, or by an hour at one end."""
        for replicas in (self.replicas - 1, self.replicas + 1):
            if 1 <= replicas <= most:
                yield Warmth(self.hours, replicas, self.prewarm_s)
        for index, one in enumerate(self.hours):
            for opens, closes in ((-1, 0), (1, 0), (0, -1), (0, 1)):
                moved = one.moved(opens, closes)
                if moved is not None:
                    hours = (*self.hours[:index], moved, *self.hours[index + 1 :])
                    yield Warmth(hours, self.replicas, self.prewarm_s)


def busy_hours(scenario: Scenario, trace: TraceData | None) -> list[tuple[Hours, ...]]:
    """Return sets of hours that hold ever more of the traffic; none if it is even.

    Parameters
    ----------
    scenario : Scenario
        What is asked for; without a start there is no calendar, and there are none.
    trace : TraceData, optional
        What ``load_trace`` returned.
    """
    if scenario.start is None:
        return []
    rate_per_s = _weekly_rates(scenario, trace).reshape(7, _DAY)
    mean = float(rate_per_s.mean())
    if not mean > 0 or float(rate_per_s.max()) < _EVEN * mean:
        return []
    by_group = {
        name: rate_per_s[days.start : days.stop].mean(axis=0)
        for name, days in _GROUPS.items()
    }
    found = [_hours_above(level, by_group) for level in _levels(by_group)]
    return list(dict.fromkeys(one for one in found if one))


def prewarm_s(plan: SetupPlan) -> float:
    """Return how long before its hours a replica is launched to be ready in time. [s]"""
    draws = SetupLaw(plan, 0, 0).draw(0, _LAUNCHES)
    slow_s = float(np.quantile(draws.setup_s, 0.95))
    return math.ceil(slow_s / _STEP_S) * _STEP_S


def _levels(by_group: dict[str, Floats]) -> list[float]:
    """Return the rates whose hours and busier ones hold the shares of ``_COVERED``."""
    n_days = [len(days) for days in _GROUPS.values()]
    rates = np.concatenate([*by_group.values()])
    weights = np.repeat(n_days, _DAY)
    order = np.argsort(-rates, kind="stable")
    held = np.cumsum((rates * weights)[order])
    places = np.searchsorted(held, np.asarray(_COVERED) * held[-1])
    return [float(rates[order[i]]) for i in places]


def _hours_above(level: float, by_group: dict[str, Floats]) -> tuple[Hours, ...]:
    """Return the shortest stretch of each group's day that holds its busy hours."""
    found = {}
    for name, rates in by_group.items():
        busy = np.flatnonzero(rates >= level)
        if busy.size:
            found[name] = _stretch(busy.tolist())
    ends = set(found.values())
    if len(found) == len(by_group) and len(ends) == 1:
        return (Hours("", *ends.pop()),)
    return tuple(Hours(name, *pair) for name, pair in found.items())


def _stretch(busy: list[int]) -> tuple[int, int]:
    """Return the first and the last end of the shortest stretch with all busy hours."""
    following = [*busy[1:], busy[0] + _DAY]
    gaps = [after - before for before, after in zip(busy, following, strict=True)]
    longest = gaps.index(max(gaps))
    opens = following[longest] % _DAY
    closes = busy[longest] + 1
    return opens, closes


def _weekly_rates(scenario: Scenario, trace: TraceData | None) -> Floats:
    """Return the mean rate of each hour of the week, Monday 00:00 first. [requests/s]"""
    total = np.zeros(_HOURS_OF_WEEK)
    counted = []
    for index, stream in enumerate(scenario.traffic.streams):
        if stream.rate is None:
            counted.append(index)
        elif stream.seasonal is None:
            total += stream.rate
        else:
            total += stream.rate * weekly_weights(stream.seasonal)
    if trace is not None:
        counted.append(len(scenario.traffic.streams))
    return total + _counted_rates(scenario, trace, counted) if counted else total


def _counted_rates(
    scenario: Scenario, trace: TraceData | None, sources: list[int]
) -> Floats:
    """Return the rates that some sources have in the first replication."""
    counts = np.zeros(_HOURS_OF_WEEK)
    last_s = 0.0
    for chunk in arrival_chunks(scenario, 0, trace):
        arrival_s = chunk.arrival_s
        last_s = float(arrival_s[-1])
        if chunk.source is not None:
            arrival_s = arrival_s[np.isin(chunk.source, sources)]
        hour = _hour_of_week(scenario, arrival_s)
        counts += np.bincount(hour, minlength=_HOURS_OF_WEEK)
    end_s = scenario.horizon or last_s
    seen = _hour_of_week(scenario, np.arange(0.5, end_s / SECONDS_PER_HOUR) * 3600.0)
    n_hours = np.bincount(seen, minlength=_HOURS_OF_WEEK)
    return counts / np.maximum(n_hours, 1) / SECONDS_PER_HOUR


def _hour_of_week(scenario: Scenario, times_s: Floats) -> Ints:
    into_week = times_s
    if scenario.start is not None:
        into_week = seconds_into_week(scenario.start) + times_s
    hour: Ints = (into_week // SECONDS_PER_HOUR).astype(np.int64) % _HOURS_OF_WEEK
    return hour
