"""The histogram keep-alive policy, worked out by hand (docs/model.md 9.6).

The reference is judged by the same numbers as the kernel.
"""

import importlib
import math

import numpy as np
import pytest
from compiled_policies import called

from costsim.simulation.keepalive import window_bins

INF = math.inf
HOUR_S = 3600.0


@pytest.fixture(params=["reference", "costsim"])
def simulate(request):
    """Return the simulator, with setups of the same length each."""
    engine = importlib.import_module(request.param)

    def run(arrival_s, service_time_s, setup_s=0.0, **settings):
        arrays = (np.array(x, dtype=float) for x in (arrival_s, service_time_s))
        return engine.simulate_pool(*arrays, np.full(20, setup_s), **settings)

    return run


def lives(pool):
    """Return launch, ready and stop of every replica."""
    names = ("launch_s", "ready_s", "stop_s")
    return list(zip(*(pool.replicas[name].tolist() for name in names), strict=True))


# From the counts to the bins

_window_bins = called(window_bins)

# Unless a row says otherwise: head 0.05, tail 0.99, a coefficient of variation of 1 is
# enough, and half of the idle times out of bounds are too many.
# counts, out of bounds, what the row says otherwise, (lower, upper edge) in bins
TABLE = {
    "nothing seen": ([0, 0, 0, 0], 0, {}, (-1, -1)),
    # Squared coefficient of variation: 4 x 1 / 1 - 1 = 3.
    "one idle time": ([0, 0, 1, 0], 0, {}, (2, 3)),
    "all in the first bin": ([7, 0, 0, 0], 0, {}, (0, 1)),
    "all in the last bin": ([0, 0, 0, 7], 0, {}, (3, 4)),
    # 4 x (9 + 9) / 36 - 1 = 1, which is not below 1 squared; above that it is.
    "varied enough": ([3, 0, 3, 0], 0, {}, (0, 3)),
    "not varied enough": ([3, 0, 3, 0], 0, {"cv_threshold": 1.001}, (-1, -1)),
    # 4 x 4 / 16 - 1 = 0.
    "even counts": ([1, 1, 1, 1], 0, {}, (-1, -1)),
    "even counts, no threshold": ([1, 1, 1, 1], 0, {"cv_threshold": 0.0}, (0, 4)),
    # 5 x 326 / 400 - 1 = 3.075. Of 20 the head is the first, the tail 19.8: the last.
    "tails of one in twenty": ([0, 1, 18, 1, 0], 0, {}, (1, 4)),
    "up to nineteen of twenty": ([0, 1, 18, 1, 0], 0, {"tail": 0.95}, (1, 3)),
    "head and tail are one bin": ([0, 1, 18, 1, 0], 0, {"head": 0.1, "tail": 0.9}, (2, 3)),
    "a head of nothing": ([0, 0, 9, 0], 0, {"head": 0.0}, (0, 3)),
    "a head of all": ([0, 8, 0, 1], 0, {"head": 1.0, "tail": 1.0}, (3, 4)),
    "head and tail of nothing": ([0, 0, 9, 0], 0, {"head": 0.0, "tail": 0.0}, (0, 1)),
    # 1 of 3, 1 of 2, 3 of 4 and all of them are out of bounds.
    "few out of bounds": ([0, 2, 0, 0], 1, {}, (1, 2)),
    "half out of bounds": ([0, 1, 0, 0], 1, {}, (-1, -1)),
    "three of four may be": ([0, 1, 0, 0], 3, {"most_out_of_bounds": 0.76}, (1, 2)),
    "all out of bounds": ([0, 0, 0, 0], 5, {"most_out_of_bounds": 1.0}, (-1, -1)),
    "none may be": ([0, 1, 0, 0], 0, {"most_out_of_bounds": 0.0}, (-1, -1)),
    "one bin": ([4], 0, {"cv_threshold": 0.0}, (0, 1)),
}  # fmt: skip


@pytest.mark.parametrize(
    ("counts", "beyond", "other", "edges"), TABLE.values(), ids=TABLE
)
def test_one_decision(counts, beyond, other, edges):
    limits = {
        "head": 0.05,
        "tail": 0.99,
        "cv_threshold": 1.0,
        "most_out_of_bounds": 0.5,
        **other,
    }
    squares = sum(count * count for count in counts)

    found = _window_bins(
        *(np.array(counts), sum(counts), squares, beyond),
        *limits.values(),
    )

    assert found == edges


# Requests by the clock


def test_of_hourly_requests_every_one_but_the_first_is_warm(simulate):
    hours_s = [0.0, HOUR_S, 2 * HOUR_S, 3 * HOUR_S]

    pool = simulate(hours_s, [10.0] * 4, setup_s=100.0, keep_alive={})

    # Replica 0 is launched at 0 and ready at 100. Empty at 110: nothing is known, so it
    # is kept for 4 h, and serves at 3600, after 3490 s: bin 58, [3480, 3540).
    # Empty at 3610. One idle time in 240 bins: coefficient of variation sqrt(239).
    # Unload until 3480 x 0.9 = 3132 s later: PREWARM at 6742, ready at 6842, in time
    # for 7200, after 3590 s: bin 59, [3540, 3600).
    # Empty at 7210. Now the head is bin 58, the tail (1.98 of 2) bin 59: PREWARM at
    # 7210 + 3132 = 10342, ready at 10442, in time for 10800.
    # Empty at 10810. PREWARM at 13942, ready at 14042, for nobody: kept until
    # 10810 + 3600 x 1.1 = 14770.
    assert pool.requests["cold"].tolist() == [True, False, False, False]
    assert pool.requests["start_s"].tolist() == [100.0, *hours_s[1:]]
    assert np.array(lives(pool)) == pytest.approx(
        np.array(
            [
                (0, 100, 3610),
                (6742, 6842, 7210),
                (10342, 10442, 10810),
                (13942, 14042, 14770),
            ]
        )
    )
    assert pool.end_s == pytest.approx(14770.0)


def test_requests_rarer_than_the_range_keep_a_replica_for_the_range(simulate):
    pool = simulate(
        [0.0, 5 * HOUR_S, 10 * HOUR_S], [10.0] * 3, setup_s=100.0, keep_alive={}
    )

    # Out of bounds, all of them: each replica is kept for 4 h, and none is warm.
    assert pool.requests["cold"].all()
    assert lives(pool) == [
        (start, start + 100.0, start + 110.0 + 4 * HOUR_S)
        for start in (0.0, 5 * HOUR_S, 10 * HOUR_S)
    ]


def test_an_idle_time_of_the_whole_range_is_out_of_bounds(simulate):
    policy = {"bin_s": 10.0, "range_s": 30.0, "cv_threshold": 0.0, "margin": 0.0}

    # Idle from 1 to 31: not below 30 s. Nothing is known, 30 s again.
    beyond = simulate([0.0, 31.0], [1.0, 1.0], keep_alive=policy)
    # Idle from 1 to 30: bin 2. PREWARM at 31 + 20, kept until 31 + 30.
    within = simulate([0.0, 30.0], [1.0, 1.0], keep_alive=policy)

    assert lives(beyond) == [(0, 0, 31), (31, 31, 62)]
    assert lives(within) == [(0, 0, 31), (51, 51, 61)]


# What a replica does while the pool is empty. In all of these the policy is of bins of
# 10 s up to 100 s, without a margin; requests take 1 s.

TENS = {
    "bin_s": 10.0,
    "range_s": 100.0,
    "cv_threshold": 0.0,
    "margin": 0.0,
    "tail": 1.0,
}


def test_a_prewarm_finds_one_alive_and_launches_none(simulate):
    pool = simulate(
        [0, 26, 26], [1, 1, 1], keep_alive=TENS, initial_replicas=1, setup_s=30.0
    )

    # Idle from 1 to 26: bin 2. The third request launches replica 1 at 26, but replica 0
    # serves it too, until 28: unloaded, replica 0 stops. PREWARM at 28 + 20 finds
    # replica 1 starting; it is ready at 56, and kept until 28 + 30.
    assert lives(pool) == [(0, 0, 28), (26, 56, 58)]


def test_what_is_ready_while_the_pool_is_unloaded_stops_at_once(simulate):
    pool = simulate(
        [0, 26, 26], [1, 1, 1], keep_alive=TENS, initial_replicas=1, setup_s=15.0
    )

    # As above, but replica 1 is ready at 41, before the PREWARM at 48, which launches
    # replica 2: ready at 63, after 28 + 30.
    assert lives(pool)[1:] == [(26, 41, 41), (48, 63, 63)]


def test_a_request_before_the_prewarm_voids_it(simulate):
    pool = simulate([0, 26, 40], [1, 1, 1], keep_alive=TENS)

    # Idle times of 25 and 13 s. At 27 PREWARM is due at 47, but the third request
    # launches for itself at 40. Empty at 41, bins 1 and 2: PREWARM at 51, until 71.
    assert lives(pool) == [(0, 0, 27), (40, 40, 41), (51, 51, 71)]


def test_min_replicas_stay_and_nothing_is_prewarmed(simulate):
    pool = simulate([0, 26, 52], [1, 1, 1], keep_alive=TENS, min_replicas=1)

    assert len(pool.replicas) == 1
    assert np.isnan(pool.replicas["stop_s"]).all()


def test_a_closed_pool_is_not_prewarmed(simulate):
    bounds = [(40.0, 0, 0)]

    pool = simulate([0, 26], [1, 1], keep_alive=TENS, bounds=bounds)

    # The PREWARM at 47 may launch nothing.
    assert lives(pool) == [(0, 0, 27)]


def test_while_requests_are_in_system_the_last_window_counts(simulate):
    pool = simulate([0, 26, 26, 26], [1, 1, 2, 60], keep_alive=TENS)

    # At 1 nothing is known: 100 s. So replica 0, which serves at 26 again, and replica
    # 1, idle from 28 on, are kept until 27 + 100 and 28 + 100. But at 86 the pool is
    # empty: bin 2, all stop, and one is prewarmed from 106 to 116.
    assert sorted(lives(pool)) == [
        (0, 0, 86),
        (26, 26, 86),
        (26, 26, 86),
        (106, 106, 116),
    ]


def test_a_request_over_the_rate_limit_ends_no_idle_time(simulate):
    pool = simulate([0, 20, 50], [1, 1, 1], keep_alive=TENS, rate_limit=(1 / 30, 1.0))

    # The one at 20 finds 2/3 of a token. One idle time of 49 s: bin 4. PREWARM at
    # 51 + 40, kept until 51 + 50.
    assert lives(pool) == [(0, 0, 51), (91, 91, 101)]


def test_a_rejected_request_ends_the_idle_time_and_begins_none(simulate):
    pool = simulate(
        *([0, 5, 40], [1, 1, 1]),
        keep_alive=TENS,
        at_zero="reject",
        setup_s=2.0,
    )

    # The pool was never used: 0 is rejected, wakes replica 0, and there is no idle time.
    # 5 is served, until 6. 40 ends an idle time of 34 s: bin 3. Unloaded at 41; PREWARM
    # at 71, ready at 73, kept until 81.
    assert pool.requests["outcome"].tolist() == [1, 0, 0]
    assert lives(pool) == [(0, 2, 41), (71, 73, 81)]


def test_a_request_that_gives_up_leaves_the_pool_empty(simulate):
    pool = simulate(
        *([0, 26, 100], [1, 1, 1]),
        keep_alive=TENS,
        queue_timeout_s=5.0,
        setup_s=10.0,
    )

    # 0 gives up at 5; replica 0 is ready at 10 and kept until 5 + 100, not 110. Idle
    # from 5 to 26: bin 2. Unloaded at 27, PREWARM at 47, ready at 57, until 57. 100
    # gives up at 105: an idle time of 73 s. Ready at 110 while unloaded; bins 2 and 7:
    # PREWARM at 125, ready at 135, kept until 105 + 80.
    assert lives(pool) == [(0, 10, 27), (47, 57, 57), (100, 110, 110), (125, 135, 185)]


def failing(*lifetimes):
    return {"lifetime_s": np.array([*lifetimes, *(INF,) * 30])}


def test_a_replica_that_dies_leaves_the_pool_empty(simulate):
    pool = simulate(
        *([0, 25], [9, 1]), keep_alive=TENS, failures=failing(5), setup_s=0.0
    )

    # Dead at 5, with the request. Idle until 25: bin 2. Unloaded at 26, PREWARM at 46.
    assert lives(pool) == [(0, 0, 5), (25, 25, 26), (46, 46, 56)]


def test_an_idle_replica_that_dies_begins_no_idle_time(simulate):
    pool = simulate(
        *([25, 100], [1, 1]),
        keep_alive=TENS,
        initial_replicas=2,
        failures=failing(5),
    )

    # Nobody used the pool before 25, though replica 0 died at 5. Replica 1 is kept until
    # 26 + 100, serves at 100, and the one idle time is of 74 s.
    assert lives(pool)[1][1:] == (0, 101)
    assert lives(pool)[2:] == [(171, 171, 181)]


# The order of one instant


def test_a_prewarm_comes_before_the_idle_timeouts_of_its_instant(simulate):
    pool = simulate(
        [0, 26, 26], [1, 1, 1], keep_alive=TENS, initial_replicas=1, setup_s=22.0
    )

    # Replica 1 is ready at 48 and, unloaded, due to stop then. PREWARM, at 28 + 20, still
    # finds it.
    assert lives(pool) == [(0, 0, 28), (26, 48, 48)]


def test_a_request_finds_what_the_prewarm_of_its_instant_has_launched(simulate):
    pool = simulate([0, 26, 47], [1, 1, 1], keep_alive=TENS)

    # PREWARM at 27 + 20, and ready at once.
    assert pool.requests["launched"].tolist() == [1, 0, 0]
    assert pool.requests["cold"].tolist() == [True, False, False]


def test_a_retry_voids_the_prewarm_of_its_instant(simulate):
    failures = {**failing(30), "max_attempts": 2, "backoff_s": 20.0}

    pool = simulate([0, 26], [1, 9], keep_alive=TENS, failures=failures)

    # Replica 0 dies at 30, and both are due at 50. Empty at 59, bin 2 twice: PREWARM at 79.
    assert pool.requests["launched"].tolist() == [1, 1]
    assert lives(pool) == [(0, 0, 30), (50, 50, 59), (79, 79, 89)]


# What may be asked for


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ({"bin_s": 0}, "keep_alive bin_s must be"),
        ({"range_s": INF}, "keep_alive range_s must be"),
        ({"range_s": 29.0}, "keep_alive range_s must be 1 to 1,000,000 bins, got 29.0"),
        ({"head": 1.5}, "keep_alive head must be at most 1, got 1.5"),
        ({"head": 0.6, "tail": 0.5}, r"keep_alive head must be at most the tail \(0.5\)"),
        ({"margin": -0.1}, "keep_alive margin must be"),
        ({"cv_threshold": -1.0}, "keep_alive cv_threshold must be"),
        ({"most_out_of_bounds": 1.1}, "keep_alive most_out_of_bounds must be at most 1"),
        ({"kind": "histogram"}, "keep_alive must be given bin_s, .*, got 'kind'"),
    ],
)  # fmt: skip
def test_a_parameter_out_of_range_is_refused_by_its_name(policy, message):
    costsim = importlib.import_module("costsim")

    with pytest.raises(ValueError, match=message):
        costsim.simulate_pool([], [], [], keep_alive=policy)


@pytest.mark.parametrize(
    "settings",
    [
        {"autoscaler": "queue_delay"},
        {"autoscaler": {"kind": "concurrency_window"}},
        {"autoscaler": "fixed", "min_replicas": 1, "max_replicas": 1},
        {"buffer_replicas": 1},
        {"concurrency_limit": 2, "concurrency_target": 1},
    ],
)
def test_what_does_not_go_with_it_is_refused(settings):
    costsim = importlib.import_module("costsim")

    with pytest.raises(ValueError, match=r"keep_alive must be left out but on demand"):
        costsim.simulate_pool([], [], [], keep_alive={}, **settings)
