"""What ``compare`` prints: of two scenarios, of saved results, and when it fails."""

from __future__ import annotations

import pytest
from golden_outputs import FOLDER, NARROW, PRICES, SCENARIO, WIDE, steady

ALLOWED = (
    "--fail-on",
    "cost +10%",
    "--fail-on",
    "p95 +200ms",
    "--fail-on",
    "cold +1pp",
)


@pytest.fixture(scope="module")
def saved(invoke, tmp_path_factory):
    """Two saved results, the second with slower starts."""
    place = tmp_path_factory.mktemp("results")
    invoke("run", *SCENARIO, "--quiet", "--out", place / "old")
    slower = ("--set", "setup=60s")
    invoke("run", *SCENARIO, "--quiet", *slower, "--out", place / "new")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        yield "old", "new"


def test_a_scenario_and_what_is_changed_in_it(invoke, golden, monkeypatch):
    monkeypatch.chdir(FOLDER)

    answer = invoke("compare", "scenario.yaml", *PRICES, "--set", "setup=60s", *ALLOWED)

    assert answer.exit_code == 1
    golden("compare-changed.txt", answer.out)
    golden("compare-changed-remarks.txt", answer.err)


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("table", "compare.txt"),
        ("json", "compare.json"),
        ("csv", "compare.csv"),
        ("markdown", "compare.md"),
        ("github", "compare-github.txt"),
    ],
)
def test_two_saved_results(invoke, golden, saved, form, name):
    answer = invoke("compare", *saved, *ALLOWED, "--format", form)

    assert answer.exit_code == 1
    golden(name, steady(answer.out))


def test_two_saved_results_on_a_narrow_terminal_without_unicode(invoke, golden, saved):
    answer = invoke("compare", *saved, env=NARROW, charset="ascii")

    assert answer.exit_code == 0
    golden("compare-narrow.txt", answer.out)


def test_two_saved_results_on_a_wide_terminal(invoke, golden, saved):
    golden("compare-wide.txt", invoke("compare", *saved, env=WIDE).out)
