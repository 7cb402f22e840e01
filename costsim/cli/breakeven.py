"""``costsim breakeven``: who is the cheapest at which traffic volume."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from costsim.cli import answers, output
from costsim.cli.options import (
    Force,
    Form,
    Format,
    Overrides,
    Page,
    Prices,
    Quiet,
    Replications,
    ScenarioPath,
    Seed,
    changes_of,
    read_precision,
)
from costsim.cli.progress import progress

if TYPE_CHECKING:
    from costsim.study.breakeven.result import BreakEven


_FILES = ("curve.csv", "crossings.csv", "regimes.csv", "breakeven.json")


def breakeven(
    scenario: ScenarioPath,
    over: Annotated[
        str,
        typer.Option(
            metavar="WHAT",
            help="What is varied: requests, service_time, idle_timeout, each alone or "
            "with a range (requests=100..1e6), or KEY=LOW..HIGH.",
        ),
    ] = "requests",
    overrides: Overrides = None,
    seed: Seed = None,
    replications: Replications = None,
    precision: Annotated[
        str | None,
        typer.Option(
            metavar="SHARE",
            help="More replications, until crossings are known to +- this, such as 2%.",
        ),
    ] = None,
    prices: Prices = None,
    form: Form = Format.table,
    html: Page = None,
    plot: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Draw it, as .png, .svg or .html."),
    ] = None,
    force: Force = False,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            help="Write curve, crossings, regimes (CSV) and breakeven.json here.",
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Find where each deployment is the cheapest: every crossing, with 95 % intervals."""
    page = None if html is None else output.new_file(html, force=force)
    target = output.new_picture(plot, force=force)
    folder = None if out is None else output.new_folder(out, _FILES, force=force)
    share = read_precision(precision)
    changes = changes_of(overrides, seed, replications)
    from costsim.catalog.platform import load_catalog
    from costsim.study.breakeven.study import breakeven as find

    with progress("points", quiet=quiet) as on_progress:
        found = find(
            scenario,
            over=over,
            overrides=changes,
            catalog=load_catalog(prices),
            precision=share,
            on_progress=on_progress,
        )
    if target is not None:
        _draw(found, target)
    answers.deliver(found, form, out=folder, html=page)
    if not quiet:
        output.remark([f"wrote {target}"] if target is not None else [], "note")
        output.remark(found.notes, "note")
        output.remark(found.warnings)


def _draw(found: BreakEven, target: Path) -> None:
    from costsim.report.breakeven_chart import breakeven_chart
    from costsim.report.pictures import picture
    from costsim.study.tabular import write_whole

    write_whole(target, picture(breakeven_chart(found), target.suffix))
