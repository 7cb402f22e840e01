"""Saved results: what comes back is what was saved."""

from __future__ import annotations

import json
from html import escape

import numpy as np
import pytest
from small_study import always_on, answer, own

from costsim.report.chart_parts import by_merit
from costsim.report.page.page import summary
from costsim.report.run_charts import CHARTS
from costsim.study.saved import read_saved, restored


@pytest.fixture(scope="module")
def result():
    return answer(own(idle_timeout="20s"), always_on(), slo={"p95": "5s"})


def test_rows_verdict_and_bounds_come_back(result):
    back = restored(json.loads(result.to_json()))

    assert repr(back.rows) == repr(result.rows)
    assert back.verdict == result.verdict
    assert repr(back.thresholds) == repr(result.thresholds)
    assert back.traffic == result.traffic


def test_the_latency_curve_is_that_of_all_response_times(result):
    content = json.loads(result.to_json())

    curve = dict(
        zip(
            content["latency"]["share"],
            content["latency"]["response_s"]["own"],
            strict=True,
        )
    )

    row = result.rows[0]
    assert curve[0.5] == pytest.approx(row.p50_s, rel=2e-3)
    assert curve[0.95] == pytest.approx(row.p95_s, rel=2e-3)
    assert curve[0.99] == pytest.approx(row.p99_s, rel=2e-3)
    assert list(curve.values()) == sorted(curve.values())


def test_the_timeline_comes_back_to_five_digits(result):
    back = restored(json.loads(result.to_json()))

    np.testing.assert_allclose(
        back.timelines[0].ready, result.timelines[0].ready, rtol=1e-4
    )


def test_cold_starts_over_time_add_up(result):
    cold = [
        float((one.cold * one.span_s).sum()) / float((one.arrivals * one.span_s).sum())
        for one in result.timelines
    ]

    first = [one["cold_start_fraction"][0] for one in result.samples]
    assert cold == pytest.approx(first)


@pytest.mark.parametrize("most", [1, 7, 100, 240, 1000])
def test_a_coarser_timeline_has_the_same_total(result, most):
    fine = result.timelines[0]

    coarse = fine.coarser(most)

    assert coarse.span_s.size <= max(most, 1)
    assert (coarse.ready * coarse.span_s).sum() == pytest.approx(
        (fine.ready * fine.span_s).sum()
    )
    assert coarse.span_s.sum() == pytest.approx(fine.span_s.sum())


def test_a_page_is_written_and_read_back(result, tmp_path):
    path = result.to_html(tmp_path / "page.html")

    assert read_saved(path) == json.loads(result.to_json())


def test_a_notebook_shows_verdict_and_table(result):
    html = result._repr_html_()

    assert escape(result.verdict.sentence, quote=False) in html
    assert html.count("<tr>") == 3
    assert summary(json.loads(result.to_json())) == html


def test_deployments_with_names_that_begin_alike_are_two_in_every_chart():
    names = ["a name that is longer than any chart shows, one", "a name that is longer than any chart shows, two"]  # fmt: skip
    content = json.loads(answer(*(own(name) for name in names)).to_json())

    labels = {row["label"] for row in by_merit(content)}
    drawn = CHARTS["latency"](content)

    assert len(labels) == 2
    assert {value["deployment"] for value in drawn["data"]["values"]} == labels
