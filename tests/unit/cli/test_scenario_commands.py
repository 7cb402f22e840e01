"""``costsim init``, ``validate`` and ``schema``, and what stands before a command."""

from __future__ import annotations

import json

import pytest

from costsim import __version__
from costsim.scenario.template import render_template, template_names

COMMANDS = ["run", "init", "validate", "schema", "prices", "platforms"]


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_init_writes_a_scenario_and_its_schema_and_says_what_is_next(invoke, inside):
    answer = invoke("init")

    assert answer.exit_code == 0
    assert answer.out == "wrote scenario.yaml; next: costsim run scenario.yaml\n"
    assert answer.err == ""
    text = (inside / "scenario.yaml").read_text("utf-8")
    assert text.startswith("# yaml-language-server: $schema=scenario.schema.json\n")
    schema = json.loads((inside / "scenario.schema.json").read_text("utf-8"))
    assert "deployments" in schema["properties"]


@pytest.mark.parametrize("name", [name for name in template_names() if name != "trace"])
def test_what_init_writes_is_valid_and_runs(invoke, name):
    invoke("init", "mine.yaml", "--template", name)

    validated = invoke("validate", "mine.yaml")
    assert validated.exit_code == 0
    assert validated.out.startswith("mine.yaml: fine; ")
    ran = invoke(
        *("run", "mine.yaml", "--replications", 1, "--quiet"),
        *("--set", "horizon=6h", "--set", "traffic.spikes=[]"),
    )
    assert ran.exit_code == 0
    assert ran.err == ""


def test_the_template_of_a_trace_names_the_file_that_it_lacks(invoke, inside):
    invoke("init", "--template", "trace")

    lacking = invoke("validate", "scenario.yaml")

    assert lacking.exit_code == 2
    assert lacking.err == (
        "error: requests.csv: no such file\nexplain: costsim explain no-such-file\n"
    )


def test_init_writes_into_a_folder_with_the_schema_beside(invoke, inside):
    answer = invoke("init", "new/mine.yaml")

    assert answer.out == "wrote new/mine.yaml; next: costsim run new/mine.yaml\n"
    assert sorted(path.name for path in (inside / "new").iterdir()) == [
        "mine.yaml",
        "scenario.schema.json",
    ]


def test_init_does_not_replace_a_file_unless_it_is_told_to(invoke, inside):
    (inside / "scenario.yaml").write_text("precious")

    refused = invoke("init")

    assert refused.exit_code == 2
    assert "give --force to replace it" in refused.err
    assert (inside / "scenario.yaml").read_text() == "precious"
    assert invoke("init", "--force").exit_code == 0
    assert (inside / "scenario.yaml").read_text("utf-8") == render_template()


def test_init_lists_its_templates_and_writes_nothing(invoke, inside):
    answer = invoke("init", "--list")

    assert answer.out.splitlines() == template_names()
    assert list(inside.iterdir()) == []


def test_validate_counts_deployments_and_tells_the_horizon(invoke):
    invoke("init")

    answer = invoke("validate", "scenario.yaml", "--set", "horizon=36h")

    assert answer.out == "scenario.yaml: fine; 4 deployments over 1d12h\n"


def test_validate_warns_of_what_a_run_would_warn_of(invoke):
    invoke("init")

    answer = invoke(
        "validate",
        "scenario.yaml",
        "--set",
        "deployments=[{name: a, platform: baseten, instance: 'L4:4x16'}]",
    )

    assert answer.exit_code == 0
    assert "fine; 1 deployment over" in answer.out
    assert "warning: a: max_replica is not given: 1 by default" in answer.err


def test_validate_does_not_simulate(invoke, monkeypatch):
    def never(*arguments, **keywords):
        raise AssertionError

    monkeypatch.setattr("costsim.simulation.simulate.simulate_pool", never)
    monkeypatch.setattr("costsim.traffic.source.arrival_chunks", never)
    monkeypatch.setattr("costsim.simulation.stream.PoolRun.feed", never)
    invoke("init")

    assert invoke("validate", "scenario.yaml").exit_code == 0


@pytest.mark.parametrize("kind", ["scenario", "platform"])
def test_a_schema_is_json_and_closed(invoke, kind):
    answer = invoke("schema", kind)

    schema = json.loads(answer.out)
    assert answer.err == ""
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False


def test_the_schema_of_a_scenario_describes_every_key(invoke):
    schema = json.loads(invoke("schema").out)

    undescribed = [
        f"{name}.{key}"
        for name, part in schema["$defs"].items()
        for key, field in part.get("properties", {}).items()
        if "description" not in field and "const" not in field
    ]
    assert undescribed == []


def test_the_schema_is_that_of_a_scenario_unless_asked(invoke):
    assert invoke("schema") == invoke("schema", "scenario")
    assert invoke("schema").out != invoke("schema", "platform").out


def test_the_version_is_the_packages(invoke):
    answer = invoke("--version")

    assert (answer.exit_code, answer.out) == (0, f"costsim {__version__}\n")


def test_help_lists_every_command(invoke):
    answer = invoke("--help")

    assert answer.exit_code == 0
    assert [word for word in COMMANDS if f"  {word} " not in answer.out] == []


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_every_command_has_help_in_80_columns(invoke, command, option):
    answer = invoke(command, option)

    assert answer.exit_code == 0
    assert answer.out.startswith(f"Usage: costsim {command}")
    assert max(map(len, answer.out.splitlines())) <= 80


def test_no_command_shows_the_help_and_is_exit_2(invoke):
    answer = invoke()

    assert answer.exit_code == 2
    assert "Usage: costsim" in answer.out + answer.err
