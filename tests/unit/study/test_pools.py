"""From a scenario's pool to the engine's arguments: nothing is dropped on the way."""

from __future__ import annotations

import math
from typing import get_args

import pytest

from costsim.scenario.pool import Autoscaler, Pool
from costsim.simulation.settings import check_settings
from costsim.study.pools import pool_arguments

DEFAULTS = {"horizon_s": None, "end": "drain", "slowdown": 0.0, "bounds": None}


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
            "initial_replicas": 4,
        }
    )

    assert pool_arguments(pool) == {
        "autoscaler": {"kind": "on_demand"},
        "idle_timeout_s": 61.0,
        "min_replicas": 2,
        "max_replicas": 9,
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
        "initial_replicas": 4,
    }


def test_no_setting_of_a_pool_is_forgotten():
    arguments = pool_arguments(Pool())

    reached = {name.removesuffix("_s") for name in arguments}
    assert reached == set(Pool.model_fields)


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
_MORE = {"request_count": {"requests_per_replica": 2.5}}


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
