import numpy as np
import pytest

from costsim.traffic.holding import in_order


def shuffled(n, rng):
    """Return times that come up to 5 late, many of them equal, and their numbers."""
    begin = np.sort(rng.integers(0, n // 4, n)).astype(float)
    return begin, begin + rng.integers(0, 6, n), np.arange(n)


def cut(begin, times, numbers, sizes):
    """Yield pieces of these sizes in turn, each with the begin of what follows."""
    at = turn = 0
    while at < len(times):
        end = at + sizes[turn % len(sizes)]
        final = begin[end] if end < len(begin) else np.inf
        yield times[at:end], numbers[at:end], final
        at, turn = end, turn + 1


@pytest.mark.parametrize("sizes", [(1,), (7,), (100, 1, 3), (5000,)], ids=str)
def test_requests_come_in_order_and_equal_ones_as_they_came(rng, sizes):
    begin, times, numbers = shuffled(3000, rng)

    blocks = list(in_order(cut(begin, times, numbers, sizes)))

    order = np.argsort(times, kind="stable")
    assert np.array_equal(np.concatenate([block[0] for block in blocks]), times[order])
    assert np.array_equal(np.concatenate([block[1] for block in blocks]), order)
    assert all(len(block[0]) for block in blocks)


def test_no_more_is_held_than_can_be_overtaken():
    given = []

    def pieces():
        for i in range(10_000):
            given.append(i)
            yield np.array([i + 0.5]), np.array([i]), i - 3.0

    lags = [len(given) - block[1][-1] for block in in_order(pieces())]

    assert max(lags[:-1]) < 15


def test_nothing_in_is_nothing_out():
    assert list(in_order([])) == []
    assert list(in_order([(np.empty(0), np.empty(0, dtype=int), np.inf)])) == []
