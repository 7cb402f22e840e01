"""``costsim run``: simulate every deployment of a scenario on the same traffic."""

from __future__ import annotations

import json
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from costsim.cli import output
from costsim.cli.options import Form, Format, Overrides, Prices, ScenarioPath, rows_as
from costsim.errors import EXIT_SLO_MISSED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from costsim.scenario.deployment import Resolution
    from costsim.scenario.schema import Scenario
    from costsim.study.result import RunResult


_SHOW_AFTER_S = 0.5


def run(
    scenario: ScenarioPath,
    overrides: Overrides = None,
    seed: Annotated[int | None, typer.Option(help="Instead of the scenario's.")] = None,
    replications: Annotated[
        int | None, typer.Option(help="Instead of the scenario's.")
    ] = None,
    prices: Prices = None,
    form: Form = Format.table,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            help="Write summary, bill, timeline (CSV) and result.json here.",
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Exit with 1 if an SLO is missed.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No warnings, notes or progress.")
    ] = False,
) -> None:
    """Simulate every deployment on the same traffic: what each costs, and how slow."""
    changes = list(overrides or [])
    changes += [f"seed={seed}"] if seed is not None else []
    changes += [f"replications={replications}"] if replications is not None else []
    result = answer(scenario, changes, prices, quiet=quiet)
    if out is not None:
        from costsim.study.tabular import write_whole

        result.to_csv(out)
        write_whole(Path(out) / "result.json", result.to_json())
    _print(result, form)
    if not quiet:
        output.remark(result.notes, "note")
        output.remark(result.warnings)
    if check and not result.meets_slo:
        raise typer.Exit(EXIT_SLO_MISSED)


def answer(
    path: str, changes: list[str], prices: list[str] | None, *, quiet: bool
) -> RunResult:
    """Return the answer to a scenario file."""
    scenario, resolution = load_checked(path, changes, prices)
    from costsim.study.run import run_resolved

    with _progress(quiet) as on_progress:
        return run_resolved(scenario, resolution, on_progress=on_progress)


def load_checked(
    path: str, changes: list[str], prices: list[str] | None
) -> tuple[Scenario, Resolution]:
    """Return a scenario file and its deployments; every problem names its line."""
    from costsim.catalog.platform import load_catalog
    from costsim.errors import ScenarioError
    from costsim.scenario.deployment import resolve
    from costsim.scenario.load import load_document, locate_problems
    from costsim.scenario.template import shipped
    from costsim.study.pools import check_pools

    scenario, document = load_document(shipped(path), overrides=changes)
    try:
        resolution = resolve(scenario, load_catalog(prices))
        check_pools(scenario, resolution)
    except ScenarioError as error:
        located = locate_problems(error.problems, document)
        raise ScenarioError(located, path=path) from None
    return scenario, resolution


def _print(result: RunResult, form: Format) -> None:
    from costsim.report.terminal import run_report

    if form is Format.table:
        target = output.console()
        unicode = output.takes_unicode(sys.stdout)
        output.show(run_report(result, width=target.width, unicode=unicode))
    elif form is Format.json:
        output.write(json.dumps(result.to_dict(), indent=2, ensure_ascii=False) + "\n")
    else:
        output.write(rows_as(form, result.to_rows()))


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[int, int], None] | None]:
    """Show replications done and time left, if it takes long and somebody looks."""
    if quiet or not output.is_decorated(sys.stderr):
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    task = bar.add_task("replications (the first run compiles the engine)", total=None)

    def on_progress(done: int, total: int) -> None:
        bar.update(task, completed=done, total=total, description="replications")

    # Anything faster would only flicker.
    delayed = threading.Timer(_SHOW_AFTER_S, bar.start)
    delayed.start()
    try:
        yield on_progress
    finally:
        delayed.cancel()
        # If the timer has just gone off, the bar must not start after it was stopped.
        delayed.join()
        bar.stop()
