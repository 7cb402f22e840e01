"""Where curves cross, on curves that are formulas: intervals, regimes, a finer grid."""

from __future__ import annotations

import math
from statistics import stdev

import pytest
from break_evens import Drawn, axis

from costsim.study.breakeven.crossings import (
    capacity_track,
    find_crossings,
    find_edges,
    gaps,
    stretches,
)
from costsim.study.breakeven.refining import refine
from costsim.study.breakeven.regimes import find_regimes
from costsim.study.statistics import student_quantile

N = 10
NOISE = [0.05 * (k - (N - 1) / 2) for k in range(N)]
"""By replication; the mean is zero."""
HALF = student_quantile(0.975, N - 1) * stdev(NOISE) / math.sqrt(N)
"""Half of the interval of a mean with this noise."""
PLENTY = 1e9


def flat(usd):
    return lambda value, k: usd


def rising(at):
    """Return a cost that is 1 at a value, and above it beyond; with noise."""
    return lambda value, k: 1 + math.log(value / at) + NOISE[k]


def refined(*arguments, **other):
    curve = Drawn(*arguments, **other)
    assert refine(curve, PLENTY)
    return curve


def test_a_crossing_is_where_the_interval_of_the_difference_contains_zero():
    curve = refined({"a": rising(1000.0), "b": flat(1.0)})

    (one,) = find_crossings(curve)

    assert (one.below, one.above) == ("a", "b")
    # The ends are points outside of it, an eighth of its width away at most.
    assert math.log(1000 / one.low) == pytest.approx(HALF, abs=0.3 * HALF)
    assert math.log(one.high / 1000) == pytest.approx(HALF, abs=0.3 * HALF)
    assert one.low <= 1000 * math.exp(-HALF)
    assert one.high >= 1000 * math.exp(HALF)
    assert one.value == pytest.approx(1000, rel=1e-3)


def test_more_noise_makes_a_wider_interval():
    quiet = {"a": lambda v, k: math.log(v / 1000) + NOISE[k] / 10, "b": flat(0.0)}
    loud = {"a": lambda v, k: math.log(v / 1000) + NOISE[k] * 10, "b": flat(0.0)}

    widths = [
        math.log(one.high / one.low)
        for costs in (quiet, loud)
        for one in find_crossings(refined(costs))
    ]

    assert widths[0] < 0.04 < 10 * HALF < widths[1]


def test_noise_that_both_share_does_not_count():
    curve = refined(
        {
            "a": lambda v, k: 1 + math.log(v / 1000) + 100 * NOISE[k],
            "b": lambda v, k: 1 + 100 * NOISE[k],
        }
    )

    (one,) = find_crossings(curve)

    # As close as points get: 2 % on either side.
    assert one.high / one.low < 1.045


def test_of_two_crossings_the_middle_is_another_regime():
    def dip(value, _):
        return 1 + math.log(value / 500) * math.log(value / 3000)

    curve = refined({"a": flat(1.0), "b": dip})

    assert [(one.below, one.above) for one in find_crossings(curve)] == [
        ("a", "b"),
        ("b", "a"),
    ]
    assert [one.deployment for one in find_regimes(curve)] == ["a", "b", "a"]
    borders = [one.high for one in find_regimes(curve)[:-1]]
    assert borders == pytest.approx([500, 3000], rel=0.02)


def test_nothing_crosses_where_one_is_always_cheaper():
    curve = refined({"a": flat(1.0), "b": flat(2.0)})

    (regime,) = find_regimes(curve)

    assert find_crossings(curve) == []
    assert (regime.deployment, regime.low, regime.high) == ("a", 100, 10_000)
    assert (regime.until, regime.is_tied) == (None, False)


def test_equal_costs_are_a_tie_and_no_crossing():
    curve = refined({"a": flat(1.0), "b": lambda value, k: 1 + NOISE[k]})

    (regime,) = find_regimes(curve)

    assert find_crossings(curve) == []
    assert regime.is_tied


def test_a_crossing_above_the_cheapest_decides_nothing():
    costs = {"a": rising(1000.0), "b": flat(1.0), "c": flat(0.1)}
    curve = Drawn({**costs, "c": flat(-9.0)})

    (one,) = find_crossings(curve)

    assert not one.is_decisive


def test_it_decides_if_the_cheapest_misses_the_slo():
    costs = {"a": rising(1000.0), "b": flat(1.0), "c": flat(-9.0)}
    curve = Drawn(costs, slo={"c": lambda value: -1})

    (one,) = find_crossings(curve)

    assert one.is_decisive


def test_the_cheapest_gives_way_where_it_ceases_to_meet_the_slo():
    # It is not certain from 1,000 to 1,200.
    slo = {"a": lambda value: 1 if value < 1000 else 0 if value < 1200 else -1}
    curve = refined({"a": flat(1.0), "b": flat(2.0)}, slo=slo)

    first, second = find_regimes(curve)

    assert (first.deployment, second.deployment) == ("a", "b")
    assert first.until.why == "slo_ends"
    assert first.until.low == pytest.approx(1000, rel=0.04)
    assert first.until.high == pytest.approx(1200, rel=0.04)
    (edge,) = find_edges(curve)
    assert (edge.deployment, edge.what, edge.begins) == ("a", "slo", False)
    assert (edge.low, edge.high) == (first.until.low, first.until.high)


def test_a_cheaper_one_takes_over_where_it_begins_to_meet_the_slo():
    slo = {"a": lambda value: -1 if value < 1000 else 0 if value < 1200 else 1}
    curve = refined({"a": flat(1.0), "b": flat(2.0)}, slo=slo)

    first, second = find_regimes(curve)

    assert (first.deployment, second.deployment) == ("b", "a")
    assert first.until.why == "slo_begins"
    assert first.until.low == pytest.approx(1000, rel=0.04)
    assert first.until.high == pytest.approx(1200, rel=0.04)


@pytest.mark.parametrize(("likely", "reign"), [(True, ["a"]), (False, ["b", "a"])])
def test_at_the_low_end_the_likely_answer_counts(likely, reign):
    slo = {"a": lambda value: 0 if value < 300 else 1}
    costs = {"a": flat(1.0), "b": flat(2.0)}

    curve = refined(costs, slo=slo, likely={"a": likely})

    assert [one.deployment for one in find_regimes(curve)] == reign


def test_what_cannot_keep_up_is_not_compared():
    able = {"a": lambda value: value < 700}
    curve = refined({"a": rising(1000.0), "b": flat(1.0)}, able=able)

    assert find_crossings(curve) == []
    first, second = find_regimes(curve)
    assert (first.deployment, second.deployment) == ("a", "b")
    assert first.until.why == "capacity"
    assert first.high == pytest.approx(700, rel=0.02)
    assert [(one.what, one.begins) for one in find_edges(curve)] == [
        ("slo", False),
        ("capacity", False),
    ]


def test_where_nothing_serves_there_is_no_cheapest():
    able = {name: lambda value: value < 700 for name in ("a", "b")}

    first, second = find_regimes(refined({"a": flat(1.0), "b": flat(2.0)}, able=able))

    assert (first.deployment, second.deployment) == ("a", None)


def test_noise_near_a_crossing_makes_no_regimes():
    def wavering(value, k):
        return 1 + math.log(value / 1000) + NOISE[k] + 0.8 * HALF * math.sin(60 * value)

    curve = refined({"a": wavering, "b": flat(1.0)})

    assert len(find_regimes(curve)) == 2


def test_a_grid_is_made_finer_only_where_something_changes():
    curve = refined({"a": rising(1000.0), "b": flat(1.0)})

    new = [one.value for one in curve.points if one.value not in axis().grid()]

    assert new
    assert 500 < min(new) <= max(new) < 2000


def test_what_is_crossed_and_crossed_back_between_points_is_found():
    # The grid has points at 866 and 1,334, not between them.
    def bump(value, _):
        return 1 + math.log(value / 100) + (0.5 if 900 < value < 1250 else 0.0)

    def below(value, _):
        return 1.2 + math.log(value / 100)

    curve = refined({"a": bump, "b": below}, axis(100.0, 3162.0))

    assert [one.below for one in find_crossings(curve)] == ["a", "b"]


def test_costs_that_cannot_have_crossed_are_left_alone():
    curve = Drawn({"a": lambda v, k: math.log(v), "b": lambda v, k: 9 + math.log(v)})
    before = len(curve.points)

    assert refine(curve, PLENTY)
    assert len(curve.points) == before


def test_work_is_bounded():
    curve = Drawn({"a": rising(1000.0), "b": flat(1.0)})
    before = len(curve.points)

    enough = refine(curve, 2.0)

    assert not enough
    assert len(curve.points) == before + 2


def test_whole_numbers_change_from_one_to_the_next():
    over = axis(1.0, 40.0, whole=True)
    curve = refined({"a": lambda v, k: v, "b": flat(12.5)}, over)

    (one,) = find_crossings(curve)

    assert (one.low, one.value, one.high) == (12, 13, 13)


def test_an_axis_from_zero_has_equal_steps():
    over = axis(0.0, 10.0)
    curve = refined({"a": lambda v, k: v, "b": flat(4.0)}, over)

    (one,) = find_crossings(curve)

    assert one.low <= 4.0 <= one.high
    assert one.high - one.low == pytest.approx(0.05, rel=0.7)


def test_one_replication_has_no_interval_but_a_crossing():
    curve = refined({"a": lambda v, k: v, "b": flat(1000.5)}, n=1)

    (one,) = find_crossings(curve)

    assert one.low < 1000.5 < one.high


@pytest.mark.parametrize(
    ("signs", "found"),
    [
        ([1, 1, 1], []),
        ([-1, 1], [(0, 1, 1)]),
        ([-1, 0, 0, 1, -1], [(0, 3, 1), (3, 4, -1)]),
        ([0, 0, 1], []),
        ([-1, 0, -1], []),
        ([-1, None, 1], []),
        ([-1, 0, -1, 0, 1], [(2, 4, 1)]),
    ],
)
def test_a_stretch_lies_between_certain_answers_that_differ(signs, found):
    track = [(float(i), sign) for i, sign in enumerate(signs)]

    assert [(one.low, one.high, one.sign) for one in stretches(track)] == found


def test_gaps_are_where_a_stretch_begins_and_ends():
    track = [(1.0, -1), (2.0, 0), (3.0, 0), (4.0, 1), (5.0, 1)]

    (stretch,) = stretches(track)

    assert gaps(track, stretch) == [(1.0, 2.0), (3.0, 4.0)]


def test_a_pool_without_slots_for_the_work_is_told():
    curve = Drawn({"a": flat(1.0)}, able={"a": lambda value: value < 500})

    signs = dict(capacity_track(curve.points, "a"))

    assert (signs[100.0], signs[10_000.0]) == (1, -1)
