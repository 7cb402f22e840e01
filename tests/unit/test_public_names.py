"""What ``import costsim`` promises: its names, and that they are imported on first use."""

from __future__ import annotations

import subprocess
import sys

import pytest

import costsim

PROMISED = [
    "CostsimError",
    "CostsimWarning",
    "RunResult",
    "Scenario",
    "SimulationResult",
    "SweepResult",
    "TuneResult",
    "breakeven",
    "compare",
    "load_catalog",
    "load_scenario",
    "metered_s",
    "queueing",
    "run",
    "simulate_pool",
    "sweep",
    "tune",
]


def test_the_public_names_are_those_promised():
    assert sorted(costsim.__all__) == PROMISED


@pytest.mark.parametrize("name", PROMISED)
def test_every_public_name_is_there(name):
    assert getattr(costsim, name).__name__.split(".")[-1] == name


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'costsim' has no attribute 'rnu'"):
        costsim.rnu  # noqa: B018


def test_names_can_be_listed_and_imported_by_star():
    namespace: dict[str, object] = {}
    exec("from costsim import *", namespace)

    assert set(PROMISED) <= set(namespace)
    assert set(PROMISED) <= set(dir(costsim))
    assert "__version__" in dir(costsim)


def test_the_package_is_typed(project_dir):
    assert (project_dir / "costsim" / "py.typed").is_file()


def test_the_version_is_that_of_the_distribution(project_dir):
    text = (project_dir / "pyproject.toml").read_text("utf-8")

    assert f'\nversion = "{costsim.__version__}"\n' in text


def test_closed_forms_come_without_the_engine():
    code = (
        "import costsim, sys; costsim.queueing.erlang_c(3, 2.0); "
        "print({'numba', 'pandas', 'pydantic'} & set(sys.modules))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert (done.stdout, done.stderr) == ("set()\n", "")
