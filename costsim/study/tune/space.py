"""What can be set: deployments that differ in their knobs only, and points between.

Deployments of a scenario that are equal but for what is tuned, such as a platform at zero
and with one warm replica, are one family: it is searched once, and each of them is a point
in it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

from costsim.scenario.knobs import turned
from costsim.study.tune.hours import Warmth

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from costsim.scenario.knobs import Knob
    from costsim.scenario.schedule import Schedule
    from costsim.scenario.schema import Deployment

_MORE_IN_HOURS = (1, 2)
BOX = ("idle_timeout", "min_replicas")
"""Knobs of which every pair of first values is tried."""


@dataclass(frozen=True)
class Axis:
    """A knob and the values that it is tried at."""

    knob: Knob
    present: float
    """Its value at the family's base."""
    first: tuple[float, ...]
    """Those that are tried first, ascending."""
    fine: tuple[float, ...]
    """All of them, ascending."""

    @property
    def name(self) -> str:
        """The knob's, in costsim's words."""
        return self.knob.name


@dataclass(frozen=True)
class Point:
    """One way to set a family's deployment."""

    values: tuple[float, ...] = ()
    """The value of each axis, in the family's order."""
    warmth: Warmth | None = None
    """Hours of the week in which replicas are kept warm."""
    own: Schedule = ()
    """A schedule that the scenario has."""

    @property
    def schedule(self) -> Schedule:
        """Other bounds by the clock."""
        return self.own if self.warmth is None else self.warmth.schedule

    def moved(self, index: int, value: float) -> Point:
        """Return the point with one of its values changed."""
        values = (*self.values[:index], value, *self.values[index + 1 :])
        return replace(self, values=values)


@dataclass(frozen=True, eq=False)
class Family:
    """Deployments that are the same but for what is tuned."""

    label: str
    """For the report."""
    base: Deployment
    """What knobs are turned at."""
    axes: tuple[Axis, ...]
    """What is turned."""
    yours: Mapping[str, Point]
    """The scenario's deployments in it, by name."""
    warmths: tuple[Warmth, ...] = ()
    """Hours of the week to keep replicas warm in."""
    most_replicas: int = 0
    """Most replicas that are kept warm."""
    is_own: bool = True
    """Whether it is on the scenario's own hardware."""

    def axis(self, name: str) -> int | None:
        """Return the position of a knob's axis, or None."""
        names = [axis.name for axis in self.axes]
        return names.index(name) if name in names else None

    def deployment(self, point: Point) -> Deployment:
        """Return the deployment that is set so.

        Raises
        ------
        InputError
            If it is not possible.
        """
        deployment = self.base
        for axis, value in zip(self.axes, point.values, strict=True):
            if value != axis.present:
                deployment = turned(deployment, axis.knob, value)
        return _scheduled(deployment, point.schedule)

    def settings(self, point: Point) -> dict[str, str]:
        """Return what is set at a point, by the vendor's words, for people."""
        return {
            axis.knob.word: axis.knob.text(value)
            for axis, value in zip(self.axes, point.values, strict=True)
        }

    @property
    def size(self) -> int:
        """Points of the full grid."""
        hours = {warmth.hours for warmth in self.warmths}
        schedules = 1 + len(hours) * self.most_replicas
        return schedules * math.prod(len(axis.fine) for axis in self.axes)

    def first_points(self) -> list[Point]:
        """Return where a search begins: yours, the box, and rays into the rest."""
        usual = next(iter(self.yours.values()))
        sides = [
            axis.first if axis.name in BOX else (value,)
            for axis, value in zip(self.axes, usual.values, strict=True)
        ]
        box = map(Point, product(*sides))
        return list(dict.fromkeys([*self.yours.values(), *box, *self._rays(usual)]))

    def scheduled_around(self, point: Point) -> Iterator[Point]:
        """Yield points with a replica or two more in busy hours, and fewer outside them.

        What a schedule saves shows only together with a shorter idle timeout.
        """
        idle, least = self.axis("idle_timeout"), self.axis("min_replicas")
        if idle is None or least is None:
            return
        here = point.values[least]
        always = [n for n in (here - 1, here) if n in self.axes[least].fine]
        hours = dict.fromkeys((one.hours, one.prewarm_s) for one in self.warmths)
        for (one, early_s), n, more in product(hours, always, _MORE_IN_HOURS):
            if n + more <= self.most_replicas:
                warmth = Warmth(one, int(n) + more, early_s)
                moved = replace(point.moved(least, n), warmth=warmth)
                for value in {*self._short(idle), point.values[idle]}:
                    yield moved.moved(idle, value)

    def _short(self, idle: int) -> list[float]:
        """Return idle timeouts from the shortest one on."""
        first = self.axes[idle].first
        return [first[place] for place in sorted({0, len(first) // 3})]

    def _rays(self, usual: Point) -> Iterator[Point]:
        """Yield points that try each other axis, and each schedule, alone."""
        for origin in self._origins(usual):
            for index, axis in enumerate(self.axes):
                if axis.name not in BOX:
                    for value in axis.first:
                        yield origin.moved(index, value)
            for warmth in self.warmths:
                yield Point(origin.values, warmth)

    def _origins(self, usual: Point) -> Iterator[Point]:
        """Yield where rays begin: short to long idle timeouts, the fewest replicas."""
        idle, least = self.axis("idle_timeout"), self.axis("min_replicas")
        point = Point(usual.values)
        if least is not None:
            point = point.moved(least, self.axes[least].first[0])
        if idle is None:
            yield point
            return
        first = self.axes[idle].first
        for place in sorted({0, len(first) // 3, 2 * len(first) // 3}):
            yield point.moved(idle, first[place])


def _scheduled(deployment: Deployment, schedule: Schedule) -> Deployment:
    holder = deployment if deployment.pool is None else deployment.pool
    if holder.schedule == schedule:
        return deployment
    if deployment.pool is None:
        return deployment.model_copy(update={"schedule": schedule})
    pool = deployment.pool.model_copy(update={"schedule": schedule})
    return deployment.model_copy(update={"pool": pool})
