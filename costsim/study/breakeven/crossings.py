"""Where costs cross, SLOs end and pools are full.

Each question is a track: at each point -1 or 1 where the answer is certain, 0 where it is
not. A change is a stretch between two certain answers that differ: of two costs, the
values for which the interval of the paired difference contains zero. What happens and is
undone between two points of the grid is not seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from costsim.study.breakeven.axis import Axis
    from costsim.study.breakeven.curve import Curve, Point

Track = list[tuple[float, int | None]]
"""Values and signs; None: not comparable."""


@dataclass(frozen=True)
class Stretch:
    """The values between two certain answers that differ."""

    low: float
    """The last value with the first answer."""
    high: float
    """The first with the other."""
    sign: int
    """The other answer: -1 or 1."""


@dataclass(frozen=True)
class Crossing:
    """Where one deployment becomes cheaper than another."""

    below: str
    """The cheaper one below it."""
    above: str
    """The cheaper one above it."""
    low: float
    """Last value at which the first is cheaper for certain."""
    value: float
    """Where the mean costs are equal."""
    high: float
    """First value at which the second is cheaper for certain."""
    is_decisive: bool
    """Whether one of the two is the cheapest there: of all, or of those that meet the SLO."""


@dataclass(frozen=True)
class Edge:
    """Where a deployment begins or ceases to do something."""

    deployment: str
    what: str
    """``slo``: meets the SLO; ``capacity``: keeps up with the traffic."""
    begins: bool
    """Whether it does so above, not below."""
    low: float
    high: float
    """Between these it is not certain."""


def stretches(track: Track) -> list[Stretch]:
    """Return where a track changes from one certain answer to the other."""
    found = []
    last: tuple[float, int] | None = None
    for value, sign in track:
        if sign is None:
            last = None
        elif sign:
            if last is not None and last[1] != sign:
                found.append(Stretch(last[0], value, sign))
            last = (value, sign)
    return found


def gaps(track: Track, stretch: Stretch) -> list[tuple[float, float]]:
    """Return the neighbouring points of a stretch between which the answer changes."""
    inner = [one for one in track if stretch.low <= one[0] <= stretch.high]
    return [(a[0], b[0]) for a, b in pairwise(inner) if a[1] != b[1]]


def cost_track(points: Sequence[Point], first: str, second: str) -> Track:
    """Return at each point which of two deployments is cheaper."""
    return [(point.value, point.sign(first, second)) for point in points]


def slo_track(points: Sequence[Point], name: str) -> Track:
    """Return at each point whether a deployment meets the SLO."""
    return [(point.value, point.readings[name].slo_sign) for point in points]


def capacity_track(points: Sequence[Point], name: str) -> Track:
    """Return at each point whether a deployment keeps up."""
    return [(one.value, 1 if one.readings[name].keeps_up else -1) for one in points]


def find_crossings(curve: Curve) -> list[Crossing]:
    """Return every crossing of every two deployments, in the order of their values."""
    points = curve.points
    found = []
    for first, second in combinations(curve.names, 2):
        for one in stretches(cost_track(points, first, second)):
            below, above = (first, second) if one.sign > 0 else (second, first)
            decisive = any(
                {first, second} & cheapest_of(point, curve.names)
                for point in points
                if point.value in (one.low, one.high)
            )
            value = _where_equal(curve.axis, points, (first, second), one)
            found.append(Crossing(below, above, one.low, value, one.high, decisive))
    return sorted(found, key=lambda one: one.value)


def find_edges(curve: Curve) -> list[Edge]:
    """Return where deployments begin or cease to meet the SLO, and to keep up."""
    points = curve.points
    return [
        Edge(name, what, one.sign > 0, one.low, one.high)
        for name in curve.names
        for what, track in (
            ("slo", slo_track(points, name)),
            ("capacity", capacity_track(points, name)),
        )
        for one in stretches(track)
    ]


def cheapest_of(point: Point, names: Sequence[str]) -> set[str]:
    """Return the cheapest that keeps up, and the cheapest that meets the SLO."""
    able = [name for name in names if point.readings[name].keeps_up]
    meeting = [name for name in able if point.readings[name].slo_sign >= 0]
    return {min(some, key=point.cost_usd) for some in (able, meeting) if some}


def _where_equal(
    axis: Axis, points: Sequence[Point], pair: tuple[str, str], stretch: Stretch
) -> float:
    """Return where the mean difference is zero, by a line between two points."""
    inner = [
        (point.value, found.absolute.value)
        for point in points
        if stretch.low <= point.value <= stretch.high
        and (found := point.difference(*pair)) is not None
    ]
    at = stretch.high
    for (low, before), (high, after) in pairwise(inner):
        if before * stretch.sign < 0 <= after * stretch.sign:
            at = axis.meet(low, high, before / (before - after))
    return at
