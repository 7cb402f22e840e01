"""Measures of one pool: each field against a pool small enough for a sheet of paper."""

from __future__ import annotations

import math

import numpy as np
import pytest

from costsim.records import REPLICA_DTYPE, REQUEST_DTYPE, Outcome
from costsim.simulation.levels import mean_level
from costsim.simulation.metrics import measure_pool
from costsim.simulation.result import SimulationResult
from costsim.simulation.simulate import simulate_pool

NAN = math.nan
SERVED, REJECTED, TIMED_OUT = Outcome.SERVED, Outcome.REJECTED, Outcome.TIMED_OUT
UNFINISHED, FAILED = Outcome.UNFINISHED, Outcome.FAILED


def written(requests, replicas, *, end_s, launches=3):
    """Return a result from (arrival, start, departure, cold, outcome) and
    (launch, ready, stop, slot-seconds)."""
    return SimulationResult(
        requests=table(
            ("arrival_s", "start_s", "departure_s", "cold", "outcome"),
            requests,
            REQUEST_DTYPE,
        ),
        replicas=table(
            ("launch_s", "ready_s", "stop_s", "slot_s"), replicas, REPLICA_DTYPE
        ),
        end_s=end_s,
        launches=launches,
    )


def table(names, rows, dtype):
    records = np.zeros(len(rows), dtype)
    for row, values in zip(records, rows, strict=True):
        for name, value in zip(names, values, strict=True):
            row[name] = value
    return records


# Response times 14, 15, 2 and 8 s; waiting times 10, 9, 0 and 0 s.
POOL = written(
    [
        (0.0, 10.0, 14.0, True, SERVED),
        (5.0, 14.0, 20.0, False, SERVED),
        (16.0, 16.0, 18.0, False, SERVED),
        (17.0, NAN, NAN, False, REJECTED),
        (21.0, NAN, NAN, False, TIMED_OUT),
        (22.0, NAN, NAN, False, TIMED_OUT),
        (50.0, 50.0, 58.0, False, SERVED),
        (59.0, 59.0, NAN, False, UNFINISHED),
        (30.0, 31.0, NAN, False, FAILED),
    ],
    [
        (0.0, 10.0, 40.0, 10.0),
        (5.0, 15.0, NAN, 11.0),  # alive at the end
        (20.0, NAN, 30.0, 0.0),  # never ready
    ],
    end_s=60.0,
)


def test_every_outcome_is_counted():
    found = measure_pool(POOL)

    assert (found.requests, found.served, found.rejected) == (9, 4, 1)
    # The eighth is still in service at the end: it was not served either.
    assert (found.timed_out, found.failed) == (2, 1)
    assert (found.lost, found.launches) == (5, 3)


def test_means_are_over_served_requests():
    found = measure_pool(POOL)

    assert found.measured == 4
    assert found.mean_s == (14 + 15 + 2 + 8) / 4
    assert found.mean_wait_s == (10 + 9) / 4
    assert found.cold == 1
    assert sorted(found.response_s) == [2.0, 8.0, 14.0, 15.0]


def test_quantiles_of_four_are_the_second_and_the_last():
    assert measure_pool(POOL).quantiles_s == (8.0, 15.0, 15.0, 15.0)


def test_what_arrives_before_the_warm_up_ends_is_counted_and_not_timed():
    found = measure_pool(POOL, warm_up_s=16.0)

    # The request at 16.0 has arrived after a warm-up of [0, 16).
    assert (found.requests, found.served, found.measured, found.cold) == (9, 4, 2, 0)
    assert (found.mean_s, found.mean_wait_s) == (5.0, 0.0)
    assert found.replica_hours == measure_pool(POOL).replica_hours


def test_a_response_time_at_the_bound_is_not_over_it():
    assert measure_pool(POOL, slow_after_s=14.0).over_slo == 1
    assert measure_pool(POOL, slow_after_s=np.nextafter(14.0, 0)).over_slo == 2
    assert measure_pool(POOL).over_slo == 0


def test_utilization_is_slot_seconds_in_service_over_ready_ones():
    # Ready for 30 s, 45 s and never: 21 slot-seconds of 75 with one slot.
    assert measure_pool(POOL).utilization == 21 / 75
    assert measure_pool(POOL, concurrency_limit=4).utilization == 21 / 300


def test_mean_ready_replicas_is_over_the_whole_run():
    assert measure_pool(POOL).mean_ready_replicas == 75 / 60


def test_the_peak_counts_replicas_that_start():
    assert measure_pool(POOL).peak_replicas == 3


def test_a_replica_that_stops_as_another_starts_is_gone():
    pool = written([], [(0.0, 1.0, 20.0, 0.0), (20.0, 21.0, 30.0, 0.0)], end_s=30.0)

    assert measure_pool(pool).peak_replicas == 1


def test_replica_hours_are_from_launch_to_stop():
    # 40 s, 55 s until the end, and 10 s of a setup that was given up.
    assert measure_pool(POOL).replica_hours == pytest.approx(105 / 3600, rel=1e-15)


def test_a_histogram_replaces_the_response_times():
    found = measure_pool(POOL, keep=False)

    assert found.response_s.size == 0
    assert found.histogram.sum() == 4
    assert (found.quantile_method, measure_pool(POOL).quantile_method) == (
        "histogram",
        "exact",
    )
    assert found.quantiles_s == pytest.approx((8.0, 15.0, 15.0, 15.0), rel=1e-3)
    assert found.mean_s == measure_pool(POOL).mean_s


def test_a_pool_without_requests_and_replicas_has_no_averages():
    found = measure_pool(written([], [], end_s=60.0, launches=0))

    assert (found.requests, found.peak_replicas, found.replica_hours) == (0, 0, 0.0)
    assert found.mean_ready_replicas == 0.0
    assert all(map(math.isnan, (found.mean_s, found.mean_wait_s, found.utilization)))
    assert all(map(math.isnan, found.quantiles_s))


def test_the_engine_and_the_measures_agree_on_three_requests():
    # Setup 10 s, service 4 s, idle timeout 30 s: one replica is ready at 10 and serves
    # at [10, 14), [14, 18) and [40, 44). The second request finds it busy, not cold.
    result = simulate_pool(
        [0.0, 12.0, 40.0],
        [4.0, 4.0, 4.0],
        [10.0] * 3,
        idle_timeout_s=30.0,
        max_replicas=1,
        horizon_s=100.0,
    )

    found = measure_pool(result)

    assert (found.mean_s, found.mean_wait_s) == ((14 + 6 + 4) / 3, (10 + 2 + 0) / 3)
    assert (found.launches, found.cold, found.peak_replicas) == (1, 1, 1)
    # Ready from 10 to 74, of 100 s.
    assert found.mean_ready_replicas == 0.64
    assert found.utilization == 12 / 64
    assert found.replica_hours == pytest.approx(74 / 3600, rel=1e-15)


def overlap_by_definition(start_s, stop_s, span_s, n_bins):
    edges = np.linspace(0.0, span_s, n_bins + 1)
    open_s = np.minimum(stop_s[:, None], edges[1:]) - np.maximum(
        start_s[:, None], edges[:-1]
    )
    return np.maximum(open_s, 0.0).sum(axis=0) / (span_s / n_bins)


@pytest.mark.parametrize("n_bins", [1, 7, 240])
def test_a_mean_level_is_the_time_open_in_each_bin_over_its_width(n_bins, rng):
    # Some begin or end beyond the span; some are empty.
    start_s = rng.uniform(0.0, 130.0, size=300)
    stop_s = start_s + rng.choice([0.0, 0.3, 5.0, 90.0], size=300)

    found = mean_level(start_s, stop_s, 100.0, n_bins)

    assert found == pytest.approx(
        overlap_by_definition(start_s, stop_s, 100.0, n_bins), abs=1e-9
    )


def test_intervals_on_the_edges_of_bins_fall_on_one_side():
    found = mean_level(
        np.array([0.0, 10.0, 20.0]), np.array([10.0, 20.0, 40.0]), 40.0, 4
    )

    assert found.tolist() == [1.0, 1.0, 1.0, 1.0]


def test_no_interval_is_a_level_of_zero():
    assert mean_level(np.empty(0), np.empty(0), 10.0, 3).tolist() == [0.0, 0.0, 0.0]


def test_measures_do_not_change_the_records():
    before = POOL.requests.copy()

    measure_pool(POOL, warm_up_s=3.0)

    assert POOL.requests.tobytes() == before.tobytes()
