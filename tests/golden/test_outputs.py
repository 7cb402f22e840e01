"""What the commands print, byte for byte: a change of any number or word is seen.

``pytest tests/golden --update-golden`` writes the files anew; read their diff.
"""

from __future__ import annotations

import html
import json
import re
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pytest

from costsim import __version__

_TYPER = "0.29."
_FOLDER = Path(__file__).parent / "outputs"
_RUN = ("run", _FOLDER / "scenario.yaml", "--prices", _FOLDER / "prices.yaml")


class _FixedClock(datetime):
    """The clock of the day on which the ages of prices are told."""

    @classmethod
    def now(cls, tz=None):
        return datetime(2026, 11, 24, 12, 0, tzinfo=tz or UTC)


@pytest.fixture(autouse=True)
def fixed_clock(monkeypatch):
    monkeypatch.setattr("costsim.study.run.datetime", _FixedClock)


def _words(page: str) -> str:
    """Return the text of a page, an element a line."""
    lines = (line.strip() for line in re.sub(r"<[^>]+>", "\n", page).splitlines())
    return "".join(f"{html.unescape(line)}\n" for line in lines if line)


def steady(text: str) -> str:
    """Return a text without version and hash, and with 12 digits of each number."""
    text = text.replace(f'"costsim_version": "{__version__}"', '"costsim_version": ""')
    text = re.sub(rf"costsim(\s){re.escape(__version__)}", r"costsim\1VERSION", text)
    text = re.sub(r'"hash": "[0-9a-f]{16}"', '"hash": ""', text)
    # Beyond that, machines may differ in the last digit.
    return re.sub(
        r"\d+\.\d{10,}(e-?\d+)?", lambda match: f"{float(match[0]):.12g}", text
    )


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("table", "run.txt"),
        ("json", "run.json"),
        ("csv", "run.csv"),
        ("markdown", "run.md"),
        ("github", "run-github.txt"),
    ],
)
def test_the_answer_of_a_run(invoke, golden, form, name):
    answer = invoke(*_RUN, "--format", form)

    golden(name, steady(answer.out))


def test_the_bounds_of_a_run_that_is_checked(invoke, golden):
    answer = invoke(*_RUN, "--check", "--set", "slo.p95=5s")

    golden("run-check.txt", steady(answer.out))


def test_the_words_of_a_page(invoke, golden, tmp_path):
    invoke(*_RUN, "--html", tmp_path / "page.html")

    page = (tmp_path / "page.html").read_text("utf-8")
    # Pictures are the library's, scripts and data have tests of their own.
    body = re.sub(r"<(svg|script|style|pre)\b.*?</\1>", "", page, flags=re.DOTALL)
    golden("page.txt", steady(_words(body)))


def test_the_saved_result(invoke, golden, tmp_path):
    invoke(*_RUN, "--out", tmp_path)
    content = json.loads((tmp_path / "result.json").read_text("utf-8"))
    rows = content.pop("deployments")
    content["scenario"]["hash"] = ""

    assert len(rows) == len(content["latency"]["response_s"])
    timeline = content["timeline"]["deployments"]
    sums = {name: {k: sum(v) for k, v in one.items()} for name, one in timeline.items()}
    golden("result-timeline.json", steady(json.dumps(sums, indent=1) + "\n"))


def test_the_remarks_of_a_run(invoke, golden):
    golden("run-remarks.txt", steady(invoke(*_RUN).err))


def test_the_table_of_a_narrow_terminal_without_unicode(invoke, golden):
    answer = invoke(*_RUN, env={"COLUMNS": "50"}, charset="ascii")

    golden("run-narrow.txt", steady(answer.out))


def test_the_table_of_a_wide_terminal(invoke, golden):
    golden("run-wide.txt", steady(invoke(*_RUN, env={"COLUMNS": "160"}).out))


def test_the_bill(invoke, golden, tmp_path):
    invoke(*_RUN, "--out", tmp_path)

    golden("bill.csv", steady((tmp_path / "bill.csv").read_text("utf-8")))


@pytest.mark.skipif(
    not version("typer").startswith(_TYPER),
    reason=f"the layout of help is typer's, and was written down with {_TYPER}x",
)
@pytest.mark.parametrize(
    "command",
    [
        "",
        "run",
        "breakeven",
        "tune",
        "init",
        "validate",
        "schema",
        "prices",
        "platforms",
    ],
)
def test_the_help_of_every_command(invoke, golden, command):
    answer = invoke(*command.split(), "--help")

    golden(f"help-{command or 'costsim'}.txt", answer.out)


def test_a_golden_file_differs_from_a_changed_number(golden, request):
    if request.config.getoption("--update-golden"):
        pytest.skip("would write the changed number")
    changed = (_FOLDER / "run.csv").read_text("utf-8").replace("3", "4", 1)

    with pytest.raises(AssertionError):
        golden("run.csv", changed)
