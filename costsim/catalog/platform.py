"""The catalog: one file a platform, with its prices, rules, settings and features.

``load_catalog`` reads the files that come with costsim, each when it is first asked for;
a user's own files change or add prices (see ``costsim.catalog.overrides``) or describe
whole platforms, in the same schema.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, cast

import yaml
from pydantic import ValidationError, model_validator

from costsim.catalog import overrides as price_overrides
from costsim.catalog.configuration import Configuration
from costsim.catalog.features import Features, with_own_work
from costsim.catalog.located import (
    Problems,
    keys_beside,
    parse_located,
    read_located,
)
from costsim.catalog.lookup import unknown
from costsim.catalog.prices import Prices
from costsim.catalog.provenance import UnsourcedError, complete
from costsim.catalog.rules import Billing, ColdStarts, Conflict
from costsim.catalog.scaling import Autoscaler, Limits
from costsim.errors import CatalogError
from costsim.spec import Many, RuleError, Spec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from costsim.yaml_source import Document


_YOURS = {"virtual machine": "a machine", "cluster": "a cluster"}
"""Kinds of platforms that give you machines: what runs on them you can build yourself."""


class Platform(Spec):
    """A way of serving: what it charges, how it scales, what it offers."""

    name: str
    """Name in a scenario."""
    title: str
    """Name for people."""
    product: str
    """The product of the vendor that this describes."""
    kind: Literal["serverless", "dedicated", "virtual machine", "cluster"]
    """Containers that come and go; endpoints with replicas of a size; machines that stay; your own Kubernetes."""
    website: str
    """The vendor."""
    summary: str
    """One sentence."""
    replica: str = "replica"
    """The vendor's word for a replica: container, worker, instance."""
    prices: Prices
    """What it charges."""
    billing: Billing
    """What is metered and how it is rounded."""
    autoscaler: Autoscaler
    """What launches and removes replicas."""
    configuration: Configuration | None = None
    """Its settings as the vendor's own configuration."""
    limits: Limits
    """Limits that are not settings."""
    cold_starts: ColdStarts
    """How long starts take."""
    features: Features
    """Production features."""
    conflicts: Many[Conflict] = ()
    """Where the sources contradict each other, and which one costsim follows."""

    @model_validator(mode="after")
    def _names_what_there_is(self) -> Self:
        limits, settings = self.limits.entries, self.autoscaler.settings
        for part, one in self.autoscaler.references:
            if one.is_limit and one.name not in limits:
                message = unknown("limit", one.name, limits)
                raise RuleError(message, "autoscaler", part)
        if self.configuration is not None:
            try:
                self.configuration.check(settings)
            except RuleError as error:
                key = ("configuration", *error.key)
                raise RuleError(str(error), *key, word=error.word) from None
        for name, disk in self.prices.storage.items():
            word = disk.copies.removeprefix("$")
            if word and word not in settings:
                message = unknown("setting", word, settings)
                raise RuleError(message, "prices", "storage", name, "copies")
        return self

    @model_validator(mode="after")
    def _own_work(self) -> Self:
        machine = _YOURS.get(self.kind)
        if machine is None:
            return self
        features = with_own_work(self.features, machine)
        return self.model_copy(update={"features": features})

    @property
    def prices_as_of(self) -> str:
        """The date of its oldest price of compute: ``2026``, ``2026-08`` or ``2026-08-03``."""
        return self.prices.oldest


@dataclass(frozen=True)
class Catalog:
    """All platforms."""

    platforms: Mapping[str, Platform]
    """By name."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the platforms."""
        return tuple(self.platforms)

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


def load_catalog(overrides: str | Path | Iterable[str | Path] | None = None) -> Catalog:
    """Return the catalog that comes with costsim.

    Parameters
    ----------
    overrides : str, Path or several, optional
        YAML files, the later ones over the earlier: each changes or adds prices (see
        ``costsim.catalog.overrides``), or is a platform file and adds that platform.

    Raises
    ------
    CatalogError
        If a file cannot be read, or names what does not exist; lists every problem in
        it.
    """
    paths = [overrides] if isinstance(overrides, (str, Path)) else list(overrides or ())
    platforms: Mapping[str, Platform] = _Shipped()
    for path in paths:
        document = read_located(Path(path))
        if _is_platform(document.value):
            one = _checked(document)
            changed = {one.name: one}
        else:
            changed = {
                name: platforms[name].model_copy(update={"prices": prices})
                for name, prices in price_overrides.apply(platforms, document).items()
            }
        platforms = ChainMap(changed, cast("dict[str, Platform]", platforms))
    return Catalog(platforms)


def _is_platform(value: object) -> bool:
    return isinstance(value, dict) and {"name", "prices"} <= value.keys()


class _Shipped(Mapping[str, Platform]):
    """The platforms that come with costsim; a file is read when it is asked for."""

    def __getitem__(self, name: str) -> Platform:
        if name not in _files():
            raise KeyError(name)
        return _shipped(name)

    def __iter__(self) -> Iterator[str]:
        return iter(_files())

    def __len__(self) -> int:
        return len(_files())


@cache
def _files() -> dict[str, Any]:
    """Return the shipped files, each by the name of its platform."""
    folder = resources.files("costsim.catalog") / "platforms"
    files = {file.name.removesuffix(".yaml"): file for file in folder.iterdir()}
    return dict(sorted(files.items()))


@cache
def _shipped(name: str) -> Platform:
    file = _files()[name]
    return read_platform(file.read_text("utf-8"), str(file))


def read_platform(text: str, path: str) -> Platform:
    """Return the platform in the text of a platform file.

    Raises
    ------
    CatalogError
        If the text does not follow the schema, or a fact has no source; lists every
        problem, each at its line.
    """
    # Reading with the place of everything takes twenty times as long: only to complain.
    # The C parser is ten times faster, and missing where PyYAML was built without it.
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return complete(Platform.model_validate(yaml.load(text, loader)))
    except (yaml.YAMLError, ValueError):
        return _checked(parse_located(text, path))


def _checked(document: Document) -> Platform:
    """Return the platform in a document.

    Raises
    ------
    CatalogError
        With every problem, each at its line.
    """
    problems = Problems(document)
    platform = None
    try:
        platform = complete(Platform.model_validate(document.value))
    except ValidationError as error:
        problems.add_faults(error, lambda loc: keys_beside(Platform, loc))
    except UnsourcedError as error:
        for loc in error.locs:
            problems.add(loc, error.message, at="key")
    problems.refuse_if_any()
    if platform is None:
        message = "is no platform file"
        raise CatalogError(message, path=document.path)
    return platform
