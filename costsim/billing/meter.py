"""What is billed, from when to when, rounded how: records in, billed time out.

Every billed span is measured in integer nanoseconds and every sum and rounding after it
is done in integers, so that no float quotient ever bills a second too many and the parts
of a bill add up without a remainder (docs/model.md 8).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from costsim.billing.usage_meter import UsageMeter
from costsim.catalog.tariff import MeteringRules

if TYPE_CHECKING:
    from costsim.billing.usage import PoolRecords, Usage
    from costsim.catalog.tariff import Scope
    from costsim.records import Floats


def metered_s(
    pool: PoolRecords,
    scope: Scope = "replica",
    increment_s: float = 1.0,
    minimum_s: float = 0.0,
    setup_billed: bool = True,
    idle_billed: bool = True,
    *,
    unbilled_setup_s: float | Floats = 0.0,
    min_replicas: int = 0,
    min_idle_billed: bool = True,
    failed_start_billed: bool = True,
    release_lag_s: float = 0.0,
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
        scope ``request`` no idle time is but the min replicas'.
    unbilled_setup_s : float or ndarray of float64, shape (n_replicas,)
        The first part of each setup that is not billed: of all, or of each replica. [s]
    min_replicas : int
        How many replicas are always kept: at every instant those with the lowest ids
        among the ready ones. One number for the whole run: a pool whose schedule changes
        its min replicas cannot be billed so.
    min_idle_billed : bool
        Whether the idle time of the min replicas is billed, whatever holds for others.
        Under the scope ``request`` it is one item in all.
    failed_start_billed : bool
        Whether the setup is billed of a replica that stopped before it was ready.
    release_lag_s : float
        How long a replica's machine is billed after the replica has stopped, also beyond
        the end of the run; 0 under the scope ``request``. [s]

    Raises
    ------
    ValueError
        If an argument is out of its range, or the records that the rules need were
        not kept.
    """
    constant_s, by_replica_s = 0.0, None
    if isinstance(unbilled_setup_s, np.ndarray):
        by_replica_s = unbilled_setup_s
    else:
        constant_s = unbilled_setup_s
    rules = MeteringRules(
        scope=scope,
        increment_s=increment_s,
        minimum_s=minimum_s,
        setup_billed=setup_billed,
        idle_billed=idle_billed,
        min_idle_billed=min_idle_billed,
        failed_start_billed=failed_start_billed,
        release_lag_s=release_lag_s,
        unbilled_setup_s=constant_s,
    )
    usage = measure(
        pool, rules, min_replicas=min_replicas, unbilled_setup_s=by_replica_s
    )
    return usage.billed_s


def measure(
    pool: PoolRecords,
    rules: MeteringRules,
    *,
    min_replicas: int = 0,
    unbilled_setup_s: Floats | None = None,
) -> Usage:
    """Return what a simulated pool used, and what of it is billed.

    Parameters
    ----------
    pool : PoolRecords
        A simulation result, or anything with its records.
    rules : MeteringRules
        Which time is billed, and how it is rounded.
    min_replicas : int
        How many replicas are always kept; ``rules.min_*`` are about them.
    unbilled_setup_s : ndarray of float64, shape (n_replicas,), optional
        First part of each replica's setup that is not billed, instead of the rules'. [s]
    """
    meter = UsageMeter(rules, min_replicas)
    meter.add_records(pool, unbilled_setup_s)
    return meter.usage(pool.end_s)
