"""Write what in the documentation is generated: scenario.md, columns, output of commands.

``python docs/generate.py`` rewrites all in place; tests/docs checks that it would change
nothing. In a ``console`` block each line ``$ costsim ...`` is run in a folder with the
example scenarios, and the lines below it are what it prints: its stdout, or its stderr if
that is all there is. A command with nothing below it must only succeed.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
import tempfile
from contextlib import chdir
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from typer.testing import CliRunner

from costsim.catalog.quote import PriceSource
from costsim.cli.app import app
from costsim.report.facts import Fact
from costsim.report.price_history import PastRow
from costsim.report.price_rows import PriceRow
from costsim.scenario.schema import Scenario
from costsim.scenario.setup_presets import setup_presets
from costsim.scenario.traffic_presets import traffic_presets
from costsim.study.attribute_docs import attribute_docs
from costsim.study.bill_lines import BillLine
from costsim.study.result import DeploymentRow, Threshold, Verdict
from costsim.traffic.formats.registry import FORMATS
from costsim.traffic.source import SourceRate
from costsim.units import format_duration, parse_duration

ROOT = Path(__file__).resolve().parents[1]
SCENARIO_PAGE = ROOT / "docs" / "scenario.md"

Schema = dict[str, Any]


def pages() -> list[Path]:
    """Return every page of the documentation."""
    top = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    return [*top, *sorted((ROOT / "docs").glob("*.md"))]


# ---- commands and their output

_BLOCK = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^\$ (.*\n)((?:(?!\$ ).*\n)*)", re.MULTILINE)


def with_outputs(text: str) -> str:
    """Return a page with what its commands print now."""
    return _BLOCK.sub(lambda block: _COMMAND.sub(_answered, block[0]), text)


def _answered(command: re.Match[str]) -> str:
    line, shown = command.groups()
    printed, exit_code = output_of(line)
    if exit_code and not shown:
        message = f"'{line.strip()}' fails:\n{printed}"
        raise ValueError(message)
    return f"$ {line}{printed if shown else ''}"


def output_of(line: str) -> tuple[str, int]:
    """Return what a command prints, run beside a copy of the examples; and its exit code."""
    program, *arguments = shlex.split(line)
    if program != "costsim":
        message = f"'{line.strip()}' is not a costsim command"
        raise ValueError(message)
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        shutil.copytree(ROOT / "scenarios", "scenarios")
        Path("acme.yaml").write_text(example_platform(), "utf-8")
        result = CliRunner().invoke(app, arguments, env={"COLUMNS": "80"})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.stdout or result.stderr, result.exit_code


def example_platform() -> str:
    """Return the platform file that CONTRIBUTING.md shows."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    blocks = re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    (example,) = (block for block in blocks if "\nautoscaler:" in block)
    return str(example)


# ---- the reference of scenario files

_INTRODUCTION = """\
# The scenario file

Generated from the JSON Schema by `docs/generate.py`; `costsim schema` prints the schema for
editors.

A scenario is a YAML 1.2 file: `yes` is text, and a key may not be repeated. A duration, rate,
size or price is text with its unit; a bare number is refused. Keys that begin with `x-` are
yours, for anchors. A deployment's `settings` are the vendor's: `costsim platforms NAME` lists
them. `costsim run --set KEY=VALUE` changes a value by its dotted path; an item of a list is
named by its index or its `name`: `--set "deployments.always on.settings.instances=2"`.

Required keys are **bold**. Terms are in the [glossary](glossary.md), rules in the [model](model.md).
"""

_LAWS = (
    *("Constant", "Exponential", "Lognormal", "Gamma"),
    *("Weibull", "Pareto", "Empirical"),
)
_ABOUT_LAWS = {
    "Duration": "A random length of time: `distribution` names its law. A bare duration is a constant.",
    "Number": "A random number, of tokens for example. A bare number is a constant.",
}


def scenario_page() -> str:
    """Return docs/scenario.md."""
    schema = Scenario.model_json_schema(mode="serialization")
    named = schema["$defs"]
    parts = [name for name in _in_order(schema) if not _law(name)]
    sections = [_section("Scenario", schema, named)]
    sections += [_section(name, named[name], named) for name in parts]
    sections += [_laws_section(kind, named) for kind in ("Duration", "Number")]
    sections += [_presets_section(), _traffic_presets_section()]
    return "\n".join([_INTRODUCTION, *sections])


def _in_order(schema: Schema) -> list[str]:
    """Return the named parts of a schema, each after the part that first mentions it."""
    order: list[str] = []

    def visit(node: Schema) -> None:
        new = [name for name in _mentioned(node) if name not in order]
        order.extend(new)
        for name in new:
            visit(schema["$defs"][name])

    visit({key: value for key, value in schema.items() if key != "$defs"})
    return order


def _mentioned(node: Any) -> list[str]:  # noqa: ANN401 - any JSON
    if isinstance(node, dict):
        # A discriminator repeats what its alternatives say.
        parts = [value for key, value in node.items() if key != "discriminator"]
        own = [node["$ref"].rpartition("/")[2]] if "$ref" in node else []
    else:
        parts, own = (node if isinstance(node, list) else []), []
    found = own + [name for part in parts for name in _mentioned(part)]
    return list(dict.fromkeys(found))


def _section(name: str, schema: Schema, named: Schema) -> str:
    required = schema.get("required", [])
    # The word that chooses a kind comes first.
    fields = sorted(schema["properties"].items(), key=lambda one: "const" not in one[1])
    rows = [
        f"| {_bold(key, key in required)} | {_value(field)} | {_default(field)} "
        f"| {_meaning(field, named)} |"
        for key, field in fields
    ]
    head = ["| key | value | default | meaning |", "| --- | --- | --- | --- |"]
    level = "##" if name == "Scenario" else "###"
    title = f"{level} {name}\n\n{_prose(schema.get('description', ''))}\n"
    return "\n".join([title, *head, *rows, ""])


def _law(name: str) -> str:
    """Return which kind of random quantity a part of the schema is a law of, if any."""
    match = re.fullmatch(rf"(?:{'|'.join(_LAWS)})(Duration|Number)", name)
    return match[1] if match else ""


def _laws_section(kind: str, named: Schema) -> str:
    """Return one table of all laws of a random duration or number."""
    rows = []
    for law in _LAWS:
        schema = named[f"{law}{kind}"]
        fields = dict(schema["properties"])
        word = fields.pop("distribution")["const"]
        required = schema["required"]
        rows += [
            f"| `{word}` | {_bold(key, key in required)} | {_value(field)} "
            f"| {_meaning(field, named)} |"
            for key, field in fields.items()
        ]
    head = ["| `distribution` | key | value | meaning |", "| --- | --- | --- | --- |"]
    title = f"### Random{kind}\n\n{_ABOUT_LAWS[kind]}\n"
    return "\n".join([title, *head, *rows, ""])


def _presets_section() -> str:
    """Return the setups that somebody measured or published."""
    rows = []
    for name, preset in setup_presets().items():
        law = _prose(", ".join(_words(preset.setup)))
        source = f"[{preset.evidence}]({preset.source}), {preset.as_of}"
        told = " ".join(filter(None, (f"{preset.what}.", preset.note)))
        rows.append(f"| `{name}` | {_prose(told)} | {law} | {source} |")
    head = [
        "| preset | what was started | setup | source |",
        "| --- | --- | --- | --- |",
    ]
    title = (
        "### Presets of setups\n\nFor `setup: {preset: NAME}`. They are starting points: "
        "weights, engine, GPU and region decide. Measure your own.\n"
    )
    return "\n".join([title, *head, *rows, ""])


def _traffic_presets_section() -> str:
    """Return the streams that somebody measured."""
    rows = []
    for name, preset in traffic_presets().items():
        source = preset.source
        if source.startswith("http"):
            link, _, more = source.partition(" ")
            source = f"[{link.removeprefix('https://')}]({link}) {more}".strip()
        told = ". ".join(filter(None, (preset.what, preset.note))).removesuffix(".")
        keys = ", ".join(f"`{key}`" for key in preset.stream)
        along = [f"stream `{one.name}`" for one in preset.also]
        along += ["spikes"] if preset.spikes else []
        more = f"; with it {', '.join(along)}" if along else ""
        rows.append(f"| `{name}` | {_prose(told)}. | {keys}{more} | {_prose(source)} |")
    head = ["| preset | whose traffic | sets | source |", "| --- | --- | --- | --- |"]
    title = (
        "### Presets of traffic\n\nFor `preset: NAME` on a stream, or `traffic: {preset: "
        "NAME}` for one stream. Keys beside it replace the preset's.\n"
    )
    return "\n".join([title, *head, *rows, ""])


# ---- formats of logs

_FORMATS = re.compile(r"(?<=<!-- formats -->\n).*?(?=<!-- end -->)", re.DOTALL)


def with_formats(text: str) -> str:
    """Return a page with the list of formats that can be read now."""
    rows = [
        "| format | what | arrival | holds besides | how to get it |",
        "| --- | --- | --- | --- | --- |",
        *(
            f"| `{one.name}` | {_prose(one.title)} | {_prose(one.arrival)} "
            f"| {_prose(one.holds)} | {_prose(one.export)} |"
            for one in FORMATS
        ),
    ]
    table = "\n".join(rows) + "\n"
    return _FORMATS.sub(lambda _: table, text)


# ---- columns of results

_COLUMNS = re.compile(
    r"(?<=<!-- columns of )(\w+)( -->\n).*?(?=<!-- end -->)", re.DOTALL
)
WITH_COLUMNS = {
    one.__name__: one
    for one in (
        *(DeploymentRow, BillLine, Threshold, Verdict, SourceRate, PriceSource),
        *(PriceRow, PastRow, Fact),
    )
}


def with_columns(text: str) -> str:
    """Return a page with the columns of our rows, as their attributes are documented."""
    return _COLUMNS.sub(_column_table, text)


def _column_table(block: re.Match[str]) -> str:
    name, mark = block.groups()
    rows = ["| column | unit | meaning |", "| --- | --- | --- |"]
    for column, told in attribute_docs(WITH_COLUMNS[name]).items():
        meaning, unit = re.fullmatch(r"(.*?)(?: \[([^\]]+)\])?", told).groups("")
        rows.append(f"| `{column}` | {unit} | {_prose(meaning)} |")
    return f"{name}{mark}" + "\n".join(rows) + "\n"


def _words(setup: BaseModel) -> list[str]:
    """Return a setup as people write it, word by word."""
    written = setup.model_dump(mode="json", exclude_defaults=True)
    if "value" in written:
        return [_plain(written["value"])]
    found = []
    for key, value in written.items():
        part = getattr(setup, key)
        inner = _words(part) if isinstance(part, BaseModel) else [_plain(value)]
        found.append(f"{key} {' '.join(inner)}" if key != "distribution" else value)
    return found


def _bold(key: str, wanted: bool) -> str:
    return f"**`{key}`**" if wanted else f"`{key}`"


def _meaning(field: Schema, named: Schema) -> str:
    """Return a field's manual entry, or that of what it holds."""
    text = field.get("description", "")
    if not text and "$ref" in field:
        text = named[field["$ref"].rpartition("/")[2]].get("description", "")
    return _prose(text)


def _prose(text: str) -> str:
    """Return an attribute's docstring as Markdown on one line."""
    joined = " ".join(text.replace("``", "`").split())
    return joined.replace("|", "\\|")


def _default(field: Schema) -> str:
    value = field.get("default")
    if value is None or value in ("", [], {}):
        return ""
    if isinstance(value, dict):
        # An object's default: the word that chooses its kind, where there is one.
        chosen = [word for word in value.values() if word is not None]
        return f"`{chosen[0]}`" if chosen else ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{_plain(value)}`"


def _plain(value: object) -> str:
    """Return a default as people write it: 900.0s as 15m, 0.0 USD as 0 USD."""
    text = f"{value:g}" if isinstance(value, float) else str(value)
    try:
        return format_duration(parse_duration(text))
    except ValueError:
        return re.sub(r"\.0\b", "", text)


def _value(field: Schema) -> str:
    """Return what may be written."""
    if "$ref" in field:
        return _link(field["$ref"].rpartition("/")[2])
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return ", ".join(f"`{word}`" for word in field["enum"])
    for union in ("anyOf", "oneOf"):
        if union in field:
            given = [_value(one) for one in field[union] if one.get("type") != "null"]
            return " or ".join(dict.fromkeys(given))
    if field.get("type") == "array":
        return f"list of {_value(field['items'])}"
    if isinstance(field.get("additionalProperties"), dict):
        return f"mapping of names to {_value(field['additionalProperties'])}"
    if "examples" in field:
        return ", ".join(f"`{example}`" for example in field["examples"])
    return _scalar(field)


def _scalar(field: Schema) -> str:
    kind = {
        "boolean": "`true`, `false`",
        "integer": "whole number",
        "number": "number",
        "object": "mapping",
        "string": "date and time" if "format" in field else "text",
    }[field["type"]]
    return kind + _bounds(field)


def _bounds(field: Schema) -> str:
    """Return the range of a number in words."""
    words = {
        "minimum": ">=",
        "exclusiveMinimum": ">",
        "maximum": "<=",
        "exclusiveMaximum": "<",
    }
    bounds = [
        f"{sign} {field[key]:.10g}" for key, sign in words.items() if key in field
    ]
    return f" {', '.join(bounds)}" if bounds else ""


def _link(name: str) -> str:
    """Return a link to a part of the schema; laws share one section."""
    kind = _law(name)
    name = f"Random{kind}" if kind else name
    return f"[{name}](#{name.lower()})"


def main() -> None:
    """Rewrite what is generated."""
    written = {
        page: with_outputs(with_columns(with_formats(page.read_text("utf-8"))))
        for page in pages()
    }
    written[SCENARIO_PAGE] = scenario_page()
    for page, text in written.items():
        if page.read_text("utf-8") != text:
            page.write_text(text, "utf-8")
            sys.stdout.write(f"wrote {os.path.relpath(page)}\n")


if __name__ == "__main__":
    main()
