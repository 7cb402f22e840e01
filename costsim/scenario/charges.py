"""What a deployment pays besides its replicas: disks, data, requests, builds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from costsim.catalog.lookup import unknown
from costsim.catalog.quote import PriceSource
from costsim.catalog.tariff import StorageCharge
from costsim.units import HOURS_PER_MONTH, SECONDS_PER_HOUR

if TYPE_CHECKING:
    from costsim.catalog.prices import StoragePrice
    from costsim.scenario.schema import Deployment
    from costsim.scenario.vendor_pool import Case


@dataclass(frozen=True)
class Charges:
    """Prices besides those of replicas, in the words of a tariff."""

    usd_per_request: float = 0.0
    free_requests_per_month: float = 0.0
    storage: tuple[StorageCharge, ...] = ()
    disk_increment_s: float = 0.0
    usd_per_gib: float = 0.0
    free_gib_per_month: float = 0.0
    build_rate: float = 0.0
    """Price of building, as a share of a replica's. [1]"""
    sources: tuple[PriceSource, ...] = ()
    """Where the prices come from."""


def find_charges(deployment: Deployment, case: Case) -> Charges:
    """Return what a deployment pays besides its replicas; problems go to the findings."""
    prices = case.platform.prices
    disks = _disks(deployment, case)
    requests = prices.requests
    sources = [
        PriceSource(
            name.replace("_", " "),
            (price.price or 0.0) * gib / HOURS_PER_MONTH,
            price.source,
            price.as_of,
        )
        for name, (price, gib) in disks.items()
    ]
    if requests is not None:
        sources.append(PriceSource("requests", 0.0, requests.source, requests.as_of))
    return Charges(
        usd_per_request=requests.fee / requests.per if requests else 0.0,
        free_requests_per_month=float(requests.free) if requests else 0.0,
        storage=tuple(
            StorageCharge(
                name, gib, price.price or 0.0, price.billed, _copies(price, case)
            )
            for name, (price, gib) in disks.items()
        ),
        disk_increment_s=max((one.increment for one, _ in disks.values()), default=0.0),
        usd_per_gib=_transfer(deployment, case),
        free_gib_per_month=prices.transfer.free if prices.transfer else 0.0,
        build_rate=_build_rate(deployment, case),
        sources=tuple(sources),
    )


def build_hours_per_month(deployment: Deployment) -> float:
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
