"""The search on made-up measures: what it finds, and that it spends little on losers."""

from __future__ import annotations

import math
import random

import pytest

from costsim.scenario.knobs import find_knobs
from costsim.scenario.schema import Deployment
from costsim.study.tune.goal import Goal, Standing
from costsim.study.tune.ladders import counts
from costsim.study.tune.search import Search
from costsim.study.tune.space import Axis, Family, Point

_BASE = Deployment.model_validate(
    {"name": "own", "pool": {"min_replicas": 0}, "billing": {"price": "1 USD/h"}}
)
_GOAL = Goal({"mean_s": 1.0}, 0.95, most=16)


class FakeLab:
    """Answers from formulas instead of simulations."""

    def __init__(self, cost, mean_s):
        self.simulations = 0
        self._cost, self._mean_s = cost, mean_s

    def resolved(self, deployment):
        return deployment.pool.min_replicas

    def measure(self, wanted, goal):
        for n_replicas, trial, n in wanted:
            for k in range(trial.first + trial.n, trial.first + n):
                self.simulations += 1
                cost = self._cost(n_replicas, k)
                row = dict.fromkeys(("p99_s", "cold_start_fraction"), cost)
                row |= {"cost_usd": cost, "cost_usd_per_month": cost}
                trial.add([row | {"mean_s": self._mean_s(n_replicas, k)}])


def noise(k):
    return 0.1 * math.sin(37.0 * k)


def search(lab, most=40):
    first, fine = counts(0, most)
    knob = find_knobs(_BASE, None)["min_replicas"]
    axis = Axis(knob, 0.0, tuple(first), tuple(fine))
    family = Family("own", _BASE, (axis,), {"own": Point((0.0,))})
    found = Search(lab, family, _GOAL)
    found.run(family.first_points())
    return found


@pytest.mark.parametrize("least", [3, 17, 31, 40])
def test_the_cheapest_count_that_meets_the_bound_is_found(least):
    lab = FakeLab(
        lambda n, k: n + 10 + noise(k),
        lambda n, k: (0.5 if n >= least else 2) + noise(k),
    )

    assert search(lab).board().best == Point((float(least),))


def test_clear_losers_cost_two_replications():
    lab = FakeLab(
        lambda n, k: n + 10 + noise(k), lambda n, k: (0.5 if n >= 5 else 2) + noise(k)
    )
    found = search(lab)

    dearest = found.trials[Point((40.0,))]
    assert dearest.n == 2
    assert found.trials[Point((5.0,))].n == _GOAL.most
    assert found.simulations == lab.simulations < 5 * 41


def test_the_bottom_of_a_valley_is_found_where_the_bound_is_far():
    lab = FakeLab(
        lambda n, k: 50 + (n - 23) ** 2 / 4 + noise(k), lambda n, k: 0.5 + noise(k)
    )

    assert search(lab).board().best == Point((23.0,))


def test_what_was_lucky_in_the_search_is_refused_on_fresh_traffic():
    def mean_s(n, k):
        lucky = n == 4 and k < _GOAL.most
        return (0.5 if n >= 5 or lucky else 2) + noise(k)

    found = search(FakeLab(lambda n, k: n + 10 + noise(k), mean_s))

    assert found.board().best == Point((4.0,))
    assert found.confirm() == Point((5.0,))
    assert found.refused == {Point((4.0,))}


def test_what_is_chosen_is_confirmed_more_surely_than_it_was_found():
    # Four replicas are within the bound at 95 %, not at 97.5 %.
    def mean_s(n, k):
        spread = 0.1 * (-1) ** k
        return 0.5 if n >= 5 else (0.8 if n == 4 else 2) + spread

    found = search(FakeLab(lambda n, k: n + 10 + noise(k), mean_s))

    assert found.goal.standing(found.trials[Point((4.0,))]) is Standing.MEETS
    assert found.confirm() == Point((5.0,))


def test_fresh_traffic_is_none_that_the_search_has_met():
    seen = []
    lab = FakeLab(lambda n, k: seen.append(k) or n + 10.0, lambda n, k: 0.5)
    found = search(lab, most=4)
    assert max(seen) == _GOAL.most - 1

    seen.clear()
    found.confirm()

    assert sorted(set(seen)) == list(range(_GOAL.most, 2 * _GOAL.most))


def test_nothing_that_meets_the_bound_leaves_the_nearest():
    lab = FakeLab(lambda n, k: n + 10.0, lambda n, k: 5 - n / 20 + noise(k))
    found = search(lab)

    assert found.confirm() is None
    assert found.board().nearest == Point((40.0,))


def test_settings_that_differ_by_less_than_the_noise_tie():
    def cost(n, k):
        luck = random.Random(f"{n} {k}").gauss(0, 0.2)
        return 10 + luck + (5 if n > 1 else 0)

    board = search(FakeLab(cost, lambda n, k: 0.5), most=4).board()

    assert {board.best, *board.ties()} == {Point((0.0,)), Point((1.0,))}


def test_settings_that_do_the_same_are_alike_and_the_nearest_to_yours_is_chosen():
    board = search(FakeLab(lambda n, k: 10 + noise(k), lambda n, k: 0.5), 4).board()

    assert board.best == Point((0.0,))
    assert Point((4.0,)) in board.alike(board.best)
    assert board.ties() == []
