"""``costsim run``: every option, what goes to which stream, and the exit code."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from small_study import ROW_NAMES

from costsim import __version__
from costsim.errors import SimulationError
from costsim.scenario.template import shipped

if TYPE_CHECKING:
    from pathlib import Path

SMALL = """
name: small
seed: 3
horizon: 2h
replications: 2
traffic:
  streams:
    - {name: users, rate: 60/h}
service: {time: 2s}
setup: 10s
slo: {p95: 11s}
deployments:
  - name: on demand
    pool: {idle_timeout: 60s}
    billing: {price: 3.6 USD/h}
  - name: always on
    pool: {autoscaler: {kind: fixed}, min_replicas: 1, max_replicas: 1}
    billing: {price: 3.6 USD/h}
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    return path


@pytest.fixture
def told(invoke, scenario) -> Any:
    """Return a function from options to the parsed answer in JSON."""

    def run(*options: object) -> Any:
        answer = invoke("run", scenario, "--format", "json", *options)
        assert answer.exit_code == 0
        return json.loads(answer.out)

    return run


def test_the_answer_is_on_stdout_and_remarks_are_on_stderr(invoke, scenario):
    answer = invoke("run", scenario)

    assert answer.exit_code == 0
    assert answer.out.startswith("small: ")
    assert "DEPLOYMENT" in answer.out
    assert "warning" not in answer.out
    assert {line.split(":")[0] for line in answer.err.splitlines()} == {"warning"}


def test_a_table_that_is_piped_has_no_color_box_or_trailing_space(invoke, scenario):
    answer = invoke("run", scenario)

    lines = answer.out.splitlines()
    assert answer.out.replace("\n", "").isprintable()
    assert [line for line in lines if line != line.rstrip()] == []
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("columns", ["40", "60", "100", "160"])
def test_columns_of_the_environment_set_the_width(invoke, scenario, columns):
    answer = invoke("run", scenario, env={"COLUMNS": columns})

    assert max(map(len, answer.out.splitlines())) <= int(columns)


@pytest.mark.parametrize("columns", ["0", "-5", "abc", ""])
def test_a_width_that_makes_no_sense_is_80(invoke, scenario, columns):
    assert (
        invoke("run", scenario, env={"COLUMNS": columns}).out
        == invoke("run", scenario).out
    )


def test_a_stream_without_unicode_gets_ascii(invoke, scenario):
    scenario.write_text(SMALL.replace("name: on demand", "name: Größe → 1"))

    answer = invoke("run", scenario, charset="ascii")

    assert answer.exit_code == 0
    assert answer.out.isascii()
    assert "Gr??e ? 1" in answer.out


@pytest.mark.parametrize("form", ["json", "csv", "markdown"])
def test_forms_for_programs_print_nothing_else_on_stdout(invoke, scenario, form):
    loud = invoke("run", scenario, "--format", form)
    quiet = invoke("run", scenario, "--format", form, "--quiet")

    assert loud.out == quiet.out
    assert loud.err
    assert not quiet.err


def test_json_has_the_promised_keys_and_rows(told):
    found = told()

    assert found["schema_version"] == 1
    assert found["costsim_version"] == __version__
    assert found["scenario"]["name"] == "small"
    assert found["seed"] == 3
    assert [list(row) for row in found["deployments"]] == [ROW_NAMES, ROW_NAMES]
    assert [row["deployment"] for row in found["deployments"]] == [
        "on demand",
        "always on",
    ]
    assert found["verdict"]["cheapest"] == "always on"
    assert {one["measure"] for one in found["thresholds"]} == {"p95_s", "lost_fraction"}
    assert found["warnings"]


def test_csv_has_the_promised_columns_and_the_numbers_of_the_json(
    invoke, scenario, told
):
    answer = invoke("run", scenario, "--format", "csv")

    rows = list(csv.DictReader(answer.out.splitlines()))
    assert list(rows[0]) == ROW_NAMES
    assert [float(row["cost_usd"]) for row in rows] == [
        row["cost_usd"] for row in told()["deployments"]
    ]
    assert [row["meets_slo"] for row in rows] == ["False", "True"]


def test_markdown_has_a_heading_a_rule_and_a_line_for_each_deployment(invoke, scenario):
    answer = invoke("run", scenario, "--format", "markdown")

    lines = [line for line in answer.out.splitlines() if line.startswith("|")]
    heading, rule, *rows = lines
    cells = [cell.strip() for cell in heading.strip("|").split("|")]
    assert cells[:4] == ["", "deployment", "$/MONTH", "+-"]
    assert set(rule) <= set("|-: ")
    names = sorted(row.split("|")[2].strip() for row in rows)
    assert names == ["always on", "on demand"]


@pytest.mark.parametrize("form", ["table", "json", "csv", "markdown"])
def test_the_same_seed_prints_the_same_bytes(invoke, scenario, form):
    first = invoke("run", scenario, "--format", form)
    second = invoke("run", scenario, "--format", form)

    assert first == second


def test_seed_and_replications_replace_those_of_the_file(told):
    found = told("--seed", 8, "--replications", 3)

    assert found["seed"] == 8
    assert found["deployments"][0]["replications"] == 3
    assert found["deployments"][0]["cost_usd"] != told()["deployments"][0]["cost_usd"]


def test_set_changes_any_value_and_the_hash(told):
    found = told(
        "--set", "deployments.1.billing.price=7.2 USD/h", "--set", "name=other"
    )

    before = told()
    assert found["scenario"]["name"] == "other"
    assert found["scenario"]["hash"] != before["scenario"]["hash"]
    assert found["deployments"][1]["cost_usd"] == pytest.approx(
        2 * before["deployments"][1]["cost_usd"]
    )
    assert found["deployments"][0] == before["deployments"][0]


def test_seed_by_option_and_by_set_are_the_same(told):
    assert told("--seed", 8) == told("--set", "seed=8")


def test_prices_of_a_file_replace_the_shipped_ones(invoke, tmp_path):
    path = tmp_path / "machines.yaml"
    content = yaml.safe_load(SMALL)
    content["deployments"] = [
        {"name": "machine", "platform": "ec2", "instance": "g6.xlarge"}
    ]
    path.write_text(yaml.safe_dump(content))
    prices = tmp_path / "prices.yaml"
    prices.write_text("ec2: {as_of: 2026-11-01, instances: {g6.xlarge: 2.50 USD/h}}\n")

    answer = invoke("run", path, "--prices", prices, "--format", "json")

    (row,) = json.loads(answer.out)["deployments"]
    # Two hours, and the few seconds in which the last request is served.
    assert 5.0 <= row["cost_usd"] < 5.01
    assert json.loads(answer.out)["prices_as_of"] == "2026-11-01"


def test_out_writes_four_files_and_prints_the_same(invoke, scenario, tmp_path):
    folder = tmp_path / "results" / "today"

    answer = invoke("run", scenario, "--out", folder)

    assert answer == invoke("run", scenario)
    assert sorted(path.name for path in folder.iterdir()) == [
        "bill.csv",
        "result.json",
        "summary.csv",
        "timeline.csv",
    ]
    csv_out = invoke("run", scenario, "--format", "csv").out
    assert (folder / "summary.csv").read_bytes().decode() == csv_out
    saved = json.loads((folder / "result.json").read_text("utf-8"))
    assert saved["resolved_scenario"]["name"] == "small"


def test_out_writes_over_what_it_wrote_before_with_force(invoke, scenario, tmp_path):
    invoke("run", scenario, "--out", tmp_path, "--seed", 1)
    invoke("run", scenario, "--out", tmp_path, "--seed", 2, "--force")

    saved = json.loads((tmp_path / "result.json").read_text("utf-8"))
    assert saved["seed"] == 2


def test_out_that_cannot_be_written_is_exit_2(invoke, scenario):
    answer = invoke("run", scenario, "--out", scenario)

    assert answer.exit_code == 2
    assert answer.err.splitlines()[0].startswith(f"error: {scenario}/summary.csv: ")


def test_a_missed_slo_is_exit_1_only_with_check(invoke, scenario):
    plain = invoke("run", scenario)
    checked = invoke("run", scenario, "--check")

    assert (plain.exit_code, checked.exit_code) == (0, 1)


def test_with_check_every_bound_comes_first_with_a_tick_or_a_cross(invoke, scenario):
    lines = invoke("run", scenario, "--check").out.splitlines()

    bounds = lines[: lines.index("")]
    assert [line[0] for line in bounds] == ["\N{BALLOT X}"] + ["\N{CHECK MARK}"] * (
        len(bounds) - 1
    )
    plain = invoke("run", scenario, "--check", charset="ascii").out
    assert plain.startswith("FAIL ")


def test_an_slo_that_is_met_or_not_there_is_exit_0_with_check(invoke, scenario):
    assert invoke("run", scenario, "--check", "--set", "slo.p95=1m").exit_code == 0
    assert invoke("run", scenario, "--check", "--set", "slo=null").exit_code == 0


def test_the_last_digit_of_a_bound_decides_the_exit_code(invoke, scenario):
    # Deterministic: a cold request takes 12 s.
    met = invoke("run", scenario, "--check", "--set", "slo.p95=12s")
    missed = invoke("run", scenario, "--check", "--set", "slo.p95=11.999999s")

    assert (met.exit_code, missed.exit_code) == (0, 1)


def test_notes_and_warnings_are_told_apart(invoke, scenario):
    answer = invoke(
        "run",
        scenario,
        "--set",
        "traffic.spikes=[{shape: event, at: 3h, peak: 1/s}]",
    )

    assert "note: the spike 3h after the start begins after the horizon" in answer.err
    assert "warning: a replication has only " in answer.err


def test_a_shipped_scenario_is_found_by_its_name():
    assert shipped("webinar-launch").endswith("scenarios/webinar-launch.yaml")


def test_a_trace_is_found_beside_its_scenario(invoke, tmp_path, monkeypatch):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "requests.csv").write_text(
        "arrival,duration\n" + "".join(f"{60 * i},2\n" for i in range(1, 100))
    )
    content = yaml.safe_load(SMALL)
    content["traffic"] = {"trace": {"path": "requests.csv"}}
    content["service"] = {"time": "trace"}
    (folder / "trace.yaml").write_text(yaml.safe_dump(content))
    monkeypatch.chdir(tmp_path)

    answer = invoke("run", "elsewhere/trace.yaml", "--format", "json")

    assert json.loads(answer.out)["deployments"][0]["requests"] == 99


def test_an_interrupt_is_exit_130(invoke, scenario, monkeypatch):
    def interrupted(*arguments, **keywords):
        raise KeyboardInterrupt

    monkeypatch.setattr("costsim.study.run.replicate", interrupted)

    answer = invoke("run", scenario)

    assert (answer.exit_code, answer.out, answer.err) == (130, "", "interrupted\n")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            MemoryError(),
            "error: out of memory; shorten the horizon\n"
            "explain: costsim explain out-of-memory\n",
        ),
        (SimulationError("it does not end"), "error: it does not end\n"),
    ],
)
def test_a_run_that_cannot_be_completed_is_exit_3(
    invoke, scenario, monkeypatch, error, message
):
    def fail(*arguments, **keywords):
        raise error

    monkeypatch.setattr("costsim.study.run.replicate", fail)

    answer = invoke("run", scenario)

    assert (answer.exit_code, answer.out, answer.err) == (3, "", message)


def test_a_bug_stays_a_traceback(invoke, scenario, monkeypatch):
    def fail(*arguments, **keywords):
        message = "a bug"
        raise ValueError(message)

    monkeypatch.setattr("costsim.study.run.replicate", fail)

    with pytest.raises(ValueError, match="a bug"):
        invoke("run", scenario)


def test_a_reader_that_has_enough_is_exit_0(invoke, scenario, monkeypatch):
    closed = []
    monkeypatch.setattr("costsim.cli.output.discard", lambda: closed.append(True))

    def gone(*arguments):
        raise BrokenPipeError

    monkeypatch.setattr("costsim.cli.output.write", gone)

    answer = invoke("run", scenario, "--format", "csv")

    assert (answer.exit_code, answer.out, closed) == (0, "", [True])
