"""Quantity times price is cost: line items, fees, credits, a month.

A bill covers one run. Amounts are US dollars, credits are negative, and the items add up
to the total.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from costsim.units import SECONDS_PER_HOUR, SECONDS_PER_MONTH

if TYPE_CHECKING:
    from costsim.billing.usage import Usage
    from costsim.catalog.tariff import Tariff

BillComponent = Literal["gpu", "cpu", "memory", "instance", "request", "plan", "credit"]
"""What is paid for: a priced part of a replica, or a fee or credit."""

Phase = Literal["busy", "idle", "setup", "rounding", "fee", "credit"]
"""What the quantity was spent on."""


@dataclass(frozen=True)
class LineItem:
    """One line of a bill."""

    component: BillComponent
    phase: Phase
    quantity: float
    """How much of the unit was metered."""
    unit: str
    """``replica-hour``, ``request``, ``month`` or ``USD``."""
    usd_per_unit: float
    """Price. [USD/unit]"""
    cost_usd: float = field(init=False)
    """Quantity times price. [USD]"""

    def __post_init__(self) -> None:
        object.__setattr__(self, "cost_usd", self.quantity * self.usd_per_unit)


@dataclass(frozen=True)
class Bill:
    """What one run of a pool costs."""

    items: tuple[LineItem, ...]
    """By component, then phase; then fees and credit. None with a quantity of zero."""

    @property
    def total_usd(self) -> float:
        """Sum of all items. [USD]"""
        return _total_usd(self.items)

    @property
    def busy_usd(self) -> float:
        """For replicas with a request in service. [USD]"""
        return self._phase_usd("busy")

    @property
    def idle_usd(self) -> float:
        """For ready replicas with nothing in service. [USD]"""
        return self._phase_usd("idle")

    @property
    def setup_usd(self) -> float:
        """For replicas that are starting. [USD]"""
        return self._phase_usd("setup")

    @property
    def rounding_usd(self) -> float:
        """For increments and minimum charges beyond what was used. [USD]"""
        return self._phase_usd("rounding")

    @property
    def fees_usd(self) -> float:
        """For requests and the plan. [USD]"""
        return self._phase_usd("fee")

    @property
    def credits_usd(self) -> float:
        """Free credit, as a negative amount. [USD]"""
        return self._phase_usd("credit")

    def per_month(self, span_s: float) -> float:
        """Return the cost of a month of 730 h like the span of this bill. [USD/month]

        Parameters
        ----------
        span_s : float
            The horizon that the bill covers, > 0. [s]
        """
        return self.total_usd * SECONDS_PER_MONTH / _checked_span(span_s)

    def _phase_usd(self, phase: Phase) -> float:
        return _total_usd(tuple(item for item in self.items if item.phase == phase))


def bill(usage: Usage, tariff: Tariff, *, served_requests: int, span_s: float) -> Bill:
    """Return what a pool's usage costs under a tariff.

    Parameters
    ----------
    usage : Usage
        From ``measure``, with the tariff's rules.
    tariff : Tariff
        Prices of one replica, fees and credit.
    served_requests : int
        Requests that pay the request fee, >= 0.
    span_s : float
        The horizon, > 0: plan fee and credit are charged pro rata for it. A tail beyond
        it, while the pool drains, is billed in full but makes no month longer. [s]

    Notes
    -----
    The free credit pays for usage, which is replicas and requests, never for the plan,
    and never more than the usage costs. A fee or credit that the tariff does not have
    makes no item.
    """
    if served_requests < 0:
        message = f"served_requests is {served_requests!r}; it must be at least 0"
        raise ValueError(message)
    months = _checked_span(span_s) / SECONDS_PER_MONTH
    used = _replica_items(usage, tariff)
    if tariff.usd_per_request:
        served, fee_usd = float(served_requests), tariff.usd_per_request
        used.append(LineItem("request", "fee", served, "request", fee_usd))
    fees = []
    if tariff.monthly_fee_usd:
        fees.append(LineItem("plan", "fee", months, "month", tariff.monthly_fee_usd))
    granted_usd = _granted_usd(used, tariff.monthly_credit_usd * months)
    credit = LineItem("credit", "credit", granted_usd, "USD", -1.0)
    return Bill(tuple(item for item in (*used, *fees, credit) if item.quantity))


def _replica_items(usage: Usage, tariff: Tariff) -> list[LineItem]:
    """Return an item for each priced part of a replica and each phase."""
    seconds: dict[Phase, float] = {
        "busy": usage.busy_s,
        "idle": usage.idle_s,
        "setup": usage.setup_s,
        "rounding": usage.rounding_s,
    }
    return [
        LineItem(
            component.name,
            phase,
            phase_s / SECONDS_PER_HOUR,
            "replica-hour",
            component.usd_per_hour,
        )
        for component in tariff.components
        for phase, phase_s in seconds.items()
    ]


def _granted_usd(used: list[LineItem], credit_usd: float) -> float:
    """Return the part of a credit that usage can take up. [USD]"""
    costs_usd = [item.cost_usd for item in used]
    granted_usd = min(credit_usd, math.fsum(costs_usd))
    if math.fsum([*costs_usd, -granted_usd]) < 0:
        # The sum was rounded up; a free bill must not pay its reader 1e-18 dollars.
        return math.nextafter(granted_usd, 0.0)
    return granted_usd


def _total_usd(items: tuple[LineItem, ...]) -> float:
    """Return the sum, free of the order of the items. [USD]"""
    return math.fsum(item.cost_usd for item in items)


def _checked_span(span_s: float) -> float:
    if not 0 < span_s < math.inf:
        message = f"span_s is {span_s!r}; it must be positive and finite"
        raise ValueError(message)
    return span_s
