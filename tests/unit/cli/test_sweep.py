"""``costsim sweep`` at the terminal."""

from __future__ import annotations

import csv
import io
import json

import pytest
from sweeps import SCENARIO, VARY, write_scenario

_OPTIONS = [part for key, text in VARY.items() for part in ("--vary", f"{key}={text}")]
_IDLE = "deployments.own.pool.idle_timeout"


@pytest.fixture
def scenario(tmp_path):
    return write_scenario(tmp_path)


def test_the_answer_comes_first_within_eighty_columns(scenario, invoke):
    done = invoke("sweep", scenario, *_OPTIONS, "--quiet")

    lines = done.out.splitlines()
    assert done.exit_code == 0
    assert "24 points of idle_timeout, replications" in lines[0]
    assert "is the cheapest that meets the SLO: $" in " ".join(lines[2:4])
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_no_line_is_wider_than_the_terminal_if_words_fit(scenario, invoke, width):
    done = invoke("sweep", scenario, *_OPTIONS, "-q", env={"COLUMNS": str(width)})

    assert max(map(len, done.out.splitlines())) <= width


def test_where_nothing_meets_the_slo_the_answer_says_so(scenario, invoke):
    done = invoke("sweep", scenario, *_OPTIONS, "-q", "--set", "slo.p95=1s")

    assert "No point meets the SLO; the cheapest is" in done.out


def test_without_an_slo_there_is_just_a_cheapest(tmp_path, invoke):
    keys = {key: value for key, value in SCENARIO.items() if key != "slo"}
    done = invoke("sweep", write_scenario(tmp_path, keys), *_OPTIONS, "-q")

    assert "is the cheapest: $" in " ".join(done.out.split())
    assert "SLO" not in done.out


def test_what_a_key_does_is_told_from_its_first_value_to_its_last(scenario, invoke):
    done = invoke("sweep", scenario, "--vary", f"{_IDLE}=1s,10m", "-q")

    assert "idle_timeout from 1s to 10m, the mean over all else" in done.out
    assert "no effect on always on" in done.out


def test_a_key_that_does_nothing_is_told(scenario, invoke):
    done = invoke("sweep", scenario, "--vary", "slo.p95=5s,6s", "-q")

    assert "p95 changes neither cost nor p95" in done.out


def test_rows_are_csv_with_the_values_as_columns(scenario, invoke):
    done = invoke("sweep", scenario, *_OPTIONS, "-q", "--format", "csv")

    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert len(rows) == 48
    assert rows[0][_IDLE] == "1s"
    assert rows[0][f"{_IDLE}_s"] == "1.0"


def test_json_has_the_summary_and_the_rows(scenario, invoke):
    done = invoke("sweep", scenario, *_OPTIONS, "-q", "--format", "json")

    content = json.loads(done.out)
    assert (content["points"], len(content["rows"])) == (24, 48)
    levels = content["effects"][0]["levels"]
    assert [level["text"] for level in levels][::11] == ["1s", "10m"]


def test_points_left_out_are_told(scenario, invoke):
    pool = "deployments.own.pool"
    done = invoke(
        "sweep",
        scenario,
        *("--vary", f"{pool}.min_replicas=0,2", "--vary", f"{pool}.max_replicas=1,3"),
        "-q",
    )

    assert "1 point not possible; the first:" in done.out
    assert "must not exceed" in done.out


def test_where_results_are_is_a_note(scenario, invoke, tmp_path):
    done = invoke("sweep", scenario, *_OPTIONS, "--out", tmp_path / "out")

    assert f"note: all results are in {tmp_path / 'out'}" in done.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--vary", "seed"], "write KEY=VALUES"),
        (["--vary", "seed=1,2", "--vary", "seed=3"], "seed is varied already"),
        (["--vary", "seed=1,1"], "comes again"),
        (["--vary", "sed=1,2"], "did you mean 'seed'"),
        (["--vary", "seed=1..9", "--latin-hypercube", "0"], "draw 1 point at least"),
        (["--vary", "seed=0.5..2.5"], "say how many values"),
        (
            ["--vary", "seed=1,2", "--workers", "2", "--cluster", "tcp://x:1"],
            "--workers is of this machine",
        ),
    ],
)
def test_what_cannot_be_is_exit_code_2_and_says_what_can(
    scenario, invoke, options, said
):
    done = invoke("sweep", scenario, *options)

    assert done.exit_code == 2
    assert said in done.err
    assert "Traceback" not in done.err
