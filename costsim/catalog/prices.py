"""What a platform charges: by GPU, core and GiB, or by the whole instance.

Prices are US dollars per hour inside, whatever unit the vendor prints; list prices
without tax. A price in a file is text with its unit, never a bare number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from costsim import units
from costsim.catalog.gpus import load_gpus
from costsim.catalog.provenance import Claim, Sourced, first_day
from costsim.spec import (
    Count,
    Duration,
    Many,
    NonNegative,
    PositiveCount,
    PositiveFloat,
    Price,
    RuleError,
    Size,
    Usd,
)
from costsim.units import SECONDS_PER_HOUR

if TYPE_CHECKING:
    from collections.abc import Iterator

WrittenPrice = Annotated[Price, BeforeValidator(units.parse_price)]
"""A price that must be written with its unit: a bare 0.7 is refused. [USD/h]"""

WrittenUsd = Annotated[Usd, BeforeValidator(units.parse_usd)]
"""An amount that must be written with its unit. [USD]"""


class GpuPrice(Sourced):
    """A GPU that is priced by itself; CPU and memory come on top."""

    price: WrittenPrice | None = None
    """Price of one GPU; none if it is not published."""
    memory: Size
    """Memory of one GPU, as its vendor prints it (a printed GB is taken as a GiB)."""
    max_per_replica: PositiveCount | None = None
    """Most GPUs in one replica, if that is known."""
    architecture: str = ""
    """Generation, such as Hopper."""


VCPU_PER_CORE = 2
"""Virtual CPUs of a physical core, on every platform of the catalog."""


class CpuPrice(Sourced):
    """The price of CPU."""

    price: WrittenPrice
    """Price of one core."""
    per: Literal["core", "vcpu"] = "core"
    """What the vendor counts: physical cores, or virtual CPUs, of which two are a core."""
    minimum: NonNegative = 0.0
    """What is charged at least. [physical cores]"""
    free_seconds: NonNegative = 0.0
    """Seconds of one core (or vCPU) that are free each month. [s/month]"""

    @property
    def usd_per_core_hour(self) -> float:
        """Price of a physical core. [USD/h]"""
        return self.price * self._per_core

    @property
    def free_core_hours(self) -> float:
        """Hours of one physical core that are free each month. [h/month]"""
        return self.free_seconds / self._per_core / SECONDS_PER_HOUR

    @property
    def _per_core(self) -> int:
        return VCPU_PER_CORE if self.per == "vcpu" else 1


class MemoryPrice(Sourced):
    """The price of memory."""

    price: WrittenPrice
    """Price of one GiB."""
    minimum: Size = 0.0
    """Memory that is charged at least."""
    free_seconds: NonNegative = 0.0
    """Seconds of one GiB that are free each month. [s/month]"""


class InstancePrice(Sourced):
    """A whole machine, everything included."""

    price: WrittenPrice | None = None
    """Price of one instance; none if it is not published."""
    vcpu: PositiveFloat | None = None
    """Virtual CPUs; two are a physical core. None: not found."""
    memory: Size | None = None
    """Memory. None: not found."""
    gpu: str = ""
    """GPU type; empty if it has none."""
    gpu_count: Count = 0
    """GPUs in it."""
    gpu_memory: Size = 0.0
    """Memory of all its GPUs together."""


class Region(Sourced):
    """A choice of region and what it does to the price."""

    multiplier: PositiveFloat
    """Factor on every price of the replica."""
    examples: Many[str] = ()
    """Regions that count as this."""


class TierPrice(Sourced):
    """Another price of a GPU or an instance."""

    price: WrittenPrice
    """Price of one."""


class Tier(Sourced):
    """A choice of service that changes prices: spot, committed, community, protected."""

    multiplier: PositiveFloat | None = None
    """Factor on every price of the replica; none if only the prices below are known."""
    gpus: dict[str, TierPrice] = Field(default_factory=dict)
    """Prices of GPUs, instead of the ordinary ones."""
    instances: dict[str, TierPrice] = Field(default_factory=dict)
    """Prices of whole instances, instead of the ordinary ones."""
    interruptible: bool = False
    """Whether the vendor may take the machine away: see a pool's ``failures``."""


class RequestPrice(Sourced):
    """A fee for requests."""

    fee: WrittenUsd
    """Fee."""
    per: PositiveCount = 1
    """Requests that it is for."""
    free: Count = 0
    """Requests that are free each month."""


class StoragePrice(Sourced):
    """Disk or volume."""

    price: WrittenUsd | None = None
    """Price of a GiB for a month; none if it is not published."""
    billed: Literal["alive", "always"]
    """While a replica is alive, for each; or the whole time, also of stopped ones."""
    copies: str = ""
    """Of what is paid always: the setting that says how many there are; one if left out."""
    increment: Duration = 0.0
    """A replica's life is rounded up to it; 0s is not rounded."""
    free: Size = 0.0
    """Of what is paid always: the size that is free."""

    @model_validator(mode="after")
    def _of_what_stays(self) -> Self:
        for key in ("copies", "free"):
            if getattr(self, key) and self.billed != "always":
                message = "goes with 'billed: always'"
                raise RuleError(message, key)
        return self


class TransferPrice(Sourced):
    """Data that requests move."""

    price: WrittenUsd | None = None
    """Price of a GiB; none if it is not published."""
    free: Size = 0.0
    """Data that is free each month."""


class PastPrice(Sourced):
    """A price at another date, or as another source read it."""

    item: str
    """The GPU or instance, by its name here."""
    tier: str = ""
    """The tier; the ordinary price if left out."""
    price: WrittenPrice
    """The price then."""


class Plan(Sourced):
    """A plan, with its fee, credit and limits."""

    fee: WrittenUsd | None = None
    """Fee of a month; none if it is agreed one by one."""
    credit: WrittenUsd | None = None
    """Free credit of a month."""
    max_gpus: PositiveCount | None = None
    """Most GPUs at a time."""
    max_replicas: PositiveCount | None = None
    """Most replicas at a time."""
    includes: Many[str] = ()
    """What else comes with it."""


class Extra(Sourced):
    """A charge that costsim does not simulate."""

    price: str
    """The price, as text."""


class Prices(Sourced):
    """Everything that a platform charges."""

    unit: str
    """The unit in which the vendor prints its prices."""
    reads: Many[Claim] = ()
    """Who read the price list, when, and what it said."""
    gpus: dict[str, GpuPrice] = Field(default_factory=dict)
    """GPUs that are priced apart, by their name here."""
    cpu: CpuPrice | None = None
    """CPU, where it is priced apart."""
    memory: MemoryPrice | None = None
    """Memory, where it is priced apart."""
    instances: dict[str, InstancePrice] = Field(default_factory=dict)
    """Whole instances, by their name here."""
    gpu_aliases: dict[str, str] = Field(default_factory=dict)
    """Other names of GPUs, to the name used here."""
    regions: dict[str, Region] = Field(default_factory=dict)
    """Choices of region, where they are priced."""
    default_region: str = ""
    """The choice if a deployment makes none."""
    tiers: dict[str, Tier] = Field(default_factory=dict)
    """Choices of service that change prices."""
    default_tier: str = ""
    """What the ordinary prices are called, where there are tiers."""
    requests: RequestPrice | None = None
    """Fee for requests; none if there is none."""
    storage: dict[str, StoragePrice] = Field(default_factory=dict)
    """Disks and volumes, which a deployment may reserve."""
    transfer: TransferPrice | None = None
    """Data that requests move, where it is priced."""
    history: Many[PastPrice] = ()
    """What was read at other dates."""
    plans: dict[str, Plan] = Field(default_factory=dict)
    """Plans."""
    default_plan: str = ""
    """The plan if a deployment names none."""
    extras: dict[str, Extra] = Field(default_factory=dict)
    """Charges that are not simulated."""

    @model_validator(mode="after")
    def _one_increment_of_disks(self) -> Self:
        # The meter rounds each replica's life once for all its disks.
        alive = {
            one.increment for one in self.storage.values() if one.billed == "alive"
        }
        if len(alive) > 1:
            message = "disks that are billed while alive need the same increment"
            raise RuleError(message, "storage")
        return self

    @property
    def by_instance(self) -> bool:
        """Whether whole instances are priced, and not their parts."""
        return bool(self.instances)

    @property
    def gpu_names(self) -> tuple[str, ...]:
        """Every GPU of the list, in the file's order."""
        priced = [*self.gpus, *(one.gpu for one in self.instances.values() if one.gpu)]
        return tuple(dict.fromkeys(priced))

    def gpu_name(self, word: str) -> str | None:
        """Return the platform's name of a GPU, by any name of it; letter case is ignored."""
        names = {alias.casefold(): name for alias, name in self.gpu_aliases.items()}
        names |= {name.casefold(): name for name in self.gpu_names}
        own = names.get(word.strip().casefold())
        if own is not None:
            return own
        known = load_gpus().find(word)
        return known.name if known and known.name in self.gpu_names else None

    def items(self) -> Iterator[GpuPrice | CpuPrice | MemoryPrice | InstancePrice]:
        """Yield every price of compute that is known."""
        yield from (one for one in self.gpus.values() if one.price is not None)
        yield from (one for one in self.instances.values() if one.price is not None)
        if self.cpu is not None:
            yield self.cpu
        if self.memory is not None:
            yield self.memory

    @property
    def oldest(self) -> str:
        """The date of the oldest price of compute that has one."""
        dates = [item.as_of for item in self.items() if item.as_of[:1].isdigit()]
        return min(dates, key=first_day, default=self.as_of)
