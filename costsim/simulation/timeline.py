"""A pool over time, as means in bins: who waits, is served, starts, is ready, is busy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from costsim.records import Outcome
from costsim.seats import Seats
from costsim.simulation.compiled import compiled
from costsim.simulation.levels import Bins, place, step_level

if TYPE_CHECKING:
    from costsim.records import Floats, Ints, Records

TIMELINE_BINS = 240
"""Bins over the horizon, unless their width is asked for."""

_REJECTED = int(Outcome.REJECTED)
_TIMED_OUT = int(Outcome.TIMED_OUT)
_FAILED = int(Outcome.FAILED)

_ROWS = 16_384
"""Rows taken at once: so much is copied out of them."""


@dataclass(frozen=True, eq=False)
class Timeline:
    """Means in bins over the horizon; the last may be shorter than the others."""

    bin_s: float
    """Width of a bin. [s]"""
    arrivals: Floats
    """Arrival rate. [requests/s]"""
    cold: Floats
    """Arrival rate of those that waited for a replica that was starting. [requests/s]"""
    waiting: Floats
    """Requests that have arrived and not begun. [requests]"""
    in_service: Floats
    """Requests being served. [requests]"""
    starting: Floats
    """Replicas in their setup. [replicas]"""
    ready: Floats
    """Replicas ready, draining ones included. [replicas]"""
    busy: Floats
    """Replicas with a request in service. [replicas]"""
    billed_setup: Floats
    """Replicas in the part of their setup that is billed. [replicas]"""
    span_s: Floats
    """Length of each bin. [s]"""

    @property
    def idle(self) -> Floats:
        """Replicas ready with nothing in service. [replicas]"""
        return np.maximum(self.ready - self.busy, 0.0)

    @property
    def present(self) -> Floats:
        """Replicas starting, ready or draining. [replicas]"""
        return self.starting + self.ready

    @property
    def present_s(self) -> Floats:
        """Replicas' time in each bin. [s]"""
        return self.present * self.span_s

    def coarser(self, most: int) -> Timeline:
        """Return the same with at most so many bins: neighbours put together.

        Parameters
        ----------
        most : int
            Bins, 1 at least.
        """
        group = -(-self.span_s.size // most)
        if group == 1:
            return self
        first = np.arange(0, self.span_s.size, group)
        span_s = np.add.reduceat(self.span_s, first)

        def merged(level: Floats) -> Floats:
            mean: Floats = np.add.reduceat(level * self.span_s, first) / span_s
            return mean

        levels = {name: merged(getattr(self, name)) for name in _LEVELS}
        return Timeline(bin_s=group * self.bin_s, span_s=span_s, **levels)

    def billed_s(self, *, idle_billed: bool) -> Floats:
        """Return replicas' billed time in each bin, before any rounding. [s]

        Parameters
        ----------
        idle_billed : bool
            Whether ready time is billed, or of that busy time only.
        """
        rest = self.ready if idle_billed else self.busy
        return (self.billed_setup + rest) * self.span_s


_LEVELS = (
    *("arrivals", "cold", "waiting", "in_service"),
    *("starting", "ready", "busy", "billed_setup"),
)
"""Fields of a timeline that are means."""


class TimelineAccumulator:
    """A timeline from records as they come, in memory bounded by bins and the pool.

    Parameters
    ----------
    horizon_s : float
        The bins divide [0, horizon). [s]
    bin_s : float, optional
        Width of a bin; a 240th of the horizon if None. [s]
    patience_s : float, optional
        How long those waited that timed out, where it is the same for all. Else
        ``departure_s`` of their rows says when they left. [s]
    concurrency_limit : int
        Slots per replica: with one, a replica is busy whenever a request is in service.
    by_completion : bool
        Whether requests come when they end instead of when they begin, as they do where
        service slows down or replicas die. Busy spans must then be added by themselves.
    """

    def __init__(
        self,
        horizon_s: float,
        bin_s: float | None = None,
        *,
        patience_s: float | None = None,
        concurrency_limit: int = 1,
        by_completion: bool = False,
    ) -> None:
        bins = Bins.of(horizon_s, horizon_s / TIMELINE_BINS if bin_s is None else bin_s)
        self._bins = bins
        self._patience_s = np.nan if patience_s is None else float(patience_s)
        self._one_slot = concurrency_limit == 1 and not by_completion
        self._by_completion = by_completion
        self._arrivals, self._cold = np.zeros((2, bins.n), np.int64)
        self._waiting, self._in_service, self._busy = (bins.level() for _ in range(3))
        self._starting, self._ready, self._billed = (bins.level() for _ in range(3))
        self._seats = Seats()
        self._reached_s = np.zeros((0, 2))

    def add_requests(self, rows: Records) -> None:
        """Take settled requests.

        Parameters
        ----------
        rows : ndarray of REQUEST_DTYPE
            Any number, each request once. ``departure_s`` says when a request left that
            failed, and where there is no one patience for all, that timed out.

        Raises
        ------
        ValueError
            If it does not, or a replica's requests are not in order of start.
        """
        told = _visit_requests(
            rows,
            self._patience_s,
            *self._bins.shape,
            self._arrivals,
            self._cold,
            self._waiting,
            self._in_service,
        )
        if not told:
            message = (
                "departure_s of a request that timed out or failed is nan; it must say "
                "when the request left"
            )
            raise ValueError(message)
        if self._one_slot or self._by_completion:
            return
        for first in range(0, rows.size, _ROWS):
            some = rows[first : first + _ROWS]
            self.add_busy(some["replica"], some["start_s"], some["departure_s"])

    def add_busy(self, ids: Ints, start_s: Floats, stop_s: Floats) -> None:
        """Take times in service; the union of each replica's is when it was busy.

        Parameters
        ----------
        ids : ndarray of int
            Replicas; < 0: none.
        start_s, stop_s : ndarray of float64
            Each replica's in order of start. NaN: never began, or not over. [s]

        Raises
        ------
        ValueError
            If a replica's are not in order of start.
        """
        seats = self._seats.take(np.ascontiguousarray(ids, np.int64))
        missing = self._seats.n_seats - len(self._reached_s)
        if missing:
            self._reached_s = np.pad(self._reached_s, ((0, missing), (0, 0)))
        ordered = _visit_services(
            seats,
            np.ascontiguousarray(start_s),
            np.ascontiguousarray(stop_s),
            *self._bins.shape,
            self._reached_s,
            self._busy,
        )
        if not ordered:
            message = "start_s is not in order within a replica; add busy spans instead"
            raise ValueError(message)

    def add_replicas(
        self, rows: Records, ids: Ints, billed_from_s: Floats | None = None
    ) -> None:
        """Take replicas that have stopped, and at the end of the run those that have not.

        Parameters
        ----------
        rows : ndarray of REPLICA_DTYPE
            Any number, each replica once, after all that is said of its services.
        ids : ndarray of int
            Whose they are.
        billed_from_s : ndarray of float64, optional
            When each one's setup begins to be billed; at the launch if None. [s]
        """
        ids = np.ascontiguousarray(ids, np.int64)
        seats = self._seats.find(ids)
        self._reached_s[seats[seats >= 0]] = 0.0
        self._seats.leave(ids)
        ready_s = np.where(np.isnan(rows["ready_s"]), rows["stop_s"], rows["ready_s"])
        from_s = rows["launch_s"] if billed_from_s is None else billed_from_s
        for level, start_s, stop_s in (
            (self._starting, rows["launch_s"], ready_s),
            (self._ready, ready_s, rows["stop_s"]),
            (self._billed, from_s, ready_s),
        ):
            self._bins.add(level, start_s, stop_s)

    def timeline(self) -> Timeline:
        """Return the levels of all that was taken."""
        bins = self._bins
        busy = self._in_service if self._one_slot else self._busy
        return Timeline(
            bin_s=bins.width_s,
            arrivals=self._arrivals / bins.span_s,
            cold=self._cold / bins.span_s,
            waiting=bins.means(self._waiting),
            in_service=bins.means(self._in_service),
            starting=bins.means(self._starting),
            ready=bins.means(self._ready),
            busy=bins.means(busy),
            billed_setup=bins.means(self._billed),
            span_s=bins.span_s,
        )


@compiled
def _visit_requests(
    requests: Records,
    patience_s: float,
    horizon_s: float,
    width_s: float,
    arrivals: Ints,
    cold: Ints,
    waiting: Ints,
    in_service: Ints,
) -> bool:
    """Move levels at each arrival, start and departure; return whether all could be told."""
    n_bins = arrivals.size
    for i in range(requests.size):
        row = requests[i]
        if not row.arrival_s < horizon_s:
            continue
        which, part = place(row.arrival_s, width_s, n_bins)
        arrivals[which] += 1
        cold[which] += row.cold
        if row.outcome == _REJECTED:
            continue
        departure_s = row.departure_s
        if row.outcome == _TIMED_OUT and np.isnan(departure_s):
            departure_s = row.arrival_s + patience_s
        if row.outcome in (_TIMED_OUT, _FAILED) and np.isnan(departure_s):
            return False
        begun = not np.isnan(row.start_s)
        left_s = row.start_s if begun else departure_s
        if left_s > row.arrival_s or np.isnan(left_s):
            step_level(waiting, which, part, 1)
            if not left_s < horizon_s:
                continue
            which, part = place(left_s, width_s, n_bins)
            step_level(waiting, which, part, -1)
        if begun:
            step_level(in_service, which, part, 1)
            if departure_s < horizon_s:
                which, part = place(departure_s, width_s, n_bins)
                step_level(in_service, which, part, -1)
    return True


@compiled
def _visit_services(
    seats: Ints,
    start_s: Floats,
    stop_s: Floats,
    horizon_s: float,
    width_s: float,
    reached_s: Floats,
    busy: Ints,
) -> bool:
    """Move the level by what each service adds to its replica's busy time.

    Return whether each replica's came in order of start.
    """
    for i in range(seats.size):
        if seats[i] < 0:
            continue
        until_s = reached_s[seats[i], 1]
        if start_s[i] < reached_s[seats[i], 0]:
            return False
        since_s = max(start_s[i], until_s)
        stop = np.inf if np.isnan(stop_s[i]) else stop_s[i]
        reached_s[seats[i], 0] = start_s[i]
        reached_s[seats[i], 1] = max(stop, until_s)
        if since_s < stop and since_s < horizon_s:
            which, part = place(since_s, width_s, len(busy))
            step_level(busy, which, part, 1)
            if stop < horizon_s:
                which, part = place(stop, width_s, len(busy))
                step_level(busy, which, part, -1)
    return True
