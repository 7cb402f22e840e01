"""From a scenario's setup to the laws of its phases and what is billed of them.

The unbilled phases come first: what is billed of a setup is one span that ends as the
replica is ready, so that it joins what is billed after it (docs/model.md 8.1). A setup
that is billed, free, and billed again is refused; no platform of the catalog has one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from costsim.catalog.lookup import unknown
from costsim.errors import Problem
from costsim.scenario.autoscalers import Fixed
from costsim.scenario.distributions import ConstantDuration
from costsim.scenario.setup import MixedSetup, PhasedSetup, PresetSetup
from costsim.scenario.setup_presets import setup_presets

if TYPE_CHECKING:
    from collections.abc import Callable

    from costsim.catalog.tariff import MeteringRules
    from costsim.scenario.distributions import DurationDistribution
    from costsim.scenario.findings import Findings
    from costsim.scenario.pool import Pool
    from costsim.scenario.schema import Deployment, Scenario
    from costsim.scenario.setup import Miss, Setup


_NO_TIME = ConstantDuration(distribution="constant", value=0.0)


@dataclass(frozen=True)
class SetupPhase:
    """One phase of a setup."""

    name: str
    """Its name; empty if it is the whole setup, written as one law."""
    law: DurationDistribution
    """How long it lasts."""
    billed: bool
    """Whether it is billed."""


@dataclass(frozen=True)
class Start:
    """One kind of setup: phases, one after the other."""

    phases: tuple[SetupPhase, ...]
    """The unbilled ones come first."""
    unbilled_s: float = 0.0
    """The first part, of a billed phase, that is not billed. [s]"""


@dataclass(frozen=True)
class SetupPlan:
    """How a launch starts: one way, or with some probability the faster of two."""

    hit: Start
    """The only one, or the one that finds the host's cache warm."""
    miss: Start | None = None
    """The other one; None if there is none."""
    hit_probability: float = 1.0
    """That a launch is a hit, while the pool has replicas. [1]"""
    half_life_s: float = math.inf
    """In which it halves while the pool has none. [s]"""

    @classmethod
    def of_one_law(cls, law: DurationDistribution, rules: MeteringRules) -> SetupPlan:
        """Return the plan of a setup that is one law, billed by rules."""
        whole = SetupPhase("", law, rules.setup_billed)
        return cls(Start((whole,), rules.unbilled_setup_s))

    @property
    def has_phases(self) -> bool:
        """Whether a start is in phases, so that each says whether it is billed."""
        starts = [self.hit] if self.miss is None else [self.hit, self.miss]
        return any(start.phases[0].name for start in starts)

    @property
    def law(self) -> DurationDistribution | None:
        """The law of a setup that is nothing but one; None for any other."""
        first = self.hit.phases[0]
        return first.law if self.miss is None and first.name == "" else None

    @property
    def mixture(self) -> dict[str, float] | None:
        """The numbers of a mixture, as the engine's ``setup_mixture`` names them."""
        if self.miss is None:
            return None
        return {"probability": self.hit_probability, "half_life_s": self.half_life_s}

    def metering(self, rules: MeteringRules) -> MeteringRules:
        """Return the rules for the meter; it takes the rest from each launch's draws."""
        if self.law is not None:
            return rules
        return replace(rules, setup_billed=True, unbilled_setup_s=0.0)


def find_setup(
    deployment: Deployment,
    scenario: Scenario,
    pool: Pool | None,
    rules: MeteringRules,
    bills: Callable[[str], bool],
    findings: Findings,
) -> SetupPlan | None:
    """Return the setup of a deployment's replicas, or None after a problem.

    A fixed pool without a schedule never launches, and needs none.
    """
    setup = deployment.setup or scenario.setup
    if setup is None:
        if (
            pool is not None
            and isinstance(pool.autoscaler, Fixed)
            and not pool.schedule
        ):
            return SetupPlan.of_one_law(_NO_TIME, rules)
        message = "is missing, here and in the scenario; write one, such as '25s'"
        findings.refuse("setup", message)
        return None
    key = "setup" if deployment.setup is None else f"{findings.key}.setup"
    plan = SetupPlanner(rules, bills, key, findings).plan(setup)
    if plan is not None and deployment.unbilled_setup is not None and plan.has_phases:
        message = (
            "goes with a setup that is one time; of phases, 'billed' says which are"
        )
        findings.refuse("unbilled_setup", message)
    return plan


class SetupPlanner:
    """Settles a setup with the billing rules of one deployment.

    Parameters
    ----------
    rules : MeteringRules
        Of the platform, or of the scenario's own billing; with its unbilled first part.
    bills : callable
        Whether a phase of a name is billed, unless the setup says otherwise.
    key : str
        Dotted path of the setup in the scenario.
    findings : Findings
        Takes the problems, and the note of a preset's source.
    """

    def __init__(
        self,
        rules: MeteringRules,
        bills: Callable[[str], bool],
        key: str,
        findings: Findings,
    ) -> None:
        self._rules = rules
        self._bills = bills
        self._key = key
        self._findings = findings

    def plan(self, setup: Setup) -> SetupPlan | None:
        """Return the plan of a setup, or None after a problem."""
        if isinstance(setup, PresetSetup):
            preset = setup_presets().get(setup.preset)
            if preset is None:
                self._refuse("preset", unknown("preset", setup.preset, setup_presets()))
                return None
            self._findings.notes.append(
                f"setup {setup.preset}: {preset.what} ({preset.source}, {preset.as_of})"
            )
            setup = preset.setup
        if isinstance(setup, PhasedSetup):
            start = self._phases(setup.phases, setup.billed, "")
            return None if start is None else SetupPlan(start)
        if isinstance(setup, MixedSetup):
            return self._mixture(setup)
        return SetupPlan.of_one_law(setup, self._rules)

    def _mixture(self, setup: MixedSetup) -> SetupPlan | None:
        hit, miss = self._start(setup.hit, "hit."), self._start(setup.miss, "miss.")
        if hit is None or miss is None:
            return None
        return SetupPlan(hit, miss, setup.hit.probability, setup.hit.half_life)

    def _start(self, branch: Miss, key: str) -> Start | None:
        if branch.phases is not None:
            return self._phases(branch.phases, branch.billed, key)
        return SetupPlan.of_one_law(branch.time or _NO_TIME, self._rules).hit

    def _phases(
        self,
        laws: dict[str, DurationDistribution],
        billed: dict[str, bool],
        key: str,
    ) -> Start | None:
        """Return a start in phases, or None if an unbilled one comes after a billed one."""
        phases: list[SetupPhase] = []
        for name, law in laws.items():
            is_billed = billed.get(name, self._bills(name))
            if phases and phases[-1].billed and not is_billed:
                message = (
                    f"is not billed, but comes after {phases[-1].name}, which is; "
                    "unbilled phases come first: move it, or say so in 'billed'"
                )
                self._refuse(f"{key}phases.{name}", message)
                return None
            phases.append(SetupPhase(name, law, is_billed))
        return Start(tuple(phases))

    def _refuse(self, key: str, message: str) -> None:
        self._findings.problems.append(Problem(message, f"{self._key}.{key}"))
