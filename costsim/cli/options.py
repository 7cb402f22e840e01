"""Options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from costsim.study.tabular import Rows


class Format(StrEnum):
    """Forms of an answer."""

    table = "table"
    json = "json"
    csv = "csv"
    markdown = "markdown"


ScenarioPath = Annotated[
    str, typer.Argument(metavar="SCENARIO", help="A scenario file.")
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Change a value of the scenario; repeatable."
    ),
]
Prices = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FILE",
        help="Your own prices over the shipped ones, or a platform file; repeatable.",
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace the file.")]
Form = Annotated[Format, typer.Option("--format", help="Form of the answer.")]


def rows_as(form: Format, rows: Rows) -> str:
    """Return rows as text in one of the forms for programs."""
    from costsim.study.tabular import export

    if form is Format.csv:
        return export(rows, "csv")
    return export(rows, "markdown" if form is Format.markdown else "json")
