from datetime import UTC, datetime

import numpy as np
import pytest

from costsim.errors import TraceError
from costsim.scenario.trace import Trace
from costsim.traffic.placement import (
    Placement,
    expected_arrivals,
    notes_on,
    place,
    repetitions,
    widest_bin_s,
)
from costsim.traffic.trace import TraceData

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
FOUR = TraceData(np.array([0.0, 10.0, 10.0, 30.0]))
BINS = TraceData(
    np.array([0.0, 60.0, 120.0]),
    count=np.array([10, 0, 30]),
    width_s=np.array([60.0, 300.0, 60.0]),
)


def given(trace, start=None, **keys):
    spec = Trace.model_validate({"path": "x.csv", **keys})
    return spec, trace, place(spec, trace, start)


def notes(trace, horizon_s, start=None, **keys):
    return notes_on(*given(trace, start, **keys), horizon_s)


def expected(trace, horizon_s, start=None, **keys):
    return expected_arrivals(*given(trace, start, **keys), horizon_s)


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


def test_repetitions_that_ended_before_the_start_are_not_made():
    where = Placement(offset_s=-1e9, span_s=9.0, gap_s=1.0)

    assert repetitions(where, 25.0) == range(100_000_000, 100_000_003)


def test_what_is_left_out_at_both_ends_is_told():
    before = TraceData(
        FOUR.arrival_s, start=datetime(2026, 3, 2, 11, 59, 55, tzinfo=UTC)
    )

    assert notes(before, 20.0, start=NOON) == [
        "1 request of the trace before the start left out",
        "1 request of the trace after the horizon left out",
    ]
    assert notes(FOUR, 30.0) == ["1 request of the trace after the horizon left out"]
    assert notes(FOUR, 100.0, repeat=True) == []


def test_of_a_bin_that_is_cut_its_share_is_left_out():
    trace = TraceData(
        BINS.arrival_s,
        count=BINS.count,
        width_s=BINS.width_s,
        start=datetime(2026, 3, 2, 11, 59, 48, tzinfo=UTC),
    )

    # The first bin begins 12 s early; of the last 38 of its 60 s are in the run.
    assert notes(trace, 146.0, start=NOON) == [
        "2 requests of the trace before the start left out",
        "11 requests of the trace after the horizon left out",
    ]
    assert expected(trace, 146.0, start=NOON) == pytest.approx(8 + 19)


def test_bins_end_with_the_last_one_and_begin_again_there():
    assert place(*given(BINS)[:2], None) == Placement(0.0, 360.0, 0.0)
    assert expected(BINS, 720.0, repeat=True) == 80


def test_stamps_that_were_cut_end_with_what_they_were_cut_to():
    trace = TraceData(np.array([0.0, 0.0, 0.0, 3.0]), resolution_s=10.0)

    where = place(*given(trace, scale_time=2.0)[:2], None)

    assert where == Placement(0.0, 6.0, 20.0)


def test_requests_are_expected_by_their_rows_and_the_rate():
    assert expected(FOUR, 30.0) == 3
    assert expected(FOUR, 30.0, scale_rate=2.5) == 7.5
    assert expected(FOUR, 21.0, scale_time=2.0) == 3
    assert expected(FOUR, 400.0, repeat=True) == 40


def test_bins_without_width_hold_all_at_once():
    trace = TraceData(np.array([0.0, 5.0]), count=np.array([3, 4]), width_s=np.zeros(2))

    assert expected(trace, 5.0) == 3
    assert expected(trace, 5.1) == 7


def test_the_widest_bin_is_one_that_has_requests():
    assert widest_bin_s(BINS) == 60
    assert widest_bin_s(FOUR) == 0


def test_a_long_column_is_not_taken_whole_to_find_the_ends():
    taken = []

    class Looked:
        def __len__(self):
            return 10**9

        def __getitem__(self, rows):
            begin, end, _ = rows.indices(len(self))
            taken.append(end - begin)
            return np.arange(begin, end)

    assert notes(TraceData(Looked()), 1e6) == [
        "999,000,000 requests of the trace after the horizon left out"
    ]
    assert sum(taken) < 100
