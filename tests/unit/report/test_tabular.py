"""Rows as CSV, Markdown and JSON."""

from __future__ import annotations

import json

from costsim.study.tabular import export

ROWS: list[dict[str, object]] = [
    {"sku": "L4:4x16", "usd_per_hour": 0.8484, "note": "a | b", "age_days": None},
    {"sku": "H100, pinned", "usd_per_hour": 6.4998, "note": "", "age_days": 3},
]


def test_csv_has_a_header_quotes_where_needed_and_an_empty_cell_for_none() -> None:
    assert export(ROWS, "csv") == (
        "sku,usd_per_hour,note,age_days\n"
        "L4:4x16,0.8484,a | b,\n"
        '"H100, pinned",6.4998,,3\n'
    )


def test_markdown_puts_numbers_right_and_escapes_bars() -> None:
    assert export(ROWS, "markdown") == (
        "| sku | usd_per_hour | note | age_days |\n"
        "| --- | ---: | --- | ---: |\n"
        "| L4:4x16 | 0.8484 | a \\| b |  |\n"
        "| H100, pinned | 6.4998 |  | 3 |\n"
    )


def test_json_keeps_numbers_and_null() -> None:
    assert json.loads(export(ROWS, "json")) == ROWS


def test_no_rows_are_nothing_and_an_empty_list() -> None:
    assert (export([], "csv"), export([], "markdown")) == ("", "")
    assert json.loads(export([], "json")) == []
