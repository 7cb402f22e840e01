"""A run feeds its meter what the min replicas' bill needs, however its pool tells of it.

In a fixed pool all replicas are min replicas: rates and flags for these are for all.
"""

from __future__ import annotations

import pytest
from small_study import only_row, own

BUSY = {"horizon": "6h", "replications": 1, "service": {"time": "30s"}}
FIXED = {"autoscaler": {"kind": "fixed"}, "min_replicas": 3, "max_replicas": 3}
POOLS = [
    {},
    {"concurrency_limit": 2},
    {"concurrency_limit": 2, "slowdown": 0.5},
    {"failures": {"mean_lifetime": "300s", "max_attempts": 4}},
]
"""Told of when requests begin; by completion; with attempts that failed."""


def row_of(pool, **billing):
    deployment = own(**FIXED, **pool)
    billing = {**deployment["billing"], "increment": "0s", **billing}
    return only_row({**deployment, "billing": billing}, **BUSY)


@pytest.mark.parametrize("pool", POOLS)
def test_a_pool_of_min_replicas_is_billed_as_one_where_all_idle_time_is(pool):
    whole = row_of(pool)

    found = row_of(pool, idle=False, min_replicas_idle=True)

    assert whole.busy_usd > 0.1 * whole.cost_usd
    assert found.cost_usd == pytest.approx(whole.cost_usd, rel=1e-9)
    assert found.busy_usd == pytest.approx(whole.busy_usd, rel=1e-9)
    assert found.idle_usd == pytest.approx(whole.idle_usd, rel=1e-9)


@pytest.mark.parametrize("pool", POOLS)
def test_a_pool_of_min_replicas_is_paid_at_their_rates(pool):
    whole = row_of(pool)

    found = row_of(pool, min_replicas_idle_rate=0.25, min_replicas_busy_rate=0.5)

    assert found.busy_usd == pytest.approx(0.5 * whole.busy_usd, rel=1e-9)
    assert found.idle_usd == pytest.approx(0.25 * whole.idle_usd, rel=1e-9)
    assert found.setup_usd == whole.setup_usd


@pytest.mark.parametrize("pool", POOLS[:3])
def test_by_request_the_idle_time_of_min_replicas_is_that_of_the_pool(pool):
    whole = row_of(pool)

    found = row_of(pool, scope="request", min_replicas_idle=True)

    assert found.idle_usd == pytest.approx(whole.idle_usd, rel=1e-9)


def test_by_request_the_min_replicas_idle_free_unless_it_is_said():
    free = row_of({}, scope="request")
    billed = row_of({}, scope="request", min_replicas_idle=True)

    assert (free.idle_usd, free.busy_usd) == (0, billed.busy_usd)
    assert billed.idle_usd > 0
