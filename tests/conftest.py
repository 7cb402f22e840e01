"""Fixtures that several folders of tests share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

_ROOT = Path(__file__).parents[1]


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
