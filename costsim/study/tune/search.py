"""The search of one family: many settings a little, the few that are good a lot.

Every setting begins with two replications. What could still be the answer, the cheapest
first, gets twice as many each time; what is clearly beaten stops (successive halving, as
in Jamieson and Talwalkar, AISTATS 2016, with paired differences in the place of ranks).
Beaten is what clearly misses the SLO, or is clearly dearer, on the traffic that both met,
than something that meets it. New settings are tried where the answer may lie: between one
that misses the SLO and is cheaper than the best so far, and one that does not miss it.

What is beaten follows from all samples each time anew, so that a setting comes back if the
one that beat it fails later.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from costsim.errors import InputError
from costsim.study.tune.board import Board
from costsim.study.tune.goal import Standing, Trial
from costsim.study.tune.proposals import proposals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from costsim.scenario.deployment import ResolvedDeployment
    from costsim.study.tune.goal import Goal
    from costsim.study.tune.lab import Lab
    from costsim.study.tune.space import Family, Point

FIRST = 2
"""Replications that every setting gets."""
_EXPLORE = 8
"""Replications after which one knows where to look for better settings."""
_AT_ONCE = 6
"""Settings that go on at once."""
_TIED = 3
"""Settings besides the best that are tried to the end to say that they tie."""
_REFUSALS = 40
"""Points that fresh traffic may refuse before the search gives up."""
_HOPELESS = 3
"""Rounds in which something that meets the SLO is looked for where nothing does."""


class Search:
    """Finds the best point of a family.

    Parameters
    ----------
    lab : Lab
        Where points are tried.
    family : Family
        What can be set.
    goal : Goal
        What must hold.
    """

    def __init__(self, lab: Lab, family: Family, goal: Goal) -> None:
        self.family = family
        self.goal = goal
        self.trials: dict[Point, Trial] = {}
        """What was tried."""
        self.fresh: dict[Point, Trial] = {}
        """What was tried again, on traffic that the search has not seen."""
        self.refused: set[Point] = set()
        """What met the SLO in the search and missed it on fresh traffic."""
        self.simulations = 0
        """Points times replications so far."""
        self._lab = lab
        self._resolved: dict[Point, ResolvedDeployment | None] = {}
        self._hopeless = 0

    def run(self, points: Sequence[Point]) -> None:
        """Find the best point, beginning with these."""
        self.reach(points, FIRST)
        self.go_on()

    def go_on(self) -> None:
        """Go on until there is nothing more that is worth a try."""
        while self.trials:
            while self._step():
                pass
            schedules = self._schedules()
            if not schedules:
                return
            self.reach(schedules, FIRST)

    def confirm(self) -> Point | None:
        """Return the best point that meets the SLO on fresh traffic too; None: there is none.

        What was chosen for its luck is found out so. The points that tie with it are
        tried there as well.
        """
        while len(self.refused) < _REFUSALS:
            board = self.board()
            if board.best is None:
                break
            wanted = [board.best, *board.ties()[:_TIED]]
            self.try_afresh(wanted)
            missed = {
                point
                for point in wanted
                if self.goal.surer.standing(self.fresh[point]) is not Standing.MEETS
            }
            self.refused |= missed
            if board.best not in missed:
                return board.best
            self.go_on()
        return None

    def nearest(self) -> Point | None:
        """Return the point that misses the SLO least, in all replications; None if none."""
        while True:
            nearest = self.board().nearest
            if nearest is None or self.trials[nearest].n >= self.goal.most:
                return nearest
            self.reach([nearest], self.goal.most)

    def reach(self, points: Sequence[Point], n: int) -> None:
        """Have these points reach so many replications, as far as they are possible."""
        self._reach(self.trials, points, n, first=0)

    def try_afresh(self, points: Sequence[Point]) -> None:
        """Try these points on the replications after those of the search."""
        self._reach(self.fresh, points, self.goal.most, first=self.goal.most)

    def _reach(
        self, trials: dict[Point, Trial], points: Sequence[Point], n: int, first: int
    ) -> None:
        wanted = []
        for point in dict.fromkeys(points):
            resolved = self.resolved(point)
            if resolved is not None:
                trial = trials.setdefault(point, Trial(first))
                if trial.n < n:
                    wanted.append((resolved, trial, n))
        if wanted:
            before = self._lab.simulations
            self._lab.measure(wanted, self.goal)
            self.simulations += self._lab.simulations - before

    def resolved(self, point: Point) -> ResolvedDeployment | None:
        """Return the deployment of a point, resolved; None if it is not possible."""
        if point not in self._resolved:
            try:
                deployment = self.family.deployment(point)
            except InputError:
                self._resolved[point] = None
            else:
                self._resolved[point] = self._lab.resolved(deployment)
        return self._resolved[point]

    def board(self) -> Board:
        """Return what is known now."""
        return Board(self.trials, self.goal, self._distance, self.refused)

    def _step(self) -> bool:
        """Go on with what races, or try something new; return whether there was any."""
        board = self.board()
        for most in (min(_EXPLORE, self.goal.most), self.goal.most):
            points = self._unfinished(board, most)
            if points:
                n = {point: self.trials[point].n for point in points}
                # All of a round end with the same replications, for fair pairs.
                self.reach(points, min(most, 2 * max(n.values())))
                return True
            new = self._new(board)
            if new:
                self.reach(new, FIRST)
                return True
        return False

    def _unfinished(self, board: Board, most: int) -> list[Point]:
        """Return the first of those in the race that lack replications."""
        found: list[Point] = []
        past_best = 0
        for point in board.racing:
            past_best += bool(past_best) or point == board.best
            if past_best > 1 + _TIED or len(found) == _AT_ONCE:
                break
            if self.trials[point].n < most:
                found.append(point)
        return found

    def _new(self, board: Board) -> list[Point]:
        """Return what is worth trying besides; what is not possible is left out."""
        if board.best is None:
            self._hopeless += 1
            if self._hopeless > _HOPELESS:
                return []
        return proposals(
            self.family,
            board,
            lambda point: point not in self.trials and self.resolved(point) is not None,
        )

    def _schedules(self) -> list[Point]:
        """Return schedules around the best, or the nearest, that were not tried."""
        board = self.board()
        point = board.best or board.nearest
        return [
            one
            for one in ([] if point is None else self.family.scheduled_around(point))
            if one not in self.trials and self.resolved(one) is not None
        ]

    def _distance(self, point: Point) -> float:
        """Return how far a point is from the deployments of the scenario."""
        return min(
            (_apart(point, own) for own in self.family.yours.values()), default=0.0
        )


def _apart(point: Point, own: Point) -> float:
    steps = [
        abs(math.log1p(value) - math.log1p(other)) if value != other else 0.0
        for value, other in zip(point.values, own.values, strict=True)
    ]
    return math.fsum(steps) + (point.schedule != own.schedule)
