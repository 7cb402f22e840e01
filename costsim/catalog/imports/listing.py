"""A price list as costsim reads it, whoever published it.

Prices are US dollars per hour for a whole instance, on demand, as the list has them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST_NAMES = 3
"""Names that a warning lists."""

Format = Literal["skypilot", "gpuhunt", "cloudprice"]
"""Whose form a list has."""


@dataclass(frozen=True)
class ListedPrice:
    """What one instance costs in one region."""

    provider: str
    """Whose price: the list's short name, such as ``aws``."""
    instance: str
    """Name of the instance."""
    region: str
    """Name of the region."""
    gpu: str
    """GPU, by the name in costsim's platform files; empty if it has none."""
    gpu_count: int
    """GPUs in it."""
    gpu_memory_gib: float | None
    """Memory of one GPU; None if the list gives none that can be right. [GiB]"""
    vcpu: float | None
    """Virtual CPUs."""
    memory_gib: float | None
    """Memory of the instance. [GiB]"""
    usd_per_hour: float
    """Price of the whole instance, on demand. [USD/h]"""
    spot_usd_per_hour: float | None = None
    """Price of the whole instance as spot. [USD/h]"""
    note: str = ""
    """What else to know."""


class Reason(StrEnum):
    """Why rows of a list are left out."""

    NO_PRICE = "without a price"
    SPOT_ONLY = "with a spot price only"
    PLACEHOLDER = "with 700 USD/h, which stands for a TPU's unknown price"
    GPUS_MISSING = "of a machine with GPUs, priced without them"
    MACHINE_MISSING = "of a GPU alone, without a machine that takes it"
    PART_OF_GPU = "with a part of a GPU"
    NO_GPU = "without a GPU"
    NO_SIZE = "without the vCPUs, memory or GPU memory that a new price needs"
    NOT_IN_REGION = "of instances that the region does not have"
    NO_SPOT = "without a spot price"
    NO_PLATFORM = "of a provider without a platform"


@dataclass(frozen=True)
class LeftOut:
    """Rows of a list that became nothing."""

    reason: Reason
    """Why."""
    count: int
    """How many rows."""
    names: tuple[str, ...]
    """What they are about, each name once, in order."""

    def __str__(self) -> str:
        rows = "1 row" if self.count == 1 else f"{self.count:,} rows"
        return f"left out {rows} {self.reason}: {named(self.names)}"


class Tally:
    """Counts what is left out."""

    def __init__(self) -> None:
        self._names: dict[Reason, list[str]] = defaultdict(list)

    def leave_out(self, reason: Reason, name: str) -> None:
        """Count one row."""
        self._names[reason].append(name)

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """What was left out so far, in the order of the reasons."""
        return tuple(
            LeftOut(reason, len(self._names[reason]), _once(self._names[reason]))
            for reason in Reason
            if self._names[reason]
        )


@dataclass(frozen=True)
class PriceList:
    """Everything of use in a file of prices."""

    path: str
    """The file."""
    format: Format
    """Whose form it has."""
    source: str
    """Where the prices are from, in words."""
    as_of: str
    """When they were read: a date."""
    dated_by: Literal["list", "file"]
    """Whether the list says so, or only the file's modification time."""
    rows: tuple[ListedPrice, ...]
    """The prices, in the list's order; an instance has one for each region or zone."""
    left_out: tuple[LeftOut, ...]
    """What of the list is not in ``rows``, and why."""
    notes: tuple[str, ...]
    """What to know about ``rows``."""

    @property
    def providers(self) -> tuple[str, ...]:
        """Whose prices these are."""
        return _once(row.provider for row in self.rows)

    @property
    def regions(self) -> tuple[str, ...]:
        """Regions that have a price, sorted."""
        return tuple(sorted({row.region for row in self.rows}))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know, one sentence each."""
        return (*map(str, self.left_out), *self.notes)


def cheapest(
    rows: Iterable[ListedPrice], region: str | None = None, *, spot: bool = False
) -> tuple[ListedPrice, ...]:
    """Return one price for each instance, sorted by provider and instance.

    Parameters
    ----------
    rows : iterable of ListedPrice
        Prices in any number of regions.
    region : str, optional
        The region; letter case is ignored. Without one, each instance has the price of
        its cheapest region.
    spot : bool, default False
        Compare spot prices; rows without one do not count.

    Returns
    -------
    tuple of ListedPrice
        Each ``note`` says which region it is.
    """
    found: dict[tuple[str, str], list[ListedPrice]] = defaultdict(list)
    for row in rows:
        there = region is None or row.region.casefold() == region.casefold()
        if there and not (spot and row.spot_usd_per_hour is None):
            found[row.provider, row.instance].append(row)
    return tuple(
        _cheapest_of(found[key], spot=spot, chosen=region is not None)
        for key in sorted(found)
    )


def named(names: Iterable[str]) -> str:
    """Return the first names, and how many more there are."""
    listed = list(names)
    shown = ", ".join(listed[:_MOST_NAMES])
    more = len(listed) - _MOST_NAMES
    return f"{shown} and {more:,} more" if more > 0 else shown


def _cheapest_of(rows: list[ListedPrice], *, spot: bool, chosen: bool) -> ListedPrice:
    def rank(row: ListedPrice) -> tuple[float, str, float]:
        price = row.spot_usd_per_hour if spot else row.usd_per_hour
        # Between equals the order of the file must not matter.
        return price or 0.0, row.region, row.usd_per_hour

    best = min(rows, key=rank)
    where = best.region if chosen else _among(rows, best, rank(best)[0], spot=spot)
    return replace(best, note="; ".join(filter(None, [where, best.note])))


def _among(
    rows: list[ListedPrice], best: ListedPrice, lowest: float, *, spot: bool
) -> str:
    """Return in which of its regions an instance has its lowest price."""
    n_regions = len({row.region for row in rows})
    if n_regions == 1:
        return best.region
    prices = {row.spot_usd_per_hour if spot else row.usd_per_hour for row in rows}
    if prices == {lowest}:
        return f"the same in {n_regions} regions"
    return f"{best.region}, the cheapest of {n_regions} regions"


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
