"""KEDA by moments: what is in system, what is alive, the count that a poll sets.

Tables named after a test in github.com/kedacore/keda, pkg/scaling/executor, have its
numbers.
"""

import pytest
from compiled_policies import Keda, checked

# scale_scaledobjects_test.go: active or not, replicas, minReplicaCount, replicas set
POLLS = {
    "TestScaleToMinReplicasWhenNotActive": (0, 10, 0, 0),
    "TestScaleToMinReplicasFromLowerInitialReplicaCount": (0, 1, 5, 5),
    "TestScaleFromMinReplicasWhenActive": (1, 0, 0, 1),
    "from zero to the minimum": (1, 0, 5, 5),
    "active and more than the minimum": (1, 10, 5, 10),
    "not active and at the minimum": (0, 5, 5, 5),
    "not active at zero": (0, 0, 0, 0),
}


@pytest.mark.parametrize(
    ("in_system", "alive", "min_replicas", "expected"), POLLS.values(), ids=POLLS
)
def test_one_poll(in_system, alive, min_replicas, expected):
    assert Keda().polled(30, in_system, alive, min_replicas) == expected


def test_from_any_count_it_goes_straight_to_zero_after_the_cooldown():
    policy = Keda()
    policy.polled(30, 4, 7)

    polls = [policy.polled(now_s, 0, 7) for now_s in (60, 300, 330, 360)]

    # the cooldown must have passed: 30 + 300 is not before 330
    assert polls == [7, 7, 7, 0]


def test_each_active_poll_begins_the_cooldown_anew():
    policy = Keda(cooldown_s=60)

    polls = [policy.polled(t, n, 2) for t, n in ((30, 1), (60, 0), (90, 1), (150, 0))]

    assert [*polls, policy.polled(180, 0, 2)] == [2, 2, 2, 2, 0]


def test_what_was_never_active_goes_after_the_initial_cooldown():
    policy = Keda(initial_cooldown_s=60)

    assert [policy.polled(now_s, 0, 3) for now_s in (30, 60, 90)] == [3, 3, 0]


@pytest.mark.parametrize(("in_system", "expected"), [(4, 0), (5, 0), (6, 1)])
def test_only_more_than_the_activation_threshold_wakes_it(in_system, expected):
    assert Keda(activation_threshold=5).polled(30, in_system, 0) == expected


def test_a_load_below_the_activation_threshold_does_not_keep_it_up():
    policy = Keda(activation_threshold=5, cooldown_s=0)

    assert policy.polled(30, 5, 3) == 0


@pytest.mark.parametrize(
    ("parameters", "pool", "message"),
    [
        ({"polling_interval_s": 0}, {}, "polling_interval_s must be finite and > 0"),
        ({"cooldown_s": -1}, {}, "cooldown_s must be finite and >= 0"),
        ({"metric": "busy"}, {}, "got 'metric'"),
        ({}, {"at_zero": "reject"}, "at_zero must be 'hold' or"),
        ({}, {"concurrency_target": 2.0}, "concurrency_target must be left out"),
    ],
)
def test_what_does_not_go_with_it_is_refused_by_its_name(parameters, pool, message):
    with pytest.raises(ValueError, match=message):
        checked({"kind": "keda", "target": 1, **parameters}, **pool)
