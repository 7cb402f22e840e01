"""How time and memory grow with the number of requests, from 10^5 to 10^9.

Run as ``python tests/benchmark/bench_growth.py [LARGEST]``; the largest, 1e9 if left out,
takes minutes. Every size is a ``costsim run`` of its own process: 386 requests a second
for as long as it takes (30 days for a billion), lognormal service, on Modal and on Baseten
at once, one replication. Times are those of the process, its start included; memory is
its largest resident set. The ratio is the CPU time of a request to that of sorting one
random number with NumPy on this machine, measured just before.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

RATE_PER_S = 386
SIZES = (10**5, 10**6, 10**7, 10**8, 10**9)
N_SORTED = 4_000_000

SCENARIO = """
name: growth
seed: 1
horizon: {horizon_s:.0f}s
replications: 1
traffic:
  streams:
    - {{name: users, rate: {rate}/s}}
service:
  time: {{distribution: lognormal, median: 80ms, sigma: 0.5}}
setup: {{distribution: lognormal, median: 8s, sigma: 0.3}}
deployments:
  - name: modal
    platform: modal
    plan: team
    gpu: L4
    resources: {{cpu: 1, memory: 16 GiB}}
    settings: {{scaledown_window: 60s, max_containers: 50}}
  - name: baseten
    platform: baseten
    instance: "L4:4x16"
    settings: {{min_replica: 0, max_replica: 100, scale_down_delay: 900s}}
"""


def run_of(n_requests, folder):
    """Run one size; return its result, wall-clock and CPU time [s], and memory [MB]."""
    scenario = Path(folder) / "growth.yaml"
    scenario.write_text(
        SCENARIO.format(horizon_s=n_requests / RATE_PER_S, rate=RATE_PER_S)
    )
    answer = Path(folder) / "answer.json"
    command = [sys.executable, "-m", "costsim", "run", scenario, "--format", "json"]
    begin = time.perf_counter()
    with answer.open("wb") as stdout:
        process = subprocess.Popen([*command, "--quiet"], stdout=stdout)
    _, status, used = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - begin
    if status != 0:
        sys.exit(f"costsim run failed with {n_requests:,} requests")
    # Linux counts in KiB, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    memory_mb = used.ru_maxrss * unit / 1e6
    return (
        json.loads(answer.read_text()),
        wall_s,
        used.ru_utime + used.ru_stime,
        memory_mb,
    )


def sort_s():
    """Return the CPU time that NumPy takes to sort one number among millions. [s]"""
    numbers = np.random.default_rng(1).random(N_SORTED)
    begin = time.process_time()
    np.sort(numbers)
    return (time.process_time() - begin) / N_SORTED


def main():
    largest = float(sys.argv[1]) if len(sys.argv) > 1 else SIZES[-1]
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    )
    print(
        "      requests   simulated     wall      CPU  simulated/s  resident  CPU time"
    )
    print(
        "                                 s        s    of a core        MB  / sorting"
    )
    with tempfile.TemporaryDirectory() as folder:
        run_of(1000, folder)  # the engine is compiled, if it was not
        for n in (size for size in SIZES if size <= largest):
            one_s = sort_s()
            result, wall_s, cpu_s, memory_mb = run_of(n, folder)
            simulated = sum(row["requests"] for row in result["deployments"])
            print(
                f"{n:14,.0f}{simulated:12.3g}{wall_s:9.1f}{cpu_s:9.1f}"
                f"{simulated / cpu_s / 1e6:11.2f} M{memory_mb:10.0f}"
                f"{cpu_s / simulated / one_s:10.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
