"""A perfect autoscaler against plans found by trying them all, and against policies."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costsim.simulation.perfect import PerfectAutoscaler
from costsim.simulation.simulate import simulate_pool


def use(
    arrival_s, service_s, *, slots=1, setup_s=5.0, idle_rate=1.0, initial=0, cut=()
):
    pool = PerfectAutoscaler(slots, setup_s, idle_rate, initial)
    arrival_s, service_s = np.array(arrival_s, float), np.array(service_s, float)
    for part in np.split(np.arange(arrival_s.size), cut):
        pool.feed(arrival_s[part], service_s[part])
    return pool.finish()


def test_a_short_gap_is_idled_over_and_a_long_one_is_not():
    found = use([0.0, 6.0, 20.0], [2.0, 2.0, 2.0])

    assert (found.busy_s, found.idle_s, found.setups) == (6.0, 4.0, 2)


def test_a_gap_that_costs_as_much_as_a_setup_is_idled_over():
    found = use([0.0, 7.0], [2.0, 2.0])

    assert (found.idle_s, found.setups) == (5.0, 1)


def test_requests_share_a_replica_up_to_its_slots():
    found = use([0.0, 1.0, 2.0], [4.0, 4.0, 4.0], slots=2)

    # Two replicas from 2 to 4, when three are in service; one from 0 to 6.
    assert (found.work_s, found.busy_s, found.setups) == (12.0, 8.0, 2)


def test_an_arrival_at_the_instant_of_a_departure_needs_no_other_replica():
    found = use([0.0, 2.0], [2.0, 2.0])

    assert (found.busy_s, found.idle_s, found.setups) == (4.0, 0.0, 1)


def test_replicas_that_are_there_at_the_start_can_be_kept():
    found = use([3.0, 30.0], [1.0, 1.0], initial=1)

    assert (found.idle_s, found.setups) == (3.0, 1)


def test_free_idle_time_takes_one_setup_a_replica():
    found = use([0.0, 1e6], [1.0, 1.0], idle_rate=0.0)

    assert found.setups == 1


def cheapest_by_trying(arrival_s, service_s, setup_s):
    """Return the least cost of all plans that change their replicas when requests do."""
    ends_s = np.add(arrival_s, service_s)
    times = np.unique([*arrival_s, *ends_s])
    spans = np.diff(times)
    needed = [int(sum((arrival_s <= t) & (t < ends_s))) for t in times[:-1]]
    most = max(needed)
    costs = []
    for plan in product(range(most + 1), repeat=len(spans)):
        if all(have >= need for have, need in zip(plan, needed, strict=True)):
            launches = np.maximum(np.diff([0, *plan]), 0).sum()
            costs.append(float(np.dot(plan, spans) + setup_s * launches))
    return min(costs)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(1, 5)), min_size=1, max_size=4),
    st.sampled_from([0.5, 2.0, 3.0, 7.0]),
)
def test_no_plan_without_waiting_is_cheaper(requests, setup_s):
    requests.sort()
    arrival_s, service_s = (
        np.array(column, float) for column in zip(*requests, strict=True)
    )

    found = use(arrival_s, service_s, setup_s=setup_s)

    cost = found.busy_s + found.idle_s + setup_s * found.setups
    assert cost == pytest.approx(cheapest_by_trying(arrival_s, service_s, setup_s))


def test_chunks_do_not_matter(rng):
    arrival_s, service_s = np.cumsum(rng.exponential(1, 500)), rng.exponential(3, 500)

    whole = use(arrival_s, service_s, slots=3)

    assert use(arrival_s, service_s, slots=3, cut=(1, 70, 71, 400)) == whole


@pytest.mark.parametrize("idle_timeout_s", [0.5, 5.0, 50.0])
def test_no_autoscaler_with_warm_replicas_for_all_beats_it(rng, idle_timeout_s):
    arrival_s, service_s = np.cumsum(rng.exponential(2, 400)), rng.exponential(3, 400)
    setup_s = 5.0
    # Setups of length 0, paid for as 5 s: nobody waits, as with a perfect one.
    pool = simulate_pool(
        arrival_s, service_s, np.zeros(400), idle_timeout_s=idle_timeout_s
    )
    lives_s = np.nansum(pool.replicas["stop_s"] - pool.replicas["launch_s"])

    perfect = use(arrival_s, service_s, setup_s=setup_s)

    cost = perfect.busy_s + perfect.idle_s + setup_s * perfect.setups
    assert cost < lives_s + setup_s * len(pool.replicas)
