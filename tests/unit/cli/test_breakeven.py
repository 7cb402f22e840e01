"""``costsim breakeven`` at the terminal."""

from __future__ import annotations

import csv
import io
import json

import pytest
from break_evens import HOURLY, written

OVER = ("--over", "requests=150..220", "--replications", "2", "--set", "horizon=5d")


@pytest.fixture
def scenario(tmp_path):
    return written(tmp_path, HOURLY)


def test_the_answer_comes_first_and_fits(scenario, invoke):
    done = invoke("breakeven", scenario, *OVER)

    lines = done.out.splitlines()
    assert done.exit_code == 0
    assert lines[0].startswith("hourly: cost against requests a day, 150 to 220")
    said = "Cheapest: by request below 192 requests a day, stepping above."
    assert lines.index(said) < lines.index("CHEAPEST") < lines.index("COSTS CROSS")
    assert max(map(len, lines)) <= 80


def test_notes_and_warnings_go_beside_the_answer(scenario, invoke):
    own_range = [*OVER[2:], "--set", "deployments.stepping.pool.concurrency_limit=40"]

    told = invoke("breakeven", scenario, *own_range)
    quiet = invoke("breakeven", scenario, *own_range, "--quiet")

    assert "note: covered are" in told.err
    assert "covered" not in told.out
    assert quiet.err == ""
    assert quiet.out == told.out


def test_rows_are_for_programs(scenario, invoke):
    asked = ("breakeven", scenario, *OVER, "--format")

    whole = json.loads(invoke(*asked, "json").out)
    rows = list(csv.DictReader(io.StringIO(invoke(*asked, "csv").out)))

    assert whole["crossings"][0]["cheaper_above"] == "stepping"
    assert len(whole["points"]) == len(rows)
    assert whole["points"][0]["requests_per_day"] == float(rows[0]["requests_per_day"])


def test_markdown_is_a_comment_for_a_pull_request(scenario, invoke):
    asked = ("breakeven", scenario, *OVER)

    comment = invoke(*asked, "--format", "markdown").out.splitlines()
    table = " ".join(invoke(*asked).out.split())

    verdict = comment[0].removeprefix("**").removesuffix("**")
    assert verdict.startswith("Cheapest")
    assert verdict in table
    assert "| DEPLOYMENT | FROM | TO | 95% INTERVAL | THEN |" in comment


def test_the_same_command_gives_the_same_bytes(scenario, invoke):
    asked = ("breakeven", scenario, *OVER, "--format", "json")

    assert invoke(*asked).out == invoke(*asked).out
    assert invoke(*asked, "--seed", "9").out != invoke(*asked).out


def test_files_are_written(scenario, invoke, tmp_path):
    picture, folder = tmp_path / "curve.svg", tmp_path / "out"

    done = invoke("breakeven", scenario, *OVER, "--plot", picture, "--out", folder)

    assert done.exit_code == 0
    assert picture.read_bytes().startswith(b"<svg")
    assert sorted(one.name for one in folder.iterdir()) == [
        *("breakeven.json", "crossings.csv", "curve.csv", "regimes.csv")
    ]
    assert json.loads((folder / "breakeven.json").read_text("utf-8"))["seed"] == 5
    assert (folder / "crossings.csv").read_text("utf-8").startswith("cheaper_below,")


def test_a_picture_is_not_written_over(scenario, invoke, tmp_path):
    picture = tmp_path / "curve.png"
    picture.write_bytes(b"mine")

    refused = invoke("breakeven", scenario, *OVER, "--plot", picture)

    assert refused.exit_code == 2
    assert "--force" in refused.err
    assert picture.read_bytes() == b"mine"
    assert (
        invoke("breakeven", scenario, *OVER, "--plot", picture, "--force").exit_code
        == 0
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--over", "requests=many"], "'many' is no range; write LOW..HIGH"),
        (["--over", "requsts"], "write requsts=LOW..HIGH"),
        (["--over", "deployments.stepping.pool.max=1..3"], "max"),
        (["--over", "deployments.nobody.speed=1..3"], "nobody"),
        (["--plot", "curve.pdf"], "a picture ends in .png, .svg, .html"),
        (["--precision", "no"], "write a share such as 2%"),
        (["--set", "seed=-1"], "--set seed=-1"),
        (["--prices", "missing.yaml"], "missing.yaml"),
    ],
)
def test_rubbish_is_exit_code_2_with_a_reason(scenario, invoke, arguments, told):
    done = invoke("breakeven", scenario, *arguments)

    assert done.exit_code == 2
    assert done.out == ""
    assert told in done.err
    assert "Traceback" not in done.err


def test_a_missing_scenario_is_told(invoke):
    done = invoke("breakeven", "no-such.yaml")

    assert done.exit_code == 2
    assert "no-such.yaml" in done.err


def test_own_prices_count(scenario, invoke, tmp_path):
    prices = tmp_path / "prices.yaml"
    prices.write_text(
        "ec2: {source: mine, as_of: 2026-11-01, instances: {g6.xlarge: 2 USD/h}}\n",
        "utf-8",
    )
    machine = "deployments=[{name: m, platform: ec2, instance: g6.xlarge}]"

    done = invoke(
        "breakeven", scenario, *OVER, "--set", machine, "--prices", prices, "-q"
    )

    assert "m costs $1,460 a month" in done.out
