"""Compiled loops: arrivals placed in time, sessions, excitation, values looked up."""

from __future__ import annotations

import math
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
def unfold(
    starts_s: Floats, counts: Ints, gaps_s: Floats, horizon_s: float, out: Floats
) -> int:
    """Write the requests of sessions, those at or after the horizon left out.

    Parameters
    ----------
    starts_s : ndarray of float64
        The first request of each session. [s]
    counts : ndarray of int64
        Requests of each session, 1 at least.
    gaps_s : ndarray of float64, shape (sum(counts) - n_sessions,)
        Times between them, session by session. [s]
    horizon_s : float
        End of the run. [s]
    out : ndarray of float64, shape (sum(counts),)
        Where they go, session by session. [s]

    Returns
    -------
    int
        How many there are.
    """
    n = gap = 0
    for i in range(len(starts_s)):
        now = starts_s[i]
        for k in range(counts[i]):
            if k > 0:
                now += gaps_s[gap]
                gap += 1
            if now < horizon_s:
                out[n] = now
                n += 1
    return n


@compiled
def excite(
    immigrants_s: Floats,
    i: int,
    n_immigrants: int,
    thresholds: Floats,
    j: int,
    decay_per_s: float,
    jump_per_s: float,
    state: Floats,
    out: Floats,
    n: int,
) -> tuple[int, int, int]:
    r"""Merge immigrants with the requests that requests set off, with an exponential kernel.

    The excess intensity x falls as :math:`e^{-\beta t}` and jumps at each request. The
    next request that is set off comes when its integral reaches an exponential number.

    Parameters
    ----------
    immigrants_s : ndarray of float64, ascending
        Requests that come by themselves. [s]
    i, n_immigrants : int
        Where to begin there, and where they end.
    thresholds : ndarray of float64
        Exponential numbers of mean 1.
    j : int
        Where to begin there.
    decay_per_s : float
        Rate beta at which the excess falls. [1/s]
    jump_per_s : float
        By how much it jumps. [requests/s]
    state : ndarray of float64, shape (3,)
        Now [s], the excess [requests/s], what is left until the threshold [requests].
    out : ndarray of float64
        Where requests go. [s]
    n : int
        Where to begin there.

    Returns
    -------
    n, i, j : int
        Where to go on.
    """
    now, excess, left = state[0], state[1], state[2]
    while n < len(out) and i < n_immigrants and j < len(thresholds):
        share = left * decay_per_s / excess if excess > 0.0 else 2.0
        child_s = now - math.log1p(-share) / decay_per_s if share < 1.0 else math.inf
        if child_s < immigrants_s[i]:
            now = child_s
            excess -= left * decay_per_s
            left = thresholds[j]
            j += 1
        else:
            kept = excess * math.exp(-decay_per_s * (immigrants_s[i] - now))
            left = max(left - (excess - kept) / decay_per_s, 0.0)
            excess = kept
            now = immigrants_s[i]
            i += 1
        excess += jump_per_s
        out[n] = now
        n += 1
    state[0], state[1], state[2] = now, excess, left
    return n, i, j


@compiled
def autoregress(keep: float, renew: float, before: float, out: Floats) -> None:
    """Replace independent numbers z by x' = keep x + renew z, each from the one before."""
    x = before
    for i in range(len(out)):
        x = keep * x + renew * out[i]
        out[i] = x


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
