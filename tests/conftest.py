"""Fixtures that several folders of tests share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from costsim.cli.app import app

_ROOT = Path(__file__).parents[1]
_ENVIRONMENT = dict.fromkeys(("COLUMNS", "NO_COLOR", "FORCE_COLOR", "TERM"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="Write the expected outputs in tests/golden anew instead of comparing.",
    )


@dataclass(frozen=True)
class Answer:
    """What a command printed, and its exit code."""

    exit_code: int
    out: str
    err: str



@pytest.fixture(scope="session")
def project_dir() -> Path:
    """Return the root of the project."""
    return _ROOT


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Return the folder of oracles and traces beside the project, or skip."""
    folder = _ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("needs the oracles and traces that live beside the project")
    return folder


@pytest.fixture
def rng() -> np.random.Generator:
    """Return a generator with a fixed seed."""
    return np.random.default_rng(20261124)


@pytest.fixture(scope="session")
def invoke() -> Callable[..., Answer]:
    """Return a function that runs a command in this process: ``invoke("run", path)``.

    A bug that would end in a traceback is raised. Keywords: ``env``, ``charset``.
    """

    def run(
        *arguments: object, env: dict[str, str] | None = None, charset: str = "utf-8"
    ) -> Answer:
        result = CliRunner(charset=charset).invoke(
            app,
            [str(argument) for argument in arguments],
            env={**_ENVIRONMENT, **(env or {})},
            catch_exceptions=False,
        )
        return Answer(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Return a function that compares a text with a file in tests/golden/outputs."""
    folder = _ROOT / "tests" / "golden" / "outputs"

    def compare(name: str, text: str) -> None:
        path = folder / name
        if request.config.getoption("--update-golden"):
            folder.mkdir(exist_ok=True)
            path.write_text(text, "utf-8", newline="")
        assert text == path.read_bytes().decode()

    return compare
