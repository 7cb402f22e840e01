"""The timeline of a pool small enough for a sheet of paper, and what it refuses."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

from costsim.records import REPLICA_DTYPE, REQUEST_DTYPE, Outcome
from costsim.simulation.levels import mean_level
from costsim.simulation.timeline import TimelineAccumulator

NAN = math.nan
SERVED, REJECTED = Outcome.SERVED, Outcome.REJECTED
TIMED_OUT, UNFINISHED, FAILED = Outcome.TIMED_OUT, Outcome.UNFINISHED, Outcome.FAILED


def requests_of(*rows):
    """Return rows of (arrival, start, departure, replica, outcome)."""
    table = np.zeros(len(rows), REQUEST_DTYPE)
    for name, column in zip(
        ("arrival_s", "start_s", "departure_s", "replica", "outcome"),
        zip(*rows, strict=True),
        strict=True,
    ):
        table[name] = column
    return table


def replicas_of(*rows):
    """Return rows of (launch, ready, stop)."""
    table = np.zeros(len(rows), REPLICA_DTYPE)
    for name, column in zip(
        ("launch_s", "ready_s", "stop_s"), zip(*rows, strict=True), strict=True
    ):
        table[name] = column
    return table


def two_slots():
    """A replica with two slots: ready at 10, busy on [10, 25) and [30, 35)."""
    accumulator = TimelineAccumulator(40.0, 10.0, concurrency_limit=2)
    accumulator.add_requests(
        requests_of(
            (0, 10, 20, 0, SERVED),
            (5, 10, 15, 0, SERVED),
            (12, NAN, NAN, -1, REJECTED),
            (12, NAN, 17, -1, TIMED_OUT),
            (18, 18, 25, 0, SERVED),
            (30, 30, 35, 0, SERVED),
            (39, NAN, NAN, -1, UNFINISHED),
        )
    )
    accumulator.add_replicas(
        replicas_of((0, 10, NAN), (30, NAN, 35)), np.array([0, 1]), np.array([4, 30])
    )
    return accumulator


def test_levels_are_means_in_bins_of_ten_seconds():
    found = two_slots().timeline()

    assert found.arrivals.tolist() == [0.2, 0.3, 0.0, 0.2]
    assert found.waiting.tolist() == pytest.approx([1.5, 0.5, 0.0, 0.1])
    assert found.in_service.tolist() == [0.0, 1.7, 0.5, 0.5]
    assert found.starting.tolist() == [1.0, 0.0, 0.0, 0.5]
    assert found.ready.tolist() == [0.0, 1.0, 1.0, 1.0]
    assert found.busy.tolist() == [0.0, 1.0, 0.5, 0.5]
    assert found.idle.tolist() == [0.0, 0.0, 0.5, 0.5]
    assert found.present.tolist() == [1.0, 1.0, 1.0, 1.5]


def test_seconds_of_replicas_and_those_billed():
    found = two_slots().timeline()

    assert found.present_s.tolist() == [10.0, 10.0, 10.0, 15.0]
    # The first setup is billed from 4 on, the second from its launch.
    whole, busy = (found.billed_s(idle_billed=one).tolist() for one in (True, False))
    assert whole == pytest.approx([6.0, 10.0, 10.0, 15.0])
    assert busy == pytest.approx([6.0, 10.0, 5.0, 10.0])


def test_the_last_bin_may_be_shorter():
    accumulator = TimelineAccumulator(25.0, 10.0)
    accumulator.add_requests(
        requests_of((20, 21, 24, 0, SERVED), (22, 22, 90, 0, UNFINISHED))
    )

    found = accumulator.timeline()

    assert found.span_s.tolist() == [10.0, 10.0, 5.0]
    assert found.arrivals[2] == 2 / 5
    assert found.waiting[2] == pytest.approx(1 / 5)
    assert found.in_service[2] == pytest.approx((3 + 3) / 5)


@pytest.mark.parametrize("horizon_s", [1.0, 3600.0, 86400.0 * 31, 0.1, 1e9 / 3])
def test_there_are_240_bins_unless_a_width_is_asked_for(horizon_s):
    found = TimelineAccumulator(horizon_s).timeline()

    assert found.arrivals.size == 240
    assert (found.span_s == horizon_s / 240).all()


def test_one_bin_a_minute():
    found = TimelineAccumulator(3630.0, 60.0).timeline()

    assert found.arrivals.size == 61
    assert found.span_s[-1] == 30.0


def test_what_arrives_at_the_horizon_is_not_in_it():
    accumulator = TimelineAccumulator(10.0)

    accumulator.add_requests(
        requests_of((10, 10, 11, 0, SERVED), (0, 10, 11, 0, SERVED))
    )

    found = accumulator.timeline()
    assert found.arrivals.sum() * found.bin_s == pytest.approx(1.0)
    assert found.waiting.tolist() == pytest.approx([1.0] * 240)
    assert found.in_service.sum() == 0.0


@pytest.mark.parametrize("outcome", [TIMED_OUT, FAILED])
def test_a_request_that_left_must_say_when(outcome):
    accumulator = TimelineAccumulator(10.0)

    with pytest.raises(ValueError, match="departure_s"):
        accumulator.add_requests(requests_of((1, NAN, NAN, -1, outcome)))


def test_one_patience_for_all_says_when_they_left():
    accumulator = TimelineAccumulator(10.0, 5.0, patience_s=6.0)

    accumulator.add_requests(
        requests_of((1, NAN, NAN, -1, TIMED_OUT), (1, NAN, 3, -1, TIMED_OUT))
    )

    assert accumulator.timeline().waiting.tolist() == pytest.approx([1.2, 0.4])


def test_a_request_that_failed_was_in_service_until_then():
    accumulator = TimelineAccumulator(10.0, 5.0)

    accumulator.add_requests(requests_of((1, 2, 6, 0, FAILED)))

    assert accumulator.timeline().in_service.tolist() == pytest.approx([0.6, 0.2])
    assert accumulator.timeline().waiting.tolist() == pytest.approx([0.2, 0.0])


def test_services_out_of_order_are_refused():
    accumulator = TimelineAccumulator(10.0, concurrency_limit=2)

    with pytest.raises(ValueError, match="start_s is not in order"):
        accumulator.add_requests(
            requests_of((0, 3, 4, 0, SERVED), (0, 1, 5, 0, SERVED))
        )


def test_requests_by_completion_come_in_any_order():
    accumulator = TimelineAccumulator(
        10.0, 5.0, concurrency_limit=2, by_completion=True
    )

    accumulator.add_requests(requests_of((0, 3, 4, 0, SERVED), (0, 1, 5, 0, SERVED)))
    accumulator.add_busy(np.array([0]), np.array([1.0]), np.array([5.0]))

    assert accumulator.timeline().busy.tolist() == pytest.approx([0.8, 0.0])
    assert accumulator.timeline().in_service.tolist() == pytest.approx([1.0, 0.0])


def test_a_replica_that_stopped_leaves_nothing_to_the_next_one_in_its_seat():
    accumulator = TimelineAccumulator(100.0, 10.0, concurrency_limit=2)

    accumulator.add_requests(requests_of((0, 0, 90, 0, SERVED)))
    accumulator.add_replicas(replicas_of((0, 0, 90)), np.array([0]))
    accumulator.add_requests(requests_of((5, 5, 15, 1, SERVED)))

    assert accumulator.timeline().busy.tolist()[:2] == [1.5, 1.5]


def test_memory_does_not_grow_with_the_run():
    def state_after(n_replicas):
        accumulator = TimelineAccumulator(1e6, concurrency_limit=2)
        for replica in range(n_replicas):
            row = (replica, replica, replica + 1, replica, SERVED)
            accumulator.add_requests(requests_of(row))
            accumulator.add_replicas(replicas_of(row[:3]), np.array([replica]))
        return len(pickle.dumps(accumulator))

    assert state_after(300) == state_after(30)


def test_levels_are_exact_far_from_zero(rng):
    # Sums of such times would be rounded to whole seconds.
    start_s = 2.0**30 - rng.integers(1, 2**20, size=500_000) * 2.0**-8
    stop_s = start_s + 2.0**-20

    found = mean_level(start_s, stop_s, 2.0**30, 1 << 10)

    assert found.sum() * 2.0**20 == 500_000 * 2.0**-20
