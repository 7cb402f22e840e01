"""Bins of a recorded trace as requests, scattered at random and read piece by piece."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from costsim.traffic.draws import Draws

if TYPE_CHECKING:
    from collections.abc import Iterator

    from costsim.records import Floats, Ints
    from costsim.traffic.draws import Fill

_NUMBERS = 8192
"""Random numbers that are drawn at once: few enough to stay in the cache."""
_SLOTS = 64
"""Bins that there is room for at first."""
_SHAPES = (1e-6, 1e9)
"""Shapes of gaps beyond which nothing changes any more."""


@dataclass(frozen=True, eq=False)
class Bins:
    """Some bins, in the order of their begins."""

    begin_s: Floats
    """Where they begin. [s]"""
    width_s: Floats
    """How wide they are. [s]"""
    shape: Floats
    """Shape of the gaps between requests; NaN is as 1. [1]"""
    count: Ints
    """Requests in each."""
    rows: Ints
    """Their rows in the trace."""


class Scattered:
    """The requests of bins in the order of their arrival.

    Parameters
    ----------
    bins : iterator of Bins
        In the order of their begins, also from one to the next.
    rng, normal_rng : numpy.random.Generator
        Where the places come from; the second for gaps of a shape other than 1. They
        are taken over.
    """

    def __init__(
        self,
        bins: Iterator[Bins],
        rng: np.random.Generator,
        normal_rng: np.random.Generator,
    ) -> None:
        from costsim.traffic import scatter  # numba, as in draws.py

        self._scatter, self._loop = scatter.scatter, scatter
        self._bins = bins
        self._exponentials = _Numbers(Draws(rng).exponentials)
        self._normals = _Numbers(Draws(normal_rng).normals)
        self._block, self._counts = np.empty((0, 3)), np.empty((0, 2), dtype=np.int64)
        self._last = False
        self._at = np.zeros(4, dtype=np.int64)
        self._places = np.empty((0, scatter.N_PLACES))
        self._tasks = np.empty((0, scatter.N_TASKS), dtype=np.int64)
        self._heap_s, self._heap_slot = np.empty(0), np.empty(0, dtype=np.int64)
        self._make_room()

    def read(self, out: Floats, rows: Ints) -> int:
        """Fill arrays with the next arrivals and their rows; return how many there were.

        Parameters
        ----------
        out : ndarray of float64
            Where arrivals go; only at the end they are fewer than fit. [s]
        rows : ndarray of int64, shape of out
            Where the rows of their bins go.
        """
        loop = self._loop
        n = 0
        while True:
            why, n = self._scatter(
                self._block, self._counts, self._last, self._at, self._places,
                self._tasks, self._heap_s, self._heap_slot, self._exponentials.numbers,
                self._normals.numbers, out, rows, n,
            )  # fmt: skip
            if why == loop.FULL or (why == loop.NO_BINS and self._last):
                return n
            if why == loop.NO_BINS:
                self._take_bins()
            elif why == loop.NO_ROOM:
                self._make_room()
            else:
                self._draw()

    def _take_bins(self) -> None:
        bins = next(self._bins, None)
        self._at[self._loop.NEXT_BIN] = 0
        if bins is None:
            self._last = True
            self._block, self._counts = self._block[:0], self._counts[:0]
            return
        shape = np.clip(np.nan_to_num(bins.shape, nan=1.0), *_SHAPES)
        self._block = np.column_stack([bins.begin_s, bins.width_s, shape])
        self._counts = np.column_stack([bins.rows, bins.count])

    def _make_room(self) -> None:
        """Have room for twice as many bins that overlap."""
        n = len(self._heap_s)
        more = max(n, _SLOTS)
        self._places = np.pad(self._places, [(0, more), (0, 0)])
        self._tasks = np.pad(self._tasks, [(0, more), (0, 0)])
        self._heap_s = np.pad(self._heap_s, (0, more))
        self._heap_slot = np.append(self._heap_slot, np.arange(n, n + more))

    def _draw(self) -> None:
        """Have more numbers of both kinds."""
        loop, at = self._loop, self._at
        self._exponentials.fill_up(int(at[loop.NEXT_EXPONENTIAL]))
        self._normals.fill_up(int(at[loop.NEXT_NORMAL]))
        at[[loop.NEXT_EXPONENTIAL, loop.NEXT_NORMAL]] = 0


class _Numbers:
    """Random numbers in a row, of which those at the beginning are used first."""

    def __init__(self, fill: Fill) -> None:
        self._fill = fill
        self.numbers = np.empty(_NUMBERS)
        fill(self.numbers)

    def fill_up(self, used: int) -> None:
        """Put new ones at the end in place of those that are used."""
        kept = len(self.numbers) - used
        self.numbers[:kept] = self.numbers[used:].copy()
        self._fill(self.numbers[kept:])
