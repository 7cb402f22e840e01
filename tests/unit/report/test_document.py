"""One answer told in every form: nothing is lost, cut or taken for markup."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from costsim.report.columns import Column
from costsim.report.document import (
    Check,
    Document,
    Drawing,
    Section,
    document_record,
    restored_document,
    terminal_document,
)
from costsim.report.markdown import document_annotations, document_markdown

_LONG = "a sentence of many words that goes on and on until it is wider than the screen"
_DOCUMENT = Document(
    title="a|b",
    facts="first line\nsecond line",
    verdict="Half of <b>it</b> costs 50%.",
    sections=(
        Section(checks=(Check(True, "a holds"), Check(False, "b | does not"))),
        Section(
            "TABLE",
            columns=(
                Column(" ", (">", "x", "~")),
                Column("NAME", ("one|1", "two", "three")),
                Column("USD", ("1.00", "22.00", "333.00"), "right"),
                Column("NOTHING", ("", "", "")),
                Column("SAID", (_LONG, "short", ""), wraps=True),
            ),
            marked=True,
            drop_first=("USD",),
            lines=(_LONG, "another"),
        ),
        Section("Ready to paste", text="a ``` b\nc\n"),
    ),
    drawings=(Drawing("chart", "A chart", "Says it.", {"mark": "bar"}),),
)


def shown(width, *, unicode=True):
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(terminal_document(_DOCUMENT, width=width, unicode=unicode))
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_a_record_gives_the_document_back():
    record = json.loads(json.dumps(document_record(_DOCUMENT)))

    assert restored_document(record) == _DOCUMENT


@pytest.mark.parametrize("width", [20, 40, 60, 80, 160])
def test_every_word_is_on_the_terminal_at_any_width(width):
    text = " ".join(shown(width))

    assert all(word in text for word in _LONG.split())
    assert ("333.00" in text) == (width not in (40,))


def test_marks_of_checks_fit_the_stream():
    assert shown(80)[5:7] == ["✓ a holds", "✗ b | does not"]
    assert shown(80, unicode=False)[5:7] == ["ok   a holds", "FAIL b | does not"]


def test_sentences_in_a_table_wrap_within_their_column():
    lines = shown(60)

    start = lines.index("TABLE") + 2
    column = lines[start - 1].index("SAID")
    assert lines[start].startswith(">  one|1")
    assert lines[start + 1][:column].strip() == ""
    assert lines[start + 1][column:].strip() != ""
    assert max(map(len, lines)) <= 60


def test_markdown_escapes_what_is_no_markup_of_ours():
    text = document_markdown(_DOCUMENT)

    lines = text.splitlines()
    assert lines[0] == r"**Half of \<b\>it\</b\> costs 50%.**"
    assert "- :white_check_mark: a holds" in lines
    assert r"- :x: b \| does not" in lines
    assert "|  | NAME | USD | SAID |" in lines
    assert rf"| :arrow_right: | one\|1 | 1.00 | {_LONG} |" in lines
    assert r"| \~ | three | 333.00 |  |" in lines
    assert lines[-1] == "<sub>first line<br>second line</sub>"


def test_what_does_not_come_first_is_folded():
    lines = document_markdown(_DOCUMENT).splitlines()

    begin = lines.index("<details><summary>More</summary>")
    assert lines.index(r"- :x: b \| does not") < begin
    assert begin < lines.index("**TABLE**") < lines.index("</details>")


def test_numbers_of_a_table_go_right_and_words_left():
    assert "| --- | --- | ---: | --- |" in document_markdown(_DOCUMENT).splitlines()


def test_a_fence_is_longer_than_any_within():
    lines = document_markdown(_DOCUMENT).splitlines()

    start = lines.index("````")
    assert lines[start : start + 4] == ["````", "a ``` b", "c", "````"]


def test_what_does_not_hold_is_an_error_annotation():
    assert document_annotations(_DOCUMENT).splitlines() == [
        "::notice title=costsim::Half of <b>it</b> costs 50%25.",
        "::error title=costsim::b | does not",
    ]
