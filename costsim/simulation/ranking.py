"""A tournament tree over replicas in id order: who is first by load, or by id.

Leaf ``size + position`` holds a replica's rank, lower is better, or ``OUT``; each inner
node the smaller rank below it. Positions grow with launches; when they run out, the
stopped replicas are squeezed out, so the tree stays within four times the largest number
of replicas alive at once, however long the run.
"""

from __future__ import annotations

import numpy as np

from costsim.simulation.compiled import compiled, inlined

OUT = np.iinfo(np.int64).max
"""Rank of a replica that cannot take a request."""

_FIRST_SIZE = 16


def empty_ranking(n_replicas: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the tree, the replica at each position, and (size, positions used)."""
    size = _FIRST_SIZE
    while size < 2 * n_replicas:
        size *= 2
    tree = np.empty(2 * size, dtype=np.int64)
    tree[: 2 * _FIRST_SIZE] = OUT
    return tree, np.empty(size, dtype=np.int32), np.array([_FIRST_SIZE, 0])


@inlined
def set_rank(tree, shape, position, rank):  # type: ignore[no-untyped-def]
    """Give the replica at a position its rank."""
    node = shape[0] + position
    tree[node] = rank
    while node > 1:
        node >>= 1
        best = min(tree[2 * node], tree[2 * node + 1])
        if tree[node] == best:
            break
        tree[node] = best


@inlined
def first_ranked(tree, shape):  # type: ignore[no-untyped-def]
    """Return the position of the best rank, the smallest id among equals; -1 if none."""
    if tree[1] == OUT:
        return -1
    node = 1
    while node < shape[0]:
        node = 2 * node if tree[2 * node] <= tree[2 * node + 1] else 2 * node + 1
    return node - shape[0]


@inlined
def last_ranked(tree, shape):  # type: ignore[no-untyped-def]
    """Return the position of the best rank, the largest id among equals; -1 if none."""
    if tree[1] == OUT:
        return -1
    node = 1
    while node < shape[0]:
        node = 2 * node + 1 if tree[2 * node + 1] <= tree[2 * node] else 2 * node
    return node - shape[0]


@compiled
def next_ranked(tree, shape, position):  # type: ignore[no-untyped-def]
    """Return the first position from `position` on that is not OUT; -1 if none."""
    if position >= shape[0]:
        return -1
    node = shape[0] + position
    if tree[node] != OUT:
        return position
    # Climb until a subtree to the right has somebody, then go down its left side.
    while node > 1 and (node & 1 or tree[node + 1] == OUT):
        node >>= 1
    if node == 1:
        return -1
    node += 1
    while node < shape[0]:
        node = 2 * node if tree[2 * node] != OUT else 2 * node + 1
    return node - shape[0]


@compiled
def position_after(replica_at, shape, replica):  # type: ignore[no-untyped-def]
    """Return the first position whose replica has a larger id."""
    low = 0
    high = shape[1]
    while low < high:
        middle = (low + high) >> 1
        if replica_at[middle] <= replica:
            low = middle + 1
        else:
            high = middle
    return low
