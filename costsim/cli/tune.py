"""``costsim tune``: the cheapest settings that meet the SLO."""

from __future__ import annotations

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
    ScenarioPath,
    Seed,
    changes_of,
)
from costsim.cli.progress import progress
from costsim.errors import EXIT_SLO_MISSED, InputError

if TYPE_CHECKING:
    from pathlib import Path

    from costsim.study.tune.result import TuneResult

_FASTEST = 1e6
_FILES = ("tune.csv", "pareto.csv", "configuration.txt", "tune.json")


def tune(
    scenario: ScenarioPath,
    deployment: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Tune only this deployment; repeatable; all if not said.",
        ),
    ] = None,
    gpu: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[:SPEED]",
            help="Try this hardware too; service times are divided by SPEED; repeatable.",
        ),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WORD",
            help="Leave idle_timeout, retention, min_replicas, buffer_replicas, "
            "concurrency_target or schedule as it is; repeatable.",
        ),
    ] = None,
    minimize: Annotated[
        str, typer.Option(metavar="WHAT", help="cost, p95, p99 or mean.")
    ] = "cost",
    confidence: Annotated[
        str,
        typer.Option(
            metavar="SHARE", help="Share of fresh replications that must meet the SLO."
        ),
    ] = "95%",
    overrides: Overrides = None,
    seed: Seed = None,
    replications: Annotated[
        int, typer.Option(help="Of the settings that are left in the end.")
    ] = 32,
    prices: Prices = None,
    form: Form = Format.table,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            help="Write tune.csv, pareto.csv, configuration.txt and tune.json here.",
        ),
    ] = None,
    html: Page = None,
    plot: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Draw the heat map as a .png, .svg or .html file."
        ),
    ] = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Find the cheapest settings that meet the SLO; exit with 1 if nothing does."""
    page = None if html is None else output.new_file(html, force=force)
    target = output.new_picture(plot, force=force)
    folder = None if out is None else output.new_folder(out, _FILES, force=force)
    result = _answer(
        scenario,
        changes_of(overrides, seed, None),
        prices,
        deployments=deployment or [],
        gpus=dict(_gpu(text) for text in gpu or []),
        keep=keep or [],
        aim=(minimize, _share(confidence), replications),
        quiet=quiet,
    )
    answers.deliver(result, form, out=folder, html=page)
    if target is not None:
        _draw(result, target)
    if not quiet:
        output.remark([f"wrote {target}"] if target is not None else [], "note")
        output.remark(result.notes, "note")
        output.remark(result.warnings)
    if result.best is None:
        raise typer.Exit(EXIT_SLO_MISSED)


def _answer(
    path: str,
    changes: list[str],
    prices: list[str] | None,
    *,
    deployments: list[str],
    gpus: dict[str, float],
    keep: list[str],
    aim: tuple[str, float, int],
    quiet: bool,
) -> TuneResult:
    from costsim.catalog.platform import load_catalog
    from costsim.cli.run import load_checked
    from costsim.study.tune.tuning import goal_of, tune_resolved

    checked, resolution = load_checked(path, changes, prices)
    goal = goal_of(checked, *aim)
    with progress("simulations", quiet=quiet) as on_progress:
        return tune_resolved(
            checked,
            resolution,
            load_catalog(prices),
            goal=goal,
            deployments=deployments,
            gpus=gpus,
            keep=keep,
            on_progress=on_progress,
        )


def _gpu(text: str) -> tuple[str, float]:
    """Return hardware and its speed; an instance's name may have a colon of its own."""
    name, colon, tail = text.rpartition(":")
    try:
        speed = float(tail) if colon else 1.0
    except ValueError:
        return text, 1.0
    if not 0 < speed < _FASTEST:
        message = f"--gpu {text[:40]}: the speed is a number above 0, such as L4:0.5"
        raise InputError(message)
    return (name if colon else text), speed


def _share(text: str) -> float:
    number = text.strip().removesuffix("%")
    try:
        value = float(number)
    except ValueError:
        message = f"--confidence {text[:20]!r}: write a share such as 95%"
        raise InputError(message) from None
    return value / 100 if text.strip().endswith("%") or value >= 1 else value


def _draw(result: TuneResult, target: Path) -> None:
    from costsim.report.pictures import picture
    from costsim.report.tune_charts import tune_chart
    from costsim.study.tabular import write_whole

    write_whole(target, picture(tune_chart(result), target.suffix))
