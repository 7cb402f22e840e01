"""Answers for pull requests: Markdown that names cannot break, annotations on one line."""

from __future__ import annotations

import pytest
from small_study import always_on, answer, own

from costsim.report.markdown import escaped, run_annotations, run_markdown

_EVIL = "a|b\n`c` <img src=x> [d](e) @maintainers ::error::no 50%"


@pytest.fixture(scope="module")
def result():
    return answer(own(_EVIL, idle_timeout="20s"), always_on(), slo={"p95": "5s"})


def test_a_comment_begins_with_the_verdict_and_the_bounds(result):
    lines = run_markdown(result).split("\n\n")

    assert lines[0].startswith("**")
    assert ":x: a\\|b" in lines[1]
    assert ":white_check_mark: always on meets p95" in lines[1]


def test_every_row_of_the_table_has_the_same_number_of_cells(result):
    rows = [
        line.replace("\\|", "")
        for line in run_markdown(result).splitlines()
        if line.startswith("|")
    ]

    assert len(rows) == 4
    assert {row.count("|") for row in rows} == {rows[0].count("|")}


def test_names_are_no_markup_and_call_nobody():
    text = escaped(_EVIL)

    assert "\n" not in text
    assert "\\<img src=x\\>" in text
    assert "\\[d\\](e)" in text
    assert "@maintainers" not in text


def test_what_is_missed_is_an_error_annotation_on_one_line(result):
    lines = run_annotations(result).splitlines()

    kinds = [line.split(" ", 1)[0] for line in lines]
    assert kinds == ["::notice", "::error"]
    assert "50%25 misses p95 <= 5s" in lines[1]
    assert lines[1].index("title=costsim::") < lines[1].index("::error::no")
