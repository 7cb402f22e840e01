"""How the engine is compiled: once, for one kind of array, until a source changes."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import costsim
from costsim import compiling
from costsim.simulation import compiled, kernel
from costsim.simulation.state import LIFE_DTYPE

FOLDER = Path(compiled.__file__).parent
SOURCES = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.py"))


@pytest.fixture
def sources(tmp_path, monkeypatch):
    """A copy of the engine's sources that the digest is taken of."""
    copy = tmp_path / "simulation"
    shutil.copytree(Path(compiled.__file__).parent, copy)
    monkeypatch.setattr(compiled, "__file__", str(copy / "compiled.py"))
    return copy


@pytest.mark.parametrize("name", SOURCES)
def test_changing_any_source_of_the_engine_changes_the_digest(sources, name):
    before = compiled.source_digest()

    with (sources / name).open("a") as source:
        source.write("#")

    assert compiled.source_digest() != before


def test_the_digest_is_part_of_the_loops_key_in_the_cache():
    # numba hashes the code of a cached function and what it encloses.
    enclosed = [cell.cell_contents for cell in kernel.run_pool.py_func.__closure__]

    assert enclosed == [compiled.source_digest()]


def test_a_function_is_compiled_where_no_cache_can_be_written(monkeypatch):
    def njit_without_a_folder(function, *, cache=False, **_):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return ("compiled", function)

    monkeypatch.setattr(compiling, "njit", njit_without_a_folder)

    assert compiled.compiled(len) == ("compiled", len)


def test_read_only_arrays_run_the_code_that_is_there():
    times = np.array([0.0, 1.0, 2.0])
    costsim.simulate_pool(times, times, times)
    read_only = times.copy()
    read_only.flags.writeable = False

    costsim.simulate_pool(read_only, read_only, read_only)

    assert len(kernel.run_pool.signatures) == 1


def test_what_most_events_touch_of_a_replica_is_its_first_cache_line():
    offset = LIFE_DTYPE.fields["links"][1]

    assert LIFE_DTYPE.itemsize == 3 * 64
    assert offset + 4 * np.dtype("u4").itemsize == 64
