"""Tracking by alarms, by datapoints: a load, replicas, the count that it sets.

The rules are those of AWS Application Auto Scaling for SageMaker endpoints; there is no
source to take tables from, so these are worked out by hand. The target is 10 a replica.
"""

import pytest
from compiled_policies import StepTracking, checked


def followed(policy, loads, alive, interval_s=60.0, lag=0):
    """Return the counts when each load is a datapoint; replicas are ready `lag` later."""
    counts = []
    history = [alive] * (lag + 1)
    for k, load in enumerate(loads, 1):
        ready = min(history[-(lag + 1) :])
        alive = policy.desired(k * interval_s, load, alive, ready)
        history.append(alive)
        counts.append(alive)
    return counts


def test_three_datapoints_above_the_target_scale_out():
    assert followed(StepTracking(), [25, 25, 25], alive=1) == [1, 1, 3]


def test_a_datapoint_at_the_target_breaks_the_row():
    assert followed(StepTracking(), [25, 25, 10, 25, 25, 25], alive=1)[-2:] == [1, 3]


def test_fifteen_datapoints_below_nine_tenths_of_it_scale_in():
    assert followed(StepTracking(), [30] * 15, alive=5) == [5] * 14 + [3]


def test_nine_tenths_is_not_low():
    assert followed(StepTracking(), [45] * 40, alive=5) == [5] * 40


def test_scaling_in_goes_no_lower_than_the_ceiling_of_the_ratio():
    assert followed(StepTracking(), [1] * 40, alive=2)[-1] == 1


def test_without_load_it_scales_in_to_zero():
    assert followed(StepTracking(), [0] * 15, alive=2)[-1] == 0


def test_work_keeps_one_alive():
    policy = StepTracking(low_datapoints=1)

    assert policy.desired(60, 0, 2, in_system=1) == 1


def test_bounds_hold_both_ways():
    policy = StepTracking(high_datapoints=1, low_datapoints=1)

    counts = [
        policy.desired(60, 90, 2, bounds=(1, 4)),
        policy.desired(120, 0, 4, bounds=(1, 4)),
    ]

    assert counts == [4, 1]


def test_during_the_cooldown_what_was_added_does_not_multiply_the_ratio():
    # one replica of 30 requests wants 3; the new ones take ten datapoints to be ready
    counts = followed(StepTracking(), [30] * 7, alive=1, lag=10)

    assert counts == [1, 1, 3, 3, 3, 3, 3]


def test_after_the_cooldown_it_does():
    # as it does at AWS: 3 replicas, and the one that serves is still three times too full
    counts = followed(StepTracking(), [30] * 8, alive=1, lag=10)

    assert counts[-1] == 9


def test_a_larger_scale_out_does_not_wait_for_the_cooldown():
    assert followed(StepTracking(), [30, 30, 30, 60], alive=1, lag=10)[-2:] == [3, 6]


def test_scaling_in_waits_for_the_last_one():
    policy = StepTracking(low_datapoints=1, down_cooldown_s=120)

    assert followed(policy, [45, 40, 0, 0], alive=6) == [5, 5, 0, 0]


def test_without_a_ready_replica_there_is_no_datapoint():
    policy = StepTracking()
    policy.desired(60, 30, 1)
    policy.desired(120, 30, 1)

    assert policy.desired(180, 30, 1, ready=0) == 1
    assert policy.memory["n_high"] == 0


@pytest.mark.parametrize(
    ("knocked", "in_system", "expected"), [(0, 0, 0), (1, 0, 1), (0, 3, 1)]
)
def test_at_zero_requests_without_capacity_wake_it_by_one(knocked, in_system, expected):
    policy = StepTracking()
    policy.memory["without_capacity"] = knocked

    assert policy.desired(60, 0, 0, in_system=in_system) == expected


def test_the_alarm_for_missing_capacity_is_not_remembered():
    policy = StepTracking()
    policy.memory["without_capacity"] = 1

    counts = [policy.desired(60, 0, 1), policy.desired(120, 0, 0)]

    assert counts == [1, 0]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "either target or target_rate_per_s"),
        ({"target": 1, "target_rate_per_s": 1}, "either target or target_rate_per_s"),
        ({"target_rate_per_s": 0}, "target_rate_per_s must be finite and > 0"),
        ({"target": 1, "high_datapoints": 0}, "high_datapoints must be"),
        ({"target": 1, "low_fraction": 1.1}, "low_fraction must be at most 1"),
    ],
)
def test_a_parameter_out_of_range_is_refused_by_its_name(parameters, message):
    with pytest.raises(ValueError, match=message):
        checked({"kind": "step_tracking", **parameters})
