"""The charts as Vega-Lite has them; what is drawn of them is the library's."""

from __future__ import annotations

import json

import pytest
from golden_outputs import FOLDER, RUN, as_json

from costsim.report.run_charts import CHARTS


@pytest.fixture(scope="module")
def content(invoke, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    invoke(*RUN, "--quiet", "--out", folder)
    return json.loads((folder / "result.json").read_text("utf-8"))


@pytest.mark.parametrize("name", list(CHARTS))
def test_the_charts_of_a_run(golden, content, name):
    golden(f"chart-{name}.json", as_json(CHARTS[name](content), digits=6))


def test_the_chart_of_traffic(invoke, golden, monkeypatch, tmp_path):
    drawn = []
    monkeypatch.setattr(
        "costsim.report.pictures.picture", lambda chart, _: drawn.append(chart) or b""
    )

    invoke(
        *("traffic", "plot", FOLDER / "scenario.yaml"),
        *("--out", tmp_path / "traffic.svg"),
    )

    golden("chart-traffic.json", as_json(*drawn, digits=6))
