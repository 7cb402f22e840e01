"""A tournament tree over replicas in id order: who is first by load, or by id.

Leaf ``size + position`` holds a replica's rank, lower is better, or ``OUT``; each inner
node the smaller rank below it. A rank contains its position, so that the root says at
once whose it is. ``tree`` may be larger than the ``2 * size`` in use.
"""

from __future__ import annotations

import numpy as np

from costsim.simulation.compiled import inlined, inner, unsigned

OUT = np.int64(np.iinfo(np.int64).max)
"""Rank of a replica that cannot take a request."""

FIRST_SIZE = 16
POSITION_MASK = (1 << 32) - 1
"""The low bits of a rank, which hold the position."""


def room_for(n_replicas: int) -> int:
    """Return the size that a tree may grow to with so many replicas alive at once."""
    size = FIRST_SIZE
    while size < 4 * n_replicas:
        size *= 2
    return size


@inlined
def set_rank(tree, size, position, rank):  # type: ignore[no-untyped-def]
    """Give the replica at a position its rank."""
    node = size + position
    tree[unsigned(node)] = rank
    # All the way up: to stop where nothing changes costs more, in wrong guesses.
    while node > 1:
        rank = min(rank, tree[unsigned(node ^ 1)])
        node >>= 1
        tree[unsigned(node)] = rank


@inner
def next_ranked(tree, size, position):  # type: ignore[no-untyped-def]
    """Return the best rank of the first position from `position` on that has one."""
    if position >= size:
        return OUT
    node = size + position
    # Climb until a subtree to the right has somebody, then go down its left side.
    if tree[node] == OUT:
        while node > 1 and (node & 1 or tree[node + 1] == OUT):
            node >>= 1
        if node == 1:
            return OUT
        node += 1
        while node < size:
            node = 2 * node if tree[2 * node] != OUT else 2 * node + 1
    return tree[node]


@inner
def position_after(enrolled, used, entry):  # type: ignore[no-untyped-def]
    """Return the first of the `used` positions whose entry, by id, is larger."""
    low = 0
    high = used
    while low < high:
        middle = (low + high) >> 1
        if enrolled[middle] <= entry:
            low = middle + 1
        else:
            high = middle
    return low
