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


class AnswerFormat(StrEnum):
    """Forms of an answer that a pull request may want."""

    table = "table"
    json = "json"
    csv = "csv"
    markdown = "markdown"
    github = "github"


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
Precision = Annotated[
    str | None,
    typer.Option(
        metavar="SHARE",
        help="More replications, until cost and p95 are known to +- this, such as 2%.",
    ),
]
OutDir = Annotated[
    str | None,
    typer.Option(
        metavar="DIR",
        help="Write summary, bill, timeline (CSV) and result.json here.",
    ),
]
Page = Annotated[
    str | None,
    typer.Option("--html", metavar="FILE", help="Write a page that needs no network."),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="No warnings, notes or progress.")
]
Force = Annotated[bool, typer.Option("--force", help="Replace files.")]
Form = Annotated[Format, typer.Option("--format", help="Form of the answer.")]
AnswerForm = Annotated[
    AnswerFormat,
    typer.Option(
        "--format",
        help="Form of the answer: markdown for a comment, github for annotations of a "
        "workflow.",
    ),
]


def changes_of(
    overrides: list[str] | None, seed: int | None, replications: int | None
) -> list[str]:
    """Return every change that options make to a scenario, as ``KEY=VALUE``."""
    changes = list(overrides or [])
    changes += [f"seed={seed}"] if seed is not None else []
    changes += [f"replications={replications}"] if replications is not None else []
    return changes


def read_precision(text: str | None) -> float | None:
    """Return the share that ``--precision`` says.

    Raises
    ------
    InputError
        If it is no share between 0 and 100 %.
    """
    if text is None:
        return None
    from costsim.errors import InputError

    number = text.strip().removesuffix("%")
    try:
        share = float(number) / (100 if text.strip().endswith("%") else 1)
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        message = f"--precision {text[:20]!r}: write a share such as 2%"
        raise InputError(message)
    return share


def read_width(text: str | None) -> float | None:
    """Return the width of bins that ``--timeline`` says. [s]

    Raises
    ------
    InputError
        If it is no duration above zero.
    """
    if text is None:
        return None
    from costsim.errors import InputError
    from costsim.units import parse_duration

    try:
        width_s = parse_duration(text)
    except ValueError as error:
        message = f"--timeline: {error}"
        raise InputError(message) from None
    if not 0 < width_s < float("inf"):
        message = f"--timeline {text[:20]}: write a width such as 1m"
        raise InputError(message)
    return width_s


def rows_as(form: Format, rows: Rows) -> str:
    """Return rows as text in one of the forms for programs."""
    from costsim.study.tabular import export

    if form is Format.csv:
        return export(rows, "csv")
    return export(rows, "markdown" if form is Format.markdown else "json")
