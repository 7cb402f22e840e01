"""The kernel agrees with the reference, field by field, on small pools full of ties.

20,000 cases by one command:
COSTSIM_CASES=20000 python -m pytest tests/property/test_kernel_equals_reference.py
"""

import os

import numpy as np
import pytest
import reference
from cases import differences, make_case, random_case
from drawn_cases import drawn
from hypothesis import given, settings
from hypothesis import strategies as st
from invariants import check_invariants

import costsim

N_CASES = int(os.environ.get("COSTSIM_CASES", "2000"))
SEED = 20261124
SCOPES = ("replica", "segment", "request", "total", "aligned")


@st.composite
def billing_rules(draw):
    return {
        "scope": draw(st.sampled_from(SCOPES)),
        "increment_s": draw(st.sampled_from((0.001, 0.1, 0.3, 1.0, 2.5, 60.0))),
        "minimum_s": draw(st.sampled_from((0.0, 0.05, 1.0, 7.0))),
        "setup_billed": draw(st.booleans()),
        "idle_billed": draw(st.booleans()),
        "unbilled_setup_s": draw(st.sampled_from((0.0, 0.5, 2.0, 100.0))),
    }


def random_rules(number):
    rng = np.random.default_rng((SEED, number, 1))
    return {
        "scope": SCOPES[rng.integers(len(SCOPES))],
        "increment_s": float(rng.choice((0.001, 0.1, 0.3, 1.0, 2.5, 60.0))),
        "minimum_s": float(rng.choice((0.0, 0.05, 1.0, 7.0))),
        "setup_billed": bool(rng.integers(2)),
        "idle_billed": bool(rng.integers(2)),
        "unbilled_setup_s": float(rng.choice((0.0, 0.5, 2.0, 100.0))),
    }


def pool_differences(case):
    expected = case.run(reference.simulate_pool)
    actual = case.run(costsim.simulate_pool)
    return differences(actual, expected, case.exact)


def bill_difference(case, rules):
    """Bill the reference's pool by both: the kernel is not on trial here."""
    pool = case.run(reference.simulate_pool)
    expected_s = reference.metered_s(pool, **rules)
    actual_s = costsim.metered_s(pool, **rules)
    return {} if actual_s == expected_s else {"billed_s": (actual_s, expected_s)}


@settings(max_examples=300, deadline=None, derandomize=True)
@given(drawn(make_case))
def test_kernel_equals_reference(case):
    assert pool_differences(case) == {}


@settings(max_examples=200, deadline=None, derandomize=True)
@given(drawn(make_case), billing_rules())
def test_meter_equals_reference(case, rules):
    assert bill_difference(case, rules) == {}


def test_kernel_equals_reference_on_seeded_cases():
    found = {n: pool_differences(random_case(SEED, n)) for n in range(N_CASES)}

    assert {n: fields for n, fields in found.items() if fields} == {}


@pytest.mark.parametrize(("longest", "share"), [(120, 20), (1500, 80)])
def test_kernel_equals_reference_on_longer_seeded_cases(longest, share):
    numbers = range(N_CASES, N_CASES + N_CASES // share)

    found = {n: pool_differences(random_case(SEED, n, longest)) for n in numbers}

    assert {n: fields for n, fields in found.items() if fields} == {}


def test_meter_equals_reference_on_seeded_cases():
    numbers = range(N_CASES)

    found = {n: bill_difference(random_case(SEED, n), random_rules(n)) for n in numbers}

    assert {n: fields for n, fields in found.items() if fields} == {}


@pytest.mark.parametrize("engine", [reference, costsim], ids=["reference", "costsim"])
def test_every_pool_keeps_the_invariants(engine):
    for number in range(N_CASES // 2):
        case = random_case(SEED + 1, number)

        check_invariants(case.run(engine.simulate_pool), case.settings)


@pytest.mark.parametrize("engine", [reference, costsim], ids=["reference", "costsim"])
def test_seeded_cases_reach_every_outcome_and_mechanism(engine):
    pools = [random_case(SEED, n).run(engine.simulate_pool) for n in range(400)]

    requests = np.concatenate([pool.requests for pool in pools])
    replicas = np.concatenate([pool.replicas for pool in pools])
    shares = np.bincount(requests["outcome"], minlength=4) / len(requests)

    assert (shares > 0.03).all()
    assert 0.05 < requests["cold"].mean() < 0.95
    assert (requests["launched"] > 1).any()
    assert np.isnan(replicas["ready_s"][~np.isnan(replicas["stop_s"])]).any()


@pytest.mark.parametrize("engine", [reference, costsim], ids=["reference", "costsim"])
def test_too_few_setup_times_are_refused(engine):
    with pytest.raises(ValueError, match="setup_time_s"):
        engine.simulate_pool(
            np.array([0.0, 1.0]), np.array([5.0, 5.0]), np.array([1.0])
        )
