"""Where better settings may lie: the next points to try.

Between a point that misses the SLO and is cheaper than the best, and one that does not miss
it, there may be one that is better than both. Around the best itself, where the SLO is not
what bounds it, a parabola through three points tells whether there is something to gain.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from costsim.study.tune.goal import Standing
from costsim.study.tune.space import BOX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from costsim.study.tune.board import Board
    from costsim.study.tune.space import Axis, Family, Point

_AT_ONCE = 4
"""Points that are new at once."""
_WORTH = 0.005
"""A saving below this share is not looked for. [1]"""


@dataclass(frozen=True)
class _Idea:
    """A point to try."""

    point: Point
    promise: float
    """What may be hoped for, of what is made least."""


def proposals(
    family: Family, board: Board, is_new: Callable[[Point], bool]
) -> list[Point]:
    """Return a few points to try next, the most promising first; none: nothing is worth it.

    Parameters
    ----------
    family : Family
        What can be set.
    board : Board
        What is known.
    is_new : callable
        Whether a point can be tried and was not.
    """
    best = board.best
    if best is None:
        start = board.nearest
        steps = (
            []
            if start is None
            else [*_aside(family, start), *_steps(family, board, start)]
        )
        return _chosen([_Idea(point, 0.0) for point in steps], is_new)
    bar = board.levels[best]
    ideas = [*_at_the_bound(family, board), *_around(family, board, best)]
    worth = [one for one in ideas if one.promise < bar - _WORTH * abs(bar)]
    return _chosen(worth, is_new) or _chosen(
        [_Idea(point, 0.0) for point in _aside(family, best)], is_new
    )


def _chosen(ideas: list[_Idea], is_new: Callable[[Point], bool]) -> list[Point]:
    found: list[Point] = []
    for idea in sorted(ideas, key=lambda one: one.promise):
        if idea.point not in found and is_new(idea.point):
            found.append(idea.point)
        if len(found) == _AT_ONCE:
            break
    return found


def _lines(board: Board, index: int) -> list[list[Point]]:
    """Return the points tried that differ on one axis only, ascending, line by line."""
    lines = defaultdict(list)
    for point in board.ranking:
        lines[point.moved(index, 0.0)].append(point)
    return [sorted(line, key=lambda one: one.values[index]) for line in lines.values()]


def _between(axis: Axis, low: float, high: float) -> tuple[float, ...]:
    """Return the values of an axis strictly between two others."""
    return axis.fine[bisect_right(axis.fine, low) : bisect_left(axis.fine, high)]


def _at_the_bound(family: Family, board: Board) -> Iterator[_Idea]:
    """Yield the middles between a point that misses the SLO and one that does not."""
    for index, axis in enumerate(family.axes):
        for line in _lines(board, index):
            for pair in pairwise(line):
                missing = [
                    one for one in pair if board.standings[one] is Standing.MISSES
                ]
                if len(missing) == 1:
                    (cheap,) = missing
                    other = pair[0] if cheap == pair[1] else pair[1]
                    yield from _middle(board, index, axis, cheap, other)


def _middle(
    board: Board, index: int, axis: Axis, cheap: Point, other: Point
) -> Iterator[_Idea]:
    begin, end = cheap.values[index], other.values[index]
    values = _between(axis, *sorted((begin, end)))
    gain = board.levels[other] - board.levels[cheap]
    if values and gain > 0:
        # The least that anything between may cost: of the value next to the one that misses.
        nearest = min(values, key=lambda value: abs(value - begin))
        share = (nearest - begin) / (end - begin)
        promise = board.levels[cheap] + gain * share
        yield _Idea(other.moved(index, values[len(values) // 2]), promise)


def _around(family: Family, board: Board, best: Point) -> Iterator[_Idea]:
    """Yield the middles beside the best, on the side where a parabola has its bottom."""
    for index, axis in enumerate(family.axes):
        line = next(line for line in _lines(board, index) if best in line)
        place = line.index(best)
        sides = [line[place - 1] if place else None, *line[place + 1 : place + 2]]
        below = sides[0]
        above = sides[1] if len(sides) > 1 else None
        hope = _bottom(board, index, below, best, above)
        for side in (below, above):
            values = (
                ()
                if side is None
                else _between(axis, *sorted((side.values[index], best.values[index])))
            )
            if values and hope is not None:
                yield _Idea(best.moved(index, values[len(values) // 2]), hope)


def _bottom(
    board: Board, index: int, below: Point | None, best: Point, above: Point | None
) -> float | None:
    """Return the bottom of the parabola through the best and its neighbors.

    At an end of the axis, where there is one neighbor, a little better than the best; None
    if a neighbor is cheaper, so that the SLO is what bounds the best.
    """
    level = board.levels[best]
    others = [one for one in (below, above) if one is not None]
    if any(board.levels[one] < level for one in others):
        return None
    if below is None or above is None:
        return level - 2 * _WORTH * abs(level)
    x = [math.log1p(one.values[index]) for one in (below, best, above)]
    y = [board.levels[one] for one in (below, best, above)]
    if not all(map(math.isfinite, x)):
        return level - 2 * _WORTH * abs(level)
    left, right = (y[1] - y[0]) / (x[1] - x[0]), (y[2] - y[1]) / (x[2] - x[1])
    bend = (right - left) / (x[2] - x[0])
    if bend <= 0:
        return level
    slope = left + bend * (x[1] - x[0])
    return level - slope * slope / (4 * bend)


def _steps(family: Family, board: Board, start: Point) -> Iterator[Point]:
    """Yield the middles on both sides of a point, and what lies next to it at an end."""
    for index, axis in enumerate(family.axes):
        line = next(line for line in _lines(board, index) if start in line)
        tried = [one.values[index] for one in line]
        here = start.values[index]
        low = max((one for one in tried if one < here), default=-math.inf)
        high = min((one for one in tried if one > here), default=math.inf)
        for ends in ((here, high), (low, here)):
            values = _between(axis, *ends)
            if values:
                yield start.moved(index, values[len(values) // 2])


def _aside(family: Family, best: Point) -> Iterable[Point]:
    """Yield the next values of the other knobs, and schedules a little different."""
    for index, axis in enumerate(family.axes):
        if axis.name not in BOX:
            here = best.values[index]
            for values in (
                _between(axis, -math.inf, here)[-1:],
                _between(axis, here, math.inf)[:1],
            ):
                for value in values:
                    yield best.moved(index, value)
    if best.warmth is not None:
        for warmth in best.warmth.neighbors(family.most_replicas):
            yield replace(best, warmth=warmth)
