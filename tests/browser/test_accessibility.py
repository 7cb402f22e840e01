"""The page of a run for people who do not see it, or not well: axe finds nothing to mend."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from small_study import always_on, own, small

from costsim.report.page.page import page
from costsim.study.run import run

if TYPE_CHECKING:
    from pathlib import Path

_LONG = "a deployment with a name that goes on and on " * 3


@pytest.fixture(scope="module")
def text() -> str:
    """Return a page with everything on it: a choice, a miss, warnings, long names."""
    scenario = small(
        own(_LONG, idle_timeout="20s"),
        always_on(),
        always_on("one that loses", max_queued=1, queue_timeout="30s"),
        horizon="2d",
        slo={"p95": "75s"},
        service={"time": {"distribution": "exponential", "mean": "20s"}},
    )
    return page(json.loads(run(scenario).to_json()))


@pytest.fixture(scope="module")
def file(text, tmp_path_factory) -> Path:
    path: Path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(text, "utf-8")
    return path


@pytest.fixture(scope="module")
def without_script(text, tmp_path_factory) -> Path:
    """Return a page as it is where scripts are off; axe is one, so that it must be cut."""
    path: Path = tmp_path_factory.mktemp("page") / "still.html"
    path.write_text(re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL), "utf-8")
    return path


@pytest.mark.parametrize(("color_scheme", "width"), [("light", 1200), ("dark", 400)])
def test_axe_finds_nothing(visit, file, color_scheme, width, violations):
    size = {"width": width, "height": 900}
    seen = visit(file, color_scheme=color_scheme, viewport=size).page
    seen.wait_for_selector("[data-ready]", state="attached")

    assert violations(seen) == []


@pytest.mark.parametrize(("color_scheme", "width"), [("light", 1200), ("dark", 400)])
def test_axe_finds_nothing_without_scripts(
    visit, without_script, color_scheme, width, violations
):
    size = {"width": width, "height": 900}
    seen = visit(without_script, color_scheme=color_scheme, viewport=size).page

    assert seen.locator("#timeline .static svg").is_visible()
    assert violations(seen) == []


@pytest.mark.parametrize(
    ("before", "after", "law"),
    [
        ("--soft: #5c5c5c", "--soft: #b0b0b0", "color-contrast"),
        ('<html lang="en">', "<html>", "html-has-lang"),
        (
            'role="graphics-document" aria-labelledby',
            'role="img" data-none',
            "svg-img-alt",
        ),
        ('aria-label="Zoom in">+', "><i></i>", "button-name"),
    ],
    ids=["contrast", "language", "name of a chart", "name of a button"],
)
def test_axe_finds_what_is_broken(
    visit, text, tmp_path, before, after, law, violations
):
    broken = tmp_path / "broken.html"
    broken.write_text(text.replace(before, after), "utf-8")

    seen = visit(broken, color_scheme="light").page
    seen.wait_for_selector("[data-ready]", state="attached")

    assert law in [one.split(":")[0] for one in violations(seen)]


def test_every_chart_has_the_name_and_the_words_of_its_figure(visit, file):
    seen = visit(file).page

    told = seen.locator("figure .static svg").evaluate_all(
        """all => all.map(one => [
          document.getElementById(one.getAttribute("aria-labelledby")).textContent,
          document.getElementById(one.getAttribute("aria-describedby")).textContent,
        ])"""
    )

    shown = seen.locator("figure").evaluate_all(
        """all => all.map(one => [
          one.querySelector("h2").textContent, one.querySelector("figcaption").textContent,
        ])"""
    )
    assert told == shown
    assert len(told) == 5


def test_the_live_timeline_is_told_in_words_that_follow_the_window(visit, file):
    seen = visit(file).page
    svg = seen.locator("#timeline .live svg")
    before = svg.get_attribute("aria-label")

    seen.click("#timeline button[data-act=in]")
    seen.wait_for_function(
        "() => document.querySelector('#timeline output').textContent.startsWith('12 h')"
    )

    assert before.startswith("Traffic and replicas, 0 h to 48 h. Replicas of ")
    assert "always on: 1 to 1" in before
    after = svg.get_attribute("aria-label")
    assert after.startswith("Traffic and replicas, 12 h to 36 h. Replicas of ")
