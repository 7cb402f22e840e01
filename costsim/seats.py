"""A seat for each replica that is present, found by its id.

Ids grow with every launch, while a pass over a stream of records has to remember
something of each replica only until it stops. Seats are small numbers that are given out
again, so that such memory is as large as the pool once was, not as long as the run.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from costsim.compiling import compiled

Ints = npt.NDArray[np.int64]
Table = np.ndarray[Any, np.dtype[np.void]]

NOBODY = -1
"""No seat; no replica."""

_ENTRY_DTYPE = np.dtype([("id", "i8"), ("seat", "i8")])
_FEWEST = 64
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
"""2^64 over the golden ratio: its multiples spread ids that follow each other."""


class Seats:
    """Who sits where: a hash table with open addressing, never more than half full."""

    def __init__(self) -> None:
        self._entries = _empty(_FEWEST)
        self._free = np.arange(_FEWEST // 2)
        """Seats; the first `len(self)` of them are out of date."""
        self._n_taken = 0

    def __len__(self) -> int:
        return self._n_taken

    @property
    def n_seats(self) -> int:
        """Every seat given out so far is below this."""
        return self._free.size

    def take(self, ids: Ints) -> Ints:
        """Return the seat of each id, a new one where it has none; ids < 0 get NOBODY."""
        seats = np.empty(ids.size, np.int64)
        done = 0
        while True:
            done, self._n_taken = _take(
                ids, done, self._entries, self._free, self._n_taken, seats
            )
            if done == ids.size:
                return seats
            self._grow()

    def find(self, ids: Ints) -> Ints:
        """Return the seat of each id; NOBODY where it has none."""
        seats = np.empty(ids.size, np.int64)
        _find(ids, self._entries, seats)
        return seats

    def leave(self, ids: Ints) -> None:
        """Free the seats of these ids."""
        self._n_taken = _leave(ids, self._entries, self._free, self._n_taken)

    def _grow(self) -> None:
        entries = _empty(2 * self._entries.size)
        _move(self._entries, entries)
        self._entries = entries
        more = np.arange(self._free.size, 2 * self._free.size)
        self._free = np.concatenate([self._free, more])


def _empty(size: int) -> Table:
    entries = np.empty(size, _ENTRY_DTYPE)
    entries["id"] = NOBODY
    return entries


@compiled
def _home(replica: np.int64, entries: Table) -> np.int64:
    """Return the place where an id is looked for first."""
    spread = (np.uint64(replica) * _GOLDEN) >> np.uint64(32)
    return np.int64(spread & np.uint64(entries.size - 1))


@compiled
def _place(replica: np.int64, entries: Table) -> np.int64:
    """Return the place of an id, or the empty one where it would be."""
    place = _home(replica, entries)
    while entries[place].id != replica and entries[place].id != NOBODY:
        place = (place + 1) & (entries.size - 1)
    return place


@compiled
def _take(
    ids: Ints, done: int, entries: Table, free: Ints, n_taken: int, seats: Ints
) -> tuple[int, int]:
    """Seat ids from `done` on until no seat is left; return how far that went."""
    for i in range(done, ids.size):
        if ids[i] < 0:
            seats[i] = NOBODY
            continue
        entry = entries[_place(ids[i], entries)]
        if entry.id == NOBODY:
            if n_taken == free.size:
                return i, n_taken
            entry.id = ids[i]
            entry.seat = free[n_taken]
            n_taken += 1
        seats[i] = entry.seat
    return ids.size, n_taken


@compiled
def _find(ids: Ints, entries: Table, seats: Ints) -> None:
    for i in range(ids.size):
        entry = entries[_place(ids[i], entries)]
        seats[i] = NOBODY if entry.id == NOBODY else entry.seat


@compiled
def _leave(ids: Ints, entries: Table, free: Ints, n_taken: int) -> int:
    """Free seats; return how many are taken still."""
    for replica in ids:
        gap = _place(replica, entries)
        if entries[gap].id == NOBODY:
            continue
        n_taken -= 1
        free[n_taken] = entries[gap].seat
        _close(gap, entries)
    return n_taken


@compiled
def _close(gap: np.int64, entries: Table) -> None:
    """Empty a place, and move up those who would not be found past an empty one."""
    mask = entries.size - 1
    place = (gap + 1) & mask
    while entries[place].id != NOBODY:
        away = (place - _home(entries[place].id, entries)) & mask
        if away >= ((place - gap) & mask):
            entries[gap].id = entries[place].id
            entries[gap].seat = entries[place].seat
            gap = place
        place = (place + 1) & mask
    entries[gap].id = NOBODY


@compiled
def _move(entries: Table, roomier: Table) -> None:
    for i in range(entries.size):
        if entries[i].id != NOBODY:
            entry = roomier[_place(entries[i].id, roomier)]
            entry.id = entries[i].id
            entry.seat = entries[i].seat
