"""``costsim prices`` and ``costsim platforms``: the catalog, side by side."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from costsim.cli import output
from costsim.cli.options import Force, Form, Format, Prices, rows_as

if TYPE_CHECKING:
    from costsim.catalog.platform import Catalog


def prices(
    context: typer.Context,
    platform: Annotated[str | None, typer.Option(help="One platform only.")] = None,
    gpu: Annotated[str | None, typer.Option(help="One GPU only.")] = None,
    shape: Annotated[
        str | None,
        typer.Option(
            metavar="CPU,GIB", help="Physical cores and memory, such as 2,16."
        ),
    ] = None,
    sort: Annotated[
        str, typer.Option(help="gpu, price, gib, tflop, platform or age.")
    ] = "gpu",
    history: Annotated[
        bool, typer.Option("--history", help="What was read at different dates.")
    ] = False,
    prices: Prices = None,
    form: Form = Format.table,
) -> None:
    """Show what a replica costs per GPU and hour, per month, per GiB of GPU memory."""
    if context.invoked_subcommand is not None:
        return
    from costsim.catalog.platform import load_catalog
    from costsim.report import price_rows as rows_of
    from costsim.report import prices as report

    cpu, memory_gib = _shape(shape)
    catalog = load_catalog(prices)
    width = output.console().width
    if history:
        _show_history(catalog, platform, gpu, form)
        return
    rows = rows_of.sort_rows(
        rows_of.price_rows(
            catalog, platform=platform, gpu=gpu, cpu=cpu, memory_gib=memory_gib
        ),
        sort,
    )
    if form is not Format.table:
        output.write(rows_as(form, rows_of.price_records(rows)))
    elif platform is None and gpu is None:
        output.show(report.overview(rows, width))
    else:
        output.show(report.prices_table(rows, width, shaped=shape is not None))


def _show_history(
    catalog: Catalog, platform: str | None, gpu: str | None, form: Format
) -> None:
    from costsim.report.price_history import history_records, history_rows
    from costsim.report.prices import history_table

    rows = history_rows(catalog, platform=platform, gpu=gpu)
    if form is Format.table:
        output.show(history_table(rows, output.console().width))
    else:
        output.write(rows_as(form, history_records(rows)))


def import_prices(
    file: Annotated[
        str,
        typer.Argument(metavar="FILE", help="A list of SkyPilot, gpuhunt, cloudprice."),
    ],
    provider: Annotated[
        str | None,
        typer.Option(help="Whose list it is, such as aws; else by the file's name."),
    ] = None,
    region: Annotated[
        str | None, typer.Option(help="One region; else the cheapest of each.")
    ] = None,
    spot: Annotated[bool, typer.Option("--spot", help="Spot prices.")] = False,
    cpu: Annotated[
        bool, typer.Option("--cpu", help="Instances without a GPU too.")
    ] = False,
    out: Annotated[
        str | None,
        typer.Option("--out", "-o", metavar="FILE", help="Write here, not to stdout."),
    ] = None,
    force: Force = False,
) -> None:
    """Turn somebody's price list into a file for --prices."""
    from costsim.catalog.imports import (
        PROVIDER_PLATFORMS,
        as_price_file,
        read_price_list,
    )
    from costsim.catalog.platform import load_catalog

    platforms = load_catalog().platforms
    price_list = read_price_list(file, provider=provider, keep_cpu=cpu)
    price_file = as_price_file(
        price_list,
        {who: name for who, name in PROVIDER_PLATFORMS.items() if name in platforms},
        region=region,
        spot=spot,
        priced_by_gpu={
            name for name, one in platforms.items() if not one.prices.by_instance
        },
    )
    if out is None:
        output.write(price_file.text)
    else:
        from costsim.study.tabular import write_whole

        write_whole(output.new_file(out, force=force), price_file.text)
        output.write(f"wrote {out}; next: costsim prices --prices {out}\n")
    output.remark(price_file.warnings)


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
