"""Whatever the user gets wrong: exit 2, a message that says where, never a traceback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

_MALFORMED = Path(__file__).parents[2] / "malformed"
_SCENARIOS = sorted((_MALFORMED / "scenarios").iterdir())
_TRACES = sorted((_MALFORMED / "traces").iterdir())


def test_there_are_malformed_files():
    assert len(_SCENARIOS) > 50
    assert len(_TRACES) > 20


@pytest.mark.parametrize("path", _SCENARIOS, ids=lambda path: path.stem)
def test_a_malformed_scenario_is_exit_2_with_its_line(invoke, path):
    answer = invoke("run", path)

    assert answer.exit_code == 2
    assert answer.out == ""
    assert answer.err.startswith(f"error: {path}:")
    line = answer.err.removeprefix(f"error: {path}:").split(":")[0]
    assert 1 <= int(line) <= path.read_bytes().count(b"\n") + 1
    assert "Traceback" not in answer.err


@pytest.mark.parametrize("command", ["run", "validate"])
@pytest.mark.parametrize("path", _TRACES, ids=lambda path: path.name)
def test_a_malformed_trace_is_exit_2_with_its_file(invoke, tmp_path, path, command):
    service = '{"time": "trace"}'
    if "azure" in path.name:
        service = '{"tokens": {"prefill": "8000 tokens/s", "decode": "45 tokens/s"}}'
    elif "arrival" in path.name:
        service = '{"time": "1s"}'
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(
        f"""
name: replay
horizon: 1h
traffic: {{trace: {{path: {json.dumps(str(path))}}}}}
service: {service}
setup: 1s
deployments: [{{name: own, pool: {{}}, billing: {{price: 1 USD/h}}}}]
"""
    )

    answer = invoke(command, scenario)

    assert answer.exit_code == 2
    assert answer.out == ""
    error, pointer = answer.err.splitlines()
    assert error.startswith(f"error: {path}:")
    assert pointer.startswith("explain: costsim explain trace-")


GOOD = """name: good
horizon: 1h
traffic: {streams: [{rate: 60/h}]}
service: {time: 1s}
setup: 1s
deployments:
  - {name: own, pool: {}, billing: {price: 1 USD/h}}
"""


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.yaml"
    path.write_text(GOOD)
    return path


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        (
            "pool: {}",
            "pool: {buffer_replicas: 1, autoscaler: {kind: queue_delay}}",
            "7:41",
            "buffer_replicas must be left out",
        ),
        (
            "pool: {}",
            "pool: {initial_replicas: 3, max_replicas: 2}",
            "7:42",
            "initial_replicas must be between",
        ),
        (
            "{name: own, pool: {}, billing: {price: 1 USD/h}}",
            "{name: own, platform: modl, gpu: L4}",
            "7:27",
            "unknown platform 'modl' (did you mean 'modal'?)",
        ),
        (
            "{name: own, pool: {}, billing: {price: 1 USD/h}}",
            "{name: own, platform: modal, gpu: L5}",
            "7:39",
            "unknown GPU of Modal 'L5'",
        ),
        (
            "{name: own, pool: {}, billing: {price: 1 USD/h}}",
            "{name: own, platform: modal, gpu: L4, settings: {min_container: 1}}",
            "7:54",
            "did you mean 'min_containers'?",
        ),
        ("setup: 1s\n", "", "6:5", "setup: is missing"),
    ],
)
@pytest.mark.parametrize("command", ["run", "validate"])
def test_what_only_resolution_finds_is_told_with_its_place(
    invoke, good, command, old, new, place, message
):
    good.write_text(GOOD.replace(old, new))

    answer = invoke(command, good)

    assert answer.exit_code == 2
    assert answer.err.startswith(f"error: {good}:{place}: ")
    assert message in answer.err
    assert "^" in answer.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "GOOD", "--set", "nothing"], "error: --set nothing: write KEY=VALUE"),
        (["run", "GOOD", "--set", "sed=5"], "error: --set sed=5: unknown key (did you"),
        (["run", "GOOD", "--seed", "-1"], "error: --set seed=-1: must be at least 0"),
        (
            ["run", "GOOD", "--replications", "0"],
            "error: --set replications=0: must be",
        ),
        (
            ["run", "GOOD", "--prices", "nowhere.yaml"],
            "error: nowhere.yaml: cannot read",
        ),
        (["run", "GOOD", "--prices", "GOOD"], "error: GOOD:1:7: name: "),
        (["run", "nowhere.yaml"], "error: nowhere.yaml: no such file"),
        (["validate", "nowhere.yaml"], "error: nowhere.yaml: no such file"),
        (["run", "."], "error: .: is a folder; name a scenario file in it"),
        (["prices", "--platform", "modl"], "error: unknown platform 'modl' (did you"),
        (["prices", "--gpu", "L5"], "error: unknown GPU 'L5'"),
        (["prices", "--shape", "2"], "error: --shape '2' must be physical cores and"),
        (["prices", "--shape", "1e9,2"], "error: --shape '1e9,2' must be physical"),
        (
            ["prices", "--sort", "size"],
            "error: unknown sort order 'size'; allowed: gpu",
        ),
        (["platforms", "modal", "modl"], "error: unknown platform 'modl' (did you"),
        (["init", "--template", "spiky"], "error: unknown template 'spiky' (did you"),
        (["init", "GOOD"], "error: GOOD: exists already"),
    ],
)
def test_a_wrong_argument_is_exit_2_and_told_with_what_explains_it(
    invoke, good, arguments, message
):
    told = [argument.replace("GOOD", str(good)) for argument in arguments]

    answer = invoke(*told)

    assert answer.exit_code == 2
    assert answer.out == ""
    assert answer.err.startswith(message.replace("GOOD", str(good)))
    assert answer.err.splitlines()[-1].startswith("explain: costsim explain ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rnu"], "Did you mean 'run'?"),
        (["run"], "Missing argument 'SCENARIO'"),
        (["run", "GOOD", "--sede", "1"], "No such option: --sede"),
        (["run", "GOOD", "--seed", "one"], "Invalid value for '--seed'"),
        (["run", "GOOD", "--format", "xml"], "'xml' is not one of 'table', 'json'"),
        (["run", "GOOD", "GOOD"], "unexpected extra argument"),
        (["schema", "trace"], "'trace' is not one of 'scenario', 'result', 'platform'"),
    ],
)
def test_wrong_usage_is_exit_2_with_the_usage(invoke, good, arguments, message):
    answer = invoke(*[argument.replace("GOOD", str(good)) for argument in arguments])

    assert answer.exit_code == 2
    assert answer.out == ""
    assert "Usage: costsim" in answer.err
    assert "explain: " not in answer.err
    assert message in answer.err


def test_every_problem_of_a_file_is_told_in_one_go(invoke, good):
    good.write_text(GOOD.replace("1h", "1").replace("60/h", "60").replace("1s", "1"))

    answer = invoke("run", good)

    lines = [line for line in answer.err.splitlines() if str(good) in line]
    assert [line.split(str(good))[1].split(":")[1] for line in lines] == [
        "2",
        "3",
        "4",
        "5",
    ]


def test_three_kinds_of_problems_at_most_are_named_in_the_order_of_the_file(
    invoke, good
):
    wrong = GOOD.replace("good", "5").replace("1h", "1").replace("60/h", "-1/h")
    good.write_text(wrong.replace("setup", "stup"))

    answer = invoke("run", good)

    assert answer.err.splitlines()[-3:] == [
        "explain: costsim explain wrong-type",
        "explain: costsim explain missing-unit",
        "explain: costsim explain out-of-range",
    ]


@pytest.mark.parametrize("broken", ["kinds_of", "error_kinds"])
def test_help_that_fails_does_not_hide_the_error(invoke, monkeypatch, broken):
    def fail(*_):
        raise RuntimeError

    monkeypatch.setattr(f"costsim.report.error_kinds.{broken}", fail)

    answer = invoke("run", "nowhere.yaml")

    assert answer.exit_code == 2
    assert answer.err.startswith("error: nowhere.yaml: no such file")
    assert answer.err.count("\n") == 1


def test_a_path_with_control_characters_cannot_drive_the_terminal(invoke, tmp_path):
    answer = invoke("run", tmp_path / "\x1b[2Jnowhere\x07.yaml")

    assert answer.exit_code == 2
    assert answer.err.replace("\n", "").isprintable()


def test_too_many_requests_are_refused_before_they_fill_the_memory(invoke, good):
    answer = invoke("run", good, "--set", "traffic.streams.0.rate=1000M/s")

    assert answer.exit_code == 2
    assert "requests (or changes of state) in a replication; at most" in answer.err
