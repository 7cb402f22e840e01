"""What a pool used and what of it is billed: what records are metered into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from costsim.billing.rounding import NS_PER_S
from costsim.units import SECONDS_PER_HOUR

if TYPE_CHECKING:
    from costsim.records import Records


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
    replicas; billed busy + idle + setup + release + rounding = billed time. Under the
    scopes of replicas, billed busy time has at least one request in service. Under the
    scope `request` it is the sum of the times in service, which requests that share a
    replica each count: it may exceed the replicas' lives.
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
    release_ns: int = 0
    """Billed time of machines after their replicas have stopped, before rounding. [ns]"""
    min_busy_ns: int = 0
    """Part of `busy_ns` on the min replicas, where that has a price of its own. [ns]"""
    min_idle_ns: int = 0
    """Part of `idle_ns` on the min replicas, where that has a price of its own. [ns]"""
    disk_ns: int = 0
    """Replicas' lives, each rounded up as its disk's is. [ns]"""

    @property
    def rounding_ns(self) -> int:
        """Billed for nothing but the increment and the minimum. [ns]"""
        used_ns = self.busy_ns + self.idle_ns + self.setup_ns + self.release_ns
        return self.billed_ns - used_ns

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
    def release_s(self) -> float:
        """Billed time of machines without a replica. [s]"""
        return self.release_ns / NS_PER_S

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
    def disk_s(self) -> float:
        """Time that disks of replicas are billed. [s]"""
        return self.disk_ns / NS_PER_S

    @property
    def replica_hours(self) -> float:
        """All replicas' time from launch to stop. [h]"""
        return self.alive_s / SECONDS_PER_HOUR
