"""Billed time from records as they come, in memory bounded by the replicas present."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import numpy as np

from costsim.billing.checks import (
    check_records,
    check_rules,
    check_seconds,
    check_told,
    check_unbilled,
)
from costsim.billing.in_service import BusySpans, FirstRequests
from costsim.billing.metered import Metered, WholeLives
from costsim.billing.min_replicas import billed_spans, min_time
from costsim.billing.spans import (
    IdleBilled,
    Spans,
    lengths_ns,
    requests_matter,
    services,
    until,
)
from costsim.records import Outcome

if TYPE_CHECKING:
    from costsim.billing.usage import PoolRecords, Usage
    from costsim.catalog.tariff import MeteringRules
    from costsim.records import Floats, Ints, Records

_FAILED = int(Outcome.FAILED)


class UsageMeter:
    """What a pool uses, and what of it is billed, whatever batches its records come in.

    Parameters
    ----------
    rules : MeteringRules
        Which time is billed, and how it is rounded.
    min_replicas : int
        How many replicas are always kept: at every instant those with the lowest ids
        among the ready ones. ``rules.min_*`` are about them.

    Raises
    ------
    ValueError
        If a rule is out of its range.

    Notes
    -----
    Where idle time is billed, what is busy of a replica's billed time is read from its
    record; where it is not, whatever is not setup is busy.
    """

    def __init__(self, rules: MeteringRules, min_replicas: int = 0) -> None:
        check_rules(rules, min_replicas)
        self._rules = rules
        self._min_replicas = min_replicas
        self._metered = Metered(rules, min_replicas)
        self._busy_spans = BusySpans()
        self._first_requests = FirstRequests()
        self._alive: list[tuple[Records, Ints, Floats | None]] = []
        self._unfinished: list[Records] = []

    @property
    def needs_requests(self) -> bool:
        """Whether the bill depends on when requests were in service."""
        return requests_matter(self._rules, self._min_replicas)

    @property
    def needs_records(self) -> bool:
        """Whether only ``add_records`` will do.

        Which replicas are the min replicas depends on when all others were ready and
        stopped, and which machine a launch takes on when all others stopped: only the
        whole history tells.
        """
        if self._rules.release_lag_s > 0:
            return True
        some_idle = any(IdleBilled.of(self._rules, self._min_replicas))
        return self.needs_requests and (some_idle or self._discounts)

    @property
    def _discounts(self) -> bool:
        """Whether time of the min replicas has a price of its own."""
        return self._rules.discounts_min_replicas and self._min_replicas > 0

    def add_requests(self, rows: Records) -> None:
        """Take requests, each once, before the replicas that they began on.

        Parameters
        ----------
        rows : ndarray of REQUEST_DTYPE
            Any number. ``departure_s`` says when a request left that failed. Unless the
            scope is `request`, each replica's in order of start: where requests come
            when they end, ``add_busy`` takes their place.
        """
        if not self.needs_requests:
            return
        if self._rules.scope != "request":
            self.add_busy(rows["replica"], rows["start_s"], rows["departure_s"])
            return
        begun = ~np.isnan(rows["start_s"])
        ended = begun & ~np.isnan(rows["departure_s"])
        if not ended.all():
            unfinished = begun & ~ended
            if unfinished.any():
                self._unfinished.append(rows[unfinished])
            rows = rows[ended]
        self._add_items(_spans_of(rows), np.ascontiguousarray(rows["arrival_s"]))

    def add_busy(self, ids: Ints, start_s: Floats, stop_s: Floats) -> None:
        """Take times in service, whose union is a replica's busy time.

        Parameters
        ----------
        ids : ndarray of int
            Replicas; < 0: none.
        start_s, stop_s : ndarray of float64
            Each replica's in order of start. A NaN stop is the end of its life. [s]

        Raises
        ------
        ValueError
            If a replica's are not in order of start.
        """
        over = self._busy_spans.add(
            np.ascontiguousarray(ids, np.int64),
            np.ascontiguousarray(start_s),
            np.ascontiguousarray(stop_s),
        )
        self._busy_spans.count(over, self._metered.add_spans(over.start_s, over.end_s))

    def add_replicas(
        self, rows: Records, ids: Ints, unbilled_setup_s: Floats | None = None
    ) -> None:
        """Take replicas that have stopped, and at the end of the run those that have not.

        Parameters
        ----------
        rows : ndarray of REPLICA_DTYPE
            Any number, each replica once.
        ids : ndarray of int
            Whose they are.
        unbilled_setup_s : ndarray of float64, optional
            The unbilled first part of each one's setup, instead of the rules'. [s]

        Raises
        ------
        ValueError
            If a replica has served requests of which the meter knows nothing, or an
            unbilled time is out of its range.
        """
        if self._rules.release_lag_s > 0:
            message = "release_lag_s needs the whole history; use add_records"
            raise ValueError(message)
        check_unbilled(rows, unbilled_setup_s)
        ids, free_s = np.asarray(ids, np.int64), unbilled_setup_s
        alive = np.isnan(rows["stop_s"])
        if alive.any():
            late_s = None if free_s is None else free_s[alive]
            self._alive.append((rows[alive], ids[alive], late_s))
            rows, ids = rows[~alive], ids[~alive]
            free_s = None if free_s is None else free_s[~alive]
        self._settle(WholeLives(rows, ids, self._rules, free_s))

    def add_records(
        self,
        pool: PoolRecords,
        unbilled_setup_s: Floats | None = None,
        busy: Spans | None = None,
    ) -> None:
        """Take all records of a run that has ended.

        Parameters
        ----------
        pool : PoolRecords
            A simulation result, or anything with its records.
        unbilled_setup_s : ndarray of float64, optional
            The unbilled first part of each replica's setup, instead of the rules'. [s]

        busy : Spans, optional
            When replicas were busy, instead of what the requests say: these do not tell
            of attempts that failed. Each replica's in order of start. A NaN end is the
            end of the run.

        Raises
        ------
        ValueError
            If the rules look at requests and these were not kept.
        """
        check_seconds("end_s", pool.end_s)
        check_unbilled(pool.replicas, unbilled_setup_s)
        ids = np.arange(len(pool.replicas))
        whole = WholeLives(
            pool.replicas, ids, self._rules, unbilled_setup_s, pool.end_s
        )
        if not self.needs_requests:
            self._settle(whole)
            return
        check_records(pool, self._rules)
        requests = _with_failures_ended(pool.requests, whole.lives.stop_s)
        served = services(requests, ids.size, pool.end_s)
        busy = served if busy is None else until(pool.end_s, busy)
        if self._rules.scope == "request":
            # They come by start, then index: of several that start at once, the first is.
            self._add_items(served, served.start_s)
        elif self.needs_records:
            self._settle_history(whole, busy)
            return
        else:
            self.add_busy(*busy)
        self._settle(whole)
        if self.needs_records:
            least = min_time(busy, whole.lives, self._min_replicas, "request", served)
            self._metered.add_min_time(least)

    def _settle_history(self, whole: WholeLives, busy: Spans) -> None:
        """Count all replicas of a run at once."""
        lives, n_least = whole.lives, self._min_replicas
        idle = IdleBilled.of(self._rules, n_least)
        spans = billed_spans(busy, lives, whole.from_s, idle, n_least)
        least = None
        if self._discounts:
            least = min_time(busy, lives, n_least, self._rules.scope)
        self._metered.add_lives(whole, spans, np.zeros_like(whole.ids), least)

    def usage(self, end_s: float) -> Usage:
        """Return the usage of all that was taken.

        Parameters
        ----------
        end_s : float
            End of the run; what has not stopped lasts until then. [s]

        Raises
        ------
        ValueError
            If the end is out of range, or requests began on replicas that are missing.
        """
        check_seconds("end_s", end_s)
        final = copy.deepcopy(self) if self._alive or self._unfinished else self
        final._settle_rest(end_s)
        return final._metered.usage()

    def _settle_rest(self, end_s: float) -> None:
        """Settle what the end of the run cut off."""
        for rows in self._unfinished:
            ended = rows.copy()
            ended["departure_s"] = end_s
            arrival_s = np.ascontiguousarray(ended["arrival_s"])
            self._add_items(_spans_of(ended), arrival_s)
        for alive, ids, free_s in self._alive:
            self._settle(WholeLives(alive, ids, self._rules, free_s, end_s))
        missing = len(self._busy_spans) + len(self._first_requests)
        if missing:
            message = f"requests began on {missing} replicas that have not been added"
            raise ValueError(message)

    def _settle(self, whole: WholeLives) -> None:
        """Count replicas, of which no more requests come."""
        if self._rules.scope == "request":
            first = self._first_requests.leave(whole.ids)
            pays = ~np.isnan(first["start_s"])
            check_told(whole, pays)
            self._metered.add_payers(whole, pays, first["service_ns"][pays])
        elif self.needs_requests:
            busy = self._busy_spans.leave(whole.ids)
            check_told(whole, ~np.isnan(busy["start_s"]))
            spans = _first_and_last_spans(whole, busy)
            self._metered.add_lives(whole, spans, busy["metered_ns"])
        else:
            spans = Spans(np.arange(whole.ids.size), whole.from_s, whole.lives.stop_s)
            self._metered.add_lives(whole, spans, np.zeros_like(whole.ids))

    def _add_items(self, spans: Spans, arrival_s: Floats) -> None:
        """Bill requests, other than the first on each replica so far."""
        service_ns = lengths_ns(spans.start_s, spans.end_s, self._rules.scope)
        items_ns = self._first_requests.add(
            spans.replica, spans.start_s, arrival_s, service_ns
        )
        self._metered.add_services(service_ns, items_ns)


def _spans_of(requests: Records) -> Spans:
    """Return the times in service of requests that have begun and ended."""
    return Spans(
        requests["replica"].astype(np.int64),
        np.ascontiguousarray(requests["start_s"]),
        np.ascontiguousarray(requests["departure_s"]),
    )


def _first_and_last_spans(whole: WholeLives, busy: Records) -> Spans:
    """Return the billed spans that a life's end decides: setups, first and last ones.

    A first busy span that touches the setup is one with it.
    """
    lives, from_s = whole.lives, whole.from_s
    last_end_s = np.minimum(busy["end_s"], lives.stop_s)
    only_one = np.isnan(busy["first_start_s"])
    first_start_s = np.where(only_one, busy["start_s"], busy["first_start_s"])
    first_end_s = np.where(only_one, last_end_s, busy["first_end_s"])
    touches = first_start_s <= lives.ready_s
    setup_end_s = np.maximum(lives.ready_s, np.where(touches, first_end_s, -np.inf))
    first = np.flatnonzero(first_start_s > lives.ready_s)
    last = np.flatnonzero(~only_one)
    return Spans(
        np.concatenate([np.arange(from_s.size), first, last]),
        np.concatenate([from_s, first_start_s[first], busy["start_s"][last]]),
        np.concatenate([setup_end_s, first_end_s[first], last_end_s[last]]),
    )


def _with_failures_ended(requests: Records, stop_s: Floats) -> Records:
    """Return requests with a departure for those whose replica died: then, that is."""
    failed = requests["outcome"] == _FAILED
    if not failed.any():
        return requests
    ended = requests.copy()
    ended["departure_s"][failed] = stop_s[ended["replica"][failed]]
    return ended
