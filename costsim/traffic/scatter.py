"""Requests of bins by compiled loops: each bin's one after the other, all bins in order.

Of a bin only the next request is known, so that a bin of a billion requests needs no
more memory than one of two. Bins that overlap wait in a heap, by their next request.

Random numbers come from outside. A request that finds too few of them is begun anew
with the same ones and more, so that it does not matter how many there are at once.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from costsim.traffic.compiled import compiled, inlined

if TYPE_CHECKING:
    from typing import TypeAlias

    from costsim.records import Floats, Ints

    Drawn: TypeAlias = tuple[float, int, int]

FULL, NO_BINS, NO_NUMBERS, NO_ROOM = 0, 1, 2, 3
"""Why ``scatter`` came back: all is filled, or something has to be given."""
NEXT_BIN, N_OPEN, NEXT_EXPONENTIAL, NEXT_NORMAL = 0, 1, 2, 3
"""Positions in ``at``: bins and numbers taken from their arrays, bins in the heap."""
BEGIN_S, WIDTH_S, SHAPE, AHEAD, BEHIND, N_PLACES = 0, 1, 2, 3, 4, 5
"""Columns of ``places``. Ahead and behind are shares of a bin: what is left for the gaps
to come, and what the gap that is cut by the bin's ends takes at its end."""
ROW, LEFT, N_TASKS = 0, 1, 2
"""Columns of ``tasks``: the bin's row in the trace, and how many requests are to come."""


@inlined
def _log_gamma(
    shape: float, normals: Floats, z: int, exponentials: Floats, e: int
) -> Drawn:
    """Return the logarithm of a gamma number (Marsaglia and Tsang); z is -1 if not.

    Below a shape k of 1 it is of shape k + 1, times U^(1/k); as a logarithm, since for a
    small k it is too near to 0.
    """
    most = (shape if shape >= 1.0 else shape + 1.0) - 1.0 / 3.0
    slope = 1.0 / math.sqrt(9.0 * most)
    while z < len(normals) and e + 1 < len(exponentials):
        x = normals[z]
        z += 1
        root = 1.0 + slope * x
        if root <= 0.0:
            continue
        log_v = 3.0 * math.log(root)
        log_u = -exponentials[e]
        e += 1
        if log_u < 0.5 * x * x + most * (1.0 - root * root * root + log_v):
            value = math.log(most) + log_v
            if shape < 1.0:
                value -= exponentials[e] / shape
                e += 1
            return value, z, e
    return 0.0, -1, e


@inlined
def _kept(
    own: float, others: float, normals: Floats, z: int, exponentials: Floats, e: int
) -> Drawn:
    """Return 1 - b with b of a beta law: what one gap leaves to those after it."""
    if others <= 0.0:
        return 0.0, z, e
    log_own, z, e = _log_gamma(own, normals, z, exponentials, e)
    if z < 0:
        return 0.0, -1, e
    log_others, z, e = _log_gamma(others, normals, z, exponentials, e)
    return 1.0 / (1.0 + math.exp(log_own - log_others)), z, e


@inlined
def _time_s(places: Floats, slot: int) -> float:
    """Return when a bin's next request arrives."""
    # Rounding may lead before the bin's begin.
    share = max(0.0, 1.0 - places[slot, BEHIND] - places[slot, AHEAD])
    time_s: float = places[slot, BEGIN_S] + places[slot, WIDTH_S] * share
    return time_s


@inlined
def _begin(
    places: Floats,
    slot: int,
    n: int,
    normals: Floats,
    z: int,
    exponentials: Floats,
    e: int,
) -> tuple[int, int]:
    """Place a bin's first request; z is -1 if there are too few numbers."""
    shape = places[slot, SHAPE]
    if e == len(exponentials):
        return -1, e
    drawn = exponentials[e]
    e += 1
    if shape == 1.0:
        places[slot, AHEAD], places[slot, BEHIND] = math.exp(-drawn / n), 0.0
        return z, e
    # The gap that the bin's ends cut is met in proportion to its length.
    kept, z, e = _kept(shape + 1.0, shape * (n - 1), normals, z, exponentials, e)
    places[slot, AHEAD] = kept
    places[slot, BEHIND] = (1.0 - kept) * math.exp(-drawn)
    return z, e


@inlined
def _go_on(
    places: Floats,
    slot: int,
    n: int,
    normals: Floats,
    z: int,
    exponentials: Floats,
    e: int,
) -> tuple[int, int]:
    """Place the next of the n requests that a bin has left; z is -1 if it cannot be."""
    shape = places[slot, SHAPE]
    if shape == 1.0:
        if e == len(exponentials):
            return -1, e
        places[slot, AHEAD] *= math.exp(-exponentials[e] / n)
        return z, e + 1
    kept, z, e = _kept(shape, shape * (n - 1), normals, z, exponentials, e)
    if z >= 0:
        places[slot, AHEAD] *= kept
    return z, e


@inlined
def _up(heap_s: Floats, heap_slot: Ints, i: int) -> None:
    """Move an entry of the heap to its place, from the end."""
    time_s, slot = heap_s[i], heap_slot[i]
    while i > 0 and time_s < heap_s[(i - 1) // 2]:
        above = (i - 1) // 2
        heap_s[i], heap_slot[i] = heap_s[above], heap_slot[above]
        i = above
    heap_s[i], heap_slot[i] = time_s, slot


@inlined
def _down(heap_s: Floats, heap_slot: Ints, n: int) -> None:
    """Move the first entry of a heap of n to its place."""
    time_s, slot, i = heap_s[0], heap_slot[0], 0
    while 2 * i + 1 < n:
        below = 2 * i + 1
        if below + 1 < n and heap_s[below + 1] < heap_s[below]:
            below += 1
        if time_s <= heap_s[below]:
            break
        heap_s[i], heap_slot[i] = heap_s[below], heap_slot[below]
        i = below
    heap_s[i], heap_slot[i] = time_s, slot


@inlined
def _open(
    one: Floats,
    counted: Ints,
    at: Ints,
    places: Floats,
    tasks: Ints,
    heap_s: Floats,
    heap_slot: Ints,
    exponentials: Floats,
    normals: Floats,
) -> int:
    """Put the next bin into the heap, if it has requests; say what is missing if not."""
    n_open = at[N_OPEN]
    if counted[LEFT] > 0:
        if n_open == len(heap_s):
            return NO_ROOM
        slot = heap_slot[n_open]
        places[slot, BEGIN_S], places[slot, WIDTH_S] = one[BEGIN_S], one[WIDTH_S]
        places[slot, SHAPE] = one[SHAPE]
        tasks[slot, ROW], tasks[slot, LEFT] = counted[ROW], counted[LEFT]
        z, e = _begin(
            places, slot, counted[LEFT], normals, at[NEXT_NORMAL], exponentials,
            at[NEXT_EXPONENTIAL],
        )  # fmt: skip
        if z < 0:
            return NO_NUMBERS
        at[NEXT_EXPONENTIAL], at[NEXT_NORMAL] = e, z
        heap_s[n_open] = _time_s(places, slot)
        _up(heap_s, heap_slot, n_open)
        at[N_OPEN] = n_open + 1
    at[NEXT_BIN] += 1
    return FULL


@inlined
def _take(
    at: Ints,
    places: Floats,
    tasks: Ints,
    heap_s: Floats,
    heap_slot: Ints,
    exponentials: Floats,
    normals: Floats,
) -> bool:
    """Have the next request of the first bin in place of its first one, if it can be."""
    slot, n_open = heap_slot[0], at[N_OPEN]
    left = tasks[slot, LEFT] - 1
    if left > 0:
        z, e = _go_on(
            places, slot, left, normals, at[NEXT_NORMAL], exponentials,
            at[NEXT_EXPONENTIAL],
        )  # fmt: skip
        if z < 0:
            return False
        at[NEXT_EXPONENTIAL], at[NEXT_NORMAL] = e, z
        tasks[slot, LEFT] = left
        heap_s[0] = _time_s(places, slot)
    else:
        n_open -= 1
        heap_s[0], heap_slot[0] = heap_s[n_open], heap_slot[n_open]
        heap_slot[n_open] = slot
        at[N_OPEN] = n_open
    _down(heap_s, heap_slot, n_open)
    return True


@compiled
def scatter(
    bins: Floats,
    counts: Ints,
    last: bool,
    at: Ints,
    places: Floats,
    tasks: Ints,
    heap_s: Floats,
    heap_slot: Ints,
    exponentials: Floats,
    normals: Floats,
    out: Floats,
    rows: Ints,
    n: int,
) -> tuple[int, int]:
    r"""Fill arrays with the requests of bins, in the order of their arrival.

    n requests of a bin lie as n gamma gaps of shape k on a circle of the bin's width
    that is cut at a uniform place: the gap that is cut is of shape k + 1, and a uniform
    share of it lies before the first request. Each gap takes a beta(k, k (m - 1)) share
    of what is left to the last m. At k = 1 these are n independent uniform moments in
    their order, of which the next leaves :math:`U^{1/m}` of what m have left.

    Parameters
    ----------
    bins : ndarray of float64, shape (n_bins, 3)
        Begin [s], width [s] and shape of the gaps [1], in the order of begins.
    counts : ndarray of int64, shape (n_bins, 2)
        Row and requests of each.
    last : bool
        Whether no more bins follow.
    at : ndarray of int64, shape (4,)
        How far bins and numbers are taken; it is moved on.
    places, tasks : ndarray, shapes (n_slots, N_PLACES), (n_slots, N_TASKS)
        The bins that are in the heap.
    heap_s, heap_slot : ndarray, shape (n_slots,)
        Their next requests as a heap [s]; behind it the slots that are free.
    exponentials, normals : ndarray of float64
        Random numbers.
    out, rows : ndarray of float64, ndarray of int64
        Where arrivals [s] and the rows of their bins go.
    n : int
        Where to begin there.

    Returns
    -------
    why, n : int
        Why it came back, and where to go on.
    """
    while True:
        i, n_open = at[NEXT_BIN], at[N_OPEN]
        if i < len(bins) and (n_open == 0 or bins[i, BEGIN_S] <= heap_s[0]):
            why = _open(
                bins[i], counts[i], at, places, tasks, heap_s, heap_slot, exponentials,
                normals,
            )  # fmt: skip
            if why != FULL:
                return why, n
            continue
        if n_open == 0 or (i == len(bins) and not last):
            return NO_BINS, n
        if n == len(out):
            return FULL, n
        time_s, slot = heap_s[0], heap_slot[0]
        if not _take(at, places, tasks, heap_s, heap_slot, exponentials, normals):
            return NO_NUMBERS, n
        out[n], rows[n] = time_s, tasks[slot, ROW]
        n += 1
