"""What is accumulated from a stream is what whole records say, however it is cut.

The streams are those of small simulated pools full of ties; batches have any sizes, and
replicas are told of in between.
"""

from __future__ import annotations

import math
from dataclasses import astuple, fields, replace

import numpy as np
import pytest
from cases import make_case
from drawn_cases import drawn
from hypothesis import given, settings
from hypothesis import strategies as st
from streams import busy_spans, stream_of, tell

from costsim.billing.meter import measure
from costsim.billing.usage_meter import UsageMeter
from costsim.catalog.tariff import MeteringRules
from costsim.records import Outcome
from costsim.simulation.metrics import MeasureAccumulator, measure_pool
from costsim.simulation.simulate import simulate_pool
from costsim.simulation.timeline import TimelineAccumulator

SCOPES = ("replica", "segment", "request", "total", "aligned")

fixed_seed = settings(deadline=None, derandomize=True)

cases = drawn(lambda choose: make_case(choose, longest=25))
batch_sizes = st.lists(st.integers(1, 7), min_size=1, max_size=5)
quarters = st.integers(0, 200).map(lambda n: n / 4)
times = st.lists(quarters, max_size=6)


@st.composite
def streamable_rules(draw):
    """Draw metering rules that need no more than a stream."""
    scope = draw(st.sampled_from(SCOPES))
    return MeteringRules(
        scope=scope,
        increment_s=draw(st.sampled_from([0.0, 0.001, 0.3, 1.0, 7.0])),
        minimum_s=draw(st.sampled_from([0.0, 0.05, 2.5])),
        setup_billed=draw(st.booleans()),
        idle_billed=draw(st.booleans()),
        unbilled_setup_s=draw(st.sampled_from([0.0, 0.1, 2.0])),
    )


# ---- measures


def measured(pool, stream, sizes=(1 << 62,), times=(), **asked):
    accumulator = MeasureAccumulator(horizon_s=pool.horizon_s, **asked)
    tell(
        stream,
        accumulator.add_requests,
        lambda rows, ids: accumulator.add_replicas(rows),
        sizes,
        times,
    )
    return accumulator.measures(pool.end_s, pool.launches, peak_replicas=3)


def bits(found):
    """All fields, arrays and NaN as bytes."""
    return {
        field.name: np.asarray(getattr(found, field.name), float).tobytes()
        for field in fields(found)
        if getattr(found, field.name) is not None
    }


def asked_of(case, warm_up_s=0.0):
    return {
        "warm_up_s": warm_up_s,
        "slow_after_s": 2.0,
        "concurrency_limit": case.settings["concurrency_limit"],
    }


@given(cases, batch_sizes, times, st.booleans(), st.sampled_from([0.0, 4.0]))
@fixed_seed
def test_measures_are_the_same_bits_in_whatever_batches(
    case, sizes, times, keep, warm_up_s
):
    pool = case.run(simulate_pool)
    stream = stream_of(pool)
    asked = {**asked_of(case, warm_up_s), "keep": keep}

    whole = measured(pool, stream, **asked)
    cut = measured(pool, stream, sizes, times, **asked)

    assert bits(cut) == bits(whole)


@given(cases, st.sampled_from([0.0, 4.0]))
@fixed_seed
def test_measures_of_a_stream_are_those_of_the_records(case, warm_up_s):
    pool = case.run(simulate_pool)
    asked = asked_of(case, warm_up_s)

    streamed = measured(pool, stream_of(pool), **asked)
    whole = measure_pool(pool, **asked)

    assert sorted(streamed.response_s) == sorted(whole.response_s)
    assert streamed.quantiles_s == pytest.approx(whole.quantiles_s, rel=0, nan_ok=True)
    told = [
        [value for value in astuple(one)[:-2] if not isinstance(value, tuple)]
        for one in (replace(streamed, peak_replicas=whole.peak_replicas), whole)
    ]
    # Sums of floats in another order; counts are equal.
    assert told[0] == pytest.approx(told[1], rel=4e-16, abs=0, nan_ok=True)


# ---- timeline


def drawn_timeline(case, pool, stream, sizes=(1 << 62,), times=(), bin_s=None):
    horizon_s = pool.horizon_s or pool.end_s or 1.0
    limit = case.settings["concurrency_limit"]
    accumulator = TimelineAccumulator(horizon_s, bin_s, concurrency_limit=limit)
    tell(stream, accumulator.add_requests, accumulator.add_replicas, sizes, times)
    return accumulator.timeline()


@given(cases, batch_sizes, times, st.sampled_from([None, 0.3, 7.0]))
@fixed_seed
def test_a_timeline_is_the_same_bits_in_whatever_batches(case, sizes, times, bin_s):
    pool = case.run(simulate_pool)
    stream = stream_of(pool)

    whole = drawn_timeline(case, pool, stream, bin_s=bin_s)
    cut = drawn_timeline(case, pool, stream, sizes, times, bin_s=bin_s)

    assert bits(cut) == bits(whole)


def means_by_definition(spans, edges):
    """Return the mean number of spans open in each bin, one span and bin at a time."""
    open_s = np.zeros(len(edges) - 1)
    for start_s, stop_s in spans:
        inside = np.minimum(stop_s, edges[1:]) - np.maximum(start_s, edges[:-1])
        open_s += np.maximum(inside, 0.0)
    return open_s / np.diff(edges)


@given(cases, batch_sizes, times, st.sampled_from([None, 0.3, 7.0]))
@fixed_seed
def test_a_timeline_is_the_time_spent_in_each_bin(case, sizes, times, bin_s):
    pool = case.run(simulate_pool)
    stream = stream_of(pool)

    found = drawn_timeline(case, pool, stream, sizes, times, bin_s)

    horizon_s = pool.horizon_s or pool.end_s or 1.0
    edges = np.append(np.arange(len(found.span_s)) * found.bin_s, horizon_s)
    requests, replicas = stream.requests, stream.replicas
    left_s = np.nan_to_num(requests["departure_s"], nan=math.inf)
    begun = ~np.isnan(requests["start_s"])
    waited_s = np.where(begun, requests["start_s"], left_s)
    waited_s[requests["outcome"] == Outcome.REJECTED] = 0.0
    stop_s = np.nan_to_num(replicas["stop_s"], nan=math.inf)
    ready_s = np.where(np.isnan(replicas["ready_s"]), stop_s, replicas["ready_s"])
    _, busy_start_s, busy_stop_s = busy_spans(pool)
    spans = {
        "waiting": (requests["arrival_s"], waited_s),
        "in_service": (requests["start_s"][begun], left_s[begun]),
        "starting": (replicas["launch_s"], ready_s),
        "ready": (ready_s, stop_s),
        "busy": (busy_start_s, busy_stop_s),
    }
    expected = {
        name: means_by_definition(zip(*pair, strict=True), edges)
        for name, pair in spans.items()
    }
    expected["idle"] = expected["ready"] - expected["busy"]
    arrival_s = requests["arrival_s"][requests["arrival_s"] < horizon_s]
    n_bins = len(found.span_s)
    bins = np.minimum(arrival_s / found.bin_s, n_bins - 1).astype(int)
    expected["arrivals"] = np.bincount(bins, minlength=n_bins) / found.span_s
    assert {name: getattr(found, name) for name in expected} == {
        name: pytest.approx(level, rel=1e-9, abs=1e-7)
        for name, level in expected.items()
    }


@given(cases, batch_sizes)
@fixed_seed
def test_busy_spans_tell_what_their_requests_tell(case, sizes):
    pool = case.run(simulate_pool)
    stream = stream_of(pool)
    horizon_s = pool.horizon_s or pool.end_s or 1.0

    accumulator = TimelineAccumulator(
        horizon_s, concurrency_limit=4, by_completion=True
    )
    ids, start_s, stop_s = busy_spans(pool)
    accumulator.add_busy(ids, start_s, stop_s)
    tell(stream, accumulator.add_requests, accumulator.add_replicas, sizes)

    whole = drawn_timeline(case, pool, stream)
    assert accumulator.timeline().busy == pytest.approx(whole.busy, abs=1e-12)
    assert accumulator.timeline().waiting.tobytes() == whole.waiting.tobytes()


# ---- usage


def metered(stream, rules, sizes=(1 << 62,), times=()):
    meter = UsageMeter(rules)
    tell(stream, meter.add_requests, meter.add_replicas, sizes, times)
    return meter.usage(stream.end_s)


@given(cases, streamable_rules(), batch_sizes, times)
@settings(fixed_seed, max_examples=300)
def test_usage_of_a_stream_is_that_of_the_records_to_the_nanosecond(
    case, rules, sizes, times
):
    pool = case.run(simulate_pool)

    assert metered(stream_of(pool), rules, sizes, times) == measure(pool, rules)


@pytest.mark.parametrize("scope", SCOPES)
@given(cases, batch_sizes, times, st.booleans())
@settings(fixed_seed, max_examples=40)
def test_every_scope_can_be_streamed_where_no_idle_time_is_billed(
    scope, case, sizes, times, setup_billed
):
    pool = case.run(simulate_pool)
    rules = MeteringRules(scope, setup_billed=setup_billed, idle_billed=False)

    assert metered(stream_of(pool), rules, sizes, times) == measure(pool, rules)


@given(cases, streamable_rules(), batch_sizes)
@fixed_seed
def test_busy_spans_are_billed_as_their_requests_are(case, rules, sizes):
    pool = case.run(simulate_pool)
    stream = stream_of(pool)
    scope = "replica" if rules.scope == "request" else rules.scope
    rules = replace(rules, scope=scope, idle_billed=False)

    meter = UsageMeter(rules)
    meter.add_busy(*busy_spans(pool))
    tell(stream, lambda rows: None, meter.add_replicas, sizes)

    assert meter.usage(pool.end_s) == measure(pool, rules)


@given(cases, streamable_rules(), batch_sizes)
@fixed_seed
def test_unbilled_setup_may_be_told_replica_by_replica(case, rules, sizes):
    pool = case.run(simulate_pool)
    stream = stream_of(pool)
    meter = UsageMeter(replace(rules, unbilled_setup_s=99.0))

    def on_replicas(rows, ids):
        meter.add_replicas(rows, ids, np.full(len(rows), rules.unbilled_setup_s))

    tell(stream, meter.add_requests, on_replicas, sizes)

    assert meter.usage(pool.end_s) == measure(pool, rules)


@given(cases, streamable_rules(), times)
@fixed_seed
def test_usage_so_far_does_not_disturb_what_follows(case, rules, times):
    pool = case.run(simulate_pool)
    stream = stream_of(pool)
    meter = UsageMeter(rules)

    tell(stream, meter.add_requests, meter.add_replicas, times=times)

    assert meter.usage(pool.end_s) == meter.usage(pool.end_s) == measure(pool, rules)
