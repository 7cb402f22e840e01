"""What is varied: requests a day, service time, idle timeout, or a key of the scenario."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from costsim.errors import InputError, ScenarioError
from costsim.scenario.knobs import find_knobs, turned
from costsim.scenario.load import check_document
from costsim.scenario.overrides import apply_overrides
from costsim.scenario.scaled import scaled_traffic
from costsim.study.breakeven.base import Case, mean_service_s, resolved, trace_of
from costsim.study.sweep.ranges import read_range
from costsim.units import (
    SECONDS_PER_DAY,
    format_duration,
    parse_duration,
    parse_rate,
)
from costsim.yaml_source import shorten

if TYPE_CHECKING:
    from collections.abc import Callable

    from costsim.study.breakeven.base import Base

OVER = "--over"
"""The option, as messages name it."""
REQUESTS, SERVICE_TIME, IDLE_TIMEOUT = "requests", "service_time", "idle_timeout"

_FEWEST_REQUESTS = 30
"""Of a replication at the low end, where nothing else is said."""
_PER_DECADE = 4
_FEWEST_STEPS, _MOST_STEPS = 8, 24
_CLOSE = 0.02
_LINEAR_STEPS = 200

Kind = Literal["count", "duration", "plain"]


@dataclass(frozen=True)
class Axis:
    """What is varied, and between which ends."""

    word: str
    """As ``--over`` has it."""
    label: str
    """For people: ``requests a day``."""
    column: str
    """For programs, with its unit: ``requests_per_day``."""
    kind: Kind
    low: float
    high: float
    own: float | None
    """The scenario's own value; None if it has none, or it is not known."""
    case: Callable[[float], Case]
    """The scenario at a value."""
    whole: bool = False
    """Whether there are only whole numbers."""
    unit: str = ""
    """What follows a number of a key: ``USD/h``."""
    close: float = _CLOSE
    """Points nearer than this share of their value need none between them. [1]"""
    is_default: bool = True
    """Whether nobody said which range."""

    @property
    def is_log(self) -> bool:
        """Whether equal steps are equal ratios."""
        return self.low > 0

    def show(self, value: float) -> str:
        """Return a value for people, with three digits."""
        if self.kind == "duration":
            return format_duration(value)
        if self.whole:
            return f"{value:,.0f}"
        rounded = float(f"{value:.3g}")
        text = f"{rounded:,.0f}" if abs(rounded) >= 100 else f"{rounded:g}"
        return text + self.unit

    def grid(self) -> list[float]:
        """Return values from the low to the high end, the scenario's own among them."""
        span = self._place(self.high) - self._place(self.low)
        steps = _FEWEST_STEPS
        if self.is_log:
            wanted = math.ceil(span / math.log(10) * _PER_DECADE)
            steps = min(max(wanted, _FEWEST_STEPS), _MOST_STEPS)
        inner = [
            self._at(self._place(self.low) + span * i / steps) for i in range(steps)
        ]
        values = {self.low, self.high, *inner[1:]}
        if self.own is not None and self.low <= self.own <= self.high:
            values.add(self.own)
        return sorted(values)

    def distance(self, low: float, high: float) -> float:
        """Return how far two values are apart: logarithms, where steps are ratios."""
        return self._place(high) - self._place(low)

    def between(self, low: float, high: float, times: float = 1.0) -> float | None:
        """Return the value halfway between two, or None if they are close enough.

        Parameters
        ----------
        low, high : float
            The two values.
        times : float
            How many times as far apart as usual is close enough. [1]
        """
        close = math.log1p(self.close)
        if not self.is_log:
            close = (self.high - self.low) / _LINEAR_STEPS
        if self.distance(low, high) <= times * close:
            return None
        middle = self._at((self._place(low) + self._place(high)) / 2)
        return middle if low < middle < high else None

    def meet(self, low: float, high: float, share: float) -> float:
        """Return the value that is this share of the way from one to another."""
        value = self._value(self._place(low) + share * self.distance(low, high))
        # What changes between two whole numbers has changed at the second.
        return float(math.ceil(value)) if self.whole else value

    def _place(self, value: float) -> float:
        return math.log(value) if self.is_log else value

    def _value(self, place: float) -> float:
        return math.exp(place) if self.is_log else place

    def _at(self, place: float) -> float:
        value = self._value(place)
        return float(math.floor(value + 0.5)) if self.whole else float(f"{value:.6g}")


def read_axis(text: str, base: Base, most_requests: float) -> Axis:
    """Return what ``--over`` says is varied.

    Parameters
    ----------
    text : str
        A word with or without ``=LOW..HIGH``, or a key with it.
    base : Base
        The scenario.
    most_requests : float
        Of a replication, where the range is not given: as many as do not take long.

    Raises
    ------
    InputError
        If it is none of them.
    """
    word, equals, ends = (part.strip() for part in text.partition("="))
    option = f"{OVER} {shorten(text, 60)}"
    if not word or (equals and not ends):
        message = (
            f"{option}: write requests, service_time, idle_timeout or KEY=LOW..HIGH, "
            "such as requests=100..1e6 or deployments.0.settings.max_containers=1..8"
        )
        raise InputError(message)
    try:
        if word == REQUESTS:
            return _requests(base, ends, most_requests)
        if word == SERVICE_TIME:
            return _service_time(base, ends)
        if word == IDLE_TIMEOUT:
            return _idle_timeout(base, ends)
        return _key(base, word, ends)
    except ScenarioError:
        raise
    except (ValueError, InputError) as error:
        message = f"{option}: {error}"
        raise InputError(message) from None


def _requests(base: Base, ends: str, most_requests: float) -> Axis:
    own = base.own
    volume, days = own.requests_per_day, own.horizon_s / SECONDS_PER_DAY
    if not volume > 0:
        message = "the scenario has no requests that could be scaled"
        raise ValueError(message)
    low = max(volume / 100, min(volume, _FEWEST_REQUESTS / days))
    high = max(volume, min(100 * volume, most_requests / days))
    if ends:
        low, high = _ends(ends, _volume)

    def case(value: float) -> Case:
        return replace(own, scenario=scaled_traffic(own.scenario, value / volume))

    return Axis(
        *(REQUESTS, "requests a day", "requests_per_day", "count"),
        *(_three(low), _three(high), volume, case),
        is_default=not ends,
    )


def _service_time(base: Base, ends: str) -> Axis:
    own = base.own
    if not own.service_s > 0:
        message = "service takes no time that could be scaled"
        raise ValueError(message)
    low, high = own.service_s / 10, own.service_s * 10
    if ends:
        low, high = _ends(ends, parse_duration)

    def case(value: float) -> Case:
        # Slower by a factor is the same work on slower hardware.
        share = own.service_s / value
        slower = tuple(replace(d, speed=d.speed * share) for d in own.deployments)
        return replace(own, deployments=slower, service_s=own.service_s)

    return Axis(
        *(SERVICE_TIME, "mean service time", "service_time_s", "duration"),
        *(_three(low), _three(high), own.service_s, case),
        is_default=not ends,
    )


def _idle_timeout(base: Base, ends: str) -> Axis:
    own, scenario = base.own, base.scenario
    knobs = {}
    for one in scenario.deployments:
        platform = base.catalog.find(one.platform) if one.platform else None
        found = find_knobs(one, platform)
        if IDLE_TIMEOUT in found:
            knobs[one.name] = found[IDLE_TIMEOUT]
    if not knobs:
        message = "no deployment has an idle timeout that could be set"
        raise ValueError(message)
    low = max(1.0, *(math.ceil(one.minimum) for one in knobs.values()))
    high = min(3600.0, *(one.maximum for one in knobs.values()))
    if ends:
        low, high = _ends(ends, parse_duration)
        if not (low >= 1 and low.is_integer() and high.is_integer()):
            message = "idle timeouts are whole seconds, 1s at least"
            raise ValueError(message)
        for end in (low, high):
            for knob in knobs.values():
                knob.check(end)

    def case(value: float) -> Case:
        changed = tuple(
            turned(one, knobs[one.name], value) if one.name in knobs else one
            for one in scenario.deployments
        )
        turned_all = scenario.model_copy(update={"deployments": changed})
        resolution = resolved(turned_all, base.document, base.catalog)
        return replace(own, deployments=resolution.deployments)

    values = {one.value for one in knobs.values()}
    same = values.pop() if len(values) == 1 else None
    return Axis(
        *(IDLE_TIMEOUT, "idle timeout", "idle_timeout_s", "duration"),
        *(low, float(math.floor(high)), same, case),
        whole=True,
        is_default=not ends,
    )


def _key(base: Base, key: str, ends: str) -> Axis:
    span = read_range(ends) if ends else None
    if span is None or span.n is not None or span.log:
        message = f"write {shorten(key, 40)}=LOW..HIGH, such as 1..8 or 30s..15m"
        raise ValueError(message)
    unit = span.unit

    def case(value: float) -> Case:
        number = f"{value:.0f}" if span.whole else f"{value:.6g}"
        option = f"{key}={number}{unit}"
        document, problems = apply_overrides(base.document, [option], option=OVER)
        scenario = check_document(document, problems)
        resolution = resolved(scenario, document, base.catalog)
        trace = trace_of(scenario, base)
        service_s = mean_service_s(scenario, trace)
        return Case(scenario, resolution.deployments, trace, service_s)

    return Axis(
        *(key, shorten(key.rpartition(".")[2], 20), _column(key, unit), "plain"),
        *(span.low, span.high, None, case),
        whole=span.whole,
        unit=unit,
        is_default=False,
    )


def _column(key: str, unit: str) -> str:
    return f"{key} [{unit.strip()}]" if unit else key


def _ends(text: str, read: Callable[[str], float]) -> tuple[float, float]:
    low_text, dots, high_text = text.partition("..")
    if not dots:
        message = f"'{text[:40]}' is no range; write LOW..HIGH"
        raise ValueError(message)
    low, high = read(low_text.strip()), read(high_text.strip())
    if not 0 < low < high < math.inf:
        message = "the low end comes first, and is above 0"
        raise ValueError(message)
    return low, high


def _volume(text: str) -> float:
    """Return the requests a day in ``1e6``, ``50k`` or ``2/s``."""
    if "/" in text or "per" in text or text.endswith(("rps", "rpm")):
        return parse_rate(text) * SECONDS_PER_DAY
    return parse_rate(f"{text}/day") * SECONDS_PER_DAY


def _three(value: float) -> float:
    return float(f"{value:.3g}")
