"""What the commands print, byte for byte: a change of any number or word is seen.

``pytest tests/golden --update-golden`` writes the files anew; read their diff.
"""

from __future__ import annotations

import json

import pytest
from golden_outputs import RUN, page_words, steady


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
    answer = invoke(*RUN, "--format", form)

    golden(name, steady(answer.out))


def test_the_bounds_of_a_run_that_is_checked(invoke, golden):
    answer = invoke(*RUN, "--check", "--set", "slo.p95=5s")

    golden("run-check.txt", steady(answer.out))


def test_the_words_of_a_page(invoke, golden, tmp_path):
    invoke(*RUN, "--html", tmp_path / "page.html")

    golden("page.txt", page_words(tmp_path / "page.html"))


def test_the_saved_result(invoke, golden, tmp_path):
    invoke(*RUN, "--out", tmp_path)
    content = json.loads((tmp_path / "result.json").read_text("utf-8"))
    rows = content.pop("deployments")
    content["scenario"]["hash"] = ""

    assert len(rows) == len(content["latency"]["response_s"])
    timeline = content["timeline"]["deployments"]
    sums = {name: {k: sum(v) for k, v in one.items()} for name, one in timeline.items()}
    golden("result-timeline.json", steady(json.dumps(sums, indent=1) + "\n"))


def test_the_remarks_of_a_run(invoke, golden):
    golden("run-remarks.txt", steady(invoke(*RUN).err))


def test_the_table_of_a_narrow_terminal_without_unicode(invoke, golden):
    answer = invoke(*RUN, env={"COLUMNS": "50"}, charset="ascii")

    golden("run-narrow.txt", steady(answer.out))


def test_the_table_of_a_wide_terminal(invoke, golden):
    golden("run-wide.txt", steady(invoke(*RUN, env={"COLUMNS": "160"}).out))


def test_the_bill(invoke, golden, tmp_path):
    invoke(*RUN, "--out", tmp_path)

    golden("bill.csv", steady((tmp_path / "bill.csv").read_text("utf-8")))
