"""Traffic in chunks: the same requests wherever they are cut, in bounded memory."""

import tracemalloc
from datetime import UTC, datetime
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traffic_scenario import scenario_with, stream_of
from whole_traffic import generate

from costsim.errors import InputError, TraceError
from costsim.traffic import arrivals as processes
from costsim.traffic import modulation, recorded
from costsim.traffic.source import (
    CHUNK_SIZE,
    MAX_REQUESTS,
    arrival_chunks,
    source_names,
    traffic_notes,
)
from costsim.traffic.trace import TraceData

SIZES = [1, 7, 1000, 8192, 1_000_000]
DAYTIME = [0.0] * 6 + [1.0, 2.0, 4.0, 6.0, 8.0, 8.0] + [5.0] * 6 + [3.0, 2.0, 1.0] * 2
SPIKES = [
    {"shape": "event", "at": "5h", "magnitude": 8, "rise": "45m", "hold": "90m"},
    {"shape": "viral", "at": "6h", "magnitude": 20},
]
BURSTS = [
    {"rate": "1/s", "mean_sojourn": "20s"},
    {"rate": "20/s", "mean_sojourn": "3s"},
    {"rate": "0/s", "mean_sojourn": "9s"},
]
SHAPED = {
    "rate": "0.15/s",
    "seasonal": {"hour_of_day": DAYTIME},
    "trend": {"growth_per_month": 0.5},
}
PROCESSES = {
    "poisson": {"process": "poisson"},
    "gamma-0.5": {"process": "gamma", "burstiness": 0.5},
    "gamma-3": {"process": "gamma", "burstiness": 3.0},
    "mmpp": {"process": "mmpp", "states": BURSTS},
}
CLOCKED = {
    "cron": {"process": "cron", "every": "7m", "batch_size": 40},
    "jitter": {"process": "cron", "every": "1h", "batch_size": 300, "jitter": "2h"},
}
LOGNORMAL = {"distribution": "lognormal", "median": "2s", "sigma": 0.5}
TOKENS = {"distribution": "lognormal", "median": 300, "sigma": 1.0}
WORK = {
    "constant": {"time": "2s"},
    "exponential": {"time": {"distribution": "exponential", "mean": "2s"}},
    "lognormal": {"time": LOGNORMAL},
    "gamma-0.3": {"time": {"distribution": "gamma", "mean": "2s", "shape": 0.3}},
    "gamma-4": {"time": {"distribution": "gamma", "mean": "2s", "shape": 4.0}},
    "empirical": {"time": {"distribution": "empirical", "values": ["1s", "5s", "9s"]}},
    "tokens": {
        "tokens": {
            "input": TOKENS,
            "output": TOKENS,
            "prefill": "8000 tokens/s",
            "decode": "45 tokens/s",
        }
    },
}
RECORDED = {"time": "trace"}


def of(process):
    """Return the traffic of one stream with everything that acts on a rate."""
    if process["process"] == "cron":
        return stream_of(None, arrivals=process)
    return {"streams": [{**SHAPED, "arrivals": process}], "spikes": SPIKES}


MIXED = {
    "streams": [
        {"name": "users", **SHAPED},
        {"name": "clock", "arrivals": CLOCKED["cron"]},
        {"name": "agents", "rate": "0.05/s", "arrivals": PROCESSES["gamma-0.5"]},
        {"name": "bursts", "rate": "0.05/s", "arrivals": PROCESSES["mmpp"]},
        {"name": "nightly", "arrivals": CLOCKED["jitter"]},
        # Batches at the moments of "clock", so that the order of sources decides.
        {"name": "other clock", "arrivals": CLOCKED["cron"]},
    ],
    "spikes": SPIKES,
}


def recorded_trace(**columns):
    rng = np.random.default_rng(5)
    arrival_s = np.cumsum(rng.exponential(20, 700)).round(1)
    # Some bring no work: it is drawn from the others.
    work_s = np.where(rng.random(700) < 0.1, np.nan, rng.exponential(3, 700))
    return TraceData(arrival_s - arrival_s[0], duration_s=work_s, **columns)


COUNTS = np.arange(700) % 5
REQUESTS = recorded_trace()
SECONDS = recorded_trace(resolution_s=60.0)
BINS = recorded_trace(count=COUNTS, width_s=np.full(700, 90.0))
CLUSTERS = recorded_trace(
    count=COUNTS, width_s=np.full(700, 90.0), spacing_shape=np.full(700, 0.4)
)
REPLAYED = {"path": "requests.csv"}


def in_chunks(scenario, size, replication=2, trace=None):
    return list(arrival_chunks(scenario, replication, trace, chunk_size=size))


def joined(chunks, field):
    return np.concatenate([getattr(chunk, field) for chunk in chunks])


def assert_the_same(scenario, size, trace=None):
    """Check chunks of a size against the whole, and their sizes."""
    whole = generate(scenario, 2, trace)
    chunks = in_chunks(scenario, size, trace=trace)

    n = whole.n_requests
    assert n > 0
    sizes = [size] * (n // size) + [n % size] * (n % size > 0)
    assert [len(chunk.arrival_s) for chunk in chunks] == sizes
    assert [len(chunk.service_time_s) for chunk in chunks] == sizes
    assert np.array_equal(joined(chunks, "arrival_s"), whole.arrival_s)
    assert np.array_equal(joined(chunks, "service_time_s"), whole.service_time_s)
    return whole, chunks


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("process", [*PROCESSES, *CLOCKED])
def test_a_stream_is_the_same_wherever_it_is_cut(process, size):
    traffic = of({**PROCESSES, **CLOCKED}[process])
    scenario = scenario_with(traffic, service=WORK["exponential"])

    whole, chunks = assert_the_same(scenario, size)

    assert {chunk.source for chunk in chunks} == {None}
    assert not whole.source.any()
    assert source_names(scenario) == whole.sources == ("requests",)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("work", WORK)
def test_work_is_the_same_wherever_it_is_cut(work, size):
    scenario = scenario_with(stream_of("0.1/s"), service=WORK[work])

    assert_the_same(scenario, size)


@pytest.mark.parametrize("size", SIZES)
def test_streams_together_are_the_same_wherever_they_are_cut(size):
    scenario = scenario_with(MIXED, service=WORK["lognormal"])

    whole, chunks = assert_the_same(scenario, size)

    source = joined(chunks, "source")
    assert np.array_equal(source, whole.source)
    assert np.bincount(source).min() > 1000
    # Time and source rise together, so that equal times are in the order of sources.
    assert np.array_equal(
        np.lexsort((source, whole.arrival_s)), np.arange(whole.n_requests)
    )
    assert source_names(scenario) == whole.sources


TRACES = {
    "plain": (REQUESTS, {}),
    "repeated": (REQUESTS, {"repeat": True}),
    "all": (REQUESTS, {"repeat": True, "jitter": "90s", "scale_rate": 2.5}),
    "thinned": (REQUESTS, {"scale_rate": 0.6}),
    "seconds": (SECONDS, {"scale_time": 0.7}),
    "bins": (BINS, {}),
    "bins-all": (BINS, {"repeat": True, "jitter": "90s", "scale_rate": 1.3}),
    "clusters": (CLUSTERS, {}),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("trace", "keys"), TRACES.values(), ids=TRACES)
def test_a_trace_is_the_same_wherever_it_is_cut(trace, keys, size):
    scenario = scenario_with({"trace": {**REPLAYED, **keys}}, service=RECORDED)

    whole, chunks = assert_the_same(scenario, size, trace)

    assert {chunk.source for chunk in chunks} == {None}
    assert whole.sources == ("trace",)
    assert np.all(np.isfinite(whole.service_time_s))


@pytest.mark.parametrize("size", SIZES[1:])
@pytest.mark.parametrize("work", [RECORDED, WORK["lognormal"]], ids=["trace", "law"])
@pytest.mark.parametrize("trace", [REQUESTS, BINS], ids=["requests", "bins"])
def test_a_trace_beside_streams_is_the_same_wherever_it_is_cut(trace, work, size):
    keys = {**REPLAYED, "repeat": True, "jitter": "5s", "scale_rate": 0.7}
    scenario = scenario_with({**MIXED, "trace": keys}, service=work)

    whole, chunks = assert_the_same(scenario, size, trace)

    assert np.array_equal(joined(chunks, "source"), whole.source)
    assert source_names(scenario) == whole.sources
    assert traffic_notes(scenario, trace) == whole.notes


def test_requests_of_a_trace_keep_their_work_beside_streams():
    durations_s = 1.0 + np.arange(700.0)
    trace = TraceData(60.0 * np.arange(700), duration_s=durations_s)
    scenario = scenario_with({**MIXED, "trace": REPLAYED}, service=RECORDED)

    whole = generate(scenario, 2, trace)

    of_trace = whole.source == len(MIXED["streams"])
    assert np.array_equal(whole.service_time_s[of_trace], durations_s)
    others = whole.service_time_s[~of_trace]
    assert len(np.unique(others)) == 700


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([*PROCESSES.values()]), st.integers(1, 3000), st.integers(0, 9))
def test_any_size_gives_the_same(process, size, replication):
    streams = [{**SHAPED, "arrivals": process}, {"name": "b", "rate": "0.01/s"}]
    scenario = scenario_with({"streams": streams}, service=WORK["tokens"])

    chunks = in_chunks(scenario, size, replication)

    whole = generate(scenario, replication)
    assert np.array_equal(joined(chunks, "arrival_s"), whole.arrival_s)
    assert np.array_equal(joined(chunks, "service_time_s"), whole.service_time_s)
    assert np.array_equal(joined(chunks, "source"), whole.source)


@pytest.mark.parametrize("process", ["poisson", "gamma-0.5", "mmpp"])
@pytest.mark.parametrize("block", [1, 100, 10**6])
def test_how_many_gaps_are_drawn_at_once_does_not_matter(monkeypatch, process, block):
    scenario = scenario_with(of(PROCESSES[process]))
    usual = generate(scenario, 0).arrival_s

    monkeypatch.setattr(processes, "_BLOCK", block)

    assert np.array_equal(generate(scenario, 0).arrival_s, usual)


def test_how_many_visits_make_a_piece_of_the_rate_does_not_matter(monkeypatch):
    scenario = scenario_with(of(PROCESSES["mmpp"]), horizon="20d")
    usual = generate(scenario, 0).arrival_s

    # 170,000 visits: 11 pieces, or 670, or one.
    monkeypatch.setattr(modulation, "_BLOCKS_OF_VISITS", 1)
    small = generate(scenario, 0).arrival_s
    monkeypatch.setattr(modulation, "_BLOCKS_OF_VISITS", 10_000)
    one = generate(scenario, 0).arrival_s

    assert np.array_equal(small, usual)
    assert np.array_equal(one, usual)


def peak_bytes(scenario, n_chunks, size, trace=None):
    """Return the most that was allocated while so many chunks were read."""
    chunks = arrival_chunks(scenario, 0, trace, chunk_size=size)
    tracemalloc.start()
    try:
        n = sum(len(chunk.arrival_s) for chunk in islice(chunks, n_chunks))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert n == n_chunks * size
    return peak


@pytest.mark.parametrize("name", [*PROCESSES, "together"])
def test_memory_grows_with_neither_horizon_nor_rate(name):
    shaped = {**SHAPED, "rate": "1000/s"}
    streams = [{"name": n, **shaped, "arrivals": p} for n, p in PROCESSES.items()]
    if name != "together":
        streams = [one for one in streams if one["name"] == name]
    scenario = scenario_with(
        {"streams": streams}, horizon="30d", service=WORK["lognormal"]
    )
    first = peak_bytes(scenario, 10, 1000)

    # Two million of five billion requests, 16 MB as an array.
    peak = peak_bytes(scenario, 2000, 1000)

    assert peak < max(4e6, 1.5 * first)


class Clockwork:
    """A column of four million rows that are made when they are asked for."""

    def __init__(self, step):
        self.step = step

    def __len__(self):
        return 4_000_000

    def __getitem__(self, rows):
        return self.step * np.arange(*rows.indices(len(self))) % 1e7


def test_memory_does_not_grow_with_a_trace(monkeypatch):
    monkeypatch.setattr(recorded, "_MOST_TO_DRAW_FROM", 50_000)
    trace = TraceData(Clockwork(0.01), duration_s=Clockwork(0.001))
    keys = {**REPLAYED, "jitter": "20s", "scale_rate": 1.5}
    traffic = {"streams": [{"rate": "1000/s"}], "trace": keys}
    scenario = scenario_with(traffic, horizon="30d", service=RECORDED)
    with_streams = peak_bytes(scenario, 300, 1000, trace)
    del traffic["streams"]
    scenario = scenario_with(traffic, horizon="30d", service=RECORDED)

    alone = peak_bytes(scenario, 2000, 1000, trace)

    # Two million requests are 32 MB, and the columns 64 MB.
    assert alone < 12e6
    assert with_streams < 20e6


def test_a_chunk_stays_as_it_is_while_others_are_made():
    scenario = scenario_with(MIXED, service=WORK["lognormal"])
    chunks = arrival_chunks(scenario, 0, chunk_size=500)
    first = next(chunks)
    before = first.first(500)

    last = list(chunks)[-1]

    assert np.array_equal(first.arrival_s, before.arrival_s)
    assert np.array_equal(first.service_time_s, before.service_time_s)
    assert np.array_equal(first.source, before.source)
    # Nor does a short one keep room for a long one.
    assert last.arrival_s.base is None


def test_no_requests_are_no_chunks():
    assert in_chunks(scenario_with(stream_of("0/s")), 10) == []


def test_a_chunk_holds_one_request_at_least():
    with pytest.raises(ValueError, match="chunk_size must be at least 1, not 0"):
        arrival_chunks(scenario_with(stream_of()), 0, chunk_size=0)


@pytest.mark.parametrize("process", PROCESSES.values(), ids=PROCESSES)
def test_a_billion_requests_are_begun_at_once(process):
    traffic = stream_of("400/s", arrivals=process)

    first = next(arrival_chunks(scenario_with(traffic, horizon="30d"), 0))

    assert len(first.arrival_s) == CHUNK_SIZE


def test_more_requests_than_there_are_ids_are_refused_at_once():
    scenario = scenario_with(stream_of("1M/s"), horizon="30000s")

    with pytest.raises(InputError) as caught:
        arrival_chunks(scenario, 0)

    assert MAX_REQUESTS == 17_179_869_183
    assert str(caught.value) == (
        "about 3e+10 requests (or changes of state) in a replication; at most "
        "17,179,869,183 can be simulated: lower the rates or shorten the horizon"
    )


def test_more_batches_than_fit_are_refused_at_once():
    millions = {"process": "cron", "every": "1m", "batch_size": 10**6}
    scenario = scenario_with(stream_of(None, arrivals=millions))

    with pytest.raises(InputError) as caught:
        arrival_chunks(scenario, 0)

    assert str(caught.value) == (
        "about 1.44e+09 requests of cron batches in a replication; at most 250,000,000 "
        "fit in memory: lower the rates or shorten the horizon"
    )


def test_a_trace_outside_the_run_is_refused_at_once():
    trace = TraceData(np.array([0.0, 30.0]), start=datetime(2020, 3, 2, tzinfo=UTC))
    scenario = scenario_with({"trace": REPLAYED})

    with pytest.raises(TraceError, match="no request falls into the scenario's 1d"):
        arrival_chunks(scenario, 0, trace)
