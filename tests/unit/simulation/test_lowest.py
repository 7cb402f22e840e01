"""Routing by id among more replicas than one word of bits, or two levels, can tell of."""

import numpy as np
import pytest

import costsim


@pytest.mark.parametrize("n_replicas", [40, 1_000, 3_000, 70_000])
@pytest.mark.parametrize("routing", ["oldest", "least_loaded", "most_loaded"])
def test_the_free_replica_with_the_smallest_id_is_next(n_replicas, routing):
    # All but the last are taken at 0; every third is free again at 1.
    service_s = np.where(np.arange(n_replicas - 1) % 3 == 2, 1.0, 10.0)
    again = np.count_nonzero(service_s == 1.0)
    arrival_s = np.concatenate([np.zeros(n_replicas - 1), np.full(again, 2.0)])

    pool = costsim.simulate_pool(
        arrival_s,
        np.concatenate([service_s, np.ones(again)]),
        [],
        autoscaler="fixed",
        min_replicas=n_replicas,
        max_replicas=n_replicas,
        routing=routing,
    )

    expected = [*range(n_replicas - 1), *range(2, n_replicas - 1, 3)]
    assert pool.requests["replica"].tolist() == expected


def test_ids_go_on_in_order_after_thousands_have_come_and_gone():
    # Ten waves of 700: each finds the pool empty, as all stop after 1 s without work.
    waves, size = 10, 700
    arrival_s = np.repeat(100.0 * np.arange(waves), size)
    n = arrival_s.size

    pool = costsim.simulate_pool(
        arrival_s,
        np.full(n, 5.0),
        np.full(n, 1.0),
        idle_timeout_s=1.0,
        routing="oldest",
    )

    assert pool.launches == n
    assert pool.requests["replica"].tolist() == list(range(n))
