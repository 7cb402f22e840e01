"""Commands load what they need and no more: start-up time is what users feel first.

The modules that are loaded are tested, not seconds, which depend on the machine.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = [
    "numba",
    "pandas",
    "scipy",
    "matplotlib",
    "pyarrow",
    "numpy",
    "pydantic",
    "yaml",
    "rich",
]

_REPORT = f"""
import sys
from costsim.cli.app import main
sys.argv = ["costsim", *sys.argv[1:]]
try:
    main()
except SystemExit:
    pass
print("LOADED", *[name for name in {HEAVY} if name in sys.modules], file=sys.stderr)
"""


def loaded(*arguments: str) -> set[str]:
    """Return the heavy modules that a command loads."""
    done = subprocess.run(
        [sys.executable, "-c", _REPORT, *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    (line,) = [one for one in done.stderr.splitlines() if one.startswith("LOADED")]
    return set(line.split()[1:])


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["--version"]])
def test_help_loads_nothing_heavy(arguments):
    assert (
        loaded(*arguments) & {"numba", "pandas", "scipy", "pyarrow", "numpy", "yaml"}
        == set()
    )


@pytest.mark.parametrize("arguments", [["schema"], ["init", "--list"], ["platforms"]])
def test_commands_that_do_not_simulate_load_neither_engine_nor_pandas(
    arguments, tmp_path
):
    assert loaded(*arguments) & {"numba", "pandas", "scipy", "pyarrow"} == set()


def test_import_costsim_loads_nothing_heavy():
    code = (
        f"import costsim, sys; print([name for name in {HEAVY} if name in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert done.stdout == "[]\n"


def test_a_run_loads_no_pandas(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(
        "name: x\nhorizon: 1h\nreplications: 1\ntraffic: {streams: [{rate: 9/h}]}\n"
        "service: {time: 1s}\nsetup: 1s\n"
        "deployments: [{name: own, pool: {}, billing: {price: 1 USD/h}}]\n"
    )

    found = loaded("run", str(path), "--quiet")

    # What numba finds installed it may load too: SciPy.
    assert "numba" in found
    assert found & {"pandas", "matplotlib", "pyarrow"} == set()
