"""Exact laws of single runs: recursions of queueing theory, and settings without effect.

No statistics, no tolerance: times are compared with ==. The reference is judged by the
same laws, so that it cannot share an error with the kernel unseen.
"""

import heapq
import importlib

import numpy as np
import pytest
from cases import INF, ROUTINGS, differences

SEED = 8


@pytest.fixture(params=["reference", "costsim"])
def engine(request):
    return importlib.import_module(request.param)


def poisson(seed, n, rate, service_s=1.0):
    rng = np.random.default_rng(seed)
    arrival_s = np.cumsum(rng.exponential(1 / rate, n))
    return arrival_s, rng.exponential(service_s, n), rng.exponential(5.0, n)


def kiefer_wolfowitz(arrival_s, service_time_s, n_slots):
    """Starts under first come first served: a heap of the times at which slots free."""
    free_s = [0.0] * n_slots
    start_s = []
    for arrival, service in zip(arrival_s, service_time_s, strict=True):
        start = max(arrival, free_s[0])
        heapq.heapreplace(free_s, start + service)
        start_s.append(start)
    return np.array(start_s)


def unlimited_slots_one_replica(
    arrival_s, service_time_s, setup_time_s, idle_timeout_s
):
    """Starts on a single replica that serves all at once, after a setup if it was off."""
    start_s, n_launches = [], 0
    ready_s, stop_s = INF, -INF
    for arrival, service in zip(arrival_s, service_time_s, strict=True):
        if arrival >= stop_s:  # off, at its deadline already: launch
            ready_s, stop_s = arrival + setup_time_s[n_launches], -INF
            n_launches += 1
        start_s.append(max(arrival, ready_s))
        stop_s = max(stop_s, (start_s[-1] + service) + idle_timeout_s)
    return np.array(start_s), n_launches


@pytest.mark.parametrize("routing", ROUTINGS)
@pytest.mark.parametrize(("n_replicas", "limit"), [(1, 1), (3, 1), (1, 4), (2, 3)])
def test_fixed_pool_is_the_kiefer_wolfowitz_recursion(
    engine, n_replicas, limit, routing
):
    slots = n_replicas * limit
    arrival_s, service_time_s, _ = poisson(SEED, 1500, rate=0.9 * slots)

    pool = engine.simulate_pool(
        arrival_s,
        service_time_s,
        np.array([]),
        autoscaler="fixed",
        min_replicas=n_replicas,
        max_replicas=n_replicas,
        concurrency_limit=limit,
        routing=routing,
    )

    start_s = kiefer_wolfowitz(arrival_s, service_time_s, slots)
    assert np.array_equal(pool.requests["start_s"], start_s)
    assert np.array_equal(pool.requests["departure_s"], start_s + service_time_s)


@pytest.mark.parametrize("idle_timeout_s", [0.0, 0.7, 5.0, INF])
def test_one_replica_with_unlimited_slots_is_its_recursion(engine, idle_timeout_s):
    arrays = poisson(SEED, 1500, rate=0.5)

    pool = engine.simulate_pool(
        *arrays, max_replicas=1, concurrency_limit=1500, idle_timeout_s=idle_timeout_s
    )

    start_s, n_launches = unlimited_slots_one_replica(*arrays, idle_timeout_s)
    assert np.array_equal(pool.requests["start_s"], start_s)
    assert len(pool.replicas) == n_launches


@pytest.mark.parametrize("n_replicas", [1, 2, 5])
def test_replicas_that_never_idle_out_are_a_fixed_pool(engine, n_replicas):
    arrays = poisson(SEED, 1000, rate=0.9 * n_replicas)
    common = {"max_replicas": n_replicas, "idle_timeout_s": INF}

    scaling = engine.simulate_pool(*arrays, initial_replicas=n_replicas, **common)
    fixed = engine.simulate_pool(*arrays, min_replicas=n_replicas, **common)

    assert differences(scaling, fixed, exact=True) == {}


@pytest.mark.parametrize("limit", [1, 3])
@pytest.mark.parametrize("idle_timeout_s", [0.0, 3.0])
def test_one_replica_at_most_makes_binding_irrelevant(engine, limit, idle_timeout_s):
    arrays = poisson(SEED, 1000, rate=0.6 * limit)
    common = {
        "max_replicas": 1,
        "concurrency_limit": limit,
        "idle_timeout_s": idle_timeout_s,
    }

    shared = engine.simulate_pool(*arrays, binding="shared", **common)
    bound = engine.simulate_pool(*arrays, binding="bound", **common)

    assert differences(bound, shared, exact=True) == {}
