"""Price tables side by side: per hour, per month, per GiB of GPU memory, with their age."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from costsim.catalog.lookup import unknown
from costsim.catalog.provenance import age_days
from costsim.catalog.quote import (
    VCPU_PER_CORE,
    Quote,
    billed_cores,
    billed_memory_gib,
    gpu_label,
    quote_instance,
    quote_parts,
)
from costsim.errors import CatalogError
from costsim.report.columns import Column, fitting, render
from costsim.units import HOURS_PER_MONTH, format_duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from costsim.catalog.platform import Catalog, Platform
    from costsim.study.tabular import Rows

CPU_ONLY = "cpu"
"""SKU of a replica without GPU where the parts are priced apart."""


@dataclass(frozen=True)
class PriceRow:
    """The price of one kind of replica on one platform."""

    platform: str
    """Title of the platform."""
    sku: str
    """What to write in a scenario: the instance, or the GPU where it is priced apart."""
    gpu: str
    """GPU type; empty if none."""
    gpu_count: int
    """GPUs."""
    gpu_memory_gib: float | None
    """Memory of all GPUs together. [GiB]"""
    vcpu: float
    """Virtual CPUs."""
    memory_gib: float
    """Memory. [GiB]"""
    usd_per_hour: float
    """Price of an hour. [USD/h]"""
    usd_per_month: float
    """Price of 730 hours. [USD/month]"""
    usd_per_gib_hour: float | None
    """Price of an hour for each GiB of GPU memory. [USD/(GiB h)]"""
    gpu_usd_per_hour: float | None
    """Price of the GPUs alone, where they are priced apart. [USD/h]"""
    billing_increment: str
    """What is rounded up to: ``60s``, or ``unrounded``."""
    billed: str
    """Which parts of a replica's life are billed."""
    source: str
    """Where the price was read."""
    as_of: str
    """When it was read."""
    age_days: int | None
    """How long ago that is at most. [days]"""
    note: str
    """What else to know."""


def price_rows(
    catalog: Catalog,
    *,
    platform: str | None = None,
    gpu: str | None = None,
    cpu: float | None = None,
    memory_gib: float | None = None,
    today: date | None = None,
) -> list[PriceRow]:
    """Return what replicas cost, by GPU, number of GPUs and price.

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
    if gpu is not None and not any(_meant(one, gpu) for one in platforms):
        raise CatalogError(_no_gpu(gpu, platforms))
    rows = [_platform_rows(one, gpu, cpu, memory_gib, day) for one in platforms]
    return sort_rows(list(chain.from_iterable(rows)), "gpu")


def _platform_rows(
    platform: Platform,
    gpu: str | None,
    cpu: float | None,
    memory_gib: float | None,
    today: date,
) -> list[PriceRow]:
    names = None if gpu is None else _meant(platform, gpu)
    shaped = cpu is not None or memory_gib is not None
    if platform.prices.instances:
        rows = _instance_rows(platform, today)
        if shaped:
            rows = _cheapest_with_room(rows, cpu or 0.0, memory_gib or 0.0)
    else:
        rows = _part_rows(platform, cpu, memory_gib, today)
    return [row for row in rows if names is None or row.gpu in names]


def _meant(platform: Platform, word: str) -> set[str]:
    """Return the platform's GPUs that a word may mean: its own, and all sizes of it."""
    start = f"{word.strip().casefold()}-"
    sizes = {
        name for name in platform.prices.gpu_names if name.casefold().startswith(start)
    }
    own = platform.prices.gpu_name(word)
    return sizes | {own} if own else sizes


def _no_gpu(word: str, platforms: list[Platform]) -> str:
    names = [name for one in platforms for name in one.prices.gpu_names]
    return unknown("GPU", word, dict.fromkeys(names))


def _instance_rows(platform: Platform, today: date) -> list[PriceRow]:
    prices = platform.prices
    return [
        _row(
            platform,
            quote_instance(prices, name),
            today,
            sku=name,
            gpu=one.gpu,
            gpu_count=one.gpu_count,
            gpu_memory_gib=one.gpu_memory or None,
            vcpu=one.vcpu,
            memory_gib=one.memory,
            gpu_usd_per_hour=None,
            note=one.note,
        )
        for name, one in prices.instances.items()
    ]


def _part_rows(
    platform: Platform, cpu: float | None, memory_gib: float | None, today: date
) -> list[PriceRow]:
    prices = platform.prices
    cores, gib = billed_cores(prices, cpu), billed_memory_gib(prices, memory_gib)
    alone = _row(
        platform,
        quote_parts(prices, None, 0, cores, gib),
        today,
        sku=CPU_ONLY,
        gpu="",
        gpu_count=0,
        gpu_memory_gib=None,
        vcpu=cores * VCPU_PER_CORE,
        memory_gib=gib,
        gpu_usd_per_hour=None,
        note="No GPU.",
    )
    with_gpu = [
        _row(
            platform,
            quote_parts(prices, name, 1, cores, gib),
            today,
            sku=name,
            gpu=name,
            gpu_count=1,
            gpu_memory_gib=one.memory,
            vcpu=cores * VCPU_PER_CORE,
            memory_gib=gib,
            gpu_usd_per_hour=_money(one.price),
            note=one.note,
        )
        for name, one in prices.gpus.items()
    ]
    return [*with_gpu, alone]


def _row(platform: Platform, quote: Quote, today: date, **rest: Any) -> PriceRow:  # noqa: ANN401 - the other fields
    # The first part is the GPU or the instance; CPU and memory are read with it.
    first = quote.sources[0]
    hourly = quote.usd_per_hour
    gpu_memory_gib = rest["gpu_memory_gib"]
    return PriceRow(
        platform=platform.title,
        usd_per_hour=_money(hourly),
        usd_per_month=_money(hourly * HOURS_PER_MONTH),
        usd_per_gib_hour=_money(hourly / gpu_memory_gib) if gpu_memory_gib else None,
        billing_increment=increment_text(platform),
        billed=billed_text(platform),
        source=first.source,
        as_of=first.as_of,
        age_days=age_days(first.as_of, today),
        **rest,
    )


def _money(usd: float) -> float:
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
    """Return the cheapest row with at least that much, for each number of each GPU."""
    cheapest: dict[tuple[str, int], PriceRow] = {}
    for row in sorted(rows, key=lambda row: row.usd_per_hour):
        if row.vcpu >= cores * VCPU_PER_CORE and row.memory_gib >= memory_gib:
            cheapest.setdefault((row.gpu, row.gpu_count), row)
    return list(cheapest.values())


def _by_gpu(row: PriceRow) -> tuple[Any, ...]:
    each_gib = (row.gpu_memory_gib or 0.0) / row.gpu_count if row.gpu else float("inf")
    return (each_gib, row.gpu.casefold(), row.gpu_count, row.usd_per_hour)


SORT_KEYS: dict[str, Callable[[PriceRow], tuple[Any, ...]]] = {
    "gpu": _by_gpu,
    "price": lambda row: (row.usd_per_hour,),
    "gib": lambda row: (row.usd_per_gib_hour is None, row.usd_per_gib_hour),
    "platform": lambda row: (row.platform.casefold(), *_by_gpu(row)),
    "age": lambda row: (row.age_days is None, row.age_days),
}
"""Orders of the table: by GPU, price, price per GiB of GPU memory, platform, age."""


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


def price_records(rows: list[PriceRow]) -> Rows:
    """Return the rows for CSV, Markdown and JSON: numbers are numbers."""
    return [asdict(row) for row in rows]


DROP_FIRST = ("BILLED", "BY", "VCPU", "RAM", "VRAM", "GPU $/H", "GPU", "AGE", "$/GIB-H", "$/MONTH")  # fmt: skip
"""Columns that go if the terminal is too narrow, the first to go first."""


def prices_table(
    rows: list[PriceRow], width: int = 80, *, shaped: bool = False
) -> RenderableType:
    """Return the price table for a terminal of so many characters.

    Parameters
    ----------
    rows : list of PriceRow
        The rows, in their order on the screen.
    width : int
        Characters of the terminal; columns go in the order of ``DROP_FIRST``.
    shaped : bool
        Whether the rows are of one shape.
    """
    if not rows:
        return Text("Nothing has that shape.")
    columns, dropped = fitting(_columns(rows), DROP_FIRST, width)
    caption = [*_captions(rows, shaped), *_sources(rows)]
    if dropped:
        caption.append(f"Without {', '.join(dropped)}: --format csv has everything.")
    return Group(render(columns, width), Text("\n" + "\n".join(caption)))


def _columns(rows: list[PriceRow]) -> list[Column]:
    def column(
        title: str, cell: Callable[[PriceRow], str], *, number: bool = False
    ) -> Column:
        cells = tuple(cell(row) for row in rows)
        return Column(title, cells, "right" if number else "left")

    return [
        column("PLATFORM", lambda row: row.platform),
        column("SKU", lambda row: row.sku),
        column("GPU", lambda row: gpu_label(row.gpu, row.gpu_count)),
        column("VRAM", lambda row: _number(row.gpu_memory_gib, "g"), number=True),
        column("VCPU", lambda row: _number(row.vcpu, "g"), number=True),
        column("RAM", lambda row: _number(row.memory_gib, "g"), number=True),
        column("GPU $/H", lambda row: _number(row.gpu_usd_per_hour), number=True),
        column("$/H", lambda row: _number(row.usd_per_hour), number=True),
        column("$/MONTH", lambda row: _number(row.usd_per_month, ",.2f"), number=True),
        column("$/GIB-H", lambda row: _number(row.usd_per_gib_hour), number=True),
        column("BY", lambda row: row.billing_increment),
        column("BILLED", lambda row: row.billed),
        column("AGE", lambda row: _age(row.age_days), number=True),
    ]


def _number(value: float | None, spec: str = ",.4f") -> str:
    return "" if value is None else format(value, spec)


def _age(days: int | None) -> str:
    return "" if days is None else f"{days}d"


def _captions(rows: list[PriceRow], shaped: bool) -> list[str]:
    """Say what a price includes where the parts are priced apart."""
    shapes = {
        row.platform: f"{row.vcpu / VCPU_PER_CORE:g} cores and {row.memory_gib:g} GiB"
        for row in rows
        if row.gpu_usd_per_hour is not None
    }
    hint = "" if shaped else " --shape CPU,GIB compares one shape."
    return [
        f"{platform} prices GPU, CPU and memory apart: here with {shape}.{hint}"
        for platform, shape in shapes.items()
    ]


def _sources(rows: list[PriceRow]) -> list[str]:
    origins = dict.fromkeys(
        (row.platform, row.source, row.as_of, row.age_days)
        for row in sorted(rows, key=lambda row: (row.platform, row.as_of))
    )
    return [
        f"{platform}: {source}, {as_of}" + ("" if days is None else f" ({days}d)")
        for platform, source, as_of, days in origins
    ]
