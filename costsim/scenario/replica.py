"""The hardware of a deployment's replica, and its price in the catalog."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from costsim.catalog.lookup import unknown
from costsim.catalog.quote import (
    VCPU_PER_CORE,
    Quote,
    gpu_label,
    quote_instance,
    quote_parts,
)
from costsim.yaml_source import shown

if TYPE_CHECKING:
    from costsim.catalog.platform import Platform
    from costsim.catalog.prices import InstancePrice
    from costsim.scenario.findings import Findings
    from costsim.scenario.schema import Deployment, Resources


@dataclass(frozen=True)
class Replica:
    """What one replica runs on."""

    gpu: str
    """GPU type, by the platform's name; empty if none."""
    gpu_count: int
    """GPUs in it; 0 if none."""
    instance: str
    """Instance, where the platform prices whole ones; else empty."""
    quote: Quote
    """Its price."""

    @property
    def label(self) -> str:
        """The GPUs for people: ``L4``, ``2x L4``, or nothing."""
        return gpu_label(self.gpu, self.gpu_count)


def find_replica(
    deployment: Deployment, platform: Platform, findings: Findings
) -> Replica | None:
    """Return the replica that a deployment asks for, or None after a problem."""
    multiplier = _region_multiplier(deployment, platform, findings)
    if platform.prices.instances:
        return _instance(deployment, platform, multiplier, findings)
    return _parts(deployment, platform, multiplier, findings)


def _region_multiplier(
    deployment: Deployment, platform: Platform, findings: Findings
) -> float:
    regions = platform.prices.regions
    word = deployment.region or platform.prices.default_region
    if not regions:
        if deployment.region is not None:
            message = f"{platform.title} has one price for every region; leave it out"
            findings.refuse("region", message)
        return 1.0
    if word in regions:
        return regions[word].multiplier
    for name, region in regions.items():
        if word in region.examples:
            findings.notes.append(f"region {word} is priced as {name}")
            return region.multiplier
    findings.refuse("region", unknown("region", word, regions))
    return 1.0


def _parts(
    deployment: Deployment, platform: Platform, multiplier: float, findings: Findings
) -> Replica | None:
    """Return a replica whose GPU, CPU and memory are priced apart."""
    prices = platform.prices
    if deployment.instance is not None:
        message = (
            f"{platform.title} prices GPU, CPU and memory apart; use gpu and resources"
        )
        findings.refuse("instance", message)
        return None
    gpu = None
    if deployment.gpu is None:
        findings.warnings.append("no gpu is given: priced as CPU and memory alone")
    else:
        gpu = prices.gpu_name(deployment.gpu)
        if gpu is None:
            message = unknown(f"GPU of {platform.title}", deployment.gpu, prices.gpus)
            findings.refuse("gpu", message)
            return None
        most = prices.gpus[gpu].max_per_replica
        if most is not None and deployment.gpu_count > most:
            message = (
                f"{deployment.gpu_count} is too many; a replica has up to {most} {gpu}"
            )
            findings.refuse("gpu_count", message)
            return None
    cores, memory_gib = _reserved(deployment.resources, platform, findings)
    count = deployment.gpu_count if gpu else 0
    quote = quote_parts(prices, gpu, count, cores, memory_gib, multiplier)
    return Replica(gpu or "", count, "", quote)


def _reserved(
    resources: Resources | None, platform: Platform, findings: Findings
) -> tuple[float | None, float | None]:
    """Return the cores and GiB that a deployment reserves; warn where it does not say."""
    cores = resources.cpu if resources else None
    memory_gib = resources.memory if resources else None
    cpu, memory = platform.prices.cpu, platform.prices.memory
    least = {
        "cpu": (cores, cpu.minimum if cpu else 0.0, "physical cores"),
        "memory": (memory_gib, memory.minimum if memory else 0.0, "GiB of memory"),
    }
    for key, (asked, minimum, unit) in least.items():
        if asked is None:
            findings.warnings.append(
                f"resources.{key} is not given: billed at the minimum of {minimum:g} "
                f"{unit}; a model server needs more"
            )
        elif asked < minimum:
            findings.warnings.append(
                f"resources.{key} is below the minimum: billed at {minimum:g} {unit}"
            )
    return cores, memory_gib


def _instance(
    deployment: Deployment, platform: Platform, multiplier: float, findings: Findings
) -> Replica | None:
    """Return a replica that is a whole instance."""
    if deployment.instance is not None:
        name = _named(deployment, platform, findings)
    elif deployment.gpu is not None:
        name = _cheapest(deployment, platform, findings)
    else:
        message = (
            f"needs an instance or a gpu; GPUs: {', '.join(platform.prices.gpu_names)}"
        )
        findings.refuse("instance", message)
        name = None
    if name is None:
        return None
    chosen = platform.prices.instances[name]
    quote = quote_instance(platform.prices, name, multiplier)
    return Replica(chosen.gpu, chosen.gpu_count, name, quote)


def _named(
    deployment: Deployment, platform: Platform, findings: Findings
) -> str | None:
    """Return the instance that a deployment names, if it is there and fits the rest."""
    instances = platform.prices.instances
    folded = {name.casefold(): name for name in instances}
    name = folded.get(str(deployment.instance).strip().casefold())
    if name is None:
        message = unknown(
            f"instance of {platform.title}", deployment.instance, instances
        )
        findings.refuse("instance", message)
        return None
    chosen = instances[name]
    has = gpu_label(chosen.gpu, chosen.gpu_count) or "no GPU"
    gpu = deployment.gpu
    if gpu is not None and platform.prices.gpu_name(gpu) != (chosen.gpu or None):
        findings.refuse("gpu", f"instance {name} has {has}, not {shown(gpu)}")
        return None
    counted = "gpu_count" in deployment.model_fields_set
    if counted and deployment.gpu_count != chosen.gpu_count:
        message = f"instance {name} has {has}, not {deployment.gpu_count} GPUs"
        findings.refuse("gpu_count", message)
        return None
    if not _roomy(chosen, deployment.resources):
        message = (
            f"instance {name} has {chosen.vcpu / VCPU_PER_CORE:g} physical cores and "
            f"{chosen.memory:g} GiB; that is not enough"
        )
        findings.refuse("resources", message)
        return None
    return name


def _cheapest(
    deployment: Deployment, platform: Platform, findings: Findings
) -> str | None:
    """Return the cheapest instance with the GPUs and the room that a deployment asks for."""
    prices = platform.prices
    gpu = prices.gpu_name(str(deployment.gpu))
    if gpu is None:
        kind = f"GPU of {platform.title}"
        findings.refuse("gpu", unknown(kind, deployment.gpu, prices.gpu_names))
        return None
    with_gpu = {name: one for name, one in prices.instances.items() if one.gpu == gpu}
    count = deployment.gpu_count
    counted = {name: one for name, one in with_gpu.items() if one.gpu_count == count}
    if not counted:
        counts = sorted({one.gpu_count for one in with_gpu.values()})
        message = (
            f"{platform.title} has no instance with {gpu_label(gpu, count)}; "
            f"allowed with {gpu}: {', '.join(map(str, counts))}"
        )
        # A count that was left out is 1, and then it is the GPU that does not fit.
        key = "gpu_count" if "gpu_count" in deployment.model_fields_set else "gpu"
        findings.refuse(key, message)
        return None
    roomy = [name for name, one in counted.items() if _roomy(one, deployment.resources)]
    if not roomy:
        message = (
            f"no instance with {gpu_label(gpu, count)} is that large; "
            f"there are {', '.join(counted)}"
        )
        findings.refuse("resources", message)
        return None
    name = min(roomy, key=lambda one: counted[one].price)
    findings.notes.append(
        f"instance {name}: the cheapest with {gpu_label(gpu, count)}, "
        f"{counted[name].price:.4f} USD/h"
    )
    return name


def _roomy(instance: InstancePrice, resources: Resources | None) -> bool:
    """Return whether an instance has the cores and the memory that are asked for."""
    if resources is None:
        return True
    cores = instance.vcpu / VCPU_PER_CORE
    return (resources.cpu or 0.0) <= cores and (
        resources.memory or 0.0
    ) <= instance.memory
