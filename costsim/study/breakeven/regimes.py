"""Who is the cheapest where: from the low end to the high end of an axis.

The cheapest stays so until another one is cheaper for certain, or it ceases for certain
to meet the SLO or to keep up; so noise changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from costsim.study.breakeven.crossings import find_crossings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from costsim.study.breakeven.crossings import Crossing
    from costsim.study.breakeven.curve import Curve, Point

Why = Literal["cost", "slo_begins", "slo_ends", "capacity"]


@dataclass(frozen=True)
class Border:
    """Where one regime ends and the next begins."""

    low: float
    """The last value that is certainly of the regime before."""
    value: float
    """The likeliest place."""
    high: float
    """The first that is certainly of the next."""
    why: Why
    """The next becomes cheaper, or begins to meet the SLO; or the one before ceases to
    meet it, or to keep up."""


@dataclass(frozen=True)
class Regime:
    """A stretch in which one deployment is the cheapest that serves."""

    deployment: str | None
    """None: none meets the SLO and keeps up."""
    low: float
    """The low end of the axis, or the likeliest place of the border."""
    high: float
    until: Border | None
    """How it ends; None: it lasts to the high end."""
    is_tied: bool
    """Whether nowhere in it all others cost more for certain."""


def find_regimes(curve: Curve) -> list[Regime]:
    """Return the regimes, in the order of their values."""
    points, names = curve.points, curve.names
    reign: list[tuple[int, str | None]] = []
    holder: str | None = None
    for index, point in enumerate(points):
        best = _next(point, names, holder) if reign else _first(point, names)
        if not reign or best != holder:
            reign.append((index, best))
        holder = best
    crossings = find_crossings(curve)
    borders = [
        _border(curve, crossings, before[1], (after[0], after[1]))
        for before, after in pairwise(reign)
    ]
    ends = [points[0].value, *(one.value for one in borders), points[-1].value]
    starts = [index for index, _ in reign] + [len(points)]
    return [
        Regime(
            name,
            ends[i],
            ends[i + 1],
            borders[i] if i < len(borders) else None,
            is_tied=_is_tied(points[starts[i] : starts[i + 1]], names, name),
        )
        for i, (_, name) in enumerate(reign)
    ]


def _first(point: Point, names: Sequence[str]) -> str | None:
    """Return the cheapest at the low end, where an SLO may be met but not for certain."""
    likely = [
        name
        for name in names
        if point.readings[name].keeps_up and point.readings[name].is_likely
    ]
    return min(likely, key=point.cost_usd) if likely else None


def _next(point: Point, names: Sequence[str], holder: str | None) -> str | None:
    """Return the cheapest at a point: the one before, unless it is certainly not."""
    able = [name for name in names if point.readings[name].keeps_up]
    sure = [name for name in able if point.readings[name].slo_sign > 0]
    stays = holder in able and point.readings[str(holder)].slo_sign >= 0
    if stays and holder is not None:
        cheaper = [name for name in sure if (point.sign(name, holder) or 0) < 0]
        return min(cheaper, key=point.cost_usd) if cheaper else holder
    return min(sure, key=point.cost_usd) if sure else None


def _border(
    curve: Curve,
    crossings: Sequence[Crossing],
    before: str | None,
    after: tuple[int, str | None],
) -> Border:
    index, name = after
    points = curve.points
    for one in crossings:
        if (one.below, one.above) == (before, name) and one.high == points[index].value:
            return Border(one.low, one.value, one.high, "cost")
    why = _why(points, index, before, name)

    def is_open(point: Point) -> bool:
        """Return whether the border may lie below the point."""
        if why == "cost":
            return point.sign(str(before), str(name)) == 0
        asked = name if why == "slo_begins" else before
        return point.readings[str(asked)].slo_sign == 0

    low = index - 1
    while low > 0 and is_open(points[low]):
        low -= 1
    ends = points[low].value, points[index].value
    return Border(ends[0], curve.axis.meet(*ends, 0.5), ends[1], why)


def _why(
    points: Sequence[Point], index: int, before: str | None, after: str | None
) -> Why:
    """Return what ends a regime at a point."""
    if before is not None:
        then = points[index].readings[before]
        if not then.keeps_up:
            return "capacity"
        if then.slo_sign < 0 or after is None:
            return "slo_ends"
        earlier = points[index - 1].readings[str(after)]
        if earlier.keeps_up and earlier.slo_sign > 0:
            return "cost"
    return "slo_begins"


def _is_tied(points: Sequence[Point], names: Sequence[str], name: str | None) -> bool:
    """Return whether at every point some other that serves may cost as little."""
    if name is None:
        return False
    return all(
        any(
            other != name
            and point.readings[other].slo_sign >= 0
            and point.sign(name, other) == 0
            for other in names
        )
        for point in points
    )
