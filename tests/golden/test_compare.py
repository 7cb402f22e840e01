"""What ``compare`` prints: of two scenarios, of saved results, and when it fails."""

from __future__ import annotations

import json

import pytest
from golden_outputs import (
    FOLDER,
    NARROW,
    PRICES,
    SCENARIO,
    WIDE,
    as_json,
    page_words,
    steady,
)

ALLOWED = (
    "--fail-on",
    "cost +10%",
    "--fail-on",
    "p95 +200ms",
    "--fail-on",
    "cold +1pp",
)


@pytest.fixture(scope="module")
def saved(invoke, tmp_path_factory):
    """Two saved results, the second with slower starts."""
    place = tmp_path_factory.mktemp("results")
    invoke("run", *SCENARIO, "--quiet", "--out", place / "old")
    slower = ("--set", "setup=60s")
    invoke("run", *SCENARIO, "--quiet", *slower, "--out", place / "new")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        yield "old", "new"


def test_a_scenario_and_what_is_changed_in_it(invoke, golden, monkeypatch):
    monkeypatch.chdir(FOLDER)

    answer = invoke("compare", "scenario.yaml", *PRICES, "--set", "setup=60s", *ALLOWED)

    assert answer.exit_code == 1
    golden("compare-changed.txt", answer.out)
    golden("compare-changed-remarks.txt", answer.err)


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("table", "compare.txt"),
        ("json", "compare.json"),
        ("csv", "compare.csv"),
        ("markdown", "compare.md"),
        ("github", "compare-github.txt"),
    ],
)
def test_two_saved_results(invoke, golden, saved, form, name):
    answer = invoke("compare", *saved, *ALLOWED, "--format", form)

    assert answer.exit_code == 1
    golden(name, steady(answer.out))


def test_two_saved_results_on_a_narrow_terminal_without_unicode(invoke, golden, saved):
    answer = invoke("compare", *saved, env=NARROW, charset="ascii")

    assert answer.exit_code == 0
    golden("compare-narrow.txt", answer.out)


def test_two_saved_results_on_a_wide_terminal(invoke, golden, saved):
    golden("compare-wide.txt", invoke("compare", *saved, env=WIDE).out)


@pytest.fixture
def written(invoke, saved, tmp_path):
    page, folder = tmp_path / "page.html", tmp_path / "out"
    invoke("compare", *saved, *ALLOWED, "--html", page, "--out", folder)
    return page, folder


def test_the_words_of_the_page(golden, written):
    golden("page-compare.txt", page_words(written[0]))


def test_the_files(golden, written):
    _, folder = written

    assert sorted(path.name for path in folder.iterdir()) == [
        "changes.csv",
        "compare.json",
    ]
    golden("compare.csv", steady((folder / "changes.csv").read_text("utf-8")))


def test_the_chart(golden, written):
    content = json.loads((written[1] / "compare.json").read_text("utf-8"))
    (drawing,) = content["documents"][0]["drawings"]

    golden("chart-compare.json", as_json(drawing["chart"], digits=6))
