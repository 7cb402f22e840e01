"""How much the answer would change with less or more traffic.

The answer is tried on it beside the finalists: the best of the other deployments, and
settings of its own deployment that cost a few per cent less or more.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from costsim.scenario.deployment import Resolution
from costsim.scenario.scaled import scaled_traffic
from costsim.study.tune.choices import choice
from costsim.study.tune.goal import Standing, Trial
from costsim.study.tune.lab import Lab
from costsim.study.tune.result import Shift

if TYPE_CHECKING:
    from collections.abc import Sequence

    from costsim.catalog.platform import Catalog
    from costsim.study.tune.goal import Goal
    from costsim.study.tune.search import Search
    from costsim.study.tune.space import Point

FACTORS = (0.8, 1.2)
"""Times the requests. [1]"""
_CHEAPER, _DEARER = (0.97, 0.9), (1.03, 1.1, 1.25)
"""Where finalists are looked for, in what is made least of the answer. [1]"""
_OTHERS = 2
"""Other deployments that are tried."""
_REPLICATIONS = 12


def shifts(
    lab: Lab,
    catalog: Catalog,
    goal: Goal,
    searches: Sequence[Search],
    best: Point,
) -> tuple[Shift, ...]:
    """Return what the answer would be with 20 % less and 20 % more traffic.

    Parameters
    ----------
    lab : Lab
        Where the searches were; what is tried here is counted there.
    catalog : Catalog
        Platforms and prices.
    goal : Goal
        What must hold.
    searches : sequence of Search
        All of them, that with the answer first, then the others by what they found.
    best : Point
        The answer, of the first.
    """
    found = []
    finalists = [(searches[0], best), *_finalists(searches, best)]
    for factor in FACTORS:
        scaled = scaled_traffic(lab.scenario, factor)
        elsewhere = Lab(
            scaled,
            catalog,
            Resolution(lab.study.deployments),
            workers=lab.workers,
            on_progress=lab.on_progress,
            trace=lab.study.trace,
            before=lab.simulations,
        )
        few = goal.with_replications(min(_REPLICATIONS, goal.most))
        trials = [Trial() for _ in finalists]
        wanted = [
            (resolved, trial, few.most)
            for (search, point), trial in zip(finalists, trials, strict=True)
            if (resolved := search.resolved(point)) is not None
        ]
        elsewhere.measure(wanted, few)
        lab.simulations = elsewhere.simulations
        found.append(_shift(factor, finalists, trials, few))
    return tuple(found)


def _finalists(searches: Sequence[Search], best: Point) -> list[tuple[Search, Point]]:
    board = searches[0].board()
    bar = board.levels[best]
    places: dict[Point, None] = {}
    for share in _CHEAPER:
        below = (one for one in board.ranking[::-1] if board.levels[one] <= share * bar)
        places.update(dict.fromkeys(islice(below, 1)))
    for share in _DEARER:
        above = (
            one
            for one in board.ranking
            if board.levels[one] >= share * bar
            and board.standings[one] is not Standing.MISSES
        )
        places.update(dict.fromkeys(islice(above, 1)))
    others = [
        (other, point)
        for other in searches[1:]
        if (point := other.board().best) is not None and point in other.fresh
    ]
    return [*((searches[0], one) for one in places), *others[:_OTHERS]]


def _shift(
    factor: float,
    finalists: Sequence[tuple[Search, Point]],
    trials: Sequence[Trial],
    goal: Goal,
) -> Shift:
    choices = [
        choice(
            search.family,
            point,
            trial,
            goal,
            meets=goal.standing(trial) is Standing.MEETS,
        )
        for (search, point), trial in zip(finalists, trials, strict=True)
    ]
    meeting = [one for one in choices if one.meets_slo]
    best = min(meeting, key=lambda one: one.measures[goal.measure], default=None)
    return Shift(factor, choices[0], best)
