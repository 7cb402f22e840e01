"""The lines of a deployment's bill as a result has them: means over replications."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from costsim.billing.bill import LineItem


@dataclass(frozen=True)
class BillLine:
    """A line of a deployment's bill, the mean over replications."""

    deployment: str
    """Its name in the scenario."""
    component: str
    """What is paid for: a priced part of a replica (``gpu``, ``cpu``, ``memory``,
    ``instance``), ``request``, a storage charge by its name, ``transfer``, ``build``,
    ``plan``, or ``credit``."""
    phase: str
    """What it was spent on: ``busy``, ``idle``, ``setup``, ``release``, ``rounding``,
    ``fee`` or ``credit``."""
    quantity: float
    """How much of the unit was metered over the run, warm-up and what is served after
    the horizon included; the mean over replications."""
    unit: str
    """``replica-hour``, ``request``, ``GiB-month``, ``GiB``, ``h``, ``month`` or ``USD``."""
    usd_per_unit: float
    """Price of one unit. [USD/unit]"""
    cost_usd: float
    """Quantity times price; below 0 for what is free. [USD]"""


def mean_bill(deployment: str, bills: list[tuple[LineItem, ...]]) -> list[BillLine]:
    """Return the lines of several bills with their quantities averaged."""
    totals: dict[tuple[str, str, str, float], float] = {}
    for items in bills:
        for item in items:
            key = (item.component, item.phase, item.unit, item.usd_per_unit)
            totals[key] = totals.get(key, 0.0) + item.quantity
    return [
        BillLine(
            deployment=deployment,
            component=component,
            phase=phase,
            quantity=total / len(bills),
            unit=unit,
            usd_per_unit=price,
            cost_usd=total / len(bills) * price,
        )
        for (component, phase, unit, price), total in totals.items()
    ]
