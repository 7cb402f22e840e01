"""Fixtures that several folders of tests share."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from typer.main import get_command

from costsim.cli.app import app

if TYPE_CHECKING:
    from collections.abc import Callable

_ROOT = Path(__file__).parents[1]
_OF_TERMINALS = ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "TERM")


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

    command = get_command(app)  # once: it takes as long as a small scenario

    def run(
        *arguments: object, env: dict[str, str] | None = None, charset: str = "utf-8"
    ) -> Answer:
        out = io.TextIOWrapper(io.BytesIO(), charset, newline="")
        # As Python opens it: what it cannot show does not stop an error message.
        err = io.TextIOWrapper(io.BytesIO(), charset, "backslashreplace", newline="")
        with (
            pytest.MonkeyPatch.context() as patch,
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            for name in _OF_TERMINALS:
                patch.delenv(name, raising=False)
            for name, value in (env or {}).items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as end:
                command.main([str(one) for one in arguments], prog_name="costsim")
        return Answer(end.value.code, _written(out), _written(err))

    return run


def _written(stream: io.TextIOWrapper) -> str:
    stream.flush()
    return stream.buffer.getvalue().decode(stream.encoding)


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
