"""What people read of a break-even study, and its chart."""

from __future__ import annotations

import io
import json
import re

import pytest
from break_evens import HOURLY, POISSON, written
from rich.console import Console
from small_study import always_on

from costsim import breakeven
from costsim.report.breakeven import breakeven_document, verdict, where
from costsim.report.breakeven_chart import breakeven_chart
from costsim.report.document import terminal_document
from costsim.report.pictures import picture

QUICK = ["replications=2", "horizon=5d"]


def studied(folder, over, *deployments, **changes):
    changes["deployments"] = deployments or HOURLY["deployments"]
    return breakeven(written(folder, HOURLY, **changes), over=over, overrides=QUICK)


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Cheapest by request below 8 an hour, 192 a day."""
    return studied(tmp_path_factory.mktemp("two"), "requests=150..220")


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """One slot has 60 requests of a minute an hour, 1,440 a day."""
    folder = tmp_path_factory.mktemp("full")
    return studied(folder, "requests=700..2000", always_on("full"), slo={"p95": "1d"})


def text_of(found, width=80):
    console = Console(file=io.StringIO(), width=width)
    console.print(terminal_document(breakeven_document(found), width=width))
    return console.file.getvalue()


def test_the_first_sentence_says_who_is_the_cheapest_where(two):
    assert verdict(two) == (
        "Cheapest: by request below 192 requests a day, stepping above."
    )


def test_the_own_volume_is_told_if_it_is_in_the_range(tmp_path):
    found = studied(tmp_path, "requests=110..220")

    assert verdict(found).endswith(
        "At the scenario's own 119 requests a day: by request."
    )


def test_nothing_crosses(tmp_path):
    found = studied(tmp_path, "requests=20..40")

    # An eighth of a dollar for each of 608 or 1,217 a month against 730 dollars, about.
    said = re.fullmatch(
        r"by request is the cheapest over the whole range, 20 to 40 requests a day: "
        r"\$(\S+) a month \((89|90)%\) less than the next at 20, "
        r"\$(\S+) a month \(79%\) less than the next at 40\.",
        verdict(found),
    )
    assert float(said[1]) == pytest.approx(730 - 608 / 8, rel=0.01)
    assert float(said[3]) == pytest.approx(730 - 1217 / 8, rel=0.01)


def test_a_tie_is_told(tmp_path):
    one, other = always_on("one"), always_on("other")

    assert verdict(studied(tmp_path, "requests=20..40", one, other)) == (
        "Nothing crosses: from 20 to 40 requests a day, one is among the cheapest, but "
        "another costs as little within the noise."
    )


def test_a_closed_form_stands_beside_the_crossing(tmp_path):
    path = written(tmp_path, POISSON)

    near = text_of(breakeven(path, over="requests=600..720"), 160)
    far = text_of(breakeven(path, over="requests=800..850"), 160)

    form = "closed form (M/G/1 with setup and idle timeout): at zero and always on"
    assert f"{form} cross at 658, inside the interval" in near
    assert f"{form} do not cross in this range" in far


def test_one_deployment_alone_has_nothing_to_compare_with(tmp_path):
    found = studied(tmp_path, "requests=20..40", always_on("alone"), slo={"p95": "2m"})

    assert verdict(found) == (
        "There is one deployment only, nothing to compare: alone costs $2,628 a month at "
        "20 requests a day and $2,628 a month at 40 requests a day. It meets p95 <= 2m "
        "everywhere."
    )
    assert "CHEAPEST" not in text_of(found)


def test_where_none_keeps_up_there_is_none(full):
    text = text_of(full)

    assert verdict(full).startswith("There is one deployment only")
    assert "! cannot keep up" in text
    assert "!" in text.split("COST A MONTH")[1]


def test_none_that_meets_the_slo_is_told(tmp_path):
    found = studied(tmp_path, "requests=20..40", slo={"p95": "1s"})

    assert verdict(found) == (
        "No deployment that meets p95 <= 1s anywhere from 20 to 40 requests a day."
    )
    text = text_of(found)
    assert "x misses the SLO" in text
    assert "x730.00" in text


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_terminal(two, full, width):
    lines = (text_of(two, width) + text_of(full, width)).splitlines()

    assert max(map(len, lines)) <= width
    assert not any(".." in line for line in lines)


def test_long_names_leave_out_why_a_regime_ends(tmp_path):
    long = [
        {**one, "name": f"{one['name']} of a far away machine"}
        for one in HOURLY["deployments"]
    ]

    found = studied(tmp_path, "requests=150..300", *long)

    text = text_of(found, 66)

    table = text.split("COSTS CROSS")[0].split("CHEAPEST\n")[1].strip().splitlines()
    assert max(map(len, text.splitlines())) <= 66
    assert len(table) == 1 + len(found.regimes)
    assert table[0].split() == ["DEPLOYMENT", "FROM", "TO", "95%", "INTERVAL"]


def test_a_narrow_terminal_drops_no_number(two):
    text = text_of(two, 30)

    assert max(map(len, text.splitlines())) <= 30
    assert "730.00" in text


def test_many_deployments_leave_columns_out_and_say_so(tmp_path):
    many = [always_on(f"machine {i}", n=i) for i in range(1, 9)]

    text = text_of(studied(tmp_path, "requests=20..40", *many))

    assert "2 more deployments: --format csv" in text
    assert "machine 8" in text


def test_cold_starts_stand_beside_the_p95_that_they_decide(tmp_path, full):
    cold = always_on("cold")
    cold["pool"] = {"idle_timeout": "1s"}

    text = text_of(studied(tmp_path, "requests=20..40", cold, setup="5s"))

    # Every request of a batch has a replica of its own, launched for it.
    assert "100%" in text.split("COLD STARTS")[1]
    assert "COLD STARTS" not in text_of(full)


@pytest.mark.parametrize(
    ("signs", "said"),
    [
        ([1, 1, 1], "everywhere"),
        ([-1, -1, -1], "never"),
        ([0, 0, 0], "not certain"),
        ([0, 1, 1], "everywhere, not certain in places"),
        ([-1, 0, 1], "from 150-220 on"),
        ([1, 0, -1], "up to 150-220"),
    ],
)
def test_where_something_holds_is_said_in_words(two, signs, said):
    track = list(zip([150.0, 190.0, 220.0], signs, strict=True))

    assert where(two, track) == said


def test_marks_are_explained_and_those_missing_are_not(two):
    text = text_of(two)

    assert "> the cheapest" in text
    assert "x misses" not in text
    assert "! cannot" not in text


def test_the_chart_holds_the_curves_and_their_intervals(two):
    chart = breakeven_chart(two)

    cost, p95 = chart["vconcat"]
    values = cost["data"]["values"]
    assert len(values) == len(p95["data"]["values"]) == 2 * len(two.points)
    first = values[0]
    assert first["cost_low"] <= first["cost"] <= first["cost_high"]
    assert cost["layer"][2]["encoding"]["x"]["scale"]["type"] == "log"


def test_the_chart_marks_crossings(two):
    cost, _ = breakeven_chart(two)["vconcat"]

    (mark,) = cost["layer"][0]["data"]["values"]
    assert mark["low"] <= 192 <= mark["high"]
    assert mark["what"] == "stepping is cheaper above 192"


def test_what_loses_requests_is_not_drawn(tmp_path):
    losing = always_on("losing")
    losing["pool"]["max_queued"] = 0
    found = studied(tmp_path, "requests=100..200", losing)

    cost, _ = breakeven_chart(found)["vconcat"]

    assert found.points[0].readings["losing"].measured is not None
    assert cost["data"]["values"] == []


def test_what_has_no_slots_is_not_drawn(full):
    cost, _ = breakeven_chart(full)["vconcat"]

    values = [one["at"] for one in cost["data"]["values"]]
    assert 0 < max(values) < 1440 < 2000
    assert len(full.points) > len(values)


@pytest.mark.parametrize(
    ("suffix", "begins"),
    [(".png", b"\x89PNG"), (".svg", b"<svg"), (".html", b"<!DOCTYPE html>")],
)
def test_the_chart_is_drawn_as_a_file(two, suffix, begins):
    chart = breakeven_chart(two)

    assert picture(chart, suffix).lstrip().startswith(begins)
    assert json.dumps(chart, allow_nan=False)
