"""Every error has a kind that explains it, and every kind is of an error that there is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from error_messages import SINKS, messages, unread
from source_calls import error_classes

from costsim import errors
from costsim.catalog.platform import load_catalog
from costsim.errors import InputError, ScenarioError
from costsim.report.error_kinds import (
    CLASSES,
    EXIT_CODES,
    error_kinds,
    kinds_of,
    matched,
    pointer,
    section,
)
from costsim.report.error_pages import error_words
from costsim.report.terms import find_terms
from costsim.scenario.load import load_document, load_scenario
from costsim.scenario.trace import Trace
from costsim.traffic.formats.detect import read_trace

MALFORMED = Path(__file__).parents[2] / "malformed"

FOR_PROGRAMMERS = {
    "a column on disk is taken in steps of 1": "a slice of our own",
    "a run has fewer than ... requests": "a sequence that is given too late",
    "departure_s of a request that timed out or failed is nan; it must say when the "
    "request left": "columns that a program made",
    "start_s is not in order within a replica; add busy spans instead": (
        "columns that a program made"
    ),
    "rows were not kept": "a trace that was loaded for something else",
    "... rows for ... requests": "columns that do not belong together",
    "... recorded rows for ... requests": "columns that do not belong together",
    "first_launch is ...; the next one is ...": "setups that are drawn out of order",
    "chunk_size must be at least 1, not ...": "an argument of our own",
    "the trace of a scenario is read by load_trace and passed on": "a call left out",
    "and ... more problems": "it stands after a hundred problems that have kinds",
}
"""Messages that no file and no option can bring about, and why."""

PASSED_ON = {
    "costsim/catalog/gpus.py": "the shipped file, which tests read",
    "costsim/catalog/imports/faults.py": "faults that were added, one a line",
    "costsim/catalog/located.py": "problems that were added",
    "costsim/study/pools.py": "what the engine's arguments refuse",
    "costsim/study/worked_bill.py": "problems of a scenario",
    "costsim/traffic/formats/packing.py": "what the unpacking found",
}
"""Files where something is only said again, so that its words are found elsewhere."""

BY_YAML = [
    "found incompatible YAML document (version 1.* is required)",
    "expected a digit or '.', but found 'x'",
]
"""Words of PyYAML's own, which costsim does not know better."""

SAID = [one.text for one in messages()]


def of_source(message):
    return pytest.param(message.text, id=f"{message.place} {message.text[:40]}")


@pytest.mark.parametrize(
    "text", [of_source(one) for one in messages() if one.text not in FOR_PROGRAMMERS]
)
def test_every_message_of_the_source_has_a_kind(text):
    assert kinds_of(text) != []


def test_hundreds_of_messages_are_found_in_the_source():
    assert len(SAID) > 500


def test_every_class_of_errors_is_looked_at():
    """So that a new one is not left out of the search for messages."""
    with_words_of_their_own = {
        "CostsimError",
        "CostsimWarning",
        "NotYamlError",
        "ScenarioError",
        "TooFewLifetimesError",
        "TooFewSetupTimesError",
        "UnsourcedError",
        "UnstableQueueError",
    }

    assert error_classes() - SINKS == with_words_of_their_own


@pytest.mark.parametrize(
    "text",
    [
        "the key ... is repeated; line ... has it already",
        "'...' is not a duration; write a number and a unit, such as '90s', '5m' or '1h30m'",
        "missing key '...'",
        "must be at least ..., found ...",
        "unknown key (did you mean '...'?); allowed: ...",
        "no ': ' follows this key",
        "nothing in this list can be used...",
        "exists already; name another file, or give --force to replace it",
        "out of memory; shorten the horizon",
    ],
)
def test_messages_are_found_wherever_they_are_put_together(text):
    assert text in [one.replace("......", "...") for one in SAID]


def test_what_is_said_can_be_read_wherever_it_is_not_said_again():
    assert {place.split(":")[0] for place in unread()} == set(PASSED_ON)


def test_no_exception_is_listed_that_is_no_message_any_more():
    assert set(FOR_PROGRAMMERS) - set(SAID) == set()


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        pytest.param(kind.name, one, id=f"{kind.name} {one[:40]}")
        for kind in error_kinds().values()
        for one in kind.says
    ],
)
def test_every_pattern_is_said_somewhere_and_found_to_be_of_its_kind(name, pattern):
    said = [text for text in [*SAID, *BY_YAML] if matched(pattern, text)]

    assert name in [kind.name for text in said for kind in kinds_of(text)]


@pytest.mark.parametrize(
    "path", sorted((MALFORMED / "scenarios").iterdir()), ids=lambda path: path.stem
)
def test_every_problem_of_a_malformed_scenario_has_a_kind(path):
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)

    told = [f"error: {path}: {one.message}" for one in caught.value.problems]
    assert [text for text in told if not kinds_of(text)] == []
    assert kinds_of(str(caught.value)) != []


@pytest.mark.parametrize(
    "path", sorted((MALFORMED / "traces").iterdir()), ids=lambda path: path.name
)
def test_every_malformed_trace_has_a_kind_of_traces(path):
    needs = ["output_tokens"] if "azure" in path.name else None
    with pytest.raises(InputError) as caught:
        read_trace(Trace(path=str(path)), needs)

    (kind,) = kinds_of(str(caught.value))
    assert kind.name.startswith("trace-")


@pytest.mark.parametrize(
    ("message", "names"),
    [
        (
            "acme.yaml:3:5: servce: unknown key (did you mean 'service'?)",
            ["unknown-key"],
        ),
        ("error: --set sed=5: unknown key (did you mean 'seed'?)", ["unknown-key"]),
        (
            "a.yaml:6:3: traffic.seed: unknown key here; it belongs at the top of the file",
            ["misplaced-key"],
        ),
        ("a.yaml:2:1: missing key 'traffic'", ["missing-key"]),
        (
            "a.yaml:3:10: horizon: '14' is not a duration; write a number and a unit, "
            "such as '90s', '5m' or '1h30m'",
            ["missing-unit"],
        ),
        (
            "deployments.0.settings.max_containers: 9.5 is not allowed; write a whole number",
            ["setting-value"],
        ),
        (
            "traffic.streams.0.arrivals.process: 'poison' is not allowed (did you mean "
            "'poisson'?); allowed: poisson, gamma",
            ["unknown-word"],
        ),
        ("unknown platform 'modl' (did you mean 'modal'?); allowed: modal", ["unknown-name"]),
        ("unknown day 'Fry' (did you mean 'Fri'?); allowed: Mon, Tue", ["schedule-syntax"]),
        ("initial_replicas must be between 1 and 2, got 3", ["out-of-range"]),
        (
            "buffer_replicas must be left out: it goes with 'on_demand', got 1",
            ["conflicting-keys"],
        ),
        (
            "--set service.tme=1s: unknown key (did you mean 'time'?); allowed: time, tokens",
            ["unknown-key"],
        ),
        ("x.csv:3: is not valid JSON: Unterminated string", ["trace-damaged"]),
        (
            "results/cost.json: exists already; name another file, or give --force to "
            "replace it",
            ["file-exists"],
        ),
        ("a.yaml:5:1: ': ' cannot stand here; quote text", ["yaml-syntax"]),
        ("nothing of the kind", []),
        ("", []),
    ],
)  # fmt: skip
def test_a_message_has_the_kind_that_fits_best(message, names):
    assert [kind.name for kind in kinds_of(message)] == names


BOTH = """error: a.yaml:2:7: name: expected text, found 2026; put it in quotes
  2 | name: missing key
    |       ^^^^^^^^^^^
a.yaml:4:9: slo.p95: '2' is not a duration; write a number and a unit, such as '90s'
  4 | slo: {p95: unknown key}
    |            ^
a.yaml:9:9: name: expected text, found 5; put it in quotes"""


def test_each_problem_has_its_kind_once_and_excerpts_of_the_file_have_none():
    assert [kind.name for kind in kinds_of(BOTH)] == ["wrong-type", "missing-unit"]


def test_a_message_that_a_terminal_wrapped_is_found():
    wrapped = "no steady state: offered\nload 3 erlang on 2 slots; it must be below"

    assert [kind.name for kind in kinds_of(wrapped)] == ["unstable-queue"]


def test_a_failure_names_at_most_three_kinds_in_a_form_to_paste():
    lines = [
        "missing key 'a'",
        "unknown key",
        "must not be empty",
        "needs exactly one of a and b",
    ]

    assert pointer("\n".join(lines)) == [
        "explain: costsim explain missing-key",
        "explain: costsim explain unknown-key",
        "explain: costsim explain out-of-range",
    ]


@pytest.mark.parametrize(
    ("pattern", "message", "fits"),
    [
        ("unknown key", "a: unknown key", True),
        ("unknown key", "unknown keys", False),
        ("unknown key", "an unknown key", False),
        ("unknown key ...", "unknown key (did you", True),
        (
            "... need different names; ...",
            "deployments need different names; 'a'",
            True,
        ),
        ("must be above ..., found ...", "must be above 0, found '0s'", True),
        ("must be above ..., found ...", "must be above 0", False),
        ("the end ... is here", "the end is here", False),
        ("is empty", "t.csv: is empty", True),
        ("is empty", "'' is empty", False),
    ],
)
def test_a_pattern_fits_a_message_or_its_end_behind_a_colon(pattern, message, fits):
    assert matched(pattern, message) is fits


# The page


def test_the_exit_codes_are_those_of_the_package():
    codes = [int(row["code"]) for row in section(EXIT_CODES).rows]

    assert codes == sorted(
        value for name, value in vars(errors).items() if name.startswith("EXIT_")
    )


def test_every_class_is_listed_with_its_exit_code():
    listed = {row["class"]: int(row["code"]) for row in section(CLASSES).rows}

    assert listed == {
        name: made.exit_code
        for name, made in vars(errors).items()
        if isinstance(made, type)
        and issubclass(made, errors.CostsimError)
        and made is not errors.CostsimError
    }


KINDS_OF_CLASS = {
    row["class"]: row["kinds"].split(", ") for row in section(CLASSES).rows
}


def test_every_kind_is_of_a_class():
    listed = {name for names in KINDS_OF_CLASS.values() for name in names}

    assert listed ^ set(error_kinds()) == set()


@pytest.mark.parametrize(
    "made_by", ["TraceError", "OutputError", "CatalogError", "SimulationError"]
)
def test_a_class_lists_the_kinds_of_all_its_messages(made_by):
    said = [one.text for one in messages() if one.made_by == made_by]
    kinds = {kind.name for text in said for kind in kinds_of(text)}

    assert kinds - set(KINDS_OF_CLASS[made_by]) == set()


@pytest.mark.parametrize("word", error_words())
def test_no_word_about_errors_is_a_platform_or_a_term(word):
    assert find_terms(word) == []
    assert load_catalog().find(word) is None


@pytest.mark.parametrize("name", error_kinds())
def test_every_kind_says_why_and_what_to_do_in_plain_sentences(name):
    kind = error_kinds()[name]

    assert kind.why.endswith(".")
    assert kind.remedy.endswith(".")
    assert "`" not in kind.why + kind.remedy
    assert "](" not in kind.why + kind.remedy


GOOD = """
name: good
start: 2026-03-02T00:00+01:00
horizon: 2h
traffic: {streams: [{rate: 60/h}]}
service: {time: 1s}
setup: 1s
deployments: [{name: own, pool: {}, billing: {price: 1 USD/h}}]
"""


@pytest.mark.parametrize(
    "name", [kind.name for kind in error_kinds().values() if kind.example]
)
def test_an_example_is_right(tmp_path, name):
    example = yaml.safe_load(error_kinds()[name].example)
    path = tmp_path / "scenario.yaml"
    content = yaml.safe_load(GOOD) | {"start": "2026-03-02T00:00+01:00"} | example
    path.write_text(yaml.safe_dump(_as_written(content)), "utf-8")

    scenario, document = load_document(path)

    assert scenario.name
    assert document.value.keys() >= example.keys()


def _as_written(content):
    """Return the content with the moment as text, as it stands in a file."""
    start = content["start"]
    return content | {"start": start if isinstance(start, str) else start.isoformat()}


def test_finding_the_kind_loads_nothing_heavy():
    code = (
        "import sys; from costsim.report.error_kinds import pointer; "
        "assert pointer('unknown key'); "
        "print([one for one in ('rich', 'numpy', 'pydantic', 'yaml', 'importlib.resources')"
        " if one in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert done.stdout == "[]\n"
