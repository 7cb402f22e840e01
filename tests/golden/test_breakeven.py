"""What ``breakeven`` prints and writes."""

from __future__ import annotations

import json

import pytest
from golden_outputs import NARROW, SCENARIO, WIDE, as_json, page_words, steady

ASKED = (
    *("breakeven", *SCENARIO, "--over", "requests=8000..60000"),
    *("--replications", "3", "--set", "horizon=3h", "--set", "slo.p95=30s"),
)
_SOLVER = "costsim.study.breakeven.study.breakeven"


@pytest.fixture(scope="module")
def found(invoke, tmp_path_factory):
    """Ask once, and answer what is asked of the same range later with what was found."""
    from costsim.study.breakeven.study import breakeven

    known = {}

    def once(*arguments, over, **options):
        if over not in known:
            known[over] = breakeven(*arguments, over=over, **options)
        return known[over]

    folder = tmp_path_factory.mktemp("breakeven")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_SOLVER, once)
        yield invoke(*ASKED, "--out", folder), folder


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("json", "breakeven-answer.json"),
        ("csv", "breakeven.csv"),
        ("markdown", "breakeven.md"),
    ],
)
def test_the_answer_for_programs(invoke, golden, found, form, name):
    answer = steady(invoke(*ASKED, "--format", form).out)
    if form == "json":
        answer = as_json(json.loads(answer))

    golden(name, answer)


def test_the_table_and_its_remarks(golden, found):
    answer, _ = found

    golden("breakeven.txt", steady(answer.out))
    golden("breakeven-remarks.txt", answer.err)


def test_the_table_of_a_narrow_terminal_without_unicode(invoke, golden, found):
    golden(
        "breakeven-narrow.txt", steady(invoke(*ASKED, env=NARROW, charset="ascii").out)
    )


def test_the_table_of_a_wide_terminal(invoke, golden, found):
    golden("breakeven-wide.txt", steady(invoke(*ASKED, env=WIDE).out))


@pytest.mark.parametrize("name", ["crossings", "regimes"])
def test_the_files(golden, found, name):
    _, folder = found

    golden(f"breakeven-{name}.csv", steady((folder / f"{name}.csv").read_text("utf-8")))


def test_the_file_of_the_curve_is_the_answer_as_csv(golden, found):
    _, folder = found

    golden("breakeven.csv", steady((folder / "curve.csv").read_text("utf-8")))


def _charts(content):
    return [one["chart"] for one in content["documents"][0]["drawings"]]


def test_the_chart(golden, found):
    _, folder = found
    content = json.loads((folder / "breakeven.json").read_text("utf-8"))

    golden("chart-breakeven.json", as_json(*_charts(content), digits=6))


def test_the_saved_answer_is_the_answer_as_json(invoke, found):
    _, folder = found
    content = json.loads((folder / "breakeven.json").read_text("utf-8"))
    answer = json.loads(invoke(*ASKED, "--format", "json").out)

    assert {key: content[key] for key in answer} == answer
    assert content.keys() - answer.keys() == {"study", "documents"}


def test_what_is_not_the_cheapest_for_certain(invoke, golden):
    few = ("--over", "requests=2000..40000", "--replications", "2")

    answer = invoke("breakeven", *SCENARIO, *few, "--set", "horizon=3h", "--quiet")

    golden("breakeven-noise.txt", steady(answer.out))


def test_the_words_of_the_page(invoke, golden, found, tmp_path):
    _, folder = found

    invoke("report", folder, "--html", tmp_path / "page.html")

    golden("page-breakeven.txt", page_words(tmp_path / "page.html"))
