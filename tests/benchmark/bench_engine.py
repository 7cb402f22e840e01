"""How fast the engine is, beside the same loop in C, beside SimPy and beside Ciw.

Run as ``python tests/benchmark/bench_engine.py``. Pools on demand, one slot a replica:

* ``light``: 0.9 requests/s of 1.99 s, exponential, idle timeout 600 s, from zero.
* ``heavier``: 50 requests/s of 0.5 s, lognormal, setup 8 s, idle timeout 60 s, at most 200
  replicas, from zero.
* so many busy replicas on average, in their steady state, with enough initial replicas.

The C is ``pool.c``, built here with ``cc -O3 -march=native``; its records must be the
engine's, bit for bit, before anything is timed. Without records the engine measures
response times (a histogram of them) instead. SimPy runs a few thousand requests of the
same traffic and must make the same launches. Ciw, which has no autoscaler, runs a fixed
pool of as many replicas, and must give the same starts. Each is left out, and said so,
where it is not installed. Times are CPU times of this process, the shortest of several
rounds that take turns. Nothing is asserted of the times.
"""

from __future__ import annotations

import ctypes
import functools
import importlib
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections import deque
from pathlib import Path
from typing import NamedTuple

import numpy as np

import costsim
from costsim.records import REPLICA_DTYPE, REQUEST_DTYPE

BUSY_REPLICAS = (2, 50, 500, 5000)
N_REQUESTS = 2_000_000
N_WITHOUT_RECORDS = 10_000_000
N_SHORT = 20_000
ROUNDS = 7
MEAN_SERVICE_S = 0.5
SETUP_S = 8.0
UNLIMITED = 1 << 40


class Traffic(NamedTuple):
    arrival_s: np.ndarray
    service_time_s: np.ndarray
    setup_time_s: np.ndarray
    initial_replicas: int = 0
    idle_timeout_s: float = 60.0
    max_replicas: int = UNLIMITED

    def first(self, n):
        return self._replace(
            arrival_s=self.arrival_s[:n], service_time_s=self.service_time_s[:n]
        )


def light_traffic(n):
    rng = np.random.default_rng(1)
    return Traffic(
        np.cumsum(rng.exponential(1 / 0.9, n)),
        rng.exponential(1.99, n),
        np.full(n // 4, SETUP_S),
        idle_timeout_s=600.0,
    )


def heavier_traffic(n):
    rng = np.random.default_rng(2)
    return Traffic(
        np.cumsum(rng.exponential(1 / 50, n)),
        rng.lognormal(np.log(0.5) - 0.5 * 0.6**2, 0.6, n),
        np.full(n // 4, SETUP_S),
        max_replicas=200,
    )


class Pool(NamedTuple):
    requests: np.ndarray
    replicas: np.ndarray
    end_s: float


def steady_traffic(n, busy):
    rng = np.random.default_rng(busy)
    return Traffic(
        np.cumsum(rng.exponential(MEAN_SERVICE_S / busy, n)),
        rng.exponential(MEAN_SERVICE_S, n),
        np.full(n // 10, SETUP_S),
        # Six standard deviations above the mean of a Poisson distribution.
        initial_replicas=int(busy + 6 * busy**0.5) + 1,
    )


LOADS = {
    "light": light_traffic,
    "heavier": heavier_traffic,
    **{
        f"{busy:,} busy": functools.partial(steady_traffic, busy=busy)
        for busy in BUSY_REPLICAS
    },
}


def costsim_pool(traffic, *, records=True):
    return costsim.simulate_pool(
        traffic.arrival_s,
        traffic.service_time_s,
        traffic.setup_time_s,
        idle_timeout_s=traffic.idle_timeout_s,
        max_replicas=traffic.max_replicas,
        initial_replicas=traffic.initial_replicas,
        records=records,
    )


def fixed_pool(traffic, replicas):
    return costsim.simulate_pool(
        traffic.arrival_s,
        traffic.service_time_s,
        [],
        autoscaler="fixed",
        min_replicas=replicas,
        max_replicas=replicas,
    )


def c_library(folder):
    """Return pool.c's function, or None where there is no C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        return None
    source = Path(__file__).with_name("pool.c")
    library = Path(folder) / "pool.so"
    flags = ["-std=c11", "-O3", "-march=native", "-shared", "-fPIC"]
    subprocess.run([compiler, *flags, "-o", library, source, "-lm"], check=True)
    simulate = ctypes.CDLL(str(library)).simulate
    pointer, count, seconds = ctypes.c_void_p, ctypes.c_int64, ctypes.c_double
    simulate.argtypes = [
        *(pointer, pointer, count),
        *(pointer, count, seconds),
        *(count, count),
        *(pointer, pointer, pointer),
    ]
    simulate.restype = count
    return simulate


def c_pool(simulate, traffic):
    room = traffic.initial_replicas + traffic.setup_time_s.size
    requests = np.empty(traffic.arrival_s.size, dtype=REQUEST_DTYPE)
    replicas = np.empty(room, dtype=REPLICA_DTYPE)
    end_s = ctypes.c_double()
    n_replicas = simulate(
        traffic.arrival_s.ctypes.data,
        traffic.service_time_s.ctypes.data,
        traffic.arrival_s.size,
        traffic.setup_time_s.ctypes.data,
        traffic.setup_time_s.size,
        traffic.idle_timeout_s,
        traffic.max_replicas,
        traffic.initial_replicas,
        requests.ctypes.data,
        replicas.ctypes.data,
        ctypes.byref(end_s),
    )
    if n_replicas < 0:
        sys.exit("pool.c ran out of setup times or memory")
    return Pool(requests, replicas[:n_replicas].copy(), end_s.value)


class SimPyPool:
    """The same pool as a SimPy user would write it: a process for each replica."""

    def __init__(self, simpy, traffic):
        self.env = simpy.Environment()
        self.traffic = traffic
        self.queue = deque()
        self.idle = []
        self.start_s = np.full(traffic.arrival_s.size, np.nan)
        self.launches = 0
        self.starting = 0
        self.alive = traffic.initial_replicas
        for _ in range(traffic.initial_replicas):
            self.env.process(self.replica())
        self.env.process(self.arrivals())

    def arrivals(self):
        for request, arrival_s in enumerate(self.traffic.arrival_s.tolist()):
            yield self.env.timeout(arrival_s - self.env.now)
            if self.idle:
                self.idle.pop().succeed(request)
                continue
            self.queue.append(request)
            if (
                len(self.queue) > self.starting
                and self.alive < self.traffic.max_replicas
            ):
                self.alive += 1
                self.env.process(self.launch())

    def launch(self):
        setup_s = self.traffic.setup_time_s[self.launches]
        self.launches += 1
        self.starting += 1
        yield self.env.timeout(setup_s)
        self.starting -= 1
        yield from self.replica()

    def replica(self):
        while True:
            while self.queue:
                yield from self.serve(self.queue.popleft())
            wake = self.env.event()
            self.idle.append(wake)
            yield wake | self.env.timeout(self.traffic.idle_timeout_s)
            if not wake.triggered:
                self.idle.remove(wake)
                self.alive -= 1
                return
            yield from self.serve(wake.value)

    def serve(self, request):
        self.start_s[request] = self.env.now
        yield self.env.timeout(self.traffic.service_time_s[request])


def simpy_pool(simpy, traffic):
    pool = SimPyPool(simpy, traffic)
    pool.env.run()
    return pool


def cpu_s(work):
    begin = time.process_time()
    work()
    return time.process_time() - begin


def shortest(rounds, *works):
    """Return the shortest CPU time of each work, taking turns. [s]"""
    times = [[cpu_s(work) for work in works] for _ in range(rounds)]
    return np.min(times, axis=0)


def require(same, what):
    if not same:
        sys.exit(f"not the same pool: {what} differs, so there is nothing to compare")


def check_c(pool, in_c):
    require(pool.requests.tobytes() == in_c.requests.tobytes(), "a request in C")
    require(pool.replicas.tobytes() == in_c.replicas.tobytes(), "a replica in C")
    require(pool.end_s == in_c.end_s, "the end in C")


def check_simpy(pool, in_simpy):
    require(pool.launches == in_simpy.launches, "the number of launches in SimPy")
    # Its clock adds up gaps, so the last digits are not ours.
    starts = np.allclose(pool.requests["start_s"], in_simpy.start_s, rtol=1e-9, atol=0)
    require(starts, "a start in SimPy")


def ciw_pool(ciw, traffic, replicas):
    """Return the starts of a fixed pool in Ciw, in the order of arrival. [s]"""
    gaps_s = np.diff(traffic.arrival_s, prepend=0.0).tolist()
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Sequential([*gaps_s, float("inf")])],
        service_distributions=[ciw.dists.Sequential(traffic.service_time_s.tolist())],
        number_of_servers=[replicas],
    )
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_customers(len(gaps_s), method="Finish")
    records = sorted(simulation.get_all_records(), key=lambda one: one.arrival_date)
    return np.array([one.service_start_date for one in records])


def check_ciw(pool, starts_s):
    starts = np.allclose(pool.requests["start_s"], starts_s, rtol=1e-9, atol=1e-9)
    require(starts, "a start in Ciw")


def rate(n, seconds):
    """Return millions of requests per second."""
    return n / seconds / 1e6


def records_columns(simulate, traffic):
    """Return M requests/s of costsim and of C, both with records, and their ratio."""
    n = traffic.arrival_s.size
    engine = functools.partial(costsim_pool, traffic)
    if simulate is None:
        return f"{rate(n, shortest(ROUNDS, engine)[0]):9.2f}{'-':>9}{'-':>7}"
    in_c = functools.partial(c_pool, simulate, traffic)
    check_c(engine(), in_c())
    engine_s, c_s = shortest(ROUNDS, engine, in_c)
    return f"{rate(n, engine_s):9.2f}{rate(n, c_s):9.2f}{c_s / engine_s:7.2f}"


def measures_column(traffic):
    """Return M requests/s of costsim without records."""
    engine = functools.partial(costsim_pool, traffic, records=False)
    return f"{rate(traffic.arrival_s.size, shortest(3, engine)[0]):9.2f}"


def simpy_column(simpy, traffic):
    """Return how many times as fast as SimPy costsim is on the first requests."""
    if simpy is None:
        return f"{'-':>8}"
    check_simpy(costsim_pool(traffic), simpy_pool(simpy, traffic))
    engine = functools.partial(costsim_pool, traffic)
    engine_s, simpy_s = shortest(3, engine, lambda: simpy_pool(simpy, traffic))
    return f"{simpy_s / engine_s:7.0f}x"


def ciw_column(ciw, traffic):
    """Return how many times as fast as Ciw costsim is on a fixed pool."""
    if ciw is None:
        return f"{'-':>8}"
    busy = traffic.service_time_s.sum() / traffic.arrival_s[-1]
    replicas = int(busy + 2 * busy**0.5) + 1
    check_ciw(fixed_pool(traffic, replicas), ciw_pool(ciw, traffic, replicas))
    engine = functools.partial(fixed_pool, traffic, replicas)
    engine_s, ciw_s = shortest(2, engine, lambda: ciw_pool(ciw, traffic, replicas))
    return f"{ciw_s / engine_s:7.0f}x"


def installed(name):
    try:
        return importlib.import_module(name)
    except ImportError:
        print(f"{name} is not installed: its column is left out")
        return None


def main():
    print(f"{platform.machine()}, Python {platform.python_version()}; {ROUNDS} rounds")
    compile_s = cpu_s(lambda: costsim.simulate_pool([0.0], [1.0], [1.0]))
    print(f"first call, the engine compiled or loaded: {compile_s:.1f} s of CPU")
    simpy, ciw = installed("simpy"), installed("ciw")
    with tempfile.TemporaryDirectory() as folder:
        simulate = c_library(folder)
        if simulate is None:
            print("no C compiler: its columns are left out")
        print("            M requests/s of one core      no records   times as fast as")
        print("load          costsim        C  ratio  10 M requests    SimPy     Ciw")
        for name, load in LOADS.items():
            short = load(N_REQUESTS).first(N_SHORT)
            print(
                f"{name:12}"
                + records_columns(simulate, load(N_REQUESTS))
                + f"{measures_column(load(N_WITHOUT_RECORDS)):>15}"
                + f" {simpy_column(simpy, short)}{ciw_column(ciw, short)}",
                flush=True,
            )


if __name__ == "__main__":
    main()
