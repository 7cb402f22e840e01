"""``costsim prices`` and ``costsim platforms``: the catalog, side by side."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from costsim.cli import output
from costsim.cli.options import Form, Format, Prices, rows_as


def prices(
    platform: Annotated[str | None, typer.Option(help="One platform only.")] = None,
    gpu: Annotated[str | None, typer.Option(help="One GPU only.")] = None,
    shape: Annotated[
        str | None,
        typer.Option(
            metavar="CPU,GIB", help="Physical cores and memory, such as 2,16."
        ),
    ] = None,
    sort: Annotated[
        str, typer.Option(help="gpu, price, gib, platform or age.")
    ] = "gpu",
    prices: Prices = None,
    form: Form = Format.table,
) -> None:
    """Show what a replica costs per hour, per month and per GiB of GPU memory."""
    from costsim.catalog.platform import load_catalog
    from costsim.report.prices import (
        price_records,
        price_rows,
        prices_table,
        sort_rows,
    )

    cpu, memory_gib = _shape(shape)
    rows = sort_rows(
        price_rows(
            load_catalog(prices),
            platform=platform,
            gpu=gpu,
            cpu=cpu,
            memory_gib=memory_gib,
        ),
        sort,
    )
    if form is not Format.table:
        output.write(rows_as(form, price_records(rows)))
        return
    width = output.console().width
    output.show(prices_table(rows, width, shaped=shape is not None))


def platforms(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Platforms.")
    ] = None,
    prices: Prices = None,
    form: Form = Format.table,
) -> None:
    """Show billing rules, autoscaler, cold starts and features; several side by side."""
    from costsim.catalog.platform import load_catalog
    from costsim.report import platforms as report

    catalog = load_catalog(prices)
    chosen = [catalog.platform(name) for name in names or []]
    if form is not Format.table:
        if not chosen:
            output.write(rows_as(form, report.platform_records(catalog)))
        elif len(chosen) == 1:
            output.write(rows_as(form, report.fact_records(chosen[0])))
        else:
            output.write(rows_as(form, report.comparison_records(chosen)))
        return
    width = output.console().width
    if not chosen:
        output.show(report.platform_list(catalog, width))
    elif len(chosen) == 1:
        output.show(report.platform_page(chosen[0], width))
    else:
        output.show(report.comparison(chosen, width))


def _shape(shape: str | None) -> tuple[float | None, float | None]:
    """Return the cores and GiB of an option such as ``2,16``."""
    from costsim.errors import InputError

    if shape is None:
        return None, None
    number = r"[0-9]+(?:\.[0-9]+)?"
    match = re.fullmatch(rf"\s*({number})\s*,\s*({number})\s*(?:GiB)?\s*", shape)
    if match is None:
        message = f"--shape '{shape}' must be physical cores and GiB, such as 2,16"
        raise InputError(message)
    return float(match.group(1)), float(match.group(2))
