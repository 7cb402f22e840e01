"""``costsim run``: simulate every deployment of a scenario on the same traffic."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from costsim.cli import output
from costsim.cli.options import (
    AnswerForm,
    AnswerFormat,
    Force,
    OutDir,
    Overrides,
    Page,
    Precision,
    Prices,
    Quiet,
    Replications,
    ScenarioPath,
    Seed,
    changes_of,
    read_precision,
    read_width,
)
from costsim.cli.progress import progress
from costsim.errors import EXIT_SLO_MISSED, InputError

if TYPE_CHECKING:
    from costsim.report.terminal import Answer
    from costsim.scenario.deployment import Resolution
    from costsim.scenario.schema import Scenario
    from costsim.study.result import RunResult


def run(
    scenario: ScenarioPath,
    overrides: Overrides = None,
    seed: Seed = None,
    replications: Replications = None,
    precision: Precision = None,
    prices: Prices = None,
    form: AnswerForm = AnswerFormat.table,
    out: OutDir = None,
    requests: Annotated[
        bool,
        typer.Option(
            "--requests",
            help="With --out: every request of the first replication (Parquet) too.",
        ),
    ] = False,
    html: Page = None,
    timeline: Annotated[
        str | None,
        typer.Option(
            metavar="WIDTH",
            help="Bins of the timeline, such as 1m; a 240th of the horizon if left out.",
        ),
    ] = None,
    force: Force = False,
    check: Annotated[
        bool, typer.Option("--check", help="Exit with 1 if an SLO is missed.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Simulate every deployment on the same traffic: what each costs, and how slow."""
    changes = changes_of(overrides, seed, replications)
    page_file = None if html is None else output.new_file(html, force=force)
    files = (*_FILES, *([_REQUESTS] if requests else []))
    folder = None if out is None else output.new_folder(out, files, force=force)
    if requests and folder is None:
        message = "--requests needs --out DIR, the folder they go to"
        raise InputError(message)
    result = answer(
        scenario,
        changes,
        prices,
        precision=read_precision(precision),
        timeline_bin_s=read_width(timeline),
        quiet=quiet,
    )
    if folder is not None:
        _write(result, folder, prices, requests=requests)
    if page_file is not None:
        write_page(json.loads(result.to_json()), page_file)
    _print(result, form, check=check)
    if not quiet:
        output.remark(result.notes, "note")
        output.remark(result.warnings)
    if check and not result.meets_slo:
        raise typer.Exit(EXIT_SLO_MISSED)


def answer(
    path: str,
    changes: list[str],
    prices: list[str] | None,
    *,
    precision: float | None = None,
    timeline_bin_s: float | None = None,
    quiet: bool,
) -> RunResult:
    """Return the answer to a scenario file."""
    scenario, resolution = load_checked(path, changes, prices)
    from costsim.study.run import run_resolved

    with progress("replications", quiet=quiet) as on_progress:
        return run_resolved(
            scenario,
            resolution,
            precision=precision,
            timeline_bin_s=timeline_bin_s,
            on_progress=on_progress,
        )


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


_FILES = ("summary.csv", "bill.csv", "timeline.csv", "result.json")
_REQUESTS = "requests.parquet"


def _write(
    result: RunResult, folder: Path, prices: list[str] | None, *, requests: bool
) -> None:
    from costsim.study.tabular import write_whole

    result.to_csv(folder)
    if requests:
        from costsim.catalog.platform import load_catalog
        from costsim.scenario.deployment import resolve
        from costsim.study.requests import write_requests

        resolution = resolve(result.scenario, load_catalog(prices))
        write_requests(result.scenario, resolution.deployments, folder / _REQUESTS)
    write_whole(folder / "result.json", result.to_json())


def write_page(content: dict[str, Any], file: Path) -> None:
    """Write the page of a result."""
    from costsim.report.page.page import page
    from costsim.study.tabular import write_whole

    write_whole(file, page(content))


def show(result: Answer, form: AnswerFormat, *, check: bool = False) -> None:
    """Print an answer, or a saved one, for people or as Markdown or annotations."""
    from costsim.report.markdown import run_annotations, run_markdown
    from costsim.report.terminal import run_report

    if form is AnswerFormat.markdown:
        output.write(run_markdown(result))
    elif form is AnswerFormat.github:
        output.write(run_annotations(result))
    else:
        width, unicode = output.console().width, output.takes_unicode(sys.stdout)
        output.show(run_report(result, width=width, unicode=unicode, check=check))


def _print(result: RunResult, form: AnswerFormat, *, check: bool) -> None:
    from costsim.study.tabular import export

    if form is AnswerFormat.json:
        output.write(json.dumps(result.to_dict(), indent=2, ensure_ascii=False) + "\n")
    elif form is AnswerFormat.csv:
        output.write(export(result.to_rows(), "csv"))
    else:
        show(result, form, check=check)
