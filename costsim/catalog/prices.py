"""What a platform charges: by GPU, core and GiB, or by the whole instance.

Prices are US dollars per hour inside, whatever unit the vendor prints; list prices
without tax. A price in a file is text with its unit, never a bare number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BeforeValidator, Field

from costsim import units
from costsim.catalog.provenance import Claim, Sourced, first_day
from costsim.spec import (
    Count,
    Many,
    NonNegative,
    PositiveCount,
    PositiveFloat,
    Price,
    Size,
    Usd,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

WrittenPrice = Annotated[Price, BeforeValidator(units.parse_price)]
"""A price that must be written with its unit: a bare 0.7 is refused. [USD/h]"""

WrittenUsd = Annotated[Usd, BeforeValidator(units.parse_usd)]
"""An amount that must be written with its unit. [USD]"""


class GpuPrice(Sourced):
    """A GPU that is priced by itself; CPU and memory come on top."""

    price: WrittenPrice
    """Price of one GPU."""
    memory: Size
    """Memory of one GPU, as its vendor prints it (a printed GB is taken as a GiB)."""
    max_per_replica: PositiveCount | None = None
    """Most GPUs in one replica, if that is known."""
    architecture: str = ""
    """Generation, such as Hopper."""


class CpuPrice(Sourced):
    """The price of a physical core."""

    price: WrittenPrice
    """Price of one physical core, which is two vCPU."""
    minimum: NonNegative = 0.0
    """Cores that are charged at least. [cores]"""


class MemoryPrice(Sourced):
    """The price of memory."""

    price: WrittenPrice
    """Price of one GiB."""
    minimum: Size = 0.0
    """Memory that is charged at least."""


class InstancePrice(Sourced):
    """A whole machine, everything included."""

    price: WrittenPrice
    """Price of one instance."""
    vcpu: PositiveFloat
    """Virtual CPUs; two are a physical core."""
    memory: Size
    """Memory."""
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
    plans: dict[str, Plan] = Field(default_factory=dict)
    """Plans."""
    default_plan: str = ""
    """The plan if a deployment names none."""
    extras: dict[str, Extra] = Field(default_factory=dict)
    """Charges that are not simulated."""

    @property
    def gpu_names(self) -> tuple[str, ...]:
        """Every GPU with a price, in the file's order."""
        priced = [*self.gpus, *(one.gpu for one in self.instances.values() if one.gpu)]
        return tuple(dict.fromkeys(priced))

    def gpu_name(self, word: str) -> str | None:
        """Return the platform's name of a GPU, by name or alias; letter case is ignored."""
        names = {alias.casefold(): name for alias, name in self.gpu_aliases.items()}
        names |= {name.casefold(): name for name in self.gpu_names}
        return names.get(word.strip().casefold())

    def items(self) -> Iterator[GpuPrice | CpuPrice | MemoryPrice | InstancePrice]:
        """Yield every price of compute."""
        yield from self.gpus.values()
        yield from self.instances.values()
        if self.cpu is not None:
            yield self.cpu
        if self.memory is not None:
            yield self.memory

    @property
    def oldest(self) -> str:
        """The date of the oldest price of compute that has one."""
        dates = [item.as_of for item in self.items() if item.as_of[:1].isdigit()]
        return min(dates, key=first_day, default=self.as_of)
