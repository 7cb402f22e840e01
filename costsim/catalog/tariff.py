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
    """Whether the idle time of the min replicas is billed, where idle time is."""
    unbilled_setup_s: float = 0.0
    """The first part of each setup (provisioning, image pull) that is not billed. [s]"""


@dataclass(frozen=True)
class Component:
    """One priced part of a replica."""

    name: Literal["gpu", "cpu", "memory", "instance"]
    usd_per_hour: float
    """Price for this replica's whole share of it, region multiplier included. [USD/h]"""


@dataclass(frozen=True)
class Tariff:
    """Everything that turns a pool's life into a bill."""

    rules: MeteringRules
    components: tuple[Component, ...]
    """Priced parts of one replica; their sum is the price of a replica-hour."""
    usd_per_request: float = 0.0
    """Fee for each served request. [USD]"""
    monthly_fee_usd: float = 0.0
    """Plan fee for a month of 730 h, charged pro rata. [USD/month]"""
    monthly_credit_usd: float = 0.0
    """Free credit for a month of 730 h, pro rata; never pays for the plan fee. [USD/month]"""

    @property
    def usd_per_hour(self) -> float:
        """Price of one replica-hour. [USD/h]"""
        return sum(component.usd_per_hour for component in self.components)
