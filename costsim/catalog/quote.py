"""The price of one replica, part by part, with where each figure comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from costsim.catalog.provenance import STALE_AFTER_DAYS, UNDATED, age_days
from costsim.catalog.tariff import Component
from costsim.units import SECONDS_PER_HOUR

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from costsim.catalog.prices import GpuPrice, InstancePrice, Prices


OWN_SOURCE = "the scenario"
"""The source of a price that a scenario gives itself."""


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


@dataclass(frozen=True)
class Terms:
    """What changes the ordinary prices for one deployment."""

    tier: str = ""
    """A tier of the platform; empty: the ordinary prices."""
    multiplier: float = 1.0
    """Factor of the region. [1]"""
    discount: float = 0.0
    """Negotiated share off everything. [1]"""
    own_usd_per_hour: float | None = None
    """The user's own price of a GPU or an instance, free of other terms. [USD/h]"""


ORDINARY = Terms()
"""The list price."""


class UnpricedError(ValueError):
    """A GPU or an instance without a price."""


def quote_parts(
    prices: Prices,
    gpu: str | None,
    gpu_count: int,
    cores: float | None = None,
    memory_gib: float | None = None,
    terms: Terms = ORDINARY,
) -> Quote:
    """Return the price of a replica whose parts are priced apart.

    Parameters
    ----------
    prices : Prices
        A platform's prices; it prices GPUs apart, and perhaps CPU and memory.
    gpu : str, optional
        GPU, by the platform's name; none is a replica without.
    gpu_count : int
        GPUs in the replica.
    cores, memory_gib : float, optional
        What it reserves; the minimum if left out. [physical cores], [GiB]
    terms : Terms
        What changes the prices.

    Raises
    ------
    UnpricedError
        If the GPU has no price.
    """
    parts: list[tuple[Component, PriceSource]] = []
    if gpu is not None:
        each = _rate(gpu, prices.gpus[gpu], "gpus", prices, terms)
        label = gpu_label(gpu, gpu_count)
        parts.append(_part("gpu", label, each, gpu_count))
    factor = _factor(prices, terms)
    if prices.cpu is not None:
        usd, amount = prices.cpu.usd_per_core_hour * factor, billed_cores(prices, cores)
        rate = _Rate(usd, prices.cpu.source, prices.cpu.as_of)
        parts.append(_part("cpu", "CPU", rate, amount, prices.cpu.free_core_hours))
    if prices.memory is not None:
        usd = prices.memory.price * factor
        amount = billed_memory_gib(prices, memory_gib)
        rate = _Rate(usd, prices.memory.source, prices.memory.as_of)
        free_hours = prices.memory.free_seconds / SECONDS_PER_HOUR
        parts.append(_part("memory", "memory", rate, amount, free_hours))
    return Quote(tuple(part for part, _ in parts), tuple(source for _, source in parts))


def quote_instance(prices: Prices, instance: str, terms: Terms = ORDINARY) -> Quote:
    """Return the price of a replica that is a whole instance.

    Raises
    ------
    UnpricedError
        If it has no price.
    """
    rate = _rate(instance, prices.instances[instance], "instances", prices, terms)
    part, source = _part("instance", instance, rate, 1)
    return Quote((part,), (source,))


def quote_own(what: str, usd_per_hour: float, discount: float = 0.0) -> Quote:
    """Return the user's own price of a replica that the catalog knows nothing of."""
    rate = _Rate(usd_per_hour * (1 - discount), OWN_SOURCE, UNDATED)
    part, source = _part("instance", what, rate, 1)
    return Quote((part,), (source,))


class _Rate(NamedTuple):
    """The price of one, and where it is from."""

    usd_per_hour: float
    source: str
    as_of: str


def _rate(
    name: str,
    listed: GpuPrice | InstancePrice,
    kind: Literal["gpus", "instances"],
    prices: Prices,
    terms: Terms,
) -> _Rate:
    """Return what one GPU or instance costs under the terms."""
    if terms.own_usd_per_hour is not None:
        usd = terms.own_usd_per_hour * (1 - terms.discount)
        return _Rate(usd, OWN_SOURCE, UNDATED)
    tier = prices.tiers.get(terms.tier)
    special = None if tier is None else getattr(tier, kind).get(name)
    if special is not None:
        usd = special.price * terms.multiplier * (1 - terms.discount)
        return _Rate(usd, special.source, special.as_of)
    if listed.price is None:
        message = f"the price of {name} is not published"
        sold_in = [
            word for word, one in prices.tiers.items() if name in getattr(one, kind)
        ]
        if sold_in and tier is None:
            message = f"{name} has a price in tier {' or '.join(sold_in)} only"
        raise UnpricedError(message)
    if tier is not None and tier.multiplier is None:
        priced = ", ".join(getattr(tier, kind)) or "none"
        message = f"there is no price of {name} in tier {terms.tier}; it has {priced}"
        raise UnpricedError(message)
    return _Rate(listed.price * _factor(prices, terms), listed.source, listed.as_of)


def _factor(prices: Prices, terms: Terms) -> float:
    """Return what the terms do to an ordinary price. [1]"""
    tier = prices.tiers.get(terms.tier)
    multiplier = 1.0 if tier is None or tier.multiplier is None else tier.multiplier
    return multiplier * terms.multiplier * (1 - terms.discount)


def _part(
    name: Literal["gpu", "cpu", "memory", "instance"],
    what: str,
    rate: _Rate,
    amount: float,
    free_unit_hours: float = 0.0,
) -> tuple[Component, PriceSource]:
    """Return a priced part of a replica that has so much of it.

    What is free each month is counted in hours of one: a replica with more of it uses
    them up sooner.
    """
    usd = rate.usd_per_hour * amount
    free_hours = free_unit_hours / amount if amount else 0.0
    source = PriceSource(what, usd, rate.source, rate.as_of)
    return Component(name, usd, free_hours), source


def gpu_label(gpu: str, gpu_count: int) -> str:
    """Return the GPUs of a replica for people: ``L4``, ``2x L4``, or nothing."""
    return gpu if gpu_count <= 1 else f"{gpu_count}x {gpu}"
