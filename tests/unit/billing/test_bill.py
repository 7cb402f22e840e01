"""Bills worked out by hand: quantity times price, fees, credits, a month."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hand_written import pool_of

from costsim.billing.bill import LineItem, bill
from costsim.billing.meter import measure
from costsim.billing.usage import Usage
from costsim.catalog.tariff import Component, MeteringRules, Tariff

TWO_WEEKS_S = 14 * 86400.0

# Modal, L4 + 1 core + 16 GiB, prices by the second as published.
MODAL = Tariff(
    MeteringRules("replica", increment_s=1, unbilled_setup_s=1),
    (
        Component("gpu", 0.000222 * 3600),
        Component("cpu", 0.0000131 * 3600),
        Component("memory", 0.00000222 * 16 * 3600),
    ),
)
MODAL_USD_PER_S = 0.00027062  # 0.000222 + 0.0000131 + 0.00003552

# Baseten, L4:4x16 at 0.01414 USD a minute, partial minutes rounded up.
BASETEN = Tariff(
    MeteringRules("replica", increment_s=60, unbilled_setup_s=20),
    (Component("instance", 0.01414 * 60),),
)

# EC2, g6.xlarge on demand: by the second, at least a minute.
EC2 = Tariff(
    MeteringRules("replica", increment_s=1, minimum_s=60),
    (Component("instance", 0.8048),),
)

HOURS_40 = Usage(
    billed_ns=40 * 3600 * 10**9,
    busy_ns=10 * 3600 * 10**9,
    idle_ns=24 * 3600 * 10**9,
    setup_ns=5 * 3600 * 10**9,
    busy_total_ns=10 * 3600 * 10**9,
    idle_total_ns=24 * 3600 * 10**9,
    setup_total_ns=6 * 3600 * 10**9,
)
NOTHING = Usage(0, 0, 0, 0, 0, 0, 0)


def bill_of(pool, tariff):
    usage = measure(pool, tariff.rules)
    return bill(usage, tariff, served_requests=len(pool.requests), span_s=3600.0)


def test_life_of_a_modal_container():
    # 12.3 s of setup, the first second free; 4.2 s of service; 60 s idle: 75.5 -> 76 s.
    pool = pool_of([(0, 12.3, 76.5)], [(0, 12.3, 16.5)])

    charged = bill_of(pool, MODAL)

    assert charged.total_usd == pytest.approx(0.02056712, rel=1e-12)
    assert charged.setup_usd == pytest.approx(11.3 * MODAL_USD_PER_S, rel=1e-9)
    assert charged.busy_usd == pytest.approx(4.2 * MODAL_USD_PER_S, rel=1e-9)
    assert charged.idle_usd == pytest.approx(60 * MODAL_USD_PER_S, rel=1e-9)
    assert charged.rounding_usd == pytest.approx(0.5 * MODAL_USD_PER_S, rel=1e-9)


def test_lines_of_a_modal_container():
    pool = pool_of([(0, 12.3, 76.5)], [(0, 12.3, 16.5)])

    charged = bill_of(pool, MODAL)

    assert [(item.component, item.phase) for item in charged.items] == [
        (component, phase)
        for component in ("gpu", "cpu", "memory")
        for phase in ("busy", "idle", "setup", "rounding")
    ]
    assert {item.unit for item in charged.items} == {"replica-hour"}
    assert charged.items[1].quantity == 60 / 3600
    assert charged.items[1].cost_usd == pytest.approx(60 * 0.000222, rel=1e-12)


def test_life_of_a_baseten_replica_is_rounded_up_to_minutes():
    # 20 s of image pull free, 21.5 s of load, 10.2 s of service, 900 s of scale-down
    # delay: 931.7 s are 16 started minutes.
    pool = pool_of([(0, 41.5, 951.7)], [(0, 41.5, 51.7)])

    charged = bill_of(pool, BASETEN)

    assert charged.total_usd == pytest.approx(16 * 0.01414, rel=1e-12)
    assert charged.rounding_usd == pytest.approx(28.3 / 60 * 0.01414, rel=1e-9)


def test_short_life_on_ec2_is_billed_a_minute():
    charged = bill_of(pool_of([(0, 30, 42.4)]), EC2)

    assert charged.total_usd == pytest.approx(0.8048 / 60, rel=1e-12)
    assert charged.setup_usd == pytest.approx(0.8048 * 30 / 3600, rel=1e-12)


def test_longer_life_on_ec2_is_billed_by_the_second():
    charged = bill_of(pool_of([(0, 30, 75.2)]), EC2)

    assert charged.total_usd == pytest.approx(0.8048 * 76 / 3600, rel=1e-12)


def test_free_credit_is_granted_pro_rata():
    starter = replace(MODAL, monthly_credit_usd=30.0)

    charged = bill(HOURS_40, starter, served_requests=9, span_s=TWO_WEEKS_S)

    # 40 h at 0.974232 USD/h less 30 USD x 336 h / 730 h
    assert charged.total_usd == pytest.approx(38.96928 - 13.80821917808219, rel=1e-12)
    assert charged.credits_usd == pytest.approx(-13.80821917808219, rel=1e-12)
    assert charged.items[-1].unit == "USD"


def test_free_credit_never_pays_for_the_plan():
    team = replace(MODAL, monthly_fee_usd=250.0, monthly_credit_usd=100.0)

    charged = bill(HOURS_40, team, served_requests=9, span_s=TWO_WEEKS_S)

    # The credit of 46.03 USD exceeds the usage of 38.97 USD; the plan is left.
    assert charged.credits_usd == pytest.approx(-38.96928, rel=1e-12)
    assert charged.total_usd == pytest.approx(250 * 336 / 730, rel=1e-12)
    assert charged.fees_usd == pytest.approx(250 * 336 / 730, rel=1e-12)


def test_free_credit_pays_for_requests():
    tariff = Tariff(MeteringRules(), (), usd_per_request=0.25, monthly_credit_usd=730.0)

    charged = bill(NOTHING, tariff, served_requests=8, span_s=3600.0)

    assert charged.items == (
        LineItem("request", "fee", 8.0, "request", 0.25),
        LineItem("credit", "credit", 1.0, "USD", -1.0),
    )
    assert charged.total_usd == 1.0


def test_idle_pool_pays_for_the_plan_alone():
    team = replace(MODAL, monthly_fee_usd=250.0, monthly_credit_usd=100.0)

    charged = bill(NOTHING, team, served_requests=0, span_s=TWO_WEEKS_S)

    assert charged.items == (LineItem("plan", "fee", 336 / 730, "month", 250.0),)


def test_items_without_a_quantity_are_left_out():
    charged = bill_of(pool_of([(0, 10, 20)]), EC2)

    assert [item.phase for item in charged.items] == ["idle", "setup", "rounding"]


def test_nothing_used_is_an_empty_bill():
    charged = bill(NOTHING, MODAL, served_requests=0, span_s=TWO_WEEKS_S)

    assert charged.items == ()
    assert charged.total_usd == 0


def test_component_that_costs_nothing_is_still_listed():
    tariff = Tariff(MeteringRules(), (Component("gpu", 1.0), Component("cpu", 0.0)))

    charged = bill(HOURS_40, tariff, served_requests=0, span_s=3600.0)

    assert {item.component for item in charged.items} == {"gpu", "cpu"}


def test_month_is_730_hours_like_the_span():
    charged = bill(HOURS_40, MODAL, served_requests=0, span_s=TWO_WEEKS_S)

    per_month_usd = charged.per_month(TWO_WEEKS_S)

    assert per_month_usd == pytest.approx(38.96928 * 730 / 336, rel=1e-12)


def test_month_of_a_bill_with_fees_has_one_whole_fee():
    tariff = Tariff(MeteringRules(), (), monthly_fee_usd=250.0)

    charged = bill(NOTHING, tariff, served_requests=0, span_s=TWO_WEEKS_S)

    assert charged.per_month(TWO_WEEKS_S) == pytest.approx(250.0, rel=1e-12)


def test_bill_that_the_credit_covers_is_never_negative():
    # The costs add up to 0.60000000000000009 or so, rounded up from what they are.
    parts = tuple(Component("gpu", usd) for usd in (0.1, 0.2, 0.3, 0.7, 1.1, 1e-17))
    tariff = Tariff(MeteringRules(), parts, monthly_credit_usd=1e6)

    charged = bill(HOURS_40, tariff, served_requests=0, span_s=3600.0)

    assert 0 <= charged.total_usd < 1e-12


@pytest.mark.parametrize("span_s", [0.0, -1.0, math.inf, math.nan])
def test_span_out_of_range_is_named(span_s):
    with pytest.raises(ValueError, match="span_s"):
        bill(HOURS_40, MODAL, served_requests=0, span_s=span_s)


def test_negative_count_of_requests_is_named():
    with pytest.raises(ValueError, match="served_requests"):
        bill(HOURS_40, MODAL, served_requests=-1, span_s=1.0)
