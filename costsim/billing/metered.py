"""Lives and spans in, integers out: what one run adds up to under its metering rules.

Every sum is one of whole nanoseconds, so that it is the same in whatever order and
batches its parts are added (docs/model.md 8.3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from costsim.billing.machines import waits_s
from costsim.billing.rounding import Rounding, exact_sum, nanoseconds
from costsim.billing.spans import (
    IdleBilled,
    Lives,
    Spans,
    billed_from_s,
    lengths_ns,
)
from costsim.billing.usage import Usage

if TYPE_CHECKING:
    from costsim.billing.min_replicas import MinTime
    from costsim.billing.spans import Bools
    from costsim.catalog.tariff import MeteringRules
    from costsim.records import Floats, Ints, Records


class WholeLives:
    """Replicas whose end is known, and what the rules say of their setups.

    Parameters
    ----------
    rows : ndarray of REPLICA_DTYPE
        Their records.
    ids : ndarray of int64
        Whose they are.
    rules : MeteringRules
        Which part of a setup is billed.
    unbilled_setup_s : ndarray of float64, optional
        The unbilled first part of each one's setup, instead of the rules'. [s]
    end_s : float
        When those stop that have not. [s]
    """

    def __init__(
        self,
        rows: Records,
        ids: Ints,
        rules: MeteringRules,
        unbilled_setup_s: Floats | None = None,
        end_s: float = np.inf,
    ) -> None:
        self.rows, self.ids = rows, ids
        self.lives = Lives.of(rows, end_s)
        self.from_s = billed_from_s(self.lives, rules, unbilled_setup_s)
        """When the billed part of each setup begins. [s]"""
        self.setup_ns = lengths_ns(self.from_s, self.lives.ready_s, rules.scope)
        """Billed setup. [ns]"""
        lags = self.lives.gone
        if not rules.failed_start_billed:
            lags = lags & ~self.lives.failed
        self.release_ns = nanoseconds(waits_s(self.lives, lags, rules.release_lag_s))
        """How long each one's machine is billed after its stop. [ns]"""

    def with_release(self, spans: Spans) -> tuple[Spans, Ints]:
        """Return spans, and how much longer each lasts until its machine is free. [ns]

        A span that lasts to the stop goes on; where none does, one begins there.
        """
        if not self.release_ns.any():
            return spans, np.zeros_like(spans.replica)
        last = spans.end_s == self.lives.stop_s[spans.replica]
        apart = self.release_ns > 0
        apart[spans.replica[last]] = False
        alone = np.flatnonzero(apart)
        replica = np.concatenate([spans.replica, alone])
        last = np.concatenate([last, np.ones_like(alone, np.bool_)])
        stop_s = self.lives.stop_s[alone]
        start_s = np.concatenate([spans.start_s, stop_s])
        end_s = np.concatenate([spans.end_s, stop_s])
        return Spans(replica, start_s, end_s), np.where(
            last, self.release_ns[replica], 0
        )

    def busy_ns(self, most_ns: Ints) -> Ints:
        """Return each one's busy time on record, at most so much. [ns]"""
        # The record is a sum of floats: it may exceed the span it fills by a rounding error.
        return np.minimum(nanoseconds(self.rows["busy_s"]), most_ns)


class Metered:
    """What has been metered so far."""

    def __init__(self, rules: MeteringRules, min_replicas: int) -> None:
        self._rules = rules
        self._idle = IdleBilled.of(rules, min_replicas)
        self._rounding = Rounding.of(rules)
        self._disk_rounding = Rounding.of_disk(rules)
        self._items_ns = 0
        """Billed time of items that are whole; of `total`, the only item, see below."""
        self._metered_ns = 0
        """Billed time of replicas before rounding."""
        self._busy_ns = self._idle_ns = self._setup_ns = self._release_ns = 0
        self._min_busy_ns = self._min_idle_ns = 0
        self._busy_total_ns = self._idle_total_ns = self._setup_total_ns = 0
        self._disk_ns = 0

    def add_spans(
        self, start_s: Floats, end_s: Floats, more_ns: Ints | None = None
    ) -> Ints:
        """Take maximal billed spans, items under some scopes; return lengths. [ns]

        Each item is so much longer than its span; the length of the span is not.
        """
        spans_ns = lengths_ns(start_s, end_s, self._rules.scope)
        longer_ns = np.zeros_like(spans_ns) if more_ns is None else more_ns
        if self._rules.scope == "segment":
            self._items_ns += self._rounding.items_ns(spans_ns + longer_ns)
        elif self._rules.scope == "aligned":
            self._items_ns += self._rounding.slots_ns(
                nanoseconds(start_s), nanoseconds(end_s) + longer_ns
            )
        return spans_ns

    def add_lives(
        self,
        whole: WholeLives,
        spans: Spans,
        before_ns: Ints,
        least: MinTime | None = None,
    ) -> None:
        """Take replicas with the last of their spans, and what was metered before. [ns]

        What they did as min replicas is told where that has a price of its own.
        """
        spans, lag_ns = whole.with_release(spans)
        spans_ns = self.add_spans(spans.start_s, spans.end_s, lag_ns)
        metered_ns = before_ns.copy()
        np.add.at(metered_ns, spans.replica, spans_ns)
        # A setup begins its span, so that what is left is never less than nothing.
        served_ns = metered_ns - whole.setup_ns
        busy_ns = whole.busy_ns(served_ns) if any(self._idle) else served_ns
        idle_ns = served_ns - busy_ns
        if self._rules.scope == "replica":
            self._items_ns += self._rounding.items_ns(metered_ns + whole.release_ns)
        self._metered_ns += exact_sum(metered_ns) + exact_sum(whole.release_ns)
        self._busy_ns += exact_sum(busy_ns)
        self._idle_ns += exact_sum(idle_ns)
        self._setup_ns += exact_sum(whole.setup_ns)
        self._release_ns += exact_sum(whole.release_ns)
        if least is not None:
            self._min_busy_ns += exact_sum(np.minimum(least.busy_ns, busy_ns))
            if self._idle.least:
                self._min_idle_ns += exact_sum(np.minimum(least.idle_ns, idle_ns))
        self._add_totals(whole)

    def add_services(self, service_ns: Ints, items_ns: Ints) -> None:
        """Take requests' times in service, and those of them that are whole items. [ns]"""
        self._items_ns += self._rounding.items_ns(items_ns)
        self._busy_ns += exact_sum(service_ns)

    def add_payers(self, whole: WholeLives, pays: Bools, service_ns: Ints) -> None:
        """Take replicas, and requests that pay for the setups of some of them. [ns]"""
        setup_ns = whole.setup_ns[pays]
        self._items_ns += self._rounding.items_ns(service_ns + setup_ns)
        self._setup_ns += exact_sum(setup_ns)
        self._add_totals(whole)

    def add_min_time(self, least: MinTime) -> None:
        """Take what the min replicas did of which no request pays, one item in all.

        By request, that is; after all requests.
        """
        if self._idle.least:
            idle_ns = exact_sum(least.idle_ns)
            self._items_ns += self._rounding.item_ns(idle_ns)
            self._idle_ns += idle_ns
        if self._rules.discounts_min_replicas:
            self._min_busy_ns = min(exact_sum(least.busy_ns), self._busy_ns)
            self._min_idle_ns = self._idle_ns

    def usage(self) -> Usage:
        """Return what all that was taken adds up to."""
        billed_ns = self._items_ns
        if self._rules.scope == "total":
            billed_ns = self._rounding.item_ns(self._metered_ns)
        return Usage(
            billed_ns=billed_ns,
            busy_ns=self._busy_ns,
            idle_ns=self._idle_ns,
            setup_ns=self._setup_ns,
            release_ns=self._release_ns,
            min_busy_ns=self._min_busy_ns,
            min_idle_ns=self._min_idle_ns,
            busy_total_ns=self._busy_total_ns,
            idle_total_ns=self._idle_total_ns,
            setup_total_ns=self._setup_total_ns,
            disk_ns=self._disk_ns,
        )

    def _add_totals(self, whole: WholeLives) -> None:
        """Count all time of replicas, billed or not."""
        lives = whole.lives
        alive_ns = nanoseconds(lives.stop_s - lives.launch_s)
        setup_ns = nanoseconds(lives.ready_s - lives.launch_s)
        busy_ns = whole.busy_ns(alive_ns - setup_ns)
        self._busy_total_ns += exact_sum(busy_ns)
        self._idle_total_ns += exact_sum(alive_ns - setup_ns - busy_ns)
        self._setup_total_ns += exact_sum(setup_ns)
        self._disk_ns += self._disk_rounding.items_ns(alive_ns)
