"""What price lists said at different dates, and what different readers found in them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from costsim.report.price_rows import meant_gpus, whole_money

if TYPE_CHECKING:
    from costsim.catalog.platform import Catalog, Platform
    from costsim.catalog.provenance import Sourced
    from costsim.study.tabular import Rows


@dataclass(frozen=True)
class PastRow:
    """What one read of a price list said."""

    platform: str
    """Name of the platform."""
    item: str
    """The GPU or instance."""
    tier: str
    """Tier of service; empty: the ordinary price."""
    as_of: str
    """When the price was read."""
    usd_per_hour: float
    """The price that was read. [USD/h]"""
    current: bool
    """Whether it is the one that costsim uses."""
    source: str
    """Where the price was read."""
    note: str
    """What else to know."""


def history_rows(
    catalog: Catalog, *, platform: str | None = None, gpu: str | None = None
) -> list[PastRow]:
    """Return every read of the prices that were read more than once, oldest first.

    Raises
    ------
    CatalogError
        If there is no such platform.
    """
    chosen = [platform] if platform else catalog.names
    rows = [_past_rows(catalog.platform(name), gpu) for name in chosen]
    return list(chain.from_iterable(rows))


def _past_rows(platform: Platform, gpu: str | None) -> list[PastRow]:
    prices = platform.prices
    meant = None if gpu is None else meant_gpus(platform, gpu)
    gpu_of = {name: one.gpu for name, one in prices.instances.items()}
    reads: list[tuple[str, str, Any, bool]] = [
        (one.item, one.tier, one, False) for one in prices.history
    ]
    for item, tier in dict.fromkeys((one.item, one.tier) for one in prices.history):
        now = _current(platform, item, tier)
        if now is not None:
            reads.append((item, tier, now, True))
    rows = [
        PastRow(
            platform=platform.name,
            item=item,
            tier=tier,
            as_of=read.as_of,
            usd_per_hour=whole_money(read.price),
            current=current,
            source=read.source,
            note=read.note,
        )
        for item, tier, read, current in reads
        if meant is None or gpu_of.get(item, item) in meant
    ]
    return sorted(rows, key=lambda row: (row.item, row.tier, row.as_of, row.current))


def _current(platform: Platform, item: str, tier: str) -> Sourced | None:
    """Return the price of a GPU or instance that costsim uses, if there is one."""
    prices = platform.prices
    kind = "instances" if item in prices.instances else "gpus"
    ordinary = tier in ("", prices.default_tier)
    owner = prices if ordinary else prices.tiers.get(tier)
    listed = getattr(owner, kind).get(item) if owner is not None else None
    return None if listed is None or listed.price is None else listed


def history_records(rows: list[PastRow]) -> Rows:
    """Return the rows for CSV, Markdown and JSON."""
    return [asdict(row) for row in rows]
