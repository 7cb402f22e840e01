"""What ``run --out --requests`` writes: every file, its columns and its numbers."""

from __future__ import annotations

import csv
import json

import pyarrow.parquet as pq
import pytest
from golden_outputs import RUN, as_json, steady, table_text


@pytest.fixture(scope="module")
def folder(invoke, tmp_path_factory):
    place = tmp_path_factory.mktemp("run")
    invoke(*RUN, "--quiet", "--out", place, "--requests")
    return place


def test_the_files(folder):
    assert sorted(one.name for one in folder.iterdir()) == [
        *("bill.csv", "requests.parquet", "result.json", "summary.csv", "timeline.csv")
    ]


def test_the_summary_is_the_answer_as_csv(folder, golden):
    golden("run.csv", steady((folder / "summary.csv").read_text("utf-8")))


def test_the_timeline(folder, golden):
    text = (folder / "timeline.csv").read_text("utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    deployments = dict.fromkeys(row["deployment"] for row in rows)
    numbers = list(rows[0])[2:]
    sums = {
        name: {
            column: sum(float(x[column]) for x in rows if x["deployment"] == name)
            for column in numbers
        }
        for name in deployments
    }
    head = "".join(text.splitlines(keepends=True)[:5])

    golden("timeline.txt", steady(head) + as_json(sums))


def test_the_result(folder, golden):
    content = json.loads((folder / "result.json").read_text("utf-8"))

    golden("result.json", as_json(content))


def test_the_requests(folder, golden):
    golden("requests.txt", table_text(pq.read_table(folder / "requests.parquet")))
