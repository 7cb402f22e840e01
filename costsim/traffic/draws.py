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

    def gammas(self, shape: float, out: Floats) -> None:
        """Fill an array with gamma numbers of scale 1 and a shape k. [1]"""
        if shape == 1.0:
            self.exponentials(out)
        else:
            self._loops.gammas(self._words, self._exponential, self._normal, shape, out)


@cache
def _tables() -> tuple[Floats, Floats]:
    """Return the ziggurats of the exponential and the normal distribution."""
    path = resources.files("costsim.traffic") / "ziggurat.csv"
    with path.open("rb") as lines:
        table = np.loadtxt(lines, delimiter=",")
    exponential, normal = np.hsplit(table, 2)
    return np.ascontiguousarray(exponential), np.ascontiguousarray(normal)
