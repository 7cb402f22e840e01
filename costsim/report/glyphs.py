"""Sparklines and bars of characters, with plain ASCII where the stream needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from costsim.records import Floats

_LEVELS = "▁▂▃▄▅▆▇█"
_ASCII_LEVELS = "_.:-=+*#"
_FILLS = "█▓▒░·"
_ASCII_FILLS = "#=+-."


def sparkline(
    values: Floats, width: int, *, unicode: bool, top: float | None = None
) -> str:
    """Return values as one character each: groups of them, by their largest.

    Parameters
    ----------
    values : ndarray of float64
        Not negative.
    width : int
        Characters.
    unicode : bool
        Whether the stream takes block characters.
    top : float, optional
        What the highest character stands for; the largest value if None.
    """
    levels = _LEVELS if unicode else _ASCII_LEVELS
    peaks = regrouped(values, width)
    top = float(peaks.max()) if top is None else top
    if top <= 0:
        return levels[0] * len(peaks)
    # The lowest level is nothing at all; the smallest something shows above it.
    steps = np.ceil(peaks / top * (len(levels) - 1)).astype(int)
    return "".join(levels[step] for step in steps)


def regrouped(values: Floats, width: int) -> Floats:
    """Return values as at most ``width`` ones: the largest of each of as many groups."""
    groups = np.array_split(values, max(1, min(width, values.size)))
    return np.array([group.max(initial=0.0) for group in groups])


def fills(*, unicode: bool) -> str:
    """Return the characters of a bar's parts, the first part's first."""
    return _FILLS if unicode else _ASCII_FILLS


def stacked_bar(parts: Sequence[float], width: int, *, unicode: bool) -> str:
    """Return a bar of parts that fills the width, each part with its own character.

    Parameters
    ----------
    parts : sequence of float
        At most five, not negative.
    width : int
        Characters.
    unicode : bool
        Whether the stream takes block characters.
    """
    total = sum(parts)
    if total <= 0:
        return ""
    edges = np.round(np.cumsum([0.0, *parts]) / total * width).astype(int)
    lengths = np.diff(edges)
    told = zip(fills(unicode=unicode), lengths, strict=False)
    return "".join(fill * length for fill, length in told)
