"""The whole study: what it covers, tells, and writes for programs."""

from __future__ import annotations

import json

import pytest
from break_evens import HOURLY, POISSON, written
from small_study import always_on, batches

from costsim import breakeven
from costsim.study.breakeven.curve import replications_within

OVER = "requests=150..220"


@pytest.fixture(scope="module")
def hourly(tmp_path_factory):
    path = written(tmp_path_factory.mktemp("hourly"), HOURLY, slo={"p95": "61s"})
    return breakeven(path, over=OVER)


def test_the_same_seed_gives_the_same_bytes(tmp_path, hourly):
    path = written(tmp_path, HOURLY, slo={"p95": "61s"})

    again = breakeven(path, over=OVER)
    other = breakeven(path, over=OVER, overrides=["seed=6"])

    assert json.dumps(again.to_dict()) == json.dumps(hourly.to_dict())
    assert json.dumps(other.to_dict()) != json.dumps(hourly.to_dict())


def test_what_is_not_known_is_null_and_units_are_in_names(tmp_path):
    full = always_on("full")
    path = written(tmp_path, HOURLY, deployments=[*HOURLY["deployments"], full])

    # One slot has 1,440 requests of a minute a day.
    found = breakeven(path, over="requests=1300..1700", overrides=["replications=1"])

    text = json.dumps(found.to_dict(), allow_nan=False)
    last = found.to_dict()["points"][-1]
    assert last["deployment"] == "full"
    assert (last["keeps_up"], last["cost_usd_per_month"]) == (False, None)
    # One replication has no interval.
    first = found.to_dict()["points"][0]
    assert first["cost_usd_per_month"] > 0
    assert first["cost_usd_per_month_low"] is None
    assert {"requests_per_day", "cost_usd_per_month_low", "p95_s"} <= set(last)
    assert '"requests_per_day_low": 1300' in text


def test_every_point_has_a_row_for_each_deployment(hourly):
    rows = hourly.to_rows()

    assert len(rows) == 2 * len(hourly.points)
    first = rows[0]
    assert first["requests_per_day"] == 150
    # 150/24 requests an hour, an eighth of a dollar each, 19.96 of 20 days.
    assert first["cost_usd_per_month"] == pytest.approx(150 / 24 / 8 * 730, rel=0.01)
    assert rows[1]["cost_usd_per_month"] == pytest.approx(730)
    assert first["meets_slo"] is True


def test_rows_of_crossings_and_regimes_say_the_same(hourly):
    (crossing,), regimes = hourly.crossing_rows(), hourly.regime_rows()

    assert crossing["cheaper_below"] == regimes[0]["cheapest"] == "by request"
    assert crossing["cheaper_above"] == regimes[1]["cheapest"] == "stepping"
    assert crossing["requests_per_day"] == regimes[0]["requests_per_day_to"]
    assert crossing["requests_per_day_low"] == regimes[0]["requests_per_day_to_low"]
    assert regimes[1]["requests_per_day_to_high"] is None


def test_the_range_that_was_chosen_is_told(tmp_path):
    short = {"horizon": "6h", "replications": 1}

    chosen = breakeven(written(tmp_path, POISSON, **short))

    assert chosen.notes[0].startswith("covered are 120 to 24,000 requests a day;")
    assert "--over requests=LOW..HIGH" in chosen.notes[0]


def test_a_given_range_needs_no_telling(hourly):
    assert hourly.notes == ()


@pytest.mark.parametrize(
    ("one_s", "wanted", "n"), [(0.01, 10, 10), (0.1, 10, 5), (9.0, 10, 4), (9.0, 3, 3)]
)
def test_a_point_with_much_traffic_has_fewer_replications(one_s, wanted, n):
    assert replications_within(0.5, one_s, wanted) == n


def test_fewer_replications_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr("costsim.study.breakeven.curve._POINT_S", 0.02)

    found = breakeven(written(tmp_path, HOURLY), over=OVER)

    assert {one.replications for one in found.points} == {4}
    n = len(found.points)
    assert found.notes[0].startswith(
        f"{n} of {n} points have fewer than 5 replications, down to 4"
    )


def test_unfinished_refining_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("costsim.study.breakeven.study._REFINING_S", 0.0)

    found = breakeven(written(tmp_path, HOURLY), over=OVER)

    assert found.notes[0].startswith("not every change was narrowed down")
    (one,) = found.crossings
    assert one.low <= 192 <= one.high


def test_precision_brings_replications_until_a_crossing_is_known(tmp_path):
    path = written(tmp_path, POISSON, horizon="1d", replications=4)
    over = "requests=400..1100"

    (rough,) = breakeven(path, over=over).crossings
    precise = breakeven(path, over=over, precision=0.05)

    (fine,) = precise.crossings
    assert (rough.high - rough.low) / 2 / rough.value > 0.05
    assert (fine.high - fine.low) / 2 / fine.value <= 0.05
    # Ten are the fewest, whatever the precision.
    assert precise.points[0].replications > 10


def test_a_precision_that_is_out_of_reach_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("costsim.study.breakeven.study.MOST_REPLICATIONS", 10)
    path = written(tmp_path, POISSON, horizon="3d", replications=4)

    found = breakeven(path, over="requests=400..1100", precision=0.01)

    assert found.warnings[0].startswith("a crossing is known to +-")


def test_few_requests_are_warned_of(tmp_path, hourly):
    short = ["horizon=4d", "replications=2"]

    found = breakeven(written(tmp_path, HOURLY), over=OVER, overrides=short)

    # Of 150 a day 20 days have 3,000, but four have 600.
    assert hourly.warnings == ()
    assert found.warnings[0].startswith(
        "below 500 requests a day a replication has fewer than 2,000: p95"
    )


def test_one_replication_is_warned_of(tmp_path):
    found = breakeven(
        written(tmp_path, HOURLY), over=OVER, overrides=["replications=1"]
    )

    assert found.warnings == (
        "one replication gives no intervals; set replications to 10 or more",
    )


def test_a_pool_that_waits_longer_and_longer_does_not_keep_up(tmp_path):
    # All in the second half of the only day: 0.8 on average is too much there.
    by_hour = [0] * 12 + [2] * 12
    stream = {"name": "late", "rate": "48/h", "seasonal": {"hour_of_day": by_hour}}
    late = {"traffic": {"streams": [stream]}, "start": "2026-03-02T00:00Z"}
    path = written(
        tmp_path, HOURLY, **late, horizon="1d", deployments=[always_on("one")]
    )

    found = breakeven(path, over="requests=300..1152", overrides=["replications=2"])

    first, *_, last = (point.readings["one"] for point in found.points)
    assert first.keeps_up
    assert not last.keeps_up
    assert last.measured is not None


def test_a_batch_that_is_worked_off_every_day_is_kept_up_with(tmp_path):
    daily = {"traffic": batches("1d", 1000), "horizon": "5d"}
    path = written(tmp_path, HOURLY, **daily, deployments=[always_on("one")])

    found = breakeven(path, over="requests=700..800", overrides=["replications=1"])

    # The mean wait is eight hours, of five days.
    assert found.points[-1].readings["one"].measured.row.mean_wait_s > 8 * 3600
    assert found.points[-1].readings["one"].keeps_up


def test_a_pool_that_loses_requests_does_not_keep_up(tmp_path):
    losing = always_on("losing")
    losing["pool"]["max_queued"] = 0
    path = written(tmp_path, HOURLY, deployments=[losing])

    found = breakeven(path, over="requests=100..200", overrides=["replications=2"])

    assert not found.points[0].readings["losing"].keeps_up
    assert found.regimes[0].deployment is None
