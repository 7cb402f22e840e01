"""Response times: all kept, exactly, up to a number; a histogram of them beyond it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costsim.records import REPLICA_DTYPE, REQUEST_DTYPE, Outcome
from costsim.simulation.metrics import MeasureAccumulator
from costsim.simulation.quantiles import (
    EXACT_UP_TO,
    ResponseTimes,
    histogram,
    histogram_quantiles,
    quantiles,
)

fixed_seed = settings(deadline=None, derandomize=True)

# From the first bin's upper end to the last one's: 1 ns to 500 years.
binned_s = st.floats(2.0**-29, 2.0**33)


def requests_of(response_s, wait_s=0.0):
    rows = np.zeros(len(response_s), REQUEST_DTYPE)
    rows["start_s"] = wait_s
    rows["departure_s"] = response_s
    return rows


def measured(response_s, sizes=(), **asked):
    accumulator = MeasureAccumulator(**asked)
    for part in np.split(requests_of(response_s), np.cumsum(sizes).astype(int)):
        accumulator.add_requests(part)
    return accumulator.measures(end_s=1.0, launches=0, peak_replicas=0)


@pytest.fixture
def kept_up_to_a_hundred(monkeypatch):
    monkeypatch.setattr("costsim.simulation.quantiles.EXACT_UP_TO", 100)


def test_ten_million_are_kept():
    assert EXACT_UP_TO == 10_000_000


@given(st.lists(binned_s, min_size=1, max_size=50))
@settings(fixed_seed, max_examples=300)
def test_any_quantile_from_a_histogram_is_within_a_thousandth(values):
    values = np.array(values)

    assert histogram_quantiles(histogram(values)) == pytest.approx(
        quantiles(values), rel=1e-3
    )


@pytest.mark.parametrize(
    ("n", "method"), [(99, "exact"), (100, "exact"), (101, "histogram")]
)
def test_one_more_than_are_kept_makes_a_histogram(n, method, rng, kept_up_to_a_hundred):
    values = rng.lognormal(size=n)

    found = measured(values)

    exact = method == "exact"
    assert found.quantile_method == method
    assert found.response_s.size == (n if exact else 0)
    assert (found.histogram is None) == exact
    tolerance = 0.0 if exact else 1e-3
    assert found.quantiles_s == pytest.approx(quantiles(values), rel=tolerance)


@pytest.mark.parametrize("sizes", [[60], [1] * 150, [100], [101], [150, 10]])
def test_batches_do_not_move_the_switch(sizes, rng, kept_up_to_a_hundred):
    values = rng.lognormal(size=200)

    found, whole = measured(values, sizes), measured(values)

    assert np.array_equal(found.histogram, histogram(values))
    assert found.quantiles_s == whole.quantiles_s
    assert (found.mean_s, found.measured) == (whole.mean_s, 200)


def test_only_measured_requests_count_towards_the_switch(rng, kept_up_to_a_hundred):
    rows = requests_of(rng.lognormal(size=150))
    rows["arrival_s"][:50] = -1.0

    accumulator = MeasureAccumulator()
    accumulator.add_requests(rows)

    assert accumulator.measures(1.0, 0, 0).quantile_method == "exact"


def test_what_was_kept_is_let_go_of_at_the_switch(rng, kept_up_to_a_hundred):
    times = ResponseTimes()
    times.room_for(101)[:101] = rng.lognormal(size=101)

    times.add_written(101)

    assert times.kept_s.size == 0
    assert times.room_for(7).size == 7


def test_asking_for_measures_in_between_changes_nothing(rng):
    values = rng.lognormal(size=3000)
    accumulator = MeasureAccumulator()
    accumulator.add_requests(requests_of(values[:1000]))

    between = accumulator.measures(1.0, 0, 0)
    accumulator.add_requests(requests_of(values[1000:]))
    after = accumulator.measures(1.0, 0, 0)

    assert between.quantiles_s == quantiles(values[:1000].copy())
    assert after.quantiles_s == quantiles(values.copy())
    assert sorted(after.response_s) == sorted(values)
    assert sorted(between.response_s) == sorted(values[:1000])
    assert after.mean_s == pytest.approx(math.fsum(values) / 3000, rel=1e-16)


def test_the_end_may_be_asked_for_again():
    alive = np.zeros(2, REPLICA_DTYPE)
    alive["stop_s"] = np.nan
    accumulator = MeasureAccumulator()
    accumulator.add_replicas(alive)

    hours = [accumulator.measures(end_s, 0, 0).replica_hours for end_s in (36, 72, 36)]

    assert hours == [0.02, 0.04, 0.02]


def test_means_lose_nothing_to_the_size_of_the_sum():
    # A plain sum would forget each of the small ones beside the large one.
    values = np.full(1_000_001, 1e-8)
    values[0] = 1e9

    found = measured(values)

    assert 1e9 + 1e-8 == 1e9
    assert found.mean_s == pytest.approx(math.fsum(values) / values.size, rel=1e-15)
    assert found.mean_s * values.size > 1e9 + 0.009


def test_times_of_replicas_lose_nothing_either():
    rows = np.zeros(100_001, REPLICA_DTYPE)
    rows["stop_s"] = 1e-8
    rows["stop_s"][0] = 1e9
    accumulator = MeasureAccumulator()

    accumulator.add_replicas(rows)

    hours = accumulator.measures(1.0, 0, 0).replica_hours
    assert hours * 3600 == pytest.approx(math.fsum(rows["stop_s"]), rel=3e-16)
    assert hours * 3600 > 1e9 + 0.0009


def test_every_way_to_be_lost_is_counted():
    rows = requests_of([1.0] * 7)
    rows["outcome"] = [
        Outcome.SERVED,
        *[Outcome.FAILED] * 3,
        *[Outcome.TIMED_OUT] * 2,
        3,
    ]
    accumulator = MeasureAccumulator()
    accumulator.add_requests(rows)

    found = accumulator.measures(1.0, 0, 0)

    assert (found.served, found.failed, found.timed_out) == (1, 3, 2)
    assert (found.lost, found.measured) == (6, 1)
