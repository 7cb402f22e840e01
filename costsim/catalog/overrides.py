"""A user's own prices, on top of the catalog's: the file behind ``--prices FILE``.

It is YAML, a section for each platform; everything but the price is optional::

    modal:
      source: our contract            # for all prices of this platform
      as_of: 2026-11-01
      discount: 0.15                  # off every price of compute that is not given here
      gpus:
        L4: 0.70 USD/h                # another price for a GPU
        GB300:                        # a new GPU: the price and its memory
          price: 0.0025 USD/s
          memory: 288 GiB
      cpu: 0.04 USD/h                 # of a core, as the platform counts them
      memory: 0.007 USD/h             # of a GiB
      regions: {broad: 1.5}           # factors on the price
      plans:
        enterprise: {fee: 1000 USD, credit: 0 USD, max_gpus: 200, max_replicas: 2000}
    baseten:
      instances:
        "L4:4x16": 0.80 USD/h
        "L4:8x32": {price: 0.02 USD/min, vcpu: 8, memory: 32 GiB, gpu: L4, gpu_count: 1, gpu_memory: 24 GiB}
    runpod:
      tiers: {reserved: {gpus: {H100: 2.90 USD/h}}}       # a new tier, or other prices in one
      storage: {container_disk: 0.09 USD}                 # of a GiB for a month
      transfer: 0.05 USD                                  # of a GiB
      requests: {fee: 0.20 USD, per: 1000000, free: 0}

A price always has its unit. A bare price for a name that the catalog does not have is
taken for a slip of the pen and refused; a new one is spelled out as above.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from costsim.catalog.located import Problems, keys_beside
from costsim.catalog.lookup import unknown
from costsim.catalog.prices import (
    CpuPrice,
    GpuPrice,
    InstancePrice,
    MemoryPrice,
    Plan,
    Prices,
    Region,
    RequestPrice,
    StoragePrice,
    Tier,
    TierPrice,
    TransferPrice,
    WrittenPrice,
    WrittenUsd,
)
from costsim.catalog.provenance import UNDATED, AsOf
from costsim.spec import Count, PositiveCount, PositiveFloat, Size, Spec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from costsim.catalog.platform import Platform
    from costsim.catalog.provenance import Loc
    from costsim.yaml_source import Document


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


class TierOverride(Spec):
    """What changes about a tier, or a new one."""

    multiplier: PositiveFloat | None = None
    """Factor on every price of the replica."""
    gpus: dict[str, WrittenPrice] = Field(default_factory=dict)
    """Prices of GPUs."""
    instances: dict[str, WrittenPrice] = Field(default_factory=dict)
    """Prices of whole instances."""


class RequestOverride(Spec):
    """A fee for requests."""

    fee: WrittenUsd
    """Fee."""
    per: PositiveCount = 1
    """Requests that it is for."""
    free: Count = 0
    """Requests that are free each month."""


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
    discount: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Negotiated share off every price of compute that is not given here."""
    gpus: dict[str, WrittenOverride] = Field(default_factory=dict)
    """Prices of GPUs, where they are priced apart."""
    cpu: WrittenOverride | None = None
    """Price of a core, as the platform counts them."""
    memory: WrittenOverride | None = None
    """Price of a GiB."""
    instances: dict[str, WrittenOverride] = Field(default_factory=dict)
    """Prices of whole instances."""
    regions: dict[str, PositiveFloat] = Field(default_factory=dict)
    """Factors of regions."""
    tiers: dict[str, TierOverride] = Field(default_factory=dict)
    """Tiers: spot, committed and the like."""
    storage: dict[str, WrittenUsd] = Field(default_factory=dict)
    """Prices of disks and volumes, of a GiB for a month."""
    transfer: WrittenUsd | None = None
    """Price of a GiB that requests move."""
    requests: RequestOverride | None = None
    """Fee for requests."""
    plans: dict[str, PlanOverride] = Field(default_factory=dict)
    """Plans."""


_FILE = TypeAdapter(dict[str, PlatformOverride])

ComputeT = TypeVar("ComputeT", GpuPrice, CpuPrice, MemoryPrice, InstancePrice)
ResourceT = TypeVar("ResourceT", CpuPrice, MemoryPrice)


def apply(platforms: Mapping[str, Platform], document: Document) -> dict[str, Prices]:
    """Return the prices of the platforms that a file changes, as it changes them.

    Raises
    ------
    CatalogError
        If the file cannot be used; lists every problem in it.
    """
    problems = Problems(document)
    changed: dict[str, Prices] = {}
    for name, override in _validate(document.value, problems).items():
        if name in platforms:
            part = _Part(name, platforms[name].prices, override, problems)
            changed[name] = part.changed()
        else:
            problems.add((name,), unknown("platform", name, platforms), at="key")
    problems.refuse_if_any()
    return changed


@dataclass(frozen=True)
class _Part:
    """The part of the file about one platform."""

    platform: str
    prices: Prices
    override: PlatformOverride
    problems: Problems

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
                "tiers": self._tiers(),
                "storage": self._storage(),
                "transfer": self._transfer(),
                "requests": self._requests(),
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

    def _discounted(self, item: ComputeT) -> ComputeT:
        """Return a price of the catalog less the negotiated discount."""
        share = self.override.discount
        if not share or item.price is None:
            return item
        source = f"{item.source}, less {share:.4g} of it ({self._origin()['source']})"
        update = {"price": item.price * (1 - share), "source": source}
        return item.model_copy(update=update)

    def _refuse(self, loc: Loc, message: str) -> None:
        self.problems.add((self.platform, *loc), message, at="key")

    def _gpus(self) -> dict[str, GpuPrice]:
        listed = self.prices.gpus
        gpus = {name: self._discounted(one) for name, one in listed.items()}
        for word, item in self.override.gpus.items():
            name = self.prices.gpu_name(word) or word
            if name in gpus:
                gpus[name] = gpus[name].model_copy(update=self._priced(item))
            elif self.prices.by_instance:
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
        listed = self.prices.instances
        instances = {name: self._discounted(one) for name, one in listed.items()}
        for name, item in self.override.instances.items():
            if name in instances:
                update = self._priced(item)
                instances[name] = instances[name].model_copy(update=update)
            elif self.prices.gpus:
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
            return None if price is None else self._discounted(price)
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

    def _tiers(self) -> dict[str, Tier]:
        tiers = dict(self.prices.tiers)
        for name, change in self.override.tiers.items():
            tier = tiers.get(name) or Tier.model_construct()
            update: dict[str, Any] = self._origin()
            if change.multiplier is not None:
                update["multiplier"] = change.multiplier
            key = ("tiers", name)
            update["gpus"] = tier.gpus | self._in_tier(change.gpus, "gpus", key)
            update["instances"] = tier.instances | self._in_tier(
                change.instances, "instances", key
            )
            tiers[name] = tier.model_copy(update=update)
        return tiers

    def _in_tier(
        self,
        given: dict[str, float],
        kind: Literal["gpus", "instances"],
        key: tuple[str, str],
    ) -> dict[str, TierPrice]:
        """Return prices in a tier, each by the platform's own name."""
        listed = getattr(self.prices, kind)
        found: dict[str, TierPrice] = {}
        for word, price in given.items():
            name = self.prices.gpu_name(word) if kind == "gpus" else word
            if name is not None and name in listed:
                origin = self._origin()
                found[name] = TierPrice.model_construct(price=price, **origin)
            else:
                what = "GPU" if kind == "gpus" else "instance"
                self._refuse((*key, kind, word), unknown(what, word, listed))
        return found

    def _storage(self) -> dict[str, StoragePrice]:
        storage = dict(self.prices.storage)
        for name, price in self.override.storage.items():
            if name in storage:
                update = {"price": price, **self._origin()}
                storage[name] = storage[name].model_copy(update=update)
            else:
                self._refuse(("storage", name), unknown("storage", name, storage))
        return storage

    def _transfer(self) -> TransferPrice | None:
        price = self.override.transfer
        if price is None:
            return self.prices.transfer
        return TransferPrice.model_construct(price=price, **self._origin())

    def _requests(self) -> RequestPrice | None:
        given = self.override.requests
        if given is None:
            return self.prices.requests
        terms = given.model_dump(exclude={"fee"})
        return RequestPrice.model_construct(fee=given.fee, **terms, **self._origin())

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


def _validate(value: object, problems: Problems) -> dict[str, PlatformOverride]:
    """Return the file's content, or nothing and a problem for each fault in its form."""
    try:
        return _FILE.validate_python({} if value is None else value)
    except ValidationError as error:
        problems.add_faults(error, lambda loc: keys_beside(PlatformOverride, loc[1:]))
        return {}
