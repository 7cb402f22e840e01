"""The exceptions that are raised on purpose: their codes, and their words."""

from __future__ import annotations

import inspect

import pytest

from costsim import errors
from costsim.errors import (
    EXIT_INCOMPLETE,
    EXIT_INPUT,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_SLO_MISSED,
    CatalogError,
    CostsimError,
    InputError,
    OutputError,
    Problem,
    ScenarioError,
    SimulationError,
    TraceError,
    UnstableQueueError,
)


def test_exit_codes_are_those_that_scripts_rely_on():
    assert (EXIT_OK, EXIT_SLO_MISSED, EXIT_INPUT) == (0, 1, 2)
    assert (EXIT_INCOMPLETE, EXIT_INTERRUPTED) == (3, 130)


@pytest.mark.parametrize("kind", [InputError, TraceError, CatalogError, OutputError])
def test_a_users_mistake_is_exit_2(kind):
    assert kind("no").exit_code == 2
    assert issubclass(kind, InputError)


def test_a_run_that_cannot_be_completed_is_exit_3():
    assert SimulationError("no").exit_code == 3
    assert UnstableQueueError(2.0, 1).exit_code == 3
    assert ScenarioError([]).exit_code == 2


def test_everything_raised_on_purpose_has_one_base():
    strangers = [
        name
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, Exception)
        and not issubclass(kind, CostsimError)
        and name != "CostsimWarning"
    ]

    assert strangers == []


def test_the_tree_in_the_documentation_is_the_real_one():
    named = [
        name
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, CostsimError)
    ]

    assert [name for name in named if name not in str(errors.__doc__)] == []


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ({}, "no"),
        ({"path": "a.csv"}, "a.csv: no"),
        ({"path": "a.csv", "line": 3}, "a.csv:3: no"),
        ({"line": 3}, "3: no"),
    ],
)
def test_an_error_begins_with_its_place(place, text):
    error = InputError("no", **place)

    assert str(error) == text
    assert (error.message, error.path, error.line) == (
        "no",
        place.get("path"),
        place.get("line"),
    )


def test_a_scenario_error_shows_the_line_with_carets_below_the_fault():
    problem = Problem("'5' is not a rate", "traffic.rate", 4, 9, 3, "  rate: '5'")

    assert str(ScenarioError([problem], path="a.yaml")) == (
        "a.yaml:4:9: traffic.rate: '5' is not a rate\n"
        "  4 |   rate: '5'\n"
        "    |         ^^^"
    )


def test_a_scenario_error_shows_all_problems_and_carries_them():
    problems = [Problem("first", "a", 1, 1), Problem("second", "b", 2, 3)]

    error = ScenarioError(problems, path="a.yaml")

    assert str(error) == "a.yaml:1:1: a: first\na.yaml:2:3: b: second"
    assert (error.problems, error.line, error.path) == (problems, 1, "a.yaml")


def test_a_problem_without_a_line_is_about_an_option():
    error = ScenarioError(
        [Problem("must be at least 0", "--set seed=-1")], path="a.yaml"
    )

    assert str(error) == "--set seed=-1: must be at least 0"


def test_a_long_line_is_cut_around_the_fault():
    source = "x" * 5000 + "FAULT" + "y" * 5000
    problem = Problem("no", "a", 1, 5001, 5, source)

    _, shown, carets = str(ScenarioError([problem])).splitlines()

    assert len(shown) < 80
    assert carets.index("^") == shown.index("FAULT")
    assert carets.count("^") == 5


def test_a_fault_longer_than_the_line_has_carets_to_its_end():
    problem = Problem("no", "a", 1, 70, 10_000, "x" * 200)

    _, shown, carets = str(ScenarioError([problem])).splitlines()

    assert len(carets) <= len(shown)


def test_a_fault_beyond_the_end_has_one_caret():
    problem = Problem("no", "a", 1, 9, 1, "name: x ")

    assert str(ScenarioError([problem])).splitlines()[-1].count("^") == 1


def test_control_characters_of_a_file_do_not_reach_the_terminal():
    problem = Problem("no", "a", 1, 1, 1, "\x1b[2J\x07\u202e")

    assert str(ScenarioError([problem])).replace("\n", "").isprintable()


def test_an_unstable_queue_tells_its_load():
    error = UnstableQueueError(2.5, 2)

    assert str(error) == (
        "no steady state: offered load 2.5 erlang on 2 slots; it must be below the "
        "number of slots"
    )
    assert (error.offered_load, error.servers) == (2.5, 2)
