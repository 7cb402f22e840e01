from datetime import UTC, datetime

import numpy as np
import pytest
from scipy import stats

from costsim.errors import TraceError
from costsim.scenario.traffic import Trace
from costsim.traffic.replay import Placement, notes_on, place, repetitions, replay
from costsim.traffic.streams import stream_rng
from costsim.traffic.trace import TraceData

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
FOUR = TraceData(np.array([0.0, 10.0, 10.0, 30.0]))


def replayed(trace, horizon_s, start=None, replication=0, **keys):
    spec = Trace.model_validate({"path": "x.csv", **keys})
    where = place(spec, trace, start)
    selection_rng = stream_rng(9, replication, "selection")
    jitter_rng = stream_rng(9, replication, "jitter")
    return replay(spec, trace, where, horizon_s, selection_rng, jitter_rng)


def notes(trace, horizon_s, start=None, **keys):
    spec = Trace.model_validate({"path": "x.csv", **keys})
    return notes_on(spec, trace, place(spec, trace, start), horizon_s)


def test_a_trace_is_replayed_as_it_was():
    arrival_s, rows = replayed(FOUR, 100.0)

    assert arrival_s.tolist() == [0, 10, 10, 30]
    assert rows.tolist() == [0, 1, 2, 3]


def test_a_trace_is_cut_at_the_horizon():
    arrival_s, rows = replayed(FOUR, 30.0)

    assert arrival_s.tolist() == [0, 10, 10]
    assert rows.tolist() == [0, 1, 2]
    assert notes(FOUR, 30.0) == ["1 request of the trace after the horizon left out"]


def test_time_may_be_stretched():
    arrival_s, _ = replayed(FOUR, 100.0, scale_time=2.0)

    assert arrival_s.tolist() == [0, 20, 20, 60]


def test_with_two_calendars_the_first_request_keeps_its_distance_from_the_start():
    trace = TraceData(FOUR.arrival_s, start=datetime(2026, 3, 2, 12, 1, tzinfo=UTC))

    arrival_s, _ = replayed(trace, 100.0, start=NOON)

    assert arrival_s.tolist() == [60, 70, 70, 90]


def test_a_trace_without_a_calendar_begins_at_the_start():
    arrival_s, _ = replayed(FOUR, 100.0, start=NOON)

    assert arrival_s[0] == 0


def test_what_lies_before_the_start_is_left_out_and_told():
    trace = TraceData(
        FOUR.arrival_s, start=datetime(2026, 3, 2, 11, 59, 55, tzinfo=UTC)
    )

    arrival_s, rows = replayed(trace, 100.0, start=NOON)

    assert arrival_s.tolist() == [5, 5, 25]
    assert rows.tolist() == [1, 2, 3]
    assert notes(trace, 100.0, start=NOON)[0] == (
        "1 request of the trace before the start left out"
    )


def test_a_trace_of_another_time_is_refused_with_both_dates():
    trace = TraceData(FOUR.arrival_s, start=datetime(2023, 11, 16, tzinfo=UTC))

    with pytest.raises(TraceError) as caught:
        notes(trace, 100.0, start=NOON)
    assert str(caught.value) == (
        "x.csv: no request falls into the scenario's 1m40s: the trace begins at "
        "2023-11-16T00:00:00+00:00, 837d12h before the scenario's start; leave start "
        "out to replay it from 0, or move start"
    )


def test_a_trace_that_begins_after_the_horizon_is_refused():
    trace = TraceData(FOUR.arrival_s, start=datetime(2026, 3, 3, tzinfo=UTC))

    with pytest.raises(TraceError, match="12h after the scenario's start"):
        notes(trace, 100.0, start=NOON)


def test_a_trace_that_ends_early_is_told():
    assert notes(FOUR, 100.0) == [
        "the trace ends at 30s of 1m40s; repeat: true would start it again"
    ]
    assert notes(FOUR, 42.0) == []


def test_a_repeated_trace_starts_again_one_mean_gap_after_its_end():
    arrival_s, rows = replayed(FOUR, 100.0, repeat=True)

    assert arrival_s.tolist() == [0, 10, 10, 30, 40, 50, 50, 70, 80, 90, 90]
    assert rows.tolist() == [0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2]
    assert notes(FOUR, 100.0, repeat=True) == []


def test_a_repeated_trace_of_the_past_goes_on_in_its_rhythm():
    trace = TraceData(FOUR.arrival_s, start=datetime(2026, 3, 2, 11, 59, tzinfo=UTC))

    arrival_s, rows = replayed(trace, 45.0, start=NOON, repeat=True)

    assert arrival_s.tolist() == [10, 20, 30, 30]
    assert rows.tolist() == [3, 0, 1, 2]


def test_repetitions_that_ended_before_the_start_are_not_made():
    where = Placement(offset_s=-1e9, span_s=9.0, gap_s=1.0)

    assert repetitions(where, 25.0) == range(100_000_000, 100_000_003)


def test_jitter_delays_each_request_and_keeps_its_row():
    trace = TraceData(np.zeros(1000))

    arrival_s, rows = replayed(trace, 100.0, jitter="3s")

    assert np.all(np.diff(arrival_s) >= 0)
    assert arrival_s.max() < 3
    assert arrival_s.mean() == pytest.approx(1.5, abs=4 * 3 / np.sqrt(12 * 1000))
    assert sorted(rows.tolist()) == list(range(1000))
    assert rows.tolist() != list(range(1000))


def test_a_rate_scaled_down_keeps_some_requests_where_they_were():
    trace = TraceData(np.arange(10_000.0))

    arrival_s, rows = replayed(trace, 1e5, scale_rate=0.3)

    assert np.array_equal(arrival_s, rows)
    # The number kept is binomial.
    assert len(rows) == pytest.approx(3000, abs=4 * np.sqrt(10_000 * 0.21))


def test_a_rate_scaled_up_copies_requests_into_the_gap_that_follows():
    trace = TraceData(np.arange(10_000.0) ** 1.1)

    arrival_s, rows = replayed(trace, 1e6, scale_rate=2.5)

    assert len(rows) == pytest.approx(25_000, abs=4 * np.sqrt(10_000 * 0.25))
    assert np.all(arrival_s >= trace.arrival_s[rows])
    inner = rows < 9_999
    assert np.all(arrival_s[inner] <= trace.arrival_s[rows[inner] + 1])
    assert set(trace.arrival_s.tolist()) <= set(arrival_s.tolist())
    copied = inner & (arrival_s != trace.arrival_s[rows])
    gaps = np.diff(trace.arrival_s)[rows[copied]]
    share = (arrival_s[copied] - trace.arrival_s[rows[copied]]) / gaps
    assert len(share) == pytest.approx(15_000, abs=300)
    assert stats.kstest(share, "uniform").pvalue > 1e-3


def test_a_whole_factor_copies_exactly():
    _, rows = replayed(FOUR, 1e3, scale_rate=3.0)

    assert np.bincount(rows).tolist() == [3, 3, 3, 3]


def test_requests_at_one_moment_stay_together_when_copied():
    batches = TraceData(np.repeat([0.0, 100.0], 50))

    arrival_s, _ = replayed(batches, 1e3, scale_rate=2.0)

    assert (arrival_s == 0).sum() >= 99


def test_without_scaling_and_jitter_all_replications_have_the_same_arrivals():
    first, _ = replayed(FOUR, 100.0, replication=0)
    second, _ = replayed(FOUR, 100.0, replication=1)

    assert np.array_equal(first, second)


def test_with_jitter_replications_differ():
    first, _ = replayed(FOUR, 100.0, replication=0, jitter="3s")
    second, _ = replayed(FOUR, 100.0, replication=1, jitter="3s")

    assert not np.array_equal(first, second)
