"""The example notebook runs from its first cell to its last, and shows what it should."""

from __future__ import annotations

import ast
import json
import shutil
from contextlib import chdir
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_CELLS = [
    "".join(cell["source"])
    for cell in json.loads((_ROOT / "docs/example.ipynb").read_text("utf-8"))["cells"]
    if cell["cell_type"] == "code"
]


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """What each cell shows: the value of its last expression."""
    folder = tmp_path_factory.mktemp("notebook")
    shutil.copytree(_ROOT / "scenarios", folder / "scenarios")
    names = {}
    with chdir(folder):
        return [_run(cell, names) for cell in _CELLS], folder


def _run(cell, names):
    *statements, last = ast.parse(cell).body
    exec(compile(ast.Module(statements, []), "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names)


def test_a_result_shows_its_verdict_and_table(shown):
    html = shown[0][0]._repr_html_()

    assert "<strong>Cheapest that meets p95 &lt;= 3s" in html
    assert html.count("<tr>") == 5


def test_a_frame_has_the_columns_asked_for(shown):
    assert list(shown[0][1].columns)[:2] == ["cost_usd_per_month", "p95_s"]


@pytest.mark.parametrize("cell", [2, 3])
def test_a_chart_is_shown_as_vega_lite_and_as_a_picture(shown, cell):
    bundle = shown[0][cell]._repr_mimebundle_()

    assert bundle["application/vnd.vegalite.v5+json"]["$schema"].endswith("v5.json")
    assert bundle["image/svg+xml"].startswith("<svg")


def test_a_sweep_has_a_row_for_each_value(shown):
    assert len(shown[0][4]) == 3


def test_a_break_even_shows_its_verdict_and_tables(shown):
    html = shown[0][5]._repr_html_()

    assert "<strong>Cheapest that meets p95 &lt;= 3s: " in html
    assert html.count("<table>") >= 4


def test_the_page_is_written(shown):
    path, folder = shown[0][6], shown[1]

    assert (folder / path).read_text("utf-8").startswith("<!doctype html>")
