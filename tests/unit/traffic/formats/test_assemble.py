from datetime import UTC, datetime

import numpy as np
import pytest

from costsim.errors import TraceError
from costsim.scenario.trace import Trace
from costsim.traffic.formats.assemble import assemble
from costsim.traffic.formats.batch import Account, Batch

NOON_S = 1_772_452_800  # 2026-03-02T12:00Z
NS = 10**9


def batch(times_s, **columns):
    n = len(times_s)
    time_ns = np.rint(np.array(times_s, dtype=float) * NS).astype(np.int64)
    arrays = {
        name: list(values)
        if name in ("key", "session")
        else np.array(values, dtype=np.float64)
        for name, values in columns.items()
    }
    return Batch(line=np.arange(2, 2 + n), time_ns=time_ns, **arrays)


def assembled(*batches, account=None, **keys):
    account = account or Account("x.log", zone=UTC)
    account.n_rows = sum(len(one.line) for one in batches)
    spec = Trace.model_validate({"path": "x.log", **keys})
    return assemble(iter(batches), account, spec, "csv")


def test_rows_are_sorted_and_the_first_is_at_zero():
    trace = assembled(batch([5, 3], duration_s=[1, 2]), batch([4], duration_s=[3]))

    assert trace.arrival_s.tolist() == [0.0, 1.0, 2.0]
    assert trace.duration_s.tolist() == [2.0, 3.0, 1.0]
    assert trace.notes[-1] == "2 rows out of order were sorted; first at line 3"


def test_rows_of_the_same_time_keep_their_order():
    trace = assembled(batch([1, 0, 1, 0], input_tokens=[1, 2, 3, 4]))

    assert trace.input_tokens.tolist() == [2, 4, 1, 3]


def test_a_column_that_some_batches_lack_is_filled():
    trace = assembled(
        batch([0]), batch([1], output_tokens=[7], key=["a"], session=["s"])
    )

    assert np.isnan(trace.output_tokens[0])
    assert trace.output_tokens[1] == 7
    assert trace.key.tolist() == [-1, 0]
    assert trace.session[0] == -1


def test_ends_are_moved_by_the_durations_and_rows_without_are_dropped():
    account = Account("x.log", zone=UTC, stamped_end=True)

    trace = assembled(
        batch([10, 11, 12], duration_s=[1, np.nan, 9]), account=account, max_dropped=0.5
    )

    assert trace.arrival_s.tolist() == [0.0, 6.0]
    assert "1 with an end but no duration (line 3)" in trace.notes[-2]


def test_the_scenario_may_take_ends_for_starts():
    account = Account("x.log", zone=UTC, stamped_end=True)

    trace = assembled(batch([10, 12]), account=account, stamped="start")

    assert trace.arrival_s.tolist() == [0.0, 2.0]


def test_ends_without_any_durations_are_refused():
    account = Account("x.log", stamped_end=True)

    with pytest.raises(TraceError, match="and no durations to take off; name their"):
        assembled(batch([10]), account=account)


def test_ends_of_bins_are_moved_by_their_width():
    trace = assembled(batch([NOON_S + 60], count=[5]), stamped="end", bin="1m")

    assert trace.start == datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_only_the_keys_that_are_asked_for_are_kept():
    trace = assembled(batch([1, 2, 3], key=["a", "b", "a"]), keys=["b"])

    assert trace.keys == ("b",)
    assert len(trace.arrival_s) == 1


def test_an_unknown_key_is_refused_with_those_that_there_are():
    with pytest.raises(TraceError, match=r"keys and their .* are 'a' \(2\), 'b' \(1\)"):
        assembled(batch([1, 2, 3], key=["a", "b", "a"]), keys=["c"])
    with pytest.raises(TraceError, match="has no keys to choose from"):
        assembled(batch([1]), keys=["c"])


def test_a_window_of_durations_begins_at_the_first_request_of_the_keys():
    trace = assembled(
        batch([0, 10, 15, 20, 25], key=["x", "a", "a", "a", "a"]),
        keys=["a"],
        window={"begin": "5s", "end": "15s"},
    )

    assert trace.arrival_s.tolist() == [0.0, 5.0]


@pytest.mark.parametrize("begin", ["2026-03-02T12:00:10Z", "2026-03-02T13:00:10+01:00"])
def test_a_window_may_be_given_by_moments(begin):
    trace = assembled(
        batch([NOON_S, NOON_S + 10, NOON_S + 20]), window={"begin": begin}
    )

    assert trace.start == datetime(2026, 3, 2, 12, 0, 10, tzinfo=UTC)
    assert trace.arrival_s.tolist() == [0.0, 10.0]


def test_moments_need_a_file_with_dates():
    with pytest.raises(TraceError, match="the file has no dates; give durations"):
        assembled(
            batch([0]),
            account=Account("x.log", epoch="file"),
            window={"begin": "2026-03-02T12:00Z"},
        )
    with pytest.raises(TraceError, match="the file's dates have no offset; leave it"):
        assembled(
            batch([NOON_S]),
            account=Account("x.log"),
            window={"begin": "2026-03-02T12:00Z"},
        )


def test_an_empty_window_is_refused():
    with pytest.raises(TraceError, match="has no requests in the window"):
        assembled(batch([0]), window={"begin": "1h"})


def test_wall_clock_times_are_those_of_the_zone_in_summer_and_winter():
    winter, summer = 1_772_452_800, 1_782_993_600  # noon on the wall

    trace = assembled(
        batch([winter, summer]), account=Account("x.log"), time_zone="Europe/Paris"
    )

    assert trace.start.isoformat() == "2026-03-02T12:00:00+01:00"
    # The clocks go forward in between.
    assert trace.arrival_s.tolist() == [0.0, summer - winter - 3600.0]


def test_without_a_zone_wall_clock_times_stay_so():
    trace = assembled(batch([NOON_S]), account=Account("x.log"))

    assert trace.start == datetime(2026, 3, 2, 12)  # noqa: DTZ001


def test_instants_are_shown_in_utc_whatever_the_zone():
    trace = assembled(batch([NOON_S]), time_zone="Europe/Paris")

    assert trace.start == datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_whole_seconds_throughout_are_a_resolution_unless_told_otherwise():
    times = list(range(100))

    assert assembled(batch(times)).resolution_s == 1.0
    assert assembled(batch([*times, 100.5])).resolution_s == 0.0
    assert assembled(batch(times), resolution="0s").resolution_s == 0.0
    assert assembled(batch([0, 0.5]), resolution="3s").resolution_s == 3.0
    account = Account("x.log", resolution_s=3.0)
    assert assembled(batch([0.5]), account=account).resolution_s == 3.0


def test_counts_are_made_whole_and_keep_their_running_total_by_key():
    n = 1000
    counts = np.tile([0.3, 0.25], n)
    trace = assembled(
        batch(np.repeat(np.arange(n), 2), count=counts, key=["a", "b"] * n), bin="1s"
    )

    a, b = (trace.count[trace.key == i] for i in (0, 1))
    assert a.sum() == 300
    assert b.sum() == 250
    bins = trace.arrival_s[trace.key == 0] + 1
    assert np.all(np.abs(np.cumsum(a) - 0.3 * bins) <= 1)
    assert np.all(trace.count[1:-1] > 0)


def test_negative_counts_are_dropped_and_missing_ones_are_empty_bins():
    trace = assembled(
        batch([0, 60, 120, 180], count=[1, -2, np.nan, 3]), max_dropped=0.25
    )

    assert trace.n_requests == 4
    assert "1 with a negative count (line 3)" in trace.notes[-1]


def test_zeros_throughout_are_refused():
    with pytest.raises(TraceError, match="all counts are 0"):
        assembled(batch([0, 60], count=[0, 0]), bin="1m")


def test_too_many_dropped_rows_are_refused_with_reasons_and_lines():
    account = Account("x.log")
    account.drop("'time' not readable", 7, "soon")

    with pytest.raises(TraceError) as caught:
        assembled(batch(range(50)), account=account)
    assert caught.value.line == 7
    assert caught.value.message == (
        "1 of 50 rows cannot be used, more than 1%: 1 with 'time' not readable (line 7: "
        "'soon'); a number has a decimal point, a date is written as "
        "2026-03-05T18:00:00+01:00; traffic.trace.max_dropped would allow more"
    )


def test_a_file_without_rows_is_refused_with_what_was_left_out():
    account = Account("x.log")
    account.skip("warm-up requests", 12)

    with pytest.raises(TraceError, match="has no requests, only 12 warm-up requests"):
        assembled(account=account)


def test_what_is_needed_must_be_there():
    account = Account("x.log", needs=("duration_s",))

    with pytest.raises(TraceError, match=r"has no durations; traffic\.trace\.columns"):
        assembled(batch([0], duration_s=[np.nan]), account=account)


def test_a_request_comes_when_its_running_total_is_whole():
    trace = assembled(batch(range(6), count=[0.5] * 6), bin="1s")

    # The log begins at 0, with nothing.
    assert trace.arrival_s.tolist() == [0.0, 1.0, 3.0, 5.0]
    assert trace.count.tolist() == [0, 1, 1, 1]


def test_empty_bins_at_the_ends_are_covered_and_those_between_left_out():
    trace = assembled(batch(range(7), count=[0, 0, 2, 0, 1, 0, 0]), bin="1s")

    assert trace.arrival_s.tolist() == [0.0, 2.0, 4.0, 6.0]
    assert trace.count.tolist() == [0, 2, 1, 0]
    assert trace.span_s == 7.0


def test_a_part_of_a_request_is_none():
    assert assembled(batch(range(3), count=[0.6] * 3), bin="1s").n_requests == 1
