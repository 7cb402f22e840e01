"""Compiled loops: arrivals placed in time, and values looked up."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from costsim.traffic.compiled import compiled

if TYPE_CHECKING:
    from costsim.records import Floats, Ints
    from costsim.traffic.merge import Sources

_LARGEST = sys.float_info.max


@compiled
def place(
    times: Floats,
    begin: int,
    now: float,
    latest_s: float,
    cell: int,
    expected: Floats,
    edges_s: Floats,
) -> tuple[int, float, float, int]:
    """Turn gaps in operational time into times, as far as a rate reaches.

    Parameters
    ----------
    times : ndarray of float64
        Gaps; from ``begin`` on they are replaced by times. [requests], then [s]
    begin : int
        The first gap.
    now : float
        Operational time before it: the sum of all gaps so far. [requests]
    latest_s : float
        The time before it. Interpolation from the left may pass the edge of a cell by
        one rounding error, and times shall not fall. [s]
    cell : int
        The cell of ``now``, or one before it.
    expected, edges_s : ndarray of float64, shape (n_cells + 1,)
        The rate, as of ``RateFunction``.

    Returns
    -------
    end : int
        The first gap that leads beyond the rate, or ``len(times)``.
    now, latest_s, cell
        As they are before that gap.
    """
    i, n_cells = begin, len(edges_s) - 1
    while i < len(times):
        following = now + times[i]
        while cell < n_cells and expected[cell + 1] <= following:
            cell += 1
        if cell == n_cells:
            break
        from_s, since, until = edges_s[cell], expected[cell], expected[cell + 1]
        # Not infinite, so that no requests take no time at the smallest of rates.
        per_request_s = min((edges_s[cell + 1] - from_s) / (until - since), _LARGEST)
        before_cell_s = latest_s
        while following < until:
            now = following
            latest_s = max(per_request_s * (now - since) + from_s, before_cell_s)
            times[i] = latest_s
            i += 1
            if i == len(times):
                break
            following = now + times[i]
    return i, now, latest_s, cell


@compiled
def pick(guide: Ints, cumulative: Floats, values: Floats, out: Floats) -> None:
    """Replace probabilities by the values that they reach.

    Parameters
    ----------
    guide : ndarray of int64
        Where in ``cumulative`` to begin for a probability of at least i / len(guide).
    cumulative, values : ndarray of float64, shape (n,)
        Cumulative probabilities, ascending to 1, and their values.
    out : ndarray of float64
        Probabilities, in (0, 1); each is replaced by the first value whose cumulative
        probability is not below it.
    """
    for i in range(len(out)):
        position = guide[int(out[i] * len(guide))]
        while cumulative[position] < out[i]:
            position += 1
        out[i] = values[position]


@compiled
def merge(
    first: Floats,
    first_source: Sources,
    i: int,
    first_end: int,
    second: Floats,
    second_source: Sources,
    j: int,
    second_end: int,
    out: Floats,
    source: Sources,
    n: int,
) -> tuple[int, int, int]:
    """Merge two sorted rows until one is used up or the output is full.

    Parameters
    ----------
    first, second : ndarray of float64, ascending
        The rows. Of equal ones the first's come first.
    first_source, second_source : ndarray of int32
        What goes with each.
    i, j : int
        Where to begin in each.
    first_end, second_end : int
        Where each ends.
    out, source : ndarray of float64, ndarray of int32
        Where they go.
    n : int
        Where to begin there.

    Returns
    -------
    n, i, j : int
        Where to go on.
    """
    while n < len(out) and i < first_end and j < second_end:
        # Chosen without a branch, which would be mispredicted half of the time.
        later = second[j] < first[i]
        out[n] = second[j] if later else first[i]
        source[n] = second_source[j] if later else first_source[i]
        n += 1
        i += not later
        j += later
    return n, i, j
