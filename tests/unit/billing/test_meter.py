"""What is billed, from when to when, rounded how (docs/model.md 8), on lives worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hand_written import NAN, pool_of

from costsim.billing.meter import measure, metered_s
from costsim.catalog.tariff import MeteringRules
from costsim.records import REQUEST_DTYPE

# Replica 0 sets up for 10 s, serves from 10 to 35.5 and from 50 to 60.25, idles between
# and for the last 39.75 s. Replica 1 was given up after 10 s of setup.
TWO_LIVES = pool_of(
    [(0, 10, 100), (30, NAN, 40)],
    [(0, 10, 20), (0, 20, 35.5), (0, 50, 60.25)],
)


@pytest.mark.parametrize(
    ("scope", "increment_s", "idle_billed", "billed_s"),
    [
        ("replica", 1, True, 100 + 10),
        ("replica", 60, True, 120 + 60),
        ("replica", 1, False, 46 + 10),
        ("segment", 1, True, 100 + 10),
        ("segment", 1, False, 36 + 11 + 10),
        ("segment", 60, False, 3 * 60),
        ("request", 1, False, (10 + 10) + 16 + 11),
        ("request", 1, True, (10 + 10) + 16 + 11),
        ("request", 0, True, 45.75),
        ("total", 1, True, 110),
        ("total", 1, False, 56),
        ("total", 60, False, 60),
        ("aligned", 60, True, 120 + 60),
        ("aligned", 60, False, 60 + 120 + 60),
        ("aligned", 7, True, 105 + 14),
        ("aligned", 0, False, 55.75),
        ("replica", 0, False, 55.75),
    ],
)
def test_scope_says_what_one_item_is(scope, increment_s, idle_billed, billed_s):
    billed = metered_s(TWO_LIVES, scope, increment_s, idle_billed=idle_billed)

    assert billed == billed_s


@pytest.mark.parametrize(
    ("scope", "idle_billed", "billed_s"),
    [
        ("replica", True, 90),
        ("replica", False, 36),
        ("segment", False, 26 + 11),
        ("request", True, 10 + 16 + 11),
        ("total", True, 90),
        ("aligned", False, 26 + 11),
    ],
)
def test_unbilled_setup_leaves_the_rest_of_the_life(scope, idle_billed, billed_s):
    billed = metered_s(TWO_LIVES, scope, setup_billed=False, idle_billed=idle_billed)

    assert billed == billed_s


@pytest.mark.parametrize(
    ("unbilled_setup_s", "billed_s"),
    [(0, 100 + 10), (2.5, 98 + 8), (10, 90), (1000, 90)],
)
def test_first_part_of_a_setup_may_be_free(unbilled_setup_s, billed_s):
    billed = metered_s(TWO_LIVES, unbilled_setup_s=unbilled_setup_s)

    assert billed == billed_s


def test_first_part_of_a_setup_is_free_for_the_request_that_pays_for_it():
    billed_s = metered_s(TWO_LIVES, "request", 0, unbilled_setup_s=2.5)

    assert billed_s == 7.5 + 10 + 15.5 + 10.25


def test_setup_is_paid_by_the_first_request_by_start_then_index():
    lives = [(0, 10, 40)]
    # By index the first of the two that start at 10; the earlier row starts later.
    services = [(0, 25, 26), (0, 10, 10.5), (0, 10, 19.5)]

    billed_s = metered_s(pool_of(lives, services), "request", 10)

    assert billed_s == 10 + 20 + 10  # and not 20 + 10 + 10, nor 10 + 10 + 20


def test_setup_and_service_of_one_request_are_rounded_as_one_item():
    pool = pool_of([(0, 0.5, 1)], [(0, 0.5, 1)])

    assert metered_s(pool, "request") == 1


def test_requests_at_once_on_a_replica_are_one_span():
    pool = pool_of([(0, 0, 30)], [(0, 0, 10), (0, 2, 5), (0, 8, 12.5), (0, 12.5, 14)])

    assert metered_s(pool, "segment", idle_billed=False) == 14
    assert metered_s(pool, "request", idle_billed=False) == 10 + 3 + 5 + 2


def test_spans_a_rounding_error_apart_are_two():
    later_s = math.nextafter(10, math.inf)
    pool = pool_of([(0, 0, 30)], [(0, 0, 10), (0, later_s, 20)])

    assert metered_s(pool, "segment", 60, idle_billed=False) == 120
    assert metered_s(pool, "replica", 60, idle_billed=False) == 60


def test_setup_and_a_service_that_begins_with_ready_are_one_span():
    pool = pool_of([(0, 5.5, 30)], [(0, 5.5, 6)])

    assert metered_s(pool, "segment", 10, idle_billed=False) == 10


def test_setup_and_a_later_service_are_two_spans():
    pool = pool_of([(0, 5.5, 30)], [(0, 5.75, 6)])

    assert metered_s(pool, "segment", 10, idle_billed=False) == 20


def test_starts_out_of_order_are_put_in_order():
    services = [(0, 20, 25), (1, 3, 4), (0, 2, 10), (0, 10, 12), (1, 4, 6)]
    pool = pool_of([(0, 0, 30), (0, 0, 30)], services)

    assert metered_s(pool, "segment", 60, idle_billed=False) == 3 * 60


def test_replica_alive_at_the_end_is_billed_until_then():
    pool = pool_of([(0, 10, NAN), (70, NAN, NAN)], end_s=80.5)

    assert metered_s(pool) == 81 + 11


def test_request_cut_by_the_horizon_is_billed_until_then():
    pool = pool_of([(0, 10, NAN)], [(0, 10, NAN)], end_s=80.25)

    assert metered_s(pool, "request", 0) == 80.25
    assert metered_s(pool, "segment", 0, idle_billed=False) == 80.25


def test_requests_that_never_began_are_not_billed():
    pool = pool_of([(0, 0, 10)], [(0, 0, 10), (-1, NAN, NAN)])

    assert metered_s(pool, "request", setup_billed=False) == 10
    assert metered_s(pool, "segment", idle_billed=False) == 10


def test_draining_replica_is_billed_until_it_stops():
    # Taken out of the pool at 20, it finishes its request at 47.
    pool = pool_of([(0, 5, 47)], [(0, 12, 47)])

    assert metered_s(pool) == 47
    assert metered_s(pool, setup_billed=False, idle_billed=False) == 35


def test_item_of_no_length_costs_nothing_whatever_the_minimum():
    pool = pool_of([(5, 5, 5), (5, NAN, 5), (0, 0, 9)], [(2, 4, 4)])

    assert metered_s(pool, "replica", 60, 600, idle_billed=False) == 0
    assert metered_s(pool, "request", 60, 600) == 0
    assert metered_s(pool, "aligned", 60, 600, idle_billed=False) == 0
    assert metered_s(pool, "total", 60, 600, idle_billed=False) == 0


def test_empty_pool_costs_nothing():
    pool = pool_of([])

    assert metered_s(pool) == 0
    assert metered_s(pool, "total", 60, 600) == 0
    assert metered_s(pool, "request") == 0
    assert metered_s(pool, idle_billed=False) == 0


@pytest.mark.parametrize(
    ("scope", "increment_s", "minimum_s", "billed_s"),
    [
        ("replica", 1, 60, 100 + 60),
        ("replica", 45, 60, 135 + 90),  # the minimum is rounded up to 90
        ("replica", 0, 60.5, 100 + 60.5),
        ("segment", 1, 60, 100 + 60),
        ("request", 1, 18, 20 + 18 + 18),
        ("total", 1, 500, 500),
        ("aligned", 30, 40, 120 + 60),
    ],
)
def test_items_are_billed_at_least_the_minimum(scope, increment_s, minimum_s, billed_s):
    assert metered_s(TWO_LIVES, scope, increment_s, minimum_s) == billed_s


def test_whole_increments_are_not_rounded_up_for_a_float_error():
    pool = pool_of([(0, 0, 0.1 * 3)])  # 0.30000000000000004 s

    assert metered_s(pool, increment_s=0.1) == 0.3
    assert metered_s(pool, "aligned", increment_s=0.1) == 0.3


@pytest.mark.parametrize(
    ("length_s", "billed_ns"),
    [(0.4e-9, 0), (0.5e-9, 0), (1.5e-9, 2), (2.5e-9, 2), (2.6e-9, 3)],
)
def test_lengths_are_whole_nanoseconds_half_to_even(length_s, billed_ns):
    usage = measure(pool_of([(0, 0, length_s)]), MeteringRules(increment_s=0))

    assert usage.billed_ns == billed_ns


def test_spans_are_rounded_to_nanoseconds_before_they_are_summed():
    pool = pool_of([(0, 0, 9)], [(0, 1, 1 + 1.4e-9), (0, 2, 2 + 1.4e-9)])
    rules = MeteringRules(scope="replica", increment_s=0, idle_billed=False)

    assert measure(pool, rules).billed_ns == 2


def test_aligned_rounds_both_end_points():
    pool = pool_of([(0.6e-9, 0.6e-9, 1.4e-9)])

    by_length = measure(pool, MeteringRules(increment_s=0))
    by_clock = measure(pool, MeteringRules("aligned", increment_s=0))

    assert (by_length.billed_ns, by_length.idle_ns) == (1, 1)
    assert (by_clock.billed_ns, by_clock.idle_ns) == (0, 0)


def test_aligned_counts_the_slots_of_the_clock_that_are_touched():
    pool = pool_of([(59.5, 59.5, 60.5), (60, 60, 120), (119, 119, 121)])

    assert metered_s(pool, "aligned", 60) == 120 + 60 + 120
    assert metered_s(pool, "replica", 60) == 60 + 60 + 60


def test_more_replica_time_than_fits_63_bits_is_billed_exactly():
    pool = pool_of([(0, 0, 3e9)] * 1000)

    replicas = measure(pool, MeteringRules(increment_s=7))
    total = measure(pool, MeteringRules("total", increment_s=7))

    per_replica_ns = -(-3 * 10**18 // (7 * 10**9)) * 7 * 10**9
    assert replicas.billed_ns == 1000 * per_replica_ns
    assert replicas.alive_ns == 3 * 10**21
    assert total.billed_ns == -(-3 * 10**21 // (7 * 10**9)) * 7 * 10**9


def test_idle_time_of_the_min_replicas_may_be_free():
    pool = pool_of([(0, 0, 100), (0, 10, 50)])

    billed_s = metered_s(pool, min_idle_billed=False, min_replicas=1)

    assert billed_s == 50  # setup and idle time of replica 1; nothing of replica 0


def test_another_replica_becomes_the_min_replica_when_it_stops():
    pool = pool_of([(0, 0, 30), (0, 10, 50)])

    billed_s = metered_s(pool, min_idle_billed=False, min_replicas=1)

    assert billed_s == 10 + 20  # replica 1: setup; surplus from 10 to 30


def test_setups_that_overtake_each_other_change_the_min_replicas():
    # Replica 0 takes 40 s to get ready; until then replica 1 is the lowest, then surplus.
    pool = pool_of([(0, 40, 60), (5, 10, 90)])

    billed_s = metered_s(
        pool, setup_billed=False, min_idle_billed=False, min_replicas=1
    )

    assert billed_s == 20


def test_busy_time_of_the_min_replicas_is_billed():
    pool = pool_of([(0, 0, 100), (0, 0, 50)], [(0, 20, 30), (1, 48, 50)])

    billed_s = metered_s(pool, min_idle_billed=False, min_replicas=2)

    assert billed_s == 10 + 2


def test_min_replicas_matter_only_if_their_idle_time_is_free():
    assert metered_s(TWO_LIVES, min_replicas=1) == metered_s(TWO_LIVES)
    assert metered_s(TWO_LIVES, min_idle_billed=False) == metered_s(TWO_LIVES)


def test_usage_splits_billed_and_unbilled_time():
    rules = MeteringRules(unbilled_setup_s=2.5, increment_s=60)

    usage = measure(TWO_LIVES, rules)

    assert usage.busy_s == usage.busy_total_s == 35.75
    assert usage.idle_s == usage.idle_total_s == 54.25
    assert usage.setup_s == 7.5 + 7.5
    assert usage.setup_total_s == 20
    assert usage.rounding_s == 180 - 35.75 - 54.25 - 15
    assert usage.billed_s == 180
    assert usage.alive_s == 110
    assert usage.replica_hours == 110 / 3600


def test_usage_without_idle_time_billed():
    usage = measure(TWO_LIVES, MeteringRules(idle_billed=False, setup_billed=False))

    assert (usage.busy_s, usage.idle_s, usage.setup_s) == (35.75, 0, 0)
    assert usage.rounding_s == 0.25
    assert (usage.setup_total_s, usage.idle_total_s) == (20, 54.25)


def test_rounding_to_nanoseconds_makes_no_idle_time_where_none_is_billed():
    # Twice 1.6 ns are 4 ns in whole nanoseconds, but 3 ns as busy time on record.
    pool = pool_of([(0, 0, 9)], [(0, 1, 1 + 1.6e-9), (0, 2, 2 + 1.6e-9)])

    usage = measure(pool, MeteringRules(increment_s=0, idle_billed=False))

    assert (usage.busy_ns, usage.idle_ns, usage.rounding_ns) == (4, 0, 0)


def test_float_error_in_the_busy_time_on_record_makes_no_negative_idle_time():
    pool = pool_of([(0, 2, 20)], [(0, 2, 20)])
    pool.replicas["busy_s"] += 2e-9

    usage = measure(pool, MeteringRules())

    assert (usage.idle_ns, usage.idle_total_ns) == (0, 0)
    assert usage.busy_s == usage.busy_total_s == 18


def test_usage_by_request_counts_every_request_in_service():
    pool = pool_of([(0, 2, 20)], [(0, 2, 10), (0, 2, 10)])

    usage = measure(pool, MeteringRules("request"))

    assert usage.busy_s == 16
    assert usage.setup_s == 2
    assert usage.busy_total_s == 8


def test_records_of_requests_are_not_needed_where_idle_time_is_billed():
    pool = TWO_LIVES._replace(requests=np.zeros(0, REQUEST_DTYPE))

    assert metered_s(pool, "segment", 60) == metered_s(TWO_LIVES, "segment", 60)


@pytest.mark.parametrize(
    "needs_requests",
    [
        {"scope": "request"},
        {"idle_billed": False},
        {"min_idle_billed": False, "min_replicas": 1},
    ],
)
def test_missing_records_of_requests_are_not_billed_as_nothing(needs_requests):
    pool = TWO_LIVES._replace(requests=np.zeros(0, REQUEST_DTYPE))

    with pytest.raises(ValueError, match="0 rows for 3 served requests"):
        metered_s(pool, **needs_requests)


def test_request_on_a_replica_that_is_not_on_record_is_refused():
    pool = TWO_LIVES._replace(replicas=TWO_LIVES.replicas[:0])

    with pytest.raises(ValueError, match="not one of the 0"):
        metered_s(pool, idle_billed=False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scope", "container"),
        ("increment_s", -1.0),
        ("increment_s", math.inf),
        ("increment_s", 1e-10),
        ("minimum_s", math.nan),
        ("minimum_s", -1.0),
        ("unbilled_setup_s", -0.5),
        ("min_replicas", -1),
    ],
)
def test_argument_out_of_range_is_named(name, value):
    with pytest.raises(ValueError, match=name):
        metered_s(TWO_LIVES, **{name: value})


def test_run_longer_than_the_integers_last_is_refused():
    with pytest.raises(ValueError, match="end_s"):
        metered_s(TWO_LIVES._replace(end_s=1e10))
