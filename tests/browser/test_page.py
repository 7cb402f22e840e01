"""The page of a run in a real browser without network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from small_study import always_on, own, small

from costsim.report.page.page import page
from costsim.scenario.load import load_scenario
from costsim.study.run import run
from costsim.study.saved import read_saved

if TYPE_CHECKING:
    from costsim.scenario.schema import Scenario

_SCENARIOS = sorted(
    path
    for path in (Path(__file__).parents[2] / "scenarios").glob("*.yaml")
    if "trace:" not in path.read_text("utf-8")
)
_HOSTILE = (
    '</script><script>window.hacked = 1</script><img src=x onerror="window.hacked = 2">'
    "'\"&<!-- \u202egnp.exe\u202c \N{PILE OF POO} " + 10 * "x" + "{{ 7 * 7 }}"
)


def _content(scenario: Scenario, **other: Any) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(run(scenario, **other).to_json())
    return content


@pytest.fixture(scope="module")
def content() -> dict[str, Any]:
    return _content(
        small(own(idle_timeout="20s"), always_on(), horizon="2d", slo={"p95": "5s"})
    )


@pytest.fixture(scope="module")
def file(content, tmp_path_factory) -> Path:
    path: Path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(page(content), "utf-8")
    return path


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_a_page_asks_for_nothing_and_has_no_error(visit, file, color_scheme):
    seen = visit(file, color_scheme=color_scheme)
    seen.page.wait_for_selector("[data-ready]", state="attached")
    seen.page.mouse.move(300, 300)
    seen.page.mouse.wheel(0, 4000)

    assert (seen.requests, seen.complaints) == ([], [])


def test_the_verdict_comes_first(visit, file, content):
    seen = visit(file).page

    assert seen.inner_text("main > header p.verdict") == content["verdict"]["sentence"]
    assert seen.title() == "small - costsim"


@pytest.mark.parametrize(
    ("figure", "marks", "n"),
    [
        ("cost-split", "[aria-roledescription='bar']", 2 * 5),
        ("cost-latency", "[aria-roledescription='point']", 2),
        ("latency", ".mark-line path", 2),
        ("cold-starts", ".mark-line path", 2),
    ],
)
def test_every_chart_is_drawn_with_its_marks(visit, file, figure, marks, n):
    seen = visit(file).page

    assert seen.locator(f"figure#{figure} svg {marks}").count() == n
    box = seen.locator(f"figure#{figure} svg").first.bounding_box()
    assert box is not None
    assert box["width"] > 200


def test_the_timeline_has_a_curve_for_the_traffic_and_for_each_deployment(visit, file):
    seen = visit(file).page

    curves = seen.locator("#timeline .live polyline")

    names = curves.evaluate_all("all => all.map(one => one.dataset.curve)")
    assert names == ["traffic", "always on", "own"]
    points = curves.first.get_attribute("points")
    assert points is not None
    assert len(points.split()) > 100


def test_names_that_are_cut_to_the_same_text_are_told_apart(visit, tmp_path):
    names = [f"{'the same long beginning of a name ' * 2}{i}" for i in (1, 2)]
    path = tmp_path / "alike.html"
    path.write_text(page(_content(small(*map(own, names)))), "utf-8")

    seen = visit(path).page

    legend = seen.locator("#timeline .legend bdi").all_text_contents()
    cut = "the same long beginnin.."
    assert sorted(legend) == [f"1 {cut}", f"2 {cut}"]
    drawn = seen.locator("figure#latency svg .role-legend text").all_text_contents()
    assert sorted(drawn) == sorted(legend)


def _window(seen: Any) -> str:
    text: str = seen.inner_text("#timeline output")
    return text


def _settled(seen: Any, before: str) -> str:
    seen.wait_for_function(
        "before => document.querySelector('#timeline output').textContent !== before",
        arg=before,
    )
    return _window(seen)


def test_buttons_zoom_move_and_show_all(visit, file):
    seen = visit(file).page
    whole = _window(seen)

    seen.click("#timeline button[data-act=in]")
    closer = _settled(seen, whole)
    seen.click("#timeline button[data-act=right]")
    later = _settled(seen, closer)
    seen.click("#timeline button[data-act=all]")

    assert whole == "0 h to 48 h"
    assert (closer, later) == ("12 h to 36 h", "24 h to 48 h")
    assert _settled(seen, later) == whole


def test_keys_zoom_and_move(visit, file):
    seen = visit(file).page
    whole = _window(seen)
    seen.focus("#timeline .live")

    seen.keyboard.press("+")
    closer = _settled(seen, whole)
    seen.keyboard.press("ArrowLeft")
    earlier = _settled(seen, closer)
    seen.keyboard.press("0")

    assert (closer, earlier) == ("12 h to 36 h", "0 h to 24 h")
    assert _settled(seen, earlier) == whole


def test_dragging_over_a_span_shows_it_closer(visit, file):
    seen = visit(file).page
    whole = _window(seen)
    seen.locator("#timeline .live").scroll_into_view_if_needed()
    box = seen.locator("#timeline .live").bounding_box()
    y = box["y"] + 100

    seen.mouse.move(box["x"] + box["width"] / 2, y)
    seen.mouse.down()
    seen.mouse.move(box["x"] + box["width"] - 10, y, steps=4)
    seen.mouse.up()

    begin, end = _settled(seen, whole).split(" to ")
    assert 18 < float(begin.split()[0]) < 30
    assert float(end.split()[0]) > 44


def test_what_is_under_the_pointer_is_told(visit, file):
    seen = visit(file).page
    bar = seen.locator("figure#cost-split [aria-roledescription='bar']").first
    bar.scroll_into_view_if_needed()

    bar.hover()

    assert "deployment: " in seen.inner_text(".tooltip")


def test_a_page_is_readable_without_scripts(visit, file, content):
    seen = visit(file, java_script_enabled=False).page

    assert content["verdict"]["sentence"] in seen.inner_text("main")
    assert seen.locator("figure .static svg").count() == 5
    assert seen.locator("#timeline .static svg").is_visible()
    assert not seen.locator("#timeline .controls").is_visible()


@pytest.mark.parametrize("width", [320, 400, 800])
def test_a_narrow_screen_has_no_sideways_scrolling(visit, file, width):
    seen = visit(file, viewport={"width": width, "height": 800}).page

    assert seen.evaluate("document.documentElement.scrollWidth") <= width


def test_at_400_pixels_each_number_of_the_table_has_its_name(visit, file):
    seen = visit(file, viewport={"width": 400, "height": 800}).page
    cell = seen.locator("table.cards tbody tr").first.locator("td").nth(1)

    before = cell.evaluate("one => getComputedStyle(one, '::before').content")

    assert before == '"$/MONTH"'
    assert cell.bounding_box()["width"] > 200


def test_dark_and_light_have_other_colors_and_print_is_light(visit, file):
    paper = "getComputedStyle(document.body).backgroundColor"
    dark = visit(file, color_scheme="dark").page
    light = visit(file, color_scheme="light").page

    assert dark.evaluate(paper) != light.evaluate(paper) == "rgb(255, 255, 255)"
    dark.emulate_media(media="print")
    assert dark.evaluate(paper) == "rgb(255, 255, 255)"


def test_everything_that_can_be_used_can_be_reached_by_keyboard(visit, file):
    seen = visit(file).page
    reached = set()
    for _ in range(40):
        seen.keyboard.press("Tab")
        reached.add(
            seen.evaluate(
                "(document.activeElement.closest('[id]') || document.body).id + ' ' + "
                "(document.activeElement.dataset.act || document.activeElement.className)"
            )
        )

    assert {"timeline in", "timeline out", "timeline all", "timeline live"} <= reached


def test_the_page_is_the_data_too(file, content):
    assert read_saved(file) == content


@pytest.mark.parametrize(
    "name",
    [
        _HOSTILE,
        "\u202eright to left\u202c",
        "x" * 10_000,
        "\N{FAMILY} \u0645\u0631\u062d\u0628\u0627",
    ],
    ids=["markup", "bidi", "long", "emoji"],
)
def test_names_are_text_and_never_markup(visit, tmp_path, name):
    hostile = _content(small(own(name), always_on(), name=name, slo={"p95": "5s"}))
    path = tmp_path / "hostile.html"
    path.write_text(page(hostile), "utf-8")

    seen = visit(path)

    assert seen.page.evaluate("window.hacked") is None
    assert seen.page.text_content("h1 bdi") == name
    cells = seen.page.locator("table.cards tbody td bdi").all_text_contents()
    assert sorted(cells) == sorted([name, "always on"])
    assert seen.page.locator("img").count() == 0
    assert (seen.requests, seen.complaints) == ([], [])
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= 1280
    assert read_saved(path) == hostile


def test_a_page_with_a_lie_in_its_policy_would_be_seen(visit, file, tmp_path):
    broken = tmp_path / "broken.html"
    text = file.read_text("utf-8")
    broken.write_text(
        text.replace("<h2", '<img src="https://example.org/x.png"><h2', 1), "utf-8"
    )

    seen = visit(broken)

    assert seen.complaints != []


@pytest.mark.parametrize("path", _SCENARIOS, ids=lambda path: path.stem)
def test_pages_of_the_shipped_scenarios_are_small_and_clean(visit, tmp_path, path):
    scenario = load_scenario(path, overrides=["replications=2"])
    target = tmp_path / "page.html"
    target.write_text(page(_content(scenario)), "utf-8")

    seen = visit(target)
    seen.page.wait_for_selector("[data-ready]", state="attached")

    assert target.stat().st_size < 1_500_000
    assert (seen.requests, seen.complaints) == ([], [])


def test_a_year_in_minutes_is_a_page_below_three_megabytes(visit, tmp_path):
    year = small(
        own(idle_timeout="20s"),
        always_on(),
        horizon="365d",
        replications=1,
        start="2026-01-01T00:00:00",
        traffic={"streams": [{"rate": "2/h"}]},
    )
    target = tmp_path / "year.html"
    target.write_text(page(_content(year, timeline_bin_s=60.0)), "utf-8")

    seen = visit(target).page

    assert target.stat().st_size < 3_000_000
    whole = _window(seen)
    assert whole == "2026-01-01 00:00 to 2027-01-01 00:00"
    seen.click("#timeline button[data-act=in]")
    _settled(seen, whole)
    points = seen.locator("#timeline .live polyline").first.get_attribute("points")
    assert len(points.split()) < 2500
