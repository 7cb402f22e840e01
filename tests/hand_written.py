"""Pools written down row by row, for tests of what only reads records."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from costsim.records import REPLICA_DTYPE, REQUEST_DTYPE, Outcome

NAN = math.nan


class Pool(NamedTuple):
    """Records of one run, as a simulation leaves them."""

    requests: np.ndarray
    replicas: np.ndarray
    end_s: float


def pool_of(lives, services=(), *, end_s=None):
    """Return a pool of (launch, ready, stop) and services (replica, start, departure).

    Requests come in the order given and arrive when they start. Without end_s the run
    ends with the last time written down.
    """
    rows = [*lives, *(service[1:] for service in services)]
    last_s = max((t for row in rows for t in row if not math.isnan(t)), default=0.0)
    end_s = last_s if end_s is None else end_s
    replicas = np.zeros(len(lives), REPLICA_DTYPE)
    requests = np.zeros(len(services), REQUEST_DTYPE)
    for row, (launch_s, ready_s, stop_s) in zip(replicas, lives, strict=True):
        row["launch_s"], row["ready_s"], row["stop_s"] = launch_s, ready_s, stop_s
    for row, (replica, start_s, departure_s) in zip(requests, services, strict=True):
        row["replica"], row["arrival_s"], row["start_s"] = replica, start_s, start_s
        row["departure_s"] = departure_s
        row["outcome"] = (
            Outcome.UNFINISHED if math.isnan(departure_s) else Outcome.SERVED
        )
    for x, row in enumerate(replicas):
        own = [
            (start_s, min(departure_s, end_s) if departure_s == departure_s else end_s)
            for replica, start_s, departure_s in services
            if replica == x
        ]
        row["busy_s"] = covered_s(own)
        row["slot_s"] = sum(stop_s - start_s for start_s, stop_s in own)
        row["n_served"] = sum(s[0] == x and s[2] == s[2] for s in services)
    return Pool(requests, replicas, end_s)


def covered_s(spans):
    """Return the length of the union of spans. [s]"""
    total_s, reached_s = 0.0, -math.inf
    for start_s, stop_s in sorted(spans):
        total_s += max(0.0, stop_s - max(start_s, reached_s))
        reached_s = max(reached_s, stop_s)
    return total_s
