"""The price of every kind of replica as a row: what a table, a CSV or a picture is made of."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from costsim.catalog.gpus import load_gpus
from costsim.catalog.lookup import unknown
from costsim.catalog.prices import VCPU_PER_CORE
from costsim.catalog.provenance import age_days
from costsim.catalog.quote import (
    Quote,
    Terms,
    UnpricedError,
    billed_cores,
    billed_memory_gib,
    quote_instance,
    quote_parts,
)
from costsim.errors import CatalogError
from costsim.units import HOURS_PER_MONTH, format_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from costsim.catalog.platform import Catalog, Platform
    from costsim.catalog.prices import Prices
    from costsim.catalog.provenance import Sourced
    from costsim.study.tabular import Rows

CPU_ONLY = "cpu"
"""SKU of a replica without GPU where the parts are priced apart."""


@dataclass(frozen=True)
class PriceRow:
    """The price of one kind of replica on one platform."""

    platform: str
    """Name of the platform, as a scenario has it."""
    title: str
    """Name of the platform for people."""
    sku: str
    """What to write in a scenario: the instance, or the GPU where it is priced apart."""
    tier: str
    """Tier of service, where the platform has several."""
    gpu: str
    """GPU type; empty if none."""
    gpu_count: int
    """GPUs."""
    gpu_memory_gib: float | None
    """Memory of all GPUs together. [GiB]"""
    gpu_bandwidth_gb_per_s: float | None
    """Bandwidth of the memory of one GPU. [GB/s]"""
    bf16_tflops: float | None
    """Peak speed of all GPUs on dense 16-bit matrices. [10^12 operations/s]"""
    vcpu: float | None
    """Virtual CPUs; None: not known."""
    memory_gib: float | None
    """Memory; None: not known. [GiB]"""
    usd_per_hour: float | None
    """Price of an hour; None: not published. [USD/h]"""
    usd_per_gpu_hour: float | None
    """Price of an hour for each GPU. [USD/h]"""
    usd_per_month: float | None
    """Price of 730 hours. [USD/month]"""
    usd_per_gib_hour: float | None
    """Price of an hour for each GiB of GPU memory. [USD/(GiB h)]"""
    usd_per_tflop_hour: float | None
    """Price of an hour for each 10^12 operations/s. [USD/(TFLOPS h)]"""
    gpu_usd_per_hour: float | None
    """Price of the GPUs alone, where CPU and memory come on top. [USD/h]"""
    billing_increment: str
    """What is rounded up to: ``60s``, or ``unrounded``."""
    billed: str
    """Which parts of a replica's life are billed."""
    source: str
    """Where the price was read."""
    as_of: str
    """When the price was read."""
    evidence: str
    """How good the source of the price is."""
    age_days: int | None
    """How long ago the price was read, at most. [days]"""
    note: str
    """What else to know."""

    @property
    def gpu_memory_gib_each(self) -> float | None:
        """Memory of one GPU. [GiB]"""
        total = self.gpu_memory_gib
        return total / self.gpu_count if total and self.gpu_count else None


def price_rows(
    catalog: Catalog,
    *,
    platform: str | None = None,
    gpu: str | None = None,
    cpu: float | None = None,
    memory_gib: float | None = None,
    today: date | None = None,
) -> list[PriceRow]:
    """Return what replicas cost, by GPU and price of a GPU.

    Where GPU, CPU and memory are priced apart, a row is the GPU with the CPU and memory
    that are charged at least. With a shape it is the price of that shape; of whole
    instances only the cheapest with at least that much is kept, for each number of GPUs.

    Parameters
    ----------
    catalog : Catalog
        The prices.
    platform, gpu : str, optional
        One platform or GPU only; ``A100`` is all sizes of it.
    cpu, memory_gib : float, optional
        The shape. [physical cores], [GiB]
    today : date, optional
        For the age of a price; the date of the clock if left out.

    Raises
    ------
    CatalogError
        If there is no such platform, or no such GPU in it.
    """
    day = today or datetime.now(UTC).date()
    chosen = [platform] if platform else catalog.names
    platforms = [catalog.platform(name) for name in chosen]
    if gpu is not None and not any(meant_gpus(one, gpu) for one in platforms):
        names = [name for one in platforms for name in one.prices.gpu_names]
        raise CatalogError(unknown("GPU", gpu, dict.fromkeys(names)))
    rows = [_platform_rows(one, gpu, cpu, memory_gib, day) for one in platforms]
    return sort_rows(list(chain.from_iterable(rows)), "gpu")


def _platform_rows(
    platform: Platform,
    gpu: str | None,
    cpu: float | None,
    memory_gib: float | None,
    today: date,
) -> list[PriceRow]:
    names = None if gpu is None else meant_gpus(platform, gpu)
    if names is not None and not names:
        return []
    prices = platform.prices
    shape = _Shape(billed_cores(prices, cpu), billed_memory_gib(prices, memory_gib))
    rows = list(_listed_rows(platform, shape, today))
    if prices.by_instance and (cpu is not None or memory_gib is not None):
        rows = _cheapest_with_room(rows, cpu or 0.0, memory_gib or 0.0)
    return [row for row in rows if names is None or row.gpu in names]


class _Shape(NamedTuple):
    """What a replica reserves where CPU and memory are priced apart."""

    cores: float
    """Physical cores."""
    memory_gib: float
    """Memory. [GiB]"""


def meant_gpus(platform: Platform, word: str) -> set[str]:
    """Return the platform's GPUs that a word may mean: its own, and kinds of it."""
    own = platform.prices.gpu_name(word)
    kinds = set(load_gpus().family(word)) & set(platform.prices.gpu_names)
    return kinds | {own} if own else kinds


def _listed_rows(platform: Platform, shape: _Shape, today: date) -> Iterator[PriceRow]:
    """Yield a row for each GPU or instance in each tier, and one for the CPU alone."""
    prices = platform.prices
    kind = "instances" if prices.by_instance else "gpus"
    for sku, ordinary in getattr(prices, kind).items():
        size = _size(prices, sku, shape) | {"note": ordinary.note}
        yield _row(platform, ordinary, _quote(prices, sku, shape, ""), today, size)
        for name, tier in prices.tiers.items():
            listed = getattr(tier, kind).get(sku)
            if listed is None and tier.multiplier is None:
                continue
            note = listed.note if listed and listed.note else ordinary.note
            quote = _quote(prices, sku, shape, name)
            size = {**size, "tier": name, "note": note}
            yield _row(platform, listed or ordinary, quote, today, size)
    apart = prices.cpu or prices.memory
    if apart is not None:
        size = _size(prices, CPU_ONLY, shape) | {"note": "No GPU."}
        yield _row(platform, apart, _quote(prices, CPU_ONLY, shape, ""), today, size)


def _size(prices: Prices, sku: str, shape: _Shape) -> dict[str, Any]:
    """Return the fields of a row that say what is sold."""
    if sku in prices.instances:
        one = prices.instances[sku]
        return {
            "sku": sku,
            "gpu": one.gpu,
            "gpu_count": one.gpu_count,
            "gpu_memory_gib": one.gpu_memory or None,
            "vcpu": one.vcpu,
            "memory_gib": one.memory,
        }
    gpu = prices.gpus.get(sku)
    return {
        "sku": sku,
        "gpu": sku if gpu else "",
        "gpu_count": 1 if gpu else 0,
        "gpu_memory_gib": gpu.memory if gpu else None,
        "vcpu": shape.cores * VCPU_PER_CORE if prices.cpu else None,
        "memory_gib": shape.memory_gib if prices.memory else None,
    }


def _quote(prices: Prices, sku: str, shape: _Shape, tier: str) -> Quote | None:
    """Return the price of a replica; None if there is none."""
    terms = Terms(tier=tier)
    try:
        if sku in prices.instances:
            return quote_instance(prices, sku, terms)
        gpu = sku if sku in prices.gpus else None
        return quote_parts(prices, gpu, 1 if gpu else 0, *shape, terms)
    except UnpricedError:
        return None


def _row(
    platform: Platform,
    listed: Sourced,
    quote: Quote | None,
    today: date,
    size: dict[str, Any],
) -> PriceRow:
    """Return the row of a listed price, or of one that is not published."""
    hourly = None if quote is None else whole_money(quote.usd_per_hour)
    facts, count = load_gpus().find(size["gpu"]), size["gpu_count"]
    tflops = facts.bf16_tflops * count if facts and facts.bf16_tflops else None
    return PriceRow(
        platform=platform.name,
        title=platform.title,
        gpu_bandwidth_gb_per_s=facts.bandwidth_gb_per_s if facts else None,
        bf16_tflops=tflops,
        usd_per_hour=hourly,
        usd_per_gpu_hour=_each(hourly, count),
        usd_per_month=None if hourly is None else whole_money(hourly * HOURS_PER_MONTH),
        usd_per_gib_hour=_each(hourly, size["gpu_memory_gib"]),
        usd_per_tflop_hour=_each(hourly, tflops),
        gpu_usd_per_hour=_gpu_alone(quote),
        billing_increment=increment_text(platform),
        billed=billed_text(platform),
        source=listed.source,
        as_of=listed.as_of,
        evidence=listed.evidence or "",
        age_days=age_days(listed.as_of, today),
        **{"tier": "", **size},
    )


def _gpu_alone(quote: Quote | None) -> float | None:
    """Return the price of the GPUs where CPU and memory come on top. [USD/h]"""
    if quote is None or len(quote.components) == 1:
        return None
    first = quote.components[0]
    return whole_money(first.usd_per_hour) if first.name == "gpu" else None


def _each(hourly: float | None, amount: float | None) -> float | None:
    return None if hourly is None or not amount else whole_money(hourly / amount)


def whole_money(usd: float) -> float:
    """Return a price without the noise of a change of unit, 0.8483999999999999."""
    return round(usd, 9)


def increment_text(platform: Platform) -> str:
    """Return the billing increment and minimum: ``1s, min 60s``, or ``unrounded``."""
    billing = platform.billing
    step = billing.increment.value
    text = format_duration(step) if step else "unrounded"
    least = billing.minimum.value
    return f"{text}, min {format_duration(least)}" if least else text


def billed_text(platform: Platform) -> str:
    """Return which parts of a replica's life are billed: ``setup, busy, idle``."""
    phases = platform.billing.phases
    parts = {"setup": phases.model_load, "busy": phases.serving, "idle": phases.idle}
    return ", ".join(name for name, phase in parts.items() if phase.charged)


def _cheapest_with_room(
    rows: list[PriceRow], cores: float, memory_gib: float
) -> list[PriceRow]:
    """Return the cheapest row with at least that much, for each number of each GPU.

    One whose size nobody has found is taken to have it.
    """
    cheapest: dict[tuple[str, str, int], PriceRow] = {}
    for row in sorted(rows, key=_by_price):
        enough_cores = row.vcpu is None or row.vcpu >= cores * VCPU_PER_CORE
        if enough_cores and (row.memory_gib is None or row.memory_gib >= memory_gib):
            cheapest.setdefault((row.tier, row.gpu, row.gpu_count), row)
    return list(cheapest.values())


def _last_if_none(value: float | None) -> tuple[bool, float]:
    return value is None, value or 0.0


def _by_price(row: PriceRow) -> tuple[Any, ...]:
    return _last_if_none(row.usd_per_gpu_hour or row.usd_per_hour)


def _by_gpu(row: PriceRow) -> tuple[Any, ...]:
    each_gib = row.gpu_memory_gib_each or 0.0
    return (not row.gpu, each_gib, row.gpu.casefold(), *_by_price(row), row.gpu_count)


SORT_KEYS: dict[str, Callable[[PriceRow], tuple[Any, ...]]] = {
    "gpu": _by_gpu,
    "price": _by_price,
    "gib": lambda row: _last_if_none(row.usd_per_gib_hour),
    "tflop": lambda row: _last_if_none(row.usd_per_tflop_hour),
    "platform": lambda row: (row.platform, *_by_gpu(row)),
    "age": lambda row: _last_if_none(row.age_days),
}
"""Orders of the table: by GPU, price of a GPU, of a GiB of its memory, of its speed, by
platform, by age."""


def sort_rows(rows: list[PriceRow], by: str) -> list[PriceRow]:
    """Return the rows in one of the orders of ``SORT_KEYS``.

    Raises
    ------
    CatalogError
        If there is no such order.
    """
    if by not in SORT_KEYS:
        raise CatalogError(unknown("sort order", by, SORT_KEYS))
    return sorted(rows, key=SORT_KEYS[by])


def price_records(rows: Sequence[PriceRow]) -> Rows:
    """Return the rows for CSV, Markdown and JSON: numbers are numbers."""
    return [asdict(row) for row in rows]
