"""Refuse arguments that no formula holds for, by name."""

from __future__ import annotations

import math
from numbers import Integral

from costsim.errors import UnstableQueueError


def require_count(at_least: int, **arguments: int) -> None:
    """Raise `ValueError` for what is not a whole number or is below the bound."""
    for name, value in arguments.items():
        if not isinstance(value, Integral) or value < at_least:
            msg = f"{name} must be a whole number >= {at_least}, got {value!r}"
            raise ValueError(msg)


def require_positive(**arguments: float) -> None:
    """Raise `ValueError` for what is not a finite number above zero."""
    for name, value in arguments.items():
        if not 0 < value < math.inf:
            msg = f"{name} must be a finite number > 0, got {value!r}"
            raise ValueError(msg)


def require_non_negative(**arguments: float) -> None:
    """Raise `ValueError` for what is not a finite number of at least zero."""
    for name, value in arguments.items():
        if not 0 <= value < math.inf:
            msg = f"{name} must be a finite number >= 0, got {value!r}"
            raise ValueError(msg)


def require_idle_timeout(idle_timeout_s: float) -> None:
    """Raise `ValueError` for a negative timeout; inf is one that never comes."""
    if not idle_timeout_s >= 0:
        msg = f"idle_timeout_s must be >= 0 (inf: never stops), got {idle_timeout_s!r}"
        raise ValueError(msg)


def require_probability(probability: float) -> None:
    """Raise `ValueError` for what is not in (0, 1)."""
    if not 0 < probability < 1:
        msg = f"probability must be in (0, 1), got {probability!r}"
        raise ValueError(msg)


def require_stable(offered_load: float, servers: float) -> None:
    """Raise `UnstableQueueError` for a load that the servers cannot carry."""
    if offered_load >= servers:
        raise UnstableQueueError(offered_load, servers)


def erlangs(arrival_rate_per_s: float, mean_service_time_s: float) -> float:
    """Return the offered load of valid arguments. [erlang]"""
    require_non_negative(arrival_rate_per_s=arrival_rate_per_s)
    require_positive(mean_service_time_s=mean_service_time_s)
    return arrival_rate_per_s * mean_service_time_s
