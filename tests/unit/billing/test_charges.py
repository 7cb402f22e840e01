"""Free amounts, storage, transfer and builds on a bill, worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from costsim.billing.bill import LineItem, bill
from costsim.billing.usage import Usage
from costsim.catalog.tariff import Component, MeteringRules, StorageCharge, Tariff

HALF_A_MONTH_S = 365 * 3600.0
HOUR_NS = 3600 * 10**9

NOTHING = Usage(0, 0, 0, 0, 0, 0, 0)
# 2 h busy, 5 h idle, 1 h of setup, 1.5 h of release, half an hour of rounding.
TEN_HOURS = Usage(
    billed_ns=10 * HOUR_NS,
    busy_ns=2 * HOUR_NS,
    idle_ns=5 * HOUR_NS,
    setup_ns=HOUR_NS,
    busy_total_ns=2 * HOUR_NS,
    idle_total_ns=5 * HOUR_NS,
    setup_total_ns=HOUR_NS,
    release_ns=3 * HOUR_NS // 2,
)
PLAIN = Tariff(MeteringRules(), ())


def bill_of(tariff, usage=NOTHING, served_requests=0):
    return bill(usage, tariff, served_requests=served_requests, span_s=HALF_A_MONTH_S)


def test_free_hours_are_granted_pro_rata_at_the_full_price():
    tariff = replace(PLAIN, components=(Component("gpu", 2.0, 8.0),))

    charged = bill_of(tariff, TEN_HOURS)

    assert charged.items[-1] == LineItem("gpu", "credit", 4.0, "replica-hour", -2.0)
    assert charged.total_usd == 10 * 2 - 8
    assert charged.credits_usd == -8


def test_free_hours_are_never_more_than_were_billed_rounding_included():
    tariff = replace(PLAIN, components=(Component("gpu", 2.0, 1e6),))

    charged = bill_of(tariff, TEN_HOURS)

    assert charged.items[-1] == LineItem("gpu", "credit", 10.0, "replica-hour", -2.0)
    assert charged.total_usd == 0


def test_free_hours_are_those_of_one_component():
    parts = (
        Component("cpu", 2.0, 8.0),
        Component("memory", 0.5),
        Component("gpu", 1.0),
    )

    charged = bill_of(replace(PLAIN, components=parts), TEN_HOURS)

    credited = [item for item in charged.items if item.phase == "credit"]
    assert credited == [LineItem("cpu", "credit", 4.0, "replica-hour", -2.0)]
    assert charged.total_usd == 12 + 5 + 10


def test_free_hours_of_discounted_time_are_worth_no_more_than_it_costs():
    rules = MeteringRules(min_idle_rate=0.5)
    usage = Usage(
        10 * HOUR_NS, 0, 10 * HOUR_NS, 0, 0, 10 * HOUR_NS, 0, min_idle_ns=10 * HOUR_NS
    )
    tariff = Tariff(rules, (Component("gpu", 2.0, 1e6),))

    charged = bill_of(tariff, usage)

    assert charged.items[-1].quantity == 5
    assert charged.total_usd == 0


def test_free_amounts_of_what_costs_nothing_make_no_line():
    tariff = replace(PLAIN, components=(Component("gpu", 0.0, 8.0),))

    assert {item.phase for item in bill_of(tariff, TEN_HOURS).items} == {
        "busy", "idle", "setup", "release", "rounding",
    }  # fmt: skip


@pytest.mark.parametrize(("served", "free"), [(1200, 1000.0), (700, 700.0)])
def test_free_requests_are_granted_pro_rata(served, free):
    tariff = replace(PLAIN, usd_per_request=0.25, free_requests_per_month=2000)

    charged = bill_of(tariff, served_requests=served)

    assert charged.items == (
        LineItem("request", "fee", float(served), "request", 0.25),
        LineItem("request", "credit", free, "request", -0.25),
    )


def test_disks_are_paid_while_replicas_are_alive():
    # 600 s of a month of 2,628,000 s
    disk = StorageCharge("container_disk", 4380.0, 0.5, "alive", copies=9)
    usage = replace(NOTHING, disk_ns=600 * 10**9)

    charged = bill_of(replace(PLAIN, storage=(disk,)), usage)

    assert [(i.component, i.phase, i.unit) for i in charged.items] == [
        ("container_disk", "fee", "GiB-month")
    ]
    assert charged.items[0].quantity == pytest.approx(1.0, rel=1e-12)
    assert charged.fees_usd == pytest.approx(0.5, rel=1e-12)


def test_volumes_are_paid_always_each_copy():
    volume = StorageCharge("network_volume", 10.0, 0.07, copies=3)

    charged = bill_of(replace(PLAIN, storage=(volume,)))

    assert charged.items == (
        LineItem("network_volume", "fee", 15.0, "GiB-month", 0.07),
    )


def test_transfer_is_paid_by_served_requests():
    tariff = replace(PLAIN, gib_per_request=0.5, usd_per_gib=0.12)

    charged = bill_of(tariff, served_requests=8)

    assert charged.items == (LineItem("transfer", "fee", 4.0, "GiB", 0.12),)


def test_builds_are_paid_pro_rata():
    tariff = replace(PLAIN, build_hours_per_month=3.0, usd_per_build_hour=0.4)

    assert bill_of(tariff).items == (LineItem("build", "fee", 1.5, "h", 0.4),)


EVERYTHING = Tariff(
    MeteringRules(),
    (Component("gpu", 2.0, 8.0),),
    usd_per_request=0.25,
    free_requests_per_month=8.0,
    monthly_fee_usd=20.0,
    storage=(StorageCharge("volume", 10.0, 0.2),),
    gib_per_request=0.5,
    usd_per_gib=0.5,
    build_hours_per_month=3.0,
    usd_per_build_hour=1.0,
)


def test_every_charge_has_its_line_in_order():
    charged = bill_of(EVERYTHING, TEN_HOURS, served_requests=8)

    assert [(i.component, i.phase, i.cost_usd) for i in charged.items] == [
        ("gpu", "busy", 4.0),
        ("gpu", "idle", 10.0),
        ("gpu", "setup", 2.0),
        ("gpu", "release", 3.0),
        ("gpu", "rounding", 1.0),
        ("gpu", "credit", -8.0),
        ("request", "fee", 2.0),
        ("request", "credit", -1.0),
        ("volume", "fee", 1.0),
        ("transfer", "fee", 2.0),
        ("build", "fee", 1.5),
        ("plan", "fee", 10.0),
    ]
    assert charged.fees_usd == 2 + 1 + 2 + 1.5 + 10
    assert charged.idle_usd == 10 + 3


def test_monthly_credit_pays_for_what_the_free_amounts_left_but_not_the_plan():
    # 20 - 8 of replicas, 2 - 1 of requests, 1 + 2 + 1.5 of the rest.
    tariff = replace(EVERYTHING, monthly_credit_usd=1e6)

    charged = bill_of(tariff, TEN_HOURS, served_requests=8)

    assert charged.items[-1] == LineItem("credit", "credit", 17.5, "USD", -1.0)
    assert charged.total_usd == 10


def test_what_is_free_never_pays_anyone():
    # What all hours cost at once is a rounding error more than busy and idle ones apart.
    busy_ns, idle_ns = 9_335_755 * 10**9, 1_677_727 * 10**9
    usage = Usage(busy_ns + idle_ns, busy_ns, idle_ns, 0, busy_ns, idle_ns, 0)

    charged = bill_of(replace(PLAIN, components=(Component("gpu", 8.57, 1e6),)), usage)

    # No line makes up for a rounding error.
    assert [item.component for item in charged.items] == ["gpu", "gpu", "gpu"]
    assert 0 <= charged.total_usd < 1e-11


def test_of_data_a_part_of_each_month_is_free():
    tariff = Tariff(
        MeteringRules(),
        (),
        gib_per_request=0.5,
        usd_per_gib=0.08,
        free_gib_per_month=30.0,
    )

    half_a_month = bill(NOTHING, tariff, served_requests=100, span_s=365 * 3600.0)

    # 50 GiB were moved; 15 of them are free in half a month.
    assert half_a_month.total_usd == pytest.approx((50 - 15) * 0.08)
    assert half_a_month.credits_usd == pytest.approx(-15 * 0.08)
