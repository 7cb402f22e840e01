"""Requests put in order that come almost in order, with as few held as can be."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from costsim.records import Floats, Ints

Block: TypeAlias = "tuple[Floats, Ints]"
"""Arrivals [s], and the row of the trace of each."""
OpenBlock: TypeAlias = "tuple[Floats, Ints, float]"
"""A block in any order, and the moment before which nothing comes any more. [s]"""


def in_order(blocks: Iterable[OpenBlock]) -> Iterator[Block]:
    """Yield requests in the order of their arrival, those at one moment as they came.

    Blocks are the same ones wherever those that come in are cut, when joined. Held is
    what a later one may still overtake, and about as much of what has come since.
    """
    held: list[Block] = []
    n_held = n_new = 0
    for some_s, their_rows, final_s in blocks:
        held.append((some_s, their_rows))
        n_new += len(some_s)
        if n_new < n_held:
            continue  # so that what is held is not sorted for each block
        times_s, rows = _sorted(held)
        n = int(np.searchsorted(times_s, final_s))
        if n:
            yield times_s[:n], rows[:n]
        # Copies, so that nothing keeps what has gone.
        held = [(times_s[n:].copy(), rows[n:].copy())]
        n_held, n_new = len(times_s) - n, 0
    if held:
        times_s, rows = _sorted(held)
        if len(times_s):
            yield times_s, rows


def _sorted(blocks: list[Block]) -> Block:
    times_s = np.concatenate([block[0] for block in blocks])
    rows = np.concatenate([block[1] for block in blocks])
    order = np.argsort(times_s, kind="stable")
    return times_s[order], rows[order]
