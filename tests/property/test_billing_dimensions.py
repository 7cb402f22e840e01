"""Laws of what is billed beyond plain lives: min replicas, failed starts, releases, disks.

The reference is in plain Python; pools are random lives full of ties.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import reference_billing
from hand_written import NAN, pool_of
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from costsim.billing.meter import measure, metered_s
from costsim.billing.spans import Spans
from costsim.billing.usage_meter import UsageMeter
from costsim.catalog.tariff import MeteringRules

SCOPES = ("replica", "segment", "request", "total", "aligned")

fixed_seed = settings(deadline=None, derandomize=True)

# Quarters of a second tie, and are whole nanoseconds: laws hold on them without noise.
quarters = st.integers(0, 60).map(lambda n: n / 4)
seconds = quarters | st.floats(0, 15, allow_subnormal=False)
min_counts = st.integers(0, 3)
lags = st.sampled_from([0.0, 0.25, 3.0, 40.0])


@st.composite
def pools(draw, times=seconds):
    """Draw records in order of start, as any simulation leaves them."""
    lives, services = [], []
    launches = sorted(draw(times) for _ in range(draw(st.integers(0, 4))))
    for x, launch_s in enumerate(launches):
        ready_s, stop_s = sorted(max(draw(times), launch_s) for _ in range(2))
        fate = draw(st.sampled_from(["stopped", "alive", "aborted", "starting"]))
        if fate in ("aborted", "starting"):
            lives.append((launch_s, NAN, stop_s if fate == "aborted" else NAN))
            continue
        lives.append((launch_s, ready_s, stop_s if fate == "stopped" else NAN))
        for _ in range(draw(st.integers(0, 4))):
            any_time = times | st.sampled_from([ready_s, stop_s])
            pair = sorted(min(max(draw(any_time), ready_s), stop_s) for _ in range(2))
            unfinished = fate == "alive" and draw(st.booleans())
            services.append((x, pair[0], NAN if unfinished else pair[1]))
    services.sort(key=lambda service: service[1])
    return pool_of(lives, services, end_s=16.0)


@st.composite
def rules(draw):
    """Draw any metering rules."""
    scope = draw(st.sampled_from(SCOPES))
    return MeteringRules(
        scope=scope,
        increment_s=draw(st.sampled_from([0.0, 0.001, 1.0, 7.0, 60.0])),
        minimum_s=draw(st.sampled_from([0.0, 2.5, 60.0])),
        setup_billed=draw(st.booleans()),
        idle_billed=draw(st.booleans()),
        min_idle_billed=draw(st.booleans()),
        min_idle_rate=draw(st.sampled_from([1.0, 0.7])),
        min_busy_rate=draw(st.sampled_from([1.0, 0.5])),
        unbilled_setup_s=draw(st.sampled_from([0.0, 1.5])),
        failed_start_billed=draw(st.booleans()),
        release_lag_s=0.0 if scope == "request" else draw(lags),
        disk_increment_s=draw(st.sampled_from([0.0, 0.3, 5.0, 300.0])),
    )


def reference_s(pool, asked, min_replicas):
    return reference_billing.metered_s(
        pool,
        asked.scope,
        asked.increment_s,
        asked.minimum_s,
        asked.setup_billed,
        asked.idle_billed,
        asked.unbilled_setup_s,
        min_replicas,
        asked.min_idle_billed,
        asked.failed_start_billed,
        asked.release_lag_s,
    )


def streamed(pool, asked, min_replicas):
    """What a meter says that is told of requests and replicas one by one."""
    meter = UsageMeter(asked, min_replicas)
    for row in range(len(pool.requests)):
        meter.add_requests(pool.requests[row : row + 1])
    for row in range(len(pool.replicas)):
        meter.add_replicas(pool.replicas[row : row + 1], np.array([row]))
    return meter.usage(pool.end_s)


@given(pools(), rules(), min_counts)
@settings(fixed_seed, max_examples=600)
def test_the_bill_is_that_of_the_most_obvious_method(pool, asked, min_replicas):
    usage = measure(pool, asked, min_replicas=min_replicas)

    assert usage.billed_s == reference_s(pool, asked, min_replicas)


@given(pools(), rules(), min_counts)
@fixed_seed
def test_the_arguments_of_the_short_form_are_the_rules(pool, asked, min_replicas):
    billed_s = metered_s(
        pool,
        asked.scope,
        asked.increment_s,
        asked.minimum_s,
        asked.setup_billed,
        asked.idle_billed,
        unbilled_setup_s=asked.unbilled_setup_s,
        min_replicas=min_replicas,
        min_idle_billed=asked.min_idle_billed,
        failed_start_billed=asked.failed_start_billed,
        release_lag_s=asked.release_lag_s,
    )

    assert billed_s == measure(pool, asked, min_replicas=min_replicas).billed_s


def ties_with_unfinished(pool):
    """Return whether a request that the end cut off begins as another there does.

    Where requests are told when they end, it cannot be told then which of the two came
    first and pays for the setup.
    """
    keys = [(one["replica"], one["start_s"]) for one in pool.requests]
    cut_off = [
        key
        for key, one in zip(keys, pool.requests, strict=True)
        if np.isnan(one["departure_s"])
    ]
    return any(keys.count(key) > 1 for key in cut_off)


@given(pools(), rules(), st.booleans())
@settings(fixed_seed, max_examples=300)
def test_a_stream_is_billed_as_the_whole_records_are(pool, asked, idle_billed):
    assume(asked.scope != "request" or not ties_with_unfinished(pool))
    min_replicas = 2 if not idle_billed else 0
    asked = replace(
        asked,
        idle_billed=idle_billed,
        min_idle_billed=False,
        min_busy_rate=1.0,
        release_lag_s=0.0,
    )

    found = streamed(pool, asked, min_replicas)

    assert found == measure(pool, asked, min_replicas=min_replicas)


@given(pools(), rules(), min_counts)
@fixed_seed
def test_the_parts_add_up_to_the_bill(pool, asked, min_replicas):
    usage = measure(pool, asked, min_replicas=min_replicas)

    used_ns = usage.busy_ns + usage.idle_ns + usage.setup_ns + usage.release_ns
    assert usage.billed_ns == used_ns + usage.rounding_ns
    assert usage.rounding_ns >= 0
    assert 0 <= usage.min_busy_ns <= usage.busy_ns
    assert 0 <= usage.min_idle_ns <= usage.idle_ns


@given(pools(), rules(), min_counts)
@fixed_seed
def test_every_machine_of_a_stopped_replica_is_released_later(
    pool, asked, min_replicas
):
    usage = measure(pool, asked, min_replicas=min_replicas)

    expected = reference_billing.releases_ns(
        pool, asked.failed_start_billed, asked.release_lag_s
    )
    assert usage.release_ns == sum(expected)


@given(pools(), rules())
@fixed_seed
def test_disks_are_billed_for_lives_rounded_up(pool, asked):
    usage = measure(pool, asked)

    expected_ns = reference_billing.disk_ns(pool, asked.disk_increment_s)
    assert usage.disk_ns == expected_ns
    assert usage.disk_ns >= usage.alive_ns


@given(pools(quarters), rules(), st.integers(1, 3))
@settings(fixed_seed, max_examples=300)
def test_what_the_min_replicas_did_is_told_apart(pool, asked, min_replicas):
    asked = replace(asked, min_busy_rate=0.5)

    usage = measure(pool, asked, min_replicas=min_replicas)

    by_request = asked.scope == "request"
    busy_ns = (
        reference_billing.min_service_ns
        if by_request
        else reference_billing.min_busy_ns
    )
    idle_ns = reference_billing.min_idle_ns(pool, min_replicas)
    assert usage.min_busy_ns == busy_ns(pool, min_replicas)
    assert usage.min_idle_ns == (idle_ns if asked.min_idle_billed else 0)


@given(pools(quarters), rules(), st.integers(1, 3))
@fixed_seed
def test_idle_time_of_min_replicas_and_of_others_is_all_idle_time(
    pool, asked, min_replicas
):
    scope = "replica" if asked.scope == "request" else asked.scope

    def idle_ns(*, surplus, least):
        changed = replace(
            asked, scope=scope, idle_billed=surplus, min_idle_billed=least
        )
        return measure(pool, changed, min_replicas=min_replicas).idle_ns

    both_ns = idle_ns(surplus=True, least=True)
    assert idle_ns(surplus=True, least=False) + idle_ns(surplus=False, least=True) == (
        both_ns
    )
    assert both_ns == measure(pool, asked).idle_total_ns


@given(pools(), rules(), min_counts)
@fixed_seed
def test_rates_change_no_billed_time(pool, asked, min_replicas):
    plain = replace(asked, min_idle_rate=1.0, min_busy_rate=1.0)

    usage = measure(pool, asked, min_replicas=min_replicas)
    expected = measure(pool, plain, min_replicas=min_replicas)

    assert replace(usage, min_busy_ns=0, min_idle_ns=0) == expected


@given(pools(), rules(), min_counts)
@fixed_seed
def test_busy_times_may_be_told_in_place_of_the_requests(pool, asked, min_replicas):
    requests = pool.requests
    busy = Spans(
        requests["replica"].astype(np.int64),
        requests["start_s"].copy(),
        requests["departure_s"].copy(),
    )

    meter = UsageMeter(asked, min_replicas)
    meter.add_records(pool, busy=busy)

    assert meter.usage(pool.end_s) == measure(pool, asked, min_replicas=min_replicas)


@given(pools(quarters), rules(), min_counts)
@fixed_seed
def test_a_failed_start_that_is_free_costs_nothing(pool, asked, min_replicas):
    lives = [(2.0, NAN, 9.5)]
    with_one = pool._replace(
        replicas=np.concatenate([pool.replicas, pool_of(lives).replicas])
    )
    asked = replace(asked, failed_start_billed=False)

    without = measure(pool, asked, min_replicas=min_replicas)
    usage = measure(with_one, asked, min_replicas=min_replicas)

    assert usage.billed_ns == without.billed_ns
    assert usage.setup_total_ns == without.setup_total_ns + 7_500_000_000
