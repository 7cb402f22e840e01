"""``warm_up: auto``: what is cut, and where there is nothing to cut."""

from __future__ import annotations

import math

import numpy as np
import pytest
from small_study import always_on, answer, batches, own, small

from costsim.study.run import run
from costsim.study.warm_up import mser5


def errors_by_definition(values):
    """Return the squared standard error of what is left for each cut of five."""
    means = values[: values.size // 5 * 5].reshape(-1, 5).mean(axis=1)
    cuts = range(means.size // 2 + 1)
    return [np.var(means[cut:]) / (means.size - cut) for cut in cuts]


def test_a_transient_is_cut_where_it_ends(rng):
    values = rng.normal(10, 1, 1000)
    values[:100] -= np.linspace(8, 0.5, 100)

    assert 60 <= mser5(values) <= 110


def test_the_cut_is_that_of_the_least_error(rng):
    values = rng.normal(10, 1, 203) - 5 * np.exp(-np.arange(203) / 20)

    assert mser5(values) == 5 * int(np.argmin(errors_by_definition(values)))


@pytest.mark.parametrize("n", [0, 1, 9])
def test_a_few_values_are_not_cut(n):
    assert mser5(np.arange(float(n))) == 0


def test_a_series_that_never_settles_is_cut_in_half():
    assert mser5(np.arange(1000.0)) == 500


HEAVY = {
    "horizon": "6h",
    "service": {"time": {"distribution": "exponential", "mean": "1s"}},
    "traffic": {"streams": [{"name": "users", "rate": "0.9/s"}]},
}


def cut_s(result):
    return result.scenario.warm_up_s


def test_a_busy_queue_gets_a_warm_up_and_its_mean_is_that_of_theory():
    found = answer(always_on(), warm_up="auto", replications=40, **HEAVY)

    assert 30 < cut_s(found) < 3600
    # M/M/1 at 0.9: 10 s; the empty start makes it less.
    assert found.rows[0].mean_s == pytest.approx(10, rel=0.05)
    assert any(text.startswith("warm_up: auto cuts ") for text in found.notes)


def test_at_least_two_idle_timeouts_and_a_setup_are_cut():
    found = answer(own(idle_timeout="10m"), warm_up="auto", setup="30s")

    assert cut_s(found) >= 2 * 600 + 30


def test_a_pool_that_is_always_the_same_needs_none():
    found = answer(always_on(), warm_up="auto", service={"time": "1ms"})

    assert cut_s(found) < 600


@pytest.mark.parametrize(
    ("traffic", "why"),
    [
        (batches("10m"), "traffic by the clock"),
        (
            {
                "streams": [{"name": "users", "rate": "60/h"}],
                "spikes": [{"shape": "viral", "at": "30m", "magnitude": 5}],
            },
            "traffic with spikes",
        ),
        (
            {
                "streams": [
                    {
                        "name": "users",
                        "rate": "60/h",
                        "trend": {"growth_per_month": 0.2},
                    }
                ]
            },
            "a trend",
        ),
    ],
)
def test_traffic_that_changes_has_no_steady_state(traffic, why):
    found = answer(own(), warm_up="auto", traffic=traffic)

    assert cut_s(found) == 0
    assert any("cuts nothing" in text and why in text for text in found.notes)


def test_a_horizon_that_is_too_short_is_told():
    found = answer(own(idle_timeout="2h"), warm_up="auto")

    assert cut_s(found) == 3600
    assert any("too short for the pools to settle" in text for text in found.notes)


def test_the_bill_is_not_cut():
    cut = answer(own(), warm_up="auto")
    whole = answer(own())

    assert cut.rows[0].cost_usd == whole.rows[0].cost_usd
    assert not math.isnan(cut.rows[0].p95_s)


def test_a_given_warm_up_is_kept():
    scenario = small(own(), warm_up="7m")

    assert scenario.model_dump(mode="json")["warm_up"] == "420.0s"
    assert run(scenario).scenario.warm_up == 420.0
    assert small(own(), warm_up="auto").model_dump(mode="json")["warm_up"] == "auto"
