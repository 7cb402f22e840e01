"""A point of a search as a choice for people and scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from costsim.study.tune.goal import Standing
from costsim.study.tune.result import COLUMNS, Choice
from costsim.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from costsim.scenario.schedule import ScheduleEntry
    from costsim.study.tune.goal import Goal, Trial
    from costsim.study.tune.search import Search
    from costsim.study.tune.space import Family, Point


def chosen(search: Search, point: Point) -> Choice:
    """Return a point as fresh traffic shows it, or the search if that is all there is."""
    before = search.board().standings.get(point)
    fresh = search.fresh.get(point)
    if fresh is None:
        meets, trial = before is Standing.MEETS, search.trials[point]
    else:
        meets = before is not Standing.MISSES
        meets = meets and search.goal.standing(fresh) is Standing.MEETS
        trial = fresh
    return choice(search.family, point, trial, search.goal, meets=meets)


def choice(
    family: Family,
    point: Point,
    trial: Trial,
    goal: Goal,
    *,
    meets: bool,
    means: Mapping[str, float] | None = None,
) -> Choice:
    """Return a point and what it did.

    Parameters
    ----------
    family : Family
        Where the point is.
    point : Point
        What is set.
    trial : Trial
        What it did.
    goal : Goal
        Whose bounds are counted.
    meets : bool
        Whether it meets the SLO.
    means : mapping of str to float, optional
        Better means of some measures than the trial's.
    """
    met = goal.meets(trial)
    return Choice(
        deployment=family.label,
        settings=family.settings(point),
        schedule=tuple(map(_said, point.schedule)),
        meets_slo=meets,
        met_fraction=sum(met) / len(met),
        replications=trial.n,
        measures={**{one: trial.mean(one) for one in COLUMNS}, **(means or {})},
        asked=family.deployment(point),
    )


def _said(entry: ScheduleEntry) -> str:
    """Return an entry of a schedule for people: ``1 warm Mon-Fri 08:00-18:00``."""
    bounds = {"": entry.min_replicas, "at most ": entry.max_replicas}
    told = " and ".join(f"{word}{n}" for word, n in bounds.items() if n is not None)
    length = "" if entry.for_ is None else f" for {format_duration(entry.for_)}"
    early = f" ({format_duration(entry.prewarm)} ahead)" if entry.prewarm else ""
    return f"{told} warm {entry.when}{length}{early}"
