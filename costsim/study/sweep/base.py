"""The scenario that is varied: a file as it is read, and the same with other values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from costsim.errors import ScenarioError
from costsim.scenario.deployment import resolve
from costsim.scenario.load import check_document, locate_problems
from costsim.scenario.overrides import apply_overrides
from costsim.study.pools import check_pools
from costsim.yaml_source.document import Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from costsim.catalog.platform import Catalog
    from costsim.scenario.deployment import Resolution
    from costsim.scenario.schema import Scenario
    from costsim.yaml_source import Document

VARY = "--vary"
"""The option, as messages name it."""


@dataclass(frozen=True)
class Base:
    """A scenario file with some of its keys open."""

    document: Document
    """Unchecked: a point may bring what it lacks."""
    keys: tuple[str, ...]
    """What is varied."""
    catalog: Catalog
    """Platforms and prices."""

    def at(self, values: Sequence[str]) -> tuple[Scenario, Resolution]:
        """Return the scenario with these values, checked, and its deployments.

        Parameters
        ----------
        values : sequence of str
            In YAML, in the order of the keys.

        Raises
        ------
        ScenarioError
            With every problem; a value at fault is named as the option that brought it.
        """
        options = [
            f"{key}={value}" for key, value in zip(self.keys, values, strict=True)
        ]
        document, problems = apply_overrides(self.document, options, option=VARY)
        scenario = check_document(document, problems)
        try:
            resolution = resolve(scenario, self.catalog)
            check_pools(scenario, resolution)
        except ScenarioError as error:
            located = locate_problems(error.problems, document)
            raise ScenarioError(located, path=document.path) from None
        return scenario, resolution

    def for_workers(self) -> Base:
        """Return the same without the file's text, which only messages need."""
        bare = replace(self.document, lines=(), root=Place(None, None))
        return replace(self, document=bare)
