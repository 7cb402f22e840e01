"""The largest of the values noted within a sliding window.

Of the values in the window those that a later and larger one outlives can never be the
answer; what is left falls from the oldest to the latest, so the answer is the oldest. Each
value joins and leaves once: a decision costs the same for a window of a day.

A window is a part of a ring of ``NOTE_DTYPE``; its four numbers say which part and how
much of it is in use. It needs room for as many notes as a window may hold, and one more.
"""

from __future__ import annotations

import numpy as np

from costsim.simulation.compiled import inner

NOTE_DTYPE = np.dtype([("at", "f8"), ("value", "i8")])
"""What was noted, and when: a time [s], or the number of a slot of time."""

# The numbers of a window.
OFFSET = 0
"""Where its part of the ring begins."""
SIZE = 1
"""Room for so many notes."""
HEAD = 2
"""Its oldest note, counted from the offset."""
LENGTH = 3
"""Notes in it."""

_OLDEST = np.int64(0)


@inner
def _place(window, n):  # type: ignore[no-untyped-def]
    """Return where the n-th note of a window is, from the oldest."""
    return window[OFFSET] + (window[HEAD] + n) % window[SIZE]


@inner
def largest_since(ring, window, at, value, after):  # type: ignore[no-untyped-def]
    """Note a value and return the largest that was noted later than `after`.

    Parameters
    ----------
    ring : ndarray of NOTE_DTYPE
    window : ndarray of int64, shape (4,)
    at : float
        No earlier than the last note.
    value : int
    after : float
        Notes at this time or earlier are forgotten; before `at`, or the value itself is
        all that counts.
    """
    while window[LENGTH] > 0 and ring[_place(window, _OLDEST)].at <= after:
        window[HEAD] = (window[HEAD] + 1) % window[SIZE]
        window[LENGTH] -= 1
    while window[LENGTH] > 0:
        latest = ring[_place(window, window[LENGTH] - 1)]
        if latest.value > value:
            break
        window[LENGTH] -= 1
    # At the time of a larger one it would be forgotten together with that.
    hidden = window[LENGTH] > 0 and ring[_place(window, window[LENGTH] - 1)].at == at
    if not hidden:
        note = ring[_place(window, window[LENGTH])]
        note.at = at
        note.value = value
        window[LENGTH] += 1
    return ring[_place(window, _OLDEST)].value
