"""How points are shared out: parts that depend on nothing but the points.

A part is what is finished at once, kept in one file, and lost at most if a sweep is killed.
The same sweep has the same parts on any machine with any number of workers, so that it can
go on elsewhere and still give the same bytes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from costsim.study.sweep.check import Possible
    from costsim.study.sweep.design import Point

_LONGEST_S = 1.0
"""About how much work is in a part at most, unless one point has more. [s]"""
_SHORTEST_S = 0.02
"""Less would be more trouble to hand out than to do. [s]"""
_FEWEST = 64
"""Parts that there should be, so that all workers end at about the same time."""
_MOST_POINTS = 1000
"""Of a part."""


@dataclass(frozen=True)
class Part:
    """Some points, one after the other."""

    number: int
    points: tuple[Point, ...]


def share_out(possible: Sequence[Possible]) -> list[Part]:
    """Return the points in parts of about the same work.

    Parameters
    ----------
    possible : sequence of Possible
        What there is to do.
    """
    total_s = math.fsum(one.work_s for one in possible)
    target_s = min(_LONGEST_S, max(_SHORTEST_S, total_s / _FEWEST))
    parts: list[Part] = []
    points: list[Point] = []
    work_s = 0.0
    for one in possible:
        if points and (work_s + one.work_s > target_s or len(points) == _MOST_POINTS):
            parts.append(Part(len(parts), tuple(points)))
            points, work_s = [], 0.0
        points.append(one.point)
        work_s += one.work_s
    return [*parts, Part(len(parts), tuple(points))] if points else parts
