"""Google's machines and accelerators, which SkyPilot's list prices apart.

A row with an ``InstanceType`` is a machine without its accelerators; a row without one is
so many accelerators without a machine. Neither is the price of anything that serves. The
price of so many accelerators is for all of them, not for each
(``sky/catalog/data_fetchers/fetch_gcp.py``, ``get_gpu_price``).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from costsim.catalog.imports.listing import Reason, Tally
from costsim.catalog.imports.names import always_has_gpus, gpus_of_machines, names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from costsim.catalog.imports.offers import Offer

_Place = tuple[str, str]
"""Region and zone: machine and accelerators must be in the same."""
_Part = tuple[str, float, _Place]
"""Accelerator, how many, and where."""


def is_tpu(offer: Offer) -> bool:
    """Return whether it is a slice of TPUs, whose machines cost nothing extra."""
    return offer.accelerator.casefold().startswith("tpu")


def joined(offers: Iterable[Offer], tally: Tally) -> list[Offer]:
    """Return whole machines: each with the accelerators that it carries."""
    listed = list(offers)
    machines = [one for one in listed if one.instance]
    alone = [one for one in listed if not one.instance]
    parts = _Parts(one for one in alone if not is_tpu(one))
    made = _with_gpus(machines, parts, tally) + _attached(machines, parts)
    for part in parts.unused:
        tally.leave_out(Reason.MACHINE_MISSING, part.label)
    slices = [replace(one, instance=one.accelerator) for one in alone if is_tpu(one)]
    return made + slices


class _Parts:
    """Accelerators without machines."""

    def __init__(self, offers: Iterable[Offer]) -> None:
        self._offers: dict[_Part, Offer] = {}
        self._used: set[_Part] = set()
        for offer in offers:
            self._offers.setdefault(
                (offer.accelerator, offer.count, place(offer)), offer
            )

    def take(self, accelerator: str, count: int, where: _Place) -> Offer | None:
        """Return so many accelerators at their price together; None if not sold there."""
        for n_priced in (count, 1):
            key = (accelerator, float(n_priced), where)
            if key in self._offers:
                self._used.add(key)
                return _times(self._offers[key], count / n_priced)
        return None

    @property
    def all(self) -> tuple[Offer, ...]:
        """Each accelerator, number and place once."""
        return tuple(self._offers.values())

    @property
    def unused(self) -> tuple[Offer, ...]:
        """Those that no machine took."""
        return tuple(self._offers[key] for key in self._offers if key not in self._used)


def place(offer: Offer) -> _Place:
    """Return where it is offered."""
    return offer.region, offer.zone


def _with_gpus(machines: list[Offer], parts: _Parts, tally: Tally) -> list[Offer]:
    """Return the machines with the accelerators that each of them always has."""
    made = []
    for machine in machines:
        accelerator, count = gpus_of_machines().get(machine.instance, ("", 0))
        part = parts.take(accelerator, count, place(machine)) if accelerator else None
        if machine.count or not always_has_gpus(machine.instance):
            made.append(machine)
        elif part is None:
            tally.leave_out(Reason.GPUS_MISSING, machine.label)
        else:
            made.append(_sum(machine, part))
    return made


def _attached(machines: list[Offer], parts: _Parts) -> list[Offer]:
    """Return N1 machines with the accelerators that one may attach to them."""
    facts = names().gcp_attached
    hosts: dict[_Place, list[Offer]] = defaultdict(list)
    for machine in machines:
        if machine.instance.startswith(facts.family) and machine.usd:
            hosts[place(machine)].append(machine)
    made = []
    for part in parts.all:
        count = int(part.count)
        vcpu = facts.vcpu.get(part.accelerator, {}).get(count)
        fit = [one for one in hosts[place(part)] if vcpu and (one.vcpu or 0) >= vcpu]
        if fit:
            host = min(fit, key=lambda one: (one.usd or 0.0, one.instance))
            taken = parts.take(part.accelerator, count, place(part)) or part
            made.append(_named_for_both(_sum(host, taken)))
    return made


def _named_for_both(whole: Offer) -> Offer:
    """Name a machine as ``n1-standard-4+t4`` or ``n1-standard-8+2xt4``."""
    many = "" if whole.count == 1 else f"{whole.count:g}x"
    name = f"{whole.instance}+{many}{whole.accelerator.casefold()}"
    return replace(whole, instance=name)


def _times(part: Offer, factor: float) -> Offer:
    """Return that many times the accelerators at that many times the price."""
    return replace(
        part,
        count=part.count * factor,
        usd=part.usd and part.usd * factor,
        spot_usd=part.spot_usd and part.spot_usd * factor,
    )


def _sum(machine: Offer, part: Offer) -> Offer:
    """Return the machine with its accelerators; a price that one lacks, both lack."""
    return replace(
        machine,
        accelerator=part.accelerator,
        count=part.count,
        gpu_memory_gib=part.gpu_memory_gib,
        model=part.model,
        usd=_plus(machine.usd, part.usd),
        spot_usd=_plus(machine.spot_usd, part.spot_usd),
        note=f"machine {machine.usd or 0:g} + GPUs {part.usd or 0:g} USD/h",
    )


def _plus(one: float | None, other: float | None) -> float | None:
    return one + other if one and other else None
