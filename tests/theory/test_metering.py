"""Mean billed time against closed forms (oracles 2k, 3a, I5).

Each mean is compared at a fixed seed within its 99.99 % interval, which is also required
to be narrow: an interval that contains everything proves nothing.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hand_written import Pool

from costsim.billing.meter import measure
from costsim.catalog.tariff import MeteringRules
from costsim.records import REPLICA_DTYPE, REQUEST_DTYPE

Z_9999 = 3.8906
"""Half width of a 99.99 % interval in standard errors."""

N_LIVES = 400_000

LAWS = {
    "exponential": lambda rng, mean_s: rng.exponential(mean_s, N_LIVES),
    "erlang-2": lambda rng, mean_s: rng.gamma(2, mean_s / 2, N_LIVES),
    "uniform": lambda rng, mean_s: rng.uniform(0, 2 * mean_s, N_LIVES),
    "half constant": lambda rng, mean_s: (
        mean_s / 2 + rng.exponential(mean_s / 2, N_LIVES)
    ),
}


def lives_pool(life_s, launch_s):
    """A pool of idle replicas that live so long. [s]"""
    replicas = np.zeros(len(life_s), REPLICA_DTYPE)
    replicas["launch_s"] = replicas["ready_s"] = launch_s
    replicas["stop_s"] = launch_s + life_s
    return Pool(np.zeros(0, REQUEST_DTYPE), replicas, float(replicas["stop_s"].max()))


def mean_billed_s(life_s, increment_s, scope="replica", launch_s=0.0):
    pool = lives_pool(life_s, launch_s)
    return measure(pool, MeteringRules(scope, increment_s)).billed_s / len(life_s)


def half_width_s(life_s, increment_s):
    """Half the 99.99 % interval of the mean of lives rounded up. [s]"""
    rounded_s = np.ceil(life_s / increment_s) * increment_s
    return Z_9999 * rounded_s.std() / math.sqrt(len(life_s))


def gap_lives(rng, arrival_rate_per_s, timeout_s):
    """Lives of replicas that stop once no request has come for the timeout. [s]"""
    stops = math.exp(-arrival_rate_per_s * timeout_s)
    n_gaps = rng.geometric(stops, N_LIVES) - 1
    uniform = rng.random(n_gaps.sum())
    gaps_s = -np.log1p(-uniform * (1 - stops)) / arrival_rate_per_s
    life_s = np.full(N_LIVES, timeout_s)
    np.add.at(life_s, np.repeat(np.arange(N_LIVES), n_gaps), gaps_s)
    return life_s


@pytest.mark.parametrize(
    ("law", "mean_s", "increment_s", "billed_s"),
    [
        ("exponential", 0.25, 0.1, 0.303324478),
        ("exponential", 0.25, 1e-3, 0.250500333),
        ("exponential", 90.0, 60.0, 123.3089),
        ("exponential", 90.0, 3600.0, 3600.0),
        ("exponential", 7200.0, 3600.0, 9149.3787),
        ("erlang-2", 90.0, 60.0, 120.363721),
        ("uniform", 50.0, 60.0, 84.0),
        ("half constant", 90.0, 60.0, 118.380923),
    ],
)
def test_mean_life_rounded_up(law, mean_s, increment_s, billed_s):
    life_s = LAWS[law](np.random.default_rng(20260302), mean_s)
    slack_s = half_width_s(life_s, increment_s)

    mean_billed = mean_billed_s(life_s, increment_s)

    assert mean_billed == pytest.approx(billed_s, rel=1e-8, abs=slack_s)
    assert slack_s < 0.01 * billed_s


@pytest.mark.parametrize(
    ("arrival_rate_per_s", "timeout_s", "increment_s", "mean_s", "billed_s"),
    [
        (0.1, 10.0, 60.0, 17.1828183, 60.2981902),
        (0.05, 24.0, 60.0, 46.4023385, 75.6357107),
        (0.01, 300.0, 60.0, 1908.55369, 1937.202),
        (0.01, 300.0, 3600.0, 1908.55369, 4147.90529),
        (1.0, 3.0, 1.0, 19.0855369, 19.5645856),
    ],
)
def test_mean_bill_of_a_replica_that_waits_for_the_next_request(
    arrival_rate_per_s, timeout_s, increment_s, mean_s, billed_s
):
    life_s = gap_lives(np.random.default_rng(17), arrival_rate_per_s, timeout_s)
    slack_s = half_width_s(life_s, increment_s)
    unrounded_slack_s = Z_9999 * life_s.std() / math.sqrt(N_LIVES)

    assert mean_billed_s(life_s, 0.0) == pytest.approx(mean_s, abs=unrounded_slack_s)
    assert mean_billed_s(life_s, increment_s) == pytest.approx(billed_s, abs=slack_s)
    assert slack_s < 0.01 * billed_s


@pytest.mark.parametrize("increment_s", [0.5, 1.0, 10.0, 300.0])
def test_exponential_life_has_a_closed_form(increment_s):
    life_s = np.random.default_rng(3).exponential(60.0, N_LIVES)

    expected_s = increment_s / -math.expm1(-increment_s / 60.0)

    slack_s = half_width_s(life_s, increment_s)
    assert mean_billed_s(life_s, increment_s) == pytest.approx(expected_s, abs=slack_s)


@pytest.mark.parametrize("increment_s", [1.0, 60.0])
def test_clock_slots_add_one_increment_whatever_the_law(increment_s):
    rng = np.random.default_rng(4)
    life_s = rng.gamma(2, 45.0, N_LIVES)
    launch_s = rng.uniform(0, 1000 * increment_s, N_LIVES)
    # The slots touched are the life and one increment, give or take one increment.
    slack_s = Z_9999 * (life_s.std() + increment_s) / math.sqrt(N_LIVES)

    billed_s = mean_billed_s(life_s, increment_s, "aligned", launch_s)

    assert billed_s == pytest.approx(90.0 + increment_s, abs=slack_s)
