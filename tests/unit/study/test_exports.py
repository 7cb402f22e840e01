"""What every study's answer becomes: rows, files, a page, a notebook's cell."""

from __future__ import annotations

import csv
import io
import json
import math

import pytest
from studies import STUDIES

from costsim.errors import OutputError
from costsim.report.answers import documents_of, saved_documents
from costsim.study.saved import read_study


@pytest.fixture(scope="module", params=list(STUDIES))
def result(request, tmp_path_factory):
    return STUDIES[request.param](tmp_path_factory.mktemp("study"), "own")


def test_json_holds_what_is_told_and_reads_back(result, tmp_path):
    result.write(tmp_path)

    content = read_study(tmp_path)
    assert content["study"] == result.kind
    assert content["schema_version"] == 1
    assert saved_documents(content) == documents_of(result)


def test_json_has_no_numbers_that_json_has_not(result):
    def refuse(name):
        raise AssertionError(name)

    json.loads(result.to_json(), parse_constant=refuse)


def test_tables_are_written_as_they_are(result, tmp_path):
    paths = result.to_csv(tmp_path / "new")

    assert [path.stem for path in paths] == list(result.tables())
    texts = [path.read_text("utf-8") for path in paths]
    read = [list(csv.DictReader(io.StringIO(text))) for text in texts]
    assert [len(rows) for rows in read] == [len(t) for t in result.tables().values()]
    first, told = read[0][0], next(iter(result.tables().values()))[0]
    assert list(first) == list(told)


def test_a_frame_has_the_rows_with_numbers_as_numbers(result):
    frame = result.to_pandas()

    rows = result.to_rows()
    assert len(frame) == len(rows) > 0
    assert list(frame.columns) == list(rows[0])
    name = "before" if "before" in frame else "cost_usd_per_month"
    total = math.fsum(row[name] for row in rows)
    assert frame[name].sum() == pytest.approx(total, rel=1e-12)


def test_a_page_begins_with_the_verdict_and_has_the_data(result, tmp_path):
    page = result.to_html(tmp_path / "page.html")

    verdict = documents_of(result)[0].verdict
    said = page.read_text("utf-8").split('<p class="verdict">')[1].split("</p>")[0]
    assert said.replace("&lt;", "<").replace("&gt;", ">").replace("&#39;", "'") == (
        verdict
    )
    assert read_study(page) == json.loads(result.to_json())


def test_charts_have_names_and_are_drawn(result, tmp_path):
    charts = result.charts()

    drawn = [chart.save(tmp_path / f"{name}.svg") for name, chart in charts.items()]
    assert drawn
    assert all(path.read_bytes().startswith(b"<svg") for path in drawn)


def test_a_notebook_shows_the_verdict_and_the_tables(result):
    shown = result._repr_html_()

    document = documents_of(result)[0]
    tables = [section for section in document.sections if section.columns]
    assert shown.startswith("<p><strong>")
    assert shown.count("<table>") == len(tables) > 0


def test_what_cannot_be_written_is_told(result, tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(OutputError):
        result.write(tmp_path / "file" / "folder")
