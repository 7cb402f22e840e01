"""Setup times by launch: the same luck for every deployment, however launches are cut."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import TypeAdapter

from costsim.catalog.tariff import MeteringRules
from costsim.scenario.findings import Findings
from costsim.scenario.setup import Setup
from costsim.scenario.setup_plan import SetupPlanner
from costsim.traffic.laws import quantile, uniforms
from costsim.traffic.setups import (
    SetupDraws,
    SetupLaw,
    UnbilledSetups,
)
from costsim.traffic.streams import stream_rng

LOGNORMAL = {"distribution": "lognormal", "median": "20s", "sigma": 0.5}
EXPONENTIAL = {"distribution": "exponential", "mean": "7s"}
FREE = {"boot", "image"}


def plan(setup, rules=MeteringRules()):  # noqa: B008 - frozen
    findings = Findings("deployments.0")
    planner = SetupPlanner(rules, lambda name: name not in FREE, "setup", findings)
    planned = planner.plan(TypeAdapter(Setup).validate_python(setup))
    assert findings.problems == []
    return planned


def law(setup, seed=3, replication=0, **rules):
    return SetupLaw(plan(setup, MeteringRules(**rules)), seed, replication)


PHASES = {"phases": {"image": LOGNORMAL, "load": EXPONENTIAL, "warm_up": "2s"}}
MIXTURE = {
    "hit": {"probability": 0.7, "phases": {"boot": "1s", "load": EXPONENTIAL}},
    "miss": PHASES,
}


def test_a_single_law_takes_the_numbers_that_it_always_took():
    draws = law(LOGNORMAL).draw(0, 3000)

    u = uniforms(3000, stream_rng(3, 0, "setup"))
    expected = quantile(plan(LOGNORMAL).law, u)
    np.testing.assert_allclose(draws.setup_s, expected, rtol=1e-14)
    assert (draws.miss_setup_s.size, draws.u.size) == (0, 0)


@pytest.mark.parametrize(
    "setup", [LOGNORMAL, PHASES, MIXTURE], ids=["law", "phases", "mixture"]
)
@pytest.mark.parametrize("cuts", [[1] * 40, [1024, 1024], [700, 1, 1500, 3000, 0, 7]])
def test_draws_do_not_depend_on_how_launches_are_cut(setup, cuts):
    whole = law(setup).draw(0, sum(cuts))

    piecewise = law(setup)
    first = np.concatenate([[0], np.cumsum(cuts)])
    parts = [piecewise.draw(int(i), n) for i, n in zip(first, cuts, strict=False)]

    for field, of_parts in zip(whole, zip(*parts, strict=True), strict=True):
        np.testing.assert_array_equal(np.concatenate(of_parts), field)


def test_a_launch_out_of_turn_is_refused():
    once = law(LOGNORMAL)
    once.draw(0, 10)

    with pytest.raises(ValueError, match="first_launch is 9; the next one is 10"):
        once.draw(9, 1)


def test_another_replication_or_seed_has_other_luck():
    times = [
        law(LOGNORMAL, seed, replication).draw(0, 100).setup_s
        for seed, replication in ((3, 0), (3, 1), (4, 0))
    ]

    assert len({float(one[0]) for one in times}) == 3


def test_phases_follow_each_other_and_the_unbilled_ones_come_first():
    draws = law({"phases": {"boot": "1s", "image": LOGNORMAL, "load": "9s"}}).draw(
        0, 500
    )

    np.testing.assert_array_equal(draws.unbilled_s + 9.0, draws.setup_s)
    assert draws.unbilled_s.min() > 1.0


def test_a_phase_that_is_added_leaves_the_times_of_the_others():
    without = law({"phases": {"load": EXPONENTIAL}}).draw(0, 500).setup_s

    draws = law({"phases": {"image": LOGNORMAL, "load": EXPONENTIAL}}).draw(0, 500)

    np.testing.assert_allclose(draws.setup_s - draws.unbilled_s, without, rtol=1e-12)


def test_phases_of_one_deployment_are_independent():
    same_laws = {"phases": {"image": EXPONENTIAL, "load": EXPONENTIAL}}
    draws = law(same_laws).draw(0, 20_000)

    image, load = draws.unbilled_s, draws.setup_s - draws.unbilled_s
    assert abs(np.corrcoef(image, load)[0, 1]) < 0.03
    assert load.mean() == pytest.approx(7.0, rel=0.03)


def test_two_deployments_have_the_same_luck_in_a_phase_of_the_same_name():
    fast = law({"phases": {"load": {**EXPONENTIAL, "mean": "1s"}}}).draw(0, 500)
    slow = law({"phases": {"load": {**EXPONENTIAL, "mean": "8s"}}}).draw(0, 500)

    np.testing.assert_allclose(slow.setup_s, 8.0 * fast.setup_s, rtol=1e-14)


def test_a_hit_and_a_miss_have_the_same_luck_and_their_own_phases():
    draws = law(MIXTURE).draw(0, 500)

    hit_load = draws.setup_s - 1.0
    miss_load = draws.miss_setup_s - draws.miss_unbilled_s - 2.0
    np.testing.assert_allclose(hit_load, miss_load, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(draws.unbilled_s, 1.0)


def test_whether_a_launch_is_a_hit_has_numbers_of_its_own():
    draws = law(MIXTURE).draw(0, 20_000)

    assert np.mean(draws.u < 0.7) == pytest.approx(0.7, abs=0.01)
    times_s = [draws.setup_s, draws.miss_setup_s, draws.miss_unbilled_s]
    assert np.abs(np.corrcoef([draws.u, *times_s])[0, 1:]).max() < 0.03


def test_whether_a_launch_is_a_hit_does_not_depend_on_the_phases():
    other = {"hit": {"probability": 0.1, "time": "1s"}, "miss": {"time": LOGNORMAL}}

    one, another = law(MIXTURE).draw(0, 100), law(other).draw(0, 100)

    np.testing.assert_array_equal(one.u, another.u)


@pytest.mark.parametrize(
    ("rules", "unbilled_s"),
    [
        ({}, 0.0),
        ({"unbilled_setup_s": 4.0}, 4.0),
        ({"unbilled_setup_s": 40.0}, 25.0),
        ({"setup_billed": False}, 25.0),
    ],
)
def test_of_a_setup_that_is_one_time_the_rules_say_what_is_unbilled(rules, unbilled_s):
    draws = law("25s", **rules).draw(0, 10)

    assert draws.unbilled_s.tolist() == [unbilled_s] * 10


def test_a_setup_without_a_billed_phase_is_unbilled_to_the_bit():
    draws = law({"phases": {"boot": EXPONENTIAL, "image": LOGNORMAL}}).draw(0, 2000)

    np.testing.assert_array_equal(draws.unbilled_s, draws.setup_s)


# The unbilled part by replica


def some_draws(n, first=0):
    """Draws whose unbilled part tells the launch, and its kind by the sign of the .5."""
    launch = np.arange(first, first + n, dtype=float)
    zeros = np.zeros(n)
    return SetupDraws(zeros, launch, zeros, launch + 0.5, np.full(n, 0.5))


def test_replicas_that_were_never_launched_have_no_unbilled_part():
    ledger = UnbilledSetups(2)
    ledger.add(some_draws(10))

    found = ledger.take(np.arange(5), np.array([False, False, True, False, True]))

    assert found.tolist() == [0.0, 0.0, 0.5, 1.0, 2.5]


def test_without_a_mixture_every_launch_is_of_one_kind():
    ledger = UnbilledSetups(1)
    ledger.add(SetupDraws(np.zeros(3), np.array([4.0, 5.0, 6.0])))

    found = ledger.take(np.arange(3), np.zeros(3, dtype=bool))

    assert found.tolist() == [0.0, 4.0, 5.0]


def test_the_ledger_gives_what_it_was_told_in_whatever_order(rng):
    ledger = UnbilledSetups(3)
    ledger.add(some_draws(700))
    ledger.add(some_draws(1300, first=700))
    ids = rng.permutation(2003)
    missed = rng.random(2003) < 0.3

    parts = np.array_split(np.arange(2003), 9)
    found = np.concatenate([ledger.take(ids[i], missed[i]) for i in parts])

    expected = np.where(ids < 3, 0.0, ids - 3 + 0.5 * missed)
    np.testing.assert_array_equal(found, expected)


def test_the_ledger_forgets_blocks_of_replicas_that_are_gone():
    ledger = UnbilledSetups(0)
    warm = np.zeros(256, bool)
    for first in range(0, 256 * 1000, 256):
        ledger.add(some_draws(256, first))
        ids = np.arange(first, first + 256)
        # One replica lives on, in the very first block.
        ledger.take(ids[ids != 7], warm[ids != 7])

    assert ledger.n_blocks == 1
    assert ledger.take(np.array([7]), np.array([True])).tolist() == [7.5]
    assert ledger.n_blocks == 0
