"""SkyPilot's catalog: one CSV file a cloud, ``vms.csv``.

https://github.com/skypilot-org/skypilot-catalog. Order and presence of the columns differ
from cloud to cloud. Prices are for a whole instance and hour.
"""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from costsim.catalog.imports import gcp
from costsim.catalog.imports.listing import Reason, Tally
from costsim.catalog.imports.names import can_have, is_known, names
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
    "InstanceType",
    "AcceleratorName",
    "AcceleratorCount",
    "vCPUs",
    "MemoryGiB",
    "Price",
    "Region",
)
"""Columns without which nothing can be read; SpotPrice, GpuInfo and zones may lack."""

_PLACEHOLDER_USD = 700.0
"""Stands for the price of a TPU that Google's list did not give. [USD/h]"""
_LONGEST_INFO = 10_000
_MIB_PER_GIB = 1024.0
_MOST_MIB = 1e9


def read(table: Table, provider: str, tally: Tally) -> list[Offer]:
    """Return what the table offers."""
    offers = [_offer(row, provider) for row in table.rows]
    offers = _without_placeholders(offers, tally)
    # Only Google prices machines and accelerators apart.
    if provider == "gcp" or any(not one.instance for one in offers):
        return gcp.joined(offers, tally)
    return offers


def _offer(row: Row, provider: str) -> Offer:
    instance, accelerator = row.text("instancetype"), row.text("acceleratorname")
    if not instance and not accelerator:
        row.refuse("a row with neither InstanceType nor AcceleratorName")
    # CPU instances have a count of 0, or none.
    count = (row.number("acceleratorcount", MOST_GPUS) or 0.0) if accelerator else 0.0
    info = _gpu_info(row.cells.get("gpuinfo", ""))
    usd = row.number("price", MOST_USD_PER_HOUR)
    spot_usd = row.number("spotprice", MOST_USD_PER_HOUR)
    return Offer(
        provider=provider,
        instance=instance,
        region=row.text("region"),
        zone=row.text("availabilityzone"),
        accelerator=accelerator,
        count=count,
        is_part=info.share < 1,
        model=info.name,
        gpu_memory_gib=_memory_gib(accelerator, count, info),
        vcpu=row.number("vcpus", MOST_VCPU),
        memory_gib=row.number("memorygib", MOST_GIB),
        usd=usd,
        # RunPod's secure pods have no spot; the list repeats the price for them.
        spot_usd=None if provider == "runpod" and spot_usd == usd else spot_usd,
    )


def _without_placeholders(offers: list[Offer], tally: Tally) -> list[Offer]:
    """Drop what stands for the price of a TPU; a spot price alone is dropped alone."""
    kept = []
    for offer in offers:
        if not gcp.is_tpu(offer):
            kept.append(offer)
        elif offer.usd == _PLACEHOLDER_USD:
            tally.leave_out(Reason.PLACEHOLDER, offer.label)
        else:
            real = None if offer.spot_usd == _PLACEHOLDER_USD else offer.spot_usd
            kept.append(replace(offer, spot_usd=real))
    return kept


@dataclass(frozen=True)
class _GpuInfo:
    """What ``GpuInfo`` says of an instance's GPUs; None is what it does not say."""

    name: str = ""
    """What its vendor calls the GPU."""
    size: float | None = None
    """Memory of one GPU, in MiB if the list keeps to its own column's name."""
    count: float | None = None
    """GPUs."""
    total: float | None = None
    """Memory of all GPUs, or of one: lists differ."""
    share: float = 1.0
    """The part of a GPU that each of them is."""


@lru_cache(maxsize=4096)
def _gpu_info(text: str) -> _GpuInfo:
    """Read a Python dictionary in text; anything else says nothing."""
    value = _literal(text)
    gpus = value.get("Gpus") if isinstance(value, dict) else None
    if not (isinstance(gpus, list) and len(gpus) == 1 and isinstance(gpus[0], dict)):
        return _GpuInfo()
    gpu = gpus[0]
    memory, name = gpu.get("MemoryInfo"), gpu.get("Name")
    total = value.get("TotalGpuMemoryInMiB", gpu.get("TotalGpuMemoryInMiB"))
    return _GpuInfo(
        name if isinstance(name, str) else "",
        _positive(memory.get("SizeInMiB") if isinstance(memory, dict) else None),
        _positive(gpu.get("Count")),
        _positive(total),
        min(1.0, _positive(gpu.get("GpuPartitionSize")) or 1.0),
    )


def _literal(text: str) -> Any:  # noqa: ANN401 - whatever the cell holds
    if not text.startswith("{") or len(text) > _LONGEST_INFO:
        return None
    try:
        with warnings.catch_warnings():
            # A stray backslash in the text is no news for the user.
            warnings.simplefilter("ignore", SyntaxWarning)
            return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _positive(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if 0 < value < _MOST_MIB else None


def _memory_gib(accelerator: str, count: float, info: _GpuInfo) -> float | None:
    """Return the memory of one GPU, if there is one reading that can be right. [GiB]"""
    if info.size is None:
        return names().skypilot.memory.get(accelerator)
    readings = _readings(info.size, info.total, count)
    if info.count not in {None, count} or not readings:
        return None
    possible = {gib for gib in readings if can_have(accelerator, gib)}
    if possible or is_known(accelerator):
        return possible.pop() if len(possible) == 1 else None
    return readings[0] if len(readings) == 1 else None


def _readings(size: float, total: float | None, count: float) -> list[float]:
    """Return what a size may mean for one GPU: columns of MiB hold much else. [GiB]"""
    if total in {None, size * count}:
        sizes = [size]
    elif total == size:
        # Of Lambda it is one GPU's, of Vast the memory of all of them.
        sizes = [size, size / max(1.0, count)]
    else:
        return []
    # RunPod and Shadeform write GiB here.
    as_gib = [one for one in sizes if one < _MIB_PER_GIB]
    return [one / _MIB_PER_GIB for one in sizes] + as_gib
