"""What was tried, at a glance: cost against p95, and cost over two settings."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from costsim.study.tune.choices import choice
from costsim.study.tune.goal import Standing
from costsim.study.tune.result import Cell, HeatMap
from costsim.study.tune.space import BOX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from costsim.study.tune.result import Choice
    from costsim.study.tune.search import Search
    from costsim.study.tune.space import Axis, Point

_COST, _P95 = "cost_usd_per_month", "p95_s"
_MOST_ROWS = 10
_WORTH = 0.01
"""A p95 that is lower by less than this share is no reason to pay more. [1]"""


def front(searches: Sequence[Search], best: Point | None) -> tuple[Choice, ...]:
    """Return the settings than which none is cheaper and has a lower p95, and the answer.

    Parameters
    ----------
    searches : sequence of Search
        That with the answer first.
    best : Point or None
        The answer. It need not be one of them: p95 may not be what the SLO bounds.
    """
    tried: list[tuple[float, float, Search, Point]] = []
    for search in searches:
        known = best if search is searches[0] else None
        means = {one: _means(search, one, known) for one in (_COST, _P95)}
        tried += [
            (means[_COST][point], means[_P95][point], search, point)
            for point in search.trials
        ]
    tried.sort(key=lambda one: one[:2])
    kept: list[tuple[float, float, Search, Point]] = []
    least_s = math.inf
    for one in tried:
        is_better = one[1] < least_s * (1 - _WORTH)
        if is_better or (one[2] is searches[0] and one[3] == best):
            kept.append(one)
        least_s = one[1] if is_better else least_s
    return tuple(_choice(*one) for one in _thinned(kept, searches[0], best))


def heat_map(search: Search, best: Point | None) -> HeatMap | None:
    """Return the cost of a family over its two main settings; None if it has none."""
    axes = search.family.axes
    names = [axis.name for axis in axes]
    order = sorted(range(len(axes)), key=lambda i: (names[i] not in BOX, i))
    if not order:
        return None
    across, down = order[0], (order[1] if len(order) > 1 else None)
    costs = _means(search, _COST, best)
    standings = search.board().standings
    cells: dict[tuple[float, float], Cell] = {}
    for point in sorted(search.trials, key=costs.__getitem__):
        place = (0.0 if down is None else point.values[down], point.values[across])
        cell = Cell(
            costs[point], standings[point] is Standing.MEETS, is_best=point == best
        )
        before = cells.get(place)
        if before is None or _stands_for(cell, before):
            cells[place] = cell
    columns = sorted({column for _, column in cells})
    rows = sorted({row for row, _ in cells})
    return HeatMap(
        row="" if down is None else axes[down].knob.word,
        rows=_texts(None if down is None else axes[down], rows),
        column=axes[across].knob.word,
        columns=_texts(axes[across], columns),
        cells=tuple(
            tuple(cells.get((row, column)) for column in columns) for row in rows
        ),
    )


def _stands_for(cell: Cell, before: Cell) -> bool:
    """Return whether a dearer cell is shown in the place of another."""
    return cell.is_best or (cell.meets_slo and not before.meets_slo)


def _texts(axis: Axis | None, values: Sequence[float]) -> tuple[str, ...]:
    return tuple("" if axis is None else axis.knob.text(one) for one in values)


def _means(search: Search, measure: str, best: Point | None) -> dict[Point, float]:
    """Return a measure of all points, as near to what fresh traffic shows as can be."""
    means = search.board().means(measure)
    fresh = {point: trial.mean(measure) for point, trial in search.fresh.items()}
    both = [one for one in (best, *reversed(fresh)) if one in fresh and one in means]
    if not both:
        return means
    # How fresh traffic differs from the search's, by a point that met both.
    reference = both[0]
    shift = fresh[reference] - means[reference]
    return {point: fresh.get(point, mean + shift) for point, mean in means.items()}


def _thinned(
    kept: list[tuple[float, float, Search, Point]], home: Search, best: Point | None
) -> list[tuple[float, float, Search, Point]]:
    """Return at most so many, those left out that are next to others, never the answer."""
    while len(kept) > _MOST_ROWS:
        inner = [
            i
            for i in range(1, len(kept) - 1)
            if not (kept[i][2] is home and kept[i][3] == best)
        ]
        nearest = min(inner, key=lambda i: kept[i + 1][0] / max(kept[i - 1][0], 1e-9))
        del kept[nearest]
    return kept


def _choice(cost: float, p95_s: float, search: Search, point: Point) -> Choice:
    trial = search.fresh.get(point, search.trials[point])
    return choice(
        search.family,
        point,
        trial,
        search.goal,
        meets=search.board().standings[point] is Standing.MEETS,
        means={_COST: cost, _P95: p95_s},
    )
