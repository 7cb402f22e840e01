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
Seed = Annotated[int | None, typer.Option(help="Instead of the scenario's.")]
Replications = Annotated[int | None, typer.Option(help="Instead of the scenario's.")]
OutDir = Annotated[
    str | None,
    typer.Option(
        metavar="DIR",
        help="Write summary, bill, timeline (CSV) and result.json here.",
    ),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="No warnings, notes or progress.")
]
Force = Annotated[bool, typer.Option("--force", help="Replace the file.")]
Form = Annotated[Format, typer.Option("--format", help="Form of the answer.")]


def changes_of(
    overrides: list[str] | None, seed: int | None, replications: int | None
) -> list[str]:
    """Return every change that options make to a scenario, as ``KEY=VALUE``."""
    changes = list(overrides or [])
    changes += [f"seed={seed}"] if seed is not None else []
    changes += [f"replications={replications}"] if replications is not None else []
    return changes


def rows_as(form: Format, rows: Rows) -> str:
    """Return rows as text in one of the forms for programs."""
    from costsim.study.tabular import export

    if form is Format.csv:
        return export(rows, "csv")
    return export(rows, "markdown" if form is Format.markdown else "json")
