"""Words that are explained: every column, key and heading there is, and everyday words."""

from __future__ import annotations

import csv
import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from golden_outputs import FOLDER

from costsim.report import shipped
from costsim.report.shipped import table_rows
from costsim.report.terms import (
    column_tables,
    find_terms,
    table_words,
    term_words,
)
from costsim.study.breakeven.result import BreakEven
from costsim.study.compare import Comparison
from costsim.study.exports import Exports
from costsim.study.sweep.result import SweepResult
from costsim.study.tune.result import TuneResult

if TYPE_CHECKING:
    from collections.abc import Iterator

RUN = ("summary.csv",)
RESULT = (
    *("result.json", "summary.csv", "bill.csv", "timeline.csv"),
    *("traffic in result.json", "verdict in result.json"),
    *("thresholds in result.json", "prices in result.json"),
)
BREAK_EVEN = ("breakeven.json", "curve.csv", "crossings.csv", "regimes.csv")
EVERY_RESULT = ("result.json",)

TABLES: dict[str, tuple[str, ...]] = {
    "run.csv": RUN,
    "bill.csv": ("bill.csv",),
    "timeline.txt": ("timeline.csv",),
    "requests.txt": ("requests.parquet",),
    "run.json": RESULT,
    "result.json": RESULT,
    "result-timeline.json": RESULT,
    "compare.csv": ("changes.csv",),
    "compare.json": ("compare.json", "changes.csv", *EVERY_RESULT),
    "breakeven.csv": ("curve.csv",),
    "breakeven-crossings.csv": ("crossings.csv",),
    "breakeven-regimes.csv": ("regimes.csv",),
    "breakeven-answer.json": (*BREAK_EVEN, *EVERY_RESULT),
    "tune.csv": ("tune.csv",),
    "tune-pareto.csv": ("tune.csv",),
    "tune-saved.json": ("tune.json", "tune.csv", "verdict in result.json", *RESULT),
    "tune-answer.json": ("tune.json", "tune.csv", "verdict in result.json", *RESULT),
    "sweep.csv": ("results.csv", "summary.csv"),
    "sweep.json": ("summary.json", "results.csv", "summary.csv", *EVERY_RESULT),
    "sweep-file-summary.json": ("summary.json", *EVERY_RESULT),
    "sweep-file-sweep.json": ("sweep.json", "summary.json", *EVERY_RESULT),
    "prices.csv": ("costsim prices",),
    "prices.json": ("costsim prices",),
    "prices-shape.csv": ("costsim prices",),
    "prices-own.csv": ("costsim prices",),
    "prices-history.csv": ("costsim prices --history",),
    "prices-history.json": ("costsim prices --history",),
    "platforms.csv": ("costsim platforms",),
    "platforms.json": ("costsim platforms",),
    "platforms-one.csv": ("costsim platforms NAME",),
    "platforms-one.json": ("costsim platforms NAME",),
    "platforms-two.csv": ("costsim platforms NAME",),
    "traffic-describe.csv": ("costsim traffic describe",),
    "traffic-formats.csv": ("costsim traffic formats",),
    "traffic-formats.json": ("costsim traffic formats",),
    "traffic-export-csv.txt": ("costsim traffic export",),
    "traffic-export-mooncake.txt": ("costsim traffic export",),
    "traffic-export.txt": ("costsim traffic export",),
    "run-wide.txt": ("the table of costsim run",),
    "compare-wide.txt": ("the tables of costsim compare",),
    "breakeven-wide.txt": ("the tables of costsim breakeven",),
    "tune-wide.txt": ("the tables of costsim tune",),
    "sweep-wide.txt": ("the tables of costsim sweep",),
    "prices-wide.txt": ("the tables of costsim prices",),
    "prices-shape-wide.txt": ("the tables of costsim prices",),
    "prices-history-wide.txt": ("the tables of costsim prices",),
    "platforms-wide.txt": ("the table of costsim platforms",),
    "traffic-describe-wide.txt": ("the tables of costsim traffic",),
    "traffic-plot.txt": ("the tables of costsim traffic",),
    "traffic-fit.txt": ("the tables of costsim traffic fit",),
}
"""Golden outputs, and the tables of the page that have their columns."""

NAMED_BY_USERS = {
    "sweep.csv": r"(setup|service\.time\.mean)(_s)?",
    "sweep.json": r"(setup|service\.time\.mean)(_s)?",
    "sweep-file-summary.json": r"setup|service\.time\.mean",
    "sweep-file-sweep.json": r"setup|service\.time\.mean",
    "platforms-two.csv": r"(acme|bolt)(_source)?",
    "traffic-describe-wide.txt": r"\d+[smh]",
}
"""Columns that are named by what was varied or asked for: the page has a row of them."""

NOT_OF_ANSWERS = {
    # As it was given.
    "resolved_scenario",
    # Their keys are names of deployments, or of the measures of summary.csv.
    *("response_s", "samples"),
}


def csv_names(text: str) -> Iterator[str]:
    yield from next(csv.reader(text.splitlines()))


def keys(value: Any) -> Iterator[str]:
    """Yield the keys of JSON; what is below a key that holds other names is left out."""
    if isinstance(value, list):
        for one in value:
            yield from keys(one)
    if isinstance(value, dict):
        for key, one in value.items():
            if key not in NAMES_OF_DEPLOYMENTS:
                yield key
            if key not in NOT_OF_ANSWERS:
                yield from keys(one)


NAMES_OF_DEPLOYMENTS = {
    *("modal L4", "baseten L4, one warm", "three g6.xlarge", "my own"),
    # How a golden file shortens a long list.
    *("count", "numbers", "sum", "first", "last"),
}


def headings(text: str) -> Iterator[str]:
    """Yield what is in capitals: a title on its own line, or all of a line's cells."""
    for line in text.splitlines():
        bare = re.sub(r"( \[.*\]|, .*)$", "", line.strip())
        cells = re.split(r"\s{2,}", bare)
        known = [re.fullmatch(r"[A-Z0-9$/%+>\- ]+|\d+[smh]", one) for one in cells]
        if all(known) and re.match(r"[A-Z$][A-Z/ ]|P95$", bare):
            yield from cells


def arrow_names(text: str) -> Iterator[str]:
    for line in text.splitlines():
        match = re.match(r"(\w+) (double|bool|int32|string|timestamp|dictionary)", line)
        yield from [match[1]] if match else []


@cache
def names_of(golden: str) -> tuple[str, ...]:
    """Return the columns, keys or headings of a golden output, each once."""
    text = (FOLDER / golden).read_text("utf-8")
    if golden == "traffic-describe.csv":
        rows = list(csv.DictReader(text.splitlines()))
        found = iter([*rows[0], *(row["figure"] for row in rows)])
    elif golden.endswith(".json"):
        found = keys(json.loads(text))
    elif golden.endswith(".csv") or golden in (
        "timeline.txt",
        "traffic-export-csv.txt",
    ):
        found = csv_names(text)
    elif golden in ("requests.txt", "traffic-export.txt"):
        found = arrow_names(text)
    elif golden == "traffic-export-mooncake.txt":
        found = keys(json.loads(text.splitlines()[0]))
    else:
        found = headings(text)
    return tuple(dict.fromkeys(found))


OUTPUTS = [
    pytest.param(golden, name, id=f"{golden}-{name}")
    for golden in TABLES
    for name in names_of(golden)
    if not re.fullmatch(NAMED_BY_USERS.get(golden, "(?!)"), name)
]


@pytest.mark.parametrize(("golden", "name"), OUTPUTS)
def test_every_column_of_an_output_is_explained_where_it_is_from(golden, name):
    assert name in {word for where in TABLES[golden] for word in table_words(where)}
    assert find_terms(name)


@pytest.mark.parametrize("golden", TABLES)
def test_an_output_has_columns_to_be_explained(golden):
    assert len(names_of(golden)) > 2


FORMS_OF_ROWS = (".csv", ".json")
WITHOUT_COLUMNS = {
    # Of the others the same, or no rows.
    *("prices-shape.json", "platforms-two.json", "traffic-describe.json"),
}


def test_no_output_with_rows_is_forgotten():
    there = {
        path.name
        for path in FOLDER.iterdir()
        if path.suffix in FORMS_OF_ROWS and not path.name.startswith("chart-")
    }

    assert there - TABLES.keys() == WITHOUT_COLUMNS


def test_every_file_of_a_study_has_its_columns():
    kinds = {one.kind for one in (Comparison, BreakEven, TuneResult, SweepResult)}

    assert {one.kind for one in Exports.__subclasses__()} == kinds
    assert {"changes.csv", "curve.csv", "tune.csv", "results.csv"} <= {*column_tables()}


# Nothing on the page is dead

NOT_IN_GOLDEN = {
    "result.json": {
        "studies": "a page that studies were added to",
        "title": "in studies",
        "chart": "in studies",
        "documents": "left out of the golden files, since it is what the others show",
    },
    "curve.csv": {
        "service_time_s": "--over service_time",
        "idle_timeout_s": "--over idle_timeout",
    },
    "breakeven.json": {"formula": "a scenario for which there is a closed form"},
    "results.csv": {
        "KEY": "a row for all keys that are varied",
        "KEY_s": "a row for all keys that are varied",
        "KEY_per_s": "a row for all keys that are varied",
    },
    "costsim platforms NAME": {
        "topic": "explain NAME --format csv",
        "NAME": "a row for all platforms",
        "NAME_source": "a row for all platforms",
    },
    "costsim traffic describe": {
        "session_gap_p50_s": "a log with sessions",
        "sessions": "a log with sessions",
        "requests_per_session": "a log with sessions",
        "spikes": "traffic of some days",
        **{
            f"{work}_{figure}": "a log that has it"
            for work in ("duration_s", "input_tokens", "output_tokens")
            for figure in ("mean", "p50", "p95", "p99")
        },
    },
    "costsim traffic export": {
        "arrival_s": "traffic without a start",
        "session": "a log with sessions",
        "input_tokens": "traffic with tokens",
        "output_tokens": "traffic with tokens",
    },
    "the tables of costsim compare": {
        "A": "the lines above the tables",
        "B": "the lines above the tables",
    },
    "the tables of costsim breakeven": {
        "MEAN SERVICE TIME": "--over service_time",
        "IDLE TIMEOUT": "--over idle_timeout",
    },
    "the tables of costsim tune": {
        "P50": "an SLO that bounds it",
        "P90": "an SLO that bounds it",
        "COLD": "an SLO that bounds it",
        "LOST": "an SLO that bounds it",
    },
    "the tables of costsim traffic": {
        "HOUR OF THE WEEK": "traffic of some days",
        "KEY": "a log with keys",
    },
}
"""Words of the page that no golden output has, and which output does."""
NOT_IN_GOLDEN_TABLES = {
    "costsim explain": "tests/unit/cli/test_explain.py",
    "the bill of costsim explain": "docs/prices.md",
    "the tables at the terminal": "marks, which are no columns",
}


@cache
def printed(where: str) -> frozenset[str]:
    """Return the columns of all golden outputs that have a table of the page."""
    found = {
        name
        for golden, tables in TABLES.items()
        if where in tables
        for name in names_of(golden)
    }
    return frozenset(found)


LIVE = [
    pytest.param(where, word, id=f"{where}-{word}")
    for where in column_tables()
    if where not in NOT_IN_GOLDEN_TABLES
    for word in sorted(table_words(where))
    if word not in NOT_IN_GOLDEN.get(where, {})
]
EXCEPTIONS = [
    pytest.param(where, word, id=f"{where}-{word}")
    for where, words in NOT_IN_GOLDEN.items()
    for word in words
]


@pytest.mark.parametrize(("where", "word"), LIVE)
def test_no_column_on_the_page_is_dead(where, word):
    assert word in printed(where)


@pytest.mark.parametrize(("where", "word"), EXCEPTIONS)
def test_no_exception_is_dead(where, word):
    assert word in table_words(where)
    assert word not in printed(where)


# Everyday words

EVERYDAY = [
    *("cold start", "scale to zero", "scale-to-zero", "verdict", "tie", "break-even"),
    *("breakeven", "Pareto", "Pareto front", "idle timeout", "keep-warm", "keep alive"),
    *("cooldown", "autoscaler", "autoscaling", "replication", "seed", "quantile"),
    *("common random numbers", "SLO", "percentile", "p95", "metered", "min replicas"),
    *("latency", "RPS", "warm-up", "scaledown_window", "confidence"),
    *("confidence interval", "GPU", "container", "worker", "crossover"),
]


@pytest.mark.parametrize("word", EVERYDAY)
def test_an_everyday_word_is_answered(word):
    assert all(one.meaning for one in find_terms(word))
    assert find_terms(word)


def test_a_word_of_others_leads_to_ours():
    assert [one.word for one in find_terms("scaledown_window")] == ["idle timeout"]
    assert "scaledown_window" not in term_words()


def test_a_meaning_that_tables_share_is_told_once():
    (one,) = find_terms("bin_s")
    shared = [one for one in find_terms("deployment") if "," in one.where]

    assert one.where == "result.json"
    assert "bill.csv, timeline.csv" in shared[0].where


def test_code_at_the_beginning_keeps_its_letters():
    assert find_terms("UTIL")[-1].meaning.startswith("utilization: busy")


# The tables of pages


@pytest.fixture
def page(monkeypatch):
    def show(text):
        monkeypatch.setattr(shipped, "shipped_page", lambda _: text)
        return list(table_rows("page.md"))

    return show


def test_a_row_comes_with_its_section(page):
    text = (
        "## A\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\n## B\n\n| c |\n| --- |\n| 3 |\n"
    )

    assert page(text) == [("A", {"a": "1", "b": "2"}), ("B", {"c": "3"})]


def test_a_bar_in_a_cell_is_no_end(page):
    assert page("| a |\n| --- |\n| 1 \\| 2 |\n") == [("", {"a": "1 | 2"})]


def test_a_row_of_another_length_is_refused(page):
    with pytest.raises(ValueError, match="argument 2 is longer"):
        page("| a |\n| --- |\n| 1 | 2 |\n")
