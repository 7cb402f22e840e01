"""How fast traffic is made, as a ratio to NumPy doing the nearest thing on this machine.

Run as ``python tests/benchmark/bench_traffic.py``. Sorted uniforms are the textbook's way
to Poisson arrivals; the ratio says how many times as fast the package is. Ratios travel
between machines, rates do not. Nothing here is asserted.
"""

import sys
import time

import numpy as np

from costsim.traffic import arrivals
from costsim.traffic.rates import RateFunction
from costsim.traffic.streams import stream_rng

N = 10_000_000
REPEATS = 5


def seconds(make):
    """Return the shortest of several times, and the length of what was made."""
    best = float("inf")
    for _ in range(REPEATS):
        begin = time.perf_counter()
        n = len(make())
        best = min(best, time.perf_counter() - begin)
    return best / n


def profiles():
    hours = np.linspace(0.0, N / 2000, 14 * 24 + 1)
    weights = 1.0 + np.sin(np.arange(14 * 24) * 2 * np.pi / 24)
    expected = np.concatenate([[0.0], np.cumsum(weights * N / weights.sum())])
    constant = RateFunction(np.array([0.0, N / 2000]), np.array([0.0, float(N)]))
    return constant, RateFunction(hours, expected)


def main():
    rng = stream_rng(1, 0, "arrivals")
    constant, hourly = profiles()
    sort = seconds(lambda: np.sort(rng.random(N)))
    cases = {
        "poisson, constant": (lambda: arrivals.poisson(constant, rng), sort),
        "poisson, hourly": (lambda: arrivals.poisson(hourly, rng), sort),
    }
    for shape in (0.5, 2.0):
        reference = seconds(lambda shape=shape: rng.standard_gamma(shape, N))
        cases[f"gamma {shape}, constant"] = (
            lambda shape=shape: arrivals.gamma(constant, shape, rng),
            reference,
        )
    rows = [f"{'random + sort':24} {1e-6 / sort:6.1f} M/s"]
    for name, (make, reference) in cases.items():
        took = seconds(make)
        of = "random + sort" if reference is sort else "standard_gamma"
        rows.append(f"{name:24} {1e-6 / took:6.1f} M/s  {reference / took:5.2f} x {of}")
    sys.stdout.write("\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
