"""What ``tune`` prints and writes."""

from __future__ import annotations

import json

import pytest
from golden_outputs import NARROW, SCENARIO, WIDE, as_json, page_words, steady

KEEP = ("retention", "min_replicas", "buffer_replicas", "schedule")
ASKED = (
    *("tune", *SCENARIO, "--deployment", "modal L4", "--replications", "64"),
    *(part for word in KEEP for part in ("--keep", word)),
    *("--set", "horizon=2h", "--set", "slo.cost_usd_per_month=null"),
)
_SOLVER = "costsim.study.tune.tuning.tune_resolved"


@pytest.fixture(scope="module")
def found(invoke, tmp_path_factory):
    """Ask once, and answer every later question of this module with what was found."""
    from costsim.study.tune.tuning import tune_resolved

    known = []

    def once(*arguments, **options):
        if not known:
            known.append(tune_resolved(*arguments, **options))
        return known[0]

    folder = tmp_path_factory.mktemp("tune")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_SOLVER, once)
        yield invoke(*ASKED, "--out", folder), folder


@pytest.mark.parametrize(
    ("form", "name"),
    [("json", "tune-answer.json"), ("csv", "tune.csv"), ("markdown", "tune.md")],
)
def test_the_answer_for_programs(invoke, golden, found, form, name):
    golden(name, steady(invoke(*ASKED, "--format", form).out))


def test_the_table_and_its_remarks(golden, found):
    answer, _ = found

    assert answer.exit_code == 0
    golden("tune.txt", steady(answer.out))
    golden("tune-remarks.txt", answer.err)


def test_the_table_of_a_narrow_terminal_without_unicode(invoke, golden, found):
    golden("tune-narrow.txt", steady(invoke(*ASKED, env=NARROW, charset="ascii").out))


def test_the_table_of_a_wide_terminal(invoke, golden, found):
    golden("tune-wide.txt", steady(invoke(*ASKED, env=WIDE).out))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tune.csv", "tune.csv"),
        ("pareto.csv", "tune-pareto.csv"),
        ("configuration.txt", "tune-configuration.txt"),
    ],
)
def test_the_files(golden, found, name, expected):
    _, folder = found

    golden(expected, steady((folder / name).read_text("utf-8")))


def test_the_saved_answer(golden, found):
    _, folder = found
    content = json.loads((folder / "tune.json").read_text("utf-8"))
    del content["documents"]

    golden("tune-saved.json", as_json(content))


@pytest.mark.parametrize("place", [0, 1])
def test_the_charts(golden, found, place):
    _, folder = found
    content = json.loads((folder / "tune.json").read_text("utf-8"))
    (document,) = content["documents"]

    drawing = document["drawings"][place]
    golden(f"chart-tune-{drawing['name']}.json", as_json(drawing["chart"], digits=6))


def test_the_words_of_the_page(invoke, golden, found, tmp_path):
    _, folder = found

    invoke("report", folder, "--html", tmp_path / "page.html")

    golden("page-tune.txt", page_words(tmp_path / "page.html"))
