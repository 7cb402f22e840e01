"""Price tables side by side: per GPU-hour, per month, per GiB and TFLOPS, with their age."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from costsim.catalog.prices import VCPU_PER_CORE
from costsim.catalog.provenance import STALE_AFTER_DAYS
from costsim.catalog.quote import gpu_label
from costsim.report.columns import Column, fitting, render
from costsim.report.price_rows import PriceRow, sort_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    from costsim.report.price_history import PastRow

    RowT = TypeVar("RowT")

_NO_LIST = (
    "There is no price list of it in the catalog; a deployment gives its own, such as "
    "price: 2.49 USD/h."
)

DROP_FIRST = (
    *("VCPU", "RAM", "GPU $/H", "$/TFLOP-H", "BILLED", "VRAM", "$/GIB-H", "GPU"),
    *("BY", "$/MONTH", "AGE", "$/GPU-H"),
)
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
        return Text("Nothing has that shape." if shaped else _NO_LIST)
    columns, dropped = fitting(_columns(rows), DROP_FIRST, width)
    caption = [*_captions(rows, shaped), *_sources(rows)]
    if dropped:
        caption.append(f"Without {', '.join(dropped)}: --format csv has everything.")
    return Group(render(columns, width), Text("\n" + "\n".join(caption)))


def _column(
    rows: Sequence[RowT],
    title: str,
    cell: Callable[[RowT], str],
    *,
    number: bool = False,
) -> Column:
    cells = tuple(cell(row) for row in rows)
    return Column(title, cells, "right" if number else "left")


def _columns(rows: list[PriceRow]) -> list[Column]:
    def text(title: str, cell: Callable[[PriceRow], str]) -> Column:
        return _column(rows, title, cell)

    def number(title: str, cell: Callable[[PriceRow], str]) -> Column:
        return _column(rows, title, cell, number=True)

    return [
        text("PLATFORM", lambda row: row.platform),
        text("SKU", lambda row: row.sku),
        text("TIER", lambda row: row.tier),
        text("GPU", lambda row: gpu_label(row.gpu, row.gpu_count)),
        number("VRAM", lambda row: _number(row.gpu_memory_gib, "g")),
        number("VCPU", lambda row: _number(row.vcpu, "g")),
        number("RAM", lambda row: _number(row.memory_gib, "g")),
        number("GPU $/H", lambda row: _number(row.gpu_usd_per_hour)),
        number("$/H", lambda row: _money(row.usd_per_hour)),
        number("$/GPU-H", lambda row: _number(row.usd_per_gpu_hour)),
        number("$/MONTH", lambda row: _number(row.usd_per_month, ",.2f")),
        number("$/GIB-H", lambda row: _number(row.usd_per_gib_hour)),
        number("$/TFLOP-H", lambda row: _number(row.usd_per_tflop_hour, ".5f")),
        text("BY", lambda row: row.billing_increment),
        text("BILLED", lambda row: row.billed),
        number("AGE", _age),
    ]


def _number(value: float | None, spec: str = ",.4f") -> str:
    return "" if value is None else format(value, spec)


def _money(hourly: float | None) -> str:
    """Return a price; a dash if it is not published."""
    return "-" if hourly is None else _number(hourly)


def _stale(row: PriceRow) -> bool:
    return row.age_days is not None and row.age_days > STALE_AFTER_DAYS


def _age(row: PriceRow) -> str:
    """Return how old a price may be, marked if that is too old."""
    return "" if row.age_days is None else f"{row.age_days}d{'!' * _stale(row)}"


def _captions(rows: list[PriceRow], shaped: bool) -> list[str]:
    """Say what a price includes, what is missing, what is old."""
    captions = []
    shapes: dict[str, list[str]] = {}
    for row in rows:
        if row.gpu_usd_per_hour is not None:
            cores = (row.vcpu or 0.0) / VCPU_PER_CORE
            shape = f"{cores:g} cores and {row.memory_gib or 0.0:g} GiB"
            shapes.setdefault(shape, []).append(row.title)
    hint = "" if shaped else " --shape CPU,GIB compares one shape."
    for shape, titles in shapes.items():
        names = ", ".join(dict.fromkeys(titles))
        captions.append(
            f"GPU, CPU and memory are priced apart by {names}: here with {shape}.{hint}"
        )
    if any(row.usd_per_hour is None for row in rows):
        captions.append("-: no published price; give yours, with price: or --prices.")
    if any(_stale(row) for row in rows):
        captions.append(_STALE_MARK)
    return captions


def _sources(rows: list[PriceRow]) -> list[str]:
    origins = dict.fromkeys(
        (row.title, row.source, row.as_of, _age(row))
        for row in sorted(rows, key=lambda row: (row.title, row.as_of))
    )
    return [
        f"{title}: {source}, {as_of}" + (f" ({age})" if age else "")
        for title, source, as_of, age in origins
    ]


_STALE_MARK = f"!: older than {STALE_AFTER_DAYS} days; check it."

_OVERVIEW_HINT = (
    "\nOrdinary prices of one GPU, least CPU and memory included. "
    "costsim prices --gpu H100 or --platform modal lists every price with its "
    "source; --format csv lists all."
)


def overview(rows: list[PriceRow], width: int = 80) -> RenderableType:
    """Return one line for each GPU: where one of it costs least, and most."""
    one_gpu = [row for row in rows if row.gpu and not row.tier and row.usd_per_gpu_hour]
    ordered = groupby(
        sort_rows(one_gpu, "gpu"), lambda row: (row.gpu, row.gpu_memory_gib_each)
    )
    groups = [list(group) for _, group in ordered]
    cheapest = [group[0] for group in groups]
    dearest = [group[-1] for group in groups]
    columns = [
        _column(cheapest, "GPU", lambda row: row.gpu),
        _column(cheapest, "VRAM", _memory_of_one, number=True),
        _column(cheapest, "TFLOPS", _tflops, number=True),
        _column(cheapest, "FROM $/GPU-H", _each_gpu, number=True),
        _column(cheapest, "AT", lambda row: row.platform),
        _column(cheapest, "AGE", _age, number=True),
        _column(dearest, "TO $/GPU-H", _each_gpu, number=True),
        _column(dearest, "AT", lambda row: row.platform),
        _column(groups, "PLATFORMS", _n_platforms, number=True),
    ]
    kept, left_out = fitting(columns, ("TFLOPS", "AGE", "PLATFORMS", "VRAM"), width)
    marked = "AGE" not in left_out and any(_stale(row) for row in cheapest)
    meaning = [Text(f"\n{_STALE_MARK}")] if marked else []
    return Group(render(kept, width), *meaning, Text(_OVERVIEW_HINT))


def _each_gpu(row: PriceRow) -> str:
    return _number(row.usd_per_gpu_hour)


def _memory_of_one(row: PriceRow) -> str:
    return _number(row.gpu_memory_gib_each, "g")


def _tflops(row: PriceRow) -> str:
    return "" if row.bf16_tflops is None else f"{row.bf16_tflops / row.gpu_count:,.0f}"


def _n_platforms(group: list[PriceRow]) -> str:
    return str(len({row.platform for row in group}))


def history_table(rows: list[PastRow], width: int = 80) -> RenderableType:
    """Return what the price lists said at different dates, for a terminal."""
    if not rows:
        return Text("No price of it was read more than once.")
    columns = [
        _column(rows, "PLATFORM", lambda row: row.platform),
        _column(rows, "ITEM", lambda row: row.item),
        _column(rows, "TIER", lambda row: row.tier),
        _column(rows, "AS OF", lambda row: row.as_of),
        _column(rows, "$/H", lambda row: _number(row.usd_per_hour), number=True),
        _column(rows, "", lambda row: "used" if row.current else ""),
    ]
    sources = dict.fromkeys((row.as_of, row.source) for row in rows)
    lines = [f"{as_of}: {source}" for as_of, source in sorted(sources)]
    return Group(render(columns, width), Text("\n" + "\n".join(lines)))
