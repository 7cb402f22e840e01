"""How fast traffic is made, in chunks, and in how much memory.

Run as ``python tests/benchmark/bench_traffic.py``. Each row is a whole replication, its
arrivals and its service times, read chunk by chunk and dropped, as nanoseconds of this
process for one request. Beside it stands how many times as long NumPy takes for the
nearest thing: sorting uniform numbers, the textbook's way to Poisson arrivals, or its
own gamma or Weibull numbers, with the service times drawn as well. Ratios travel between machines,
rates do not. Memory is what the process has resident, at its peak. Nothing is asserted.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

import numpy as np

from costsim.traffic.source import arrival_chunks
from costsim.traffic.streams import stream_rng

sys.path.append(str(Path(__file__).parents[1]))
from traffic_scenario import scenario_with

N = 10_000_000
N_FOR_MEMORY = 100_000_000
REPEATS = 5
RATE = "400/s"
HOURLY = {"hour_of_day": (1.0 + np.sin(np.arange(24) * 2 * np.pi / 24)).tolist()}
BURSTS = {
    "process": "mmpp",
    "states": [
        {"rate": "1/s", "mean_sojourn": "5m"},
        {"rate": "10/s", "mean_sojourn": "30s"},
    ],
}
SESSIONS = {
    "process": "sessions",
    "requests_per_session": 4.5,
    "think_time": {
        "distribution": "lognormal",
        "median": "70s",
        "sigma": 1.0,
        "max": "30m",
    },
}
HAWKES = {"process": "hawkes", "decay_time": "29s"}
ON_OFF = {
    "process": "onoff",
    "on_time": {"distribution": "lognormal", "median": "4s", "sigma": 1.0},
    "off_time": {"distribution": "lognormal", "median": "8s", "sigma": 1.4},
}
NOISE = {"sigma": 0.6, "correlation_time": "2h"}
EXPONENTIAL = {"distribution": "exponential", "mean": "2s"}
LOGNORMAL = {"distribution": "lognormal", "median": "2s", "sigma": 0.5}
MEASURED = {
    "distribution": "empirical",
    "values": [f"{i}ms" for i in range(200, 1200, 2)],
}


def gamma(burstiness):
    return {"process": "gamma", "burstiness": burstiness}


def streams(n):
    return [{"name": f"stream {i}", "rate": f"{400 / n}/s"} for i in range(n)]


CASES = {
    "poisson, constant; exponential": ([{"rate": RATE}], EXPONENTIAL),
    "poisson, constant; lognormal": ([{"rate": RATE}], LOGNORMAL),
    "poisson, constant; 500 measured": ([{"rate": RATE}], MEASURED),
    "poisson, hourly; lognormal": ([{"rate": RATE, "seasonal": HOURLY}], LOGNORMAL),
    "gamma 0.5; exponential": ([{"rate": RATE, "arrivals": gamma(0.5)}], EXPONENTIAL),
    "gamma 2; exponential": ([{"rate": RATE, "arrivals": gamma(2.0)}], EXPONENTIAL),
    "mmpp; exponential": ([{"rate": RATE, "arrivals": BURSTS}], EXPONENTIAL),
    "weibull 0.45; exponential": (
        [{"rate": RATE, "arrivals": {"process": "weibull", "shape": 0.45}}],
        EXPONENTIAL,
    ),
    "sessions; exponential": ([{"rate": RATE, "arrivals": SESSIONS}], EXPONENTIAL),
    "hawkes; exponential": (
        [{"rate": RATE, "arrivals": {**HAWKES, "branching": 0.68}}],
        EXPONENTIAL,
    ),
    "onoff; exponential": ([{"rate": RATE, "arrivals": ON_OFF}], EXPONENTIAL),
    "poisson, noise; exponential": ([{"rate": RATE, "noise": NOISE}], EXPONENTIAL),
    "sessions, noise; exponential": (
        [{"rate": RATE, "noise": NOISE, "arrivals": SESSIONS}],
        EXPONENTIAL,
    ),
    "2 streams; exponential": (streams(2), EXPONENTIAL),
    "8 streams; exponential": (streams(8), EXPONENTIAL),
}
"""Streams and service times."""


def replication(case, n):
    traffic, service = CASES[case]
    return scenario_with(
        {"streams": traffic}, horizon=f"{n / 400:g}s", service={"time": service}
    )


def read(scenario):
    """Read a replication and return how many requests it has."""
    return sum(len(chunk.arrival_s) for chunk in arrival_chunks(scenario, 0))


def ns_each(make):
    """Return the shortest of several times of making something, by its length. [ns]"""
    best = float("inf")
    for _ in range(REPEATS):
        begin = time.process_time()
        n = make()
        best = min(best, (time.process_time() - begin) / n)
    return 1e9 * best


def numpy_ns(case, rng):
    """Return how long NumPy takes for the nearest thing. [ns]"""

    def make():
        if "gamma" in case:
            np.cumsum(rng.standard_gamma(0.5 if "0.5" in case else 2.0, N))
        elif "weibull" in case:
            np.cumsum(rng.weibull(0.45, N))
        else:
            np.sort(rng.random(N))
        if "lognormal" in case:
            rng.lognormal(0.0, 0.5, N)
        elif "measured" in case:
            np.searchsorted(np.arange(500) / 500, rng.random(N))
        else:
            rng.standard_exponential(N)
        return N

    return ns_each(make)


def resident_mb():
    """Return the most memory that this process has had. [MB]"""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def main():
    read(replication("8 streams; exponential", 1000))  # what is loaded in any case
    before = resident_mb()
    for case in ("poisson, hourly; lognormal", "8 streams; exponential"):
        n = read(replication(case, N_FOR_MEMORY))
        print(f"{case:32} {n:,} requests: {resident_mb() - before:+.1f} MB")
    print(f"{'the process':32} {resident_mb():.0f} MB resident at its peak\n")
    rng = stream_rng(1, 0, "arrivals")
    for case in CASES:
        scenario = replication(case, N)
        ours = ns_each(lambda scenario=scenario: read(scenario))
        ratio = numpy_ns(case, rng) / ours
        print(f"{case:32} {ours:5.1f} ns {1e3 / ours:6.1f} M/s {ratio:5.1f} x NumPy")


if __name__ == "__main__":
    main()
