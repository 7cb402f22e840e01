import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import numpy as np
import pytest
from scipy import stats

from costsim.scenario.trace import Trace
from costsim.traffic import binned, replay
from costsim.traffic.placement import Placement, place
from costsim.traffic.replay import TraceReader, realization
from costsim.traffic.streams import stream_rng
from costsim.traffic.trace import TraceData

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
FOUR = TraceData(np.array([0.0, 10.0, 10.0, 30.0]))


def reader_of(trace, horizon_s, start=None, replication=0, **keys):
    spec = Trace.model_validate({"path": "x.csv", **keys})
    where = place(spec, trace, start)
    rngs = partial(stream_rng, 9, replication)
    return TraceReader(spec, trace, where, horizon_s, rngs, keep_rows=True)


def replayed(trace, horizon_s=1e9, start=None, replication=0, sizes=(4096,), **keys):
    """Return all arrivals and their rows, read in pieces of these sizes in turn."""
    reader = reader_of(trace, horizon_s, start, replication, **keys)
    parts, rows, ended = [], [], False
    while not ended:
        out = np.empty(sizes[len(parts) % len(sizes)])
        n = reader.read(out)
        parts.append(out[:n])
        rows.append(reader.rows(n))
        ended = n < len(out)
    return np.concatenate(parts), np.concatenate(rows)


def test_a_trace_is_replayed_as_it_was():
    arrival_s, rows = replayed(FOUR, 100.0)

    assert arrival_s.tolist() == [0, 10, 10, 30]
    assert rows.tolist() == [0, 1, 2, 3]


def test_a_trace_is_cut_at_the_horizon():
    arrival_s, rows = replayed(FOUR, 30.0)

    assert arrival_s.tolist() == [0, 10, 10]
    assert rows.tolist() == [0, 1, 2]


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


def test_what_lies_before_the_start_is_left_out():
    trace = TraceData(
        FOUR.arrival_s, start=datetime(2026, 3, 2, 11, 59, 55, tzinfo=UTC)
    )

    arrival_s, rows = replayed(trace, 100.0, start=NOON)

    assert arrival_s.tolist() == [5, 5, 25]
    assert rows.tolist() == [1, 2, 3]


def test_a_repeated_trace_starts_again_one_mean_gap_after_its_end():
    arrival_s, rows = replayed(FOUR, 100.0, repeat=True)

    assert arrival_s.tolist() == [0, 10, 10, 30, 40, 50, 50, 70, 80, 90, 90]
    assert rows.tolist() == [0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2]


def test_a_repeated_trace_of_the_past_goes_on_in_its_rhythm():
    trace = TraceData(FOUR.arrival_s, start=datetime(2026, 3, 2, 11, 59, tzinfo=UTC))

    arrival_s, rows = replayed(trace, 45.0, start=NOON, repeat=True)

    assert arrival_s.tolist() == [10, 20, 30, 30]
    assert rows.tolist() == [3, 0, 1, 2]


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


def bins_of(begin_s, count, width_s, shape=None, **other):
    n = len(begin_s)
    return TraceData(
        np.asarray(begin_s, dtype=float),
        count=np.broadcast_to(np.asarray(count), n),
        width_s=np.full(n, width_s),
        spacing_shape=None if shape is None else np.full(n, shape),
        **other,
    )


UNEVEN = TraceData(np.cumsum(stream_rng(1, 0, "arrivals").exponential(2.0, 3000)))
MINUTES = bins_of(np.arange(100) * 60.0, np.arange(100) % 7 * 20, 60.0)
# Five functions, whose minutes overlap.
OVERLAPPING = bins_of(np.repeat(np.arange(60) * 60.0, 5), np.arange(300) % 11, 60.0)
BURSTS = bins_of(np.arange(50) * 60.0, 40, 60.0, shape=0.3)
SECONDS = TraceData(np.floor(UNEVEN.arrival_s), resolution_s=1.0)
VARIANTS = {
    "exact": (UNEVEN, {}),
    "thinned": (UNEVEN, {"scale_rate": 0.3}),
    "superposed": (UNEVEN, {"scale_rate": 2.5}),
    "jittered": (UNEVEN, {"jitter": "5m", "scale_time": 0.5}),
    "seconds": (SECONDS, {}),
    "seconds-all": (SECONDS, {"scale_rate": 1.5, "jitter": "9s", "repeat": True}),
    "bins": (MINUTES, {}),
    "overlapping": (OVERLAPPING, {"scale_time": 1.3}),
    "bins-all": (OVERLAPPING, {"scale_rate": 1.5, "jitter": "5m", "repeat": True}),
    "bursts": (BURSTS, {"scale_rate": 0.9}),
    "bursts-repeated": (BURSTS, {"repeat": True}),
}
variants = pytest.mark.parametrize(("trace", "keys"), VARIANTS.values(), ids=VARIANTS)


def assert_equal(one, other):
    assert np.array_equal(one[0], other[0])
    assert np.array_equal(one[1], other[1])


@variants
@pytest.mark.parametrize("sizes", [(1,), (7,), (4096,), (3, 5000, 1)], ids=str)
def test_requests_are_the_same_wherever_they_are_cut(trace, keys, sizes):
    whole = replayed(trace, 9000.0, sizes=(1_000_000,), **keys)

    assert_equal(replayed(trace, 9000.0, sizes=sizes, **keys), whole)
    assert len(whole[0]) > 500
    assert np.all(np.diff(whole[0]) >= 0)
    assert whole[0][0] >= 0
    assert whole[0][-1] < 9000


@variants
def test_how_much_is_made_at_once_does_not_matter(monkeypatch, trace, keys):
    usual = replayed(trace, 9000.0, **keys)

    monkeypatch.setattr(replay, "ROWS_AT_ONCE", 17)
    monkeypatch.setattr(replay, "_SCATTERED_AT_ONCE", 5)
    monkeypatch.setattr(binned, "_NUMBERS", 50)
    monkeypatch.setattr(binned, "_SLOTS", 1)

    assert_equal(replayed(trace, 9000.0, **keys), usual)


@variants
def test_a_longer_horizon_begins_with_the_same_requests(trace, keys):
    short = replayed(trace, 2000.0, **keys)
    long = replayed(trace, 9000.0, **keys)

    n = len(short[0])
    assert n > 100
    assert_equal((long[0][:n], long[1][:n]), short)
    assert long[0][n] >= 2000


@pytest.mark.parametrize("name", [one for one in VARIANTS if one != "exact"])
def test_each_replication_is_another_one(name):
    trace, keys = VARIANTS[name]
    first, _ = replayed(trace, replication=0, horizon_s=9000.0, **keys)
    second, _ = replayed(trace, replication=1, horizon_s=9000.0, **keys)

    n = min(len(first), len(second))
    assert not np.array_equal(first[:n], second[:n])


def test_exact_stamps_stay_as_they_are_to_the_last_bit():
    arrival_s, rows = replayed(UNEVEN)

    assert arrival_s.tobytes() == UNEVEN.arrival_s.tobytes()
    assert np.array_equal(rows, np.arange(3000))


def test_requests_of_a_bin_are_uniform_and_independent_in_it():
    trace = bins_of(np.arange(2000) * 60.0, 10, 60.0)

    arrival_s, rows = replayed(trace)

    assert np.array_equal(np.bincount(rows), np.full(2000, 10))
    share = arrival_s / 60 - rows
    assert stats.kstest(share, "uniform").pvalue > 1e-3
    # The least of ten independent ones is a beta(1, 10).
    least = share.reshape(2000, 10)[:, 0]
    assert stats.kstest(least, stats.beta(1, 10).cdf).pvalue > 1e-3
    # Those of the two halves of a bin are a binomial number, not five each.
    halves = (share.reshape(2000, 10) < 0.5).sum(axis=1)
    assert halves.var() == pytest.approx(2.5, rel=0.15)


def test_a_shape_of_one_is_as_none():
    assert_equal(
        replayed(bins_of(np.arange(50) * 60.0, 40, 60.0, shape=1.0)),
        replayed(bins_of(np.arange(50) * 60.0, 40, 60.0)),
    )


@pytest.mark.parametrize("shape", [0.05, 0.3, 4.0])
def test_gaps_in_a_bin_have_the_dispersion_of_their_shape(shape):
    trace = bins_of(np.arange(400) * 60.0, 2000, 60.0, shape=shape)

    arrival_s, rows = replayed(trace)

    # In a fortieth of the bin: of so many gaps the number has variance mean / k, less
    # what is lost since the bin's number is given.
    n = np.bincount((arrival_s // 1.5).astype(int), minlength=16_000)
    dispersion = n.var() / n.mean() / (1 - 1 / 40)
    assert dispersion == pytest.approx(1 / shape, rel=0.1)
    assert np.array_equal(np.bincount(rows), np.full(400, 2000))


@pytest.mark.parametrize("shape", [1e-4, 0.02, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("count", [1, 2, 7])
def test_requests_are_anywhere_in_their_bin_however_bursty(shape, count):
    trace = bins_of(np.arange(5000) * 60.0, count, 60.0, shape=shape)

    arrival_s, rows = replayed(trace)

    # One of each bin, since those of a bin depend on each other.
    picks = np.arange(5000) * count + stream_rng(2, 0, "work").integers(0, count, 5000)
    share = arrival_s / 60 - rows
    assert stats.kstest(share[picks], "uniform").pvalue > 1e-3


def test_two_requests_of_a_bin_are_a_beta_share_of_it_apart():
    trace = bins_of(np.arange(5000) * 60.0, 2, 60.0, shape=0.5)

    arrival_s, _ = replayed(trace)

    apart = np.diff(arrival_s.reshape(5000, 2), axis=1).ravel() / 60
    # Around the bin's ends: the shorter way and the longer one are alike in law.
    # The gap that the ends cut is met in proportion to its length.
    assert stats.kstest(apart, stats.beta(0.5, 1.5).cdf).pvalue > 1e-3


def test_bins_that_overlap_have_all_their_requests():
    arrival_s, rows = replayed(OVERLAPPING)

    assert np.array_equal(np.bincount(rows, minlength=300), np.arange(300) % 11)
    begin = OVERLAPPING.arrival_s[rows]
    assert np.all((begin <= arrival_s) & (arrival_s <= begin + 60))


def test_a_bin_without_width_is_one_moment():
    arrival_s, _ = replayed(bins_of([0.0, 5.0], [3, 2], 0.0))

    assert arrival_s.tolist() == [0, 0, 0, 5, 5]


def test_repeated_bins_begin_again_at_the_end_of_the_last():
    arrival_s, rows = replayed(bins_of([0.0, 10.0], [1, 1], 10.0), 100.0, repeat=True)

    assert (arrival_s // 10).tolist() == list(range(10))
    assert rows.tolist() == [0, 1] * 5


def test_cut_stamps_are_spread_over_what_they_were_cut_to():
    trace = TraceData(np.arange(5000) // 10 * 1.0, resolution_s=1.0)

    arrival_s, rows = replayed(trace, scale_time=3.0)

    share = arrival_s / 3 - trace.arrival_s[rows]
    assert stats.kstest(share, "uniform").pvalue > 1e-3


def test_a_thinned_poisson_trace_is_poisson():
    rng = stream_rng(3, 0, "arrivals")
    trace = TraceData(np.cumsum(rng.exponential(0.1, 50_000)))

    arrival_s, _ = replayed(trace, scale_rate=0.2)

    gaps = np.diff(arrival_s)
    assert stats.kstest(gaps, stats.expon(0, 0.5).cdf).pvalue > 1e-3
    assert abs(np.corrcoef(gaps[:-1], gaps[1:])[0, 1]) < 4 / np.sqrt(len(gaps))


@pytest.mark.parametrize("factor", [0.2, 2.4])
def test_numbers_of_bins_are_scaled_like_single_requests(factor):
    trace = bins_of(np.arange(4000) * 60.0, 50, 60.0)

    _, rows = replayed(trace, scale_rate=factor)

    n = np.bincount(rows, minlength=4000)
    part = factor % 1
    assert n.mean() == pytest.approx(50 * factor, abs=4 * np.sqrt(50 / 4 / 4000))
    assert n.var() == pytest.approx(50 * part * (1 - part), rel=0.1)


@pytest.mark.parametrize("factor", [0.4, 3.7])
def test_the_local_rate_is_multiplied(factor):
    rng = stream_rng(4, 0, "arrivals")
    quiet, busy = rng.uniform(0, 1e4, 3000), rng.uniform(1e4, 2e4, 27_000)
    trace = TraceData(np.sort(np.concatenate([quiet, busy])))

    arrival_s, _ = replayed(trace, scale_rate=factor)

    n = np.histogram(arrival_s, [0, 1e4, 2e4])[0]
    np.testing.assert_allclose(n, factor * np.array([3000, 27_000]), rtol=0.05)


class Clockwork:
    """A column of a billion rows that are made when they are asked for."""

    def __init__(self, step, length=10**9):
        self.step, self.length = step, length
        self.most = self.taken = 0

    def __len__(self):
        return self.length

    def __getitem__(self, rows):
        begin, end, _ = rows.indices(self.length)
        self.most = max(self.most, end - begin)
        self.taken += end - begin
        return self.step * np.arange(begin, end)


class Same(Clockwork):
    """A column of a billion rows that are the same."""

    def __getitem__(self, rows):
        return np.full(len(super().__getitem__(rows)), self.step)


LONG = {
    "exact": ({}, {}),
    "superposed": ({}, {"scale_rate": 500.5}),
    "seconds": ({"resolution_s": 1.0}, {"jitter": "10s"}),
    "bins": (
        {"count": Same(20), "width_s": Same(1.0)},
        {"scale_rate": 1.5, "jitter": "1s"},
    ),
}


@pytest.mark.parametrize(("columns", "keys"), LONG.values(), ids=LONG)
def test_memory_does_not_grow_with_the_trace(columns, keys):
    trace = TraceData(Clockwork(0.01), **columns)
    spec = Trace.model_validate({"path": "x.csv", **keys})
    where = Placement(0.0, 1e7, 0.01)
    reader = TraceReader(spec, trace, where, 1e9, partial(stream_rng, 9, 0))
    out = np.empty(4096)
    reader.read(out)  # what is compiled and loaded does not count
    tracemalloc.start()
    try:
        n = sum(reader.read(out) for _ in range(300))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert n == 300 * 4096
    assert peak < 12e6
    assert trace.arrival_s.most <= 65_536
    assert trace.arrival_s.taken < 3e6


@pytest.mark.parametrize("shape", [None, 0.3])
def test_a_bin_of_a_billion_requests_is_not_made_at_once(shape):
    reader = reader_of(bins_of([0.0], 10**9, 3600.0, shape=shape), 3600.0)
    out = np.empty(10_000)
    tracemalloc.start()
    try:
        n = reader.read(out)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert n == 10_000
    assert peak < 4e6
    # 10,000 gaps of 3.6 us, whose variance is their square by the shape.
    error = 3.6e-6 * np.sqrt(10_000 / (shape or 1.0))
    assert out[-1] == pytest.approx(0.036, abs=4 * error)


def test_a_realization_is_the_trace_scattered_and_nothing_else():
    trace = replace(MINUTES, start=NOON)
    blocks = list(realization(trace, seed=9, replication=0))

    assert all(len(block[0]) for block in blocks)
    whole = tuple(map(np.concatenate, zip(*blocks, strict=True)))
    assert_equal(whole, replayed(MINUTES))


def test_rows_that_were_not_kept_cannot_be_had():
    spec = Trace(path="x.csv")
    rngs = partial(stream_rng, 9, 0)

    reader = TraceReader(spec, FOUR, place(spec, FOUR, None), 10.0, rngs)

    with pytest.raises(ValueError, match="rows were not kept"):
        reader.rows(1)


def test_no_more_rows_can_be_had_than_were_read():
    reader = reader_of(FOUR, 100.0)
    reader.read(np.empty(3))

    assert reader.rows(2).tolist() == [0, 1]
    with pytest.raises(ValueError, match="1 rows for 2 requests"):
        reader.rows(2)
