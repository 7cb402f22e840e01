"""Service that slows down with load: the kernel agrees with the reference (10).

The one keeps a virtual time for each replica, the other what is left of each request's
work; so times agree within 1e-9 of their value, and all else exactly.

20,000 cases by one command:
COSTSIM_CASES=20000 python -m pytest tests/property/test_slowdown.py
"""

import importlib
import os

import numpy as np
import pytest
import reference
from cases import (
    ROUTINGS,
    differences,
    make_slowdown_case,
    near_differences,
    random_case,
    slowdown_case,
)
from drawn_cases import drawn
from hypothesis import given, settings
from invariants import check_invariants, in_service_at

import costsim

N_CASES = int(os.environ.get("COSTSIM_CASES", "400"))
SEED = 20261124


@pytest.fixture(params=["reference", "costsim"])
def engine(request):
    return importlib.import_module(request.param)


def pool_differences(case):
    expected = case.run(reference.simulate_pool)
    return near_differences(case.run(costsim.simulate_pool), expected)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(drawn(make_slowdown_case))
def test_kernel_equals_reference(case):
    assert pool_differences(case) == {}


def test_kernel_equals_reference_on_seeded_cases():
    found = {n: pool_differences(slowdown_case(SEED, n)) for n in range(N_CASES)}

    assert {n: fields for n, fields in found.items() if fields} == {}


@pytest.mark.parametrize(("longest", "share"), [(120, 20), (1500, 100)])
def test_kernel_equals_reference_on_longer_seeded_cases(longest, share):
    numbers = range(N_CASES, N_CASES + N_CASES // share)

    found = {n: pool_differences(slowdown_case(SEED, n, longest)) for n in numbers}

    assert {n: fields for n, fields in found.items() if fields} == {}


def test_no_slowdown_gives_the_bits_of_a_plain_pool(engine):
    found = {}
    for number in range(N_CASES // 4):
        case = random_case(SEED, number)
        pool = case.run(engine.simulate_pool, slowdown=0.0)
        plain = case.run(reference.simulate_pool)
        found[number] = differences(pool, plain, case.exact)

    assert {n: fields for n, fields in found.items() if fields} == {}


def test_a_vanishing_slowdown_is_none(engine):
    found = {}
    for number in range(N_CASES // 4):
        case = slowdown_case(SEED + 1, number)
        pool = case.run(engine.simulate_pool, slowdown=1e-14)
        plain = case.run(engine.simulate_pool, slowdown=0.0)
        found[number] = near_differences(pool, plain)

    assert {n: fields for n, fields in found.items() if fields} == {}


def test_a_request_alone_on_its_replica_is_not_slowed_down(engine):
    found = {}
    for number in range(N_CASES // 4):
        case = slowdown_case(SEED + 2, number)
        alone = {"concurrency_limit": 1}
        if "concurrency_target" in case.settings:
            target = min(1, case.settings["concurrency_target"])
            alone["concurrency_target"] = target
        pool = case.run(engine.simulate_pool, **alone)
        plain = case.run(engine.simulate_pool, **alone, slowdown=0.0)
        found[number] = near_differences(pool, plain)

    assert {n: fields for n, fields in found.items() if fields} == {}


def test_every_pool_keeps_the_invariants(engine):
    for number in range(N_CASES // 4):
        case = slowdown_case(SEED + 3, number)

        check_invariants(case.run(engine.simulate_pool), case.settings)


def test_service_takes_its_work_at_least_and_that_of_a_full_replica_at_most(engine):
    for number in range(N_CASES // 4):
        case = slowdown_case(SEED + 4, number)
        case.settings.pop("first_service_time_s", None)
        pool = case.run(engine.simulate_pool)
        stay_s = pool.requests["departure_s"] - pool.requests["start_s"]
        least_s = np.array(case.service_time_s)[: len(stay_s)]
        others = case.settings["concurrency_limit"] - 1
        most_s = least_s * (1 + case.settings["slowdown"] * others)

        assert not (stay_s < least_s * (1 - 1e-9) - 1e-12).any()
        assert not (stay_s > most_s * (1 + 1e-9) + 1e-12).any()


def test_seeded_cases_share_replicas_under_every_routing():
    cases = [slowdown_case(SEED, n) for n in range(400)]

    shared = {case.settings["routing"] for case in cases if most_at_once(case) >= 4}

    assert shared == set(ROUTINGS)


def most_at_once(case):
    """Return the most requests that are ever in service together on one replica."""
    pool = case.run(reference.simulate_pool)
    begun = pool.requests[pool.requests["replica"] >= 0]
    return in_service_at(pool, begun, begun["start_s"]).max(initial=0)
