"""Which deployments have the production features that a scenario requires."""

from __future__ import annotations

from typing import TYPE_CHECKING

from costsim.catalog.features import FEATURES
from costsim.catalog.lookup import unknown
from costsim.errors import Problem
from costsim.scenario.findings import Exclusion

if TYPE_CHECKING:
    from costsim.catalog.platform import Platform
    from costsim.scenario.findings import Findings


def unknown_requirements(requirements: tuple[str, ...]) -> list[Problem]:
    """Return a problem for each requirement that is no feature of the catalog."""
    return [
        Problem(unknown("feature", word, FEATURES), f"requirements.{i}")
        for i, word in enumerate(requirements)
        if word not in FEATURES
    ]


def judge(
    name: str,
    platform: Platform | None,
    plan: str,
    requirements: tuple[str, ...],
    findings: Findings,
) -> None:
    """Add what a deployment lacks to its findings, and a warning for each doubt.

    Parameters
    ----------
    name : str
        The deployment.
    platform : Platform or None
        Its platform; None if it is written out in the scenario.
    plan : str
        Its plan; a feature of other plans only is lacking.
    requirements : tuple of str
        Features; an unknown one is a problem of the scenario, not of the deployment.
    findings : Findings
        Takes the verdict.
    """
    for word in requirements:
        if platform is None:
            text = (
                f"requirement {word} is not checked: there is no platform to look it up"
            )
            findings.warnings.append(text)
        elif word in FEATURES:
            _judge_feature(name, platform, plan, word, findings)


def _judge_feature(
    name: str, platform: Platform, plan: str, word: str, findings: Findings
) -> None:
    feature = platform.features.feature(word)
    note = f" ({feature.note.rstrip('.')})" if feature.note else ""
    if feature.support == "no":
        reason = f"{platform.title} does not offer it{note}"
        findings.lacking.append(Exclusion(name, word, reason))
    elif feature.plans and plan not in feature.plans:
        plans = " or ".join(feature.plans)
        reason = f"{platform.title} offers it on plan {plans}, not on plan {plan}"
        findings.lacking.append(Exclusion(name, word, reason))
    elif feature.support == "partly":
        findings.warnings.append(f"{word} is there only in part{note}")
    elif feature.support == "unknown":
        findings.warnings.append(f"whether it has {word} is not known{note}")
