import numpy as np
import pytest
from traffic_scenario import mmpp, read_all

from costsim.scenario.processes import MmppState
from costsim.traffic import arrivals
from costsim.traffic.rates import RateFunction
from costsim.traffic.streams import stream_rng


def constant(rate_per_s, horizon_s):
    return RateFunction(
        np.array([0.0, horizon_s]), np.array([0.0, rate_per_s * horizon_s])
    )


def rng(index=0):
    return stream_rng(3, 0, "arrivals", index)


STATES = [
    MmppState.model_validate({"rate": "1/s", "mean_sojourn": "20s"}),
    MmppState.model_validate({"rate": "10/s", "mean_sojourn": "5s"}),
]
PROCESSES = {
    "poisson": lambda rate: read_all(arrivals.poisson(rate, rng())),
    "gamma": lambda rate: read_all(arrivals.gamma(rate, 0.5, rng())),
    "mmpp": lambda rate: read_all(mmpp(rate, STATES, rng(), rng(1))),
}


@pytest.mark.parametrize("name", PROCESSES)
def test_arrivals_ascend_within_the_horizon(name):
    arrival_s = PROCESSES[name](constant(20.0, 1000.0))

    assert np.all(np.diff(arrival_s) >= 0)
    assert arrival_s[0] >= 0
    assert arrival_s[-1] < 1000.0


@pytest.mark.parametrize("name", PROCESSES)
def test_the_same_numbers_give_the_same_arrivals(name):
    first = PROCESSES[name](constant(20.0, 1000.0))
    second = PROCESSES[name](constant(20.0, 1000.0))

    assert np.array_equal(first, second)


@pytest.mark.parametrize("name", PROCESSES)
def test_a_longer_horizon_begins_with_the_same_arrivals(name):
    short = PROCESSES[name](constant(20.0, 1000.0))
    long = PROCESSES[name](constant(20.0, 5000.0))

    assert len(long) > 4 * len(short)
    np.testing.assert_allclose(long[: len(short)], short, rtol=1e-12)


def test_twice_the_rate_is_the_same_process_in_half_the_time():
    slow = read_all(arrivals.gamma(constant(1.0, 1000.0), 0.5, rng()))
    fast = read_all(arrivals.gamma(constant(2.0, 500.0), 0.5, rng()))

    np.testing.assert_allclose(fast, slow / 2, rtol=1e-12)


@pytest.mark.parametrize("name", PROCESSES)
def test_nothing_arrives_at_a_rate_of_zero(name):
    assert len(PROCESSES[name](constant(0.0, 1000.0))) == 0


def test_a_huge_burstiness_is_nearly_periodic():
    arrival_s = read_all(arrivals.gamma(constant(1.0, 1000.0), 1e8, rng()))

    np.testing.assert_allclose(np.diff(arrival_s), 1.0, atol=1e-2)


def test_a_tiny_burstiness_comes_in_clumps():
    arrival_s = read_all(arrivals.gamma(constant(10.0, 100_000.0), 1e-3, rng()))

    assert np.median(np.diff(arrival_s)) < 1e-9


def test_the_first_gap_is_its_own_and_the_end_is_not_reached():
    reader = arrivals._Renewals(
        lambda gaps: gaps.fill(0.25), 0.5, constant(2.0, 25_000.0)
    )

    assert np.array_equal(read_all(reader), np.arange(0.5, 50_000.0, 0.25) / 2)


def test_a_time_that_is_rounded_up_to_the_horizon_is_not_before_it():
    rate = constant(7.9, 1000.0)
    last = np.nextafter(rate.total, 0)
    assert last * (1000.0 / rate.total) == 1000.0

    reader = arrivals._Renewals(lambda gaps: gaps.fill(1.0), last, rate)

    assert len(read_all(reader)) == 0


def test_batches_come_whole_and_in_order():
    arrival_s = arrivals.batches(np.array([10.0, 20.0]), np.array([3, 3]), 0.0, rng())

    assert arrival_s.tolist() == [10, 10, 10, 20, 20, 20]


def test_jitter_delays_each_request_of_a_batch():
    due_s = np.array([100.0, 110.0])

    arrival_s = arrivals.batches(due_s, np.full(len(due_s), 1000), 30.0, rng())

    assert np.all(np.diff(arrival_s) >= 0)
    assert arrival_s.min() >= 100
    assert arrival_s.max() < 140
    # Each delay has mean 15 and standard deviation 30 / sqrt(12).
    standard_error = 30 / np.sqrt(12 * 2000)
    assert arrival_s.mean() == pytest.approx(120, abs=4 * standard_error)


def test_a_period_begins_one_period_after_the_start():
    assert arrivals.periods(10.0, 30.0).tolist() == [10, 20]
    assert arrivals.periods(10.0, 30.001).tolist() == [10, 20, 30]
    assert arrivals.periods(10.0, 5.0).tolist() == []


def test_many_periods_do_not_drift():
    assert arrivals.periods(0.1, 100_000.05)[-1] == pytest.approx(100_000.0, abs=1e-9)
