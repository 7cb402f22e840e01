"""A perfect autoscaler: it knows every request ahead, and lets none of them wait.

With n(t) requests in service at t, each as it comes, at least ceil(n(t) / slots) replicas
are busy. Seen level by level, the k-th of them is needed in some spans and not in between;
over each gap it is cheaper either to keep it idle or to stop it and start another one in
time. Both costs add up over levels, so that the cheaper choice for each gap is the cheapest
plan there is (M. Lin, A. Wierman, L. Andrew, E. Thereska, Dynamic right-sizing for
power-proportional data centers, IEEE INFOCOM 2011, where the same costs are decided on
without the future).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from costsim.simulation.compiled import compiled

if TYPE_CHECKING:
    from costsim.records import Floats, Ints


@dataclass(frozen=True)
class PerfectUse:
    """What a perfect autoscaler's replicas do."""

    work_s: float
    """Sum of all times in service. [s]"""
    busy_s: float
    """Replica-seconds with a request in service. [s]"""
    idle_s: float
    """Replica-seconds ready and idle, where that was cheaper than another setup. [s]"""
    setups: int
    """Launches."""


class PerfectAutoscaler:
    """Takes requests as they come.

    Parameters
    ----------
    slots : int
        Requests that a replica serves at once, without slowing down.
    setup_cost_s : float
        What a launch costs, in billed replica-seconds: the longest gap worth idling over. [s]
    idle_rate : float
        Price of an idle second over that of any other; 0: idle time is free. [1]
    initial_replicas : int
        Replicas that are ready at 0 without a launch.
    """

    def __init__(
        self, slots: int, setup_cost_s: float, idle_rate: float, initial_replicas: int
    ) -> None:
        self._slots = slots
        self._setup_cost_s = setup_cost_s
        self._idle_rate = idle_rate
        self._ends_s = np.empty(0)
        self._free_since_s = np.zeros(initial_replicas)
        self._counts = np.zeros(3, dtype=np.int64)
        self._sums_s = np.zeros(4)

    def feed(self, arrival_s: Floats, service_time_s: Floats) -> None:
        """Let requests arrive, none before those of the last call.

        Parameters
        ----------
        arrival_s, service_time_s : ndarray of float64, shape (n,)
            When they come, ascending, and how long each takes. [s]
        """
        most = int(self._counts[_IN_SERVICE]) + arrival_s.size
        self._ends_s = _roomier(self._ends_s, most, np.inf)
        # A level that was never needed has been free for ever: it takes a launch.
        levels = -(-most // self._slots)
        self._free_since_s = _roomier(self._free_since_s, levels, -np.inf)
        _arrive(
            arrival_s,
            service_time_s,
            self._slots,
            self._setup_cost_s,
            self._idle_rate,
            self._ends_s,
            self._free_since_s,
            self._counts,
            self._sums_s,
        )

    def finish(self) -> PerfectUse:
        """Return what all of it took, once the last request has been served."""
        _serve_until(
            np.inf,
            self._slots,
            self._ends_s,
            self._free_since_s,
            self._counts,
            self._sums_s,
        )
        return PerfectUse(
            work_s=float(self._sums_s[_WORK]),
            busy_s=float(self._sums_s[_BUSY]),
            idle_s=float(self._sums_s[_IDLE]),
            setups=int(self._counts[_SETUPS]),
        )


_IN_SERVICE, _BUSY_REPLICAS, _SETUPS = range(3)
_NOW, _WORK, _BUSY, _IDLE = range(4)


def _roomier(values: Floats, size: int, fill: float) -> Floats:
    """Return the values with room for as many, at least."""
    if values.size >= size:
        return values
    room = np.full(max(size, 2 * values.size), fill)
    room[: values.size] = values
    return room


@compiled
def _arrive(
    arrival_s: Floats,
    service_time_s: Floats,
    slots: int,
    setup_cost_s: float,
    idle_rate: float,
    ends_s: Floats,
    free_since_s: Floats,
    counts: Ints,
    sums_s: Floats,
) -> None:
    """Serve each request at once, on a replica that was kept or started for it."""
    for i in range(arrival_s.size):
        now_s = arrival_s[i]
        _serve_until(now_s, slots, ends_s, free_since_s, counts, sums_s)
        busy = counts[_BUSY_REPLICAS]
        sums_s[_BUSY] += busy * (now_s - sums_s[_NOW])
        sums_s[_WORK] += service_time_s[i]
        sums_s[_NOW] = now_s
        _push(ends_s, counts[_IN_SERVICE], now_s + service_time_s[i])
        counts[_IN_SERVICE] += 1
        if counts[_IN_SERVICE] > busy * slots:
            gap_s = now_s - free_since_s[busy]
            if gap_s * idle_rate <= setup_cost_s and gap_s < np.inf:
                sums_s[_IDLE] += gap_s
            else:
                counts[_SETUPS] += 1
            counts[_BUSY_REPLICAS] += 1


@compiled
def _serve_until(
    time_s: float,
    slots: int,
    ends_s: Floats,
    free_since_s: Floats,
    counts: Ints,
    sums_s: Floats,
) -> None:
    """Let requests leave up to a time, that time included."""
    while counts[_IN_SERVICE] > 0 and ends_s[0] <= time_s:
        end_s = ends_s[0]
        busy = counts[_BUSY_REPLICAS]
        sums_s[_BUSY] += busy * (end_s - sums_s[_NOW])
        sums_s[_NOW] = end_s
        counts[_IN_SERVICE] -= 1
        _pop(ends_s, counts[_IN_SERVICE])
        if counts[_IN_SERVICE] <= (busy - 1) * slots:
            free_since_s[busy - 1] = end_s
            counts[_BUSY_REPLICAS] -= 1


@compiled
def _push(heap_s: Floats, size: int, value_s: float) -> None:
    """Add a time to a heap of some size."""
    hole = size
    while hole > 0 and heap_s[(hole - 1) >> 1] > value_s:
        heap_s[hole] = heap_s[(hole - 1) >> 1]
        hole = (hole - 1) >> 1
    heap_s[hole] = value_s


@compiled
def _pop(heap_s: Floats, size: int) -> None:
    """Remove the first time of a heap, which leaves some."""
    value_s = heap_s[size]
    hole = 0
    while True:
        child = 2 * hole + 1
        if child >= size:
            break
        if child + 1 < size and heap_s[child + 1] < heap_s[child]:
            child += 1
        if heap_s[child] >= value_s:
            break
        heap_s[hole] = heap_s[child]
        hole = child
    heap_s[hole] = value_s
