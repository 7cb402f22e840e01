"""Replicas that fail, requests that try again: the kernel agrees with the reference (11).

20,000 cases by one command:
COSTSIM_CASES=20000 python -m pytest tests/property/test_failures.py
"""

import importlib
import os

import numpy as np
import pytest
import reference
from cases import (
    INF,
    differences,
    failure_case,
    kind_of,
    make_failure_case,
    make_slow_and_failing_case,
    near_differences,
    slow_and_failing_case,
)
from drawn_cases import drawn
from hypothesis import given, settings

import costsim

N_CASES = int(os.environ.get("COSTSIM_CASES", "400"))
SEED = 20261124
SERVED, REJECTED, TIMED_OUT, UNFINISHED, FAILED = range(5)


@pytest.fixture(params=["reference", "costsim"])
def engine(request):
    return importlib.import_module(request.param)


def pool_differences(case):
    expected = case.run(reference.simulate_pool)
    actual = case.run(costsim.simulate_pool)
    if case.settings.get("slowdown"):
        return near_differences(actual, expected)
    return differences(actual, expected, case.exact)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(drawn(make_failure_case))
def test_kernel_equals_reference(case):
    assert pool_differences(case) == {}


@settings(max_examples=60, deadline=None, derandomize=True)
@given(drawn(make_slow_and_failing_case))
def test_kernel_equals_reference_with_a_slowdown(case):
    assert pool_differences(case) == {}


@pytest.mark.parametrize("make", [failure_case, slow_and_failing_case])
def test_kernel_equals_reference_on_seeded_cases(make):
    found = {n: pool_differences(make(SEED, n)) for n in range(N_CASES)}

    assert {n: fields for n, fields in found.items() if fields} == {}


@pytest.mark.parametrize("make", [failure_case, slow_and_failing_case])
@pytest.mark.parametrize(("longest", "share"), [(120, 20), (1500, 100)])
def test_kernel_equals_reference_on_longer_seeded_cases(make, longest, share):
    numbers = range(N_CASES, N_CASES + N_CASES // share)

    found = {n: pool_differences(make(SEED, n, longest)) for n in numbers}

    assert {n: fields for n, fields in found.items() if fields} == {}


@pytest.mark.parametrize("make", [failure_case, slow_and_failing_case])
def test_replicas_that_live_for_ever_give_the_bits_of_a_pool_without_failures(
    engine, make
):
    found = {}
    for number in range(N_CASES // 4):
        case = make(SEED + 1, number)
        failures = {**case.settings["failures"], "lifetime_s": [INF]}
        pool = case.run(engine.simulate_pool, failures=failures)
        plain = case.run(engine.simulate_pool, failures=None)
        found[number] = differences(pool, plain, exact=True)

    assert {n: fields for n, fields in found.items() if fields} == {}


@pytest.mark.parametrize("make", [failure_case, slow_and_failing_case])
def test_arrived_is_served_rejected_timed_out_failed_and_unfinished(engine, make):
    for number in range(N_CASES // 4):
        case = make(SEED + 2, number)
        pool = case.run(engine.simulate_pool)
        horizon_s = case.settings.get("horizon_s", INF)
        counts = np.bincount(pool.requests["outcome"], minlength=5)

        assert counts.sum() == (np.array(case.arrival_s) < horizon_s).sum()
        assert counts[SERVED] == pool.replicas["n_served"].sum()
        assert len(counts) == 5


@pytest.mark.parametrize("make", [failure_case, slow_and_failing_case])
def test_an_outcome_says_which_fields_there_are(engine, make):
    for number in range(N_CASES // 4):
        requests = make(SEED + 2, number).run(engine.simulate_pool).requests
        outcome, begun = requests["outcome"], requests["replica"] >= 0

        assert np.array_equal(begun, ~np.isnan(requests["start_s"]))
        assert np.array_equal(outcome == SERVED, ~np.isnan(requests["departure_s"]))
        assert begun[np.isin(outcome, (SERVED, FAILED))].all()
        assert not begun[np.isin(outcome, (REJECTED, TIMED_OUT))].any()
        assert not requests["cold"][~begun].any()


@pytest.mark.parametrize("make", [failure_case, slow_and_failing_case])
def test_nobody_is_served_by_the_dead(engine, make):
    for number in range(N_CASES // 4):
        case = make(SEED + 3, number)
        pool = case.run(engine.simulate_pool)
        lifetime_s = np.resize(
            case.settings["failures"]["lifetime_s"], len(pool.replicas)
        )
        dies_s = pool.replicas["ready_s"] + lifetime_s
        served = pool.requests[pool.requests["outcome"] == SERVED]
        failed = pool.requests[pool.requests["outcome"] == FAILED]["replica"]

        # Who would die when all is done may live on (11.6).
        late_s = case.settings.get("horizon_s") or pool.requests["arrival_s"].max(
            initial=0
        )
        assert not ((pool.replicas["stop_s"] > dies_s) & (dies_s < late_s)).any()
        assert (served["departure_s"] <= dies_s[served["replica"]]).all()
        assert np.array_equal(pool.replicas["stop_s"][failed], dies_s[failed])


def test_there_are_min_replicas_whoever_dies(engine):
    cases = (failure_case(SEED + 4, number) for number in range(N_CASES // 2))
    for case in [c for c in cases if "bounds" not in c.settings]:
        replicas = case.run(engine.simulate_pool).replicas
        stop_s = np.nan_to_num(replicas["stop_s"], nan=INF)
        times = np.unique(np.concatenate([replicas["launch_s"], stop_s]))
        times = times[times < INF]
        running = (replicas["launch_s"][:, None] <= times) & (times < stop_s[:, None])

        assert (running.sum(axis=0) >= case.settings["min_replicas"]).all()


def patient(case):
    """Return the settings that make a case's requests try until they are served.

    One replica in five lives for ever, and none is aborted or idles out before a
    request has found it.
    """
    lifetime_s = [INF, *case.settings["failures"]["lifetime_s"][1:]]
    scaler, kind = case.settings["autoscaler"], kind_of(case)
    if kind == "keda":
        scaler = {**scaler, "activation_threshold": 0}  # any request is enough
    unlimited = (
        "max_replicas",
        "max_queued",
        "queue_timeout_s",
        "rate_limit",
        "bounds",
    )
    changed = {
        "autoscaler": "on_demand" if kind == "fixed" else scaler,
        "failures": {"lifetime_s": lifetime_s, "max_attempts": 10**9, "backoff_s": 0.0},
        "at_zero": "hold",
        "horizon_s": None,
        "end": "drain",
        **dict.fromkeys(unlimited),
    }
    if kind == "step_tracking":
        # without a limit it multiplies what there is
        changed["max_replicas"] = case.settings["min_replicas"] + 9
    never = {"cancel_setups": False, "idle_timeout_s": INF}
    return changed | {k: x for k, x in never.items() if k in case.settings}


@pytest.mark.parametrize("make", [failure_case, slow_and_failing_case])
def test_who_tries_for_ever_in_a_pool_without_limits_is_served(engine, make):
    for number in range(N_CASES // 4):
        case = make(SEED + 5, number)

        pool = case.run(engine.simulate_pool, **patient(case))

        assert (pool.requests["outcome"] == SERVED).all()


@pytest.mark.parametrize("make", [failure_case, slow_and_failing_case])
def test_service_that_failed_counts_as_slot_time(engine, make):
    wasted_s = []
    for number in range(N_CASES // 4):
        case = make(SEED + 6, number)
        pool = case.run(engine.simulate_pool, **patient(case))
        requests = pool.requests
        of_the_served_s = np.zeros(len(pool.replicas))
        stay_s = requests["departure_s"] - requests["start_s"]
        np.add.at(of_the_served_s, requests["replica"], stay_s)
        wasted_s.append((pool.replicas["slot_s"] - of_the_served_s).min(initial=0.0))
        wasted_s.append((pool.replicas["slot_s"] - of_the_served_s).max(initial=0.0))

    assert min(wasted_s) >= -1e-9
    assert np.mean(np.array(wasted_s) > 0.1) > 0.1


@pytest.mark.parametrize("make", [failure_case, slow_and_failing_case])
def test_seeded_cases_reach_every_outcome(make):
    pools = [make(SEED, n).run(reference.simulate_pool) for n in range(400)]

    requests = np.concatenate([pool.requests for pool in pools])
    shares = np.bincount(requests["outcome"], minlength=5) / len(requests)

    assert (shares > 0.03).all()
    assert 0.05 < requests["cold"].mean() < 0.95
    assert (requests["launched"] > 2).any()
