"""Service that slows down with load against the theory of processor sharing.

One replica; each of n requests in service progresses at 1 / (1 + s (n - 1)).

The method: 20 replications of 60,000 requests, the first tenth deleted, the mean of each
measure within a 99.99 % interval of its expectation. Seeds are fixed, so the verdict
never changes. The power: half-widths are required to be below 3 % of the expectation
(1 % of all requests for a share of them), so that an error of 6 % (2 %) fails nearly
surely. First come first served has the mean response time of sharing if services are
exponential, but is off by -30 % if they are constant and by +86 % if hyperexponential.
A slowdown by s n instead of s (n - 1) is off by 20 % and more.
"""

import functools
import importlib
import math

import numpy as np
import pytest
from scipy import stats

import costsim
from costsim import queueing

N_REPLICATIONS = 20
N_REQUESTS = 60_000
CRITICAL = stats.t.ppf(1 - 5e-5, N_REPLICATIONS - 1) / math.sqrt(N_REPLICATIONS)
NARROW, NARROW_SHARE = 0.03, 0.01
UNLIMITED = 10_000
STATES = np.arange(7)
QUARTERS = 4


def exponential(rng, size):
    return rng.exponential(1.0, size)


def constant(rng, size):
    return np.ones(size)


def hyperexponential(rng, size):
    """Two phases with means 0.2 and 2.6: variance / mean squared is 3.88."""
    return rng.exponential(np.where(rng.random(size) < 2 / 3, 0.2, 2.6))


def lognormal(rng, size):
    return rng.lognormal(-0.5, 1.0, size)


LAWS = (exponential, constant, hyperexponential, lognormal)
"""Of mean 1 s."""

UNLIMITED_LOADS = [(1.0, 0.6), (0.5, 1.2), (0.2, 3.0), (2.0, 0.2)]
"""Slowdown, and offered load below its inverse."""

LIMITED_LOADS = [(4, 0.25, 1.5), (3, 1.0, 0.6), (2, 2.0, 0.4), (8, 0.1, 3.0)]
"""Limit K, slowdown s, and offered load below K / (1 + s (K - 1))."""


def simulate(law, load, replication, **settings):
    """One replication on one replica for ever; return work and the requests."""
    seed = np.random.SeedSequence(entropy=11, spawn_key=(replication,))
    arrivals, services = map(np.random.default_rng, seed.spawn(2))
    arrival_s = np.cumsum(arrivals.exponential(1 / load, N_REQUESTS))
    work_s = law(services, N_REQUESTS)
    one = {"min_replicas": 1, "max_replicas": 1}
    pool = costsim.simulate_pool(arrival_s, work_s, np.array([]), **one, **settings)
    return work_s, pool.requests


def after_warm_up(records):
    return records[len(records) // 10 :]


def response_s(requests):
    return requests["departure_s"] - requests["arrival_s"]


def measured(values):
    """Return means over replications and half-widths of their 99.99 % intervals."""
    values = np.array(values)
    return values.mean(axis=0), CRITICAL * values.std(axis=0, ddof=1)


@functools.cache
def unlimited(law, slowdown, load):
    """Return mean response, stretch by size and shares of states, as `measured`."""
    settings = {"slowdown": slowdown, "concurrency_limit": UNLIMITED}
    runs = [simulate(law, load, k, **settings) for k in range(N_REPLICATIONS)]
    return (
        measured([response_s(after_warm_up(requests)).mean() for _, requests in runs]),
        measured([stretch_by_size(*run) for run in runs]),
        measured([found_by_arrivals(requests) for _, requests in runs]),
    )


def stretch_by_size(work_s, requests):
    """Return mean response time / work in each quarter of the requests by work."""
    work_s = after_warm_up(work_s)
    stretch = response_s(after_warm_up(requests)) / work_s
    quarters = np.array_split(np.argsort(work_s), QUARTERS)
    return [stretch[quarter].mean() for quarter in quarters]


def found_by_arrivals(requests):
    """Return the share of requests that find 0, 1, ... others in system."""
    departed = np.searchsorted(
        np.sort(requests["departure_s"]), requests["arrival_s"], side="right"
    )
    found = after_warm_up(np.arange(len(requests)) - departed)
    return np.bincount(found, minlength=len(STATES))[STATES] / len(found)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize(("slowdown", "load"), UNLIMITED_LOADS)
def test_mean_response_time_depends_on_the_mean_service_time_only(law, slowdown, load):
    (mean, half_width), _, _ = unlimited(law, slowdown, load)

    expected = queueing.processor_sharing_mean_response_time(load, 1.0, slowdown)
    assert abs(mean - expected) <= half_width
    assert half_width <= NARROW * expected


@pytest.mark.parametrize("law", [law for law in LAWS if law is not constant])
@pytest.mark.parametrize(("slowdown", "load"), UNLIMITED_LOADS)
def test_a_request_of_any_size_is_stretched_by_the_same_factor(law, slowdown, load):
    _, (means, half_widths), _ = unlimited(law, slowdown, load)

    expected = 1 / (1 - slowdown * load)
    assert (abs(means - expected) <= half_widths).all()
    assert (half_widths <= NARROW * expected).all()


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize(("slowdown", "load"), UNLIMITED_LOADS)
def test_the_number_in_service_is_negative_binomial(law, slowdown, load):
    _, _, (shares, half_widths) = unlimited(law, slowdown, load)

    # Geometric for s = 1; seen by arrivals as over time, for they are Poisson.
    expected = stats.nbinom(1 / slowdown, 1 - slowdown * load).pmf(STATES)
    assert (abs(shares - expected) <= half_widths).all()
    assert (half_widths <= NARROW_SHARE).all()


def limited_measures(limit, slowdown, load, replication):
    settings = {"slowdown": slowdown, "concurrency_limit": limit}
    _, requests = simulate(exponential, load, replication, **settings)
    requests = after_warm_up(requests)
    waits_s = requests["start_s"] - requests["arrival_s"]
    return (waits_s > 0).mean(), waits_s.mean(), response_s(requests).mean()


@pytest.mark.parametrize(("limit", "slowdown", "load"), LIMITED_LOADS)
def test_limited_sharing_meets_its_birth_and_death_process(limit, slowdown, load):
    values = [limited_measures(limit, slowdown, load, k) for k in range(N_REPLICATIONS)]
    means, half_widths = measured(values)

    expected = queueing.limited_processor_sharing(limit, load, 1.0, slowdown)
    assert (abs(means - expected) <= half_widths).all()
    assert half_widths[0] <= NARROW_SHARE
    assert half_widths[2] <= NARROW * expected.mean_response_time_s


# Single runs: with s = 1 the replica works at full speed whenever it is busy, so that it
# is busy when a server is that takes one request at a time.


@pytest.fixture(params=["reference", "costsim"])
def engine(request):
    return importlib.import_module(request.param)


def busy_periods(arrival_s, departure_s):
    """Return the first request of each busy period, and the ends of all."""
    latest_s = np.maximum.accumulate(departure_s)
    first = np.flatnonzero(arrival_s[1:] > latest_s[:-1]) + 1
    return first, latest_s[np.append(first, len(arrival_s)) - 1]


@pytest.mark.parametrize("law", LAWS)
def test_shared_replica_is_busy_when_one_that_takes_turns_is(engine, law):
    rng = np.random.default_rng(5)
    arrival_s = np.cumsum(rng.exponential(1 / 0.8, 1500))
    arrays = (arrival_s, law(rng, 1500), np.array([]))
    one = {"min_replicas": 1, "max_replicas": 1}

    turns = engine.simulate_pool(*arrays, **one).requests
    shared = engine.simulate_pool(
        *arrays, **one, slowdown=1.0, concurrency_limit=1500
    ).requests

    expected = busy_periods(arrival_s, turns["departure_s"])
    found = busy_periods(arrival_s, shared["departure_s"])
    assert np.array_equal(found[0], expected[0])
    assert np.allclose(found[1], expected[1], rtol=1e-9, atol=0)


@pytest.mark.parametrize("slowdown", [0.2, 1.0, 3.0])
def test_equal_requests_leave_in_the_order_of_arrival(engine, slowdown):
    rng = np.random.default_rng(6)
    arrival_s = np.cumsum(rng.exponential(2.5, 1500))

    pool = engine.simulate_pool(
        *(arrival_s, np.ones(1500), np.array([])),
        min_replicas=1,
        max_replicas=1,
        slowdown=slowdown,
        concurrency_limit=1500,
    )

    assert (np.diff(pool.requests["departure_s"]) > 0).all()
