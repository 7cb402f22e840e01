"""The maximal billed spans of every replica (docs/model.md 8.1).

A replica's life is setup [launch, ready), then busy and idle time until it stops. Which
of these are billed is a question of the tariff; billed times that touch or overlap are
one span. All times are float seconds from the start of the run, exactly as recorded:
rounding comes after.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from costsim.billing.rounding import nanoseconds
from costsim.compiling import compiled

if TYPE_CHECKING:
    from costsim.catalog.tariff import MeteringRules, Scope
    from costsim.records import Floats, Ints, Records

Bools = npt.NDArray[np.bool_]


class Spans(NamedTuple):
    """Spans [start, end) of replicas, in no particular order."""

    replica: Ints
    """Whose; the row of the replica records."""
    start_s: Floats
    end_s: Floats
    """At or after the start: a span may be empty. [s]"""


@dataclass(frozen=True)
class Lives:
    """When each replica was launched, ready and gone, without a NaN."""

    launch_s: Floats
    ready_s: Floats
    """When the setup ended; the end of its life if it was never ready. [s]"""
    stop_s: Floats
    """When it stopped, or the end of the run. Draining time is before it. [s]"""
    gone: Bools
    """Whether it has stopped, not only reached the end of the run."""
    failed: Bools
    """Whether it stopped without ever being ready."""

    @classmethod
    def of(cls, replicas: Records, end_s: float) -> Lives:
        """Return the lives on record, cut at the end of the run."""
        # fmin prefers a number to a NaN: who never stopped lasts to the end.
        stop_s = np.fmin(replicas["stop_s"], end_s)
        gone = ~np.isnan(replicas["stop_s"])
        return cls(
            launch_s=np.minimum(replicas["launch_s"], stop_s),
            ready_s=np.fmin(replicas["ready_s"], stop_s),
            stop_s=stop_s,
            gone=gone,
            failed=gone & np.isnan(replicas["ready_s"]),
        )


def billed_from_s(
    lives: Lives, rules: MeteringRules, unbilled_setup_s: Floats | None = None
) -> Floats:
    """Return when the billed part of each setup begins; ready_s if it has none. [s]

    Parameters
    ----------
    lives : Lives
        Of all replicas.
    rules : MeteringRules
        Whether setups are billed, and the first part that is not.
    unbilled_setup_s : ndarray of float64, optional
        That first part of each replica's own setup, instead of the rules' for all. [s]
    """
    if not rules.setup_billed:
        return lives.ready_s
    free_s = rules.unbilled_setup_s if unbilled_setup_s is None else unbilled_setup_s
    from_s = np.minimum(lives.launch_s + free_s, lives.ready_s)
    if rules.failed_start_billed:
        return from_s
    return np.where(lives.failed, lives.ready_s, from_s)


class IdleBilled(NamedTuple):
    """Whose idle time is billed."""

    surplus: bool
    """That of the replicas beyond the min replicas."""
    least: bool
    """That of the min replicas."""

    @classmethod
    def of(cls, rules: MeteringRules, min_replicas: int) -> IdleBilled:
        """Return what the rules say of a pool with so many min replicas."""
        surplus = rules.idle_billed and rules.scope != "request"
        return cls(surplus, rules.min_idle_billed if min_replicas else surplus)


def requests_matter(rules: MeteringRules, min_replicas: int) -> bool:
    """Return whether the bill depends on when requests were in service.

    It does not where all idle time is billed at one price: then a replica has one span.
    """
    discounted = rules.discounts_min_replicas and min_replicas > 0
    return discounted or not all(IdleBilled.of(rules, min_replicas))


def services(requests: Records, n_replicas: int, end_s: float) -> Spans:
    """Return the time in service of each request that began, by start, then index.

    What the end of the run cut short lasts until then.
    """
    start_s = np.ascontiguousarray(requests["start_s"])
    begun = ~np.isnan(start_s)
    start_s = start_s[begun]
    stop_s = np.fmin(requests["departure_s"][begun], end_s)
    replica = requests["replica"][begun].astype(np.int64)
    if np.any(replica < 0) or np.any(replica >= n_replicas):
        message = f"a request began on a replica that is not one of the {n_replicas}"
        raise ValueError(message)
    if np.any(start_s[1:] < start_s[:-1]):
        order = np.argsort(start_s, kind="stable")
        replica, start_s, stop_s = replica[order], start_s[order], stop_s[order]
    return Spans(replica, start_s, stop_s)


def lengths_ns(start_s: Floats, end_s: Floats, scope: Scope) -> Ints:
    """Return the length of each span: under `aligned` both its ends are rounded. [ns]"""
    if scope == "aligned":
        return nanoseconds(end_s) - nanoseconds(start_s)
    return nanoseconds(end_s - start_s)


def until(end_s: float, spans: Spans) -> Spans:
    """Return spans in order of start; those without an end last to that of the run."""
    return joined(spans._replace(end_s=np.fmin(spans.end_s, end_s)))


def joined(*parts: Spans) -> Spans:
    """Return the spans of all parts, in order of start."""
    replica, start_s, end_s = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    order = np.argsort(start_s, kind="stable")
    return Spans(replica[order], start_s[order], end_s[order])


def merged(spans: Spans, from_s: Floats, ready_s: Floats) -> Spans:
    """Return the maximal spans: those given and the billed setups, touching ones as one.

    Parameters
    ----------
    spans : Spans
        In order of start, none before its replica is ready.
    from_s, ready_s : ndarray of float64, shape (n_replicas,)
        The billed part of each setup. [s]

    Returns
    -------
    Spans
        Each replica's in order of start; the first may be empty.
    """
    n_most = len(spans.replica) + len(from_s)
    replica = np.empty(n_most, np.int64)
    start_s, end_s = np.empty(n_most), np.empty(n_most)
    # The open spans are worked on in place, hence the copies.
    n_spans = _merge(*spans, from_s.copy(), ready_s.copy(), replica, start_s, end_s)
    return Spans(replica[:n_spans], start_s[:n_spans], end_s[:n_spans])


@compiled
def _merge(
    replica: Ints,
    start_s: Floats,
    end_s: Floats,
    open_start_s: Floats,
    open_end_s: Floats,
    merged_replica: Ints,
    merged_start_s: Floats,
    merged_end_s: Floats,
) -> int:
    """Write the maximal spans and return how many they are.

    One pass in order of start: a replica's open span, which begins as its billed setup,
    grows as long as the next one touches it, and is written when one does not.
    """
    n_spans = 0
    for i in range(len(replica)):
        x = replica[i]
        if start_s[i] > open_end_s[x]:
            merged_replica[n_spans] = x
            merged_start_s[n_spans] = open_start_s[x]
            merged_end_s[n_spans] = open_end_s[x]
            n_spans += 1
            open_start_s[x] = start_s[i]
            open_end_s[x] = end_s[i]
        elif end_s[i] > open_end_s[x]:
            open_end_s[x] = end_s[i]
    for x in range(len(open_start_s)):
        merged_replica[n_spans] = x
        merged_start_s[n_spans] = open_start_s[x]
        merged_end_s[n_spans] = open_end_s[x]
        n_spans += 1
    return n_spans
