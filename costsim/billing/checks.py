"""What a meter refuses: rules out of range, records that are not all there."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, get_args

import numpy as np

from costsim.billing.rounding import NS_PER_S
from costsim.catalog.tariff import MeteringRules, Scope
from costsim.units import LONGEST_S

if TYPE_CHECKING:
    from costsim.billing.metered import WholeLives
    from costsim.billing.spans import Bools
    from costsim.billing.usage import PoolRecords
    from costsim.records import Floats, Records


def check_rules(rules: MeteringRules, min_replicas: int) -> None:
    """Refuse what cannot be measured."""
    if rules.scope not in get_args(Scope):
        allowed = ", ".join(get_args(Scope))
        message = f"scope is {rules.scope!r}; allowed are {allowed}"
        raise ValueError(message)
    check_seconds("increment_s", rules.increment_s)
    check_seconds("minimum_s", rules.minimum_s)
    check_seconds("unbilled_setup_s", rules.unbilled_setup_s)
    check_seconds("release_lag_s", rules.release_lag_s)
    check_seconds("disk_increment_s", rules.disk_increment_s)
    _check_increment("increment_s", rules.increment_s)
    _check_increment("disk_increment_s", rules.disk_increment_s)
    _check_rate("min_idle_rate", rules.min_idle_rate)
    _check_rate("min_busy_rate", rules.min_busy_rate)
    if rules.scope == "request" and rules.release_lag_s > 0:
        message = (
            f"release_lag_s is {rules.release_lag_s!r}; it must be 0 with the scope "
            "'request': no request is in service on a machine after its replica stopped"
        )
        raise ValueError(message)
    if min_replicas < 0:
        message = f"min_replicas is {min_replicas!r}; it must be at least 0"
        raise ValueError(message)


def check_seconds(name: str, value: float) -> None:
    """Refuse what is no time, or longer than integers of nanoseconds last."""
    if not 0 <= value <= LONGEST_S:
        message = f"{name} is {value!r}; it must be from 0 to {LONGEST_S:g} seconds"
        raise ValueError(message)


def _check_increment(name: str, value: float) -> None:
    if 0 < value < 1 / NS_PER_S:
        message = f"{name} is {value!r}; it must be 0 or at least 1e-9"
        raise ValueError(message)


def _check_rate(name: str, value: float) -> None:
    if not 0 <= value < math.inf:
        message = f"{name} is {value!r}; it must be at least 0 and finite"
        raise ValueError(message)


def check_unbilled(rows: Records, unbilled_setup_s: Floats | None) -> None:
    """Refuse unbilled times that are not one for each replica."""
    if unbilled_setup_s is None:
        return
    shape, expected = unbilled_setup_s.shape, (len(rows),)
    if shape != expected:
        message = f"unbilled_setup_s has the shape {shape}; it must be {expected}"
        raise ValueError(message)
    wrong = np.flatnonzero(~((unbilled_setup_s >= 0) & (unbilled_setup_s <= LONGEST_S)))
    if wrong.size:
        message = (
            f"unbilled_setup_s[{wrong[0]}] is {float(unbilled_setup_s[wrong[0]])!r}; it "
            f"must be from 0 to {LONGEST_S:g} seconds"
        )
        raise ValueError(message)


def check_records(pool: PoolRecords, rules: MeteringRules) -> None:
    """Refuse rules that look at requests where these were not kept."""
    served = int(pool.replicas["n_served"].sum())
    if len(pool.requests) < served:
        message = (
            f"pool.requests has {len(pool.requests)} rows for {served} served "
            f"requests; billing with scope={rules.scope!r}, "
            f"idle_billed={rules.idle_billed!r} and "
            f"min_idle_billed={rules.min_idle_billed!r} needs them all"
        )
        raise ValueError(message)


def check_told(whole: WholeLives, told: Bools) -> None:
    """Refuse replicas whose requests have not come before them."""
    untold = np.flatnonzero(~told & (whole.rows["n_served"] > 0))
    if untold.size:
        which, served = whole.ids[untold[0]], whole.rows["n_served"][untold[0]]
        message = (
            f"replica {which} served {served} requests that the meter has not been "
            "given; requests come before their replica"
        )
        raise ValueError(message)
