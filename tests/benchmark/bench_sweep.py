"""A sweep of 50,000 requests a point: one process, all cores, and a cluster on loopback.

Run as ``python tests/benchmark/bench_sweep.py [POINTS [ROUNDS]]``: 2,000 points, if nothing
is said. Ratios are of medians over rounds, each of which runs all places in turn.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from costsim.study.executor import Workers, usable_cores
from costsim.study.sweep.sweep import sweep

_SCENARIO = """\
name: fifty thousand
seed: 1
horizon: 24h
replications: 1
traffic:
  streams:
    - {rate: 50k/day}
service: {time: {distribution: lognormal, median: 1s, sigma: 0.6}}
setup: 12s
deployments:
  - name: at zero
    platform: modal
    gpu: L4
    resources: {cpu: 1, memory: 16 GiB}
  - name: always on
    platform: ec2
    instance: g6.xlarge
    settings: {instances: 2}
"""
_KEY = "deployments.at zero.settings.scaledown_window"


def main(points: int = 2000, rounds: int = 3) -> None:
    """Print how long a sweep takes in each place."""
    cores = usable_cores()
    with tempfile.TemporaryDirectory() as name, _cluster(cores) as address:
        scenario = Path(name) / "scenario.yaml"
        scenario.write_text(_SCENARIO)
        places = {
            "1 process": Workers(1, processes=True),
            f"{cores} processes": Workers(cores, processes=True),
            f"Dask, {cores} workers": Workers(cluster=address),
        }
        for workers in places.values():
            _seconds(scenario, 20, workers)
        taken: dict[str, list[float]] = {place: [] for place in places}
        for _ in range(rounds):
            for place, workers in places.items():
                taken[place].append(_seconds(scenario, points, workers))
    medians = [statistics.median(seconds) for seconds in taken.values()]
    for place, seconds in taken.items():
        print(f"{place:18} {statistics.median(seconds):6.1f} s  {sorted(seconds)}")
    alone, together, dask = medians
    print(f"{points} points; efficiency {alone / cores / together:.2f}")
    print(f"Dask over processes {dask / together - 1:+.0%}")


def _seconds(scenario: Path, points: int, workers: Workers) -> float:
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as out:
        vary = {_KEY: [f"{2 + 0.5 * i}s" for i in range(points)]}
        sweep(scenario, vary, out=out, workers=workers)
    return round(time.perf_counter() - begin, 2)


class _cluster:  # noqa: N801 - a context manager
    def __init__(self, n: int) -> None:
        self._n = n

    def __enter__(self) -> str:
        from distributed import LocalCluster

        self._cluster = LocalCluster(
            n_workers=self._n, threads_per_worker=1, dashboard_address=None
        )
        return str(self._cluster.scheduler_address)

    def __exit__(self, *_: object) -> None:
        self._cluster.close()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
