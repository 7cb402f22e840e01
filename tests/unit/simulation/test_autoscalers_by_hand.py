"""Pools under each autoscaler, small enough to work out by hand (docs/model.md 9)."""

import importlib

import numpy as np
import pytest


@pytest.fixture(params=["reference", "costsim"])
def simulate(request):
    engine = importlib.import_module(request.param)

    def run(arrival_s, service_time_s, setup_time_s=5.0, **settings):
        arrivals = np.array(arrival_s, dtype=float)
        services = np.broadcast_to(
            np.array(service_time_s, dtype=float), arrivals.shape
        )
        setups = np.full(1000, setup_time_s)
        return engine.simulate_pool(arrivals, services, setups, **settings)

    return run


def lives(pool):
    """Return when each replica was launched and stopped."""
    return [(x["launch_s"], x["stop_s"]) for x in pool.replicas]


def launches(pool):
    """Return how many replicas were launched at which time."""
    times, counts = np.unique(pool.replicas["launch_s"], return_counts=True)
    return dict(zip(times.tolist(), counts.tolist(), strict=True))


# --- 9.2, Knative


def test_one_request_wakes_two_one_slot_replicas_at_once(simulate):
    # 1 in system at a target of 0.7: two, which is twice the one that counts: a panic
    pool = simulate([3.0], 2.0, autoscaler="knative")

    assert pool.requests["launched"].tolist() == [2]
    assert pool.requests["start_s"].tolist() == [8.0]
    # The panic was last extended at 6 s, when none was ready, and ends after 66 s. Then
    # the request, until 10 s, still counts; one tick makes the pool inactive, and the
    # activator has been in its path since 3 s.
    assert lives(pool) == [(3.0, 72.0), (3.0, 68.0)]


def test_at_full_utilization_it_wakes_one(simulate):
    autoscaler = {"kind": "knative", "target_utilization": 1.0}

    pool = simulate([3.0], 2.0, autoscaler=autoscaler)

    # its second ends at 10 s and leaves the window at 70 s; active since the tick at 8 s
    assert lives(pool) == [(3.0, 72.0)]


def test_without_an_activator_in_the_path_it_waits_for_the_grace_period(simulate):
    autoscaler = {
        "kind": "knative",
        "target_utilization": 1.0,
        "target_burst_capacity": 0.0,
    }

    pool = simulate([3.0], 2.0, autoscaler=autoscaler)

    assert lives(pool) == [(3.0, 100.0)]


def test_a_retention_keeps_the_last_replica(simulate):
    autoscaler = {"kind": "knative", "target_utilization": 1.0, "retention_s": 60.0}

    assert lives(simulate([3.0], 2.0, autoscaler=autoscaler)) == [(3.0, 130.0)]


def test_a_pool_that_nobody_waits_for_any_more_is_given_up(simulate):
    autoscaler = {"kind": "knative", "target_utilization": 1.0}

    pool = simulate(
        [3.0], 2.0, setup_time_s=1000.0, autoscaler=autoscaler, queue_timeout_s=1.0
    )

    # at 64 s the second of the request has left the window, and there are no later data:
    # that decision stands, and 630 s after the launch it may be carried out
    assert lives(pool) == [(3.0, 634.0)]


def test_a_burst_jumps_to_what_the_panic_window_wants(simulate):
    # 200 within slots for 100, a target of 70: at the poke 1, at the tick 3
    pool = simulate(
        np.full(200, 3.0), 30.0, autoscaler="knative", concurrency_limit=100
    )

    assert launches(pool) == {3.0: 1, 4.0: 2}


def test_a_pool_that_starts_with_two_keeps_them_for_a_window(simulate):
    pool = simulate([], [], autoscaler="knative", initial_replicas=2)

    # the panic that it begins with ends at 62 s; 64 s is the second tick at zero
    assert lives(pool) == [(0.0, 66.0), (0.0, 62.0)]


def test_a_scale_down_delay_holds_the_largest_count(simulate):
    autoscaler = {"kind": "knative", "target_utilization": 1.0}
    plain = simulate([3.0], 2.0, autoscaler=autoscaler)

    held = simulate([3.0], 2.0, autoscaler={**autoscaler, "scale_down_delay_s": 60})

    assert held.replicas["stop_s"] - plain.replicas["stop_s"] == 58.0


# --- 9.3, Kubernetes' autoscaler


def test_it_grows_by_four_or_doubles_every_15_seconds(simulate):
    pool = simulate(
        np.full(30, 1.0),
        100.0,
        autoscaler={"kind": "hpa", "target": 1.0},
        min_replicas=1,
        horizon_s=100.0,
        end="cut",
    )

    assert launches(pool) == {0.0: 1, 15.0: 4, 30.0: 5, 45.0: 10, 60.0: 10}


def test_the_way_down_waits_five_minutes_and_is_one_step(simulate):
    pool = simulate(
        np.full(3, 1.0),
        20.0,
        setup_time_s=0.0,
        autoscaler={"kind": "hpa", "target": 1.0},
        min_replicas=1,
    )

    # 3 at 15 s; one request until 21 s, two from 15 s to 35 s: 2 proposed at 30 s, 0 from
    # 45 s on; 3 is forgotten at 315 s, 2 at 330 s
    assert pool.replicas["stop_s"][1:].tolist() == [330.0, 315.0]


def test_busy_replicas_ask_for_more_but_new_ones_count_as_idle(simulate):
    # one always busy at a target of a half: two; the second is not measured at 30 s
    pool = simulate(
        [0.0],
        100.0,
        autoscaler={"kind": "hpa", "metric": "busy", "target": 0.5},
        min_replicas=1,
        horizon_s=70.0,
        end="cut",
    )

    assert launches(pool) == {0.0: 1, 15.0: 1}


# --- 9.3.6, KEDA


def test_only_a_poll_wakes_it_and_the_cooldown_must_have_passed(simulate):
    pool = simulate([3.0], 10.0, autoscaler={"kind": "keda", "target": 1.0})

    assert pool.requests["launched"].tolist() == [0]
    assert pool.requests["start_s"].tolist() == [35.0]
    # active at 30 s only; 330 s is not after 30 s + 300 s
    assert lives(pool) == [(30.0, 360.0)]


def test_from_one_on_the_autoscaler_decides(simulate):
    pool = simulate(
        np.full(20, 3.0),
        100.0,
        autoscaler={"kind": "keda", "target": 2.0},
        horizon_s=80.0,
        end="cut",
    )

    # the tick at 30 s comes before the poll and does nothing at zero
    assert launches(pool) == {30.0: 1, 45.0: 4, 60.0: 5}


def test_it_goes_from_any_count_to_zero_and_lets_the_busy_finish(simulate):
    autoscaler = {
        "kind": "keda",
        "target": 1.0,
        "cooldown_s": 0.0,
        "activation_threshold": 2,
    }

    pool = simulate(
        [3.0, 3.0, 3.0], [5.0, 5.0, 100.0], setup_time_s=0.0, autoscaler=autoscaler
    )

    # three at the poll at 30 s; at 45 s two wait and one is served, so three are wanted
    assert pool.requests["departure_s"].tolist() == [35.0, 40.0, 140.0]
    # at the poll at 60 s one is in system, too few
    assert lives(pool) == [(30.0, 140.0)]


def test_too_few_to_be_active_wait_for_ever(simulate):
    autoscaler = {"kind": "keda", "target": 1.0, "activation_threshold": 5}

    pool = simulate([3.0], 1.0, autoscaler=autoscaler)

    assert pool.requests["outcome"].tolist() == [3]
    assert pool.end_s == 3.0


# --- 9.5.2, a rate of requests


def test_the_first_request_wakes_it_and_the_next_replica_waits_for_the_delay(simulate):
    arrivals = np.arange(0.0, 400.0, 0.5)

    pool = simulate(
        arrivals,
        0.25,
        autoscaler={"kind": "request_rate", "target": 1.0},
        horizon_s=400.0,
        end="cut",
    )

    assert launches(pool) == {0.0: 1, 300.0: 1}


def test_the_way_down_waits_for_its_own_delay(simulate):
    pool = simulate([0.0], 1.0, autoscaler={"kind": "request_rate", "target": 1.0})

    assert lives(pool) == [(0.0, 600.0)]


# --- 9.5.3, alarms


def test_lost_requests_wake_it_at_the_next_datapoint(simulate):
    pool = simulate(
        [5.0, 7.0, 90.0],
        1.0,
        setup_time_s=20.0,
        autoscaler={"kind": "step_tracking", "target": 1.0},
        at_zero="reject",
    )

    assert pool.requests["outcome"].tolist() == [1, 1, 0]
    # low from 120 s on, fifteen times
    assert lives(pool) == [(60.0, 960.0)]


def test_held_requests_wake_it_too(simulate):
    pool = simulate([5.0], 1.0, autoscaler={"kind": "step_tracking", "target": 1.0})

    assert pool.requests["start_s"].tolist() == [65.0]
    assert pool.requests["launched"].tolist() == [0]


def test_the_rate_of_arrivals_counts_those_that_were_rejected(simulate):
    # two a second, of which one finds room; the target is one a second
    arrivals = np.arange(0.25, 200.0, 0.5)

    pool = simulate(
        arrivals,
        1.0,
        autoscaler={"kind": "step_tracking", "target_rate_per_s": 1.0},
        min_replicas=1,
        max_queued=0,
        horizon_s=200.0,
        end="cut",
    )

    assert launches(pool) == {0.0: 1, 180.0: 1}
