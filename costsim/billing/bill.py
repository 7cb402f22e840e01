"""Quantity times price is cost: line items, fees, credits, a month.

A bill covers one run. Amounts are US dollars, credits are negative, and the items add up
to the total.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from costsim.billing.rounding import NS_PER_S
from costsim.units import SECONDS_PER_HOUR, SECONDS_PER_MONTH

if TYPE_CHECKING:
    from costsim.billing.usage import Usage
    from costsim.catalog.tariff import MeteringRules, Tariff

Phase = Literal["busy", "idle", "setup", "release", "rounding", "fee", "credit"]
"""What the quantity was spent on."""


@dataclass(frozen=True)
class LineItem:
    """One line of a bill."""

    component: str
    """What is paid for: a priced part of a replica (``gpu``, ``cpu``, ``memory``,
    ``instance``), ``request``, a storage charge by its name, ``transfer``, ``build``,
    ``plan``, or ``credit`` for the monthly credit."""
    phase: Phase
    quantity: float
    """How much of the unit was metered."""
    unit: str
    """``replica-hour``, ``request``, ``GiB-month``, ``GiB``, ``h``, ``month``, ``USD``."""
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
    """By component, then phase; then fees and credit. None with a quantity of zero.

    What is free of a component or of the requests comes after it, as a negative amount.
    """

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
        """For ready replicas with nothing in service, and machines on release. [USD]"""
        return _total_usd(self._of_phases("idle", "release"))

    @property
    def release_usd(self) -> float:
        """For machines whose replicas have stopped, part of `idle_usd`. [USD]"""
        return self._phase_usd("release")

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
        """For requests, storage, transfer, builds and the plan. [USD]"""
        return self._phase_usd("fee")

    @property
    def credits_usd(self) -> float:
        """Free hours, free requests and free credit, as a negative amount. [USD]"""
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
        return _total_usd(self._of_phases(phase))

    def _of_phases(self, *phases: Phase) -> tuple[LineItem, ...]:
        return tuple(item for item in self.items if item.phase in phases)


def bill(usage: Usage, tariff: Tariff, *, served_requests: int, span_s: float) -> Bill:
    """Return what a pool's usage costs under a tariff.

    Parameters
    ----------
    usage : Usage
        From ``measure``, with the tariff's rules.
    tariff : Tariff
        Prices of one replica, fees, free amounts and credit.
    served_requests : int
        Requests that pay the request fee and the transfer, >= 0.
    span_s : float
        The horizon, > 0: what is paid or free by the month is charged pro rata for it. A
        tail beyond it, while the pool drains, is billed in full but makes no month
        longer. [s]

    Notes
    -----
    Free hours and free requests come first, each up to what was used. The free credit
    pays for what is left of the usage, which is all but the plan, and never more than
    that. A fee or credit that the tariff does not have makes no item.
    """
    if served_requests < 0:
        message = f"served_requests is {served_requests!r}; it must be at least 0"
        raise ValueError(message)
    months = _checked_span(span_s) / SECONDS_PER_MONTH
    served = float(served_requests)
    used = [
        *_replica_items(usage, tariff, months),
        *_request_items(tariff, served, months),
        *_storage_items(usage, tariff, months),
        *_work_items(tariff, served, months),
    ]
    fees = []
    if tariff.monthly_fee_usd:
        fees.append(LineItem("plan", "fee", months, "month", tariff.monthly_fee_usd))
    granted_usd = _granted_usd(used, tariff.monthly_credit_usd * months)
    credit = LineItem("credit", "credit", granted_usd, "USD", -1.0)
    return Bill(tuple(item for item in (*used, *fees, credit) if item.quantity))


def _replica_items(usage: Usage, tariff: Tariff, months: float) -> list[LineItem]:
    """Return items for each priced part of a replica: its phases, what of it is free."""
    items = []
    for component in tariff.components:
        price_usd = component.usd_per_hour
        used = [
            LineItem(
                component.name, phase, spent_s / SECONDS_PER_HOUR, "replica-hour", usd
            )
            for phase, spent_s, usd in _spent(usage, tariff.rules, price_usd)
        ]
        free = component.free_hours_per_month * months
        items += [*used, *_free(used, free, price_usd)]
    return items


def _spent(
    usage: Usage, rules: MeteringRules, usd_per_hour: float
) -> list[tuple[Phase, float, float]]:
    """Return phases, the time spent on each, and its price. [s], [USD/h]"""
    ordinary: dict[Phase, int] = {
        "busy": usage.busy_ns,
        "idle": usage.idle_ns,
        "setup": usage.setup_ns,
        "release": usage.release_ns,
        "rounding": usage.rounding_ns,
    }
    least: dict[Phase, tuple[int, float]] = {
        "busy": (usage.min_busy_ns, rules.min_busy_rate),
        "idle": (usage.min_idle_ns, rules.min_idle_rate),
    }
    spent: list[tuple[Phase, float, float]] = []
    for phase, phase_ns in ordinary.items():
        least_ns, rate = least.get(phase, (0, 1.0))
        apart_ns = least_ns if rate != 1 else 0
        spent.append((phase, (phase_ns - apart_ns) / NS_PER_S, usd_per_hour))
        spent.append((phase, apart_ns / NS_PER_S, rate * usd_per_hour))
    return spent


def _request_items(tariff: Tariff, served: float, months: float) -> list[LineItem]:
    """Return the fee for requests, and what of it is free."""
    usd = tariff.usd_per_request
    if not usd:
        return []
    fee = LineItem("request", "fee", served, "request", usd)
    return [fee, *_free([fee], tariff.free_requests_per_month * months, usd)]


def _storage_items(usage: Usage, tariff: Tariff, months: float) -> list[LineItem]:
    """Return an item for each disk or volume."""
    disk_months = usage.disk_s / SECONDS_PER_MONTH
    return [
        LineItem(
            charge.name,
            "fee",
            charge.gib
            * (disk_months if charge.basis == "alive" else charge.copies * months),
            "GiB-month",
            charge.usd_per_gib_month,
        )
        for charge in tariff.storage
    ]


def _work_items(tariff: Tariff, served: float, months: float) -> list[LineItem]:
    """Return what moving data and building images cost."""
    items = []
    if tariff.usd_per_gib:
        usd = tariff.usd_per_gib
        moved_gib = tariff.gib_per_request * served
        moved = LineItem("transfer", "fee", moved_gib, "GiB", usd)
        items += [moved, *_free([moved], tariff.free_gib_per_month * months, usd)]
    if tariff.usd_per_build_hour:
        build_h = tariff.build_hours_per_month * months
        items.append(LineItem("build", "fee", build_h, "h", tariff.usd_per_build_hour))
    return items


def _free(used: list[LineItem], free: float, usd_per_unit: float) -> list[LineItem]:
    """Return what is free of some items, worth the full price of a unit.

    It is never more than was used, nor worth more than that costs.
    """
    costs_usd = [item.cost_usd for item in used]
    if not free or not usd_per_unit:
        return []
    quantity = min(
        free,
        math.fsum(item.quantity for item in used),
        math.fsum(costs_usd) / usd_per_unit,
    )
    while math.fsum([*costs_usd, -usd_per_unit * quantity]) < 0:
        # A product was rounded up; what is free must not pay anyone 1e-18 dollars.
        quantity = math.nextafter(quantity, 0.0)
    return [
        LineItem(used[0].component, "credit", quantity, used[0].unit, -usd_per_unit)
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
