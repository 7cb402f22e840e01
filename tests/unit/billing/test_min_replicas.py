"""Time of the min replicas: whose idle time is billed, at which price; by hand."""

from __future__ import annotations

import pytest
from hand_written import NAN, pool_of

from costsim.billing.bill import LineItem, bill
from costsim.billing.meter import measure, metered_s
from costsim.billing.usage_meter import UsageMeter
from costsim.catalog.tariff import Component, MeteringRules, Tariff

# The lowest id that is ready: replica 0 until 30, then replica 1, beyond it until then.
# Replica 0 idles for 20 s, replica 1 for 15 s as surplus and 16 s as the min replica.
HANDOVER = pool_of([(0, 0, 30), (5, 10, 50)], [(0, 5, 15), (1, 20, 25), (1, 40, 44)])

# A dollar a second.
DOLLARS = (Component("gpu", 3600.0),)


def charged_for(pool, rules, min_replicas=1):
    usage = measure(pool, rules, min_replicas=min_replicas)
    tariff = Tariff(rules, DOLLARS)
    return bill(usage, tariff, served_requests=len(pool.requests), span_s=3600.0)


@pytest.mark.parametrize(
    ("idle_billed", "min_idle_billed", "idle_s"),
    [(True, True, 51), (True, False, 15), (False, True, 36), (False, False, 0)],
)
def test_idle_time_of_min_replicas_is_billed_whatever_holds_for_others(
    idle_billed, min_idle_billed, idle_s
):
    rules = MeteringRules(
        increment_s=0, idle_billed=idle_billed, min_idle_billed=min_idle_billed
    )

    usage = measure(HANDOVER, rules, min_replicas=1)

    assert (usage.busy_s, usage.idle_s, usage.setup_s) == (19, idle_s, 5)
    assert usage.billed_s == 24 + idle_s


@pytest.mark.parametrize(
    ("scope", "billed_s"),
    # Replica 0 has one span, of 30 s; replica 1 has [5, 10), [20, 25) and [30, 50).
    [
        ("replica", 35 + 35),
        ("segment", 35 + 7 + 7 + 21),
        ("total", 63),
        ("aligned", 35 + 14 + 14 + 28),
    ],
)
def test_idle_time_of_min_replicas_alone_joins_the_spans_it_touches(scope, billed_s):
    assert metered_s(HANDOVER, scope, 7, idle_billed=False, min_replicas=1) == billed_s


def test_by_request_the_min_replicas_idle_time_is_one_item():
    # 10 s and 5 s + 5 s of setup and 4 s, each in steps of 7; 36 s of idle time: 42.
    billed_s = metered_s(HANDOVER, "request", 7, min_replicas=1)

    assert billed_s == (14 + 14 + 7) + 42


def test_by_request_no_idle_time_is_billed_where_the_min_replicas_is_free():
    free_s = metered_s(HANDOVER, "request", 7, min_replicas=1, min_idle_billed=False)

    assert free_s == metered_s(HANDOVER, "request", 7) == 14 + 14 + 7


def test_min_replicas_at_a_discount_beside_a_surplus_replica_at_the_full_price():
    pool = pool_of([(0, 0, 100), (0, 0, 50)], [(1, 10, 15), (0, 20, 30)])
    rules = MeteringRules(increment_s=60, min_idle_rate=0.5, min_busy_rate=0.25)

    charged = charged_for(pool, rules)

    assert [(i.phase, i.quantity * 3600, i.usd_per_unit) for i in charged.items] == [
        ("busy", 5, 3600),
        ("busy", 10, 900),
        ("idle", 45, 3600),
        ("idle", 90, 1800),
        ("rounding", pytest.approx(20 + 10), 3600),
    ]
    assert charged.busy_usd == pytest.approx(5 + 2.5)
    assert charged.idle_usd == pytest.approx(45 + 45)
    assert charged.total_usd == pytest.approx(7.5 + 90 + 30)


def test_a_discount_goes_over_to_the_replica_that_takes_the_place():
    rules = MeteringRules(increment_s=0, min_idle_rate=0.5, min_busy_rate=0.5)

    usage = measure(HANDOVER, rules, min_replicas=1)

    # Replica 0: 10 and 20 s; replica 1 from 30 on: 4 and 16 s.
    assert (usage.min_busy_ns, usage.min_idle_ns) == (14 * 10**9, 36 * 10**9)


def test_a_replica_may_be_a_min_replica_twice():
    # Replica 1 is the lowest that is ready but from 20 to 30.
    pool = pool_of([(0, 20, 30), (5, 10, 50)], [(1, 12, 15), (1, 22, 25), (1, 35, 39)])
    rules = MeteringRules(increment_s=0, min_idle_rate=0.5, min_busy_rate=0.5)

    usage = measure(pool, rules, min_replicas=1)

    # And replica 0 idles for 10 s.
    assert usage.min_busy_ns == (3 + 4) * 10**9
    assert usage.min_idle_ns == (7 + 16 + 10) * 10**9


def test_by_request_each_request_on_a_min_replica_is_at_its_rate():
    # Two at once on the min replica, one on the other that is 2 s a min replica.
    pool = pool_of([(0, 0, 30), (0, 0, 40)], [(0, 5, 15), (0, 5, 9), (1, 20, 32)])
    rules = MeteringRules("request", 0, min_idle_rate=0.25, min_busy_rate=0.5)

    usage = measure(pool, rules, min_replicas=1)

    assert usage.busy_s == 26
    assert usage.min_busy_ns == (10 + 4 + 2) * 10**9
    assert usage.min_idle_ns == usage.idle_ns == (20 + 8) * 10**9


def test_a_rate_of_one_makes_no_line_of_its_own():
    pool = pool_of([(0, 0, 100)], [(0, 20, 30)])

    charged = charged_for(pool, MeteringRules(min_idle_rate=0.5))

    assert charged.items == (
        LineItem("gpu", "busy", 10 / 3600, "replica-hour", 3600.0),
        LineItem("gpu", "idle", 90 / 3600, "replica-hour", 1800.0),
    )


def test_without_min_replicas_no_rate_matters():
    rules = MeteringRules(min_idle_rate=0.5, min_busy_rate=0.5)

    assert charged_for(HANDOVER, rules, 0) == charged_for(HANDOVER, MeteringRules(), 0)


def test_a_free_min_replica_is_listed_at_no_price():
    charged = charged_for(pool_of([(0, 0, 100)]), MeteringRules(min_idle_rate=0.0))

    assert charged.items == (LineItem("gpu", "idle", 100 / 3600, "replica-hour", 0.0),)
    assert charged.total_usd == 0


def test_min_replica_alive_at_the_end_idles_until_then():
    pool = pool_of([(0, 10, NAN)], [(0, 12, 20)], end_s=50.0)

    assert metered_s(pool, "segment", 0, idle_billed=False, min_replicas=1) == 50
    assert metered_s(pool, "request", 0, min_replicas=1) == (10 + 8) + 32


@pytest.mark.parametrize("name", ["min_idle_rate", "min_busy_rate"])
@pytest.mark.parametrize("rate", [-0.1, NAN, float("inf")])
def test_a_rate_out_of_range_is_named(name, rate):
    with pytest.raises(ValueError, match=name):
        UsageMeter(MeteringRules(**{name: rate}))
