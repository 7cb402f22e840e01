"""``costsim report``: a saved answer shown again, without simulating."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from costsim.cli import answers, output
from costsim.cli.options import AnswerForm, AnswerFormat, Force, Page

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from costsim.report.charts import Chart


def report(
    saved: Annotated[
        str,
        typer.Argument(
            metavar="RESULT",
            help="A saved result.json or a study's JSON, its folder, or a page that "
            "--html wrote.",
        ),
    ],
    form: AnswerForm = AnswerFormat.table,
    html: Page = None,
    studies: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            metavar="STUDY",
            help="With --html: a study to show on the page of a run too, as its JSON, "
            "folder or page; repeatable.",
        ),
    ] = None,
    chart: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Which chart --plot draws: of a run cost-split, cost-latency (if left "
            "out), latency, timeline or cold-starts.",
        ),
    ] = None,
    plot: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Draw a chart, as .png, .svg or .html."),
    ] = None,
    force: Force = False,
) -> None:
    """Show a saved answer again: as a page, or its verdict and tables."""
    from costsim.study.saved import is_study, read_any

    content = read_any(saved)
    page = None if html is None else output.new_file(html, force=force)
    target = output.new_picture(plot, force=force)
    _add_studies(content, studies or [])
    if page is not None:
        _write_page(content, page)
    if target is not None:
        _draw(content, chart, target)
    written = [one for one in (html, plot) if one is not None]
    output.remark([f"wrote {one}" for one in written], "note")
    if not written:
        (_print_study if is_study(content) else _print_run)(content, form)


def _add_studies(content: dict[str, Any], paths: list[str]) -> None:
    """Add the charts of studies to a run, each under what it found.

    Raises
    ------
    InputError
        If what they are added to is a study itself.
    """
    from costsim.errors import InputError
    from costsim.study.saved import is_study, read_study

    if paths and is_study(content):
        message = "--with adds studies to the page of a run, and this is a study"
        raise InputError(message)
    if paths:
        content["studies"] = [
            *content.get("studies", []),
            *(
                {
                    "title": drawing["title"],
                    "sentence": f"{document['verdict']} {drawing['caption']}",
                    "chart": drawing["chart"],
                }
                for path in paths
                for document in read_study(path)["documents"]
                for drawing in document["drawings"]
            ),
        ]


def _write_page(content: dict[str, Any], target: Path) -> None:
    from costsim.report.answers import saved_documents
    from costsim.report.page.page import page
    from costsim.report.page.study import study_page
    from costsim.study.saved import is_study
    from costsim.study.tabular import write_whole

    if is_study(content):
        write_whole(target, study_page(saved_documents(content), content))
    else:
        write_whole(target, page(content))


def _draw(content: dict[str, Any], name: str | None, target: Path) -> None:
    from costsim.catalog.lookup import unknown
    from costsim.errors import InputError
    from costsim.report.chart_parts import standalone
    from costsim.report.pictures import picture
    from costsim.study.tabular import write_whole

    charts = _charts(content)
    wanted = name or (
        "cost-latency" if "cost-latency" in charts else next(iter(charts))
    )
    if wanted not in charts:
        message = f"--chart: {unknown('chart', wanted, charts)}"
        raise InputError(message)
    specification = charts[wanted]()
    if specification is None:
        message = f"the result has nothing for the chart {wanted}"
        raise InputError(message)
    write_whole(target, picture(standalone(specification), target.suffix))


def _charts(content: dict[str, Any]) -> Mapping[str, Callable[[], Chart | None]]:
    """Return what makes each chart of an answer, by name."""
    from functools import partial

    from costsim.report.answers import saved_documents
    from costsim.report.run_charts import CHARTS
    from costsim.study.saved import is_study

    if not is_study(content):
        return {name: partial(chart, content) for name, chart in CHARTS.items()}
    return {
        one.name: partial(dict, one.chart)
        for document in saved_documents(content)
        for one in document.drawings
    }


def _print_study(content: dict[str, Any], form: AnswerFormat) -> None:
    from costsim.report.answers import saved_documents
    from costsim.study.saved import study_rows
    from costsim.study.tabular import export

    documents = saved_documents(content)
    if form is AnswerFormat.json:
        answers.print_json(content)
    elif form is AnswerFormat.csv:
        output.write(export(study_rows(content), "csv"))
    else:
        answers.show(documents, form)


def _print_run(content: dict[str, Any], form: AnswerFormat) -> None:
    from costsim.cli.run import show
    from costsim.study.saved import restored
    from costsim.study.tabular import export

    if form is AnswerFormat.json:
        answers.print_json(content)
    elif form is AnswerFormat.csv:
        output.write(export(content["deployments"], "csv"))
    else:
        show(restored(content), form)
