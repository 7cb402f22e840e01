"""``costsim explain``: what a word means, in sentences, with a worked bill."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from costsim.cli import output
from costsim.cli.options import Form, Format, Prices, rows_as


def explain(
    word: Annotated[
        str | None, typer.Argument(metavar="[WORD]", help="A platform, such as modal.")
    ] = None,
    topic: Annotated[
        str | None,
        typer.Argument(
            metavar="[TOPIC]",
            help="billing (the default), prices, autoscaler, configuration, limits, features or conflicts.",
        ),
    ] = None,
    gpu: Annotated[
        str | None, typer.Option(help="GPU of the worked bill; else the cheapest.")
    ] = None,
    instance: Annotated[
        str | None, typer.Option(help="Instance of the worked bill.")
    ] = None,
    price: Annotated[
        str | None,
        typer.Option(metavar="PRICE", help="Your own price of it, such as '2 USD/h'."),
    ] = None,
    prices: Prices = None,
    form: Form = Format.table,
) -> None:
    """Explain a platform's rules, and work out the bill of one replica's life."""
    from costsim.catalog.platform import load_catalog
    from costsim.report import explain as report

    catalog = load_catalog(prices)
    width = output.console().width
    if word is None:
        if form is Format.table:
            output.show(report.word_list(catalog, width))
        else:
            output.write(rows_as(form, report.word_rows(catalog)))
        return
    hardware = report.Hardware(gpu, instance, _hourly(price))
    answer = report.explain(catalog, word, topic, hardware)
    if form is Format.table:
        output.show(report.explanation_page(answer, width))
    elif form is Format.json:
        record = report.explanation_record(answer)
        output.write(json.dumps(record, indent=2, ensure_ascii=False) + "\n")
    else:
        output.write(rows_as(form, report.explanation_rows(answer)))


def _hourly(price: str | None) -> float | None:
    """Return the price of an option such as ``2 USD/h``. [USD/h]"""
    from costsim.errors import InputError
    from costsim.units import parse_price

    if price is None:
        return None
    try:
        return parse_price(price)
    except ValueError as error:
        message = f"--price {error}"
        raise InputError(message) from None
