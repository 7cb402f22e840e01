import gc
from pathlib import Path

import numpy as np
import pytest

from costsim.errors import TraceError
from costsim.scenario.trace import Trace
from costsim.traffic.formats import spool
from costsim.traffic.formats.detect import read_trace
from costsim.traffic.trace import slices


@pytest.fixture
def small_memory(monkeypatch):
    monkeypatch.setattr(spool, "MAX_ROWS_IN_MEMORY", 1000)
    monkeypatch.setattr(spool, "ROWS_OF_A_RUN", 64)
    monkeypatch.setattr("costsim.traffic.formats.packing._PART", 2048)
    monkeypatch.setattr("costsim.traffic.formats.content.BLOCK", 2048)


def write(path, order, seed=3, n=6000):
    rng = np.random.default_rng(seed)
    times = {
        "ascending": np.arange(n),
        "descending": np.arange(n)[::-1],
        "shuffled": rng.permutation(n),
        "few": rng.integers(0, 5, n),
    }[order]
    rows = [f"{t},{t % 7}.5,m{t % 3},u{t % 11},{i}" for i, t in enumerate(times)]
    path.write_text("\n".join(["arrival,duration,model,user,input_tokens", *rows]))
    return times


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("order", ["ascending", "descending", "shuffled", "few"])
def test_on_disk_and_in_memory_the_requests_are_the_same(tmp_path, monkeypatch, order):
    path = tmp_path / "requests.csv"
    times = write(path, order)
    spec = Trace(path=str(path))
    memory = read_trace(spec)
    monkeypatch.setattr(spool, "MAX_ROWS_IN_MEMORY", 1000)
    monkeypatch.setattr(spool, "ROWS_OF_A_RUN", 64)
    monkeypatch.setattr("costsim.traffic.formats.packing._PART", 2048)
    monkeypatch.setattr("costsim.traffic.formats.content.BLOCK", 2048)

    disk = read_trace(spec)

    assert disk.owner is not None
    assert disk.notes == memory.notes
    assert disk.arrival_s[:].tolist() == sorted((times - times.min()).tolist())
    for name in ("arrival_s", "duration_s", "key", "session"):
        assert getattr(disk, name)[:].tolist() == getattr(memory, name).tolist()
    assert sorted(disk.input_tokens[:]) == sorted(memory.input_tokens)


def test_slices_of_a_column_on_disk_are_those_of_an_array(tmp_path, small_memory):
    path = tmp_path / "requests.csv"
    write(path, "shuffled")

    column = read_trace(Trace(path=str(path))).arrival_s

    whole = np.concatenate(list(slices(column, 777)))
    assert len(column) == len(whole) == 6000
    assert column[-1:].tolist() == [5999.0]
    assert column[10:20].tolist() == whole[10:20].tolist()
    assert column[7000:].tolist() == []
    with pytest.raises(ValueError, match="in steps of 1"):
        column[::2]


def test_a_window_is_cut_on_disk_too(tmp_path, small_memory):
    path = tmp_path / "requests.csv"
    write(path, "shuffled")
    window = {"begin": "100s", "end": "5100s"}

    trace = read_trace(Trace.model_validate({"path": str(path), "window": window}))

    assert trace.arrival_s[:].tolist() == list(range(5000))


def test_counts_keep_their_total_on_disk(tmp_path, small_memory):
    path = tmp_path / "requests.csv"
    rows = [f"{60 * (i // 2)},{'ab'[i % 2]},0.3" for i in range(6000)]
    path.write_text("\n".join(["time,series,count", *rows]))

    trace = read_trace(Trace(path=str(path)))

    assert trace.owner is not None
    assert trace.n_requests == 1800
    assert set(trace.width_s[:]) == {60.0}


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")
def test_files_go_with_the_last_reference(tmp_path, small_memory):
    path = tmp_path / "requests.csv"
    write(path, "shuffled")
    gc.collect()
    before = open_files()

    trace = read_trace(Trace(path=str(path)))
    column = trace.arrival_s
    held = open_files()
    del trace
    gc.collect()
    first = column[:1].tolist()
    del column
    gc.collect()

    assert held > before
    assert first == [0.0]
    assert open_files() == before


def test_a_full_disk_is_told(tmp_path, small_memory, monkeypatch):
    path = tmp_path / "requests.csv"
    write(path, "shuffled")

    def full(file, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(spool.os, "write", full)
    with pytest.raises(TraceError, match="No space left on device; set TMPDIR"):
        read_trace(Trace(path=str(path)))
