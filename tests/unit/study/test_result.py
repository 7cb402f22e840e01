"""Results as files and data: the promised names, and a file that reproduces its run."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import pytest
from small_study import ROW_NAMES, always_on, answer, own

from costsim.errors import OutputError
from costsim.scenario.load import load_scenario
from costsim.study.run import run

if TYPE_CHECKING:
    from costsim.study.result import RunResult

VARIED = {"service": {"time": {"distribution": "exponential", "mean": "20s"}}}


@pytest.fixture(scope="module")
def result() -> RunResult:
    return answer(own(), always_on(n=2), slo={"p95": "60s"}, **VARIED)


def test_rows_have_the_promised_names_in_the_promised_order(result):
    assert [list(row) for row in result.to_rows()] == [ROW_NAMES, ROW_NAMES]


def test_a_row_holds_numbers_and_never_text_for_a_number(result):
    kinds = {name: type(value) for name, value in result.to_rows()[0].items()}

    assert {kinds.pop(name) for name in ("deployment", "platform", "gpu")} == {str}
    assert kinds.pop("meets_slo") is bool
    assert kinds.pop("replications") is int
    assert set(kinds.values()) == {float}


def test_what_is_not_known_is_null_and_not_zero():
    (row,) = answer(own(max_replicas=0), replications=1).to_rows()

    nothing = {name for name, value in row.items() if value is None}
    assert nothing == {
        "cost_usd_low", "cost_usd_high", "cost_usd_per_1k_requests", "mean_s", "p50_s",
        "p90_s", "p95_s", "p95_s_low", "p95_s_high", "p99_s", "mean_wait_s",
        "cold_start_fraction", "over_slo_fraction", "utilization", "meets_slo",
    }  # fmt: skip


def test_one_replication_has_no_interval_on_either_side():
    (row,) = answer(own(), replications=1).to_rows()

    ends = ("cost_usd_low", "cost_usd_high", "p95_s_low", "p95_s_high")
    assert [row[name] for name in ends] == [None] * 4


def test_an_interval_does_not_reach_below_zero():
    # Two replications with a handful of requests of very different lengths each.
    (row,) = answer(
        own(),
        replications=2,
        seed=5,
        traffic={"streams": [{"rate": "3/h"}]},
        service={"time": {"distribution": "lognormal", "median": "1s", "sigma": 3.0}},
    ).to_rows()

    assert row["cost_usd_low"] == row["p95_s_low"] == 0.0
    assert row["cost_usd_high"] > 2 * row["cost_usd"]
    assert row["p95_s_high"] > 2 * row["p95_s"]


def test_the_dict_has_the_promised_keys(result):
    told = result.to_dict()

    promised = {
        "schema_version", "costsim_version", "scenario", "seed", "prices_as_of",
        "deployments", "verdict", "thresholds", "warnings",
    }  # fmt: skip
    assert promised <= set(told)
    assert set(told["scenario"]) == {"name", "hash"}
    assert set(told["verdict"]) == {"sentence", "cheapest", "tie"}
    assert told["deployments"] == result.to_rows()


def test_each_stream_has_the_rate_that_came_beside_the_one_asked_for():
    users = {"name": "users", "rate": "600/h", "trend": {"growth_per_month": 0.0}}
    clock = {
        "name": "clock",
        "arrivals": {"process": "cron", "every": "1h", "batch_size": 5},
    }
    found = answer(own(), traffic={"streams": [users, clock]}, horizon="4h")

    first, second = found.traffic
    assert (first.name, second.name) == ("users", "clock")
    assert first.asked_rate_per_s * 6 == pytest.approx(1)
    assert first.requests == pytest.approx(2400, abs=5 * (2400 / 3) ** 0.5)
    assert first.rate_per_s == pytest.approx(first.requests / 14_400)
    # At 1 h, 2 h and 3 h: the run ends at the fourth.
    assert (second.requests, second.asked_rate_per_s) == (15, 15 / 14_400)
    assert found.rows[0].requests == first.requests + second.requests
    assert found.to_dict()["traffic"][1]["rate_per_s"] == second.rate_per_s


def test_the_json_is_standard_json(result):
    def refuse(word):
        raise AssertionError(word)

    told = json.loads(result.to_json(), parse_constant=refuse)

    assert told["deployments"] == result.to_rows()
    assert sum(line["cost_usd"] for line in told["bill"]) == pytest.approx(
        sum(row["cost_usd"] for row in told["deployments"])
    )


def test_the_scenario_in_the_json_reproduces_the_run(result, tmp_path):
    resolved = json.loads(result.to_json())["resolved_scenario"]
    path = tmp_path / "again.yaml"
    path.write_text(json.dumps(resolved))

    again = run(load_scenario(path))

    assert again.to_json() == result.to_json()
    assert again.scenario_hash == result.scenario_hash


def test_the_csv_files_hold_the_rows_the_bill_and_the_timeline(result, tmp_path):
    paths = result.to_csv(tmp_path / "new" / "folder")

    assert [path.name for path in paths] == ["summary.csv", "bill.csv", "timeline.csv"]
    summary, bill, timeline = (
        list(csv.DictReader(path.read_text().splitlines())) for path in paths
    )
    assert list(summary[0]) == ROW_NAMES
    assert float(summary[1]["cost_usd"]) == result.rows[1].cost_usd
    assert {row["deployment"] for row in bill} == {"own", "always on"}
    assert len(timeline) == 2 * 240
    assert [float(row["time_s"]) for row in timeline[:3]] == [0.0, 30.0, 60.0]


def test_a_folder_that_cannot_be_written_is_an_error_that_names_it(result, tmp_path):
    taken = tmp_path / "taken"
    taken.write_text("")

    with pytest.raises(OutputError) as refusal:
        result.to_csv(taken)

    assert refusal.value.path == str(taken / "summary.csv")


def test_nothing_is_left_of_a_file_that_could_not_be_finished(result, tmp_path):
    (tmp_path / "summary.csv").mkdir()

    with pytest.raises(OutputError):
        result.to_csv(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["summary.csv"]


def test_a_data_frame_has_the_same_names_and_numbers(result):
    frame = result.to_pandas()

    assert list(frame.columns) == ROW_NAMES
    assert frame["cost_usd"].tolist() == [row.cost_usd for row in result.rows]
    assert frame["p95_s"].dtype == float


def test_the_representation_is_the_answer(result):
    assert repr(result) == (f"<costsim.RunResult 'small': {result.verdict.sentence}>")


def test_the_hash_changes_with_the_scenario_and_not_with_the_folder(result):
    other = answer(own(), always_on(n=2), slo={"p95": "61s"}, **VARIED)

    assert len(result.scenario_hash) == 16
    assert other.scenario_hash != result.scenario_hash


def test_a_bill_of_several_replications_is_their_mean(result):
    lines = [line for line in result.bill_lines if line.deployment == "always on"]

    assert {line.unit for line in lines} == {"replica-hour"}
    # Two replicas for the two hours, and for what is left to serve at their end.
    assert sum(line.quantity for line in lines) == pytest.approx(4.0, abs=0.1)
    assert sum(line.quantity for line in lines) >= 4.0
    assert [line.cost_usd for line in lines] == [
        line.quantity * line.usd_per_unit for line in lines
    ]
