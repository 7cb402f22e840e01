"""Knative's autoscaler by moments: a time, a load, the count that it answers with.

Tables named after a test in github.com/knative/serving have its numbers.
"""

import pytest
from compiled_policies import Knative, checked

UPSTREAM = {
    "target_utilization": 1.0,
    "max_scale_up_rate": 10.0,
    "max_scale_down_rate": 10.0,
}
"""newTestAutoscaler of pkg/autoscaler/scaling/autoscaler_test.go; window 60 s, panic at 2."""


def upstream(target, started_with=1, **changed):
    return Knative(
        started_with, {"concurrency_target": target}, **{**UPSTREAM, **changed}
    )


def answers(policy, moments):
    """Return what it wants at each (time, ready, stable, panic)."""
    return [policy.desired(*moment) for moment in moments]


# --- pkg/autoscaler/scaling/autoscaler_test.go

STEADY = {
    # target, changes, ready pods, stable and panic load, desired
    "AutoscalerNoDataAtZeroNoAutoscale": (10, {}, 1, 0, 0, 0),
    "AutoscalerStableModeUnlimitedTBC": (181, {}, 1, 21, 26, 1),
    "Autoscaler0TBC": (10, {}, 1, 50, 49, 5),
    "AutoscalerStableModeNoChange": (10, {}, 1, 50, 50, 5),
    "AutoscalerStableModeNoChangeAlreadyScaled": (10, {}, 5, 50, 50, 5),
    "AutoscalerStableModeIncreaseWithSmallScaleUpRate": (
        *(1, {"max_scale_up_rate": 1.1}),
        *(2, 3, 3.1, 3),
    ),
    "AutoscalerStableModeDecreaseWithSmallScaleDownRate": (
        *(10, {"max_scale_down_rate": 1.1}),
        *(100, 1, 1, 90),
    ),
    "AutoscalerPanicModeDoublePodCount": (10, {}, 1, 50, 100, 10),
    "StableModeIncreaseWithConcurrencyDefault": (10, {}, 1, 50, 10, 5),
    "StableModeDecrease": (10, {}, 8, 100, 100, 10),
    "UseOnePodAsMinimumIfEndpointsNotFound": (10, {}, 0, 1000, 888, 10),
    "RateLimitScaleUp": (10, {}, 1, 1000, 1001, 10),
    "RateLimitScaleDown": (10, {}, 100, 1, 1, 10),
    "RateLimitScaleDown, again": (10, {}, 10, 1, 1, 1),
}


@pytest.mark.parametrize(
    ("target", "changed", "ready", "stable", "panic", "expected"),
    STEADY.values(),
    ids=STEADY,
)
def test_one_decision(target, changed, ready, stable, panic, expected):
    policy = upstream(target, **changed)

    assert policy.desired(0, ready, stable, panic) == expected


@pytest.mark.parametrize(("stable", "panic", "expected"), [(50, 30, 50), (20, 30, 30)])
def test_in_panic_the_larger_window_counts(stable, panic, expected):
    # AutoscalerPanicStableLargerThanPanic, AutoscalerPanicStableLessThanPanic
    policy = upstream(1)
    policy.memory["panic_since_s"], policy.memory["panic_replicas"] = 0.0, 5

    assert policy.desired(5, 5, stable, panic) == expected


SEQUENCES = {
    "TestAutoscalerUnpanicAfterSlowIncrease": (
        *(1, {}, 1),
        [(0, 10, 11, 25, 25), (30, 40, 30, 41, 41), (62, 55, 50, 56, 50)],
    ),
    "TestAutoscalerExtendPanicWindow": (
        *(1, {}, 1),
        [(0, 10, 11, 25, 25), (30, 40, 30, 80, 80), (62, 80, 30, 30, 80)],
    ),
    "TestAutoscalerStableModeDecrease": (
        *(10, {}, 1),
        [(0, 8, 100, 100, 10), (2, 8, 50, 50, 5)],
    ),
    "TestAutoscalerStableModeNoTrafficScaleToZero": (
        *(10, {}, 1),
        [(0, 1, 1, 0, 1), (2, 1, 0, 0, 0)],
    ),
    "TestAutoscalerActivationScale": (
        *(10, {"activation_scale": 2}, 1),
        [(0, 1, 0, 0, 0), (2, 1, 1, 0, 2)],
    ),
    "TestAutoscalerPanicModeExponentialTrackAndStabilize": (
        *(1, {}, 1),
        [
            *[(0, 1, 6, 6, 6), (1, 6, 36, 36, 36), (2, 36, 216, 216, 216)],
            *[(3, 216, 1296, 1296, 1296), (4, 1296, 1296, 1296, 1296)],
        ],
    ),
    "TestAutoscalerPanicThenUnPanicScaleDown": (
        *(10, {}, 1),
        [
            *[(0, 1, 100, 100, 10), (1, 10, 100, 1000, 100)],
            *[(31, 10, 1, 1, 100), (62, 10, 1, 1, 1)],
        ],
    ),
    "TestAutoscalerScaleDownDelay simple": (
        *(10, {"scale_down_delay_s": 300, "panic_threshold": 10}, 0),
        [(2, 0, 40, 40, 4), (300, 0, 0, 0, 4), (302, 0, 0, 0, 0)],
    ),
    "TestAutoscalerScaleDownDelay gradual": (
        *(10, {"scale_down_delay_s": 300, "panic_threshold": 10}, 0),
        [
            *[(540, 0, 40, 40, 4), (600, 0, 30, 30, 4), (660, 0, 0, 0, 4)],
            *[(840, 0, 0, 0, 3), (900, 0, 0, 0, 0)],
        ],
    ),
    "TestAutoscalerScaleDownDelayZero": (
        *(10, {"panic_threshold": 10}, 0),
        [(0, 0, 40, 40, 4), (0.5, 0, 20, 20, 2)],
    ),
}


@pytest.mark.parametrize(
    ("target", "changed", "started_with", "moments"), SEQUENCES.values(), ids=SEQUENCES
)
def test_decisions_in_a_row(target, changed, started_with, moments):
    policy = upstream(target, started_with, **changed)

    found = answers(policy, [moment[:4] for moment in moments])

    assert found == [moment[4] for moment in moments]


@pytest.mark.parametrize(
    ("started_with", "panics"), [(0, False), (1, False), (2, True)]
)
def test_it_begins_in_panic_with_more_than_one_ready(started_with, panics):
    # TestStartInPanicMode
    policy = Knative(started_with)

    assert (policy.memory["panic_since_s"] == 0.0) == panics
    assert policy.memory["panic_replicas"] == started_with


def test_the_panic_it_begins_with_keeps_its_replicas_for_a_window():
    policy = upstream(10, started_with=8)

    found = answers(policy, [(2, 8, 0, 0), (60, 8, 0, 0), (62, 8, 0, 0)])

    assert found == [8, 8, 0]


# --- The target (resources/target.go)


@pytest.mark.parametrize(
    ("limit", "target", "utilization", "load", "replicas"),
    [
        (1, None, 0.7, 0.7, 1),
        (1, None, 0.7, 1.0, 2),  # one steady request on one-slot replicas: two of them
        (1, None, 1.0, 1.0, 1),
        (12, None, 0.75, 9.0, 1),  # "container concurrency 12 ... TU annotation 75%"
        (12, None, 0.75, 9.1, 2),
        (1000, 100, 0.7, 1.0, 1),  # the default of no limit: 100, and 70 of it
        (1000, 100, 0.7, 200.0, 3),
        (10, 1, 1.0, 2.0, 2),  # "concurrency greater than target annotation (ok)"
        (1, 0.01, 0.5, 0.02, 2),  # no target is below 0.01
    ],
)
def test_the_target_is_the_pools_times_the_utilization(
    limit, target, utilization, load, replicas
):
    pool = {"concurrency_limit": limit, "concurrency_target": target}
    policy = Knative(1, pool, target_utilization=utilization)

    assert policy.desired(2, 1, load, load) == replicas


def test_a_burst_from_zero_panics_and_jumps():
    # 200 at once at a target of 70: three are twice as many as the one that counts
    policy = Knative(0, {"concurrency_target": 100})

    assert policy.desired(2, 0, 200, 200) == 3
    assert policy.memory["panic_since_s"] == 2.0


# --- pkg/autoscaler/aggregation/bucketing_test.go, in windows of 6 s and more

SHORT = {"scaling_window_s": 6, "panic_window_fraction": 0.5}


def closed(policy, loads, first=0, ready=1):
    for second, load in enumerate(loads, first):
        policy.close(second, load, ready)
    return policy


def test_the_mean_is_over_the_seconds_that_there_are():
    # TestTimedFloat64BucketsWindowAverage, where it would else be 0.2
    assert closed(Knative(), [1]).means(1) == (1.0, 1.0)


def test_the_mean_is_over_the_window_once_it_is_full():
    policy = closed(Knative(**SHORT), range(1, 9))

    assert policy.means(8) == ((3 + 4 + 5 + 6 + 7 + 8) / 6, (6 + 7 + 8) / 3)


def test_seconds_without_data_at_the_end_shorten_the_window():
    # "check with short hole": the average of what is left of the window
    policy = closed(Knative(**SHORT), range(1, 7))
    closed(policy, [0, 0], first=6, ready=0)

    assert policy.means(8) == ((3 + 4 + 5 + 6) / 4, 6.0)


def test_a_window_without_data_has_no_load():
    # "check with a long hole"
    policy = closed(Knative(**SHORT), range(1, 7))
    closed(policy, [0] * 6, first=6, ready=0)

    assert policy.means(12) == (0.0, 0.0)


def test_a_hole_shorter_than_the_window_counts_as_no_load():
    # "check write with holes"
    policy = closed(Knative(**SHORT), range(1, 7))
    closed(policy, [0], first=6, ready=0)
    closed(policy, [91], first=7)

    assert policy.means(8)[0] == pytest.approx((3 + 4 + 5 + 6 + 0 + 91) / 6, abs=1e-6)


def test_after_a_hole_as_long_as_the_window_it_begins_anew():
    # "advance much farther"
    policy = closed(Knative(**SHORT), [1, 2, 3])
    closed(policy, [0] * 5, first=3, ready=0)
    closed(policy, [1984], first=8)

    assert policy.means(9) == (1984.0, 1984.0)


def test_the_panic_window_begins_anew_after_a_hole_of_its_own_length():
    policy = closed(Knative(**SHORT), [1, 2, 3])
    closed(policy, [0] * 2, first=3, ready=0)
    closed(policy, [8], first=5)

    assert policy.means(6) == pytest.approx((14 / 6, 8.0), abs=1e-6)


def test_one_second_less_of_a_hole_and_it_does_not():
    policy = closed(Knative(**SHORT), [1, 2, 3])
    closed(policy, [0] * 4, first=3, ready=0)
    closed(policy, [1984], first=7)

    assert policy.means(8)[0] == pytest.approx((3 + 1984) / 6, abs=1e-6)


def test_a_mean_is_rounded_down_to_six_digits():
    # TestRoundToNDigits
    assert closed(Knative(), [3.6e-7]).means(1) == (0.0, 0.0)
    assert closed(Knative(), [1.2345678]).means(1) == (1.234567, 1.234567)


def test_a_second_with_a_ready_replica_and_no_load_is_data():
    assert closed(Knative(), [4, 0, 0, 0]).means(4) == (1.0, 1.0)


def test_a_request_that_finds_nothing_alive_counts_as_one_at_once():
    policy = Knative()
    policy.poke(7)

    assert policy.means(7) == (1.0, 1.0)
    assert policy.desired(7.5, 0, *policy.means(7)) == 1


def test_it_counts_as_one_when_its_second_has_ended():
    policy = closed(Knative(), [0] * 7, ready=0)
    policy.poke(7)
    closed(policy, [0.5], first=7, ready=0)

    assert policy.means(8) == (1.0, 1.0)


def test_a_poke_after_a_short_absence_counts_into_the_old_window():
    policy = closed(Knative(scaling_window_s=60), [1] * 10)
    closed(policy, [0] * 10, first=10, ready=0)
    policy.poke(20)

    assert policy.means(20)[0] == pytest.approx(11 / 21, abs=1e-6)


def test_a_poke_pushes_the_oldest_second_out_of_a_full_window():
    policy = closed(Knative(**SHORT), [60, *[0] * 5])
    policy.poke(6)

    assert policy.means(6) == pytest.approx((1 / 6, 1 / 3), abs=1e-6)


def test_sums_of_a_year_lose_nothing():
    policy = Knative()
    policy.close(0, 3e9, 1)
    for second in range(1, 120):
        policy.close(second, 0.1, 1)

    assert policy.means(120) == (0.1, 0.1)


# --- pkg/reconciler/autoscaling/kpa/scaler_test.go

SW, GP = 60.0, 60.0
"""stableWindow and gracePeriod there."""


def marked(status, for_s, proxied_for_s=None, **parameters):
    """Return an autoscaler 1000 s old that has had a status for so long."""
    policy = Knative(1, scaling_window_s=SW, grace_period_s=GP, **parameters)
    policy.memory["status"] = ("inactive", "activating", "active").index(status)
    policy.memory["status_since_s"] = 1000.0 - for_s
    if proxied_for_s is not None:
        policy.memory["proxied_since_s"] = 1000.0 - proxied_for_s
    return policy


TO_ZERO = {
    # what it remembers, alive, count to go to
    "waits to scale to zero (just before idle period)": (
        *(marked("active", SW - 1), 1, 1),
    ),
    "scale to 1 waiting for idle expires": (marked("active", SW - 1), 10, 1),
    "waits to scale to zero after idle period": (marked("active", SW), 1, 1),
    "can scale to zero after grace period, but 0 PA retention": (
        *(marked("inactive", GP), 1, 0),
    ),
    "can't scale to zero after grace period, but before last pod retention": (
        *(marked("inactive", GP, retention_s=2 * GP), 1, 1),
    ),
    "scale to zero after grace period, and after last pod retention": (
        *(marked("inactive", GP, retention_s=GP), 1, 0),
    ),
    "scale to zero after grace period": (marked("inactive", GP), 1, 0),
    "waits to scale to zero (just before grace period)": (
        *(marked("inactive", GP - 1), 1, 1),
    ),
    "waits ... (just before grace period, sks short)": (
        *(marked("inactive", GP - 1, proxied_for_s=GP - 1), 1, 1),
    ),
    "... (just before grace period, sks in proxy long) and last pod timeout positive": (
        *(marked("inactive", GP - 1, proxied_for_s=GP, retention_s=42), 1, 0),
    ),
    "... (just before grace period, sks in proxy long)": (
        *(marked("inactive", GP - 1, proxied_for_s=GP), 1, 0),
    ),
}


@pytest.mark.parametrize(("policy", "alive", "expected"), TO_ZERO.values(), ids=TO_ZERO)
def test_the_last_replica_stops_in_steps(policy, alive, expected):
    assert policy.applied(1000, 0, ready=1, alive=alive) == expected


@pytest.mark.parametrize(("for_s", "expected"), [(315, 1), (630, 1), (631, 0)])
def test_a_pool_that_does_not_become_ready_is_given_up(for_s, expected):
    # "waits to scale to zero while activating until after deadline exceeded"
    policy = marked("activating", for_s)

    assert policy.applied(1000, 0, ready=0, alive=1) == expected


@pytest.mark.parametrize("status", ["inactive", "activating", "active"])
def test_up_there_is_no_waiting(status):
    # "scales up", "scale up inactive revision", "scales up from zero to desired one"
    assert marked(status, 5).applied(1000, 10) == 10


def test_from_the_last_request_to_zero():
    # a window until the mean is 0, then inactive, then the activator is long in the path
    policy = Knative(1)
    for now_s in range(2, 60, 2):
        policy.applied(now_s, 1, short=True)

    found = [policy.applied(now_s, 0, short=True) for now_s in (60, 62)]

    assert found == [1, 0]


def test_without_an_activator_in_the_path_the_grace_period_counts_from_inactive():
    policy = Knative(1)
    for now_s in range(2, 60, 2):
        policy.applied(now_s, 1)

    found = {now_s: policy.applied(now_s, 0) for now_s in range(60, 94, 2)}

    assert [now_s for now_s, count in found.items() if count == 0] == [90, 92]


def test_a_load_that_comes_back_starts_the_wait_anew():
    policy = marked("inactive", GP - 1)

    found = [policy.applied(1000 + t, n) for t, n in ((0, 1), (1, 0), (60, 0), (61, 0))]

    assert found == [1, 1, 1, 1]


# --- Excess burst capacity


@pytest.mark.parametrize(
    ("burst", "ready", "panic", "short"),
    [
        (-1, 1000, 0, True),  # always
        (0, 0, 500, False),  # at zero only
        (211, 2, 0, True),  # 200 slots
        (211, 3, 0, False),
        (211, 3, 89, False),
        (211, 3, 89.5, True),
    ],
)
def test_the_activator_stays_while_a_burst_would_find_too_few_slots(
    burst, ready, panic, short
):
    pool = {"concurrency_limit": 100}
    policy = Knative(1, pool, target_burst_capacity=burst)

    assert policy.lacks_burst_capacity(ready, panic) == short


# --- What is refused


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"scaling_window_s": 5}, "scaling_window_s must be finite and >= 6"),
        ({"scaling_window_s": 3601}, "scaling_window_s must be at most 3600"),
        ({"scaling_window_s": 60.5}, "scaling_window_s must be a whole number"),
        ({"panic_window_fraction": 0.01}, "panic_window_fraction must be at least"),
        ({"panic_threshold": 1.0}, "panic_threshold must be finite and >= 1.1"),
        ({"target_burst_capacity": -0.5}, "target_burst_capacity must be -1 or >= 0"),
        ({"max_scale_up_rate": 1.0}, "max_scale_up_rate"),
        ({"grace_period_s": 0}, "grace_period_s must be finite and > 0"),
        ({"activation_scale": 0}, "activation_scale"),
        ({"cooldown_s": 1}, "got 'cooldown_s'"),
    ],
)
def test_a_parameter_out_of_range_is_refused_by_its_name(parameters, message):
    with pytest.raises(ValueError, match=message):
        checked({"kind": "knative", **parameters})
