"""How fast the engine is, beside the same loop in C and beside SimPy.

Run as ``python tests/benchmark/bench_engine.py``. One pool on demand, one slot a replica,
in its steady state: Poisson arrivals, exponential service times, enough initial replicas.
The C is ``pool.c``, built here with ``cc -O3 -march=native``; its records must be the
engine's, bit for bit, before anything is timed. SimPy runs a few thousand requests of the
same traffic and must make the same launches. Either is left out, and said so, where there
is no C compiler or no SimPy. Times are CPU times of this process, the shortest of several
rounds that alternate between the two. Nothing is asserted of the times.
"""

from __future__ import annotations

import ctypes
import functools
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
N_REQUESTS_SIMPY = 20_000
ROUNDS = 7
MEAN_SERVICE_S = 0.5
SETUP_S = 8.0
IDLE_TIMEOUT_S = 60.0


class Traffic(NamedTuple):
    arrival_s: np.ndarray
    service_time_s: np.ndarray
    setup_time_s: np.ndarray
    initial_replicas: int

    def first(self, n):
        return self._replace(
            arrival_s=self.arrival_s[:n], service_time_s=self.service_time_s[:n]
        )


class Pool(NamedTuple):
    requests: np.ndarray
    replicas: np.ndarray
    end_s: float


def steady_traffic(busy):
    rng = np.random.default_rng(busy)
    return Traffic(
        np.cumsum(rng.exponential(MEAN_SERVICE_S / busy, N_REQUESTS)),
        rng.exponential(MEAN_SERVICE_S, N_REQUESTS),
        np.full(N_REQUESTS // 10, SETUP_S),
        # Six standard deviations above the mean of a Poisson distribution.
        initial_replicas=int(busy + 6 * busy**0.5) + 1,
    )


def costsim_pool(traffic):
    return costsim.simulate_pool(
        traffic.arrival_s,
        traffic.service_time_s,
        traffic.setup_time_s,
        idle_timeout_s=IDLE_TIMEOUT_S,
        initial_replicas=traffic.initial_replicas,
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
        IDLE_TIMEOUT_S,
        room,  # max replicas: never reached
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
            if len(self.queue) > self.starting:
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
            yield wake | self.env.timeout(IDLE_TIMEOUT_S)
            if not wake.triggered:
                self.idle.remove(wake)
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


def c_columns(simulate, traffic):
    """Return requests/s of costsim and of C, and their ratio."""
    engine = functools.partial(costsim_pool, traffic)
    if simulate is None:
        return (
            f"{N_REQUESTS / shortest(ROUNDS, engine)[0] / 1e6:12.2f}{'-':>12}{'-':>8}"
        )
    in_c = functools.partial(c_pool, simulate, traffic)
    check_c(engine(), in_c())
    engine_s, c_s = shortest(ROUNDS, engine, in_c)
    engine_rate, c_rate = N_REQUESTS / engine_s / 1e6, N_REQUESTS / c_s / 1e6
    return f"{engine_rate:12.2f}{c_rate:12.2f}{engine_rate / c_rate:8.2f}"


def simpy_column(simpy, traffic):
    """Return how many times as fast as SimPy costsim is on the first requests."""
    if simpy is None:
        return f"{'-':>14}"
    short = traffic.first(N_REQUESTS_SIMPY)
    check_simpy(costsim_pool(short), simpy_pool(simpy, short))
    engine_s, simpy_s = shortest(
        2,
        functools.partial(costsim_pool, short),
        functools.partial(simpy_pool, simpy, short),
    )
    return f"{simpy_s / engine_s:12.0f} x"


def installed_simpy():
    try:
        import simpy
    except ImportError:
        return None
    return simpy


def main():
    simpy = installed_simpy()
    print(f"{platform.machine()}, Python {platform.python_version()}; {ROUNDS} rounds")
    compile_s = cpu_s(lambda: costsim.simulate_pool([0.0], [1.0], [1.0]))
    print(f"first call, the engine compiled or loaded: {compile_s:.1f} s of CPU")
    if simpy is None:
        print("SimPy is not installed: its column is left out")
    with tempfile.TemporaryDirectory() as folder:
        simulate = c_library(folder)
        if simulate is None:
            print("no C compiler: its columns are left out")
        print("                requests/s of one core, in millions")
        print("busy replicas     costsim           C   ratio   to SimPy")
        for busy in BUSY_REPLICAS:
            traffic = steady_traffic(busy)
            row = c_columns(simulate, traffic) + simpy_column(simpy, traffic)
            print(f"{busy:13d}{row}", flush=True)


if __name__ == "__main__":
    main()
