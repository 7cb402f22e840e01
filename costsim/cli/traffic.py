"""``costsim traffic``: what requests are like, a model of them, and other files of them."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from costsim.cli import output
from costsim.cli.options import Force, Form, Format, rows_as
from costsim.errors import EXIT_SLO_MISSED

if TYPE_CHECKING:
    from costsim.scenario.schema import Scenario
    from costsim.traffic import export as exporting
    from costsim.traffic.describe import Description
    from costsim.traffic.trace import TraceData

SCENARIOS = (".yaml", ".yml")
"""Endings of files that are scenarios; others are logs."""


REPLAY_KEYS = ("scale_rate", "scale_time", "repeat", "jitter")
"""Keys of a trace that change what was recorded."""


class ExportForm(StrEnum):
    """Forms in which requests are written."""

    mooncake = "mooncake"
    csv = "csv"
    parquet = "parquet"


Input = Annotated[
    str, typer.Argument(metavar="FILE", help="A log, or a scenario (.yaml).")
]
Log = Annotated[str, typer.Argument(metavar="LOG", help="A log of requests.")]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="How a log is read: a key of a scenario's trace section, such as "
        "format=k6 or columns.arrival=sent_at. Of a scenario: any key. Repeatable.",
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="Of what is drawn at random.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No warnings and notes.")]


def formats(form: Form = Format.table) -> None:
    """List what can be read: logs, traces, metrics, and what is taken as the arrival."""
    from costsim.report.traffic import format_list, format_rows
    from costsim.traffic.formats.registry import FORMATS

    if form is not Format.table:
        output.write(rows_as(form, format_rows(FORMATS)))
        return
    output.show(format_list(FORMATS, output.console().width))


def describe(
    file: Input,
    settings: Settings = None,
    seed: Seed = 1,
    form: Form = Format.table,
    quiet: Quiet = False,
) -> None:
    """Tell what requests are like: rate, bursts, gaps, sessions, spikes, work."""
    from costsim.report.traffic import description, description_rows

    found = _described(file, list(settings or []), seed)
    if form is not Format.table:
        output.write(rows_as(form, description_rows(found)))
    else:
        output.show(description(found, output.console().width))
    _remarks(found, quiet)


def plot(
    file: Input,
    settings: Settings = None,
    seed: Seed = 1,
    out: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write a .png, .svg or .html file instead."),
    ] = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Draw requests: rate over time, hours of the week, gaps between them."""
    from costsim.report import traffic as report

    target = output.new_picture(out, force=force)
    found = _described(file, list(settings or []), seed)
    if target is None:
        width = output.console().width
        unicode = output.takes_unicode(sys.stdout)
        output.show(report.plots(found, width=width, unicode=unicode))
    else:
        from costsim.report.pictures import picture
        from costsim.study.tabular import write_whole

        write_whole(target, picture(report.charts(found), target.suffix))
        output.write(f"wrote {target}\n")
    _remarks(found, quiet)


def fit(
    log: Log,
    settings: Settings = None,
    scenario: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Try the model on this scenario's deployments, setup and service.",
        ),
    ] = None,
    prefill: Annotated[
        str | None,
        typer.Option(help="Speed of reading tokens, such as '8000 tokens/s'."),
    ] = None,
    decode: Annotated[
        str | None,
        typer.Option(help="Speed of writing tokens, such as '45 tokens/s'."),
    ] = None,
    seed: Seed = 1,
    out: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write the scenario here, not to stdout."),
    ] = None,
    force: Force = False,
    check: Annotated[
        bool,
        typer.Option("--check", help="Exit with 1 if the model is not good enough."),
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Write a scenario with a model of a log's traffic, and how near it is to the log."""
    from costsim.report.fitting import fit_report, fitted_scenario
    from costsim.study.fitting import fit as fit_model
    from costsim.study.selfcheck import check as check_model

    target = None if out is None else output.new_file(out, force=force)
    given = {} if scenario is None else _sections(scenario)
    # An option goes before what the scenario says.
    own = {"prefill": prefill, "decode": decode}
    given |= {key: value for key, value in own.items() if value is not None}
    pools = {key: given[key] for key in ("setup", "deployments") if key in given}
    trace = _log(log, list(settings or []))
    with output.status(quiet=quiet) as tell:
        model = fit_model(trace, seed=seed, on_progress=tell, **given)
        tell("checking the one chosen")
        verdict = check_model(trace, model, seed=seed, **pools)
    name = Path(log).name
    text = fitted_scenario(model, verdict, name, **pools)
    if target is None:
        output.write(text)
    else:
        from costsim.study.tabular import write_whole

        write_whole(target, text)
        output.write(f"wrote {target}; next: costsim run {target}\n")
    output.show_beside(fit_report(model, verdict, name, output.console().width))
    if not quiet:
        output.remark((*trace.notes, *model.notes, *verdict.notes), "note")
        output.remark(model.warnings)
    if check and not verdict.use:
        raise typer.Exit(EXIT_SLO_MISSED)


def export(
    file: Input,
    out: Annotated[
        str, typer.Option(metavar="FILE", help="The file to write; - for stdout.")
    ],
    form: Annotated[
        ExportForm | None,
        typer.Option(
            "--format",
            help="What to write; by the file's ending (.jsonl is Mooncake's) if left out.",
        ),
    ] = None,
    settings: Settings = None,
    seed: Seed = 1,
    replication: Annotated[
        int, typer.Option(min=0, help="Which replication of a scenario.")
    ] = 0,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Write requests for other tools: Mooncake JSONL (vLLM, aiperf), CSV, Parquet."""
    from costsim.traffic.export import write_requests
    from costsim.traffic.requests import log_requests, scenario_requests

    target = None if out == "-" else output.new_file(out, force=force)
    chosen = _form_of(out) if form is None else form.value
    changes = list(settings or [])
    notes: tuple[str, ...] = ()
    if _is_scenario(file):
        scenario = _scenario(file, changes)
        blocks, start = scenario_requests(scenario, replication), scenario.start
    else:
        trace = _log(file, changes)
        blocks, start = log_requests(trace, seed), trace.start
        notes = (*trace.notes, *trace.warnings)
    content = write_requests(blocks, target, chosen, start)
    if target is None:
        output.write_bytes(content)
    else:
        output.write(f"wrote {target}\n")
    if not quiet:
        output.remark(notes, "note")


def _form_of(out: str) -> exporting.Form:
    """Return the form that a file's ending asks for."""
    from costsim.errors import InputError
    from costsim.traffic.export import SUFFIXES

    suffix = Path(out).suffix.lower()
    if suffix not in SUFFIXES:
        message = (
            f"what '{suffix}' files hold is not known; name one that ends in "
            f"{', '.join(SUFFIXES)}, or give --format"
        )
        raise InputError(message)
    return SUFFIXES[suffix]


def _described(file: str, settings: list[str], seed: int) -> Description:
    """Return what the requests of a log or a scenario are like."""
    from costsim.traffic.describe import describe_log, describe_scenario

    name = Path(file).name
    if _is_scenario(file):
        return describe_scenario(_scenario(file, settings), name)
    return describe_log(_log(file, settings), name, seed)


def _is_scenario(file: str) -> bool:
    return Path(file).suffix.lower() in SCENARIOS


def _scenario(file: str, settings: list[str]) -> Scenario:
    from costsim.scenario.load import load_scenario
    from costsim.scenario.template import shipped

    return load_scenario(shipped(file), overrides=settings)


def _sections(file: str) -> dict[str, Any]:
    """Return what a scenario says of service, setup and deployments, to try a model on.

    A service that takes its work from the trace is fitted to the log instead; of tokens
    the scenario's speeds are kept.
    """
    from costsim.traffic.work import trace_needs

    scenario = _scenario(file, [])
    written = scenario.model_dump(mode="json", exclude_unset=True)
    kept: dict[str, Any] = {
        key: written[key] for key in ("setup", "deployments") if key in written
    }
    if not trace_needs(scenario.service):
        return {**kept, "service": written["service"]}
    tokens = written["service"].get("tokens", {})
    return {**kept, **{key: tokens[key] for key in ("prefill", "decode") if tokens}}


def _log(file: str, settings: list[str]) -> TraceData:
    """Return a log, read as the settings say."""
    from costsim.errors import InputError
    from costsim.scenario.load import load_trace_keys
    from costsim.traffic.formats.detect import read_trace

    spec = load_trace_keys(file, overrides=settings)
    for key in REPLAY_KEYS:
        if key in spec.model_fields_set:
            message = (
                f"{key} acts when a log is replayed; name a scenario whose trace it is"
            )
            raise InputError(message)
    return read_trace(spec)


def _remarks(found: Description, quiet: bool) -> None:
    if not quiet:
        output.remark(found.notes, "note")
        output.remark(found.warnings)
