"""Where settings are tried: which replications, on which traffic."""

from __future__ import annotations

import pytest
from small_study import always_on, own, small

from costsim.catalog.platform import load_catalog
from costsim.scenario.deployment import resolve
from costsim.study.run import run
from costsim.study.tune.goal import Goal, Trial
from costsim.study.tune.lab import Lab

_GOAL = Goal({"p95_s": 12.0}, 0.95)


def lab_of(scenario):
    catalog = load_catalog()
    return Lab(scenario, catalog, resolve(scenario, catalog))


def trials(scenario, *asked):
    """Return what the scenario's deployments do in the replications asked for."""
    lab = lab_of(scenario)
    found = [Trial(first) for first, _ in asked]
    wanted = [
        (lab.resolved(deployment), trial, n)
        for deployment, trial, (_, n) in zip(
            scenario.deployments, found, asked, strict=True
        )
    ]
    lab.measure(wanted, _GOAL)
    return found, lab


def test_a_trial_is_what_a_run_measures_replication_by_replication():
    scenario = small(own(), always_on(), replications=6)
    result = run(scenario)

    found, lab = trials(scenario, (0, 6), (0, 6))

    assert [one.samples["cost_usd"] for one in found] == [
        one["cost_usd"] for one in result.samples
    ]
    assert [one.samples["p95_s"] for one in found] == [
        one["p95_s"] for one in result.samples
    ]
    assert lab.simulations == 12


def test_a_trial_that_begins_later_has_the_later_replications():
    scenario = small(own("a"), own("b"))

    (early, late), _ = trials(scenario, (0, 6), (4, 2))

    assert late.samples["cost_usd"] == early.samples["cost_usd"][4:]
    assert late.samples["cost_usd"] != early.samples["cost_usd"][:2]


def test_a_trial_is_continued_where_it_stopped():
    scenario = small(own())
    lab = lab_of(scenario)
    resolved, whole, parts = lab.resolved(scenario.deployments[0]), Trial(), Trial()

    lab.measure([(resolved, whole, 5)], _GOAL)
    lab.measure([(resolved, parts, 2)], _GOAL)
    lab.measure([(resolved, parts, 5)], _GOAL)

    assert parts.samples == whole.samples


def test_the_share_above_a_bounded_quantile_is_counted():
    (trial,), _ = trials(small(own()), (0, 3))

    above = trial.samples["over_p95_s"]
    assert [share > 0.05 for share in above] == [
        p95_s > 12.0 for p95_s in trial.samples["p95_s"]
    ]


def test_the_crowd_is_how_many_are_served_at_once_if_none_waits():
    busy = {"streams": [{"name": "users", "rate": "4/s"}]}
    lab = lab_of(small(own(), horizon="6h", traffic=busy))

    # M/D/infinity: Poisson with mean 4/s * 2 s = 8; its median is 8, P(N <= 17) = 0.998.
    assert lab.crowd(1.0, 0.5) == 8
    assert lab.crowd(2.0, 0.5) == 4
    assert lab.crowd(1.0, 0.998) == pytest.approx(17, abs=1)


def test_what_is_not_possible_is_no_deployment():
    scenario = small(own())
    (deployment,) = scenario.deployments
    wrong = deployment.model_copy(
        update={"pool": None, "platform": "modal", "gpu": "L5"}
    )

    assert lab_of(scenario).resolved(wrong) is None
