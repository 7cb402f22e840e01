"""gpuhunt's catalog: one CSV file a provider, named after it.

https://github.com/dstackai/gpuhunt, versions 2 and 3 of the files; the columns are those
of ``gpuhunt/_internal/storage.py``. Spot offers are rows of their own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from costsim.catalog.imports.listing import Reason, Tally
from costsim.catalog.imports.offers import Offer
from costsim.catalog.imports.table import (
    MOST_GIB,
    MOST_GPUS,
    MOST_USD_PER_HOUR,
    MOST_VCPU,
)

if TYPE_CHECKING:
    from costsim.catalog.imports.table import Row, Table

REQUIRED = (
    "instance_name",
    "location",
    "price",
    "cpu",
    "memory",
    "gpu_count",
    "gpu_name",
    "gpu_memory",
    "spot",
)
"""Columns that every version has; disk_size, gpu_vendor, flags and others may lack."""


def read(table: Table, provider: str, tally: Tally) -> list[Offer]:
    """Return what the table offers: spot prices beside those on demand."""
    on_demand: list[tuple[Offer, float | None]] = []
    spot: list[tuple[Offer, float]] = []
    for row in table.rows:
        offer, usd = _offer(row, provider), row.number("price", MOST_USD_PER_HOUR)
        if not row.yes_or_no("spot"):
            on_demand.append((offer, usd))
        elif usd:
            spot.append((offer, usd))
    known = {offer for offer, _ in on_demand}
    lowest: dict[Offer, float] = {}
    for offer, usd in spot:
        if offer in known:
            lowest[offer] = min(usd, lowest.get(offer, usd))
        else:
            tally.leave_out(Reason.SPOT_ONLY, offer.label)
    return [
        replace(offer, usd=usd, spot_usd=lowest.get(offer)) for offer, usd in on_demand
    ]


def _offer(row: Row, provider: str) -> Offer:
    """Return what a row offers, without its price: two rows of the same are equal."""
    instance = row.text("instance_name")
    if not instance:
        row.refuse("a row without an instance_name")
    accelerator = row.text("gpu_name")
    count = row.number("gpu_count", MOST_GPUS) or 0.0
    return Offer(
        provider=provider,
        instance=instance,
        region=row.text("location"),
        accelerator=accelerator,
        count=count if accelerator else 0.0,
        # A TPU has 0 here.
        gpu_memory_gib=row.number("gpu_memory", MOST_GIB) or None,
        vcpu=row.number("cpu", MOST_VCPU),
        memory_gib=row.number("memory", MOST_GIB),
        usd=None,
        spot_usd=None,
    )
