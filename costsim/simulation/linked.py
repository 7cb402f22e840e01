"""Replicas in doubly linked lists: every order that the pool needs, O(1) to join or leave.

A replica is known by its slot, and may be in each list once. Its ``links`` hold, for each list, the replica before
it and the one after; the pool's ``ends`` the first and the last.
"""

from __future__ import annotations

import numpy as np

from costsim.simulation.compiled import inlined, unsigned

NONE = (1 << 32) - 1
"""No replica."""

# The lists. Not Python's integers: numba compiles a function anew for each of those.
AVAILABLE = np.int64(0)
"""Ready with a free slot, by stamp: the least recently used first."""
TIMER = np.int64(1)
"""Idle with a timer, by (deadline, id)."""
ALIVE = np.int64(2)
"""Starting or ready, by id."""
STARTING = np.int64(3)
"""In their setup, by id."""
ROOM = np.int64(4)
"""Starting, and able to take one more glued request, by id; only under `bound`."""
STOPPED = np.int64(5)
"""Stopped, and not yet taken away, in the order of stopping."""
N_LISTS = 6


@inlined
def first(s, which):  # type: ignore[no-untyped-def]
    """Return the replica at the head of a list; NONE if it is empty."""
    return np.int64(s.pool.ends[2 * which])


@inlined
def last(s, which):  # type: ignore[no-untyped-def]
    """Return the replica at the tail of a list; NONE if it is empty."""
    return np.int64(s.pool.ends[2 * which + 1])


@inlined
def before(s, which, replica):  # type: ignore[no-untyped-def]
    """Return the replica before this one; NONE if it is the first."""
    return np.int64(s.life[unsigned(replica)].links[2 * which])


@inlined
def after(s, which, replica):  # type: ignore[no-untyped-def]
    """Return the replica after this one; NONE if it is the last."""
    return np.int64(s.life[unsigned(replica)].links[2 * which + 1])


@inlined
def _join(s, which, left, right):  # type: ignore[no-untyped-def]
    """Make `right` the one after `left`; NONE stands for the list's ends."""
    if left == NONE:
        s.pool.ends[2 * which] = right
    else:
        s.life[unsigned(left)].links[2 * which + 1] = right
    if right == NONE:
        s.pool.ends[2 * which + 1] = left
    else:
        s.life[unsigned(right)].links[2 * which] = left


@inlined
def insert_after(s, which, left, replica):  # type: ignore[no-untyped-def]
    """Add a replica after `left`, or at the head if that is NONE."""
    right = first(s, which) if left == NONE else after(s, which, left)
    _join(s, which, left, replica)
    _join(s, which, replica, right)


@inlined
def append(s, which, replica):  # type: ignore[no-untyped-def]
    """Add a replica at the tail."""
    _join(s, which, last(s, which), replica)
    _join(s, which, replica, NONE)


@inlined
def remove(s, which, replica):  # type: ignore[no-untyped-def]
    """Take a replica out; it must be in the list."""
    _join(s, which, before(s, which, replica), after(s, which, replica))
