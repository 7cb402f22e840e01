"""The published SimFaaS example: 0.9 requests/s, warm 1.991 s, cold 2.244 s, 600 s to expiry.

A request that finds no idle replica starts one and is served by it; its cold service
time includes the setup. SimFaaS picks the newest idle replica (CLOSER 2021,
arXiv:2102.08904, README and example notebook of pacslab/simfaas). Twelve brute-force runs
of the same model give the means and their 95 % half-widths below.
"""

import numpy as np
import pytest
from scipy import stats

import costsim

SPAN_S = 1e6
SEEDS = range(12)
BRUTE_FORCE = {
    "launch_fraction": (0.0013201, 1.6e-5),
    "mean_alive": (7.690, 0.013),
    "mean_busy": (1.7911, 0.0015),
}
EXACT_MOST_RECENTLY_USED = {
    "launch_fraction": 0.00132930665,
    "mean_alive": 7.69193351,
    "mean_busy": 1.7919,
}
"""First-passage times of M/M/inf, for a cold law equal to the warm one (1.991 s)."""


def run(seed, routing, cold_mean_s):
    rng = np.random.default_rng(seed)
    arrival_s = np.cumsum(rng.exponential(1 / 0.9, int(0.92 * SPAN_S)))
    assert arrival_s[-1] > SPAN_S
    warm_s = rng.exponential(1.991, len(arrival_s))
    cold_s = rng.exponential(cold_mean_s, len(arrival_s))
    return costsim.simulate_pool(
        arrival_s,
        warm_s,
        np.zeros(10_000),
        idle_timeout_s=600.0,
        max_replicas=1000,
        max_queued=0,
        binding="bound",
        routing=routing,
        first_service_time_s=cold_s,
        horizon_s=SPAN_S,
        end="cut",
    )


def measure(pool):
    stop_s = np.nan_to_num(pool.replicas["stop_s"], nan=SPAN_S)
    return {
        "launch_fraction": len(pool.replicas) / len(pool.requests),
        "mean_alive": (stop_s - pool.replicas["launch_s"]).sum() / SPAN_S,
        "mean_busy": pool.replicas["busy_s"].sum() / SPAN_S,
    }


def means_and_half_widths(routing, cold_mean_s, level):
    runs = [measure(run(seed, routing, cold_mean_s)) for seed in SEEDS]
    values = {name: np.array([x[name] for x in runs]) for name in BRUTE_FORCE}
    critical = stats.t.ppf((1 + level) / 2, len(SEEDS) - 1) / np.sqrt(len(SEEDS))
    means = {name: x.mean() for name, x in values.items()}
    return means, {name: critical * x.std(ddof=1) for name, x in values.items()}


@pytest.fixture(scope="module")
def newest():
    return means_and_half_widths("newest", 2.244, level=0.95)


@pytest.fixture(scope="module")
def most_recently_used():
    return means_and_half_widths("most_recently_used", 1.991, level=0.999)


@pytest.mark.parametrize("name", list(BRUTE_FORCE))
def test_published_simfaas_example(name, newest):
    means, half_widths = newest
    published, published_half_width = BRUTE_FORCE[name]

    assert abs(means[name] - published) <= published_half_width
    assert half_widths[name] <= 1.5 * published_half_width  # as many seeds as needed


@pytest.mark.parametrize("name", list(BRUTE_FORCE))
def test_most_recently_used_meets_the_exact_value(name, most_recently_used):
    means, half_widths = most_recently_used

    assert abs(means[name] - EXACT_MOST_RECENTLY_USED[name]) <= half_widths[name]
