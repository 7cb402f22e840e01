"""The price of one replica, part by part, with where each figure comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from costsim.catalog.provenance import STALE_AFTER_DAYS, age_days
from costsim.catalog.tariff import Component

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from costsim.catalog.prices import Prices


VCPU_PER_CORE = 2
"""Virtual CPUs of a physical core, on every platform of the catalog."""


@dataclass(frozen=True)
class PriceSource:
    """One figure of a bill and its source."""

    what: str
    """What is priced: ``2x L4``, ``CPU``, ``plan team``."""
    usd_per_hour: float
    """Price for this replica's whole share of it. [USD/h]"""
    source: str
    """Where it was read."""
    as_of: str
    """When it was read: ``2026``, ``2026-08``, ``2026-08-03`` or ``undated``."""


@dataclass(frozen=True)
class Quote:
    """The price of one replica."""

    components: tuple[Component, ...]
    """Its priced parts."""
    sources: tuple[PriceSource, ...]
    """Where the prices come from, in the same order."""

    @property
    def usd_per_hour(self) -> float:
        """Price of one replica-hour. [USD/h]"""
        return sum(component.usd_per_hour for component in self.components)


def stale_sources(sources: Iterable[PriceSource], today: date) -> tuple[str, ...]:
    """Return a warning for each source with prices that may be older than 90 days."""
    aged: dict[tuple[str, str], list[str]] = {}
    for one in sources:
        aged.setdefault((one.source, one.as_of), []).append(one.what)
    warnings = []
    for (source, as_of), used in aged.items():
        days = age_days(as_of, today)
        if days is not None and days > STALE_AFTER_DAYS:
            names = ", ".join(dict.fromkeys(used))
            warnings.append(
                f"prices of {names} are up to {days} days old (as of {as_of}); check "
                f"{source} and override what changed with --prices FILE"
            )
    return tuple(warnings)


def billed_cores(prices: Prices, cores: float | None) -> float:
    """Return the physical cores that are charged for a request of so many (or none)."""
    least = prices.cpu.minimum if prices.cpu else 0.0
    return max(least, cores or 0.0)


def billed_memory_gib(prices: Prices, memory_gib: float | None) -> float:
    """Return the memory that is charged for a request of so much (or none). [GiB]"""
    least = prices.memory.minimum if prices.memory else 0.0
    return max(least, memory_gib or 0.0)


def quote_parts(
    prices: Prices,
    gpu: str | None,
    gpu_count: int,
    cores: float | None = None,
    memory_gib: float | None = None,
    multiplier: float = 1.0,
) -> Quote:
    """Return the price of a replica whose parts are priced apart.

    Parameters
    ----------
    prices : Prices
        A platform's prices; it prices GPUs, CPU and memory apart.
    gpu : str, optional
        GPU, by the platform's name; none is a replica without.
    gpu_count : int
        GPUs in the replica.
    cores, memory_gib : float, optional
        What it reserves; the minimum if left out. [physical cores], [GiB]
    multiplier : float
        Factor of the region.
    """
    parts: list[tuple[Component, PriceSource]] = []
    if gpu is not None:
        price = prices.gpus[gpu]
        usd = price.price * gpu_count * multiplier
        source = PriceSource(gpu_label(gpu, gpu_count), usd, price.source, price.as_of)
        parts.append((Component("gpu", usd), source))
    if prices.cpu is not None:
        usd = prices.cpu.price * billed_cores(prices, cores) * multiplier
        source = PriceSource("CPU", usd, prices.cpu.source, prices.cpu.as_of)
        parts.append((Component("cpu", usd), source))
    if prices.memory is not None:
        usd = prices.memory.price * billed_memory_gib(prices, memory_gib) * multiplier
        source = PriceSource("memory", usd, prices.memory.source, prices.memory.as_of)
        parts.append((Component("memory", usd), source))
    return Quote(tuple(part for part, _ in parts), tuple(source for _, source in parts))


def quote_instance(prices: Prices, instance: str, multiplier: float = 1.0) -> Quote:
    """Return the price of a replica that is a whole instance."""
    price = prices.instances[instance]
    usd = price.price * multiplier
    source = PriceSource(instance, usd, price.source, price.as_of)
    return Quote((Component("instance", usd),), (source,))


def gpu_label(gpu: str, gpu_count: int) -> str:
    """Return the GPUs of a replica for people: ``L4``, ``2x L4``, or nothing."""
    return gpu if gpu_count <= 1 else f"{gpu_count}x {gpu}"
