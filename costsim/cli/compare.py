"""``costsim compare``: scenarios or saved results side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from costsim.cli import answers, output
from costsim.cli.options import (
    AnswerForm,
    AnswerFormat,
    Force,
    Overrides,
    Page,
    Precision,
    Prices,
    Quiet,
    Replications,
    Seed,
    changes_of,
    read_precision,
)
from costsim.errors import EXIT_SLO_MISSED, InputError

if TYPE_CHECKING:
    from costsim.study.compare import Side

_FILES = ("changes.csv", "compare.json")


def compare(
    first: Annotated[
        str, typer.Argument(metavar="A", help="A scenario, or a saved result.json.")
    ],
    others: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[B...]",
            help="What to compare with it; if left out, A as --set changes it.",
        ),
    ] = None,
    overrides: Overrides = None,
    seed: Seed = None,
    replications: Replications = None,
    precision: Precision = None,
    prices: Prices = None,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RISE",
            help="Exit with 1 if a measure rises by more, such as 'cost +10%', "
            "'p95 +200ms', 'cold +1pp'; repeatable.",
        ),
    ] = None,
    form: AnswerForm = AnswerFormat.table,
    out: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Write changes.csv and compare.json here."),
    ] = None,
    html: Page = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Compare scenarios or saved results: differences with 95 % intervals."""
    from costsim.study.compare import Comparisons
    from costsim.study.compare import compare as compare_sides
    from costsim.study.gates import judged as judged_by
    from costsim.study.gates import read_gate

    page = None if html is None else output.new_file(html, force=force)
    folder = None if out is None else output.new_folder(out, _FILES, force=force)
    gates = [read_gate(text) for text in fail_on or []]
    share = read_precision(precision)
    common = changes_of(None, seed, replications)
    changes = changes_of(overrides, seed, replications)
    if others:
        asked = [(one, one, changes) for one in (first, *others)]
    elif overrides and not _is_saved(first):
        changed = " ".join([first, *(f"--set {one}" for one in overrides)])
        asked = [(first, first, common), (changed, first, changes)]
    else:
        message = "name a second scenario or result, or change the first by --set"
        raise InputError(message)
    sides = [
        _read(label, path, changed_by, prices, precision=share, quiet=quiet)
        for label, path, changed_by in asked
    ]
    comparisons = tuple(compare_sides(sides[0], other) for other in sides[1:])
    judged = tuple(tuple(judged_by(gates, one)) for one in comparisons)
    answers.deliver(Comparisons(comparisons, judged), form, out=folder, html=page)
    if not all(one.ok for some in judged for one in some):
        raise typer.Exit(EXIT_SLO_MISSED)


def _is_saved(path: str) -> bool:
    return path.endswith((".json", ".html")) or Path(path).is_dir()


def _read(
    label: str,
    path: str,
    changes: list[str],
    prices: list[str] | None,
    *,
    precision: float | None,
    quiet: bool,
) -> Side:
    """Return a saved result, or what a scenario answers now."""
    from costsim.study.compare import saved_side, side_of

    if _is_saved(path):
        return saved_side(path)
    from costsim.cli.run import answer

    result = answer(path, changes, prices, precision=precision, quiet=quiet)
    if not quiet:
        output.remark(f"{label}: {text}" for text in result.warnings)
    return side_of(result, label)
