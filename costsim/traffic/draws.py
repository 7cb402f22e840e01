"""Random numbers in place of those of NumPy's generator: the same, in less time."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from costsim.records import Floats

Fill = Callable[["Floats"], None]
"""Fills an array with the next numbers of a row: where it is cut changes none."""

_BLOCK = 1024
"""Numbers that ``Row`` fills at once."""


class Draws:
    """Takes a generator over and fills arrays with what it would draw next.

    Arrays filled one after the other are one array filled, wherever it is cut.

    Parameters
    ----------
    rng : numpy.random.Generator
        On SFC64, as of ``stream_rng``. It stays behind as it is: who drew from it again
        would get the same numbers once more.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        # numba is loaded where something is drawn, not where a scenario is checked.
        from costsim.traffic import ziggurat

        self._loops = ziggurat
        self._words = np.array(rng.bit_generator.state["state"]["state"])
        self._exponential, self._normal = _tables()

    def exponentials(self, out: Floats) -> None:
        """Fill an array with exponential numbers of mean 1."""
        self._loops.exponentials(self._words, self._exponential, out)

    def normals(self, out: Floats) -> None:
        """Fill an array with standard normal numbers."""
        self._loops.normals(self._words, self._normal, out)

    def normals_below(self, most: float, out: Floats) -> None:
        """Fill an array with standard normal numbers that are not above a bound."""
        self._loops.normals_below(self._words, self._normal, most, out)

    def gammas(self, shape: float, out: Floats) -> None:
        """Fill an array with gamma numbers of scale 1 and a shape k. [1]"""
        if shape == 1.0:
            self.exponentials(out)
        else:
            self._loops.gammas(self._words, self._exponential, self._normal, shape, out)

    def weibulls(self, shape: float, scale: float, out: Floats) -> None:
        """Fill an array with Weibull numbers of a shape k [1] and a scale."""
        self._loops.weibulls(self._words, self._exponential, shape, scale, out)


class Row:
    """The numbers that something fills, taken any number at a time.

    They are filled in blocks of one size: vectorized functions may round the same number
    differently at another place of an array, and results must not depend on the cut.

    Parameters
    ----------
    fill : callable
        Fills arrays with the numbers that come next.
    """

    def __init__(self, fill: Fill) -> None:
        self._fill = fill
        self._rest: Floats = np.empty(0)

    def take(self, n: int) -> Floats:
        """Return the next n numbers."""
        n_blocks = max(0, -(-(n - len(self._rest)) // _BLOCK))
        if n_blocks:
            new = np.empty((n_blocks, _BLOCK))
            for block in new:
                self._fill(block)
            self._rest = np.concatenate([self._rest, new.ravel()])
        taken, self._rest = np.split(self._rest, [n])
        return taken


@cache
def _tables() -> tuple[Floats, Floats]:
    """Return the ziggurats of the exponential and the normal distribution."""
    path = resources.files("costsim.traffic") / "ziggurat.csv"
    with path.open("rb") as lines:
        table = np.loadtxt(lines, delimiter=",")
    exponential, normal = np.hsplit(table, 2)
    return np.ascontiguousarray(exponential), np.ascontiguousarray(normal)
