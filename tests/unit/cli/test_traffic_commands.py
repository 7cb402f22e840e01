"""``costsim traffic``: each command, its files, and what it refuses."""

from __future__ import annotations

import csv
import io
import json
from typing import get_args

import numpy as np
import pytest
import yaml

from costsim.scenario.load import load_scenario
from costsim.scenario.trace import Trace, TraceFormat
from costsim.traffic.formats.detect import read_trace

LOG = """arrival,duration,input_tokens,output_tokens,model
0.25,1.5,100,10,chat
1.25,2.5,600,20,code
1.75,0.5,50,30,chat
61.5,1.5,70,40,chat
"""
SCENARIO = """
name: small
seed: 3
horizon: 2h
traffic:
  streams:
    - {name: users, rate: 600/h}
    - {name: nightly, arrivals: {process: cron, every: 1h, batch_size: 50}}
service:
  tokens: {input: {distribution: exponential, mean: 500}, output: 100, prefill: 1000 tokens/s, decode: 50 tokens/s}
deployments:
  - {name: one, pool: {idle_timeout: 60s}, billing: {price: 1 USD/h}}
"""


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "log.csv").write_text(LOG)
    (tmp_path / "small.yaml").write_text(SCENARIO)
    return tmp_path


def rows(answer):
    assert answer.exit_code == 0
    return list(csv.DictReader(io.StringIO(answer.out)))


# describe


def test_a_log_is_described_for_people(invoke):
    answer = invoke("traffic", "describe", "log.csv")

    assert answer.exit_code == 0
    assert answer.out.startswith("log.csv: 4 requests in ")
    assert "gaps             p50" in answer.out
    assert max(map(len, answer.out.splitlines())) <= 80
    assert "note: " in answer.err


def test_a_single_request_is_described_without_figures_that_it_has_not(invoke, inside):
    (inside / "one.csv").write_text("arrival\n5\n")

    answer = invoke("traffic", "describe", "one.csv", "--quiet")

    assert answer.out == (
        "one.csv: 1 request in 1s, 1/s, csv\n\ntoo short for figures by windows\n"
    )


def test_a_log_is_described_for_programs(invoke):
    answer = invoke("traffic", "describe", "log.csv", "--format", "json", "--quiet")

    found = {
        (row["figure"], row["window_s"]): row["value"] for row in json.loads(answer.out)
    }
    assert found["requests", None] == 4
    assert found["idle_fraction", 1.0] == pytest.approx(1 - 3 / 81, abs=0.02)
    assert found["duration_s_mean", None] == pytest.approx(1.5)
    assert found["input_tokens_p50", None] == 70
    assert answer.err == ""


def test_keys_are_told_the_busiest_first(invoke):
    lines = invoke("traffic", "describe", "log.csv").out.splitlines()

    at = next(i for i, line in enumerate(lines) if line.startswith("KEY"))
    assert lines[at + 1].split()[:3] == ["chat", "3", "75%"]
    assert lines[at + 2].split()[:3] == ["code", "1", "25%"]


def test_a_scenario_is_described_with_the_rates_that_were_asked_for(invoke):
    answer = invoke("traffic", "describe", "small.yaml")

    assert answer.out.startswith("small.yaml: 1,")
    line = next(x for x in answer.out.splitlines() if x.startswith("nightly"))
    # Batches at 1 h only: the one at 2 h is after the end.
    assert line.split() == ["nightly", "50", line.split()[2], "25/h", "25/h"]
    users = next(x for x in answer.out.splitlines() if x.startswith("users"))
    assert users.split()[-1] == "10/min"


def test_settings_say_how_a_log_is_read(invoke):
    answer = invoke(
        *("traffic", "describe", "log.csv", "--format", "csv", "--quiet"),
        *("--set", "keys=[chat]", "--set", "time_unit=ms"),
    )

    found = {row["figure"]: row["value"] for row in rows(answer)}
    assert found["requests"] == "3"
    assert float(found["span_s"]) <= 1


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("columns.arival=t", "did you mean 'arrival'"),
        ("format=mooncak", "did you mean 'mooncake'"),
        ("scale_rate=2", "acts when a log is replayed"),
        ("keys=[embed]", "embed"),
    ],
)
def test_settings_that_cannot_be_used_are_told(invoke, setting, message):
    answer = invoke("traffic", "describe", "log.csv", "--set", setting)

    assert answer.exit_code == 2
    assert message in answer.err


def test_a_log_that_is_not_there_is_told(invoke):
    answer = invoke("traffic", "describe", "nothing.csv")

    assert answer.exit_code == 2
    assert answer.err == (
        "error: nothing.csv: no such file\nexplain: costsim explain no-such-file\n"
    )


# plot


def test_traffic_is_drawn_on_the_terminal(invoke):
    answer = invoke("traffic", "plot", "small.yaml", "--quiet")

    assert answer.exit_code == 0
    assert "RATE OVER TIME" in answer.out
    assert "GAPS BETWEEN REQUESTS" in answer.out
    assert max(map(len, answer.out.splitlines())) <= 80
    assert answer.err == ""


def test_a_terminal_of_ascii_gets_ascii(invoke):
    answer = invoke("traffic", "plot", "small.yaml", charset="ascii")

    assert answer.out.isascii()
    assert "?" not in answer.out


@pytest.mark.parametrize("suffix", ["png", "svg", "html"])
def test_traffic_is_drawn_as_a_file(invoke, inside, suffix):
    answer = invoke("traffic", "plot", "log.csv", "--out", f"x.{suffix}", "--quiet")

    assert answer.out == f"wrote x.{suffix}\n"
    assert (inside / f"x.{suffix}").stat().st_size > 10_000


def test_other_pictures_are_refused_before_anything_is_read(invoke):
    answer = invoke("traffic", "plot", "nothing.csv", "--out", "x.gif")

    assert answer.exit_code == 2
    assert "ends in .png, .svg, .html" in answer.err


def test_a_file_is_replaced_only_by_force(invoke, inside):
    (inside / "x.svg").write_text("mine")

    refused = invoke("traffic", "plot", "log.csv", "--out", "x.svg")
    assert refused.exit_code == 2
    assert "give --force to replace it" in refused.err
    assert (inside / "x.svg").read_text() == "mine"
    assert (
        invoke("traffic", "plot", "log.csv", "--out", "x.svg", "--force").exit_code == 0
    )
    assert (inside / "x.svg").read_text() != "mine"


# export


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_what_is_exported_is_read_back_as_it_was(invoke, name):
    assert invoke("traffic", "export", "log.csv", "--out", name).exit_code == 0

    before, after = (read_trace(Trace(path=one)) for one in ("log.csv", name))
    np.testing.assert_allclose(after.arrival_s[:], before.arrival_s[:], atol=1e-9)
    for field in ("duration_s", "input_tokens", "output_tokens"):
        np.testing.assert_array_equal(
            getattr(after, field)[:], getattr(before, field)[:]
        )
    named = [[one.keys[i] for i in one.key[:].tolist()] for one in (before, after)]
    assert named[0] == named[1] == ["chat", "code", "chat", "chat"]


def test_calendar_times_are_exported_as_such(invoke, inside):
    (inside / "dated.csv").write_text(
        "time\n2026-03-02T10:00:00.5+01:00\n2026-03-02T10:00:02+01:00\n"
    )

    out = invoke(
        *("traffic", "export", "dated.csv", "--out", "-", "--format", "csv", "--quiet")
    ).out

    assert out.splitlines()[1] == "2026-03-02 09:00:00.500000Z"


def test_mooncake_lines_are_read_back(invoke):
    invoke("traffic", "export", "log.csv", "--out", "out.jsonl")

    trace = read_trace(Trace(path="out.jsonl"))

    assert trace.format == "mooncake"
    assert trace.arrival_s[:].tolist() == [0.0, 1.0, 1.5, 61.25]
    assert trace.input_tokens[:].tolist() == [100.0, 600.0, 50.0, 70.0]


def test_a_scenario_is_exported_with_its_tokens_and_the_times_that_they_take(invoke):
    out = invoke(
        *("traffic", "export", "small.yaml", "--out", "-", "--format", "csv"),
    )

    found = rows(out)
    work_s = [
        float(row["input_tokens"]) / 1000 + float(row["output_tokens"]) / 50
        for row in found
    ]
    np.testing.assert_allclose([float(row["duration_s"]) for row in found], work_s)
    assert {row["key"] for row in found} == {"users", "nightly"}
    arrivals = [float(row["arrival_s"]) for row in found]
    assert arrivals == sorted(arrivals)


def test_each_replication_has_its_own_requests(invoke):
    command = ("traffic", "export", "small.yaml", "--out", "-", "--format", "csv")

    assert invoke(*command).out == invoke(*command, "--replication", 0).out
    assert invoke(*command).out != invoke(*command, "--replication", 1).out


def test_a_form_that_the_file_does_not_tell_must_be_given(invoke):
    answer = invoke("traffic", "export", "log.csv", "--out", "x.txt")

    assert answer.exit_code == 2
    assert "ends in .jsonl, .csv, .parquet, or give --format" in answer.err


# formats


def test_every_format_is_listed_with_what_is_taken_as_the_arrival(invoke):
    listed = json.loads(invoke("traffic", "formats", "--format", "json").out)

    assert {one["format"] for one in listed} == set(get_args(TraceFormat)) - {"auto"}
    assert all(one["arrival"] for one in listed)
    assert max(map(len, invoke("traffic", "formats").out.splitlines())) <= 80


# fit


@pytest.fixture(scope="module")
def poisson_log(tmp_path_factory):
    rng = np.random.default_rng(8)
    path = tmp_path_factory.mktemp("logs") / "poisson.csv"
    arrivals = np.cumsum(rng.exponential(200.0, 1500))
    work = rng.lognormal(0.0, 0.5, 1500)
    lines = (f"{a:.6f},{w:.4f}" for a, w in zip(arrivals, work, strict=True))
    path.write_text("arrival,duration\n" + "\n".join(lines) + "\n")
    return path


def test_a_model_is_a_scenario_that_runs(invoke, inside, poisson_log):
    answer = invoke("traffic", "fit", poisson_log, "--out", "fit.yaml", "--check")

    assert answer.exit_code == 0
    assert answer.out == "wrote fit.yaml; next: costsim run fit.yaml\n"
    assert "Use the model: " in answer.err
    scenario = load_scenario("fit.yaml")
    assert scenario.traffic.streams[0].rate * 200 == pytest.approx(1, rel=0.05)
    ran = invoke("run", "fit.yaml", "--replications", 1, "--format", "json")
    assert ran.exit_code == 0
    requests = json.loads(ran.out)["deployments"][0]["requests"]
    assert requests == pytest.approx(1500, rel=0.1)


def test_a_model_can_be_tried_on_the_deployments_of_a_scenario(
    invoke, inside, poisson_log
):
    answer = invoke("traffic", "fit", poisson_log, "--scenario", "small.yaml", "-q")

    assert answer.exit_code == 0
    written = yaml.safe_load(answer.out)
    assert [one["name"] for one in written["deployments"]] == ["one"]
    assert "tokens" in written["service"]
    assert "note: " not in answer.err


def test_work_that_a_scenario_takes_from_its_trace_is_fitted_to_the_log(
    invoke, inside, poisson_log
):
    scenario = yaml.safe_load(SCENARIO)
    del scenario["horizon"]
    scenario["traffic"] = {"trace": {"path": "log.csv"}}
    scenario["service"] = {"time": "trace"}
    (inside / "replay.yaml").write_text(yaml.safe_dump(scenario))

    answer = invoke("traffic", "fit", poisson_log, "--scenario", "replay.yaml", "-q")

    assert answer.exit_code == 0
    law = yaml.safe_load(answer.out)["service"]["time"]
    assert law["distribution"] == "lognormal"
    assert law["sigma"] == pytest.approx(0.5, abs=0.05)
