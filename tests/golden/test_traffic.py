"""What the commands of ``traffic`` print and write, of the scenario's requests."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest
from golden_outputs import FOLDER, NARROW, WIDE, steady, table_text

SCENARIO = FOLDER / "scenario.yaml"
_TOKENS = (
    "{input: {distribution: exponential, mean: 512}, output: 100, "
    "prefill: 8000 tokens/s, decode: 45 tokens/s}"
)


@pytest.mark.parametrize(
    ("form", "ending"),
    [("table", "txt"), ("json", "json"), ("csv", "csv"), ("markdown", "md")],
)
def test_the_description(invoke, golden, form, ending):
    answer = invoke("traffic", "describe", SCENARIO, "--format", form)

    golden(f"traffic-describe.{ending}", steady(answer.out))


@pytest.mark.parametrize(
    ("form", "ending"),
    [("table", "txt"), ("json", "json"), ("csv", "csv"), ("markdown", "md")],
)
def test_the_formats(invoke, golden, form, ending):
    answer = invoke("traffic", "formats", "--format", form)

    golden(f"traffic-formats.{ending}", answer.out)


@pytest.mark.parametrize(
    ("env", "charset", "name"),
    [(NARROW, "ascii", "narrow"), (WIDE, "utf-8", "wide")],
    ids=["narrow", "wide"],
)
@pytest.mark.parametrize("command", ["describe", "plot"])
def test_other_widths(invoke, golden, command, env, charset, name):
    answer = invoke("traffic", command, SCENARIO, env=env, charset=charset)

    golden(f"traffic-{command}-{name}.txt", answer.out)


def test_the_plots(invoke, golden):
    golden("traffic-plot.txt", invoke("traffic", "plot", SCENARIO).out)


def test_the_requests_as_parquet(invoke, golden, tmp_path):
    path = tmp_path / "requests.parquet"
    invoke("traffic", "export", SCENARIO, "--out", path)

    golden("traffic-export.txt", table_text(pq.read_table(path)))


@pytest.mark.parametrize(
    ("form", "work"),
    [("csv", "{time: 2s}"), ("mooncake", f"{{tokens: {_TOKENS}}}")],
    ids=["csv", "mooncake"],
)
def test_the_requests_as_text(invoke, golden, form, work):
    answer = invoke(
        *("traffic", "export", SCENARIO, "--set", f"service={work}"),
        *("--set", "horizon=10m", "--set", "warm_up=0s", "--out", "-"),
        *("--format", form),
    )

    golden(f"traffic-export-{form}.txt", steady(answer.out))


def test_a_fitted_scenario_and_how_near_it_is(invoke, golden, tmp_path):
    log = tmp_path / "log.csv"
    # So short that no other model is tried: their fits are through logarithms.
    short = ("--set", "horizon=45m", "--set", "warm_up=0s")
    invoke("traffic", "export", SCENARIO, *short, "--out", log)

    answer = invoke("traffic", "fit", log)

    golden("traffic-fit.yaml", steady(answer.out))
    golden("traffic-fit.txt", answer.err)
