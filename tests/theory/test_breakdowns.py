"""Replicas that fail, against renewal theory and the theory of repeated service.

The method is that of test_processor_sharing.py: 20 replications, 99.99 % intervals, fixed
seeds. The power: half-widths are required to be below 3 % of the expectation, or below
1 % of all requests for a share of them. Were work kept over a failure, or drawn anew, or
lifetimes counted from launch, means would be off by 8 % and more.
"""

import math

import numpy as np
import pytest
from scipy import stats

import costsim
from costsim import queueing

N_REPLICATIONS = 20
CRITICAL = stats.t.ppf(1 - 5e-5, N_REPLICATIONS - 1) / math.sqrt(N_REPLICATIONS)
NARROW, NARROW_SHARE = 0.03, 0.01
FOR_EVER = {"max_attempts": 10**9, "backoff_s": 0.0}
ALWAYS_ONE = {"min_replicas": 1, "max_replicas": 1, "idle_timeout_s": math.inf}


def exponential(rng, size):
    return rng.exponential(1.0, size)


def constant(rng, size):
    return np.ones(size)


def erlang2(rng, size):
    return rng.gamma(2.0, 0.5, size)


def streams(replication):
    """Return generators for arrivals, services, setups and lifetimes."""
    seed = np.random.SeedSequence(entropy=12, spawn_key=(replication,))
    return map(np.random.default_rng, seed.spawn(4))


def measured(values):
    """Return means over replications and half-widths of their 99.99 % intervals."""
    values = np.array(values)
    return values.mean(axis=0), CRITICAL * values.std(axis=0, ddof=1)


def mean_response_s(pool):
    requests = pool.requests[len(pool.requests) // 10 :]
    return (requests["departure_s"] - requests["arrival_s"]).mean()


# Without requests: up and down in turns

LIFETIME_S, SETUP_S, SPAN_S = 7.0, 3.0, 40_000.0


def ready_share(life, setup, replication):
    """Return the share of time with a ready replica, and launches per second."""
    _, _, setups, lives = streams(replication)
    n = int(SPAN_S)
    pool = costsim.simulate_pool(
        *(np.array([]), np.array([]), SETUP_S * setup(setups, n)),
        **ALWAYS_ONE,
        horizon_s=SPAN_S,
        failures={"lifetime_s": LIFETIME_S * life(lives, n)},
    )
    replicas, window = pool.replicas, (SPAN_S / 10, SPAN_S)
    stop_s = np.nan_to_num(replicas["stop_s"], nan=SPAN_S)
    ready_s = np.fmin(replicas["ready_s"], stop_s)
    inside = np.clip(stop_s, *window) - np.clip(ready_s, *window)
    launched = (replicas["launch_s"] > window[0]) & (replicas["launch_s"] < window[1])
    return inside.sum() / np.ptp(window), launched.sum() / np.ptp(window)


@pytest.mark.parametrize(
    ("life", "setup"),
    [(exponential, constant), (exponential, exponential), (erlang2, exponential)],
)
def test_availability_is_lifetime_over_lifetime_and_setup(life, setup):
    values = [ready_share(life, setup, k) for k in range(N_REPLICATIONS)]
    means, half_widths = measured(values)

    share = queueing.availability(LIFETIME_S, SETUP_S)
    expected = np.array([share, 1 / (LIFETIME_S + SETUP_S)])
    assert (abs(means - expected) <= half_widths).all()
    assert (half_widths <= NARROW * expected).all()


# One request at a time


def alone_mean_response_s(law, setup, replication):
    _, services, setups, lives = streams(replication)
    n = 6_000
    pool = costsim.simulate_pool(
        *(100.0 * np.arange(1, n + 1), law(services, n), 2.0 * setup(setups, 30 * n)),
        **ALWAYS_ONE,
        failures={"lifetime_s": 5.0 * exponential(lives, 30 * n), **FOR_EVER},
    )
    return mean_response_s(pool)


def mean_over(law, function):
    """Return the mean of a function of a service time of mean 1."""
    if law is constant:
        return function(1.0)
    shape = 2.0 if law is erlang2 else 1.0
    return stats.gamma(shape, scale=1 / shape).expect(function, ub=60.0)


@pytest.mark.parametrize(
    ("law", "setup", "scv"),
    [
        (constant, constant, 0.0),
        (exponential, constant, 0.0),
        (erlang2, exponential, 1.0),
    ],
)
def test_a_request_alone_is_repeated_until_a_lifetime_suffices(law, setup, scv):
    values = [alone_mean_response_s(law, setup, k) for k in range(N_REPLICATIONS)]
    mean, half_width = measured(values)

    # Found down, it first waits for the rest of a setup.
    rest_s = (1 - queueing.availability(5.0, 2.0)) * 2.0 * (1 + scv) / 2
    repeated_s = mean_over(law, lambda x: queueing.mean_completion_time(x, 5.0, 2.0))
    assert abs(mean - (rest_s + repeated_s)) <= half_width
    assert half_width <= NARROW * (rest_s + repeated_s)


# A queue


def queue_mean_response_s(load, lifetime_s, setup_s, replication):
    arrivals, _, setups, lives = streams(replication)
    n = 40_000
    pool = costsim.simulate_pool(
        np.cumsum(arrivals.exponential(1 / load, n)),
        np.ones(n),
        setup_s * exponential(setups, 5 * n),
        **ALWAYS_ONE,
        failures={"lifetime_s": lifetime_s * exponential(lives, 5 * n), **FOR_EVER},
    )
    return mean_response_s(pool)


@pytest.mark.parametrize(
    ("load", "lifetime_s", "setup_s"),
    [(0.2, 10.0, 2.0), (0.5, 20.0, 1.0), (0.3, 3, 0.5)],
)
def test_queue_before_a_failing_replica_meets_md1_with_breakdowns(
    load, lifetime_s, setup_s
):
    arguments = (load, lifetime_s, setup_s)

    values = [queue_mean_response_s(*arguments, k) for k in range(N_REPLICATIONS)]
    mean, half_width = measured(values)

    expected = queueing.md1_breakdowns_mean_response_time(
        load, 1.0, lifetime_s, setup_s
    )
    assert abs(mean - expected) <= half_width
    assert half_width <= NARROW * expected


# Any pool: the rest of an exponential lifetime is as long as a whole one


def lost_share_and_slot_time(attempts, settings, replication):
    arrivals, services, setups, lives = streams(replication)
    n = 20_000
    pool = costsim.simulate_pool(
        *(np.cumsum(arrivals.exponential(0.5, n)), exponential(services, n)),
        0.5 * exponential(setups, 5 * n),
        idle_timeout_s=2.0,
        failures={
            "lifetime_s": 4.0 * exponential(lives, 5 * n),
            "max_attempts": attempts,
            "backoff_s": 0.3,
        },
        **settings,
    )
    lost = pool.requests["outcome"] == 4
    return lost.mean(), pool.replicas["slot_s"].sum() / n


@pytest.mark.parametrize("attempts", [1, 2, 4])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"concurrency_limit": 4, "routing": "least_loaded"},
        {"max_replicas": 4, "routing": "oldest"},
        {"binding": "bound", "concurrency_limit": 2},
    ],
    ids=["one slot", "four slots", "capped", "bound"],
)
def test_lost_requests_and_slot_time_meet_those_of_independent_attempts(
    attempts, settings
):
    values = [
        lost_share_and_slot_time(attempts, settings, k) for k in range(N_REPLICATIONS)
    ]
    means, half_widths = measured(values)

    # An attempt at work x succeeds with probability q = e^(-x / 4) and takes 4 (1 - q) on
    # average; q has the law Beta(4, 1). So E[(1 - q)^k] is a product.
    powers = np.cumprod([k / (k + 4.0) for k in range(1, attempts + 1)])
    expected = (powers[-1], 4.0 * powers.sum())
    assert (abs(means - expected) <= half_widths).all()
    assert half_widths[0] <= NARROW_SHARE
    assert half_widths[1] <= NARROW * expected[1]
