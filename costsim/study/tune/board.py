"""Who leads: what is known of the points of a family at one moment."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from costsim.study.tune.goal import Standing, compared

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from costsim.study.tune.goal import Goal, Trial
    from costsim.study.tune.space import Point

_ALIKE_IN = 2
"""Replications in which points that did exactly the same count as alike."""


class Board:
    """The points tried so far, judged by all their samples.

    Parameters
    ----------
    trials : mapping of Point to Trial
        Each with two replications at least.
    goal : Goal
        What must hold.
    preference : callable
        Orders points that are equally good: the smallest first.
    refused : collection of Point
        Those that missed the SLO on fresh traffic.
    """

    def __init__(
        self,
        trials: Mapping[Point, Trial],
        goal: Goal,
        preference: Callable[[Point], float],
        refused: Collection[Point] = (),
    ) -> None:
        self._trials = trials
        self._goal = goal
        self._preference = preference
        self.standings = {
            point: Standing.MISSES if point in refused else goal.standing(one)
            for point, one in trials.items()
        }
        """Whether each meets the SLO, as far as is known."""

    @cached_property
    def levels(self) -> dict[Point, float]:
        """What is made least, of each point."""
        return self.means(self._goal.measure)

    def means(self, measure: str) -> dict[Point, float]:
        """Return a measure of each point as it would be in all replications.

        A mean of few replications is set right by how these differ from all of them for
        the point that has most: a control variate with coefficient one.
        """
        most = max(self._trials.values(), key=lambda one: one.n)
        whole = most.mean(measure)
        return {
            point: one.mean(measure) + whole - most.mean(measure, one.n)
            for point, one in self._trials.items()
        }

    @cached_property
    def ranking(self) -> list[Point]:
        """All points, the best first, whether they meet the SLO or not."""
        return sorted(
            self._trials, key=lambda one: (self.levels[one], self._preference(one))
        )

    @cached_property
    def best(self) -> Point | None:
        """The best that meets the SLO; None if none does."""
        meets = (one for one in self.ranking if self.standings[one] is Standing.MEETS)
        return next(meets, None)

    @cached_property
    def racing(self) -> list[Point]:
        """The points that could be the answer, the best first; of those alike, one."""
        seen = set()
        found = []
        for point in self.ranking:
            if self.standings[point] is Standing.MISSES or self._is_dearer(point):
                continue
            mark = self._trials[point].fingerprint(_ALIKE_IN)
            if mark not in seen:
                seen.add(mark)
                found.append(point)
        return found

    def ties(self) -> list[Point]:
        """Return the points that meet the SLO and are not told from the best."""
        best = self.best
        return [
            point
            for point in self.racing
            if best is not None
            and point != best
            and self.standings[point] is Standing.MEETS
            and self._trials[point].n >= self._trials[best].n
        ]

    def alike(self, point: Point) -> list[Point]:
        """Return the points that did exactly the same as far as both were tried."""
        own = self._trials[point]
        return [
            other
            for other, trial in self._trials.items()
            if other != point
            and trial.fingerprint(min(own.n, trial.n))
            == own.fingerprint(min(own.n, trial.n))
        ]

    @property
    def nearest(self) -> Point | None:
        """The point that misses the SLO least; None if there is no point."""
        excess = self._goal.excess
        return min(
            self._trials, key=lambda one: excess(self._trials[one]), default=None
        )

    def _is_dearer(self, point: Point) -> bool:
        """Return whether a point is clearly worse than the best."""
        if self.best is None or point == self.best:
            return False
        ours, theirs = self._trials[self.best], self._trials[point]
        return compared(ours, theirs, self._goal.measure).absolute.low > 0
