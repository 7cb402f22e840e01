"""Machines beyond their replicas' lives: release, failed starts, disks; by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hand_written import NAN, pool_of

from costsim.billing.bill import bill
from costsim.billing.meter import measure, metered_s
from costsim.billing.usage_meter import UsageMeter
from costsim.catalog.tariff import Component, MeteringRules, Tariff

# Busy to the end: setup of 30 s, service of 40.5 s.
BUSY_TO_THE_END = pool_of([(0, 30, 70.5)], [(0, 30, 70.5)])
# Busy from 10 to 20, stopped at 100.
IDLE_AT_THE_END = pool_of([(0, 10, 100)], [(0, 10, 20)])
# Ready and stopped; given up after 7.5 s; still starting at the end.
STARTS = pool_of([(0, 10, 20), (2, NAN, 9.5), (15, NAN, NAN)], end_s=20.0)


def test_a_release_joins_the_partial_minute_before_it():
    rules = MeteringRules(increment_s=60, release_lag_s=15)
    usage = measure(BUSY_TO_THE_END, rules)
    tariff = Tariff(rules, (Component("gpu", 3600.0),))

    charged = bill(usage, tariff, served_requests=1, span_s=3600.0)

    # 85.5 s are two minutes; a minute of their own would have been three.
    assert [(i.phase, i.quantity * 3600) for i in charged.items] == [
        ("busy", 40.5),
        ("setup", 30),
        ("release", 15),
        ("rounding", pytest.approx(34.5)),
    ]
    assert charged.total_usd == pytest.approx(120)
    assert charged.release_usd == charged.idle_usd == pytest.approx(15)


@pytest.mark.parametrize(
    ("scope", "idle_billed", "billed_s"),
    [
        ("replica", True, 120),  # [0, 115)
        ("segment", True, 120),
        ("aligned", True, 120),
        ("total", True, 120),
        ("replica", False, 60),  # 20 s and 15 s
        ("segment", False, 60 + 60),
        ("aligned", False, 60 + 60),
        ("total", False, 60),
    ],
)
def test_a_release_after_idle_time_that_is_free_is_a_span_of_its_own(
    scope, idle_billed, billed_s
):
    found_s = metered_s(
        IDLE_AT_THE_END, scope, 60, idle_billed=idle_billed, release_lag_s=15
    )

    assert found_s == billed_s


def test_a_release_is_billed_by_the_slots_of_the_clock_that_it_touches():
    # [70.5, 140.5) goes on from [0, 70.5): slots 0, 1 and 2.
    assert metered_s(BUSY_TO_THE_END, "aligned", 60, release_lag_s=70) == 180


def test_a_release_is_billed_in_full_beyond_the_end_of_the_run():
    pool = pool_of([(0, 0, 95), (0, 0, NAN)], end_s=100.0)

    usage = measure(pool, MeteringRules(increment_s=0, release_lag_s=3600))

    # Whoever has not stopped is not released.
    assert usage.billed_s == 95 + 3600 + 100
    assert (usage.release_s, usage.alive_s, usage.disk_s) == (3600, 195, 195)


def test_a_replica_of_which_nothing_is_billed_is_released_all_the_same():
    pool = pool_of([(0, 10, 50)])

    billed_s = metered_s(
        pool, "segment", 0, setup_billed=False, idle_billed=False, release_lag_s=9
    )

    assert billed_s == 9


def test_by_request_no_machine_is_released():
    with pytest.raises(ValueError, match="release_lag_s is 5; it must be 0 with the"):
        metered_s(IDLE_AT_THE_END, "request", release_lag_s=5)


@pytest.mark.parametrize(
    ("failed_start_billed", "billed_s"), [(True, 20 + 7.5 + 5), (False, 20 + 5)]
)
def test_a_replica_that_was_never_ready_may_be_free(failed_start_billed, billed_s):
    found_s = metered_s(STARTS, "replica", 0, failed_start_billed=failed_start_billed)

    assert found_s == billed_s


def test_a_failed_start_that_is_free_is_not_released():
    rules = MeteringRules(increment_s=0, failed_start_billed=False, release_lag_s=100)

    usage = measure(STARTS, rules)

    assert usage.release_s == 100
    assert usage.setup_s == 10 + 5
    assert usage.setup_total_s == 10 + 7.5 + 5


def test_a_failed_start_that_is_billed_is_released():
    usage = measure(STARTS, MeteringRules(increment_s=0, release_lag_s=100))

    # The one given up at 9.5 leaves a machine to the launch at 15; the other waits on.
    assert usage.release_s == 5.5 + 100


def test_a_launch_takes_a_machine_that_still_waits_and_both_are_billed_once():
    pool = pool_of([(0, 0, 10), (0, 0, 12), (15, 15, 20), (45, 45, 55)])

    usage = measure(pool, MeteringRules(increment_s=0, release_lag_s=20))

    # At 15 the one left at 12 is taken; that of 10 waits its 20 s. At 45 the one left at
    # 20 has waited its 20 s and is gone.
    assert usage.release_s == 20 + 3 + 20 + 20
    assert usage.billed_s == (10 + 12 + 5 + 10) + 63


def test_of_the_machines_that_wait_the_last_one_left_is_taken_first():
    pool = pool_of([(0, 0, 10), (0, 0, 12), (15, 15, 40), (16, 16, 40)])

    usage = measure(pool, MeteringRules(increment_s=0, release_lag_s=20))

    assert usage.release_s == (15 - 12) + (16 - 10) + 20 + 20


def test_a_meter_that_is_told_piece_by_piece_refuses_machines_that_wait():
    meter = UsageMeter(MeteringRules(release_lag_s=20))

    with pytest.raises(ValueError, match="release_lag_s needs the whole history"):
        meter.add_replicas(BUSY_TO_THE_END.replicas, np.arange(1))


def test_a_failed_start_is_free_whatever_its_unbilled_part():
    rules = MeteringRules(increment_s=0, failed_start_billed=False)

    usage = measure(STARTS, rules, unbilled_setup_s=np.array([4.0, 0.0, 1.0]))

    assert usage.setup_s == 6 + 4


def test_a_disk_is_billed_in_steps_of_each_life():
    pool = pool_of([(0, 10, 400), (0, NAN, 300), (500, 600, NAN)], end_s=1100.5)

    usage = measure(pool, MeteringRules(disk_increment_s=300))

    assert usage.disk_s == 600 + 300 + 900
    assert usage.alive_s == 400 + 300 + 600.5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("release_lag_s", -1.0),
        ("release_lag_s", NAN),
        ("disk_increment_s", -1.0),
        ("disk_increment_s", 1e-10),
    ],
)
def test_a_rule_out_of_range_is_named(name, value):
    with pytest.raises(ValueError, match=name):
        UsageMeter(MeteringRules(**{name: value}))
