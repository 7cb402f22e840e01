"""``costsim explain``: words, topics, forms, errors, and what it loads."""

from __future__ import annotations

import csv
import json
import subprocess
import sys

import pytest
from small_study import ROW_NAMES

from costsim.report.error_kinds import error_kinds
from costsim.report.terms import find_terms

FORMS = ["table", "json", "csv", "markdown"]
COMMANDS = [
    ["explain"],
    ["explain", "modal"],
    ["explain", "modal", "autoscaler"],
    ["explain", "ec2", "conflicts"],
    ["explain", "baseten", "billing", "--instance", "L4:4x16"],
    ["explain", "knative", "--price", "2 USD/h"],
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_form_of_every_answer_is_on_stdout_alone(invoke, command, form):
    answer = invoke(*command, "--format", form)

    assert (answer.exit_code, answer.err) == (0, "")
    assert len(answer.out.splitlines()) > 1
    assert answer.out.endswith("\n")
    assert answer.out.replace("\n", "").isprintable()


@pytest.mark.parametrize("columns", ["60", "80", "160"])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_line_is_wider_than_the_terminal(invoke, command, columns):
    answer = invoke(*command, env={"COLUMNS": columns})

    assert max(map(len, answer.out.splitlines())) <= int(columns)


def test_the_topic_is_billing_if_none_is_given(invoke):
    assert invoke("explain", "modal") == invoke("explain", "MODAL", "billing")


def test_json_holds_the_facts_and_the_example(invoke):
    answer = invoke("explain", "modal", "--gpu", "L4", "--format", "json")

    record = json.loads(answer.out)
    assert {"platform", "topic", "facts", "example"} <= record.keys()
    assert record["example"]["what"] == "L4"
    assert record["example"]["total_usd"] == pytest.approx(0.018450596)
    assert {"item", "text", "source", "as_of"} <= record["facts"][0].keys()


def test_a_topic_without_a_bill_has_no_example(invoke):
    record = json.loads(invoke("explain", "modal", "limits", "--format", "json").out)

    assert record["example"] is None


def test_csv_has_a_row_a_fact(invoke):
    table = invoke("explain", "modal", "limits", "--format", "csv").out.splitlines()
    record = json.loads(invoke("explain", "modal", "limits", "--format", "json").out)

    assert len(list(csv.DictReader(table))) == len(record["facts"]) > 5


def test_my_own_price_is_what_the_bill_is_worked_out_with(invoke):
    answer = invoke("explain", "ec2", "--price", "3 USD/h", "--format", "json")

    assert json.loads(answer.out)["example"]["total_usd"] == pytest.approx(3.0)


def test_my_own_file_of_prices_counts(invoke, tmp_path):
    path = tmp_path / "prices.yaml"
    path.write_text("modal: {source: our contract, gpus: {T4: 0.10 USD/h}}\n")

    answer = invoke("explain", "modal", "prices", "--prices", path)

    assert "0.1 USD/h" in answer.out
    assert "our contract" in answer.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mdal"], "did you mean 'modal'"),
        (["modal", "biling"], "did you mean 'billing'"),
        (["billing"], "costsim explain"),
        (["modal", "--gpu", "L5"], "unknown GPU of Modal"),
        (["modal", "--price", "2"], "--price '2' is not a price"),
        (["modal", "--price", "-2 USD/h"], "price"),
        (["modal", "limits", "--gpu", "L4"], "go with the topic billing"),
    ],
)
def test_what_is_unknown_ends_with_2_and_nothing_on_stdout(invoke, arguments, message):
    answer = invoke("explain", *arguments)

    assert (answer.exit_code, answer.out) == (2, "")
    assert message in answer.err
    assert "Traceback" not in answer.err


def test_a_topic_without_a_bill_loads_no_engine():
    code = (
        "import sys\n"
        "from costsim.cli.app import main\n"
        "sys.argv = ['costsim', 'explain', 'modal', 'limits']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'numba', 'pandas', 'scipy', 'pyarrow'} & sys.modules.keys()\n"
        "print('LOADED', *sorted(heavy), file=sys.stderr)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert done.stderr.splitlines()[-1] == "LOADED"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "word",
    [
        *("p95_s", "IDLE  timeout", "min replicas", "rounding", "met_fraction"),
        *("$/month", "95% interval", "+-", "~"),
    ],
)
def test_terms_and_columns_are_explained_in_every_form(invoke, word, form):
    answer = invoke("explain", word, "--format", form)

    assert (answer.exit_code, answer.err) == (0, "")
    assert word.split()[0].casefold() in answer.out.casefold()


@pytest.mark.parametrize("columns", ["20", "60", "80"])
@pytest.mark.parametrize("word", ["idle timeout", "deployment"])
def test_a_term_fits_the_terminal(invoke, word, columns):
    answer = invoke("explain", word, env={"COLUMNS": columns})

    assert max(map(len, answer.out.splitlines())) <= int(columns)


def test_every_column_of_a_result_is_explained():
    assert [name for name in ROW_NAMES if not find_terms(name)] == []


def test_a_term_of_the_glossary_has_its_meaning_unit_and_other_names():
    (term,) = find_terms("setup time")

    assert term.meaning.startswith("of a replica: launch to ready")
    assert "cold start" in term.elsewhere


def test_a_word_that_is_nearly_a_term_is_suggested(invoke):
    answer = invoke("explain", "idle timeot")

    assert answer.exit_code == 2
    assert "did you mean 'idle timeout'" in answer.err


def test_at_most_three_words_are_suggested(invoke):
    answer = invoke("explain", "cost_usd_per_mnth")

    assert answer.err.count("'") == 2 + 2 * 3 + 2
    assert "(did you mean 'cost_usd_per_month', " in answer.err


def test_what_is_like_nothing_leads_to_the_list(invoke):
    message = invoke("explain", "blorb").err.splitlines()[0]

    assert message == (
        "error: unknown platform or term 'blorb'; 'costsim explain' lists what can be "
        "explained"
    )


@pytest.mark.parametrize("word", ["cold start", "min replicas", "95% interval"])
def test_a_word_of_two_parts_needs_no_quotes(invoke, word):
    first, _, rest = word.partition(" ")

    answers = {invoke("explain", *some).out for some in ([word], [first, rest])}
    assert len(answers) == 1
    assert answers != {""}


def test_every_meaning_of_a_word_says_where_it_is_from(invoke):
    rows = json.loads(invoke("explain", "POINT", "--format", "json").out)

    assert [(row["word"], row["kind"], row["where"]) for row in rows] == [
        ("point", "column", "results.csv"),
        ("point", "key", "summary.json"),
    ]


def test_the_list_of_words_sums_up_columns_by_file(invoke):
    out = invoke("explain").out

    assert len(out.splitlines()) < 80
    assert "crossings.csv" in out
    assert "docs/columns.md" in out
    assert "asked_requests_per_day" not in out


# Errors

MESSAGE = "error: a.yaml:3:5: servce: unknown key (did you mean 'service'?)"
ERRORS = ["unknown-key", "errors", "exit codes", "exit code 2", "TraceError", MESSAGE]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("word", ERRORS)
def test_every_word_about_errors_has_every_form(invoke, word, form):
    answer = invoke("explain", word, "--format", form)

    assert (answer.exit_code, answer.err) == (0, "")
    assert len(answer.out.splitlines()) > 1
    assert "`" not in answer.out


@pytest.mark.parametrize("columns", ["20", "60", "80"])
@pytest.mark.parametrize("word", ERRORS)
def test_an_error_fits_the_terminal(invoke, word, columns):
    answer = invoke("explain", word, env={"COLUMNS": columns})

    assert max(map(len, answer.out.splitlines())) <= int(columns)


@pytest.mark.parametrize("kind", error_kinds())
def test_a_kind_is_explained_with_its_remedy(invoke, kind):
    out = invoke("explain", kind.upper()).out

    assert out.splitlines()[0] == kind
    assert [line.split()[0] for line in out.splitlines()[1:] if line[:1] > " "][:3] == [
        "why",
        "do",
        "says",
    ]


def test_a_pasted_message_is_explained_like_its_kind(invoke):
    assert invoke("explain", MESSAGE) == invoke("explain", "unknown-key")


def test_a_message_with_two_problems_has_both_explained(invoke):
    out = invoke("explain", f"{MESSAGE}\na.yaml:4:1: missing key 'name'").out

    assert [line for line in out.splitlines() if line in error_kinds()] == [
        "unknown-key",
        "missing-key",
    ]


def test_the_list_of_errors_has_a_line_for_each_kind(invoke):
    lines = invoke("explain", "errors").out.splitlines()

    assert [line.split()[0] for line in lines[:-2]] == list(error_kinds())
    assert lines[-1] == "costsim explain no-such-file"


def test_an_exit_code_is_explained_alone_or_with_the_others(invoke):
    (one,) = json.loads(invoke("explain", "exit code 3", "--format", "json").out)
    every = json.loads(invoke("explain", "exit", "codes", "--format", "json").out)

    assert one["code"] == "3"
    assert [row["code"] for row in every] == ["0", "1", "2", "3", "130"]
    assert one in every


def test_a_class_of_errors_names_its_kinds(invoke):
    (row,) = json.loads(invoke("explain", "traceerror", "--format", "json").out)

    assert row["class"] == "TraceError"
    assert "trace-time" in row["kinds"].split(", ")


def test_a_kind_in_json_has_its_parts(invoke):
    (row,) = json.loads(invoke("explain", "missing-unit", "--format", "json").out)

    assert row.keys() == {"kind", "why", "do", "example", "says"}
    assert row["example"].startswith("horizon: 14d\n")


def test_a_word_that_is_nearly_a_kind_is_suggested(invoke):
    answer = invoke("explain", "unknown-kye")

    assert answer.exit_code == 2
    assert "did you mean 'unknown-key'" in answer.err


@pytest.mark.parametrize("word", ["exit code 4", "explain", "warning"])
def test_what_is_no_error_is_unknown(invoke, word):
    answer = invoke("explain", word)

    assert answer.exit_code == 2
    assert answer.err.startswith(f"error: unknown platform or term '{word}'")
