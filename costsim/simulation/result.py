"""What a simulation gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from costsim.records import Records


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

    def __repr__(self) -> str:
        return (
            f"SimulationResult({len(self.requests):,} requests, "
            f"{len(self.replicas):,} replicas, end_s={self.end_s:g})"
        )
