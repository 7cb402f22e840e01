from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from costsim.errors import EXIT_INPUT, InputError, Problem, ScenarioError
from costsim.scenario.load import (
    load_document,
    load_scenario,
    locate_problems,
    scenario_hash,
    scenario_warnings,
)
from costsim.scenario.schema import Scenario
from costsim.yaml_source import FileFloat

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[[str], Path]

_TEXT = """\
name: example
start: 2026-03-02T00:00+01:00
horizon: 14d
traffic:
  streams:
    - {name: users, rate: 48/h}
    - {name: bots, rate: 5/h}
  spikes:
    - {shape: event, at: 3d, magnitude: 5, streams: [users]}
service: {time: 900ms}
deployments:
  - name: modal L4
    platform: modal
    gpu: L4
    settings: {scaledown_window: 60s, max_containers: 20}
  - name: qwen2.5 L4
    pool: {min_replicas: 1}
    billing: {price: 1.20 USD/h}
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes a scenario file."""

    def write_text(text: str) -> Path:
        path = tmp_path / "scenario.yaml"
        path.write_text(text, "utf-8")
        return path

    return write_text


def _problems(path: Path, *overrides: str) -> list[Problem]:
    with pytest.raises(ScenarioError) as refusal:
        load_scenario(path, overrides=overrides)
    return refusal.value.problems


def test_a_good_file_becomes_a_scenario(write: Write) -> None:
    scenario = load_scenario(write(_TEXT))

    assert scenario.horizon == 14 * 86400
    assert scenario.traffic.streams[0].rate == pytest.approx(48 / 3600)
    assert scenario.deployments[0].settings["scaledown_window"] == "60s"


def test_a_path_may_be_text(write: Write) -> None:
    assert load_scenario(str(write(_TEXT))).name == "example"


def test_problems_are_in_the_files_order_whatever_the_schemas(write: Write) -> None:
    text = "slo: {p95: 2}\nname: 5\ndeployments: [{name: a}]\nservice: {time: 1s}\ntraffic: 5\n"

    problems = _problems(write(text))

    assert [one.line for one in problems] == [1, 2, 3, 5]
    assert [one.key for one in problems] == [
        "slo.p95",
        "name",
        "deployments.0",
        "traffic",
    ]


def test_yaml_and_schema_problems_come_together(write: Write) -> None:
    text = _TEXT.replace("horizon: 14d", "horizon: 14\nname: again")

    problems = _problems(write(text))

    assert [(one.line, one.column) for one in problems] == [(3, 10), (4, 1)]


def test_the_rendering_shows_the_line_with_carets(write: Write) -> None:
    path = write(_TEXT.replace("platform: modal", "platfrom: modal"))

    with pytest.raises(ScenarioError) as refusal:
        load_scenario(path)

    assert str(refusal.value).splitlines() == [
        f"{path}:13:5: deployments.0.platfrom: unknown key (did you mean 'platform'?)",
        "  13 |     platfrom: modal",
        "     |     ^^^^^^^^",
    ]


def test_a_files_number_is_no_quantity_but_a_floats_of_python_is(write: Write) -> None:
    path = write(_TEXT.replace("14d", "1.5"))

    problems = _problems(path)
    from_python = Scenario.model_validate(
        {**load_scenario(write(_TEXT)).model_dump(), "horizon": 1.5}
    )

    assert [one.key for one in problems] == ["horizon"]
    assert from_python.horizon == 1.5


def test_numbers_in_validated_fields_are_pythons_own(write: Write) -> None:
    text = _TEXT.replace("magnitude: 5", "magnitude: 5.5")

    [spike] = load_scenario(write(text)).traffic.spikes

    assert type(spike.magnitude.value) is float


def test_numbers_in_settings_are_floats(write: Write) -> None:
    text = _TEXT.replace("max_containers: 20", "max_containers: 2.5")

    value = load_scenario(write(text)).deployments[0].settings["max_containers"]

    assert isinstance(value, FileFloat)
    assert value == 2.5


def test_a_relative_trace_is_beside_its_scenario(write: Write, tmp_path: Path) -> None:
    path = write(_TEXT.replace("  spikes:", "  trace: {path: logs/r.csv}\n  spikes:"))

    trace = load_scenario(path).traffic.trace

    assert trace is not None
    assert trace.path == str(tmp_path / "logs" / "r.csv")


def test_an_absolute_trace_stays_where_it_is(write: Write) -> None:
    path = write(_TEXT.replace("  spikes:", "  trace: {path: /logs/r.csv}\n  spikes:"))

    trace = load_scenario(path).traffic.trace

    assert trace is not None
    assert trace.path == "/logs/r.csv"


# --- files that cannot be read ---------------------------------------------------------


def test_a_missing_file_names_a_similar_one(write: Write, tmp_path: Path) -> None:
    write(_TEXT)

    with pytest.raises(
        InputError, match=r"no such file \(did you mean 'scenario.yaml'"
    ) as refusal:
        load_scenario(tmp_path / "scenaro.yaml")

    assert refusal.value.exit_code == EXIT_INPUT


def test_a_missing_folder_is_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file; 'costsim init' writes one"):
        load_scenario(tmp_path / "no" / "scenario.yaml")


def test_a_folder_is_no_scenario(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        load_scenario(tmp_path)


def test_an_impossible_path_is_refused() -> None:
    with pytest.raises(InputError, match="cannot be read: embedded null byte"):
        load_scenario("a\0b")


def test_a_file_under_a_file_cannot_be_read(write: Write) -> None:
    with pytest.raises(InputError, match="cannot be read: Not a directory"):
        load_scenario(write(_TEXT) / "scenario.yaml")


def test_an_unreadable_file_says_why(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(_TEXT)

    def refuse(*_args: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "open", refuse)

    with pytest.raises(InputError, match="cannot be read: Permission denied"):
        load_scenario(path)


# --- places of later problems ----------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "message", "line", "column"),
    [
        ("deployments.0.gpu", "unknown GPU 'L4'", 14, 10),
        ("deployments.0.settings.scaledown_window", "out of range", 15, 34),
        ("deployments.0.settings.max_containers", "unknown 'max_containers'", 15, 39),
        ("deployments.0.settings.missing", "needs a value", 15, 5),
        ("deployments.0.instance", "needs an instance", 12, 5),
        ("deployments.1", "is excluded", 16, 5),
        ("deployments.qwen2.5 L4.pool", "is odd", 17, 11),
        ("", "something", 1, 1),
        ("nowhere.at.all", "something", 1, 1),
    ],
)
def test_later_problems_get_their_place(
    write: Write, key: str, message: str, line: int, column: int
) -> None:
    _, document = load_document(write(_TEXT))

    [located] = locate_problems([Problem(message, key)], document)

    assert (located.line, located.column) == (line, column)
    assert (located.message, located.key) == (message, key)
    assert located.source == _TEXT.splitlines()[line - 1]


def test_later_problems_are_put_in_order(write: Write) -> None:
    _, document = load_document(write(_TEXT))
    problems = [Problem("b", "deployments.1.billing"), Problem("a", "traffic")]

    located = locate_problems(problems, document)

    assert [one.message for one in located] == ["a", "b"]


def test_a_later_problem_with_an_override_names_the_option(write: Write) -> None:
    _, document = load_document(write(_TEXT), overrides=["deployments.0.gpu=T5"])

    [located] = locate_problems([Problem("unknown GPU", "deployments.0.gpu")], document)

    assert located == Problem("--set deployments.0.gpu=T5: unknown GPU")


# --- hash and warnings -----------------------------------------------------------------


def test_the_hash_depends_on_content_not_on_spelling_or_folder(
    write: Write, tmp_path: Path
) -> None:
    text = _TEXT.replace("  spikes:", "  trace: {path: r.csv}\n  spikes:")
    first = load_scenario(write(text))
    other = tmp_path / "other"
    other.mkdir()
    same = other / "scenario.yaml"
    same.write_text(
        text.replace("14d", "336h  # two weeks").replace(
            "name: example", "seed: 1\nname: example"
        )
    )

    assert scenario_hash(first) == scenario_hash(load_scenario(same))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("48/h", "49/h"),
        ("scaledown_window: 60s", "scaledown_window: 61s"),
        ("horizon: 14d", "horizon: 14d\nseed: 2"),
        ("1.20 USD/h", "1.21 USD/h"),
    ],
)
def test_the_hash_changes_with_every_value(write: Write, old: str, new: str) -> None:
    before = scenario_hash(load_scenario(write(_TEXT)))

    after = scenario_hash(load_scenario(write(_TEXT.replace(old, new))))

    assert before != after
    assert len(after) == 16


@pytest.mark.parametrize(
    ("spike", "warned"),
    [
        ("{shape: event, at: 3d, magnitude: 21, hold: 61m}", True),
        ("{shape: event, at: 3d, magnitude: 20, hold: 61m}", False),
        ("{shape: event, at: 3d, magnitude: 21, hold: 60m}", False),
        ("{shape: event, at: 3d, peak: 21/s, hold: 61m, streams: [users]}", False),
        # ((60 - 1) / (20 - 1))^(1 / 1.5) - 1 = 1.1284: above 20 times for so many decay times.
        ("{shape: viral, at: 3d, magnitude: 60, decay_time: 54m}", True),
        ("{shape: viral, at: 3d, magnitude: 60, decay_time: 53m}", False),
        ("{shape: viral, at: 3d, magnitude: 10, decay_time: 5h}", False),
    ],
)
def test_long_high_spikes_are_warned_of(write: Write, spike: str, warned: bool) -> None:
    text = _TEXT.replace(
        "{shape: event, at: 3d, magnitude: 5, streams: [users]}", spike
    )

    warnings = scenario_warnings(load_scenario(write(text)))

    assert [one.partition(":")[0] for one in warnings] == ["traffic.spikes.0"] * warned
