"""A sweep that is killed, or cannot write: nothing lost, nothing double, the same bytes."""

from __future__ import annotations

import multiprocessing
import os
import random
import resource
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from sweeps import contents, sweep_alone, write_scenario

from costsim import whole_file
from costsim.errors import OutputError
from costsim.study.places import prepare_processes
from costsim.study.sweep.sweep import sweep

if TYPE_CHECKING:
    from pathlib import Path

_VARY = {"deployments.own.pool.idle_timeout": "1s..10m:48:log", "replications": "2,3"}
_COSTSIM = (sys.executable, "-m", "costsim")
_KILLS = 20
_HITS = 3
"""Kills that must come between two parts."""
_LIMIT_S = 300


@pytest.fixture
def scenario(tmp_path):
    return write_scenario(tmp_path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What a sweep leaves that nobody killed."""
    folder = tmp_path_factory.mktemp("whole")
    sweep_alone(write_scenario(folder), _VARY, folder / "out")
    return contents(folder / "out")


def _parts(out: Path) -> dict[str, tuple[int, bytes]]:
    """Return the finished parts; the inode tells one that was written again."""
    return {
        part.name: (part.stat().st_ino, part.read_bytes())
        for part in out.glob("parts/[0-9]*.parquet")
    }


def test_a_sweep_killed_at_twenty_random_moments_and_more_loses_nothing(
    tmp_path, scenario, whole
):
    rng = random.Random(5)
    out = tmp_path / "out"
    # From a server that has the engine loaded: a kill hits the sweep, not its imports.
    prepare_processes()
    context = multiprocessing.get_context("forkserver")
    kept: dict[str, tuple[int, bytes]] = {}
    lost, kills, hits, longest_s = [], 0, 0, 0.2
    n_parts = sum(name.startswith("parts") for name in whole)
    while kills < _KILLS or hits < _HITS:
        begun = context.Event()
        arguments = (scenario, _VARY, out, begun)
        process = context.Process(target=sweep_alone, args=arguments)
        process.start()
        assert begun.wait(_LIMIT_S)
        process.join(rng.uniform(0, longest_s))
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        process.join(_LIMIT_S)
        now = _parts(out)
        lost += [name for name, part in kept.items() if now.get(name) != part]
        kills, hits = kills + 1, hits + (len(now) > len(kept))
        # How long a machine takes to begin is not known; what is near it hits most.
        if len(now) == len(kept) < n_parts:
            longest_s *= 1.25
        kept = now
        assert kills < 100, "the kills came before or after all work"
    sweep_alone(scenario, _VARY, out)

    assert lost == []
    assert contents(out) == whole


def _command(
    scenario: Path, out: Path, *options: str, **other
) -> subprocess.Popen[str]:
    vary = [part for key, text in _VARY.items() for part in ("--vary", f"{key}={text}")]
    return subprocess.Popen(
        [*_COSTSIM, "sweep", scenario, *vary, "--out", out, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **other,
    )


def _wait_for(condition):
    until = time.monotonic() + _LIMIT_S
    while not condition():
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.005)


def _children(pid: int) -> set[int]:
    listed = subprocess.run(
        ["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
    )
    pairs = [tuple(map(int, line.split())) for line in listed.stdout.splitlines()]
    found = {pid}
    for _ in range(3):
        found |= {child for child, parent in pairs if parent in found}
    return found - {pid}


def _alive(pids: set[int]) -> set[int]:
    def is_alive(pid: int) -> bool:
        with suppress(OSError):
            os.kill(pid, 0)
            return True
        return False

    return {pid for pid in pids if is_alive(pid)}


def test_a_killed_command_leaves_no_process_behind_and_goes_on(
    tmp_path, scenario, whole
):
    out = tmp_path / "out"
    process = _command(scenario, out, "--workers", "2")
    _wait_for(lambda: len(_parts(out)) >= 2)
    workers = _children(process.pid)
    process.kill()
    process.communicate(timeout=_LIMIT_S)
    assert workers
    _wait_for(lambda: not _alive(workers))
    kept = _parts(out)

    with _command(scenario, out, "--workers", "2") as again:
        _, err = again.communicate(timeout=_LIMIT_S)

    assert (again.returncode, "error" in err) == (0, False)
    assert {name: _parts(out)[name] for name in kept} == kept
    assert contents(out) == whole


def test_an_interrupt_keeps_what_is_finished_and_says_so(tmp_path, scenario):
    out = tmp_path / "out"
    process = _command(scenario, out, "--workers", "2")
    _wait_for(lambda: len(_parts(out)) >= 1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=_LIMIT_S)

    assert process.returncode == 130
    assert "Traceback" not in err
    assert f"what is finished is kept in {out}" in err
    assert len(_parts(out)) >= 1


def _limited() -> None:
    """Let no file become larger than a part, as if the disk were full then."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (14_000, 14_000))


def test_a_disk_that_is_full_is_told_and_finished_parts_are_intact(
    tmp_path, scenario, whole
):
    out = tmp_path / "out"
    with _command(scenario, out, preexec_fn=_limited) as process:
        _, err = process.communicate(timeout=_LIMIT_S)
    kept = _parts(out)

    sweep_alone(scenario, _VARY, out)

    assert process.returncode == 2
    assert "cannot be written: File too large; finished parts are kept" in err
    assert len(kept) == len(whole) - 4
    assert {name: _parts(out)[name] for name in kept} == kept
    assert contents(out) == whole


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_folder_that_cannot_be_written_is_refused_before_anything_runs(
    tmp_path, scenario
):
    folder = tmp_path / "read only"
    folder.mkdir()
    folder.chmod(0o555)

    with _command(scenario, folder / "out") as process:
        _, err = process.communicate(timeout=_LIMIT_S)

    assert process.returncode == 2
    assert "cannot be written; name another one" in err


def test_a_folder_that_cannot_be_written_any_more_is_told(
    tmp_path, scenario, monkeypatch
):
    def full(*_args, **_other):
        raise OSError(30, "Read-only file system")

    out = tmp_path / "out"
    sweep(scenario, {"replications": "2"}, out=out)
    (out / "parts/00000.parquet").unlink()
    monkeypatch.setattr(whole_file.tempfile, "mkstemp", full)

    with pytest.raises(OutputError, match="Read-only file system; finished parts"):
        sweep(scenario, {"replications": "2"}, out=out)
