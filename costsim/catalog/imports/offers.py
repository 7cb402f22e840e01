"""What a row of a list offers, in the list's own words, and what it becomes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from costsim.catalog.imports.listing import ListedPrice, Reason, Tally, named
from costsim.catalog.imports.names import find_gpu, is_part_of_gpu, plain_instance

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Offer:
    """One row of a list; ``None`` is what it does not say."""

    provider: str
    """Whose offer."""
    instance: str
    """Name of the instance; empty for an accelerator alone."""
    region: str
    """Region."""
    accelerator: str
    """Accelerator, as the list calls it; empty if it has none."""
    count: float
    """Accelerators in it."""
    gpu_memory_gib: float | None
    """Memory of one accelerator. [GiB]"""
    vcpu: float | None
    """Virtual CPUs."""
    memory_gib: float | None
    """Memory of the instance. [GiB]"""
    usd: float | None
    """Price on demand. [USD/h]"""
    spot_usd: float | None
    """Price as spot. [USD/h]"""
    zone: str = ""
    """Zone in the region."""
    is_part: bool = False
    """Whether each accelerator is only a part of one."""
    model: str = ""
    """What else the list calls the accelerator."""
    note: str = ""
    """What else to know."""

    @property
    def label(self) -> str:
        """What to call it in a warning."""
        return self.instance or self.accelerator


@dataclass
class Listing:
    """Turns offers into rows, and counts what does not become one."""

    keep_cpu: bool
    """Whether instances without a GPU are wanted."""
    tally: Tally
    """Where to count."""
    _unknown: Counter[str] = field(default_factory=Counter)
    _without_memory: Counter[str] = field(default_factory=Counter)

    def rows(self, offers: Iterable[Offer]) -> tuple[ListedPrice, ...]:
        """Return the rows that offers make."""
        rows = []
        for offer in offers:
            reason = self._reason_against(offer)
            if reason is None:
                rows.append(self._row(offer))
            else:
                self.tally.leave_out(reason, offer.label)
        return tuple(rows)

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know about the rows made so far."""
        notes = []
        if self._unknown:
            notes.append(
                f"accelerators that costsim does not know keep their names: {named(self._unknown)}"
            )
        if self._without_memory:
            notes.append(
                f"the list gives no GPU memory that can be right for {named(self._without_memory)}"
            )
        return tuple(notes)

    def _reason_against(self, offer: Offer) -> Reason | None:
        # Zero is what lists write where a price is missing; nothing is free.
        if not offer.usd:
            return Reason.SPOT_ONLY if offer.spot_usd else Reason.NO_PRICE
        if not offer.count and not self.keep_cpu:
            return Reason.NO_GPU
        # A count of 0.125 says the same as a whole one that is marked.
        if offer.is_part or offer.count % 1 or is_part_of_gpu(offer.instance):
            return Reason.PART_OF_GPU
        return None

    def _row(self, offer: Offer) -> ListedPrice:
        name, memory_gib = "", None
        if offer.count:
            gpu = find_gpu(offer.accelerator, offer.gpu_memory_gib, offer.model)
            name, memory_gib = gpu.name, gpu.memory_gib
            self._unknown.update([] if gpu.known else [name])
            self._without_memory.update([name] if gpu.known and not memory_gib else [])
        return ListedPrice(
            provider=offer.provider,
            instance=plain_instance(offer.instance),
            region=offer.region,
            gpu=name,
            gpu_count=int(offer.count),
            gpu_memory_gib=memory_gib,
            vcpu=offer.vcpu or None,
            memory_gib=offer.memory_gib or None,
            usd_per_hour=offer.usd or 0.0,
            spot_usd_per_hour=offer.spot_usd or None,
            note=offer.note,
        )
