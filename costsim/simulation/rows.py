"""The rows that requests leave behind."""

from __future__ import annotations

import math

from costsim.simulation.compiled import inlined, unsigned

_NO_REPLICA = -1


@inlined
def settle(rules, s, request):  # type: ignore[no-untyped-def]
    """Return the row to write what became of a request.

    It is the request's own where all are kept, else the next of a buffer.
    """
    if rules.records:
        return s.requests[unsigned(request)]
    s.pool.n_settled += 1
    return s.requests[unsigned(s.pool.n_settled - 1)]


@inlined
def settle_unserved(rules, s, request, arrival_s, left_s, outcome):  # type: ignore[no-untyped-def]
    """Write the row of a request that was not begun, or whose last beginning is void.

    When it left is told only to those to whom no later row could tell it: a record has a
    departure if it was served.
    """
    row = settle(rules, s, request)
    row.arrival_s = arrival_s
    row.start_s = math.nan
    row.departure_s = math.nan if rules.records else left_s
    row.replica = _NO_REPLICA
    row.cold = False
    row.outcome = outcome
