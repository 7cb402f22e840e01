"""Laws of metering and bills (INV-7; oracles I1, I5), on random lives full of ties."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from unittest.mock import patch

import numpy as np
import reference_billing
from hand_written import NAN, Pool, pool_of
from hypothesis import given, settings
from hypothesis import strategies as st

from costsim.billing.bill import bill
from costsim.billing.meter import measure
from costsim.catalog.tariff import Component, MeteringRules, StorageCharge, Tariff

SCOPES = ("replica", "segment", "request", "total", "aligned")

fixed_seed = settings(deadline=None, derandomize=True)

# Quarters of a second tie, and are whole nanoseconds: laws hold on them without noise.
quarters = st.integers(0, 60).map(lambda n: n / 4)
seconds = quarters | st.floats(0, 15, allow_subnormal=False)


@st.composite
def pools(draw, times=seconds):
    """Draw records that are consistent with each other, as any simulation leaves them."""
    end_s = 16.0
    lives, services = [], []
    for x in range(draw(st.integers(0, 4))):
        launch_s, ready_s, stop_s = sorted(draw(times) for _ in range(3))
        fate = draw(st.sampled_from(["stopped", "alive", "aborted", "starting"]))
        if fate in ("aborted", "starting"):
            stop_s = stop_s if fate == "aborted" else NAN
            lives.append((launch_s, NAN, stop_s))
            continue
        lives.append((launch_s, ready_s, stop_s if fate == "stopped" else NAN))
        for _ in range(draw(st.integers(0, 5))):
            pair = sorted(
                min(max(draw(times | st.just(ready_s)), ready_s), stop_s)
                for _ in range(2)
            )
            unfinished = fate == "alive" and draw(st.booleans())
            services.append((x, pair[0], NAN if unfinished else pair[1]))
    return pool_of(lives, draw(st.permutations(services)), end_s=end_s)


@st.composite
def rules(draw, times=seconds):
    """Draw any metering rules."""
    return MeteringRules(
        scope=draw(st.sampled_from(SCOPES)),
        increment_s=draw(st.sampled_from([0.0, 0.001, 0.1, 1.0, 7.0, 60.0])),
        minimum_s=draw(st.sampled_from([0.0, 0.1, 2.5, 60.0])),
        setup_billed=draw(st.booleans()),
        idle_billed=draw(st.booleans()),
        min_idle_billed=draw(st.booleans()),
        unbilled_setup_s=draw(st.just(0.0) | times),
    )


min_counts = st.integers(0, 3)
usd = st.floats(0.001, 100.0)
nothing = st.just(0.0)


@st.composite
def tariffs(draw):
    """Draw any tariff."""
    names = draw(st.sets(st.sampled_from(["gpu", "cpu", "memory", "instance"])))
    components = [
        Component(name, draw(usd), draw(nothing | usd | st.just(1e6)))
        for name in sorted(names)
    ]
    charge = st.builds(
        StorageCharge,
        st.just("disk"),
        gib=usd,
        usd_per_gib_month=usd,
        basis=st.sampled_from(["alive", "always"]),
        copies=st.integers(0, 3),
    )
    rates = {
        "min_idle_rate": draw(st.sampled_from([1.0, 0.7, 0.0])),
        "min_busy_rate": draw(st.sampled_from([1.0, 0.3])),
    }
    return Tariff(
        replace(draw(rules()), **rates),
        tuple(components),
        usd_per_request=draw(nothing | usd),
        free_requests_per_month=draw(nothing | usd | st.just(1e9)),
        monthly_fee_usd=draw(nothing | usd),
        monthly_credit_usd=draw(nothing | usd | st.just(1e6)),
        storage=tuple(draw(st.lists(charge, max_size=2))),
        gib_per_request=draw(nothing | usd),
        usd_per_gib=draw(nothing | usd),
        build_hours_per_month=draw(nothing | usd),
        usd_per_build_hour=draw(nothing | usd),
    )


# ---- the reference: docs/model.md 8 in plain Python, one replica and instant at a time


def ns_of(length_s):
    return round(length_s * 1e9)


def round_up(length_ns, increment_ns):
    if increment_ns == 0:
        return length_ns
    return math.ceil(Fraction(length_ns, increment_ns)) * increment_ns


def life_of(pool, x):
    """Launch, ready (the end if never), stop of replica x. [s]"""
    launch_s, ready_s, stop_s = (
        float(pool.replicas[x][name]) for name in ("launch_s", "ready_s", "stop_s")
    )
    stop_s = pool.end_s if math.isnan(stop_s) else stop_s
    return launch_s, stop_s if math.isnan(ready_s) else ready_s, stop_s


def service_of(pool, row):
    departure_s = float(row["departure_s"])
    end_s = pool.end_s if math.isnan(departure_s) else departure_s
    return float(row["start_s"]), end_s


def billed_setup_of(pool, asked, x):
    launch_s, ready_s, _ = life_of(pool, x)
    if not asked.setup_billed:
        return ready_s, ready_s
    return min(launch_s + asked.unbilled_setup_s, ready_s), ready_s


def is_billed(pool, asked, min_replicas, x, instant_s):
    """Whether replica x is billed just after the instant."""
    setup_from_s, ready_s = billed_setup_of(pool, asked, x)
    if setup_from_s <= instant_s < ready_s:
        return True
    own = [service_of(pool, row) for row in pool.requests if row["replica"] == x]
    if any(start_s <= instant_s < end_s for start_s, end_s in own):
        return True
    ready = [
        y
        for y in range(len(pool.replicas))
        if life_of(pool, y)[1] <= instant_s < life_of(pool, y)[2]
    ]
    if x in ready[:min_replicas]:
        return asked.min_idle_billed
    return asked.idle_billed and x in ready


def maximal_spans(pool, asked, min_replicas, x):
    """The billed spans of replica x, touching ones merged."""
    lives = [life_of(pool, y) for y in range(len(pool.replicas))]
    times = {t for life in lives for t in life} | {billed_setup_of(pool, asked, x)[0]}
    times |= {t for row in pool.requests for t in service_of(pool, row)}
    spans = []
    for start_s, end_s in pairwise(sorted(times)):
        if not is_billed(pool, asked, min_replicas, x, start_s):
            continue
        touches = bool(spans) and spans[-1][1] == start_s
        spans.append((spans.pop()[0] if touches else start_s, end_s))
    return spans


def request_items(pool, asked, min_replicas):
    seen, items = set(), []
    order = np.lexsort((np.arange(len(pool.requests)), pool.requests["start_s"]))
    for row in pool.requests[order]:
        start_s, end_s = service_of(pool, row)
        length_ns = ns_of(end_s - start_s)
        if row["replica"] not in seen:
            setup_from_s, ready_s = billed_setup_of(pool, asked, row["replica"])
            length_ns += ns_of(ready_s - setup_from_s)
        seen.add(row["replica"])
        items.append(length_ns)
    least_ns = reference_billing.min_idle_ns(pool, min_replicas)
    return [*items, least_ns if asked.min_idle_billed else 0]


def reference_billed_ns(pool, asked, min_replicas):
    """Billed time by the text of docs/model.md 8. [ns]"""
    increment_ns = ns_of(asked.increment_s)
    every = [
        maximal_spans(pool, asked, min_replicas, x) for x in range(len(pool.replicas))
    ]
    lengths = [[ns_of(end_s - start_s) for start_s, end_s in spans] for spans in every]
    items = {
        "replica": [sum(own) for own in lengths],
        "segment": [length_ns for own in lengths for length_ns in own],
        "total": [sum(map(sum, lengths))],
        "request": request_items(pool, asked, min_replicas),
        "aligned": [
            round_up(ns_of(end_s), increment_ns)
            - (ns_of(start_s) // increment_ns * increment_ns if increment_ns else 0)
            - (0 if increment_ns else ns_of(start_s))
            for spans in every
            for start_s, end_s in spans
            if ns_of(end_s) > ns_of(start_s)
        ],
    }[asked.scope]
    least_ns = round_up(ns_of(asked.minimum_s), increment_ns)
    return sum(
        max(round_up(item, increment_ns), least_ns) for item in items if item > 0
    )


# ---- the laws


@given(pools(), rules(), min_counts)
@settings(fixed_seed, max_examples=400)
def test_meter_equals_the_text_taken_literally(pool, asked, min_replicas):
    usage = measure(pool, asked, min_replicas=min_replicas)

    assert usage.billed_ns == reference_billed_ns(pool, asked, min_replicas)


@given(pools(), rules())
@fixed_seed
def test_looking_at_requests_changes_nothing_where_idle_time_is_billed(pool, asked):
    asked = replace(asked, idle_billed=True)
    from_replicas = measure(pool, asked)

    with patch("costsim.billing.usage_meter.requests_matter", return_value=True):
        from_requests = measure(pool, asked)

    assert from_requests == from_replicas


@given(pools(), rules(), min_counts)
@fixed_seed
def test_phases_add_up_to_the_lives_and_to_the_bill(pool, asked, min_replicas):
    usage = measure(pool, asked, min_replicas=min_replicas)

    lives = [life_of(pool, x) for x in range(len(pool.replicas))]
    assert usage.alive_ns == sum(ns_of(stop - launch) for launch, _, stop in lives)
    assert usage.billed_ns == (
        usage.busy_ns + usage.idle_ns + usage.setup_ns + usage.rounding_ns
    )
    assert usage.disk_ns == usage.alive_ns


@given(pools(), rules(), min_counts)
@fixed_seed
def test_no_part_is_negative_so_rounding_never_bills_less(pool, asked, min_replicas):
    usage = measure(pool, asked, min_replicas=min_replicas)

    parts = (usage.busy_ns, usage.idle_ns, usage.setup_ns, usage.rounding_ns)
    totals = (usage.busy_total_ns, usage.idle_total_ns, usage.setup_total_ns)
    assert min(parts) >= 0
    assert min(totals) >= 0


@given(pools(quarters), rules(quarters), min_counts)
@fixed_seed
def test_billed_busy_time_is_the_union_of_the_services(pool, asked, min_replicas):
    asked = replace(asked, scope="segment")

    usage = measure(pool, asked, min_replicas=min_replicas)

    assert usage.busy_ns == usage.busy_total_ns == ns_of(pool.replicas["busy_s"].sum())


@given(pools(), rules(), min_counts)
@fixed_seed
def test_without_increment_and_minimum_nothing_is_rounding(pool, asked, min_replicas):
    asked = replace(asked, increment_s=0.0, minimum_s=0.0)

    usage = measure(pool, asked, min_replicas=min_replicas)

    assert usage.rounding_ns == 0


@given(pools(), rules(), min_counts, st.integers(1, 9))
@fixed_seed
def test_a_coarser_increment_that_is_a_multiple_never_bills_less(
    pool, asked, min_replicas, times
):
    coarser = replace(asked, increment_s=times * asked.increment_s)

    fine = measure(pool, asked, min_replicas=min_replicas)
    coarse = measure(pool, coarser, min_replicas=min_replicas)

    assert coarse.billed_ns >= fine.billed_ns


@given(pools(), rules(), min_counts)
@fixed_seed
def test_billing_more_kinds_of_time_never_bills_less(pool, asked, min_replicas):
    everything = replace(
        asked,
        setup_billed=True,
        idle_billed=True,
        min_idle_billed=True,
        unbilled_setup_s=0.0,
        scope="replica",
    )
    asked = replace(asked, scope="replica")

    some = measure(pool, asked, min_replicas=min_replicas)

    assert measure(pool, everything).billed_ns >= some.billed_ns


@given(pools(quarters), st.sampled_from([0.0, 0.25, 1.0, 7.0]), st.booleans())
@fixed_seed
def test_the_finer_the_items_the_more_is_billed(pool, increment_s, setup_billed):
    def billed_ns(scope, *, setup_billed=setup_billed):
        asked = MeteringRules(
            scope, increment_s, idle_billed=False, setup_billed=setup_billed
        )
        return measure(pool, asked).billed_ns

    assert billed_ns("segment") >= billed_ns("replica") >= billed_ns("total")
    assert billed_ns("aligned") >= billed_ns("segment")
    # By request the setup of a replica that served none is free.
    assert billed_ns("request", setup_billed=False) >= billed_ns(
        "segment", setup_billed=False
    )


@given(pools(quarters), rules(quarters), min_counts, st.sampled_from([2, 4, 1024]))
@fixed_seed
def test_slower_clock_bills_in_proportion(pool, asked, min_replicas, factor):
    asked = replace(asked, increment_s=math.ceil(asked.increment_s) * 1.0)
    slower = replace(
        asked,
        increment_s=asked.increment_s * factor,
        minimum_s=asked.minimum_s * factor,
        unbilled_setup_s=asked.unbilled_setup_s * factor,
    )

    usage = measure(pool, asked, min_replicas=min_replicas)
    slow = measure(scaled(pool, factor), slower, min_replicas=min_replicas)

    assert slow.billed_ns == factor * usage.billed_ns
    assert slow.idle_ns == factor * usage.idle_ns


def scaled(pool, factor):
    """The same pool with every time multiplied."""
    requests, replicas = pool.requests.copy(), pool.replicas.copy()
    for records in (requests, replicas):
        for name in (name for name in records.dtype.names if name.endswith("_s")):
            records[name] *= factor
    return Pool(requests, replicas, pool.end_s * factor)


@given(pools(), tariffs(), st.integers(0, 10**7), st.floats(1.0, 1e8))
@fixed_seed
def test_doubling_every_price_doubles_the_bill(pool, tariff, served, span_s):
    doubled = replace(
        tariff,
        components=tuple(
            replace(part, usd_per_hour=2 * part.usd_per_hour)
            for part in tariff.components
        ),
        storage=tuple(
            replace(charge, usd_per_gib_month=2 * charge.usd_per_gib_month)
            for charge in tariff.storage
        ),
        usd_per_gib=2 * tariff.usd_per_gib,
        usd_per_build_hour=2 * tariff.usd_per_build_hour,
        usd_per_request=2 * tariff.usd_per_request,
        monthly_fee_usd=2 * tariff.monthly_fee_usd,
        monthly_credit_usd=2 * tariff.monthly_credit_usd,
    )
    usage = measure(pool, tariff.rules, min_replicas=1)

    once = bill(usage, tariff, served_requests=served, span_s=span_s)
    twice = bill(usage, doubled, served_requests=served, span_s=span_s)

    assert twice.total_usd == 2 * once.total_usd
    assert twice.idle_usd == 2 * once.idle_usd


@given(pools(), tariffs(), st.integers(0, 10**7), st.floats(1.0, 1e8))
@fixed_seed
def test_items_multiply_and_add_up(pool, tariff, served, span_s):
    usage = measure(pool, tariff.rules, min_replicas=1)

    charged = bill(usage, tariff, served_requests=served, span_s=span_s)

    costs = [item.quantity * item.usd_per_unit for item in charged.items]
    phases = (
        charged.busy_usd,
        charged.idle_usd,
        charged.setup_usd,
        charged.rounding_usd,
        charged.fees_usd,
        charged.credits_usd,
    )
    assert costs == [item.cost_usd for item in charged.items]
    assert charged.total_usd == math.fsum(costs)
    assert charged.total_usd >= 0
    assert math.isclose(math.fsum(phases), charged.total_usd, abs_tol=1e-7)
    assert 0 not in [item.quantity for item in charged.items]


@given(pools(), tariffs(), st.integers(0, 10**7), st.floats(1.0, 1e8))
@fixed_seed
def test_credit_never_exceeds_the_usage_nor_pays_for_the_plan(
    pool, tariff, served, span_s
):
    usage = measure(pool, tariff.rules, min_replicas=1)

    charged = bill(usage, tariff, served_requests=served, span_s=span_s)

    plan_usd = math.fsum(i.cost_usd for i in charged.items if i.component == "plan")
    granted_usd = sum(i.quantity for i in charged.items if i.component == "credit")
    share = Fraction(span_s) / Fraction(730 * 3600)
    assert charged.total_usd >= plan_usd
    assert granted_usd <= float(share) * tariff.monthly_credit_usd * (1 + 1e-12)


@given(pools(), tariffs(), st.floats(1.0, 1e8))
@fixed_seed
def test_free_hours_and_requests_are_never_more_than_used_or_granted(
    pool, tariff, span_s
):
    usage = measure(pool, tariff.rules, min_replicas=1)

    charged = bill(usage, tariff, served_requests=1000, span_s=span_s)

    months = span_s / (730 * 3600)
    most = {
        part.name: (part.free_hours_per_month * months, usage.billed_s / 3600)
        for part in tariff.components
    } | {"request": (tariff.free_requests_per_month * months, 1000)}
    free = {
        item.component: item.quantity
        for item in charged.items
        if item.phase == "credit" and item.component != "credit"
    }
    over = {
        name: quantity
        for name, quantity in free.items()
        if quantity > min(most[name]) * (1 + 1e-12)
    }
    assert over == {}


@given(pools(), tariffs())
@fixed_seed
def test_bill_of_the_replicas_is_billed_time_times_the_price(pool, tariff):
    parts = [replace(part, free_hours_per_month=0.0) for part in tariff.components]
    tariff = Tariff(tariff.rules, tuple(parts))
    usage = measure(pool, tariff.rules)

    charged = bill(usage, tariff, served_requests=0, span_s=1.0)

    expected_usd = usage.billed_s / 3600 * tariff.usd_per_hour
    assert math.isclose(charged.total_usd, expected_usd, rel_tol=1e-12)
