"""``costsim init``, ``validate`` and ``schema``: writing and checking scenario files."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer

from costsim.cli import output
from costsim.cli.options import Force, Overrides, Prices, ScenarioPath


class Kind(StrEnum):
    """Files that have a schema."""

    scenario = "scenario"
    result = "result"
    platform = "platform"


def init(
    path: Annotated[
        str, typer.Argument(metavar="FILE", help="The file to write.")
    ] = "scenario.yaml",
    template: Annotated[
        str | None, typer.Option(help="What to start from; --list shows them.")
    ] = None,
    list_templates: Annotated[
        bool, typer.Option("--list", help="List the templates.")
    ] = False,
    force: Force = False,
) -> None:
    """Write a commented scenario file, and its schema for editors."""
    from costsim.scenario.template import (
        DEFAULT_TEMPLATE,
        render_template,
        template_names,
    )
    from costsim.study.tabular import write_whole

    if list_templates:
        output.write("".join(f"{name}\n" for name in template_names()))
        return
    text = render_template(template or DEFAULT_TEMPLATE)
    target = output.new_file(path, force=force)
    write_whole(target, text)
    write_whole(target.with_name("scenario.schema.json"), _schema(Kind.scenario))
    output.write(f"wrote {path}; next: costsim run {path}\n")


def validate(
    scenario: ScenarioPath, overrides: Overrides = None, prices: Prices = None
) -> None:
    """Check a scenario file, its trace and its platforms, without simulating."""
    from costsim.cli.run import load_checked
    from costsim.traffic.source import horizon_s, load_trace
    from costsim.units import format_duration

    loaded, resolution = load_checked(scenario, list(overrides or []), prices)
    trace = load_trace(loaded)
    n = len(resolution.deployments)
    output.write(
        f"{scenario}: fine; {n} deployment{'' if n == 1 else 's'} over "
        f"{format_duration(horizon_s(loaded, trace))}\n"
    )
    output.remark(resolution.warnings)


def schema(
    kind: Annotated[Kind, typer.Argument(help="Which schema.")] = Kind.scenario,
) -> None:
    """Print the JSON Schema of a file, for editors."""
    output.write(_schema(kind))


def _schema(kind: Kind) -> str:
    from costsim.catalog.platform import Platform
    from costsim.scenario.schema import Scenario

    if kind is Kind.result:
        from costsim.study.result_schema import result_schema

        return json.dumps(result_schema(), indent=2, ensure_ascii=False) + "\n"
    model = Scenario if kind is Kind.scenario else Platform
    # As written back: defaults with their units, not the floats inside.
    schema = model.model_json_schema(mode="serialization")
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
