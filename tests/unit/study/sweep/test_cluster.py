"""A real scheduler and two workers on loopback: the same bytes, though one is killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

import pytest
from sweeps import VARY, contents, sweep_alone, write_scenario
from vanishing import process_of

from costsim.errors import InputError, SimulationError
from costsim.study import cluster
from costsim.study.executor import Workers, map_tasks
from costsim.study.sweep.sweep import sweep

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest.importorskip("distributed", reason="needs pip install 'costsim[cluster]'")

_PATIENCE_S = 120


class _Cluster:
    """A scheduler and its workers, each a process of its own."""

    def __init__(self, n_workers: int) -> None:
        self._port = _free_port()
        self.address = f"tcp://127.0.0.1:{self._port}"
        self._scheduler = _started(
            "distributed.cli.dask_scheduler",
            *("--host", "127.0.0.1", "--port", str(self._port), "--no-dashboard"),
        )
        self.workers = [
            _started(
                "distributed.cli.dask_worker",
                *(self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard"),
                *("--local-directory", tempfile.gettempdir()),
            )
            for _ in range(n_workers)
        ]
        self._wait_for(n_workers)

    def close(self) -> None:
        for process in (*self.workers, self._scheduler):
            process.kill()
            process.wait(_PATIENCE_S)

    def _wait_for(self, n_workers: int) -> None:
        from distributed import Client

        with Client(self.address, timeout=_PATIENCE_S, set_as_default=False) as client:
            if n_workers:
                client.wait_for_workers(n_workers, timeout=_PATIENCE_S)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _started(module: str, *arguments: str) -> subprocess.Popen[bytes]:
    folder = os.path.dirname(__file__)  # noqa: PTH120 - workers import tests as we do
    path = os.pathsep.join([os.path.abspath(f"{folder}/../../.."), *sys.path])  # noqa: PTH100
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.fixture(scope="module")
def shared_cluster() -> Iterator[_Cluster]:
    one = _Cluster(2)
    yield one
    one.close()


@pytest.fixture
def own_cluster() -> Iterator[_Cluster]:
    one = _Cluster(2)
    yield one
    one.close()


@pytest.fixture
def scenario(tmp_path):
    return write_scenario(tmp_path)


def test_tasks_run_on_the_workers_in_order(shared_cluster):
    workers = Workers(cluster=shared_cluster.address)

    pids = set(map_tasks(process_of, None, range(30), workers=workers))

    assert pids <= {process.pid for process in shared_cluster.workers}
    assert map_tasks(pow, 2, range(5), workers=workers) == [1, 2, 4, 8, 16]


def test_a_sweep_on_a_cluster_leaves_the_same_bytes(tmp_path, scenario, shared_cluster):
    sweep_alone(scenario, VARY, tmp_path / "here")

    sweep(
        scenario,
        VARY,
        out=tmp_path / "there",
        workers=Workers(cluster=shared_cluster.address),
    )

    assert contents(tmp_path / "there") == contents(tmp_path / "here")


def test_a_worker_killed_in_mid_sweep_changes_nothing(tmp_path, scenario, own_cluster):
    sweep_alone(scenario, VARY, tmp_path / "here")
    killed_at = []

    def kill_one(done, total):
        if not killed_at and done >= total // 4:
            killed_at.append((done, total))
            own_cluster.workers[0].send_signal(signal.SIGKILL)

    sweep(
        scenario,
        VARY,
        out=tmp_path / "there",
        workers=Workers(cluster=own_cluster.address),
        on_progress=kill_one,
    )

    (done, total) = killed_at[0]
    assert done < total
    assert own_cluster.workers[0].wait(_PATIENCE_S) == -signal.SIGKILL
    assert contents(tmp_path / "there") == contents(tmp_path / "here")


def test_what_is_shared_is_sent_once_and_not_with_each_task(
    shared_cluster, monkeypatch
):
    packs = []
    original = cluster.packed
    monkeypatch.setattr(
        cluster, "packed", lambda *args: packs.append(1) or original(*args)
    )

    map_tasks(divmod, 7, range(1, 40), workers=Workers(cluster=shared_cluster.address))

    assert packs == [1]


def test_an_error_of_a_task_on_a_worker_is_raised_here(shared_cluster):
    with pytest.raises(ZeroDivisionError):
        map_tasks(divmod, 1, [1, 0], workers=Workers(cluster=shared_cluster.address))


def test_a_scheduler_that_does_not_answer_is_told(monkeypatch):
    monkeypatch.setattr(cluster, "_PATIENCE_S", 0.5)
    nowhere = f"tcp://127.0.0.1:{_free_port()}"

    with pytest.raises(SimulationError, match=f"no scheduler answers at {nowhere}"):
        map_tasks(pow, 1, [1], workers=Workers(cluster=nowhere))


def test_a_scheduler_without_workers_is_told(monkeypatch):
    monkeypatch.setattr(cluster, "_PATIENCE_S", 3.0)
    one = _Cluster(0)
    try:
        with pytest.raises(SimulationError, match="has no workers; start some"):
            map_tasks(pow, 1, [1], workers=Workers(cluster=one.address))
    finally:
        one.close()


@pytest.mark.parametrize("address", ["8786", "nonsense://x", ""])
def test_what_is_no_address_is_refused(address):
    with pytest.raises((InputError, SimulationError)):
        map_tasks(pow, 1, [1], workers=Workers(cluster=address))


def test_a_cluster_without_distributed_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)

    with pytest.raises(InputError, match=r"pip install 'costsim\[cluster\]'"):
        map_tasks(pow, 1, [1], workers=Workers(cluster="tcp://127.0.0.1:8786"))


def test_a_cluster_that_is_gone_in_mid_sweep_is_told(tmp_path, scenario, own_cluster):
    out = tmp_path / "out"

    def end_all(done, total):
        if done >= total // 4:
            own_cluster.close()

    with pytest.raises(SimulationError, match=r"no scheduler answers|vanished"):
        sweep(
            scenario,
            VARY,
            out=out,
            workers=Workers(cluster=own_cluster.address),
            on_progress=end_all,
        )

    assert len(list(out.glob("parts/[0-9]*.parquet"))) >= 1
