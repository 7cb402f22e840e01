"""A finer grid where something changes: the borders of regimes first."""

from __future__ import annotations

from itertools import combinations, pairwise, product
from typing import TYPE_CHECKING

from costsim.study.breakeven.crossings import (
    capacity_track,
    cheapest_of,
    cost_track,
    find_crossings,
    gaps,
    slo_track,
    stretches,
)
from costsim.study.breakeven.regimes import find_regimes

if TYPE_CHECKING:
    from costsim.study.breakeven.axis import Axis
    from costsim.study.breakeven.crossings import Stretch, Track
    from costsim.study.breakeven.curve import Curve

_FINE_ENOUGH = 0.125
"""The ends of a stretch need be known no better than to this share of its width. [1]"""
_UNSEEN = 5.0
"""Costs that cross and cross back within so many times the closest points are not looked
for: 10 %. [1]"""


def refine(curve: Curve, within_s: float) -> bool:
    """Simulate points where something changes, until the changes are known well.

    Parameters
    ----------
    curve : Curve
        With a grid of points.
    within_s : float
        Work for it, as on one core. [s]

    Returns
    -------
    bool
        Whether it was enough.
    """
    limit_s = curve.work_s + within_s
    while wanted := _wanted(curve):
        for value in wanted:
            if curve.work_s >= limit_s:
                return False
            curve.evaluate([value])
    return True


def _wanted(curve: Curve) -> list[float]:
    """Return the most important values that are missing.

    First those that tell where regimes end, then where costs cross that decide something,
    then where deployments begin or cease to serve, then where costs could cross unseen.
    """
    points, names = curve.points, curve.names
    decisive = {
        frozenset((one.below, one.above))
        for one in find_crossings(curve)
        if one.is_decisive
    }
    pairs = [pair for pair in combinations(names, 2) if frozenset(pair) in decisive]
    costs = _middles(curve, [cost_track(points, *pair) for pair in pairs])
    others = _middles(
        curve,
        [
            track(points, name)
            for track in (slo_track, capacity_track)
            for name in names
        ],
    )
    borders = [one.until for one in find_regimes(curve) if one.until is not None]
    first = [
        value
        for value in (*costs, *others)
        if any(one.low < value < one.high for one in borders)
    ]
    wanted = first or costs or others or _unseen(curve)
    return list(dict.fromkeys(wanted))


def _unseen(curve: Curve) -> list[float]:
    """Return values between points where costs could cross and cross back.

    If neither cost falls, that needs the cheaper one's highest to be above the other's
    lowest. It is asked of the cheapest and all others.
    """
    found = []
    for p, q in pairwise(curve.points):
        middle = curve.axis.between(p.value, q.value, _UNSEEN)
        if middle is None:
            continue
        leaders = cheapest_of(p, curve.names) & cheapest_of(q, curve.names)
        for leader, other in product(sorted(leaders), curve.names):
            if p.sign(leader, other) == q.sign(leader, other) == -1 and max(
                p.cost_usd(leader), q.cost_usd(leader)
            ) > min(p.cost_usd(other), q.cost_usd(other)):
                found.append(middle)
                break
    return found


def _middles(curve: Curve, tracks: list[Track]) -> list[float]:
    """Return the middle of each gap between points where an answer changes."""
    found = (
        _middle(curve.axis, gap, stretch)
        for track in tracks
        for stretch in stretches(track)
        for gap in gaps(track, stretch)
    )
    return [one for one in found if one is not None]


def _middle(axis: Axis, gap: tuple[float, float], stretch: Stretch) -> float | None:
    whole = axis.distance(stretch.low, stretch.high)
    if axis.distance(*gap) <= _FINE_ENOUGH * whole:
        return None
    return axis.between(*gap)
