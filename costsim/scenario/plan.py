"""The plan of a deployment: its fee, its credit, its bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from costsim.catalog.lookup import unknown
from costsim.catalog.prices import Plan
from costsim.catalog.quote import PriceSource
from costsim.units import HOURS_PER_MONTH
from costsim.yaml_source import shown

if TYPE_CHECKING:
    from costsim.catalog.platform import Platform
    from costsim.scenario.findings import Findings
    from costsim.scenario.schema import Deployment


@dataclass(frozen=True)
class ChosenPlan:
    """A plan and its name; both empty where a platform has no plans."""

    name: str
    """Name."""
    terms: Plan
    """What it costs and allows."""

    @property
    def fee_usd(self) -> float:
        """Fee of a month. [USD/month]"""
        return self.terms.fee or 0.0

    @property
    def credit_usd(self) -> float:
        """Free credit of a month. [USD/month]"""
        return self.terms.credit or 0.0

    @property
    def sources(self) -> tuple[PriceSource, ...]:
        """Where its fee comes from; nothing if it is free."""
        if not self.terms.fee:
            return ()
        hourly = self.terms.fee / HOURS_PER_MONTH
        terms = self.terms
        return (PriceSource(f"plan {self.name}", hourly, terms.source, terms.as_of),)


def find_plan(
    deployment: Deployment, platform: Platform, findings: Findings
) -> ChosenPlan:
    """Return a deployment's plan, or the platform's default; an empty one after a problem."""
    plans = platform.prices.plans
    nothing = ChosenPlan("", Plan())
    if not plans:
        if deployment.plan is not None:
            findings.refuse("plan", f"{platform.title} has no plans; leave it out")
        return nothing
    name = deployment.plan or platform.prices.default_plan
    terms = plans.get(name)
    if terms is None:
        findings.refuse("plan", unknown(f"plan of {platform.title}", name, plans))
        return nothing
    if terms.fee is None:
        public = ", ".join(one for one, plan in plans.items() if plan.fee is not None)
        message = (
            f"plan {shown(name)} has no published fee; allowed: {public}; or give its "
            "fee in a file of prices (--prices)"
        )
        findings.refuse("plan", message)
    return ChosenPlan(name, terms)
