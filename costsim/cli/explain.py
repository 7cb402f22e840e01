"""``costsim explain``: what a word or an error means, in sentences."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from costsim.cli import output
from costsim.cli.options import Form, Format, Prices, rows_as


def explain(
    word: Annotated[
        str | None,
        typer.Argument(
            metavar="[WORD]",
            help="A platform, a term, a column or heading, an error or its message: modal, "
            "'idle timeout', p95_s, '$/MONTH', unknown-key, 'exit codes'.",
        ),
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
    """Explain a platform's rules with a worked bill, a term, a column, a heading or an error."""
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
    known = catalog.find(word) is not None
    words = " ".join(filter(None, (word, topic)))
    if not known and (_print_term(words, form) or _print_error(words, form)):
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


def _print_term(word: str, form: Format) -> bool:
    """Print what a term, a column or a heading means; return whether the word is one."""
    from costsim.report.terms import find_terms, term_page, term_rows

    found = find_terms(word)
    if found and form is Format.table:
        output.show(term_page(found, output.console().width))
    elif found:
        output.write(rows_as(form, term_rows(found)))
    return bool(found)


def _print_error(words: str, form: Format) -> bool:
    """Print the help to an error; return whether the words are about one."""
    from costsim.report.error_pages import error_page, error_rows, find_errors

    found = find_errors(words)
    if found is not None and form is Format.table:
        output.show(error_page(found, output.console().width))
    elif found is not None:
        output.write(rows_as(form, error_rows(found)))
    return found is not None


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
