"""Find where a condition ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def bisect(is_below: Callable[[float], bool], low: float, high: float) -> float:
    """Return the largest number in [low, high) of those that are below the root.

    `is_below` is true up to the root and false beyond; the answer is exact to float
    resolution, and `low` if it is true nowhere.
    """
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if is_below(middle) else (low, middle)
    return low
