"""What a deployment pays besides its replicas: disks, data, requests, builds."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from costsim.catalog.lookup import unknown
from costsim.catalog.quote import PriceSource
from costsim.catalog.tariff import MeteringRules, StorageCharge, Tariff
from costsim.units import HOURS_PER_MONTH, SECONDS_PER_HOUR

if TYPE_CHECKING:
    from costsim.catalog.prices import RequestPrice, StoragePrice
    from costsim.scenario.schema import Deployment
    from costsim.scenario.vendor_pool import Case


class Charges(NamedTuple):
    """What a deployment pays besides its replicas."""

    tariff: Tariff
    """All of it, and nothing of replicas."""
    build_rate: float
    """Price of building, as a share of a replica's. [1]"""
    sources: tuple[PriceSource, ...]
    """Where the prices come from."""


def find_charges(deployment: Deployment, case: Case) -> Charges:
    """Return what a deployment pays besides its replicas; problems go to the findings."""
    disks, requests = _disks(deployment, case), case.platform.prices.requests
    transfer = case.platform.prices.transfer
    tariff = Tariff(
        MeteringRules(
            disk_increment_s=max(
                (one.increment for one, _ in disks.values()), default=0
            )
        ),
        components=(),
        usd_per_request=requests.fee / requests.per if requests else 0.0,
        free_requests_per_month=float(requests.free) if requests else 0.0,
        storage=tuple(
            StorageCharge(name, gib, one.price or 0.0, one.billed, _copies(one, case))
            for name, (one, gib) in disks.items()
        ),
        gib_per_request=deployment.data_per_request,
        usd_per_gib=_transfer(deployment, case),
        free_gib_per_month=transfer.free if transfer else 0.0,
        build_hours_per_month=_build_hours(deployment),
    )
    return Charges(tariff, _build_rate(deployment, case), _sources(disks, requests))


def _sources(
    disks: dict[str, tuple[StoragePrice, float]], requests: RequestPrice | None
) -> tuple[PriceSource, ...]:
    """Return where the prices of disks and requests come from."""
    sources = []
    for name, (one, gib) in disks.items():
        hourly = (one.price or 0.0) * gib / HOURS_PER_MONTH
        what = name.replace("_", " ")
        sources.append(PriceSource(what, hourly, one.source, one.as_of))
    if requests is not None:
        sources.append(PriceSource("requests", 0.0, requests.source, requests.as_of))
    return tuple(sources)


def _build_hours(deployment: Deployment) -> float:
    """Return how long images are being built in a month. [h/month]"""
    builds = deployment.builds
    return 0.0 if builds is None else builds.per_month * builds.time / SECONDS_PER_HOUR


def _disks(deployment: Deployment, case: Case) -> dict[str, tuple[StoragePrice, float]]:
    """Return the disks that a deployment pays: price and size beyond what is free, by name. [GiB]"""
    title, listed = case.platform.title, case.platform.prices.storage
    found: dict[str, tuple[StoragePrice, float]] = {}
    for name, gib in deployment.storage.items():
        key = f"storage.{name}"
        if name not in listed:
            case.findings.refuse(key, unknown(f"storage of {title}", name, listed))
        elif listed[name].price is None:
            message = f"its price is not published; {_IN_A_FILE}"
            case.findings.refuse(key, message)
        else:
            found[name] = (listed[name], max(0.0, gib - listed[name].free))
    return found


_IN_A_FILE = "give yours in a file of prices (--prices)"


def _copies(price: StoragePrice, case: Case) -> int:
    """Return how many there are of what is paid always."""
    if not price.copies:
        return 1
    value = case.settings.value(price.copies.removeprefix("$"))
    return int(value or 0)


def _transfer(deployment: Deployment, case: Case) -> float:
    """Return the price of a GiB that requests move. [USD/GiB]"""
    transfer, moved = case.platform.prices.transfer, deployment.data_per_request
    if transfer is not None and transfer.price is not None:
        return transfer.price
    if moved:
        message = (
            f"{case.platform.title} has no price of data in the catalog; {_IN_A_FILE}"
        )
        case.findings.refuse("data_per_request", message)
    return 0.0


def _build_rate(deployment: Deployment, case: Case) -> float:
    """Return the price of building as a share of a replica's; warn if it is not known. [1]"""
    if deployment.builds is None:
        return 0.0
    billing = case.platform.billing
    if billing.build_rate is not None:
        return billing.build_rate.value
    if billing.phases.image_build.billed != "no":
        case.findings.warnings.append(
            "builds are not in the bill: what they cost is not published"
        )
    return 0.0
