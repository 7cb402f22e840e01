"""The pages of studies in a real browser without network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from studies import STUDIES

from costsim.report.answers import documents_of

if TYPE_CHECKING:
    from pathlib import Path

_HOSTILE = {
    "markup": '</script><script>window.hacked = 1</script><img src=x onerror="alert(1)">'
    "'\"&<!-- {{ 7 * 7 }} \u202egnp.exe\u202c \N{FAMILY} \N{PILE OF POO}",
    "long": "x" * 10_000,
}
_DRAWN = {
    "breakeven": {"breakeven": ("area", "line", "symbol")},
    "compare": {"changes": ("rule", "symbol")},
    "sweep": {
        "points": ("symbol",),
        "effect-0": ("line", "symbol"),
        "effect-1": ("line", "symbol"),
    },
    "tune": {"heat-map": ("rect", "text"), "front": ("line", "symbol")},
}
"""Marks of each chart of each study."""
_MARKS = [
    (kind, chart, mark)
    for kind, charts in _DRAWN.items()
    for chart, marks in charts.items()
    for mark in marks
]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return {
        kind: made(tmp_path_factory.mktemp(kind), "own")
        for kind, made in STUDIES.items()
    }


@pytest.fixture(scope="module")
def files(results, tmp_path_factory):
    folder: Path = tmp_path_factory.mktemp("pages")
    return {
        kind: result.to_html(folder / f"{kind}.html")
        for kind, result in results.items()
    }


@pytest.mark.parametrize("kind", list(STUDIES))
def test_a_page_asks_for_nothing_and_has_no_error(visit, files, kind):
    seen = visit(files[kind])
    seen.page.wait_for_selector("[data-ready]", state="attached")
    seen.page.mouse.wheel(0, 4000)

    assert (seen.requests, seen.complaints) == ([], [])


@pytest.mark.parametrize("kind", list(STUDIES))
def test_a_page_shows_the_verdict_and_every_number(visit, files, results, kind):
    document = documents_of(results[kind])[0]

    seen = visit(files[kind], java_script_enabled=False)

    cells = seen.page.locator("table.cards tbody td").all_text_contents()
    told = [
        column.cells
        for section in document.sections
        for column in section.columns[section.marked :]
        if not column.empty
    ]
    assert seen.page.text_content(".verdict") == document.verdict
    assert sorted(cells) == sorted(cell for some in told for cell in some)


def test_every_chart_is_here():
    assert list(_DRAWN) == list(STUDIES)


@pytest.mark.parametrize(("kind", "chart", "mark"), _MARKS)
def test_every_chart_is_drawn_with_its_marks(visit, files, results, kind, chart, mark):
    seen = visit(files[kind])

    drawn = seen.page.locator(f"#{chart}-0 svg g.mark-{mark} > *").count()
    assert set(results[kind].charts()) == set(_DRAWN[kind])
    assert drawn > 0


@pytest.mark.parametrize("kind", list(STUDIES))
def test_a_narrow_screen_has_no_sideways_scrolling(visit, files, kind):
    seen = visit(files[kind], viewport={"width": 320, "height": 700})

    assert seen.page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize("kind", list(STUDIES))
def test_axe_finds_nothing(visit, files, violations, kind):
    seen = visit(files[kind]).page
    seen.wait_for_selector("[data-ready]", state="attached")

    assert violations(seen) == []


@pytest.mark.parametrize("kind", list(STUDIES))
@pytest.mark.parametrize("name", list(_HOSTILE.values()), ids=list(_HOSTILE))
def test_names_are_text_and_never_markup(visit, tmp_path, kind, name):
    result = STUDIES[kind](tmp_path, name)

    seen = visit(result.to_html(tmp_path / "page.html"))

    assert seen.page.evaluate("window.hacked") is None
    assert seen.page.locator("img").count() == 0
    assert (seen.requests, seen.complaints) == ([], [])
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= 1280
