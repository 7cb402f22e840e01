"""How long to keep replicas, learned: the kernel agrees with the reference (9.6).

20,000 cases by one command:
COSTSIM_CASES=20000 python -m pytest tests/property/test_keep_alive.py
"""

import importlib
import os
from collections import Counter
from typing import ClassVar

import numpy as np
import pytest
import reference
from cases import differences, near_differences
from drawn_cases import drawn
from hypothesis import given, settings
from invariants import check_invariants
from keep_alive_cases import (
    failing_keep_alive_case,
    keep_alive_case,
    make_failing_keep_alive_case,
    make_keep_alive_case,
    slow_keep_alive_case,
)
from reference_keep_alive import DEFAULTS, histogram, is_known, number_of_bins

import costsim
from costsim.simulation import stream

N_CASES = int(os.environ.get("COSTSIM_CASES", "400"))
SEED = 20261124
MAKES = [keep_alive_case, failing_keep_alive_case, slow_keep_alive_case]


@pytest.fixture(params=["reference", "costsim"])
def engine(request):
    return importlib.import_module(request.param)


def pool_differences(case):
    expected = case.run(reference.simulate_pool)
    actual = case.run(costsim.simulate_pool)
    if case.settings.get("slowdown"):
        return near_differences(actual, expected)
    return differences(actual, expected, case.exact)


def policy_of(case, **changed):
    return DEFAULTS | case.settings["keep_alive"] | changed


# The kernel and the reference


@settings(max_examples=80, deadline=None, derandomize=True)
@given(drawn(make_keep_alive_case))
def test_kernel_equals_reference(case):
    assert pool_differences(case) == {}


@settings(max_examples=60, deadline=None, derandomize=True)
@given(drawn(make_failing_keep_alive_case))
def test_kernel_equals_reference_with_failures(case):
    assert pool_differences(case) == {}


@pytest.mark.parametrize("make", MAKES)
def test_kernel_equals_reference_on_seeded_cases(make):
    found = {n: pool_differences(make(SEED, n)) for n in range(N_CASES)}

    assert {n: fields for n, fields in found.items() if fields} == {}


@pytest.mark.parametrize("make", MAKES)
@pytest.mark.parametrize(("longest", "share"), [(120, 20), (1000, 200)])
def test_kernel_equals_reference_on_longer_seeded_cases(make, longest, share):
    numbers = range(N_CASES, N_CASES + N_CASES // share)

    found = {n: pool_differences(make(SEED, n, longest)) for n in numbers}

    assert {n: fields for n, fields in found.items() if fields} == {}


def test_every_pool_keeps_the_invariants(engine):
    for number in range(N_CASES // 2):
        case = keep_alive_case(SEED + 1, number)

        check_invariants(case.run(engine.simulate_pool), case.settings)


class Watched(reference.Simulator):
    """A reference simulator that counts what happens."""

    seen: ClassVar = Counter()

    def begin_idle_period_if_empty(self):
        before = self.idle_periods
        idle = sum(replica.timer is not None for replica in self.running)
        super().begin_idle_period_if_empty()
        if self.idle_periods == before:
            return
        counts = histogram(self.idle_times_s, self.keep_alive)
        beyond = len(self.idle_times_s) - sum(counts)
        self.seen["idle period"] += 1
        self.seen["out of bounds"] += beyond > 0
        self.seen["known"] += is_known(counts, beyond, self.keep_alive)
        self.seen["unloaded"] += self.unloaded
        self.seen["others idle"] += idle > 0

    def ready(self, *event):
        self.seen["ready while unloaded"] += self.unloaded
        self.seen["ready while empty"] += self.idle_since_s is not None
        return super().ready(*event)

    def prewarm(self, number, timer):
        in_force = self.will_prewarm(number)
        launched = super().prewarm(number, timer)
        self.seen["prewarm that launches"] += launched
        self.seen["prewarm that finds one"] += in_force and not launched
        self.seen["void prewarm"] += not in_force
        return launched


@pytest.mark.parametrize("make", MAKES)
def test_seeded_cases_reach_every_mechanism(monkeypatch, make):
    monkeypatch.setattr(reference, "Simulator", Watched)
    monkeypatch.setattr(Watched, "seen", Counter())

    for number in range(400):
        make(SEED, number).run(reference.simulate_pool)

    seen, periods = Watched.seen, Watched.seen["idle period"]
    assert 0.2 < seen["known"] / periods < 0.8
    assert 0.05 < seen["unloaded"] / periods < 0.5
    assert 0.2 < seen["out of bounds"] / periods < 0.8
    assert min(seen.values()) > 10
    assert len(seen) == 10


# How a run is fed, and how little room it has


@pytest.mark.parametrize("chunk_size", [1, 2, 7])
@pytest.mark.parametrize("make", MAKES)
def test_a_chunked_run_is_the_bits_of_a_whole_one(make, chunk_size):
    found = {}
    for number in range(N_CASES // 4):
        case = make(SEED + 2, number)
        whole = case.run(costsim.simulate_pool)
        chunked = case.run(costsim.simulate_pool, chunk_size=chunk_size)
        found[number] = differences(chunked, whole, exact=True)

    assert {n: fields for n, fields in found.items() if fields} == {}


@pytest.mark.parametrize("make", MAKES)
def test_a_run_without_room_is_the_bits_of_one_with_plenty(monkeypatch, make):
    cases = [make(SEED + 3, number, 60) for number in range(N_CASES // 4)]
    roomy = [case.run(costsim.simulate_pool) for case in cases]

    monkeypatch.setattr(stream, "_FIRST_SLOTS", 1)
    monkeypatch.setattr(stream, "_FIRST_PLACES", 1)
    cramped = [case.run(costsim.simulate_pool) for case in cases]

    pairs = zip(cramped, roomy, strict=True)
    assert [differences(*pair, exact=True) for pair in pairs] == [{}] * len(cases)


def test_prewarms_that_a_request_has_voided_find_room(monkeypatch, engine):
    monkeypatch.setattr(stream, "_FIRST_SLOTS", 1)
    arrival_s = np.concatenate([[0.0], 3602.0 + 2.0 * np.arange(300)])
    policy = {"range_s": 4000.0, "bin_s": 100.0, "head": 1.0, "cv_threshold": 0.0}

    pool = engine.simulate_pool(
        arrival_s,
        np.ones(301),
        np.zeros(999),
        keep_alive=policy | {"tail": 1.0, "margin": 0.0},
    )

    # Unknown at first, so the second request finds the first's replica. Then one idle time
    # is of 3601 s and all others are of 1 s: the pool unloads for 3600 s every time,
    # and every request launches for itself; only the last PREWARM is in force.
    assert pool.requests["launched"].tolist() == [1, 0, *(1,) * 299]
    assert len(pool.replicas) == 301
    assert pool.replicas["launch_s"][-1] == arrival_s[-1] + 1.0 + 3600.0


# What a change of the policy must do


def test_whatever_makes_it_unknown_gives_the_same_bits(engine):
    found = {}
    for number in range(N_CASES // 4):
        case = failing_keep_alive_case(SEED + 4, number)
        varied = policy_of(case, cv_threshold=1e9)
        beyond = policy_of(case, most_out_of_bounds=0.0)
        pools = [
            case.run(engine.simulate_pool, keep_alive=policy)
            for policy in (varied, beyond)
        ]
        found[number] = differences(*pools, exact=True)

    assert {n: fields for n, fields in found.items() if fields} == {}


def with_one_replica(case):
    """Return settings under which no replica but the one that completes goes idle.

    The policy sets every timer anew when the pool becomes empty, and keeps a replica
    that is ready later from then on; an idle timeout counts from each going idle. So
    there is one replica, nobody gives up while it starts, and none is unpinned.
    """
    settings = case.settings
    rejects = settings["at_zero"] == "reject"
    return {
        "max_replicas": min(settings["max_replicas"] or 1, 1),
        "min_replicas": 0,
        "initial_replicas": 0,
        "queue_timeout_s": None,
        "at_zero": "reject" if rejects else "hold",
        "bounds": None,
    }


def test_one_replica_that_never_learns_has_an_idle_timeout_of_the_range(engine):
    found = {}
    for number in range(N_CASES // 2):
        case = keep_alive_case(SEED + 5, number)
        one, policy = with_one_replica(case), policy_of(case, cv_threshold=1e9)
        range_s = number_of_bins(policy) * policy["bin_s"]
        never = case.run(engine.simulate_pool, **one, keep_alive=policy)
        timed = case.run(
            engine.simulate_pool, **one, keep_alive=None, idle_timeout_s=range_s
        )
        found[number] = differences(never, timed, exact=True)

    assert {n: fields for n, fields in found.items() if fields} == {}


def test_two_replicas_that_never_learn_stop_together(engine):
    arrays = (np.array([0.0, 0.0]), np.array([1.0, 10.0]), np.zeros(9))
    policy = {"bin_s": 1.0, "range_s": 20.0}

    learned = engine.simulate_pool(*arrays, keep_alive=policy)
    timed = engine.simulate_pool(*arrays, idle_timeout_s=20.0)

    # Idle from 1 and from 10 on, when the pool became empty.
    assert timed.replicas["stop_s"].tolist() == [21.0, 30.0]
    assert learned.replicas["stop_s"].tolist() == [30.0, 30.0]


@pytest.mark.parametrize("changed", [{"head": 0.0}, {"margin": 1.0}])
def test_without_a_head_nothing_is_loaded_beforehand(engine, changed):
    for number in range(N_CASES // 4):
        case = keep_alive_case(SEED + 6, number)
        pool = case.run(
            engine.simulate_pool,
            keep_alive=policy_of(case, **changed),
            bounds=None,
        )
        asked = case.settings
        initial = asked.get("initial_replicas", asked["min_replicas"])

        launched = pool.requests["launched"].sum()

        assert len(pool.replicas) == initial + launched


def test_a_later_tail_never_lets_a_lone_replica_go_earlier(engine):
    arrival_s = np.cumsum(np.random.default_rng(SEED).exponential(400.0, 300))
    service_s, setup_s = np.ones(300), np.full(600, 30.0)
    policy = {"head": 0.0, "cv_threshold": 0.5}

    cold = [
        engine.simulate_pool(
            *(arrival_s, service_s, setup_s),
            max_replicas=1,
            keep_alive=policy | {"tail": tail},
        )
        .requests["cold"]
        .sum()
        for tail in (0.1, 0.5, 0.8, 0.95, 1.0)
    ]

    assert cold == sorted(cold, reverse=True)
    assert cold[0] > 3 * cold[-1]
