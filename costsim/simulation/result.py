"""What a simulation gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from costsim.records import Records
    from costsim.simulation.metrics import PoolMeasures


@dataclass(frozen=True, eq=False)
class SimulationResult:
    """The life of every request and every replica of one pool."""

    requests: Records
    """REQUEST_DTYPE, one row for each arrival before the horizon, in order of arrival."""
    replicas: Records
    """REPLICA_DTYPE, in order of creation, initial ones first."""
    end_s: float
    """End of the run. [s]"""
    launches: int
    """Replicas launched; initial ones were not."""
    horizon_s: float | None = None
    """Arrivals from here on were dropped; None: there was no horizon. [s]"""
    measures: PoolMeasures | None = None
    """What was measured where records were not kept; there the arrays are empty."""

    def __repr__(self) -> str:
        n = len(self.requests) if self.measures is None else self.measures.requests
        replicas = f"{len(self.replicas):,} replicas"
        if self.measures is not None:
            replicas = f"{self.launches:,} launches"
        return f"SimulationResult({n:,} requests, {replicas}, end_s={self.end_s:g})"
