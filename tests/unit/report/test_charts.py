"""Charts are specifications that hold their data, and are drawn as files."""

from datetime import UTC, datetime

import numpy as np
import pytest

from costsim.errors import InputError
from costsim.report.charts import gap_chart, rate_chart, stacked, week_chart
from costsim.report.pictures import picture

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
EDGES_S = np.array([0.0, 3600.0, 7200.0, 10800.0])
RATES = np.array([0.5, 0.0, 2.0])
WEEK = np.where(np.arange(168).reshape(7, 24) < 24, np.arange(24.0), np.nan)


def test_rates_are_steps_that_last_to_the_end_of_the_last_bin():
    values = rate_chart(EDGES_S, RATES, None)["data"]["values"]

    assert [one["at"] for one in values] == [0.0, 1.0, 2.0, 3.0]
    assert [one["rate"] for one in values] == [0.5, 0.0, 2.0, 2.0]


def test_times_are_those_of_the_clock_of_the_start():
    values = rate_chart(EDGES_S, RATES, START)["data"]["values"]

    assert values[1]["at"] == "2026-03-02T10:00:00Z"


def test_the_week_has_the_hours_that_were_seen():
    values = week_chart(WEEK)["data"]["values"]

    assert len(values) == 24
    assert values[23] == {"day": "Mon", "hour": 23, "rate": 23.0}


def test_gaps_lie_beside_those_of_poisson_arrivals():
    chart = gap_chart(
        np.array([0.1, 1.0, 10.0]), np.array([0.25, 0.75]), np.array([0.5, 0.5])
    )

    bar = chart["data"]["values"][1]

    assert (bar["from"], bar["to"], bar["share"], bar["poisson"]) == (1, 10, 0.75, 0.5)
    assert bar["middle"] == pytest.approx(10**0.5)


@pytest.mark.parametrize(
    ("suffix", "begins"),
    [(".png", b"\x89PNG"), (".svg", b"<svg"), (".html", b"<!DOCTYPE html>")],
)
def test_a_chart_is_drawn_as_a_file(suffix, begins):
    chart = stacked([rate_chart(EDGES_S, RATES, START), week_chart(WEEK)], "a log")

    content = picture(chart, suffix)

    assert content.lstrip().startswith(begins)
    assert suffix == ".png" or b"a log" in content


def test_a_page_asks_the_network_for_nothing():
    page = picture(stacked([week_chart(WEEK)], "a log"), ".html")

    assert b"<script src" not in page
    assert b"<link" not in page


def test_other_files_are_no_pictures():
    with pytest.raises(
        InputError, match=r"ends in \.png, \.svg, \.html, not in '\.gif'"
    ):
        picture(week_chart(WEEK), ".gif")
