"""The command as a process of its own: what no test inside this process can show."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

_LONG = """
name: long
horizon: 1d
replications: 10000
traffic: {streams: [{rate: 2/s}]}
service: {time: {distribution: exponential, mean: 2s}}
setup: 10s
deployments:
  - {name: own, pool: {concurrency_limit: 2}, billing: {price: 1 USD/h}}
"""


def environment(**changes: str) -> dict[str, str]:
    """Return an environment in which Python buffers its output, as it does for users."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if key not in {"PYTHONUNBUFFERED", "NO_COLOR", "COLUMNS", "FORCE_COLOR"}
    }
    return {**kept, **changes}


def command(*arguments: str, **other) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "costsim", *arguments],
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        **{"stdout": subprocess.PIPE, "env": environment(), **other},
    )


def test_python_m_costsim_is_the_command():
    with command("--version") as process:
        out, err = process.communicate(timeout=60)

    assert re.fullmatch(r"costsim \d+\.\d+\.\d+\n", out)
    assert (process.returncode, err) == (0, "")


@pytest.mark.parametrize(
    "arguments",
    [["prices"], ["schema"]],
    ids=["less than a pipe's buffer", "more than a pipe's buffer"],
)
def test_a_reader_that_leaves_early_is_no_error(arguments):
    with command(*arguments) as process:
        process.stdout.close()
        err = process.stderr.read()

    assert (process.returncode, err) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_told_and_not_a_traceback():
    with Path("/dev/full").open("w") as full, command("schema", stdout=full) as process:
        err = process.stderr.read()

    assert process.returncode == 2
    assert err == (
        "error: standard output: cannot be written: No space left on device\n"
        "explain: costsim explain cannot-write\n"
    )


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_an_interrupt_ends_a_run_with_130_and_without_a_traceback(tmp_path):
    scenario, prices = tmp_path / "long.yaml", tmp_path / "prices.yaml"
    scenario.write_text(_LONG)
    os.mkfifo(prices)
    with command("run", str(scenario), "--prices", str(prices)) as process:
        # The command is well on its way once it has read its prices.
        prices.write_text("{}")
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)

    assert (process.returncode, out, err) == (130, "", "interrupted\n")


def on_terminal(arguments: list[str], **changes: str) -> str:
    """Return what the command prints where its three streams are a terminal."""
    import pty

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "costsim", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment(TERM="xterm-256color", **changes),
    )
    os.close(theirs)
    pieces = []
    try:
        while piece := os.read(ours, 65536):
            pieces.append(piece)
    except OSError:
        pass  # Linux tells the end of a terminal so
    process.wait(timeout=60)
    os.close(ours)
    return b"".join(pieces).decode()


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
def test_a_terminal_gets_color_unless_it_is_told_not_to():
    colored = on_terminal(["prices", "--gpu", "L4"])
    plain = on_terminal(["prices", "--gpu", "L4"], NO_COLOR="1")

    assert "\x1b[1m" in colored
    assert "\x1b" not in plain
