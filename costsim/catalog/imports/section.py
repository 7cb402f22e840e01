"""The part of a price file about one platform: its instances, or its GPUs."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from costsim.catalog.gpus import load_gpus
from costsim.catalog.imports.listing import ListedPrice, Reason, Tally, cheapest

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Section:
    """Which prices are wanted, and how the platform has them."""

    region: str | None
    """The region; None: of each instance the cheapest."""
    spot: bool
    """Whether spot prices are wanted."""
    by_gpu: bool
    """Whether the platform prices GPUs and not instances."""
    tally: Tally
    """Where to count what is left out."""

    def of(self, rows: Iterable[ListedPrice]) -> dict[str, dict[str, Any]]:
        """Return the prices by the section's key, such as ``instances``; nothing if none."""
        chosen = self._chosen([row for row in rows if self._fits(row)])
        if not chosen:
            return {}
        if self.by_gpu:
            return {"gpus": self._gpus(chosen)}
        return {"instances": self._instances(chosen)}

    def _fits(self, row: ListedPrice) -> bool:
        """Return whether the platform can take a price; count it if it cannot."""
        reason = self._reason_against(row)
        if reason is not None:
            self.tally.leave_out(reason, row.instance)
        return reason is None

    def _reason_against(self, row: ListedPrice) -> Reason | None:
        if self.by_gpu and not row.gpu:
            return Reason.NO_GPU
        sizes = [_gpu_memory_gib(row)] if self.by_gpu else [row.vcpu, row.memory_gib]
        return Reason.NO_SIZE if None in sizes else None

    def _chosen(self, rows: list[ListedPrice]) -> tuple[ListedPrice, ...]:
        offered = cheapest(rows, self.region)
        chosen = cheapest(rows, self.region, spot=self.spot)
        self._leave_out(Reason.NOT_IN_REGION, cheapest(rows), offered)
        self._leave_out(Reason.NO_SPOT, offered, chosen)
        return chosen

    def _leave_out(
        self,
        reason: Reason,
        before: Iterable[ListedPrice],
        after: Iterable[ListedPrice],
    ) -> None:
        kept = {(row.provider, row.instance) for row in after}
        for row in before:
            if (row.provider, row.instance) not in kept:
                self.tally.leave_out(reason, row.instance)

    def _instances(self, rows: Iterable[ListedPrice]) -> dict[str, Any]:
        # Two providers of one platform may share a name: the cheaper one counts.
        ordered = sorted(rows, key=lambda row: (row.instance, -self._price(row)))
        return {row.instance: self._instance(row) for row in ordered}

    def _instance(self, row: ListedPrice) -> dict[str, Any]:
        """Return an instance as the file has it; what is not known is left out."""
        written: dict[str, Any] = {
            "price": _usd_per_hour(self._price(row)),
            "vcpu": _plain(row.vcpu or 0.0),
            "memory": _gib(row.memory_gib or 0.0),
        }
        if row.gpu:
            written |= {"gpu": row.gpu, "gpu_count": row.gpu_count}
        if row.gpu_memory_gib is not None:
            written["gpu_memory"] = _gib(row.gpu_count * row.gpu_memory_gib)
        return written | self._note(row.note)

    def _gpus(self, rows: Iterable[ListedPrice]) -> dict[str, Any]:
        def rank(row: ListedPrice) -> tuple[str, float, int, str]:
            # The dearest and largest first: of the same GPU the last stays.
            share = self._price(row) / row.gpu_count
            return row.gpu, -share, -row.gpu_count, row.instance

        return {
            row.gpu: {
                "price": _usd_per_hour(self._price(row) / row.gpu_count),
                "memory": _gib(_gpu_memory_gib(row) or 0.0),
                **self._note(f"of {row.instance}; {row.note}"),
            }
            for row in sorted(rows, key=rank)
        }

    def _price(self, row: ListedPrice) -> float:
        price = row.spot_usd_per_hour if self.spot else row.usd_per_hour
        return price or 0.0

    def _note(self, note: str) -> dict[str, str]:
        text = "; ".join(filter(None, ["spot" if self.spot else "", note]))
        return {"note": text} if text else {}


def _gpu_memory_gib(row: ListedPrice) -> float | None:
    """Return the memory of a GPU: the list's, else what its vendor prints. [GiB]"""
    if row.gpu_memory_gib is not None:
        return row.gpu_memory_gib
    known = load_gpus().find(row.gpu)
    return known.memory_gib if known else None


def _usd_per_hour(price: float) -> str:
    return f"{_decimal(price)} USD/h"


def _gib(size: float) -> str:
    return f"{_decimal(size)} GiB"


def _decimal(number: float) -> str:
    """Return a number without an exponent, and without the noise of a sum."""
    return format(Decimal(f"{number:.10g}"), "f")


def _plain(number: float) -> float | int:
    return int(number) if number.is_integer() else number
