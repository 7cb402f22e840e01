"""``costsim compare`` at the terminal and in CI."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest

_SCENARIO = """\
name: small
seed: 3
horizon: 2h
replications: 3
traffic: {streams: [{name: users, rate: 60/h}]}
service: {time: 2s}
setup: 10s
deployments:
  - {name: at zero, pool: {idle_timeout: 20s}, billing: {price: 3.6 USD/h}}
  - {name: warm, pool: {min_replicas: 1}, billing: {price: 3.6 USD/h}}
"""
_LONGER = "deployments.at zero.pool.idle_timeout=40s"


@pytest.fixture
def scenario(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(_SCENARIO, "utf-8")
    return path


@pytest.fixture
def saved(scenario, invoke, tmp_path):
    done = invoke("run", scenario, "--out", tmp_path / "base", "--quiet")
    assert done.exit_code == 0
    return tmp_path / "base"


def test_what_changed_comes_first(saved, scenario, invoke):
    done = invoke("compare", saved, scenario, "--set", _LONGER, "--quiet")

    facts, verdict, *others = (
        " ".join(part.split()) for part in done.out.split("\n\n")
    )
    assert done.exit_code == 0
    assert facts.startswith("A ")
    assert facts.split(" B ")[0].endswith("/base")
    assert facts.endswith("the same traffic, paired replication by replication")
    assert verdict.startswith("at zero costs $")
    assert "warm: no difference" in others
    assert max(map(len, done.out.splitlines())) <= 80


@pytest.mark.parametrize(("gate", "code"), [("cost +1%", 1), ("cost +500%", 0)])
def test_a_rise_above_the_gate_is_exit_code_1(saved, scenario, invoke, gate, code):
    done = invoke("compare", saved, scenario, "--set", _LONGER, "-q", "--fail-on", gate)

    assert done.exit_code == code
    checks = done.out.split("\n\n")[2].splitlines()
    assert [line[0] for line in checks] == (["✗", "✓"] if code else ["✓", "✓"])
    told = rf". at zero, {re.escape(gate)}: cost a month \$\S+, was \$"
    assert re.match(told, checks[0])


def test_rows_are_for_programs(saved, scenario, invoke):
    asked = ("compare", saved, scenario, "--set", _LONGER, "-q", "--format")

    whole = json.loads(invoke(*asked, "json").out)
    from_json = whole["comparisons"][0]["changes"]
    from_csv = list(csv.DictReader(io.StringIO(invoke(*asked, "csv").out)))

    assert [row["measure"] for row in from_json] == [row["measure"] for row in from_csv]
    assert from_json[0]["change"] == float(from_csv[0]["change"]) > 0
    assert from_json[0]["change_low"] < from_json[0]["change"]


def test_several_are_compared_with_the_first(saved, scenario, invoke):
    done = invoke("compare", saved, saved, scenario, "-q")

    assert done.out.count("the same traffic, paired") == 2
    assert done.out.count("no difference") == 4


def test_a_wrong_gate_is_told_before_anything_runs(saved, invoke):
    done = invoke("compare", saved, "no-such.yaml", "--fail-on", "cost 10%")

    assert done.exit_code == 2
    assert "cost +10%" in done.err


def test_a_missing_file_is_told(saved, invoke):
    done = invoke("compare", saved, "missing.json")

    assert done.exit_code == 2
    assert "missing.json: cannot be read" in done.err


def test_a_scenario_is_compared_with_itself_as_changed(scenario, invoke):
    done = invoke("compare", scenario, "--set", _LONGER, "--quiet")

    paragraphs = done.out.split("\n\n")
    assert f"--set {_LONGER}" in " ".join(paragraphs[0].split())
    assert paragraphs[1].startswith("at zero costs $")


@pytest.mark.parametrize("options", [[], ["--seed", "4"]])
def test_nothing_to_compare_with_is_refused(scenario, invoke, options):
    done = invoke("compare", scenario, *options)

    assert done.exit_code == 2
    assert "name a second scenario" in done.err
