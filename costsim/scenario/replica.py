"""The hardware of a deployment's replica, and its price in the catalog."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from costsim.catalog.gpus import load_gpus
from costsim.catalog.lookup import unknown
from costsim.catalog.prices import VCPU_PER_CORE
from costsim.catalog.quote import (
    Quote,
    Terms,
    UnpricedError,
    gpu_label,
    quote_instance,
    quote_own,
    quote_parts,
)
from costsim.yaml_source import shown

if TYPE_CHECKING:
    from costsim.catalog.platform import Platform
    from costsim.catalog.prices import InstancePrice, Prices
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
    gpu_memory_gib: float | None = None
    """Memory of all its GPUs; None: not known. [GiB]"""

    @property
    def label(self) -> str:
        """The GPUs for people: ``L4``, ``2x L4``, or nothing."""
        return gpu_label(self.gpu, self.gpu_count)


def find_replica(
    deployment: Deployment, platform: Platform, findings: Findings
) -> Replica | None:
    """Return the replica that a deployment asks for, or None after a problem."""
    terms = Terms(
        tier=_tier(deployment, platform, findings),
        multiplier=_region_multiplier(deployment, platform, findings),
        discount=deployment.discount,
        own_usd_per_hour=deployment.price,
    )
    prices = platform.prices
    try:
        if prices.by_instance:
            return _instance(deployment, platform, terms, findings)
        if prices.gpus or prices.cpu or prices.memory:
            return _parts(deployment, platform, terms, findings)
        return _unlisted(deployment, platform, findings)
    except UnpricedError as error:
        findings.refuse("price", f"{error}; {_GIVE_YOURS}")
        return None


_GIVE_YOURS = "give yours, such as 'price: 2.49 USD/h', or a file of prices (--prices)"


def _unlisted(
    deployment: Deployment, platform: Platform, findings: Findings
) -> Replica | None:
    """Return a replica on a platform that has no price list."""
    if deployment.price is None:
        message = f"{platform.title} has no price list in the catalog; {_GIVE_YOURS}"
        findings.refuse("price", message)
        return None
    gpu = deployment.gpu or ""
    count = deployment.gpu_count if gpu else 0
    what = deployment.instance or gpu_label(gpu, count) or platform.replica
    quote = quote_own(what, deployment.price, deployment.discount)
    return Replica(gpu, count, deployment.instance or "", quote, memory_of(gpu, count))


def memory_of(gpu: str, count: int) -> float | None:
    """Return the memory of so many GPUs of any name; None: it is not known. [GiB]

    Of a name that means several GPUs it is the smallest.
    """
    gpus = load_gpus()
    sizes = [gpus.by_name[name].memory_gib for name in gpus.family(gpu)]
    return min(sizes) * count if sizes else None


def _tier(deployment: Deployment, platform: Platform, findings: Findings) -> str:
    """Return the tier that a deployment asks for; empty: the ordinary prices."""
    word, prices = deployment.tier, platform.prices
    if word is None or word == prices.default_tier:
        return ""
    if not prices.tiers:
        findings.refuse("tier", f"{platform.title} has no tiers; leave it out")
    elif word not in prices.tiers:
        known = (
            [prices.default_tier, *prices.tiers]
            if prices.default_tier
            else prices.tiers
        )
        findings.refuse("tier", unknown(f"tier of {platform.title}", word, known))
    elif prices.tiers[word].interruptible:
        findings.warnings.append(
            f"tier {word} may be taken away at any time, and costsim simulates no "
            "interruptions of a platform's replicas: see failures of a pool"
        )
    return word


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
    deployment: Deployment, platform: Platform, terms: Terms, findings: Findings
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
    if deployment.gpu is None and prices.gpus:
        findings.warnings.append("no gpu is given: priced as CPU and memory alone")
    elif deployment.gpu is not None:
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
    quote = quote_parts(prices, gpu, count, cores, memory_gib, terms)
    gpu_memory_gib = prices.gpus[gpu].memory * count if gpu else 0.0
    return Replica(gpu or "", count, "", quote, gpu_memory_gib)


def _reserved(
    resources: Resources | None, platform: Platform, findings: Findings
) -> tuple[float | None, float | None]:
    """Return the cores and GiB that a deployment reserves; warn where it does not say."""
    cores = resources.cpu if resources else None
    memory_gib = resources.memory if resources else None
    priced = {"cpu": platform.prices.cpu, "memory": platform.prices.memory}
    asks = {"cpu": (cores, "physical cores"), "memory": (memory_gib, "GiB of memory")}
    for key, (asked, unit) in asks.items():
        price = priced[key]
        if price is None:
            continue
        minimum = price.minimum
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
    deployment: Deployment, platform: Platform, terms: Terms, findings: Findings
) -> Replica | None:
    """Return a replica that is a whole instance."""
    if deployment.instance is not None:
        name = _named(deployment, platform, findings)
    elif deployment.gpu is not None:
        name = _cheapest(deployment, platform, terms, findings)
    else:
        message = (
            f"needs an instance or a gpu; GPUs: {', '.join(platform.prices.gpu_names)}"
        )
        findings.refuse("instance", message)
        name = None
    if name is None:
        return None
    chosen = platform.prices.instances[name]
    quote = quote_instance(platform.prices, name, terms)
    return Replica(chosen.gpu, chosen.gpu_count, name, quote, chosen.gpu_memory or None)


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
        has = " and ".join(_room(chosen)) or "a size that is not known"
        findings.refuse("resources", f"instance {name} has {has}; that is not enough")
        return None
    return name


def _cheapest(
    deployment: Deployment, platform: Platform, terms: Terms, findings: Findings
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
    hourly = _quoted(prices, roomy, terms)
    name = min(hourly, key=hourly.__getitem__)
    findings.notes.append(
        f"instance {name}: the cheapest with {gpu_label(gpu, count)}, "
        f"{hourly[name]:.4f} USD/h"
    )
    return name


def _quoted(prices: Prices, names: list[str], terms: Terms) -> dict[str, float]:
    """Return the price of each instance that has one. [USD/h]

    Raises
    ------
    UnpricedError
        If none has.
    """
    hourly: dict[str, float] = {}
    errors = []
    for name in names:
        try:
            hourly[name] = quote_instance(prices, name, terms).usd_per_hour
        except UnpricedError as error:
            errors.append(error)
    if not hourly:
        raise errors[0]
    return hourly


def _room(instance: InstancePrice) -> list[str]:
    """Return the cores and the memory of an instance, in words, as far as known."""
    cores, memory = instance.vcpu, instance.memory
    words = [] if cores is None else [f"{cores / VCPU_PER_CORE:g} physical cores"]
    return words if memory is None else [*words, f"{memory:g} GiB"]


def _roomy(instance: InstancePrice, resources: Resources | None) -> bool:
    """Return whether an instance has the cores and the memory that are asked for.

    One whose size nobody has found is taken to have them.
    """
    if resources is None:
        return True
    cores = instance.vcpu
    enough_cores = cores is None or (resources.cpu or 0.0) <= cores / VCPU_PER_CORE
    memory = instance.memory
    return enough_cores and (memory is None or (resources.memory or 0.0) <= memory)
