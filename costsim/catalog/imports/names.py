"""What price lists call things: GPUs, Google's machines, providers.

GPUs are those of ``costsim.catalog.gpus``; the other facts are in ``names.yaml``, with
their sources.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

from costsim.catalog.gpus import load_gpus
from costsim.catalog.provenance import AsOf
from costsim.spec import Many, PositiveCount, PositiveFloat, Spec

_MEMORY_TOLERANCE = 0.1
"""Lists give what a driver shows (22.35 for an L4 of 24), or the chip's full size."""
_LEAST_GIB, _MOST_GIB = 1.0, 1024.0
"""Memory that one GPU may have; outside, the unit must be wrong. [GiB]"""


class _Named(Spec):
    """A part of the file, with its source."""

    source: str
    as_of: AsOf


class _SkyPilot(_Named):
    memory: dict[str, PositiveFloat]


class _Azure(_Named):
    parts: Many[str]


class _Gcp(_Named):
    machines: dict[str, dict[PositiveCount, Many[str]]]
    families: Many[str]


class _GcpAttached(_Named):
    family: str
    vcpu: dict[str, dict[PositiveCount, PositiveCount]]


class _Providers(_Named):
    names: Many[str]


class _Names(Spec):
    skypilot: _SkyPilot
    azure: _Azure
    gcp: _Gcp
    gcp_attached: _GcpAttached
    providers: _Providers


@cache
def names() -> _Names:
    """Return the facts of ``names.yaml``."""
    folder = resources.files("costsim.catalog.imports")
    loaded: Any = yaml.safe_load((folder / "names.yaml").read_text("utf-8"))
    return _Names.model_validate(loaded)


@dataclass(frozen=True)
class ListedGpu:
    """An accelerator by the name that costsim's platform files use."""

    name: str
    """Name; the list's own if costsim does not know it."""
    memory_gib: float | None
    """Memory of one, as the list gives it; None if it gives none of use. [GiB]"""
    known: bool
    """Whether costsim knows it."""


def find_gpu(written: str, memory_gib: float | None, closer: str = "") -> ListedGpu:
    """Return the accelerator that a list means.

    Parameters
    ----------
    written : str
        Its name in the list, such as ``A100-80GB-SXM`` or ``RTXA6000``.
    memory_gib : float or None
        Memory of one as the list gives it. Tells an A100 of 40 GB from one of 80; a size
        that the GPU cannot have is dropped, never replaced by a guess. [GiB]
    closer : str, optional
        What else the list calls it. Where that is one of those that ``written`` may mean,
        it decides: RunPod's ``A100-80GB`` is an ``A100 PCIe``.
    """
    told = _find(closer, memory_gib)
    if told.name in load_gpus().family(written):
        return told
    return _find(written, memory_gib)


def _find(written: str, memory_gib: float | None) -> ListedGpu:
    gpus = load_gpus()
    exact, family = gpus.find(written), gpus.family(written)
    likeliest = [exact.name] if exact else []
    for name in (*likeliest, *family):
        if _is_near(memory_gib, _memory(name)):
            return ListedGpu(name, memory_gib, known=True)
    if not family:
        possible = memory_gib is not None and _LEAST_GIB <= memory_gib <= _MOST_GIB
        return ListedGpu(written, memory_gib if possible else None, known=False)
    name = exact.name if exact else written
    said = _said_by(written) if exact and memory_gib is None else None
    return ListedGpu(name, said, known=True)


def is_known(written: str) -> bool:
    """Return whether costsim knows an accelerator by this name."""
    return bool(load_gpus().family(written))


def can_have(written: str, memory_gib: float) -> bool:
    """Return whether an accelerator that costsim knows comes with so much memory."""
    sizes = {_memory(name) for name in load_gpus().family(written)}
    return any(_is_near(memory_gib, size) for size in sizes)


def is_part_of_gpu(instance: str) -> bool:
    """Return whether a size of Azure has only a part of the GPU that lists give it."""
    return plain_instance(instance).casefold() in _azure_parts()


def plain_instance(instance: str) -> str:
    """Return an instance's name without what only Azure's tools put before it."""
    return instance.removeprefix("Standard_")


@cache
def gpus_of_machines() -> dict[str, tuple[str, int]]:
    """Return what Google's machines carry: the accelerator as SkyPilot names it, how many."""
    return {
        machine: (accelerator, count)
        for accelerator, by_count in names().gcp.machines.items()
        for count, machines in by_count.items()
        for machine in machines
    }


def always_has_gpus(machine: str) -> bool:
    """Return whether a machine of Google's is of a family that never comes without."""
    return machine.partition("-")[0].casefold() in names().gcp.families


def _is_near(memory_gib: float | None, size_gib: float) -> bool:
    if memory_gib is None:
        return False
    return abs(memory_gib - size_gib) <= _MEMORY_TOLERANCE * size_gib


def _memory(name: str) -> float:
    return load_gpus().by_name[name].memory_gib


def _said_by(written: str) -> float | None:
    """Return the memory that a name states, as ``A100-80GB`` does. [GiB]"""
    size = re.search(r"([0-9]+)GB", written)
    return float(size.group(1)) if size else None


@cache
def _azure_parts() -> frozenset[str]:
    return frozenset(name.casefold() for name in names().azure.parts)
