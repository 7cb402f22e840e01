"""A sweep: the same as single runs, wherever it runs, however often it was stopped."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest
from pyarrow import parquet
from sweeps import SCENARIO, VARY, contents, write_scenario

from costsim.errors import InputError, OutputError, ScenarioError
from costsim.scenario.load import load_scenario
from costsim.study.executor import Workers
from costsim.study.run import run
from costsim.study.sweep import sweep as module
from costsim.study.sweep.sweep import sweep


@pytest.fixture
def scenario(tmp_path):
    return write_scenario(tmp_path)


@pytest.mark.parametrize("point", range(4))
def test_a_point_has_the_results_of_a_run_with_its_values(scenario, point):
    vary = {"deployments.own.pool.idle_timeout": "5s,2m", "replications": "2,3"}
    options = [
        f"deployments.own.pool.idle_timeout={('5s', '2m')[point // 2]}",
        f"replications={(2, 3)[point % 2]}",
    ]

    rows = [row for row in sweep(scenario, vary).to_rows() if row["point"] == point]

    alone = run(load_scenario(scenario, overrides=options)).to_rows()
    same = [key for key in alone[0] if key != "perfect_usd"]
    assert [[row[key] for key in same] for row in rows] == [
        [row[key] for key in same] for row in alone
    ]


def test_values_are_columns_and_durations_seconds_too(scenario):
    vary = {
        "deployments.own.pool.idle_timeout": "5s,2m",
        "replications": "2,3",
        "service.time": "1s,2s",
    }

    table = sweep(scenario, vary).table

    assert table.schema.names[:6] == [
        "point",
        "deployments.own.pool.idle_timeout",
        "deployments.own.pool.idle_timeout_s",
        "replications",
        "service.time",
        "service.time_s",
    ]
    assert table.schema.field("replications").type == pa.int64()
    seconds = table["deployments.own.pool.idle_timeout_s"].to_pylist()
    assert sorted(set(seconds)) == [5.0, 120.0]


def test_numbers_of_a_key_that_are_not_all_whole_are_all_floats(scenario):
    table = sweep(scenario, {"traffic.streams.0.rate": ["60/h"], "slo.p95": "5s"}).table
    priced = sweep(scenario, {"deployments.own.pool.buffer_replicas": [0, 1]}).table

    assert table.schema.field("traffic.streams.0.rate_per_s").type == pa.float64()
    assert (
        priced.schema.field("deployments.own.pool.buffer_replicas").type == pa.int64()
    )


def test_the_cheapest_that_meets_the_slo_is_marked_once_a_point(scenario):
    rows = sweep(scenario, VARY).to_rows()

    marked = [row["point"] for row in rows if row["cheapest"]]
    assert marked == sorted({row["point"] for row in rows})


@pytest.mark.parametrize(
    "workers",
    [Workers(2), Workers(2, processes=True), Workers(1)],
    ids=["threads", "processes", "alone"],
)
def test_files_are_the_same_bytes_wherever_points_ran(tmp_path, scenario, workers):
    with ThreadPoolExecutor(3) as pool:
        sweep(scenario, VARY, out=tmp_path / "a", workers=Workers(executor=pool))

    sweep(scenario, VARY, out=tmp_path / "b", workers=workers)

    assert contents(tmp_path / "b") == contents(tmp_path / "a")


def test_a_sweep_goes_on_without_computing_again_what_is_finished(
    tmp_path, scenario, monkeypatch
):
    out = tmp_path / "out"
    sweep(scenario, VARY, out=out, workers=Workers(1))
    before = contents(out)
    for number in (0, 5):
        (out / f"parts/{number:05}.parquet").unlink()
    (out / "results.parquet").unlink()
    ran = []
    original = module.run_part

    def noting(shared, part):
        ran.append(part.number)
        return original(shared, part)

    monkeypatch.setattr(module, "run_part", noting)
    sweep(scenario, VARY, out=out, workers=Workers(1))

    assert ran == [0, 5]
    assert contents(out) == before


@pytest.mark.parametrize("damage", [b"", b"PAR1", b"no parquet at all"])
def test_a_part_that_cannot_be_read_is_computed_again(tmp_path, scenario, damage):
    out = tmp_path / "out"
    sweep(scenario, VARY, out=out)
    before = contents(out)
    (out / "parts/00003.parquet").write_bytes(damage)

    sweep(scenario, VARY, out=out)

    assert contents(out) == before


def test_what_was_being_written_when_a_sweep_was_killed_is_dropped(tmp_path, scenario):
    out = tmp_path / "out"
    sweep(scenario, VARY, out=out)
    before = contents(out)
    (out / "parts/.00003.parquet.x1y2z3").write_bytes(b"half")

    sweep(scenario, VARY, out=out)

    assert contents(out) == before


def test_results_are_the_parts_in_their_order(tmp_path, scenario):
    out = tmp_path / "out"
    sweep(scenario, VARY, out=out)

    whole = parquet.read_table(out / "results.parquet")
    parts = [parquet.read_table(part) for part in sorted((out / "parts").iterdir())]

    assert whole.equals(pa.concat_tables(parts))
    assert sorted(set(whole["point"].to_pylist())) == list(range(24))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"overrides": ["seed=9"]}, "the scenario"),
        ({"vary": {**VARY, "replications": "2,4"}}, "what is varied"),
        ({"draw": 24}, "the number of points drawn"),
    ],
)
def test_a_folder_takes_no_other_sweep(tmp_path, scenario, change, word):
    asked = {"vary": VARY, "out": tmp_path / "out"}
    sweep(scenario, **asked)
    before = contents(tmp_path / "out")

    with pytest.raises(InputError, match=rf"a sweep of its own: {word} changed"):
        sweep(scenario, **{**asked, **change})
    assert contents(tmp_path / "out") == before


def test_a_folder_with_other_files_is_not_written_to(tmp_path, scenario):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")

    with pytest.raises(InputError, match="is not empty, and holds no sweep"):
        sweep(scenario, VARY, out=out)
    assert [file.name for file in out.iterdir()] == ["thesis.txt"]


def test_two_sweeps_in_one_folder_are_refused(tmp_path, scenario):
    fcntl = pytest.importorskip("fcntl")
    out = tmp_path / "out"
    sweep(scenario, VARY, out=out)

    with (out / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(InputError, match="another sweep is at work in it"):
            sweep(scenario, VARY, out=out)


def test_a_path_below_a_file_is_refused_before_anything_runs(scenario):
    with pytest.raises(OutputError, match="is no folder"):
        sweep(scenario, VARY, out=scenario / "out", on_check=_never)


def _never(*_):
    pytest.fail("it began")


def test_impossible_combinations_are_left_out_with_the_reason(scenario):
    pool = "deployments.own.pool"
    vary = {f"{pool}.min_replicas": "0,2", f"{pool}.max_replicas": "1,3"}

    result = sweep(scenario, vary)

    assert (result.points, len(result.left_out)) == (4, 1)
    assert result.left_out[0].point.values == ("2", "1")
    assert "must not exceed" in result.left_out[0].reason
    assert sorted({row["point"] for row in result.to_rows()}) == [0, 1, 3]


def test_a_value_that_no_point_can_have_is_refused_with_the_option(scenario):
    vary = {"deployments.own.pool.idle_timeout": "5s,soon"}

    with pytest.raises(ScenarioError, match=r"--vary deployments.*=soon.*duration"):
        sweep(scenario, vary)


def test_a_key_that_does_not_exist_is_refused_with_the_option(scenario):
    with pytest.raises(ScenarioError, match=r"--vary servise\.time"):
        sweep(scenario, {"servise.time": "1s,2s"})


def test_a_point_that_cannot_be_completed_is_told_and_others_are_not_lost(scenario):
    vary = {"service.time": ["2s", "1000000h"], "replications": [1]}

    result = sweep(scenario, vary, overrides=["horizon=24h"])

    assert [one.point.values[0] for one in result.failed] == ["1000000h"]
    assert "the run ends only after" in result.failed[0].reason
    assert {row["service.time"] for row in result.to_rows()} == {"2s"}


def test_drawn_points_are_rows_too(scenario):
    vary = {
        "deployments.own.pool.idle_timeout": "1s..10m:log",
        "traffic.streams.0.rate": "10/h..100/h",
    }

    rows = sweep(scenario, vary, draw=12).to_rows()

    assert sorted({row["point"] for row in rows}) == list(range(12))
    rates = [row["traffic.streams.0.rate_per_s"] * 3600 for row in rows]
    assert (10 <= min(rates) < 25, 85 < max(rates) <= 100) == (True, True)


def test_the_summary_is_json_without_nan(tmp_path, scenario):
    sweep(scenario, {"service.time": "1s,2s"}, out=tmp_path / "out")

    text = (tmp_path / "out/summary.json").read_text("utf-8")

    assert "NaN" not in text
    assert json.loads(text)["points"] == 2


def test_progress_counts_points(scenario):
    told = []

    sweep(scenario, VARY, on_progress=lambda *counts: told.append(counts))

    assert told[-1] == (24, 24)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_a_trace_is_read_once_for_all_points(tmp_path, monkeypatch):
    from costsim.study.sweep import traces

    log = "".join(f"{10 * i},1.5\n" for i in range(50))
    (tmp_path / "log.csv").write_text(f"arrival_s,duration_s\n{log}")
    keys = {
        **SCENARIO,
        "traffic": {
            "trace": {
                "path": "log.csv",
                "columns": {"arrival": "arrival_s", "duration": "duration_s"},
            }
        },
        "service": {"time": "trace"},
    }
    del keys["horizon"]
    scenario = write_scenario(tmp_path, keys)
    reads = []
    original = traces.load_trace
    monkeypatch.setattr(
        traces, "load_trace", lambda one: reads.append(1) or original(one)
    )

    sweep(scenario, {"traffic.trace.scale_rate": "0.5,1,2", "seed": "1,2"})

    assert reads == [1]
