"""What ``sweep`` prints and keeps."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest
from golden_outputs import (
    NARROW,
    SCENARIO,
    WIDE,
    as_json,
    page_words,
    steady,
    table_text,
)

ASKED = (
    *("sweep", *SCENARIO, "--replications", "2", "--set", "horizon=3h"),
    *("--vary", "service.time.mean=1s,2s", "--vary", "setup=10s,60s"),
)


@pytest.fixture(scope="module")
def folder(invoke, tmp_path_factory):
    """Keep every point; a later question of this module is answered from there."""
    place = tmp_path_factory.mktemp("sweep")
    invoke(*ASKED, "--quiet", "--out", place)
    return place


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("table", "sweep.txt"),
        ("json", "sweep.json"),
        ("csv", "sweep.csv"),
        ("markdown", "sweep.md"),
    ],
)
def test_the_answer(invoke, golden, folder, form, name):
    answer = invoke(*ASKED, "--out", folder, "--format", form)

    golden(name, steady(answer.out))


def test_the_remarks(invoke, golden, folder):
    told = invoke(*ASKED, "--out", folder).err

    golden("sweep-remarks.txt", told.replace(str(folder), "FOLDER"))


def test_the_table_of_a_narrow_terminal_without_unicode(invoke, golden, folder):
    answer = invoke(*ASKED, "--out", folder, env=NARROW, charset="ascii")

    golden("sweep-narrow.txt", steady(answer.out))


def test_the_table_of_a_wide_terminal(invoke, golden, folder):
    golden("sweep-wide.txt", steady(invoke(*ASKED, "--out", folder, env=WIDE).out))


def test_the_kept_rows_are_the_answer_as_csv(golden, folder):
    golden("sweep.csv", steady((folder / "results.csv").read_text("utf-8")))


def test_the_kept_table(golden, folder):
    golden("sweep-results.txt", table_text(pq.read_table(folder / "results.parquet")))


@pytest.mark.parametrize("name", ["summary", "sweep"])
def test_what_describes_the_sweep(golden, folder, name):
    content = json.loads((folder / f"{name}.json").read_text("utf-8"))
    content.pop("documents", None)

    golden(f"sweep-file-{name}.json", as_json(content))


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_charts(golden, folder, place):
    content = json.loads((folder / "summary.json").read_text("utf-8"))
    (document,) = content["documents"]

    drawing = document["drawings"][place]
    golden(f"chart-sweep-{drawing['name']}.json", as_json(drawing["chart"], digits=6))


def test_the_words_of_the_page(invoke, golden, folder, tmp_path):
    invoke("report", folder, "--html", tmp_path / "page.html")

    golden("page-sweep.txt", page_words(tmp_path / "page.html"))
