"""From a scenario's pool to the engine's arguments: nothing is dropped on the way."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import get_args

import pytest

from costsim.errors import ScenarioError
from costsim.scenario.autoscalers import Autoscaler
from costsim.scenario.pool import Pool
from costsim.simulation.settings import check_settings
from costsim.study.pools import pool_arguments

DEFAULTS = {"horizon_s": None, "end": "drain"}
DAY = 86400.0


def test_every_setting_reaches_the_engine_under_its_name():
    pool = Pool.model_validate(
        {
            "idle_timeout": "61s",
            "min_replicas": 2,
            "max_replicas": 9,
            "concurrency_limit": 8,
            "concurrency_target": 3.5,
            "buffer_replicas": 1,
            "max_queued": 77,
            "queue_timeout": "62s",
            "rate_limit": {"rate": "5/s", "burst": 6.0},
            "at_zero": {"hold_for": "63s"},
            "binding": "shared",
            "cancel_setups": True,
            "routing": "round_robin",
            "slowdown": 0.25,
            "keep_alive": {"kind": "histogram", "range": "1h", "head": 0.1},
            "failures": {
                "mean_lifetime": "64s",
                "max_attempts": 3,
                "backoff": "65s",
                "backoff_factor": 1.5,
            },
            "initial_replicas": 4,
        }
    )

    assert pool_arguments(pool) == {
        "autoscaler": {"kind": "on_demand"},
        "idle_timeout_s": 61.0,
        "min_replicas": 2,
        "max_replicas": 9,
        "bounds": None,
        "concurrency_limit": 8,
        "concurrency_target": 3.5,
        "buffer_replicas": 1,
        "max_queued": 77,
        "queue_timeout_s": 62.0,
        "rate_limit": (5.0, 6.0),
        "at_zero": ("hold_for", 63.0),
        "binding": "shared",
        "cancel_setups": True,
        "routing": "round_robin",
        "slowdown": 0.25,
        "keep_alive": {
            "bin_s": 60.0,
            "range_s": 3600.0,
            "head": 0.1,
            "tail": 0.99,
            "margin": 0.1,
            "cv_threshold": 2.0,
            "most_out_of_bounds": 0.5,
        },
        "failures": {"max_attempts": 3, "backoff_s": 65.0, "backoff_factor": 1.5},
        "initial_replicas": 4,
    }


def test_no_setting_of_a_pool_is_forgotten():
    arguments = pool_arguments(Pool())

    reached = {name.removesuffix("_s") for name in arguments}
    assert reached == set(Pool.model_fields) - {"schedule"} | {"bounds"}


_AT_NIGHT = {
    "min_replicas": 2,
    "max_replicas": 9,
    "schedule": [{"when": "22:00-06:00", "max_replicas": 3, "min_replicas": 1}],
}


def test_a_schedule_becomes_bounds_from_the_start_to_the_horizon():
    pool = Pool.model_validate(_AT_NIGHT)
    start = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

    arguments = pool_arguments(pool, start, 1.5 * DAY)

    assert (arguments["min_replicas"], arguments["max_replicas"]) == (2, 9)
    assert arguments["bounds"] == [
        (10 * 3600.0, 1, 3),
        (18 * 3600.0, 2, 9),
        (34 * 3600.0, 1, 3),
    ]
    assert check_settings(**arguments, **DEFAULTS).bounds_min.tolist() == [1, 2, 1]


def test_a_run_that_starts_within_an_entry_has_its_bounds_from_the_start():
    pool = Pool.model_validate(_AT_NIGHT)

    arguments = pool_arguments(pool, datetime(2026, 3, 2, 23, 0, tzinfo=UTC), DAY)

    assert (arguments["min_replicas"], arguments["max_replicas"]) == (1, 3)


def test_a_schedule_without_a_start_is_refused():
    with pytest.raises(ValueError, match="a schedule needs the scenario's start"):
        pool_arguments(Pool.model_validate(_AT_NIGHT))


def test_a_schedule_that_contradicts_the_pool_is_refused_by_its_key():
    pool = Pool.model_validate(
        {"max_replicas": 4, "schedule": [{"when": "Sat", "min_replicas": 5}]}
    )

    with pytest.raises(ScenarioError) as refusal:
        pool_arguments(pool, datetime(2026, 3, 2, tzinfo=UTC), 7 * DAY)

    (problem,) = refusal.value.problems
    assert problem.key == "schedule.0.min_replicas"
    assert problem.message == (
        "from 2026-03-07T00:00 on min_replicas (5, of entry 0) must not exceed "
        "max_replicas (4, the pool's own)"
    )


def test_what_is_left_out_is_the_engines_own_default():
    arguments = pool_arguments(Pool())

    assert arguments["idle_timeout_s"] == 60.0
    assert arguments["at_zero"] == "hold"
    unbounded = ("max_replicas", "max_queued", "queue_timeout_s", "rate_limit")
    assert [arguments[name] for name in unbounded] == [None] * 4


def test_never_is_an_endless_timeout():
    pool = Pool.model_validate({"idle_timeout": "never"})

    assert pool_arguments(pool)["idle_timeout_s"] == math.inf


_KINDS = get_args(get_args(Autoscaler)[0])
_MORE = {
    "request_count": {"requests_per_replica": 2.5},
    "hpa": {"target": 2.5},
    "keda": {"target": 2.5},
    "request_rate": {"target": "2.5/s"},
    "step_tracking": {"target_rate": "2.5/s"},
}


@pytest.mark.parametrize(
    "kind", [one.model_fields["kind"].annotation for one in _KINDS]
)
def test_the_engine_takes_every_autoscaler_with_all_of_its_parameters(kind):
    (name,) = get_args(kind)
    pool = Pool.model_validate(
        {
            "autoscaler": {"kind": name, **_MORE.get(name, {})},
            "min_replicas": 1,
            "max_replicas": 1,
        }
    )

    arguments = pool_arguments(pool)

    assert arguments["autoscaler"]["kind"] == name
    assert len(arguments["autoscaler"]) == len(type(pool.autoscaler).model_fields)
    assert check_settings(**arguments, **DEFAULTS).min_replicas == 1


def test_parameters_of_an_autoscaler_carry_their_unit():
    pool = Pool.model_validate(
        {
            "autoscaler": {
                "kind": "concurrency_window",
                "scaling_interval": "6s",
                "scaling_window": "70s",
                "target_utilization": 0.8,
                "scale_down_delay": "5m",
                "max_scale_down_fraction": 0.25,
            }
        }
    )

    assert pool_arguments(pool)["autoscaler"] == {
        "kind": "concurrency_window",
        "scaling_interval_s": 6.0,
        "scaling_window_s": 70.0,
        "target_utilization": 0.8,
        "scale_down_delay_s": 300.0,
        "max_scale_down_fraction": 0.25,
    }


def test_what_holds_an_autoscaler_back_keeps_its_words_and_units():
    pool = Pool.model_validate(
        {
            "autoscaler": {
                "kind": "hpa",
                "target": 3.0,
                "scale_up": {"replicas": 2, "replicas_period": "1m", "select": "min"},
                "scale_down": {"stabilization": "2m"},
            }
        }
    )

    autoscaler = pool_arguments(pool)["autoscaler"]
    rules = check_settings(**pool_arguments(pool), **DEFAULTS).rules

    assert autoscaler["scale_up"]["replicas_period_s"] == 60.0
    assert (rules.up_replicas, rules.up_replicas_period_s, rules.up_fraction) == (
        2,
        60,
        0,
    )
    assert (rules.up_select, rules.up_stabilization_s) == (1, 0.0)
    # with no limit of one's own, those of the house
    assert (rules.down_replicas, rules.down_fraction) == (0, 1.0)
    assert rules.down_stabilization_s == 120.0


def test_rates_reach_the_engine_per_second():
    spec = {"kind": "step_tracking", "target_rate": "90/m"}
    pool = Pool.model_validate({"autoscaler": spec})

    autoscaler = pool_arguments(pool)["autoscaler"]

    assert (autoscaler["target_rate_per_s"], autoscaler["target"]) == (1.5, None)


@pytest.mark.parametrize(
    ("autoscaler", "others", "key"),
    [
        ({"kind": "keda", "target": 1.0}, {"at_zero": "reject"}, "at_zero"),
        ({"kind": "hpa", "target": 0.5, "metric": "busy"}, {}, "min_replicas"),
        *[
            ({"kind": kind, **more}, {"concurrency_target": 1.0}, "concurrency_target")
            for kind, more in _MORE.items()
            if kind != "request_count"
        ],
    ],
)
def test_what_does_not_go_with_an_autoscaler_is_refused_by_its_key(
    autoscaler, others, key
):
    pool = Pool.model_validate({"autoscaler": autoscaler, **others})

    with pytest.raises(ValueError, match=f"^{key} must be"):
        check_settings(**pool_arguments(pool), **DEFAULTS)
