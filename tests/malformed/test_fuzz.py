"""Mutations of a good scenario load, or are refused: no other exception exists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from costsim.errors import InputError, ScenarioError
from costsim.scenario.load import load_scenario
from costsim.scenario.template import render_template
from costsim.yaml_source import examine_yaml

if TYPE_CHECKING:
    from pathlib import Path

_LINES = render_template("spiky-llm").splitlines(keepends=True)
_SPECIAL = "\t :-[]{},&*!|>'\"%@`#?~<=.0x\n\\\u00e9\ufeff"

_position = st.integers(0, len(_LINES) - 1)
_mutation = st.one_of(
    st.tuples(st.just("delete"), _position, st.none()),
    st.tuples(st.just("repeat"), _position, st.none()),
    st.tuples(st.just("swap"), _position, _position),
    st.tuples(st.just("indent"), _position, st.integers(-4, 4)),
    st.tuples(
        st.just("put"),
        _position,
        st.tuples(st.integers(0, 80), st.text(_SPECIAL, min_size=1, max_size=3)),
    ),
)


def _mutate(mutations: list[tuple[str, int, object]]) -> str:
    lines = list(_LINES)
    for kind, at, argument in mutations:
        line = lines[at]
        if kind == "delete":
            lines[at] = ""
        elif kind == "repeat":
            lines[at] = line * 2
        elif kind == "swap":
            lines[at], lines[argument] = lines[argument], line
        elif kind == "indent":
            lines[at] = " " * argument + line if argument > 0 else line[-argument:]
        else:
            column, text = argument
            lines[at] = line[:column] + text + line[column + 1 :]
    return "".join(lines)


def _outcome(path: Path) -> list[object]:
    """Return the problems of a file; none if it loads."""
    try:
        load_scenario(path)
    except ScenarioError as error:
        str(error)  # rendering must not fail either
        return list(error.problems)
    except InputError as error:
        return [error]
    return []


@settings(
    max_examples=300,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(_mutation, min_size=1, max_size=4))
def test_a_mutated_scenario_loads_or_is_refused_inside_the_file(
    tmp_path: Path, mutations: list[tuple[str, int, object]]
) -> None:
    text = _mutate(mutations)
    path = tmp_path / "scenario.yaml"
    path.write_bytes(text.encode())

    problems = _outcome(path)

    n_lines = len(text.splitlines()) + 1
    assert [one for one in problems if not 1 <= one.line <= n_lines] == []


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.text(_SPECIAL + "ab1", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        document, problems = examine_yaml(text, path="any.yaml")
    except ScenarioError as error:
        problems = error.problems
    else:
        assert document.path == "any.yaml"

    assert [one for one in problems if one.line is None or one.column is None] == []


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        _, problems = examine_yaml(data, path="any.yaml")
    except ScenarioError as error:
        problems = error.problems

    assert [one for one in problems if one.line is None or one.column is None] == []


_KEYS = [
    "name", "seed", "traffic", "traffic.streams", "traffic.streams.0.rate", "slo.p95",
    "traffic.spikes.0.at", "deployments.0", "deployments.modal L4, to zero.gpu", "a..b",
    "deployments.0.settings.x.y", "traffic.streams.0.rate.x", "", ".", "setup.mean",
]  # fmt: skip
_value = st.one_of(
    st.sampled_from(
        ["5", "5s", "-1", ".nan", "[1]", "{a: 1}", "null", "", "a: b", "*x"]
    ),
    st.text(_SPECIAL + "ab1", max_size=12),
)


@pytest.fixture(scope="module")
def good_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("good") / "scenario.yaml"
    path.write_text(render_template("spiky-llm"), "utf-8")
    return path


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.sampled_from(_KEYS), _value)
def test_any_override_is_applied_or_named_in_the_refusal(
    good_path: Path, key: str, value: str
) -> None:
    try:
        load_scenario(good_path, overrides=[f"{key}={value}"])
    except ScenarioError as error:
        problems = error.problems
    else:
        problems = []

    assert [
        one
        for one in problems
        if one.line is None and not one.message.startswith("--set ")
    ] == []
