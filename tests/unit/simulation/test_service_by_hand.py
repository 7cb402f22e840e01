"""Pools that slow down with load, and replicas that fail, worked out by hand.

The reference is judged by the same numbers as the kernel (docs/model.md 10 and 11).
"""

import importlib
import math

import numpy as np
import pytest

SERVED, REJECTED, TIMED_OUT, UNFINISHED, FAILED = range(5)
INF = math.inf


@pytest.fixture(params=["reference", "costsim"])
def simulate(request):
    """Return the simulator, with setups of the same length each."""
    engine = importlib.import_module(request.param)

    def run(arrival_s, service_time_s, setup_s=1.0, **settings):
        arrays = (np.array(x, dtype=float) for x in (arrival_s, service_time_s))
        return engine.simulate_pool(*arrays, np.full(20, setup_s), **settings)

    return run


def columns(records, *names):
    """Return rows of the columns named, with None for NaN."""
    rows = zip(*(records[name].tolist() for name in names), strict=True)
    return [tuple(None if x != x else x for x in row) for row in rows]


def one_replica(limit):
    """Return the settings of a pool of one warm replica, for ever."""
    return {"min_replicas": 1, "max_replicas": 1, "concurrency_limit": limit}


def failing(*lifetimes, then=INF, **failures):
    """Return failures: the lifetimes of the first replicas, then that of all others."""
    lifetime_s = np.concatenate([lifetimes, np.full(20, then)])
    return {"lifetime_s": lifetime_s, **failures}


# 10: slowdown


def test_two_requests_share_a_replica(simulate):
    pool = simulate([0, 2], [4, 1], slowdown=1.0, **one_replica(9))

    # [0, 2): the first alone, 2 of its 4 s done. Both at 1/2: the second, of 1 s, takes
    # 2 s until 4; the first has done 1 s more, and does its last one alone until 5.
    assert columns(pool.requests, "start_s", "departure_s") == [(0, 5), (2, 4)]
    assert columns(pool.replicas, "busy_s", "slot_s") == [(5, 5 + 2)]


def test_service_gets_faster_as_others_leave(simulate):
    pool = simulate([0, 0, 0], [1, 2, 3], slowdown=0.5, **one_replica(3))

    # Three at 1 / (1 + 0.5 * 2) = 1/2: the first leaves at 2, 1 and 2 s are left.
    # Two at 1 / 1.5: the second leaves after 1.5 s, at 3.5; the last has 1 s left.
    assert pool.requests["departure_s"] == pytest.approx([2, 3.5, 4.5])
    assert pool.replicas["slot_s"] == pytest.approx([2 + 3.5 + 4.5])


def test_a_queued_request_slows_nobody_down(simulate):
    pool = simulate([0, 0, 0], [2, 2, 1], slowdown=1.0, **one_replica(2))

    # Two at 1/2 end together, at 4. The first by index frees the slot: the third begins
    # then, and is alone at once, for the second has nothing left.
    departures = columns(pool.requests, "start_s", "departure_s")
    assert departures == [(0, 4), (0, 4), (4, 5)]


def test_replicas_do_not_slow_each_other_down(simulate):
    pool = simulate(
        *([0, 0, 1], [2, 2, 1]),
        slowdown=1.0,
        min_replicas=2,
        max_replicas=2,
        concurrency_limit=2,
        routing="least_loaded",
    )

    # The third joins replica 0, where 1 s is left: both at 1/2 until 3.
    assert columns(pool.requests, "replica", "departure_s") == [(0, 3), (1, 2), (0, 3)]
    assert columns(pool.replicas, "busy_s", "slot_s") == [(3, 3 + 2), (2, 2)]


def test_an_empty_replica_starts_afresh(simulate):
    pool = simulate([0, 0, 7], [1, 1, 1], slowdown=3.0, **one_replica(2))

    # Two at 1 / (1 + 3): both leave at 4. The third is alone, from 7 to 8.
    assert pool.requests["departure_s"].tolist() == [4, 4, 8]


def test_cut_service_that_shares_has_no_departure(simulate):
    settings = {**one_replica(2), "horizon_s": 3.0, "end": "cut"}

    pool = simulate([0, 0], [1, 9], slowdown=1.0, **settings)

    assert columns(pool.requests, "departure_s", "outcome") == [
        (2, SERVED),
        (None, UNFINISHED),
    ]
    assert columns(pool.replicas, "busy_s", "slot_s") == [(3, 2 + 3)]


# 11: failures


def test_a_request_is_lost_with_its_replica(simulate):
    pool = simulate([0], [10], setup_s=2.0, failures=failing(3))

    # Launched at 0, ready at 2, dead at 2 + 3. Nobody needs another one.
    names = ("start_s", "departure_s", "replica", "outcome")
    assert columns(pool.requests, *names) == [(2, None, 0, FAILED)]
    names = ("ready_s", "stop_s", "slot_s", "n_served")
    assert columns(pool.replicas, *names) == [(2, 5, 3, 0)]
    assert pool.end_s == 5


def test_backoff_grows_with_each_attempt(simulate):
    failures = failing(3, 4, max_attempts=3, backoff_s=1.0, backoff_factor=2.0)

    pool = simulate([0], [5], setup_s=2.0, failures=failures, idle_timeout_s=60.0)

    # Begins at 2, dies at 5, tries again 1 s later: launch at 6, ready at 8, dead at 12.
    # Tries again 1 x 2 s later: launch at 14, ready at 16, done at 21.
    names = ("start_s", "departure_s", "replica", "launched", "cold", "outcome")
    assert columns(pool.requests, *names) == [(16, 21, 2, 3, True, SERVED)]
    names = ("launch_s", "ready_s", "stop_s", "slot_s", "n_served")
    assert columns(pool.replicas, *names) == [
        (0, 2, 5, 3, 0),
        (6, 8, 12, 4, 0),
        (14, 16, 81, 5, 1),
    ]


def test_an_interrupted_request_waits_behind_the_others(simulate):
    failures = failing(2, max_attempts=2)

    pool = simulate([0, 1], [4, 1], failures=failures, max_replicas=1)

    # The first begins at 1 and is interrupted at 3, when the second waits: a launch for
    # that one. The first comes back at once, to the tail: 4 to 5, then 5 to 9.
    names = ("start_s", "departure_s", "launched", "cold")
    assert columns(pool.requests, *names) == [(5, 9, 1, True), (4, 5, 0, True)]
    assert pool.replicas["launch_s"].tolist() == [0, 3]


def test_a_completion_comes_before_the_failure_of_that_instant(simulate):
    pool = simulate([0, 4], [3, 1], failures=failing(3))

    # Ready at 1; the first is done at 1 + 3, when the replica dies. The second arrives
    # then and finds no replica.
    assert columns(pool.requests, "departure_s", "replica", "outcome") == [
        (4, 0, SERVED),
        (6, 1, SERVED),
    ]
    assert pool.replicas["stop_s"].tolist() == [4, 66]


def test_min_replicas_are_replaced_until_the_horizon(simulate):
    settings = {"min_replicas": 1, "idle_timeout_s": INF, "horizon_s": 10.0}

    pool = simulate([], [], failures=failing(then=3.0), **settings)

    # Dies at 3, replaced by one that is ready at 4; that dies at 7, is replaced by one
    # that is ready at 8. Its death at 11 is beyond the horizon, and alone.
    names = ("launch_s", "ready_s", "stop_s")
    lives = columns(pool.replicas, *names)
    assert lives == [(0, 0, 3), (3, 4, 7), (7, 8, None)]
    assert pool.end_s == 10


def test_without_a_horizon_failures_alone_end_the_run(simulate):
    pool = simulate(
        [], [], failures=failing(then=3.0), idle_timeout_s=INF, min_replicas=1
    )

    assert columns(pool.replicas, "ready_s", "stop_s") == [(0, None)]
    assert pool.end_s == 0


def test_a_retry_can_be_rejected(simulate):
    failures = failing(2, max_attempts=2)

    pool = simulate([0], [5], failures=failures, initial_replicas=1, at_zero="reject")

    # In service from 0 to 2; then nothing is ready: lost, but it wakes the pool.
    names = ("start_s", "departure_s", "replica", "launched", "cold", "outcome")
    assert columns(pool.requests, *names) == [(None, None, -1, 1, False, REJECTED)]
    names = ("launch_s", "stop_s", "slot_s")
    assert columns(pool.replicas, *names) == [(0, 2, 2), (2, 63, 0)]


def test_patience_begins_anew_with_a_retry(simulate):
    failures = failing(4, max_attempts=2)
    settings = {"initial_replicas": 1, "queue_timeout_s": 3.0, "setup_s": 10.0}

    pool = simulate([0], [5], failures=failures, **settings)

    # In service from 0 to 4, back at once, and gone at 4 + 3: ready would be at 14. Then
    # the replica idles for 60 s.
    names = ("start_s", "replica", "outcome")
    assert columns(pool.requests, *names) == [(None, -1, TIMED_OUT)]
    assert pool.replicas["stop_s"].tolist() == [4, 74]


def test_retried_work_begins_anew_and_is_shared_again(simulate):
    failures = failing(3, max_attempts=2)
    settings = {"initial_replicas": 1, "concurrency_limit": 2, "slowdown": 1.0}

    pool = simulate([0, 0], [4, 4], failures=failures, **settings)

    # Interrupted at 3, with 1.5 s done, which is lost. The first launches, both begin at
    # 4, at 1/2 each: done at 4 + 8.
    names = ("start_s", "departure_s", "launched")
    assert columns(pool.requests, *names) == [(4, 12, 1), (4, 12, 0)]
    names = ("busy_s", "slot_s", "n_served")
    assert columns(pool.replicas, *names) == [(3, 6, 0), (8, 16, 2)]


def test_a_request_that_backs_off_at_the_horizon_is_unfinished(simulate):
    failures = failing(2, max_attempts=2, backoff_s=5.0)
    settings = {"initial_replicas": 1, "horizon_s": 4.0, "end": "cut"}

    pool = simulate([0], [9], failures=failures, **settings)

    # Until it tries again it keeps what is known of its last attempt.
    names = ("start_s", "departure_s", "replica", "outcome")
    assert columns(pool.requests, *names) == [(0, None, 0, UNFINISHED)]
    assert columns(pool.replicas, "stop_s", "slot_s") == [(2, 2)]
    assert pool.end_s == 4


def test_too_few_lifetimes_are_refused(simulate):
    with pytest.raises(ValueError, match="lifetime_s"):
        simulate([0], [1], failures={"lifetime_s": np.array([])}, initial_replicas=1)
