"""Several sources of arrivals as one, read piece by piece: a tree of pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from costsim.records import Floats
    from costsim.traffic.arrivals import Reader

Sources: TypeAlias = npt.NDArray[np.int32]
"""Positions of sources among all."""

_HELD = 2**20
"""Arrivals held in all pairs together, about."""
_FEWEST_HELD, _MOST_HELD = 64, 8192
"""Arrivals held of one side of a pair."""


class SourcedReader(Protocol):
    """Arrivals that are read one piece after the other, with their sources."""

    def read(self, out: Floats, source: Sources) -> int:
        """Fill arrays with the next arrivals and return how many there were.

        Parameters
        ----------
        out : ndarray of float64
            Where the arrivals go; only at the end they are fewer than fit. [s]
        source : ndarray of int32, shape of out
            Where the positions of their sources go.
        """


def merged(readers: Sequence[Reader]) -> SourcedReader:
    """Return the arrivals of all sources in order, those at one moment by source."""
    size = min(max(_HELD // len(readers), _FEWEST_HELD), _MOST_HELD)
    nodes: list[SourcedReader] = [_Leaf(*one) for one in enumerate(readers)]
    while len(nodes) > 1:
        # Neighbors, so that the first of a pair has the earlier sources.
        pairs = [
            _Pair(*two, size) for two in zip(nodes[::2], nodes[1::2], strict=False)
        ]
        nodes = [*pairs, *nodes[2 * len(pairs) :]]
    return nodes[0]


class _Leaf:
    """One source."""

    def __init__(self, number: int, reader: Reader) -> None:
        self._number = number
        self._reader = reader

    def read(self, out: Floats, source: Sources) -> int:
        n = self._reader.read(out)
        source[:n] = self._number
        return n


class _Pair:
    """Two sides merged; of arrivals at one moment the first side's come first."""

    def __init__(self, first: SourcedReader, second: SourcedReader, size: int) -> None:
        from costsim.traffic import loops  # numba, as in draws.py

        self._merge = loops.merge
        self._first, self._second = _Side(first, size), _Side(second, size)

    def read(self, out: Floats, source: Sources) -> int:
        n, first, second = 0, self._first, self._second
        while n < len(out):
            if not first.hold():
                return n + second.move(out[n:], source[n:])
            if not second.hold():
                return n + first.move(out[n:], source[n:])
            n, first.begin, second.begin = self._merge(
                first.arrival_s, first.source, first.begin, first.end,
                second.arrival_s, second.source, second.begin, second.end,
                out, source, n,
            )  # fmt: skip
        return n


class _Side:
    """What is read ahead of one side: from ``begin`` to ``end`` in the arrays."""

    def __init__(self, reader: SourcedReader, size: int) -> None:
        self._reader = reader
        self.arrival_s = np.empty(size)
        self.source = np.empty(size, dtype=np.int32)
        self.begin = self.end = 0

    def hold(self) -> bool:
        """Read ahead if nothing is held, and return whether there is anything."""
        if self.begin == self.end:
            self.begin = 0
            self.end = self._reader.read(self.arrival_s, self.source)
        return self.begin < self.end

    def move(self, out: Floats, source: Sources) -> int:
        """Fill arrays with what is held and what follows, and return how many."""
        n = 0
        while n < len(out) and self.hold():
            until = min(self.begin + len(out) - n, self.end)
            now = slice(n, n + until - self.begin)
            out[now] = self.arrival_s[self.begin : until]
            source[now] = self.source[self.begin : until]
            n, self.begin = now.stop, until
        return n
