"""Replicas in doubly linked lists: every order that the pool needs, O(1) to join or leave.

A replica may be in each list once. ``links[replica, 2 * which]`` is the one before it,
``links[replica, 2 * which + 1]`` the one after; ``ends[which]`` holds head and tail.
"""

from __future__ import annotations

import numpy as np

from costsim.simulation.compiled import inlined

NONE = -1
"""No replica."""

AVAILABLE = 0
"""Ready with a free slot, by stamp: the least recently used first."""
TIMER = 1
"""Idle with a timer, by (deadline, id)."""
ALIVE = 2
"""Starting or ready, by id."""
STARTING = 3
"""In their setup, by id."""
ROOM = 4
"""Starting, and able to take one more glued request, by id; only under `bound`."""
N_LISTS = 5


def empty_lists(n_replicas: int) -> tuple[np.ndarray, np.ndarray]:
    """Return ``links`` and ``ends`` for so many replicas.

    Links of a replica are written when it joins a list, so they need no first value.
    """
    links = np.empty((n_replicas, 2 * N_LISTS), dtype=np.int32)
    return links, np.full((N_LISTS, 2), NONE, dtype=np.int32)


@inlined
def append(links, ends, which, replica):  # type: ignore[no-untyped-def]
    """Add a replica at the tail."""
    tail = ends[which, 1]
    links[replica, 2 * which] = tail
    links[replica, 2 * which + 1] = NONE
    if tail == NONE:
        ends[which, 0] = replica
    else:
        links[tail, 2 * which + 1] = replica
    ends[which, 1] = replica


@inlined
def insert_after(links, ends, which, before, replica):  # type: ignore[no-untyped-def]
    """Add a replica after `before`, or at the head if that is NONE."""
    after = ends[which, 0] if before == NONE else links[before, 2 * which + 1]
    links[replica, 2 * which] = before
    links[replica, 2 * which + 1] = after
    if before == NONE:
        ends[which, 0] = replica
    else:
        links[before, 2 * which + 1] = replica
    if after == NONE:
        ends[which, 1] = replica
    else:
        links[after, 2 * which] = replica


@inlined
def remove(links, ends, which, replica):  # type: ignore[no-untyped-def]
    """Take a replica out; it must be in the list."""
    before = links[replica, 2 * which]
    after = links[replica, 2 * which + 1]
    if before == NONE:
        ends[which, 0] = after
    else:
        links[before, 2 * which + 1] = after
    if after == NONE:
        ends[which, 1] = before
    else:
        links[after, 2 * which] = before
