"""The scenarios that come with costsim: each loads, is valid, runs, and says what it shows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

_FOLDER = Path(__file__).parents[2] / "scenarios"
_FILES = sorted(_FOLDER.glob("*.yaml"))
_OF_A_TRACE = "azure-code"


@pytest.fixture(params=_FILES, ids=lambda path: path.stem)
def scenario(request) -> Path:
    if request.param.stem == _OF_A_TRACE:
        # Its trace is not part of the project.
        request.getfixturevalue("shared_dir")
    return request.param


@pytest.fixture(scope="module")
def webinar(invoke) -> dict[str, str]:
    """Return the answers to webinar-launch, by form."""
    path = _FOLDER / "webinar-launch.yaml"
    return {
        form: invoke("run", path, "--replications", 2, "--format", form).out
        for form in ("table", "json")
    }


def test_there_are_scenarios():
    assert len(_FILES) >= 6


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.stem)
def test_a_scenario_begins_with_what_it_shows_and_is_named_like_its_file(path):
    text = path.read_text("utf-8")

    assert text.startswith("# ")
    assert f"\nname: {path.stem}\n" in text
    assert "\ndescription: " in text


def test_a_scenario_is_valid(invoke, scenario):
    answer = invoke("validate", scenario)

    assert answer.exit_code == 0
    assert answer.out.startswith(f"{scenario}: fine; ")


def test_a_scenario_runs_and_loses_nothing(invoke, scenario):
    answer = invoke("run", scenario, "--replications", 2, "--format", "json", "--quiet")

    assert answer.exit_code == 0
    told = json.loads(answer.out)
    rows = told["deployments"]
    assert len(rows) >= 3
    assert [row["served"] + row["rejected"] + row["timed_out"] for row in rows] == (
        pytest.approx([row["requests"] for row in rows])
    )
    assert {row["requests"] for row in rows} == {rows[0]["requests"]}
    assert min(row["cost_usd"] for row in rows) > 0
    assert min(row["p95_s"] for row in rows) > 0
    assert told["verdict"]["cheapest"] in [row["deployment"] for row in rows]


def test_webinar_launch_has_cost_and_p95_with_intervals_for_its_deployments(webinar):
    rows = json.loads(webinar["json"])["deployments"]

    assert len(rows) == 4
    assert [
        row["cost_usd_low"] < row["cost_usd"] < row["cost_usd_high"] for row in rows
    ] == ([True] * 4)
    assert [row["p95_s_low"] < row["p95_s"] < row["p95_s_high"] for row in rows] == (
        [True] * 4
    )


def test_webinar_launch_shows_them_in_80_columns(webinar):
    lines = webinar["table"].splitlines()

    names = [row["deployment"] for row in json.loads(webinar["json"])["deployments"]]
    heading = next(line for line in lines if "DEPLOYMENT" in line).split()
    assert heading[:5] == ["DEPLOYMENT", "$/MONTH", "+-", "P95", "+-"]
    assert [sum(line[3:].startswith(name) for line in lines) for name in names] == [
        1
    ] * 4
    assert max(map(len, lines)) <= 80


def test_webinar_launch_prints_the_same_bytes_again(invoke, webinar):
    again = invoke("run", _FOLDER / "webinar-launch.yaml", "--replications", 2)

    assert again.out == webinar["table"]


@pytest.mark.parametrize("platform", ["modal", "baseten"])
def test_one_warm_replica_buys_latency_with_money(invoke, platform):
    answer = invoke(
        *("run", _FOLDER / "min-replica-vs-zero.yaml"),
        *("--replications", 2, "--format", "json"),
    )

    row = {one["deployment"]: one for one in json.loads(answer.out)["deployments"]}
    zero, warm = row[f"{platform} at zero"], row[f"{platform} one warm"]
    assert warm["cost_usd"] > zero["cost_usd"]
    assert warm["p95_s"] < zero["p95_s"]
    assert warm["cold_start_fraction"] < zero["cold_start_fraction"]


def test_a_machine_that_is_always_on_wins_under_flat_load(invoke):
    answer = invoke(
        *("run", _FOLDER / "flat-high-load.yaml"),
        *("--replications", 2, "--format", "json", "--set", "horizon=1d"),
    )

    told = json.loads(answer.out)
    platform = {row["deployment"]: row["platform"] for row in told["deployments"]}
    assert platform[told["verdict"]["cheapest"]] == "AWS EC2"


def test_what_a_pool_has_learned_is_as_good_as_always_warm_and_much_cheaper(invoke):
    answer = invoke(
        *("run", _FOLDER / "learned-keep-alive.yaml"),
        *("--replications", 2, "--format", "json"),
    )

    told = json.loads(answer.out)
    row = {one["deployment"]: one for one in told["deployments"]}
    learned, warm = row["learned"], row["always warm"]
    twenty = row["at zero after 20 minutes"]
    assert told["verdict"]["cheapest"] == "learned"
    assert learned["cost_usd"] < warm["cost_usd"] / 5
    assert learned["p95_s"] < 1.1 * warm["p95_s"] < twenty["p95_s"] / 2
    assert learned["cold_start_fraction"] < 0.002 < twenty["cold_start_fraction"]
