"""What is found while one deployment is resolved: problems, warnings, what it lacks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from costsim.errors import Problem


class Exclusion(NamedTuple):
    """A deployment that is left out, and why."""

    name: str
    """The deployment."""
    feature: str
    """The feature that it lacks."""
    reason: str
    """Why it lacks it."""


@dataclass
class Findings:
    """Collects; nothing is raised until every deployment has been looked at."""

    key: str
    """Dotted path of the deployment in the scenario, such as ``deployments.0``."""
    problems: list[Problem] = field(default_factory=list)
    """What makes the deployment unusable."""
    warnings: list[str] = field(default_factory=list)
    """What the user should know before trusting the result."""
    notes: list[str] = field(default_factory=list)
    """Choices that were made for the user."""
    capped_by: list[str] = field(default_factory=list)
    """Limits that bound the number of replicas."""
    lacking: list[Exclusion] = field(default_factory=list)
    """Required features that it does not have."""

    def refuse(self, key: str, message: str) -> None:
        """Add a problem with a key of the deployment, such as ``settings.max_inputs``."""
        self.problems.append(Problem(message, f"{self.key}.{key}"))
