"""What is billed, from when to when, rounded how: records in, billed time out.

Every billed span is measured in integer nanoseconds and every sum and rounding after it
is done in integers, so that no float quotient ever bills a second too many and the parts
of a bill add up without a remainder (docs/model.md 8).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, get_args

import numpy as np

from costsim.billing.rounding import NS_PER_S, Rounding, exact_sum, nanoseconds
from costsim.billing.spans import (
    Lives,
    Spans,
    billed_from_s,
    billed_spans,
    requests_matter,
    services,
)
from costsim.catalog.tariff import MeteringRules, Scope
from costsim.units import LONGEST_S, SECONDS_PER_HOUR

if TYPE_CHECKING:
    from costsim.records import Floats, Ints, Records


class PoolRecords(Protocol):
    """What a simulated pool leaves behind for the meter."""

    @property
    def requests(self) -> Records:
        """REQUEST_DTYPE, a row for each arrival."""

    @property
    def replicas(self) -> Records:
        """REPLICA_DTYPE, a row for each replica in order of creation."""

    @property
    def end_s(self) -> float:
        """End of the run; what has not stopped lasts until then. [s]"""


@dataclass(frozen=True)
class Usage:
    """What a pool used and what of it is billed, in integer nanoseconds.

    Two laws hold exactly: setup + busy + idle totals = alive and draining time of all
    replicas; billed busy + idle + setup + rounding = billed time. Under the scopes of
    replicas, billed busy time has at least one request in service. Under the scope
    `request` it is the sum of the times in service, which requests that share a replica
    each count: it may exceed the replicas' lives.
    """

    billed_ns: int
    """Metered time, rounded up item by item. [ns]"""
    busy_ns: int
    """Billed time with a request in service, before rounding. [ns]"""
    idle_ns: int
    """Billed time of ready replicas with nothing in service, before rounding. [ns]"""
    setup_ns: int
    """Billed time from launch to ready, before rounding. [ns]"""
    busy_total_ns: int
    """Replicas' time with a request in service, billed or not. [ns]"""
    idle_total_ns: int
    """Replicas' time ready with nothing in service, billed or not. [ns]"""
    setup_total_ns: int
    """Replicas' time from launch to ready, billed or not. [ns]"""

    @property
    def rounding_ns(self) -> int:
        """Billed for nothing but the increment and the minimum. [ns]"""
        return self.billed_ns - self.busy_ns - self.idle_ns - self.setup_ns

    @property
    def alive_ns(self) -> int:
        """All replicas' time from launch to stop, draining included. [ns]"""
        return self.busy_total_ns + self.idle_total_ns + self.setup_total_ns

    @property
    def billed_s(self) -> float:
        """Billed time. [s]"""
        return self.billed_ns / NS_PER_S

    @property
    def busy_s(self) -> float:
        """Billed busy time. [s]"""
        return self.busy_ns / NS_PER_S

    @property
    def idle_s(self) -> float:
        """Billed idle time. [s]"""
        return self.idle_ns / NS_PER_S

    @property
    def setup_s(self) -> float:
        """Billed setup time. [s]"""
        return self.setup_ns / NS_PER_S

    @property
    def rounding_s(self) -> float:
        """Billed time that nobody used. [s]"""
        return self.rounding_ns / NS_PER_S

    @property
    def busy_total_s(self) -> float:
        """Busy time, billed or not. [s]"""
        return self.busy_total_ns / NS_PER_S

    @property
    def idle_total_s(self) -> float:
        """Idle time, billed or not. [s]"""
        return self.idle_total_ns / NS_PER_S

    @property
    def setup_total_s(self) -> float:
        """Setup time, billed or not. [s]"""
        return self.setup_total_ns / NS_PER_S

    @property
    def alive_s(self) -> float:
        """All replicas' time from launch to stop. [s]"""
        return self.alive_ns / NS_PER_S

    @property
    def replica_hours(self) -> float:
        """All replicas' time from launch to stop. [h]"""
        return self.alive_s / SECONDS_PER_HOUR


def metered_s(
    pool: PoolRecords,
    scope: Scope = "replica",
    increment_s: float = 1.0,
    minimum_s: float = 0.0,
    setup_billed: bool = True,
    idle_billed: bool = True,
    *,
    unbilled_setup_s: float = 0.0,
    min_replicas: int = 0,
    min_idle_billed: bool = True,
) -> float:
    """Return the billed time of a simulated pool. [s]

    Parameters
    ----------
    pool : PoolRecords
        A simulation result, or anything with its records.
    scope : str
        What one billed item is. ``replica``: a replica's billed time. ``segment``: one
        maximal billed span of a replica. ``request``: one request's time in service,
        with its replica's billed setup if it is the first there. ``total``: everything.
        ``aligned``: one maximal billed span, as the slots of the clock that it touches.
    increment_s : float
        Each item is rounded up to a multiple of it; 0: not rounded. [s]
    minimum_s : float
        An item that is not empty is billed at least this long, itself rounded up. [s]
    setup_billed, idle_billed : bool
        Whether setup time and idle time are billed. Busy time always is. Under the
        scope ``request`` idle time never is.
    unbilled_setup_s : float
        The first part of each setup that is not billed. [s]
    min_replicas : int
        How many replicas have unbilled idle time if `min_idle_billed` is false: at
        every instant those with the lowest ids among the ready ones.
    min_idle_billed : bool
        Whether the idle time of the min replicas is billed.

    Raises
    ------
    ValueError
        If an argument is out of its range, or the records that the rules need were
        not kept.
    """
    rules = MeteringRules(
        scope=scope,
        increment_s=increment_s,
        minimum_s=minimum_s,
        setup_billed=setup_billed,
        idle_billed=idle_billed,
        min_idle_billed=min_idle_billed,
        unbilled_setup_s=unbilled_setup_s,
    )
    return measure(pool, rules, min_replicas=min_replicas).billed_s


def measure(pool: PoolRecords, rules: MeteringRules, *, min_replicas: int = 0) -> Usage:
    """Return what a simulated pool used, and what of it is billed.

    Parameters
    ----------
    pool : PoolRecords
        A simulation result, or anything with its records.
    rules : MeteringRules
        Which time is billed, and how it is rounded.
    min_replicas : int
        Replicas whose idle time is free if ``rules.min_idle_billed`` is false.

    Notes
    -----
    Where idle time is billed, what is busy of a replica's billed time is read from its
    record; where it is not, whatever is not setup is busy.
    """
    _check_arguments(pool, rules, min_replicas)
    if rules.scope == "request":
        return _measure_requests(pool, rules)
    return _measure_replicas(pool, rules, min_replicas)


def _measure_replicas(
    pool: PoolRecords, rules: MeteringRules, min_replicas: int
) -> Usage:
    """Measure under a scope whose items are times of replicas."""
    lives = Lives.of(pool.replicas, pool.end_s)
    spans = billed_spans(pool.requests, pool.replicas, pool.end_s, rules, min_replicas)
    lengths_ns = _lengths_ns(spans.start_s, spans.end_s, rules.scope)
    metered_ns = np.zeros(len(pool.replicas), np.int64)
    np.add.at(metered_ns, spans.replica, lengths_ns)
    # A setup begins its span, so that what is left is never less than nothing.
    setup_ns = _lengths_ns(billed_from_s(lives, rules), lives.ready_s, rules.scope)
    served_ns = metered_ns - setup_ns
    busy_ns = _busy_ns(pool, served_ns) if rules.idle_billed else served_ns
    return Usage(
        billed_ns=_billed_ns(spans, lengths_ns, metered_ns, rules),
        busy_ns=exact_sum(busy_ns),
        idle_ns=exact_sum(served_ns - busy_ns),
        setup_ns=exact_sum(setup_ns),
        **_totals_ns(pool, lives),
    )


def _measure_requests(pool: PoolRecords, rules: MeteringRules) -> Usage:
    """Measure with one item for each request that began."""
    lives = Lives.of(pool.replicas, pool.end_s)
    spans = services(pool.requests, len(pool.replicas), pool.end_s)
    service_ns = _lengths_ns(spans.start_s, spans.end_s, rules.scope)
    setup_ns = _lengths_ns(billed_from_s(lives, rules), lives.ready_s, rules.scope)
    first = _first_on_each(spans.replica, len(pool.replicas))
    billed_setup_ns = setup_ns[spans.replica[first]]
    items_ns = service_ns.copy()
    items_ns[first] += billed_setup_ns
    return Usage(
        billed_ns=Rounding.of(rules).items_ns(items_ns),
        busy_ns=exact_sum(service_ns),
        idle_ns=0,
        setup_ns=exact_sum(billed_setup_ns),
        **_totals_ns(pool, lives),
    )


def _first_on_each(replica: Ints, n_replicas: int) -> Ints:
    """Return the index of the first request on each replica that served one."""
    first = np.full(n_replicas, -1)
    # The last of several assignments to one place stands, hence backwards.
    first[replica[::-1]] = np.arange(len(replica))[::-1]
    return first[first >= 0]


def _totals_ns(pool: PoolRecords, lives: Lives) -> dict[str, int]:
    """Return all replicas' time in each phase, billed or not. [ns]"""
    alive_ns = nanoseconds(lives.stop_s - lives.launch_s)
    setup_ns = nanoseconds(lives.ready_s - lives.launch_s)
    busy_ns = _busy_ns(pool, alive_ns - setup_ns)
    return {
        "busy_total_ns": exact_sum(busy_ns),
        "idle_total_ns": exact_sum(alive_ns - setup_ns - busy_ns),
        "setup_total_ns": exact_sum(setup_ns),
    }


def _busy_ns(pool: PoolRecords, most_ns: Ints) -> Ints:
    """Return each replica's busy time on record, at most so much. [ns]"""
    # The record is a sum of floats: it may exceed the span it fills by a rounding error.
    return np.minimum(nanoseconds(pool.replicas["busy_s"]), most_ns)


def _billed_ns(
    spans: Spans, lengths_ns: Ints, metered_ns: Ints, rules: MeteringRules
) -> int:
    """Return the billed time of spans under a scope of replicas. [ns]"""
    rounding = Rounding.of(rules)
    if rules.scope == "replica":
        return rounding.items_ns(metered_ns)
    if rules.scope == "segment":
        return rounding.items_ns(lengths_ns)
    if rules.scope == "aligned":
        return rounding.slots_ns(nanoseconds(spans.start_s), nanoseconds(spans.end_s))
    return rounding.item_ns(exact_sum(metered_ns))


def _lengths_ns(start_s: Floats, end_s: Floats, scope: Scope) -> Ints:
    """Return the length of each span: under `aligned` both its ends are rounded. [ns]"""
    if scope == "aligned":
        return nanoseconds(end_s) - nanoseconds(start_s)
    return nanoseconds(end_s - start_s)


def _check_arguments(
    pool: PoolRecords, rules: MeteringRules, min_replicas: int
) -> None:
    """Refuse what cannot be measured."""
    if rules.scope not in get_args(Scope):
        allowed = ", ".join(get_args(Scope))
        message = f"scope is {rules.scope!r}; allowed are {allowed}"
        raise ValueError(message)
    for name, value in (
        ("increment_s", rules.increment_s),
        ("minimum_s", rules.minimum_s),
        ("unbilled_setup_s", rules.unbilled_setup_s),
        ("end_s", pool.end_s),
    ):
        if not 0 <= value <= LONGEST_S:
            message = f"{name} is {value!r}; it must be from 0 to {LONGEST_S:g} seconds"
            raise ValueError(message)
    if 0 < rules.increment_s < 1 / NS_PER_S:
        message = f"increment_s is {rules.increment_s!r}; it must be 0 or at least 1e-9"
        raise ValueError(message)
    if min_replicas < 0:
        message = f"min_replicas is {min_replicas!r}; it must be at least 0"
        raise ValueError(message)
    if requests_matter(rules, min_replicas):
        _check_records(pool, rules)


def _check_records(pool: PoolRecords, rules: MeteringRules) -> None:
    """Refuse rules that look at requests where these were not kept."""
    served = int(pool.replicas["n_served"].sum())
    if len(pool.requests) < served:
        message = (
            f"pool.requests has {len(pool.requests)} rows for {served} served "
            f"requests; billing with scope={rules.scope!r} and "
            f"idle_billed={rules.idle_billed!r} needs them all"
        )
        raise ValueError(message)
