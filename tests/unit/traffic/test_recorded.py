import tracemalloc

import numpy as np
import pytest
from scipy import stats

from costsim.errors import InputError
from costsim.traffic import recorded
from costsim.traffic.recorded import RecordedWork, gather
from costsim.traffic.streams import stream_rng
from costsim.traffic.trace import TraceData

N = 20_000
PAIR = ("input_tokens", "output_tokens")


class OnDisk:
    """A column that can be taken by slices only, as if it were a file."""

    def __init__(self, values):
        self.values = values
        self.taken = 0

    def __len__(self):
        return len(self.values)

    def __getitem__(self, rows):
        part = self.values[rows]
        self.taken += len(part)
        return part


def work_of(trace, *fields, replication=0):
    return RecordedWork(
        trace,
        fields,
        stream_rng(3, replication, "resample"),
        stream_rng(3, replication, "resample", 1),
    )


def drawn(trace, *fields, n=N, replication=0):
    """Return the values of requests that bring none."""
    return work_of(trace, *fields, replication=replication).take(np.full(n, -1))


def test_a_row_has_its_own_values():
    trace = TraceData(np.zeros(3), duration_s=np.array([3.0, 4.0, 5.0]))

    taken = work_of(trace, "duration_s").take(np.array([2, 0, 0, 1]))

    assert taken["duration_s"].tolist() == [5, 3, 3, 4]


def test_what_a_row_lacks_is_drawn_from_what_was_recorded():
    durations = stream_rng(1, 0, "work").lognormal(1.0, 0.8, 5000)
    recorded_s = np.where(np.arange(5000) % 3 == 0, np.nan, durations)
    trace = TraceData(np.arange(5000.0), duration_s=recorded_s)

    taken = work_of(trace, "duration_s").take(np.arange(5000))["duration_s"]

    lacking = np.isnan(recorded_s)
    assert np.array_equal(taken[~lacking], recorded_s[~lacking])
    assert set(taken[lacking]) <= set(recorded_s[~lacking])
    assert stats.ks_2samp(taken[lacking], recorded_s[~lacking]).pvalue > 1e-3


def test_a_request_that_is_not_of_the_trace_has_the_recorded_law():
    law = stats.lognorm(0.8, 0, 2.0)
    recorded_s = law.ppf((np.arange(4000) + 0.5) / 4000)

    values = drawn(TraceData(np.zeros(4000), duration_s=recorded_s), "duration_s")

    assert stats.kstest(values["duration_s"], law.cdf).pvalue > 1e-3


def test_a_row_is_drawn_by_its_number_of_requests():
    trace = TraceData(
        np.zeros(4),
        count=np.array([1, 0, 3, 4]),
        width_s=np.ones(4),
        duration_s=np.array([10.0, 20.0, 30.0, np.nan]),
    )

    values = drawn(trace, "duration_s")["duration_s"]

    assert set(values) == {10.0, 30.0}
    assert stats.binomtest(int((values == 30).sum()), N, 0.75).pvalue > 1e-3


def test_values_of_one_row_stay_together():
    read = np.array([1.0, 2.0, np.nan, 4.0, 5.0])
    written = np.array([10.0, np.nan, 30.0, 40.0, 50.0])
    trace = TraceData(np.zeros(5), input_tokens=read, output_tokens=written)

    alone = drawn(trace, *PAIR)
    own = work_of(trace, *PAIR).take(np.arange(5))

    assert set(alone["input_tokens"]) == {1, 4, 5}
    assert np.array_equal(alone["output_tokens"], 10 * alone["input_tokens"])
    # Rows that have only one of the two get both from another one.
    assert np.array_equal(own["output_tokens"], 10 * own["input_tokens"])
    assert own["input_tokens"][[0, 3, 4]].tolist() == [1, 4, 5]


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_values_are_the_same_wherever_requests_are_cut(size):
    values = np.where(np.arange(900) % 2 == 0, np.nan, np.arange(900.0))
    trace = TraceData(np.zeros(900), duration_s=values)
    rows = stream_rng(2, 0, "work").integers(-1, 900, 5000)
    whole = work_of(trace, "duration_s").take(rows)["duration_s"]

    work = work_of(trace, "duration_s")
    parts = np.split(rows, range(size, 5000, size))
    joined = np.concatenate([work.take(part)["duration_s"] for part in parts])

    assert np.array_equal(joined, whole)


def test_replications_draw_differently():
    trace = TraceData(np.zeros(900), duration_s=np.arange(900.0))

    first = drawn(trace, "duration_s", replication=0)["duration_s"]
    second = drawn(trace, "duration_s", replication=1)["duration_s"]

    assert not np.array_equal(first[:50], second[:50])


@pytest.mark.parametrize("rows", [[], [5], [9999, 0, 4095, 4096, 0, 7777, 9998]])
def test_a_column_on_disk_is_taken_by_slices(rows):
    column = OnDisk(np.arange(10_000.0) ** 2)
    rows = np.array(rows, dtype=np.int64)

    assert np.array_equal(gather(column, rows), column.values[rows])


def test_requests_that_come_almost_in_order_take_each_slice_once():
    column = OnDisk(np.arange(1_000_000.0))
    rows = 500_000 + stream_rng(2, 0, "work").permutation(20_000)

    gather(column, rows)

    assert column.taken <= 20_000 + 2 * 4096


def test_of_a_long_trace_a_sample_is_drawn_from(monkeypatch):
    monkeypatch.setattr(recorded, "_MOST_TO_DRAW_FROM", 3000)
    values = stream_rng(1, 0, "work").exponential(2.0, 300_000)
    trace = TraceData(OnDisk(np.zeros(300_000)), duration_s=OnDisk(values))

    taken = drawn(trace, "duration_s")["duration_s"]

    assert set(taken) <= set(values)
    assert 2900 < len(np.unique(taken)) <= 3000
    distinct = np.unique(taken)
    assert stats.kstest(distinct, stats.expon(0, 2).cdf).pvalue > 1e-3
    # Rows from all parts of the file.
    place = np.searchsorted(np.sort(values), distinct)
    rows = np.argsort(values)[place]
    assert stats.kstest(rows / 300_000, "uniform").pvalue > 1e-3


def test_what_is_drawn_from_is_bounded(monkeypatch):
    monkeypatch.setattr(recorded, "_MOST_TO_DRAW_FROM", 10_000)
    values = OnDisk(np.ones(3_000_000))
    trace = TraceData(values, duration_s=values)
    tracemalloc.start()
    try:
        drawn(trace, "duration_s", n=10)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 8e6


NONE = np.full(3, np.nan)
SOME = np.array([np.nan, 2.0, np.nan])
OTHERS = np.array([1.0, np.nan, 1.0])


@pytest.mark.parametrize(
    ("columns", "fields", "message"),
    [
        ({}, ["duration_s"], "service.time is 'trace', but no durations were"),
        ({"duration_s": NONE}, ["duration_s"], "but no durations were recorded"),
        (
            {"input_tokens": SOME, "output_tokens": NONE},
            PAIR,
            "service.tokens.output is 'trace', but no output tokens",
        ),
        (
            {"input_tokens": SOME, "output_tokens": OTHERS},
            PAIR,
            "service.tokens.input and service.tokens.output are 'trace', but no "
            "request has them both recorded",
        ),
    ],
    ids=["no column", "no value", "half", "never both"],
)
def test_what_was_not_recorded_cannot_be_taken(columns, fields, message):
    with pytest.raises(InputError, match=message):
        work_of(TraceData(np.zeros(3), **columns), *fields)
