"""Whether settings meet the SLO, and how surely."""

from __future__ import annotations

import math

import pytest
from scipy import stats

from costsim.study.tune.goal import Goal, Standing, Trial, at_most

_LIMIT = {"mean_s": 2.0}


def trial(values, measure="mean_s", **other):
    return Trial(samples={"cost_usd": [1.0] * len(values), measure: values, **other})


def test_the_prediction_bound_is_that_of_hahn_and_meeker():
    values = [1.0, 1.2, 1.5, 1.1]

    bound = 1.2 + stats.t.ppf(0.95, 3) * stats.tstd(values) * math.sqrt(1 + 1 / 4)
    assert at_most(values, 0.95) == pytest.approx(bound)


def test_values_without_spread_are_their_own_bound():
    assert at_most([2.0, 2.0, 2.0], 0.95) == 2.0


def test_one_value_predicts_nothing():
    assert math.isnan(at_most([2.0], 0.95))


@pytest.mark.parametrize(
    ("values", "standing"),
    [
        ([1.0, 1.01, 0.99, 1.0], Standing.MEETS),
        # All below the limit, but so spread that the next may be above.
        ([1.0, 1.9, 1.0, 1.9], Standing.OPEN),
        ([3.0, 3.0, 3.0, 3.0], Standing.MISSES),
        # One miss in four says nothing yet.
        ([1.0, 1.0, 1.0, 2.1], Standing.OPEN),
    ],
)
def test_what_is_known_of_settings(values, standing):
    assert Goal(_LIMIT, 0.95).standing(trial(values)) is standing


def test_what_is_open_after_all_replications_misses():
    values = [1.0, 1.9, 1.0, 1.9]

    assert Goal(_LIMIT, 0.95, most=4).standing(trial(values)) is Standing.MISSES


def test_more_misses_than_the_confidence_allows_are_a_miss():
    steady = [1.0] * 30 + [2.01] * 2

    # By the spread alone the bound would hold.
    assert at_most(steady, 0.95) < 2.0
    assert Goal(_LIMIT, 0.95, most=32).standing(trial(steady)) is Standing.MISSES
    assert Goal(_LIMIT, 0.9, most=32).standing(trial(steady)) is Standing.MEETS


def test_a_quantile_is_judged_by_the_share_above_its_limit():
    # One p95 in 40 jumps to a cold start, with hardly more requests above the limit.
    p95_s = [1.0] * 39 + [30.0]
    above = [0.046, 0.047] * 19 + [0.046, 0.0501]
    goal = Goal({"p95_s": 2.0}, 0.95, most=40)

    assert goal.standing(trial(p95_s, "p95_s")) is Standing.MISSES
    assert goal.standing(trial(p95_s, "p95_s", over_p95_s=above)) is Standing.MEETS


def test_several_bounds_are_each_surer():
    one, two = Goal({"mean_s": 1.0}, 0.95), Goal({"mean_s": 1.0, "p95_s": 2.0}, 0.95)

    assert one.level == pytest.approx(0.95)
    assert two.level == pytest.approx(0.975)


def test_the_excess_is_that_over_the_worst_bound():
    goal = Goal({"mean_s": 1.0, "p95_s": 2.0}, 0.95)

    assert goal.excess(trial([0.5], p95_s=[3.0])) == pytest.approx(1.5)
