"""What a replica costs: metering rules and prices, ready for the meter.

A tariff is the joint between a platform file (or a scenario's own ``billing``) and
``costsim.billing``: all vendor's words are gone, every price is per replica and hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Scope = Literal["replica", "segment", "request", "total", "aligned"]
"""What one billed item is: docs/model.md 8.2."""


@dataclass(frozen=True)
class MeteringRules:
    """Which seconds are billed, and how they are rounded."""

    scope: Scope = "replica"
    increment_s: float = 1.0
    """Billing increment; an item is rounded up to it. 0: not rounded. [s]"""
    minimum_s: float = 0.0
    """An item that is not empty is billed at least this long. [s]"""
    setup_billed: bool = True
    """Whether the time from launch to ready is billed."""
    idle_billed: bool = True
    """Whether ready replicas with nothing in service are billed."""
    min_idle_billed: bool = True
    """Whether the idle time of the min replicas is billed, whatever holds for others."""
    min_idle_rate: float = 1.0
    """Price of the min replicas' idle time, as a share of the price. [1]"""
    min_busy_rate: float = 1.0
    """Price of the min replicas' busy time, as a share of the price. [1]"""
    unbilled_setup_s: float = 0.0
    """The first part of each setup (provisioning, image pull) that is not billed. [s]"""
    failed_start_billed: bool = True
    """Whether the setup of a replica is billed that stopped before it was ready."""
    release_lag_s: float = 0.0
    """How long a replica's machine is billed after the replica has stopped. [s]"""
    disk_increment_s: float = 0.0
    """For its disk, each replica's life is rounded up to it. 0: not rounded. [s]"""

    @property
    def discounts_min_replicas(self) -> bool:
        """Whether billed time of the min replicas has a price of its own."""
        idle_rate = self.min_idle_rate if self.min_idle_billed else 1.0
        return (idle_rate, self.min_busy_rate) != (1.0, 1.0)

    @property
    def tells_min_replicas(self) -> bool:
        """Whether time of the min replicas is billed otherwise than that of others."""
        # By request nobody's idle time is billed but theirs.
        idle_billed = self.idle_billed and self.scope != "request"
        return self.min_idle_billed != idle_billed or self.discounts_min_replicas


@dataclass(frozen=True)
class Component:
    """One priced part of a replica."""

    name: Literal["gpu", "cpu", "memory", "instance"]
    usd_per_hour: float
    """Price for this replica's whole share of it, region multiplier included. [USD/h]"""
    free_hours_per_month: float = 0.0
    """Free replica-hours of it in a month of 730 h, pro rata. [h/month]"""


@dataclass(frozen=True)
class StorageCharge:
    """Disk or volume that is paid by size and time."""

    name: str
    """For the bill, such as ``container_disk``."""
    gib: float
    """Size of one. [GiB]"""
    usd_per_gib_month: float
    """Price of a GiB for a month of 730 h. [USD/(GiB month)]"""
    basis: Literal["alive", "always"] = "always"
    """Alive: one for each replica while it is alive. Always: the whole time."""
    copies: int = 1
    """How many there are, where they are paid always."""


@dataclass(frozen=True)
class Tariff:
    """Everything that turns a pool's life into a bill."""

    rules: MeteringRules
    components: tuple[Component, ...]
    """Priced parts of one replica; their sum is the price of a replica-hour."""
    usd_per_request: float = 0.0
    """Fee for each served request. [USD]"""
    free_requests_per_month: float = 0.0
    """Served requests without a fee in a month of 730 h, pro rata. [requests/month]"""
    monthly_fee_usd: float = 0.0
    """Plan fee for a month of 730 h, charged pro rata. [USD/month]"""
    monthly_credit_usd: float = 0.0
    """Free credit for a month of 730 h, pro rata; never pays for the plan fee. [USD/month]"""
    storage: tuple[StorageCharge, ...] = ()
    """Disks and volumes."""
    gib_per_request: float = 0.0
    """Data that a served request moves over the priced line. [GiB]"""
    usd_per_gib: float = 0.0
    """Price of moving it. [USD/GiB]"""
    free_gib_per_month: float = 0.0
    """What moves without a charge in a month of 730 h, pro rata. [GiB/month]"""
    build_hours_per_month: float = 0.0
    """Time that images are being built in a month of 730 h, pro rata. [h/month]"""
    usd_per_build_hour: float = 0.0
    """Price of building. [USD/h]"""

    @property
    def usd_per_hour(self) -> float:
        """Price of one replica-hour. [USD/h]"""
        return sum(component.usd_per_hour for component in self.components)
