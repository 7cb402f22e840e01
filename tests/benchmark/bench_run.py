"""How long a whole answer takes: a month of 50,000 requests a day, four deployments.

Run it with ``python tests/benchmark/bench_run.py``. It prints the wall-clock and CPU time
of ``costsim.run`` on ``scenarios/50k-per-day.yaml`` (ten replications, about 15 million
requests through each of four pools), and how many requests a second of one core that is
as a ratio to sorting as many random numbers with NumPy in the same process.
"""

from __future__ import annotations

import platform
import time
from pathlib import Path

import numpy as np

import costsim
from costsim.study.executor import usable_cores

_SCENARIO = Path(__file__).parents[2] / "scenarios" / "50k-per-day.yaml"
_ROUNDS = 3


def _timed(work):
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    value = work()
    return value, time.perf_counter() - wall_s, time.process_time() - cpu_s


def _sort_once(n: int) -> np.ndarray:
    return np.sort(np.random.default_rng(1).random(n))


def main() -> None:
    scenario = costsim.load_scenario(_SCENARIO)
    print(
        f"{platform.machine()}, {usable_cores()} cores, Python {platform.python_version()}"
    )
    _, first_s, _ = _timed(lambda: costsim.run(scenario))
    print(f"first run, the engine compiled or loaded: {first_s:.1f} s")
    for _ in range(_ROUNDS):
        result, wall_s, cpu_s = _timed(lambda: costsim.run(scenario))
        simulated = sum(row.requests * row.replications for row in result.rows)
        _, _, sort_s = _timed(lambda: _sort_once(4_000_000))
        ratio = (cpu_s / simulated) / (sort_s / 4_000_000)
        print(
            f"{simulated / 1e6:.1f} M requests in {wall_s:.2f} s, {cpu_s:.2f} s of CPU: "
            f"{simulated / cpu_s / 1e6:.1f} M/s a core, {ratio:.1f} x numpy's sort a value"
        )


if __name__ == "__main__":
    main()
