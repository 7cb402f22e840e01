"""Rows that are bins of time: how wide they are, and how many requests are in each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from costsim.errors import TraceError
from costsim.traffic.formats.moments import NS_PER_S

if TYPE_CHECKING:
    from costsim.records import Floats, Ints

_ROUNDING = 1e-6
"""Counts that come of rates miss whole numbers by this. [1]"""


class Widths:
    """Widths of bins by key: the most frequent difference of their times."""

    def __init__(self) -> None:
        self._steps: dict[int, dict[int, int]] = {}
        self._last: dict[int, int] = {}

    def add(self, key: Ints, time_ns: Ints) -> None:
        """Look at some bins, in the order of the file."""
        order = np.lexsort((time_ns, key))
        keys, times = key[order], time_ns[order]
        same = keys[1:] == keys[:-1]
        steps = (times[1:] - times[:-1])[same]
        pairs = np.stack((keys[1:][same], steps), axis=1)[steps > 0]
        found, counts = np.unique(pairs, axis=0, return_counts=True)
        for (one, step), n in zip(found.tolist(), counts.tolist(), strict=True):
            self._count(one, step, n)
        begins = np.flatnonzero(np.r_[True, ~same]) if len(keys) else np.array([], int)
        ends = np.r_[begins[1:] - 1, len(keys) - 1] if len(keys) else begins
        for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
            one = int(keys[begin])
            step = int(times[begin]) - self._last.get(one, int(times[begin]))
            if step > 0:
                self._count(one, step, 1)
            self._last[one] = int(times[end])

    def _count(self, key: int, step: int, n: int) -> None:
        steps = self._steps.setdefault(key, {})
        steps[step] = steps.get(step, 0) + n

    def of(self, n_keys: int, path: str) -> Floats:
        """Return the width of each key's bins; the last is that of bins without key. [s]

        Raises
        ------
        TraceError
            If there are no two bins to tell it by.
        """
        if not self._steps:
            message = (
                "has counts of requests, but no two bins to tell their width by; "
                "set traffic.trace.bin"
            )
            raise TraceError(message, path=path)
        total: dict[int, int] = {}
        for steps in self._steps.values():
            for step, n in steps.items():
                total[step] = total.get(step, 0) + n
        widths = np.full(n_keys + 1, _most_frequent(total) / NS_PER_S)
        for key, steps in self._steps.items():
            widths[key] = _most_frequent(steps) / NS_PER_S
        return widths


def _most_frequent(steps: dict[int, int]) -> int:
    return min(steps, key=lambda step: (-steps[step], step))


class WholeCounts:
    """Makes counts whole, bin by bin, so that the running total of each key is kept.

    Parameters
    ----------
    n_keys : int
        How many keys there are.
    """

    def __init__(self, n_keys: int) -> None:
        # Bins without a key are those of the last place.
        self._total = np.zeros(n_keys + 1)
        self._done = np.zeros(n_keys + 1)

    def take(self, key: Ints, count: Floats) -> Floats:
        """Return whole counts of some bins in the order of time."""
        order = np.argsort(key, kind="stable")
        keys, counts = key[order], count[order]
        begins = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
        groups = np.repeat(np.arange(len(begins)), np.diff(np.r_[begins, len(keys)]))
        running = np.cumsum(counts)
        before = (running - counts)[begins]
        total = running - before[groups] + self._total[keys]
        whole = np.floor(total + _ROUNDING)
        previous = np.r_[0.0, whole[:-1]]
        previous[begins] = self._done[keys[begins]]
        ends = np.r_[begins[1:], len(keys)] - 1
        self._total[keys[ends]] = total[ends]
        self._done[keys[ends]] = whole[ends]
        result = np.empty(len(count))
        result[order] = whole - previous
        return result
