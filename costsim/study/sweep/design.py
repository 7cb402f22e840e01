"""Which points of a sweep there are: all combinations, or a Latin hypercube of them.

All points are made before anything runs, in an order that the axes alone decide; the last
key changes fastest.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from costsim.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from costsim.records import Floats
    from costsim.study.sweep.axis import Axis

MOST_POINTS = 1_000_000
"""Most points of a sweep."""
_STREAM = 0x1A71
"""Keeps these random numbers apart from those of the simulation."""


@dataclass(frozen=True)
class Point:
    """One combination of values."""

    index: int
    """Its place among all points, those that are impossible included."""
    values: tuple[str, ...]
    """In YAML, in the order of the axes."""


def grid(axes: Sequence[Axis]) -> list[Point]:
    """Return every combination of the values.

    Raises
    ------
    InputError
        If there are too many.
    """
    _refuse_too_many(math.prod(len(axis.values) for axis in axes))
    combinations = itertools.product(*(axis.values for axis in axes))
    return [Point(index, values) for index, values in enumerate(combinations)]


def latin_hypercube(axes: Sequence[Axis], n: int, seed: int) -> list[Point]:
    """Return points of which each stratum of each key has exactly one.

    The range of every key is cut into as many strata as there are points, and they are
    matched at random (McKay, Beckman and Conover, Technometrics 21 (1979) 239). Values of
    a list share the strata evenly.

    Parameters
    ----------
    axes : sequence of Axis
        What is varied.
    n : int
        How many points.
    seed : int
        Of the scenario; the same points for the same seed.

    Raises
    ------
    InputError
        If there are too few or too many.
    """
    if n < 1:
        message = f"--latin-hypercube {n}: draw 1 point at least"
        raise InputError(message)
    _refuse_too_many(n)
    rng = np.random.default_rng([seed, _STREAM])
    columns = [_drawn(axis, _stratified(n, rng)) for axis in axes]
    return [
        Point(index, values) for index, values in enumerate(zip(*columns, strict=True))
    ]


def _stratified(n: int, rng: np.random.Generator) -> Floats:
    """Return a number of each of n equal parts of [0, 1), in random order."""
    return (rng.permutation(n) + rng.random(n)) / n


def _drawn(axis: Axis, shares: Floats) -> list[str]:
    if axis.span is not None:
        return [axis.span.at(share) for share in shares.tolist()]
    n = len(axis.values)
    # A share that rounds up to 1 is still of the last stratum.
    return [axis.values[min(n - 1, int(share * n))] for share in shares.tolist()]


def _refuse_too_many(n: int) -> None:
    if n > MOST_POINTS:
        message = (
            f"{n:,} points; a sweep has at most {MOST_POINTS:,}: give fewer values, or "
            "draw some of the points with --latin-hypercube 1000"
        )
        raise InputError(message)
