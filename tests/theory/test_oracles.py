"""The kernel against exact expectations from queueing theory, on long random runs.

The method: 20 replications of 40,000 requests (160,000 where the load makes it needed),
the first tenth deleted, the mean of each metric within a 99.99 % interval of its
expectation, and that interval narrow (3 %), for otherwise the pass would be empty. Seeds
are fixed, so the verdict never changes.
"""

import json

import numpy as np
import pytest
from scipy import stats

import costsim

N_REPLICATIONS = 20
N_REQUESTS = 40_000
N_REQUESTS_LONG = 160_000
NEEDS_LONG = (1, 2, 4, 5, 9)
CRITICAL = stats.t.ppf(1 - 5e-5, N_REPLICATIONS - 1)
NARROW = 0.03

ALL_CASES = range(20)
RANDOM_TIMEOUT = (12, 14, 15, 16)
"""An idle timeout drawn anew for each idle period: theory has it, platforms do not."""


@pytest.fixture
def oracle_cases(shared_dir):
    return json.loads((shared_dir / "oracles" / "cases.json").read_text())


# Drawing the inputs


def draw(rng, law, size):
    """Draw `size` times of a law as cases.json writes it. [s]"""
    mean = law.get("mean")
    if law["law"] == "det":
        return np.full(size, law["value"])
    if law["law"] == "exp":
        return rng.exponential(mean, size)
    if law["law"] == "gamma":
        return rng.gamma(law["shape"], mean / law["shape"], size)
    means = np.where(rng.random(size) < law["p"], law["mean1"], law["mean2"])
    return rng.exponential(1.0, size) * means  # h2


def draw_arrivals(rng, law, size):
    if law["law"] == "poisson":
        return np.cumsum(rng.exponential(1 / law["rate"], size))
    if law["law"] == "renewal":
        return np.cumsum(draw(rng, law["gap"], size))
    return np.cumsum(mmpp2_gaps(rng, law, size))


def mmpp2_gaps(rng, law, size):
    """Poisson arrivals whose rate switches between l1 and l2, after r12 and r21."""
    sojourns = size // 4  # many more than `size` arrivals need
    rates = np.resize([law["l1"], law["l2"]], sojourns)
    leaving = np.resize([law["r12"], law["r21"]], sojourns)
    spans = rng.exponential(1 / leaving)
    # arrivals are a unit Poisson process in operational time
    operational = np.concatenate([[0.0], np.cumsum(spans * rates)])
    clock = np.concatenate([[0.0], np.cumsum(spans)])
    arrival_s = np.interp(np.cumsum(rng.exponential(1.0, size)), operational, clock)
    return np.diff(arrival_s, prepend=0.0)


def simulate(case, n_requests, replication):
    """One replication; every purpose has its own stream of random numbers."""
    seed = np.random.SeedSequence(entropy=7, spawn_key=(replication,))
    arrivals, services, setups = map(np.random.default_rng, seed.spawn(3))
    return costsim.simulate_pool(
        draw_arrivals(arrivals, case["arrivals"], n_requests),
        draw(services, case["service"], n_requests),
        draw(setups, case["setup"], n_requests),
        idle_timeout_s=float(case["idle_timeout_s"]),
        **case["settings"],
    )


# Measuring, from the first request after the warm-up to the last arrival


def measure(pool, case):
    """Every metric that an expectation may name; `T95` is the share of responses below."""
    requests = pool.requests[len(pool.requests) // 10 :]
    served = requests[requests["outcome"] == 0]
    response_s = served["departure_s"] - served["arrival_s"]
    window = (requests["arrival_s"][0], requests["arrival_s"][-1])
    launches = requests["launched"].sum()
    measured = mean_replicas(pool, case["settings"]["concurrency_limit"], window)
    return measured | {
        "W": response_s.mean(),
        "T95": (response_s <= case["expect"].get("T95", 0.0)).mean(),
        "p_wait": (served["start_s"] > served["arrival_s"]).mean(),
        "p_loss": (requests["outcome"] == 1).mean(),
        "p_cold": served["cold"].mean(),
        "p_launch": launches / len(requests),
        "launch_rate": launches / (window[1] - window[0]),
    }


def mean_replicas(pool, limit, window):
    replicas = pool.replicas
    stop_s = np.nan_to_num(replicas["stop_s"], nan=np.inf)
    ready_s = np.fmin(replicas["ready_s"], stop_s)  # a cancelled one: never ready
    busy = time_average(*busy_spans(pool, limit), window)
    ready = time_average(ready_s, stop_s, window)
    return {
        "alive": time_average(replicas["launch_s"], stop_s, window),
        "starting": time_average(replicas["launch_s"], ready_s, window),
        "busy": busy,
        "idle": ready - busy,
    }


def busy_spans(pool, limit):
    """With one slot, busy is in service; else one replica at a time, spans may overlap."""
    served = pool.requests[pool.requests["outcome"] == 0]
    start_s, stop_s = served["start_s"], served["departure_s"]
    if limit == 1:
        return start_s, stop_s
    covered_until_s = np.maximum.accumulate(np.concatenate([[0.0], stop_s[:-1]]))
    return np.maximum(start_s, covered_until_s), np.maximum(stop_s, covered_until_s)


def time_average(start_s, stop_s, window):
    inside = np.clip(stop_s, *window) - np.clip(start_s, *window)
    return inside.sum() / (window[1] - window[0])


def expectations(case):
    return (
        {**case["expect"], "T95": 0.95} if "T95" in case["expect"] else case["expect"]
    )


def verdict(case, n_requests):
    """Return, for each metric, how many half-widths off it is, and the half-width."""
    runs = [measure(simulate(case, n_requests, k), case) for k in range(N_REPLICATIONS)]
    off, width = {}, {}
    for name, expected in expectations(case).items():
        values = np.array([run[name] for run in runs])
        half_width = CRITICAL * values.std(ddof=1) / np.sqrt(N_REPLICATIONS)
        error = abs(values.mean() - expected)
        # an expectation of 0 is met exactly: it has no width
        off[name] = 0.0 if error < 1e-9 else error / max(half_width, 1e-12)
        width[name] = half_width / expected if expected else half_width
    return off, width


@pytest.mark.parametrize("number", sorted(set(ALL_CASES) - set(RANDOM_TIMEOUT)))
def test_simulation_meets_the_exact_expectation(number, oracle_cases):
    case = oracle_cases[number]
    n_requests = N_REQUESTS_LONG if number in NEEDS_LONG else N_REQUESTS

    off, width = verdict(case, n_requests)

    assert {name: value for name, value in off.items() if value > 1} == {}, case["id"]
    assert {name: value for name, value in width.items() if value > NARROW} == {}


def test_only_cases_with_a_random_idle_timeout_are_left_out(oracle_cases):
    random = [
        k for k in ALL_CASES if isinstance(oracle_cases[k]["idle_timeout_s"], dict)
    ]

    assert len(oracle_cases) == len(ALL_CASES)
    assert tuple(random) == RANDOM_TIMEOUT
