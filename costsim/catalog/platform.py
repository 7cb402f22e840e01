"""The catalog: one file a platform, with its prices, rules, settings and features.

``load_catalog`` reads the files that come with costsim; ``overrides`` names a file that
changes or adds prices (see ``costsim.catalog.overrides``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import ValidationError

from costsim.catalog import overrides as price_overrides
from costsim.catalog.features import Features
from costsim.catalog.lookup import unknown
from costsim.catalog.prices import Prices
from costsim.catalog.provenance import complete
from costsim.catalog.rules import Autoscaler, Billing, ColdStarts, Conflict, Limits
from costsim.errors import CatalogError
from costsim.spec import Many, Spec


class Platform(Spec):
    """A way of serving: what it charges, how it scales, what it offers."""

    name: str
    """Name in a scenario."""
    title: str
    """Name for people."""
    product: str
    """The product of the vendor that this describes."""
    kind: Literal["serverless", "virtual machine"]
    """Containers that come and go, or machines that stay."""
    website: str
    """The vendor."""
    summary: str
    """One sentence."""
    prices: Prices
    """What it charges."""
    billing: Billing
    """What is metered and how it is rounded."""
    autoscaler: Autoscaler
    """What launches and removes replicas."""
    limits: Limits
    """Limits that are not settings."""
    cold_starts: ColdStarts
    """How long starts take."""
    features: Features
    """Production features."""
    conflicts: Many[Conflict] = ()
    """Where the sources contradict each other, and which one costsim follows."""

    @property
    def prices_as_of(self) -> str:
        """The date of its oldest price of compute: ``2026``, ``2026-08`` or ``2026-08-03``."""
        return self.prices.oldest


@dataclass(frozen=True)
class Catalog:
    """All platforms."""

    platforms: dict[str, Platform]
    """By name."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the platforms."""
        return tuple(self.platforms)

    @property
    def prices_as_of(self) -> dict[str, str]:
        """The date of the oldest price of compute, for each platform."""
        return {name: one.prices_as_of for name, one in self.platforms.items()}

    def find(self, name: str) -> Platform | None:
        """Return a platform by its name, in any letter case, or None."""
        return self.platforms.get(name.strip().casefold())

    def platform(self, name: str) -> Platform:
        """Return a platform by its name.

        Raises
        ------
        CatalogError
            If there is none; suggests one.
        """
        found = self.find(name)
        if found is None:
            raise CatalogError(unknown("platform", name, self.platforms))
        return found


def load_catalog(overrides: str | Path | None = None) -> Catalog:
    """Return the catalog that comes with costsim.

    Parameters
    ----------
    overrides : str or Path, optional
        A YAML file that changes or adds prices: see ``costsim.catalog.overrides``.

    Raises
    ------
    CatalogError
        If the file of overrides cannot be read, or names what does not exist; lists
        every problem in it.
    """
    platforms = _bundled()
    if overrides is not None:
        prices = {name: one.prices for name, one in platforms.items()}
        changed = price_overrides.apply(prices, Path(overrides))
        platforms = {
            name: one.model_copy(update={"prices": changed[name]})
            for name, one in platforms.items()
        }
    return Catalog(dict(platforms))


@cache
def _bundled() -> dict[str, Platform]:
    folder = resources.files("costsim.catalog") / "platforms"
    files = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".yaml")),
        key=lambda file: file.name,
    )
    loaded = [read_platform(file.read_text("utf-8"), str(file)) for file in files]
    return {platform.name: platform for platform in loaded}


def read_platform(text: str, path: str) -> Platform:
    """Return the platform in the text of a platform file.

    Raises
    ------
    CatalogError
        If the text does not follow the schema, or a fact has no source.
    """
    # The C parser is ten times faster, and missing where PyYAML was built without it.
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return complete(Platform.model_validate(yaml.load(text, loader)))
    except (yaml.YAMLError, ValidationError, ValueError) as error:
        raise CatalogError(str(error), path=path) from error
