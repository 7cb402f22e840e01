"""What a meter remembers of each replica's services until it stops.

Services come in order of start. A maximal busy span is over as soon as the next one
begins; only the first has to wait for the end of the replica's life, which tells when
its setup ended, and so whether the two are one span.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from costsim.compiling import compiled
from costsim.seats import Seats

if TYPE_CHECKING:
    from costsim.records import Floats, Ints, Records

_BUSY_DTYPE = np.dtype(
    [
        ("first_start_s", "f8"),  # the first span, once it is over; NaN: it is not
        ("first_end_s", "f8"),
        ("start_s", "f8"),  # the span that may still grow; NaN: nothing has begun
        ("end_s", "f8"),  # inf: it lasts to the end
        ("metered_ns", "i8"),  # of the spans between those two
    ]
)
_FIRST_DTYPE = np.dtype(
    [
        ("start_s", "f8"),  # NaN: nothing has begun
        ("arrival_s", "f8"),
        ("service_ns", "i8"),
    ]
)


class SeatedSpans(NamedTuple):
    """Spans [start, end) of replicas, by seat."""

    seat: Ints
    start_s: Floats
    end_s: Floats


class _Seated:
    """Replicas with something on record: a row of a table for each seat."""

    def __init__(self, dtype: np.dtype[np.void]) -> None:
        self._seats = Seats()
        self._blank = np.zeros(1, dtype)
        for name in (name for name in dtype.names or () if name.endswith("_s")):
            self._blank[name] = np.nan
        self.table: Records = self._blank[:0]

    def __len__(self) -> int:
        """Return how many replicas have not stopped."""
        return len(self._seats)

    def take(self, ids: Ints) -> Ints:
        """Return each replica's row."""
        seats = self._seats.take(ids)
        missing = self._seats.n_seats - self.table.size
        if missing:
            self.table = np.concatenate([self.table, np.repeat(self._blank, missing)])
        return seats

    def leave(self, ids: Ints) -> Records:
        """Return what is on record of each replica, and forget it."""
        seats = self._seats.find(ids)
        rows = np.repeat(self._blank, ids.size)
        seated = seats >= 0
        rows[seated] = self.table[seats[seated]]
        self.table[seats[seated]] = self._blank
        self._seats.leave(ids)
        return rows


class BusySpans(_Seated):
    """Maximal spans with something in service."""

    def __init__(self) -> None:
        super().__init__(_BUSY_DTYPE)

    def add(self, ids: Ints, start_s: Floats, stop_s: Floats) -> SeatedSpans:
        """Take services; return spans that are over, other than each replica's first.

        Raises
        ------
        ValueError
            If a replica's services are not in order of start.
        """
        seats = self.take(ids)
        over = SeatedSpans(
            np.empty_like(seats), np.empty(seats.size), np.empty(seats.size)
        )
        n_over = _join(seats, start_s, stop_s, self.table, *over)
        if n_over < 0:
            message = (
                "start_s is not in order within a replica; where requests come when they "
                "end, a meter needs the busy spans"
            )
            raise ValueError(message)
        return SeatedSpans(
            over.seat[:n_over], over.start_s[:n_over], over.end_s[:n_over]
        )

    def count(self, spans: SeatedSpans, lengths_ns: Ints) -> None:
        """Add the lengths of spans to what their replicas were metered. [ns]"""
        np.add.at(self.table["metered_ns"], spans.seat, lengths_ns)


class FirstRequests(_Seated):
    """The first request on each replica, which pays for its setup."""

    def __init__(self) -> None:
        super().__init__(_FIRST_DTYPE)

    def add(
        self, ids: Ints, start_s: Floats, arrival_s: Floats, service_ns: Ints
    ) -> Ints:
        """Take requests; return the lengths of those that surely are not first. [ns]

        The first is the one of the least start, then of the least arrival.
        """
        others_ns = np.empty_like(service_ns)
        _keep_first(
            self.take(ids), start_s, arrival_s, service_ns, self.table, others_ns
        )
        return others_ns


@compiled
def _join(
    seats: Ints,
    start_s: Floats,
    stop_s: Floats,
    table: Records,
    over_seat: Ints,
    over_start_s: Floats,
    over_end_s: Floats,
) -> int:
    """Grow spans by services that touch them; return how many others are over, or -1."""
    n_over = 0
    for i in range(seats.size):
        if seats[i] < 0:
            continue
        own = table[seats[i]]
        stop = np.inf if np.isnan(stop_s[i]) else stop_s[i]
        if start_s[i] < own.start_s:
            return -1
        if start_s[i] <= own.end_s:
            own.end_s = max(own.end_s, stop)
            continue
        if np.isnan(own.first_start_s):
            own.first_start_s, own.first_end_s = own.start_s, own.end_s
        else:
            over_seat[n_over] = seats[i]
            over_start_s[n_over], over_end_s[n_over] = own.start_s, own.end_s
            n_over += 1
        own.start_s, own.end_s = start_s[i], stop
    return n_over


@compiled
def _keep_first(
    seats: Ints,
    start_s: Floats,
    arrival_s: Floats,
    service_ns: Ints,
    table: Records,
    others_ns: Ints,
) -> None:
    """Keep back the first request of each replica; what it takes the place of is told."""
    for i in range(seats.size):
        own = table[seats[i]]
        others_ns[i] = service_ns[i]
        earlier = start_s[i] < own.start_s or (
            start_s[i] == own.start_s and arrival_s[i] < own.arrival_s
        )
        if earlier or np.isnan(own.start_s):
            others_ns[i] = own.service_ns
            own.start_s, own.arrival_s = start_s[i], arrival_s[i]
            own.service_ns = service_ns[i]
