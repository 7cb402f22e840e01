"""``costsim report``: a saved result shown again, without simulating."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from costsim.cli import output
from costsim.cli.options import AnswerForm, AnswerFormat, Force, Page


class Chart(StrEnum):
    """Charts of a run."""

    cost_split = "cost-split"
    cost_latency = "cost-latency"
    latency = "latency"
    timeline = "timeline"
    cold_starts = "cold-starts"


def report(
    saved: Annotated[
        str,
        typer.Argument(
            metavar="RESULT",
            help="A saved result.json, its folder, or a page that --html wrote.",
        ),
    ],
    form: AnswerForm = AnswerFormat.table,
    html: Page = None,
    studies: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            metavar="STUDY",
            help="With --html: a breakeven.json or tune.json, or its folder, to show "
            "on the page too; repeatable.",
        ),
    ] = None,
    chart: Annotated[
        Chart, typer.Option(help="Which chart --plot draws.")
    ] = Chart.cost_latency,
    plot: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Draw a chart, as .png, .svg or .html."),
    ] = None,
    force: Force = False,
) -> None:
    """Show a saved result again: as a page, or its verdict and table."""
    from costsim.study.saved import read_saved, read_study

    content = read_saved(saved)
    if studies:
        earlier = content.get("studies", [])
        content["studies"] = [*earlier, *map(read_study, studies)]
    if html is not None:
        from costsim.cli.run import write_page

        write_page(content, output.new_file(html, force=force))
    if plot is not None:
        _draw(content, chart, output.new_file(plot, force=force))
    written = [one for one in (html, plot) if one is not None]
    output.remark([f"wrote {one}" for one in written], "note")
    if not written:
        _print(content, form)


def _draw(content: dict[str, Any], chart: Chart, target: Path) -> None:
    from costsim.errors import InputError
    from costsim.report.chart_parts import standalone
    from costsim.report.pictures import picture, refuse_unless_picture
    from costsim.report.run_charts import CHARTS
    from costsim.study.tabular import write_whole

    refuse_unless_picture(target.suffix)
    specification = CHARTS[chart.value](content)
    if specification is None:
        message = f"the result has nothing for the chart {chart.value}"
        raise InputError(message)
    write_whole(target, picture(standalone(specification), target.suffix))


def _print(content: dict[str, Any], form: AnswerFormat) -> None:
    from costsim.cli.run import show
    from costsim.study.saved import restored
    from costsim.study.tabular import export

    if form is AnswerFormat.json:
        output.write(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    elif form is AnswerFormat.csv:
        output.write(export(content["deployments"], "csv"))
    else:
        show(restored(content), form)
