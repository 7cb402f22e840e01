"""A user's own prices, on top of the catalog's: the file behind ``--prices FILE``.

It is YAML, a section for each platform; everything but the price is optional::

    modal:
      source: our contract            # for all prices of this platform
      as_of: 2026-11-01
      gpus:
        L4: 0.70 USD/h                # another price for a GPU
        GB300:                        # a new GPU: the price and its memory
          price: 0.0025 USD/s
          memory: 288 GiB
      cpu: 0.04 USD/h                 # of a physical core
      memory: 0.007 USD/h             # of a GiB
      regions: {broad: 1.5}           # factors on the price
      plans:
        enterprise: {fee: 1000 USD, credit: 0 USD, max_gpus: 200, max_replicas: 2000}
    baseten:
      instances:
        "L4:4x16": 0.80 USD/h
        "L4:8x32": {price: 0.02 USD/min, vcpu: 8, memory: 32 GiB, gpu: L4, gpu_count: 1, gpu_memory: 24 GiB}

A price always has its unit. A bare price for a name that the catalog does not have is
taken for a slip of the pen and refused; a new one is spelled out as above.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from costsim.catalog.lookup import did_you_mean, unknown
from costsim.catalog.prices import (
    CpuPrice,
    GpuPrice,
    InstancePrice,
    MemoryPrice,
    Plan,
    Prices,
    Region,
    WrittenPrice,
    WrittenUsd,
)
from costsim.catalog.provenance import UNDATED, AsOf
from costsim.errors import CatalogError, Problem, ScenarioError
from costsim.spec import Count, PositiveCount, PositiveFloat, Size, Spec
from costsim.yaml_source import Document, read_yaml, shown

if TYPE_CHECKING:
    from pathlib import Path


class PriceOverride(Spec):
    """A price, and for what the catalog does not have also its size."""

    price: WrittenPrice
    """The price."""
    vcpu: PositiveFloat | None = None
    """Virtual CPUs of a new instance."""
    memory: Size | None = None
    """Memory of a new instance; GPU memory of a new GPU."""
    gpu: str | None = None
    """GPU type of a new instance."""
    gpu_count: Count | None = None
    """GPUs in a new instance."""
    gpu_memory: Size | None = None
    """Memory of all GPUs of a new instance."""
    source: str = ""
    """Where the price is from."""
    as_of: AsOf = ""
    """When it was read."""
    note: str = ""
    """What else to know."""


class PlanOverride(Spec):
    """What changes about a plan."""

    fee: WrittenUsd | None = None
    """Fee of a month."""
    credit: WrittenUsd | None = None
    """Free credit of a month."""
    max_gpus: PositiveCount | None = None
    """Most GPUs at a time."""
    max_replicas: PositiveCount | None = None
    """Most replicas at a time."""


def _bare_price(value: Any) -> Any:  # noqa: ANN401 - whatever the file holds
    """Read a bare price as a mapping with nothing else in it."""
    return value if isinstance(value, dict) else {"price": value}


WrittenOverride = Annotated[PriceOverride, BeforeValidator(_bare_price)]


class PlatformOverride(Spec):
    """What changes about a platform's prices."""

    source: str = ""
    """Where these prices are from; the file if left out."""
    as_of: AsOf = ""
    """When they were read."""
    gpus: dict[str, WrittenOverride] = Field(default_factory=dict)
    """Prices of GPUs, where they are priced apart."""
    cpu: WrittenOverride | None = None
    """Price of a physical core."""
    memory: WrittenOverride | None = None
    """Price of a GiB."""
    instances: dict[str, WrittenOverride] = Field(default_factory=dict)
    """Prices of whole instances."""
    regions: dict[str, PositiveFloat] = Field(default_factory=dict)
    """Factors of regions."""
    plans: dict[str, PlanOverride] = Field(default_factory=dict)
    """Plans."""


_FILE = TypeAdapter(dict[str, PlatformOverride])

Loc = tuple[str | int, ...]
"""The way to a value of the file."""

ResourceT = TypeVar("ResourceT", CpuPrice, MemoryPrice)


def apply(prices: dict[str, Prices], path: Path) -> dict[str, Prices]:
    """Return the prices of all platforms as the file changes them.

    Raises
    ------
    CatalogError
        If the file cannot be read or used; lists every problem in it.
    """
    document = _read(path)
    problems = _Problems(document)
    changed = dict(prices)
    for name, override in _validate(document.value, problems).items():
        if name in prices:
            part = _Part(name, prices[name], override, problems)
            changed[name] = part.changed()
        else:
            problems.add((name,), unknown("platform", name, prices), at="key")
    problems.refuse_if_any()
    return changed


@dataclass
class _Problems:
    """What is wrong with the file, and where."""

    document: Document
    found: list[Problem] = field(default_factory=list)

    def add(self, loc: Loc, message: str, *, at: Literal["key", "value"]) -> None:
        place = self.document.locate(loc, at=at)
        key = ".".join(map(str, loc))
        self.found.append(Problem(message, key, *place))

    def refuse_if_any(self) -> None:
        """Raise a ``CatalogError`` that shows every problem, in the file's order."""
        if self.found:
            ordered = sorted(self.found, key=lambda one: (one.line or 0, one.key))
            raise _refusal(ordered, self.document.path)


def _refusal(problems: list[Problem], path: str) -> CatalogError:
    # Told like the problems of a scenario: file, line, key, and the line itself.
    return CatalogError(str(ScenarioError(problems, path=path)))


@dataclass(frozen=True)
class _Part:
    """The part of the file about one platform."""

    platform: str
    prices: Prices
    override: PlatformOverride
    problems: _Problems

    def changed(self) -> Prices:
        """Return the platform's prices as this part changes them."""
        prices, override = self.prices, self.override
        return prices.model_copy(
            update={
                "gpus": self._gpus(),
                "instances": self._instances(),
                "cpu": self._resource("cpu", prices.cpu, override.cpu),
                "memory": self._resource("memory", prices.memory, override.memory),
                "regions": self._regions(),
                "plans": self._plans(),
            }
        )

    def _origin(self, item: PriceOverride | None = None) -> dict[str, Any]:
        """Return the provenance of what this file says."""
        source, as_of = (item.source, item.as_of) if item else ("", "")
        return {
            "source": source or self.override.source or self.problems.document.path,
            "as_of": as_of or self.override.as_of or UNDATED,
            "evidence": "own",
            "note": item.note if item else "",
        }

    def _priced(self, item: PriceOverride) -> dict[str, Any]:
        return {"price": item.price, **self._origin(item)}

    def _refuse(self, loc: Loc, message: str) -> None:
        self.problems.add((self.platform, *loc), message, at="key")

    def _gpus(self) -> dict[str, GpuPrice]:
        gpus = dict(self.prices.gpus)
        for word, item in self.override.gpus.items():
            name = self.prices.gpu_name(word) or word
            if name in gpus:
                gpus[name] = gpus[name].model_copy(update=self._priced(item))
            elif not gpus:
                text = f"{self.platform} has no GPUs priced apart; use instances"
                self._refuse(("gpus", word), text)
            elif item.memory is None:
                text = f"{unknown('GPU', word, gpus)}; to add it, give its memory"
                self._refuse(("gpus", word), text)
            else:
                gpus[word] = GpuPrice.model_construct(
                    memory=item.memory, **self._priced(item)
                )
        return gpus

    def _instances(self) -> dict[str, InstancePrice]:
        instances = dict(self.prices.instances)
        for name, item in self.override.instances.items():
            if name in instances:
                update = self._priced(item)
                instances[name] = instances[name].model_copy(update=update)
            elif not instances:
                text = f"{self.platform} has no instances; use gpus, cpu and memory"
                self._refuse(("instances", name), text)
            elif item.vcpu is None or item.memory is None:
                text = f"{unknown('instance', name, instances)}; to add it, give its vcpu and memory"
                self._refuse(("instances", name), text)
            else:
                instances[name] = InstancePrice.model_construct(
                    vcpu=item.vcpu,
                    memory=item.memory,
                    gpu=self.prices.gpu_name(item.gpu or "") or item.gpu or "",
                    gpu_count=item.gpu_count or 0,
                    gpu_memory=item.gpu_memory or 0.0,
                    **self._priced(item),
                )
        return instances

    def _resource(
        self, key: str, price: ResourceT | None, item: PriceOverride | None
    ) -> ResourceT | None:
        if item is None:
            return price
        if price is None:
            self._refuse((key,), f"{self.platform} does not price {key} apart")
            return None
        return price.model_copy(update=self._priced(item))

    def _regions(self) -> dict[str, Region]:
        regions = dict(self.prices.regions)
        for name, multiplier in self.override.regions.items():
            if name in regions:
                update = {"multiplier": multiplier, **self._origin()}
                regions[name] = regions[name].model_copy(update=update)
            else:
                self._refuse(("regions", name), unknown("region", name, regions))
        return regions

    def _plans(self) -> dict[str, Plan]:
        plans = dict(self.prices.plans)
        for name, change in self.override.plans.items():
            if name in plans:
                given = change.model_dump(exclude_unset=True)
                update = {key: getattr(change, key) for key in given} | self._origin()
                plans[name] = plans[name].model_copy(update=update)
            else:
                self._refuse(("plans", name), unknown("plan", name, plans))
        return plans


def _validate(value: object, problems: _Problems) -> dict[str, PlatformOverride]:
    """Return the file's content, or nothing and a problem for each fault in its form."""
    try:
        return _FILE.validate_python({} if value is None else value)
    except ValidationError as error:
        for one in error.errors(include_url=False):
            at: Literal["key", "value"] = "value"
            if one["type"] == "extra_forbidden":
                message, at = f"unknown key{_suggestion(one['loc'])}", "key"
            elif one["type"] in {"model_type", "dict_type"}:
                message = f"must be a mapping, found {shown(one['input'])}"
            else:
                # Without pydantic's "Value error, " in front.
                message = str(one.get("ctx", {}).get("error", one["msg"]))
            problems.add(one["loc"], message, at=at)
        return {}


def _suggestion(loc: Loc) -> str:
    """Return a suggestion for an unknown key, from the keys allowed at its place."""
    model: type[Spec] = PlatformOverride
    if len(loc) > 2:
        model = PlanOverride if loc[1] == "plans" else PriceOverride
    return did_you_mean(loc[-1], model.model_fields)


def _read(path: Path) -> Document:
    try:
        return read_yaml(path.read_bytes(), path=str(path))
    except OSError as error:
        message = f"cannot read this file of prices: {error.strerror or error}"
        raise CatalogError(message, path=str(path)) from error
    except ScenarioError as error:
        raise _refusal(error.problems, str(path)) from None
