"""A run is the same bits however it is fed and however little room it has."""

import os

import numpy as np
import pytest
from cases import random_case
from pool_defaults import settings_of

import costsim
from costsim.records import REPLICA_DTYPE, REQUEST_DTYPE, Outcome
from costsim.simulation import stream
from costsim.simulation.stream import PoolRun, Setups

N_CASES = int(os.environ.get("COSTSIM_CASES", "400"))
SEED = 20_261_124


class Collected:
    """Everything that an observer is told."""

    def __init__(self):
        self.requests, self.replicas, self.ids, self.batches = [], [], [], 0

    def on_requests(self, rows):
        self.requests.append(rows.copy())
        self.batches += 1

    def on_replicas(self, rows, ids):
        self.replicas.append(rows.copy())
        self.ids.append(ids.copy())

    def all_requests(self):
        return np.concatenate([np.empty(0, REQUEST_DTYPE), *self.requests])

    def replicas_by_id(self):
        ids = np.concatenate([np.empty(0, np.int64), *self.ids])
        rows = np.concatenate([np.empty(0, REPLICA_DTYPE), *self.replicas])
        return rows[np.argsort(ids)]


def streamed(case, *, chunk_size, setups_at_a_time):
    """Run a case through ``PoolRun``, its rows not kept; return it and what was told."""
    settings = dict(case.settings)
    firsts = settings.pop("first_service_time_s", None)
    arrival_s = np.array(case.arrival_s, dtype=np.float64)
    service_s = np.array(case.service_time_s, dtype=np.float64)
    pattern = np.array(case.setup_pattern_s, dtype=np.float64)
    told = Collected()

    def draw(launches):
        return Setups(pattern[np.arange(launches, launches + setups_at_a_time) % 5])

    run = PoolRun(settings_of(**settings), draw, told)
    for begin in range(0, arrival_s.size, chunk_size):
        chunk = slice(begin, begin + chunk_size)
        run.feed(
            arrival_s[chunk],
            service_s[chunk],
            None if firsts is None else firsts[chunk],
        )
    run.finish()
    return run, told


def in_one_order(requests):
    """Sort rows by what they say, since those of a stream come as they are settled."""
    rows = requests.copy()
    rows["launched"] = 0  # known only where rows are kept by id
    # Told in a stream only.
    rows["departure_s"][rows["outcome"] != Outcome.SERVED] = np.nan
    return np.sort(rows, order=rows.dtype.names)


def same(some, others):
    return some.tobytes() == others.tobytes()


def cases(n, longest=20):
    return [random_case(SEED, number, longest) for number in range(n)]


@pytest.mark.parametrize("chunk_size", [1, 2, 7])
def test_a_chunked_run_is_the_bits_of_a_whole_one(chunk_size):
    different = []
    for number, case in enumerate(cases(N_CASES // 2)):
        whole = case.run(costsim.simulate_pool)
        chunked = case.run(costsim.simulate_pool, chunk_size=chunk_size)
        if (
            whole.requests.tobytes() != chunked.requests.tobytes()
            or whole.replicas.tobytes() != chunked.replicas.tobytes()
            or (whole.end_s, whole.launches) != (chunked.end_s, chunked.launches)
        ):
            different.append(number)

    assert different == []


def test_a_run_without_room_is_the_bits_of_one_with_plenty(monkeypatch):
    roomy = [case.run(costsim.simulate_pool) for case in cases(N_CASES // 2, 40)]

    monkeypatch.setattr(stream, "_FIRST_SLOTS", 1)
    monkeypatch.setattr(stream, "_FIRST_PLACES", 1)
    cramped = [case.run(costsim.simulate_pool) for case in cases(N_CASES // 2, 40)]

    assert [pool.requests.tobytes() for pool in cramped] == [
        pool.requests.tobytes() for pool in roomy
    ]
    assert [pool.replicas.tobytes() for pool in cramped] == [
        pool.replicas.tobytes() for pool in roomy
    ]


@pytest.mark.parametrize(("chunk_size", "setups"), [(1, 1), (5, 3), (1000, 1000)])
def test_a_stream_tells_of_every_request_and_replica_once(
    monkeypatch, chunk_size, setups
):
    monkeypatch.setattr(stream, "ROWS", 4)
    monkeypatch.setattr(stream, "_FIRST_SLOTS", 1)
    different = []
    for number, case in enumerate(cases(N_CASES // 4)):
        kept = case.run(costsim.simulate_pool)
        run, told = streamed(case, chunk_size=chunk_size, setups_at_a_time=setups)
        if not (
            same(in_one_order(told.all_requests()), in_one_order(kept.requests))
            and told.replicas_by_id().tobytes() == kept.replicas.tobytes()
            and (run.end_s, run.launches) == (kept.end_s, kept.launches)
        ):
            different.append(number)

    assert different == []


def test_a_stream_holds_no_more_than_what_is_in_the_pool():
    rng = np.random.default_rng(SEED)
    settings = settings_of(max_replicas=20, idle_timeout_s=1.0)
    told = Collected()
    run = PoolRun(settings, lambda _: Setups(np.full(100, 0.5)), told)
    rooms = []
    for chunk in range(40):
        run.feed(chunk * 500 + np.sort(rng.random(5_000)) * 500, rng.random(5_000))
        rooms.append(sum(part.nbytes for part in run.arrays))
    run.finish()

    assert run.arrived == 200_000
    assert run.launches > 10_000
    assert rooms[-1] == rooms[0]


def test_the_peak_is_the_most_present_at_once():
    setups_s = np.full(10, 1.0)
    settings = settings_of(idle_timeout_s=2.0)
    run = PoolRun(settings, lambda n: Setups(setups_s) if n == 0 else None, Collected())

    run.feed(np.array([0.0, 0.5, 0.6, 30.0]), np.ones(4))
    run.finish()

    assert run.peak_replicas == 3
