import numpy as np
import pytest

from costsim.traffic import merge
from costsim.traffic.arrivals import Made
from costsim.traffic.merge import merged


def read_all(reader, sizes):
    """Return all arrivals and their sources, read in pieces of these sizes in turn."""
    parts, ended = [], False
    while not ended:
        size = sizes[len(parts) % len(sizes)]
        out, source = np.empty(size), np.empty(size, dtype=np.int32)
        n = reader.read(out, source)
        parts.append((out[:n], source[:n]))
        ended = n < size
    return tuple(map(np.concatenate, zip(*parts, strict=True)))


def in_order(rows):
    """Return the merge of rows by a stable sort, and their positions."""
    whole = np.concatenate(rows)
    source = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    order = np.argsort(whole, kind="stable")
    return whole[order], source[order]


def rows_of(rng, lengths, ties):
    """Return ascending rows; with ties most times occur several times, in all of them."""
    rows = [np.sort(rng.uniform(0, 100, n)) for n in lengths]
    return [np.round(row) for row in rows] if ties else rows


@pytest.mark.parametrize("sizes", [[1], [7], [1000], [100_000], [3, 500, 1]])
@pytest.mark.parametrize("ties", [False, True], ids=["distinct", "ties"])
@pytest.mark.parametrize(
    "lengths",
    [
        (900, 800),
        (2000, 1),
        (0, 700, 0),
        (500, 10, 900, 3, 40),
        (0, 0),
        (50,) * 16,
        (9,) * 37,
    ],
    ids=str,
)
def test_sources_are_merged_in_order(monkeypatch, rng, lengths, ties, sizes):
    # Few are held, so that every source is read many times.
    monkeypatch.setattr(merge, "_FEWEST_HELD", 1)
    monkeypatch.setattr(merge, "_HELD", 64)
    rows = rows_of(rng, lengths, ties)

    arrival_s, source = read_all(merged([Made(row) for row in rows]), sizes)

    times, positions = in_order(rows)
    assert np.array_equal(arrival_s, times)
    assert np.array_equal(source, positions)


def test_a_long_row_is_read_past_what_is_held():
    rows = [np.arange(50_000.0), np.array([10.5, 49_998.5, 60_000.0])]

    arrival_s, source = read_all(merged([Made(row) for row in rows]), [4096])

    assert np.array_equal(arrival_s, np.sort(np.concatenate(rows)))
    assert arrival_s[source == 1].tolist() == rows[1].tolist()


def test_after_its_end_nothing_is_read():
    reader = merged([Made(np.array([1.0])), Made(np.array([2.0]))])
    out, source = np.empty(5), np.empty(5, dtype=np.int32)

    assert [reader.read(out, source) for _ in range(3)] == [2, 0, 0]
