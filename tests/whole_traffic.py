"""The requests of one replication as a whole, for tests that look at all of them."""

from dataclasses import dataclass

import numpy as np

from costsim.traffic.source import (
    arrival_chunks,
    horizon_s,
    source_names,
    traffic_notes,
)


@dataclass(frozen=True, eq=False)
class Arrivals:
    """All chunks joined."""

    arrival_s: np.ndarray
    service_time_s: np.ndarray
    source: np.ndarray
    sources: tuple[str, ...]
    horizon_s: float
    notes: tuple[str, ...] = ()

    @property
    def n_requests(self):
        return len(self.arrival_s)

    @property
    def mean_rate_per_s(self):
        return self.n_requests / self.horizon_s


def generate(scenario, replication, trace=None):
    """Return all requests of ``arrival_chunks``."""
    chunks = list(arrival_chunks(scenario, replication, trace))
    arrival_s = np.concatenate([np.empty(0), *(one.arrival_s for one in chunks)])
    work_s = np.concatenate([np.empty(0), *(one.service_time_s for one in chunks)])
    source = np.zeros(len(arrival_s), dtype=np.int32)
    if any(one.source is not None for one in chunks):
        source = np.concatenate([one.source for one in chunks])
    return Arrivals(
        arrival_s,
        work_s,
        source,
        source_names(scenario),
        horizon_s(scenario, trace),
        traffic_notes(scenario, trace),
    )
