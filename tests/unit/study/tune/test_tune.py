"""``tune`` on small pools: what it chooses and what it says."""

from __future__ import annotations

import json

import pytest
from small_study import always_on, own, small

from costsim.errors import InputError
from costsim.study.tune.tuning import tune

_WARM = {"cold_start_fraction": 0.0}


def tuned(*deployments, slo, replications=8, **other):
    keys = ("deployments", "gpus", "keep", "minimize", "confidence")
    options = {key: other.pop(key) for key in keys if key in other}
    scenario = small(*deployments, slo=slo, **other)
    return tune(scenario, replications=replications, **options)


@pytest.fixture(scope="module")
def to_zero():
    """A pool at zero whose cold starts may be 40 %."""
    return tuned(
        own(idle_timeout="10m"), slo={"cold_start_fraction": 0.4}, horizon="8h"
    )


def test_idle_timeouts_that_never_matter_tie():
    result = tuned(own(max_replicas=1, concurrency_limit=100), slo=_WARM)

    assert result.best.settings["min_replicas"] == "1"
    assert "idle_timeout" in result.answers[0].idle_words
    assert "idle_timeout" in result.sentence
    assert "tie: they do the same" in result.sentence


def test_two_deployments_that_cost_the_same_tie():
    twin = {**always_on("b"), "gpu": "L4"}

    result = tuned(always_on("a"), twin, slo={"p95": "20s"})

    assert {result.best.deployment, *(one.deployment for one in result.tie)} == {
        "a",
        "b",
    }
    assert " and ".join(one.deployment for one in (result.best, *result.tie)) in (
        result.sentence
    )
    assert "tie: they do not differ by more than the noise" in result.sentence


def test_one_that_is_dearer_does_not_tie():
    result = tuned(
        always_on("a"),
        {**always_on("b", price="4 USD/h"), "gpu": "L4"},
        slo={"p95": "20s"},
    )

    assert result.best.deployment == "a"
    assert result.tie == ()


def test_deployments_that_differ_in_what_is_tuned_are_tuned_together():
    result = tuned(
        own("at zero"), own("one warm", min_replicas=1), own("dear", price="9 USD/h"),
        slo=_WARM,
    )  # fmt: skip

    assert [one.names for one in result.answers] == [("at zero", "one warm"), ("dear",)]


def test_the_answer_meets_the_slo_and_costs_less_than_the_scenarios_own(to_zero):
    assert to_zero.best.meets_slo
    assert to_zero.best.measures["cold_start_fraction"] < 0.4
    assert to_zero.saving.absolute.high < 0
    assert "less than own as it is set now" in to_zero.sentence


def test_a_tighter_bound_costs_more(to_zero):
    tighter = tuned(
        own(idle_timeout="10m"), slo={"cold_start_fraction": 0.2}, horizon="8h"
    )

    assert tighter.best.cost_usd_per_month > to_zero.best.cost_usd_per_month


def test_more_confidence_costs_no_less(to_zero):
    surer = tuned(
        own(idle_timeout="10m"),
        slo={"cold_start_fraction": 0.4},
        horizon="8h",
        confidence=0.99,
    )

    assert surer.best.cost_usd_per_month >= to_zero.best.cost_usd_per_month


def test_the_same_scenario_has_the_same_answer(to_zero):
    again = tuned(
        own(idle_timeout="10m"), slo={"cold_start_fraction": 0.4}, horizon="8h"
    )

    assert again.to_json() == to_zero.to_json()


def test_of_the_front_none_is_both_cheaper_and_faster(to_zero):
    best = to_zero.best.asked
    others = [one for one in to_zero.front if one.asked != best]
    costs = [one.cost_usd_per_month for one in others]
    p95_s = [one.measures["p95_s"] for one in others]

    assert costs == sorted(costs)
    assert p95_s == sorted(p95_s, reverse=True)
    assert len(costs) > 1
    assert best in [one.asked for one in to_zero.front]


def test_the_heat_map_marks_what_fails_and_the_answer(to_zero):
    cells = [cell for row in to_zero.heat_map.cells for cell in row if cell is not None]
    (best,) = [cell for cell in cells if cell.is_best]
    meeting = [cell.cost_usd_per_month for cell in cells if cell.meets_slo]

    assert to_zero.heat_map.column == "idle_timeout"
    assert to_zero.heat_map.row == "min_replicas"
    assert best.meets_slo
    assert best.cost_usd_per_month == pytest.approx(min(meeting))
    assert any(not cell.meets_slo for cell in cells)


def test_the_configuration_is_that_of_the_answer(to_zero):
    idle_s = to_zero.best.asked.pool.idle_timeout

    assert to_zero.configuration == f"pool:\n  idle_timeout: {idle_s:.0f}s\n"
    assert idle_s != 600


def test_simulations_are_counted_against_the_full_grid(to_zero):
    (answer,) = to_zero.answers

    assert to_zero.grid_simulations == answer.grid * 8
    assert to_zero.grid_share == to_zero.simulations / to_zero.grid_simulations
    assert answer.settings_tried * 2 <= answer.simulations <= to_zero.simulations


def test_the_lowest_p95_within_a_budget():
    budget = {"cost_usd_per_month": 6000.0}

    result = tuned(own(), slo=budget, minimize="p95", horizon="8h")

    assert result.sentence.startswith("Lowest p95 that meets cost a month <= $6,000")
    assert result.best.cost_usd_per_month <= 6000

    assert result.best.measures["p95_s"] == pytest.approx(2.0, rel=0.02)


def test_what_is_to_be_kept_is_kept():
    result = tuned(own(), slo=_WARM, keep=["idle_timeout", "buffer_replicas"])

    assert list(result.best.settings) == ["min_replicas"]


def test_only_the_deployments_asked_for_are_tuned():
    result = tuned(own("a"), always_on("b"), slo=_WARM, deployments=["b"])

    assert [one.deployment for one in result.answers] == ["b"]
    assert [one.deployment for one in result.own] == ["b"]


def test_a_faster_gpu_is_chosen_where_it_pays():
    result = tuned(
        {**own(), "gpu": "L4"},
        slo={"p95": "1500ms"},
        gpus={"H100": 2.0},
    )

    assert result.best.deployment == "own on H100"
    assert result.best.asked.gpu == "H100"
    assert result.answers[1].best is None


def test_a_schedule_is_found_where_nights_are_silent():
    busy = [0.0] * 8 + [2.4] * 10 + [0.0] * 6
    result = tuned(
        own(max_replicas=2, concurrency_limit=10, idle_timeout="20m"),
        slo=_WARM | {"cold_start_fraction": 0.01},
        start="2026-03-02T00:00+00:00",
        horizon="2d",
        traffic={
            "streams": [
                {"name": "users", "rate": "6/h", "seasonal": {"hour_of_day": busy}}
            ]
        },
    )

    (entry,) = result.best.schedule
    assert entry == "1 warm 08:00-18:00 (60s ahead)"
    assert result.best.settings["min_replicas"] == "0"


def test_an_impossible_bound_says_what_comes_nearest_and_what_would_be_needed():
    result = tuned(own(), always_on(), slo={"p95": "1s"})

    assert result.best is None
    assert result.sentence.startswith("Nothing that was tried meets p95 <= 1s")
    assert "p95 2s, 1s (100%) above 1s" in result.needed[0]
    assert "hardware 2 times as fast (--gpu NAME:2)" in result.needed[-1]
    assert result.configuration == ""
    assert result.shifts == ()


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"slo": None}, "the scenario has no slo"),
        ({"slo": {"lost_fraction": 0.1}}, "the scenario has no slo"),
        ({"minimize": "latency"}, "latency"),
        ({"confidence": 0.3}, "from 50%"),
        ({"confidence": 1.0}, "from 50%"),
        ({"replications": 3}, "3 replications tell too little"),
        ({"deployments": ["owm"]}, "did you mean"),
        ({"keep": ["min_replica"]}, "did you mean"),
    ],
)
def test_what_cannot_be_tuned_is_refused(wrong, text):
    asked = {"slo": _WARM, **wrong}
    with pytest.raises(InputError, match=text):
        tuned({**own(), "gpu": "L4"}, **asked)


def test_hardware_that_no_deployment_can_have_is_refused():
    modal = {"name": "modal", "platform": "modal", "gpu": "L4"}
    with pytest.raises(InputError, match="no deployment can run on L5"):
        tuned(modal, slo=_WARM, gpus={"L5": 1.0})


def test_the_json_form_has_only_what_json_knows(to_zero):
    content = json.loads(to_zero.to_json(), parse_constant=pytest.fail)

    assert content["verdict"]["best"]["meets_slo"] is True
    assert content["confidence"] == 0.95
    assert [one["factor"] for one in content["traffic_shifts"]] == [0.8, 1.2]
