"""``costsim tune`` at the terminal, for programs, and its exit codes."""

from __future__ import annotations

import csv
import io
import json

import pytest

_SCENARIO = """\
name: small
seed: 3
horizon: 4h
traffic: {streams: [{name: users, rate: 60/h}]}
service: {time: 2s}
setup: 10s
slo: {cold_start_fraction: 20%}
deployments:
  - {name: at zero, pool: {idle_timeout: 10m}, billing: {price: 3.6 USD/h}}
  - name: modal
    platform: modal
    gpu: L4
    resources: {cpu: 2, memory: 16 GiB}
    settings: {scaledown_window: 10m}
"""
_FAST = ("--replications", "4", "--quiet")


@pytest.fixture
def scenario(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(_SCENARIO.replace("20%", "0.2"), "utf-8")
    return path


@pytest.fixture
def shown(scenario, invoke):
    return invoke("tune", scenario, *_FAST)


def test_the_verdict_comes_first_and_nothing_is_too_wide(shown):
    lines = shown.out.splitlines()

    assert shown.exit_code == 0
    assert lines[0].startswith("small: ")
    assert lines[2].startswith("Cheapest that meets cold starts <= 20% with 95%")
    assert max(map(len, lines)) <= 80


def test_every_part_is_shown(shown):
    titles = [
        *("Cost against p95", "$ a month by scaledown_window and min_containers"),
        *("With 20% less traffic", "With 20% more traffic", "Ready to paste"),
        *("@app.cls(", "% of the full grid"),
    ]

    assert [title for title in titles if title not in shown.out] == []
    assert "now: modal" in shown.out


def test_a_narrow_terminal_clips_no_number(scenario, invoke):
    done = invoke("tune", scenario, *_FAST, env={"COLUMNS": "40"})

    cost = next(line for line in done.out.splitlines() if "$/MONTH" in line)
    assert cost
    assert "…" not in done.out


def test_one_deployment_and_what_is_kept(scenario, invoke):
    done = invoke(
        *("tune", scenario, *_FAST, "--deployment", "at zero"),
        *("--keep", "buffer_replicas", "--format", "json"),
    )

    content = json.loads(done.out)
    (row,) = content["deployments"]
    assert row["deployment"] == "at zero"
    assert "buffer_replicas" not in row["settings"]
    assert content["verdict"]["best"] == {
        key: row[key] for key in content["verdict"]["best"]
    }


def test_rows_are_for_programs(scenario, invoke):
    asked = ("tune", scenario, *_FAST, "--format")

    from_csv = list(csv.DictReader(io.StringIO(invoke(*asked, "csv").out)))
    markdown = invoke(*asked, "markdown").out.splitlines()

    assert [row["deployment"] for row in from_csv] == ["modal", "at zero"]
    assert markdown[0].startswith("**Cheapest that meets ")
    assert "| DEPLOYMENT |" in markdown[2]


def test_files_are_written(scenario, invoke, tmp_path):
    out, chart = tmp_path / "out", tmp_path / "chart.svg"

    done = invoke("tune", scenario, *_FAST, "--out", out, "--plot", chart)

    assert done.exit_code == 0
    assert sorted(file.name for file in out.iterdir()) == [
        *("configuration.txt", "pareto.csv", "tune.csv", "tune.json")
    ]
    assert "scaledown_window=" in (out / "configuration.txt").read_text("utf-8")
    assert chart.read_text("utf-8").startswith("<svg")


def test_a_picture_does_not_replace_a_file_unasked(scenario, invoke, tmp_path):
    chart = tmp_path / "chart.svg"
    chart.write_text("mine", "utf-8")

    refused = invoke("tune", scenario, *_FAST, "--plot", chart)
    assert refused.exit_code == 2
    assert "exists already" in refused.err
    assert chart.read_text("utf-8") == "mine"


def test_other_hardware_is_tried(scenario, invoke):
    done = invoke(
        *("tune", scenario, *_FAST, "--deployment", "modal", "--gpu", "T4:1.0"),
        *("--format", "json"),
    )

    rows = json.loads(done.out)["deployments"]
    assert [row["deployment"] for row in rows] == ["modal on T4", "modal"]


def test_nothing_that_meets_the_slo_is_exit_code_1(scenario, invoke):
    done = invoke("tune", scenario, *_FAST, "--set", "slo.p95=1s")

    assert done.exit_code == 1
    assert "Nothing that was tried meets p95 <= 1s" in done.out
    assert "Nearest: " in done.out
    assert "Ready to paste" not in done.out


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--set", "slo=null"), "give --set slo.p95=2s"),
        (("--confidence", "sure"), "write a share such as 95%"),
        (("--confidence", "20%"), "write one from 50% to 99.9%"),
        (("--gpu", "T4:0"), "the speed is a number above 0"),
        (("--gpu", "T5"), "no deployment can run on T5"),
        (("--deployment", "modall"), "did you mean"),
        (("--minimize", "costs"), "did you mean"),
        (("--plot", "chart.pdf"), "a picture ends in .png, .svg, .html"),
    ],
)
def test_what_is_wrong_is_told(scenario, invoke, options, text):
    arguments = ("tune", scenario, "--deployment", "modal", *_FAST, *options)
    done = invoke(*arguments)

    assert done.exit_code == 2
    assert text in done.err


def test_an_slo_can_be_given_on_the_command_line(scenario, invoke):
    scenario.write_text(_SCENARIO.replace("slo: {cold_start_fraction: 20%}\n", ""))

    done = invoke("tune", scenario, *_FAST, "--set", "slo.p95=30s")

    assert done.exit_code == 0
    assert "meets p95 <= 30s" in done.out
