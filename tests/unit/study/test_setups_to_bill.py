"""From a scenario's setup to the engine and the bill: phases and mixtures, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from costsim.billing.meter import measure
from costsim.catalog.platform import load_catalog
from costsim.scenario.deployment import resolve
from costsim.scenario.schema import Scenario
from costsim.simulation.simulate import simulate_pool
from costsim.study.pools import pool_arguments
from costsim.traffic.setups import SetupLaw, UnbilledSetups

CATALOG = load_catalog()
MODAL = {"name": "m", "platform": "modal", "gpu": "L4"}
PHASES = {"provision": "5s", "boot": "1s", "load": "10s"}
HORIZON_S = 86400.0


def run(deployment, arrival_s, setup, *, n_launches=4096):
    """Return records and usage of one deployment, each request 2 s long."""
    scenario = Scenario.model_validate(
        {
            "name": "test",
            "start": "2026-03-02T00:00+01:00",
            "horizon": "1d",
            "traffic": {"streams": [{"rate": "48/h"}]},
            "service": {"time": "2s"},
            "setup": setup,
            "deployments": [deployment],
        }
    )
    (resolved,) = resolve(scenario, CATALOG).deployments
    plan = resolved.setup_plan
    draws = SetupLaw(plan, scenario.seed, 0).draw(0, n_launches)
    mixture = plan.mixture
    if mixture is not None:
        mixture = {**mixture, "miss_setup_time_s": draws.miss_setup_s, "u": draws.u}
    result = simulate_pool(
        arrival_s,
        np.full(len(arrival_s), 2.0),
        draws.setup_s,
        setup_mixture=mixture,
        **pool_arguments(resolved.pool, scenario.start, HORIZON_S),
    )
    initial = len(result.replicas) - result.launches
    ledger = UnbilledSetups(initial)
    ledger.add(draws)
    ids = np.arange(len(result.replicas))
    unbilled_s = ledger.take(ids, result.replicas["missed"])
    return result, measure(result, resolved.tariff.rules, unbilled_setup_s=unbilled_s)


EVERY_TEN_MINUTES = np.arange(10) * 600.0


def test_of_phases_those_are_billed_that_the_platform_bills():
    result, usage = run(MODAL, EVERY_TEN_MINUTES, {"phases": PHASES})

    # Each request finds nothing: 16 s of setup, of which 10 s are billed, 2 s and 60 s.
    assert result.launches == 10
    assert (usage.setup_total_s, usage.setup_s) == (160.0, 100.0)
    assert usage.billed_s == 720.0


def test_what_the_scenario_says_of_a_phase_is_in_the_bill():
    setup = {"phases": PHASES, "billed": {"boot": True}}

    _, usage = run(MODAL, EVERY_TEN_MINUTES, setup)

    assert usage.setup_s == 110.0


def test_a_setup_that_is_one_time_is_billed_but_for_its_first_part():
    _, usage = run({**MODAL, "unbilled_setup": "4s"}, EVERY_TEN_MINUTES, "16s")

    assert usage.setup_s == 120.0


MIXTURE = {
    "hit": {"probability": 1.0, "phases": {"boot": "1s", "load": "2s"}},
    "miss": {"phases": {"image": "20s", "load": "10s"}},
}


def test_hits_and_misses_are_billed_by_their_own_phases():
    setup = {**MIXTURE, "hit": {**MIXTURE["hit"], "probability": 0.6}}
    arrival_s = np.arange(2000) * 600.0

    result, usage = run(MODAL, arrival_s, setup)

    n_missed = int(result.replicas["missed"].sum())
    assert result.launches == 2000
    assert n_missed / 2000 == pytest.approx(0.4, abs=0.04)
    assert usage.setup_s == 2.0 * (2000 - n_missed) + 10.0 * n_missed
    assert usage.setup_total_s == 3.0 * (2000 - n_missed) + 30.0 * n_missed
    taken_s = result.replicas["ready_s"] - result.replicas["launch_s"]
    np.testing.assert_allclose(taken_s, np.where(result.replicas["missed"], 30.0, 3.0))


def test_the_longer_nothing_was_alive_the_rarer_a_hit():
    # Alive for 65 s after a hit, 92 s after a miss: away for 535 or 508 s.
    setup = {**MIXTURE, "hit": {**MIXTURE["hit"], "half_life": "520s"}}
    arrival_s = np.arange(2000) * 600.0

    result, _ = run(MODAL, arrival_s, setup)

    after_miss = result.replicas["missed"][:-1]
    missed = result.replicas["missed"][1:]
    for before, away_s in ((False, 535.0), (True, 508.0)):
        share = missed[after_miss == before].mean()
        assert share == pytest.approx(1 - 2 ** (-away_s / 520), abs=0.05)


def test_the_hit_probability_counts_from_the_start_before_anything_was_alive():
    setup = {**MIXTURE, "hit": {**MIXTURE["hit"], "half_life": "10s"}}

    at_once, _ = run(MODAL, [0.0], setup)
    much_later, _ = run(MODAL, [3600.0], setup)

    assert at_once.replicas["missed"].tolist() == [False]
    assert much_later.replicas["missed"].tolist() == [True]


def test_while_a_replica_is_alive_a_launch_is_a_hit_with_the_whole_probability():
    setup = {**MIXTURE, "hit": {**MIXTURE["hit"], "half_life": "1ms"}}

    result, _ = run(MODAL, [0.0, 0.5, 1.0], setup)

    assert result.replicas["missed"].tolist() == [False] * 3


# Schedules


def test_a_schedule_with_prewarming_meets_the_morning_with_ready_replicas():
    seven_am = 7 * 3600.0
    deployment = {
        **MODAL,
        "schedule": [
            {
                "when": "Mon-Fri 07:00-09:00 Europe/Paris",
                "min_replicas": 2,
                "prewarm": "5m",
            }
        ],
    }

    result, usage = run(deployment, [seven_am, seven_am], "16s")

    # Launched at 06:55, ready 16 s later, and idle 60 s longer than they have to be.
    assert result.replicas["launch_s"].tolist() == [seven_am - 300] * 2
    assert not result.requests["cold"].any()
    assert result.requests["start_s"].tolist() == [seven_am] * 2
    assert result.replicas["stop_s"].tolist() == [9 * 3600.0 + 60] * 2
    assert usage.alive_s == 2 * (2 * 3600 + 300 + 60)


def test_a_lower_maximum_at_night_makes_requests_wait():
    deployment = {
        **MODAL,
        "settings": {"max_containers": 3},
        "schedule": [{"when": "00:00-06:00", "max_replicas": 1}],
    }

    by_night, _ = run(deployment, [3600.0] * 3, "16s")
    by_day, _ = run(deployment, [43_200.0] * 3, "16s")

    assert (by_night.launches, by_day.launches) == (1, 3)
    assert by_night.requests["start_s"].tolist() == [3616.0, 3618.0, 3620.0]


def test_a_control_loop_keeps_to_the_bounds_of_its_schedule():
    deployment = {
        "name": "b",
        "platform": "baseten",
        "instance": "L4:4x16",
        "settings": {"min_replica": 1, "max_replica": 4, "scale_down_delay": "0s"},
        "schedule": [{"when": "08:00-10:00", "min_replicas": 3}],
    }

    result, _ = run(deployment, [60.0, 20 * 3600.0], "16s")

    alive = [
        int(
            np.count_nonzero(
                (result.replicas["launch_s"] <= at_s)
                & ~(result.replicas["stop_s"] <= at_s)
            )
        )
        for at_s in (7.9 * 3600, 8.1 * 3600, 9.9 * 3600, 10.1 * 3600)
    ]
    assert alive == [1, 3, 3, 1]
    assert math.isclose(result.replicas["launch_s"][1], 8 * 3600.0)
