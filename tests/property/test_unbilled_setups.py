"""Laws of bills in which each replica has an unbilled part of its setup of its own."""

from __future__ import annotations

import numpy as np
import reference_billing
from hand_written import NAN, pool_of
from hypothesis import given, settings
from hypothesis import strategies as st

from costsim.billing.meter import measure, metered_s
from costsim.catalog.tariff import MeteringRules

fixed_seed = settings(deadline=None, derandomize=True)
quarters = st.integers(0, 60).map(lambda n: n / 4)
seconds = quarters | st.floats(0, 15, allow_subnormal=False)
scopes = st.sampled_from(("replica", "segment", "request", "total", "aligned"))
increments = st.sampled_from((0.0, 0.001, 1.0, 7.0, 60.0))


@st.composite
def pools(draw):
    """Draw a pool, and an unbilled time for each of its replicas."""
    lives, services = [], []
    for x in range(draw(st.integers(1, 4))):
        launch_s, ready_s, stop_s = sorted(draw(seconds) for _ in range(3))
        fate = draw(st.sampled_from(["stopped", "alive", "aborted"]))
        if fate == "aborted":
            lives.append((launch_s, NAN, stop_s))
            continue
        lives.append((launch_s, ready_s, stop_s if fate == "stopped" else NAN))
        for _ in range(draw(st.integers(0, 3))):
            pair = sorted(min(max(draw(seconds), ready_s), stop_s) for _ in range(2))
            services.append((x, *pair))
    unbilled_s = np.array([draw(st.just(0.0) | seconds) for _ in lives])
    return pool_of(lives, services, end_s=16.0), unbilled_s


@fixed_seed
@given(drawn=pools(), scope=scopes, increment_s=increments, idle_billed=st.booleans())
def test_the_bill_is_that_of_the_most_obvious_method(
    drawn, scope, increment_s, idle_billed
):
    pool, unbilled_s = drawn

    found = metered_s(
        pool, scope, increment_s, idle_billed=idle_billed, unbilled_setup_s=unbilled_s
    )

    expected = reference_billing.metered_s(
        pool, scope, increment_s, idle_billed=idle_billed, unbilled_setup_s=unbilled_s
    )
    assert found == expected


@fixed_seed
@given(drawn=pools(), scope=scopes, free_s=seconds, idle_billed=st.booleans())
def test_the_same_number_for_each_replica_is_the_number_for_all(
    drawn, scope, free_s, idle_billed
):
    pool, _ = drawn
    rules = MeteringRules(scope, idle_billed=idle_billed, unbilled_setup_s=free_s)
    bare = MeteringRules(scope, idle_billed=idle_billed)

    found = measure(pool, bare, unbilled_setup_s=np.full(len(pool.replicas), free_s))

    assert found == measure(pool, rules)


@fixed_seed
@given(drawn=pools(), scope=scopes, more_s=seconds)
def test_more_that_is_unbilled_never_costs_more(drawn, scope, more_s):
    pool, unbilled_s = drawn
    rules = MeteringRules(scope, increment_s=0.0)

    less = measure(pool, rules, unbilled_setup_s=unbilled_s)
    more = measure(pool, rules, unbilled_setup_s=unbilled_s + more_s)

    assert more.billed_ns <= less.billed_ns
    assert more.alive_ns == less.alive_ns
    assert less.billed_ns == less.busy_ns + less.idle_ns + less.setup_ns
