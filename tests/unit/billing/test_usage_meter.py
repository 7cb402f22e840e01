"""The meter that is fed record by record: what it needs, refuses and forgets."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
from hand_written import NAN, pool_of

from costsim.billing.meter import measure
from costsim.billing.usage_meter import UsageMeter
from costsim.catalog.tariff import MeteringRules
from costsim.records import Outcome

BUSY_ONLY = MeteringRules(idle_billed=False, increment_s=0)

# Replica 0 is busy on [10, 35.5) and [50, 60.25), replica 1 on [40, 41).
POOL = pool_of(
    [(0, 10, 100), (30, 39, 45)],
    [(0, 10, 20), (0, 20, 35.5), (1, 40, 41), (0, 50, 60.25)],
)


def fed(rules, pool=POOL, min_replicas=0):
    meter = UsageMeter(rules, min_replicas)
    meter.add_requests(pool.requests)
    meter.add_replicas(pool.replicas, np.arange(len(pool.replicas)))
    return meter.usage(pool.end_s)


@pytest.mark.parametrize(
    ("rules", "min_replicas", "requests", "records"),
    [
        (MeteringRules(), 1, False, False),
        (MeteringRules("total"), 0, False, False),
        (MeteringRules(idle_billed=False), 0, True, False),
        (MeteringRules(idle_billed=False), 1, True, True),
        (MeteringRules("request"), 0, True, False),
        (MeteringRules("request", min_idle_billed=False), 1, True, False),
        (MeteringRules("request"), 1, True, True),
        (MeteringRules(min_idle_billed=False), 0, False, False),
        (MeteringRules(min_idle_billed=False), 1, True, True),
        (MeteringRules(min_idle_billed=False, idle_billed=False), 1, True, False),
        (MeteringRules(min_idle_rate=0.7), 1, True, True),
        (MeteringRules(min_busy_rate=0.7), 1, True, True),
        (MeteringRules(min_busy_rate=0.7), 0, False, False),
        (MeteringRules("request", 1, 0, True, True, False, 0.7, 0.9), 1, True, True),
        (MeteringRules("total", 1, 0, True, False, False, 0.7), 1, True, False),
        (MeteringRules(release_lag_s=9.0, failed_start_billed=False), 1, False, True),
    ],
)
def test_rules_say_what_the_meter_needs(rules, min_replicas, requests, records):
    meter = UsageMeter(rules, min_replicas)

    assert (meter.needs_requests, meter.needs_records) == (requests, records)


@pytest.mark.parametrize("scope", ["replica", "segment", "total", "aligned"])
def test_busy_spans_are_billed_with_the_setup_that_they_touch(scope):
    found = fed(replace(BUSY_ONLY, scope=scope))

    # 35.5 s with the setup and 10.25 s; 9 s of setup and 1 s.
    assert found.billed_s == 35.5 + 10.25 + 9 + 1
    assert (found.setup_s, found.busy_s, found.idle_s) == (19, 36.75, 0)


def test_a_span_that_touches_the_setup_is_one_item_with_it():
    # 36 + 11 for replica 0; 9 + 1 for replica 1, whose first service begins later.
    found = fed(MeteringRules("segment", idle_billed=False))

    assert found.billed_s == 36 + 11 + 9 + 1


def test_the_first_request_by_start_then_arrival_pays_for_the_setup():
    pool = pool_of([(0, 10, 40)], [(0, 10, 19.5), (0, 10, 10.5), (0, 25, 26)])
    pool.requests["arrival_s"] = [7, 5, 25]

    meter = UsageMeter(MeteringRules("request", 10))
    for row in range(3):
        meter.add_requests(pool.requests[row : row + 1])
    meter.add_replicas(pool.replicas, np.arange(1))

    # The second came first: 10 + 0.5 s, then 9.5 and 1 s.
    assert meter.usage(40.0).billed_s == 20 + 10 + 10


def test_what_the_end_cuts_off_is_billed_until_then():
    pool = pool_of([(0, 10, NAN), (70, NAN, NAN)], [(0, 12, NAN)], end_s=80.25)

    assert fed(BUSY_ONLY, pool).billed_s == 10 + 68.25 + 10.25
    assert fed(MeteringRules(increment_s=0), pool).billed_s == 80.25 + 10.25
    assert fed(MeteringRules("request", 0), pool).billed_s == 10 + 68.25


def test_the_end_may_be_asked_for_again():
    meter = UsageMeter(MeteringRules(increment_s=0))
    meter.add_replicas(pool_of([(0, 10, NAN)]).replicas, np.arange(1))

    assert [meter.usage(end_s).billed_s for end_s in (20, 30, 20)] == [20, 30, 20]


def test_unbilled_setup_of_each_replica_replaces_that_of_the_rules():
    meter = UsageMeter(MeteringRules(increment_s=0, unbilled_setup_s=1.0))

    meter.add_replicas(POOL.replicas, np.arange(2), np.array([2.5, 100.0]))

    found = meter.usage(100.0)
    assert found.setup_s == 7.5
    assert found.billed_s == 97.5 + 6
    assert found.setup_total_s == 19


def test_unbilled_setup_of_those_alive_at_the_end_is_theirs_too():
    pool = pool_of([(0, 10, NAN), (0, 10, 20), (0, 10, NAN)], end_s=30.0)
    meter = UsageMeter(MeteringRules(increment_s=0))

    meter.add_replicas(pool.replicas, np.arange(3), np.array([1.0, 2.0, 4.0]))

    assert meter.usage(30.0).setup_s == 9 + 8 + 6


def test_unbilled_setups_are_one_for_each_replica():
    meter = UsageMeter(MeteringRules())

    with pytest.raises(ValueError, match=r"shape \(1,\); it must be \(2,\)"):
        meter.add_replicas(POOL.replicas, np.arange(2), np.zeros(1))
    with pytest.raises(ValueError, match=r"unbilled_setup_s\[1\] is -1.0"):
        meter.add_replicas(POOL.replicas, np.arange(2), np.array([0.0, -1.0]))


def test_a_setup_that_is_free_has_no_unbilled_part():
    meter = UsageMeter(MeteringRules(increment_s=0, setup_billed=False))

    meter.add_replicas(POOL.replicas, np.arange(2), np.array([2.5, 0.0]))

    assert meter.usage(100.0).billed_s == 90 + 6


@pytest.mark.parametrize("rules", [BUSY_ONLY, MeteringRules("request")])
def test_a_replica_without_its_requests_is_refused(rules):
    meter = UsageMeter(rules)

    with pytest.raises(ValueError, match="replica 0 served 3 requests"):
        meter.add_replicas(POOL.replicas, np.arange(2))


@pytest.mark.parametrize("rules", [BUSY_ONLY, MeteringRules("request")])
def test_requests_without_their_replica_are_refused(rules):
    meter = UsageMeter(rules)
    meter.add_requests(POOL.requests)
    meter.add_replicas(POOL.replicas[:1], np.arange(1))

    with pytest.raises(ValueError, match="requests began on 1 replicas"):
        meter.usage(100.0)


def test_services_out_of_order_are_refused():
    meter = UsageMeter(BUSY_ONLY)

    with pytest.raises(ValueError, match="start_s is not in order"):
        meter.add_requests(POOL.requests[::-1])


def test_an_end_out_of_range_is_refused():
    with pytest.raises(ValueError, match="end_s"):
        UsageMeter(MeteringRules()).usage(NAN)


def test_a_request_that_failed_is_billed_until_its_replica_died():
    # The replica dies at 20; the other runs on to 90.
    pool = pool_of([(0, 0, 20), (0, 0, 90)], [(0, 12, NAN), (1, 30, 90)])
    pool.requests["outcome"][0] = Outcome.FAILED
    rules = MeteringRules(increment_s=0, setup_billed=False, idle_billed=False)

    assert measure(pool, rules).billed_s == 8 + 60
    assert measure(pool, replace(rules, scope="request")).billed_s == 8 + 60


@pytest.mark.parametrize("rules", [BUSY_ONLY, MeteringRules("request")])
def test_memory_does_not_grow_with_the_run(rules):
    def state_after(n_replicas):
        meter = UsageMeter(rules)
        for replica in range(n_replicas):
            pool = pool_of([(0, 0, 9)], [(0, 1, 2), (0, 3, 4), (0, 5, 6), (0, 7, 8)])
            pool.requests["replica"] = replica
            meter.add_requests(pool.requests)
            meter.add_replicas(pool.replicas, np.array([replica]))
        return len(pickle.dumps(meter))

    # Sums have more digits; nothing else is more.
    assert state_after(2000) < state_after(20) + 100
