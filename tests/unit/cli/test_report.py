"""``costsim report`` and ``costsim run --html``: a result shown again, without simulating."""

from __future__ import annotations

import csv
import io
import json

import pytest
from pyarrow import parquet
from rich.cells import cell_len
from sweeps import SCENARIO, write_scenario

_SCENARIO = """\
name: small
seed: 3
horizon: 2h
replications: 3
traffic: {streams: [{name: users, rate: 60/h}]}
service: {time: 2s}
setup: 10s
slo: {p95: 5s}
deployments:
  - {name: at zero, pool: {idle_timeout: 20s}, billing: {price: 3.6 USD/h}}
  - {name: warm, pool: {min_replicas: 1}, billing: {price: 3.6 USD/h}}
"""


@pytest.fixture
def scenario(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(_SCENARIO, "utf-8")
    return path


@pytest.fixture
def saved(scenario, invoke, tmp_path):
    done = invoke("run", scenario, "--out", tmp_path / "out", "--quiet")
    assert done.exit_code == 0
    return tmp_path / "out"


def test_a_saved_result_is_shown_as_it_was(scenario, saved, invoke):
    shown = invoke("report", saved)
    ran = invoke("run", scenario, "--quiet")

    assert (shown.exit_code, shown.out) == (0, ran.out)


@pytest.mark.parametrize("form", ["csv", "markdown"])
def test_rows_of_a_saved_result_are_those_of_the_run(scenario, saved, invoke, form):
    shown = invoke("report", saved, "--format", form)
    ran = invoke("run", scenario, "--quiet", "--format", form)

    assert shown.out == ran.out


def test_a_page_is_a_saved_result_too(scenario, saved, invoke, tmp_path):
    page, again = tmp_path / "page.html", tmp_path / "again.html"
    done = invoke("run", scenario, "--quiet", "--html", page)
    back = invoke("report", page, "--html", again)

    assert (done.exit_code, back.exit_code) == (0, 0)
    assert again.read_text("utf-8") == page.read_text("utf-8")
    content = json.loads(invoke("report", page, "--format", "json").out)
    assert content == json.loads((saved / "result.json").read_text("utf-8"))


def test_a_page_can_be_compared(scenario, invoke, tmp_path):
    page = tmp_path / "page.html"
    invoke("run", scenario, "--quiet", "--html", page)

    done = invoke("compare", page, scenario, "--quiet")

    assert "warm: no difference" in done.out


def test_an_existing_page_is_not_replaced_without_force(scenario, invoke, tmp_path):
    page = tmp_path / "page.html"
    page.write_text("mine")

    refused = invoke("run", scenario, "--quiet", "--html", page)
    kept = page.read_text()
    forced = invoke("run", scenario, "--quiet", "--html", page, "--force")

    assert (refused.exit_code, kept) == (2, "mine")
    assert "--force" in refused.err
    assert (forced.exit_code, page.read_text("utf-8")[:15]) == (0, "<!doctype html>")


@pytest.mark.parametrize(
    ("chart", "suffix", "begin"),
    [
        ("cost-split", ".svg", b"<svg"),
        ("latency", ".png", b"\x89PNG"),
        ("timeline", ".svg", b"<svg"),
        ("cold-starts", ".svg", b"<svg"),
        ("cost-latency", ".png", b"\x89PNG"),
    ],
)
def test_each_chart_is_a_picture(saved, invoke, tmp_path, chart, suffix, begin):
    target = tmp_path / f"chart{suffix}"

    done = invoke("report", saved, "--chart", chart, "--plot", target)

    assert done.exit_code == 0
    assert target.read_bytes()[: len(begin)] == begin


def test_a_timeline_in_minutes_has_a_row_a_minute(scenario, invoke, tmp_path):
    invoke("run", scenario, "-q", "--timeline", "1m", "--out", tmp_path / "fine")

    text = (tmp_path / "fine/timeline.csv").read_text("utf-8")

    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 2 * 120
    assert [row["time_s"] for row in rows[:3]] == ["0.0", "60.0", "120.0"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--timeline", "0s"], "write a width such as 1m"),
        (["--timeline", "soon"], "--timeline: "),
        (["--timeline", "1us"], "make them wider"),
    ],
)
def test_a_width_that_cannot_be_is_refused(scenario, invoke, arguments, said):
    done = invoke("run", scenario, *arguments)

    assert done.exit_code == 2
    assert said in done.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "is no result"),
        ("[]", "is no result"),
        ("<html>", "is no JSON"),
        ('{"schema_version": 99}', "has schema_version 99"),
        ('{"schema_version": 1}', "is no whole result"),
    ],
)
def test_what_is_no_result_is_refused(invoke, tmp_path, text, said):
    file = tmp_path / "wrong.json"
    file.write_text(text)

    done = invoke("report", file)

    assert done.exit_code == 2
    assert said in done.err


def test_every_request_of_the_first_replication_is_a_row(scenario, invoke, tmp_path):
    invoke("run", scenario, "-q", "--out", tmp_path / "all", "--requests")

    table = parquet.read_table(tmp_path / "all/requests.parquet").to_pandas()
    content = json.loads((tmp_path / "all/result.json").read_text("utf-8"))
    for_one = table[table["deployment"] == "at zero"]
    samples = content["samples"]["at zero"]
    assert for_one["cold"].mean() == pytest.approx(samples["cold_start_fraction"][0])
    assert for_one["response_s"].mean() == pytest.approx(samples["mean_s"][0])
    assert for_one["arrival_s"].is_monotonic_increasing
    assert len(for_one) == len(table) / 2


def test_requests_need_a_folder(scenario, invoke):
    done = invoke("run", scenario, "--requests")

    assert (done.exit_code, "--requests needs --out DIR" in done.err) == (2, True)


def test_files_that_are_there_are_not_replaced_without_force(scenario, saved, invoke):
    before = (saved / "result.json").read_bytes()

    refused = invoke("run", scenario, "--seed", 9, "--out", saved)
    kept = (saved / "result.json").read_bytes()
    forced = invoke("run", scenario, "--seed", 9, "--out", saved, "--force")

    assert (refused.exit_code, kept == before) == (2, True)
    assert (forced.exit_code, (saved / "result.json").read_bytes() == before) == (
        0,
        False,
    )


@pytest.fixture
def studies(scenario, invoke, tmp_path):
    invoke(
        "breakeven",
        scenario,
        "-q",
        "--over",
        "requests=100..4000",
        "--out",
        tmp_path / "b",
    )
    invoke("tune", scenario, "-q", "--replications", 4, "--out", tmp_path / "t")
    return tmp_path / "b", tmp_path / "t"


def test_studies_are_shown_on_a_page_and_stay_in_it(saved, studies, invoke, tmp_path):
    page, again = tmp_path / "page.html", tmp_path / "again.html"
    added = [part for folder in studies for part in ("--with", folder)]

    done = invoke("report", saved, *added, "--html", page)
    invoke("report", page, "--html", again)

    text = page.read_text("utf-8")
    assert done.exit_code == 0
    assert text.count('<figure id="study-') == 3
    assert "Cost and p95 against requests a day</h2>" in text
    assert "Cost by two settings</h2>" in text
    assert again.read_text("utf-8") == text


@pytest.mark.parametrize("options", [("--html", "page.html"), ("--plot", "chart.png")])
def test_a_chart_whose_data_are_elsewhere_is_not_drawn(
    studies, invoke, tmp_path, options
):
    file = studies[0] / "breakeven.json"
    content = json.loads(file.read_text("utf-8"))
    content["documents"][0]["drawings"][0]["chart"] = {
        "data": {"url": "http://127.0.0.1:9/data.json"},
        "mark": "point",
    }
    file.write_text(json.dumps(content), "utf-8")

    done = invoke("report", file, options[0], tmp_path / options[1])

    assert done.exit_code == 2
    assert "External data url not allowed" in done.err
    assert not (tmp_path / options[1]).exists()


def test_what_is_no_study_is_refused(saved, invoke, tmp_path):
    done = invoke("report", saved, "--with", saved, "--html", tmp_path / "page.html")
    other = invoke(
        "report", saved, "--with", saved / "result.json", "--html", tmp_path / "p.html"
    )

    assert (done.exit_code, other.exit_code) == (2, 2)
    assert "is no study" in other.err


@pytest.mark.parametrize(
    "name",
    [
        "</td><script>alert(1)</script>",
        "=HYPERLINK(1)",
        'a"b,c;d',
        "\u202eright to left",
        "\N{PILE OF POO} " + "x" * 9_998,
    ],
    ids=["markup", "formula", "quotes", "bidi", "long"],
)
def test_any_name_gives_a_correct_table_and_csv(tmp_path, invoke, name):
    keys = {
        **SCENARIO,
        "deployments": [{**SCENARIO["deployments"][0], "name": name}],
    }
    scenario = write_scenario(tmp_path, keys)

    table = invoke("run", scenario, "-q")
    rows = invoke("run", scenario, "-q", "--format", "csv")

    assert max(map(cell_len, table.out.splitlines())) <= 80
    (row,) = csv.DictReader(io.StringIO(rows.out))
    assert row["deployment"].removeprefix("'") == name
    assert not row["deployment"].startswith("=")
