"""The lowest of many positions that are on: words of 32 bits above words of bits.

A bit on a level says that the word below it has a bit on. Levels lie one after the other,
each with room for the largest size, so that growing moves nothing; only as many are used
as the size needs, and the top one is a single word.
"""

from __future__ import annotations

import numpy as np

from costsim.simulation.compiled import inlined, unsigned

_FAN_BITS = 5
FAN = 1 << _FAN_BITS
"""Bits of a word."""
_FAN_MASK = FAN - 1
FIRST_POSITIONS = 1 << (2 * _FAN_BITS)
MOST_POSITIONS = 1 << (5 * _FAN_BITS)
N_WORDS = sum(MOST_POSITIONS >> (_FAN_BITS * level) for level in range(1, 6))
NOT_ONE = np.int64(-1)


def room_for_positions(n_replicas: int) -> int:
    """Return the size that may be grown to with so many replicas alive at once."""
    size = FIRST_POSITIONS
    while size < 2 * n_replicas:
        size *= FAN
    return size


@inlined
def turn_on(words, size, position):  # type: ignore[no-untyped-def]
    """Turn a position on."""
    base = np.int64(0)
    width = np.int64(MOST_POSITIONS)
    while True:
        width >>= _FAN_BITS
        place = unsigned(base + (position >> _FAN_BITS))
        word = words[place]
        words[place] = word | (1 << (position & _FAN_MASK))
        size >>= _FAN_BITS
        # With a bit on there already, those above are on.
        if word != 0 or size == 1:
            return
        base += width
        position >>= _FAN_BITS


@inlined
def turn_off(words, size, position):  # type: ignore[no-untyped-def]
    """Turn a position off that is on."""
    base = np.int64(0)
    width = np.int64(MOST_POSITIONS)
    while True:
        width >>= _FAN_BITS
        place = unsigned(base + (position >> _FAN_BITS))
        words[place] &= ~(1 << (position & _FAN_MASK))
        size >>= _FAN_BITS
        if words[place] != 0 or size == 1:
            return
        base += width
        position >>= _FAN_BITS


@inlined
def lowest(words, size):  # type: ignore[no-untyped-def]
    """Return the lowest position that is on; NOT_ONE if none is."""
    base = np.int64(0)
    width = np.int64(MOST_POSITIONS >> _FAN_BITS)
    size >>= _FAN_BITS
    while size > 1:
        base += width
        width >>= _FAN_BITS
        size >>= _FAN_BITS
    position = np.int64(0)
    word = words[unsigned(base)]
    if word == 0:
        return NOT_ONE
    while True:
        position = (position << _FAN_BITS) | _lowest_bit(word)
        if base == 0:
            return position
        width <<= _FAN_BITS
        base -= width
        word = words[unsigned(base + position)]


@inlined
def _lowest_bit(word):  # type: ignore[no-untyped-def]
    """Return the number of the lowest bit of a word: the exponent of what it is worth."""
    return (np.float64(word & -word).view(np.int64) >> 52) - 1023
