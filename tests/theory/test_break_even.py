"""Crossings that are known: by closed forms, and by hand where costs have steps."""

from __future__ import annotations

import math

import pytest
from break_evens import HOURLY, POISSON, written

from costsim import breakeven, load_catalog
from costsim.queueing import break_even_arrival_rate, periodic_break_even_rate
from costsim.scenario.load import read_document
from costsim.study.breakeven.base import read_base
from costsim.study.breakeven.theory import closed_forms
from costsim.study.differences import Sampled, difference
from costsim.units import SECONDS_PER_DAY

EVENLY = {"process": "gamma", "burstiness": 1e8}


def crossing(found):
    (one,) = found.crossings
    return one


@pytest.mark.parametrize("setup_billed", [True, False])
def test_a_replica_at_zero_and_one_that_stays_cross_where_the_closed_form_says(
    tmp_path, setup_billed
):
    at_zero, stays = POISSON["deployments"]
    billing = {**at_zero["billing"], "setup": setup_billed}
    deployments = [{**at_zero, "billing": billing}, stays]
    path = written(tmp_path, POISSON, deployments=deployments)

    found = breakeven(path, over="requests=500..900")

    rate_per_s = break_even_arrival_rate(
        0.8, 1.8 / 3600, 5.0, 20.0, 60.0, setup_billed=setup_billed
    )
    one = crossing(found)
    assert (one.below, one.above) == ("at zero", "always on")
    assert one.low <= rate_per_s * SECONDS_PER_DAY <= one.high
    assert one.high / one.low < 1.08
    (form,) = found.closed_forms
    assert form.requests_per_day == pytest.approx(rate_per_s * SECONDS_PER_DAY)


def test_evenly_spaced_requests_cross_where_the_closed_form_says(tmp_path):
    traffic = {"streams": [{"name": "users", "rate": "10/h", "arrivals": EVENLY}]}
    path = written(tmp_path, POISSON, traffic=traffic)

    found = breakeven(path, over="requests=350..550")

    rate_per_s = periodic_break_even_rate(0.8, 1.8 / 3600, 5.0, 20.0, 60.0)
    one = crossing(found)
    assert one.low <= rate_per_s * SECONDS_PER_DAY <= one.high
    # A run begins and ends in the middle of a gap.
    assert one.value == pytest.approx(rate_per_s * SECONDS_PER_DAY, rel=2e-3)
    (form,) = found.closed_forms
    assert form.requests_per_day == pytest.approx(rate_per_s * SECONDS_PER_DAY)


@pytest.mark.parametrize(
    ("ends", "per_hour"),
    [
        ("48..150", []),
        ("100..220", [8]),
        ("150..300", [8, 10]),
        ("100..650", [8, 10, 16, 20, 24]),
    ],
    ids=["none", "one", "two", "five"],
)
def test_every_crossing_is_found_where_replicas_come_in_steps(tmp_path, ends, per_hour):
    found = breakeven(written(tmp_path, HOURLY), over=f"requests={ends}")

    known = [24 * one for one in per_hour]
    assert len(found.crossings) == len(known)
    assert [one.value for one in found.crossings] == pytest.approx(known, rel=0.03)
    inside = [
        one.low <= value <= 1.03 * one.high
        for one, value in zip(found.crossings, known, strict=True)
    ]
    assert all(inside)


def test_regimes_lie_between_the_crossings(tmp_path):
    found = breakeven(written(tmp_path, HOURLY), over="requests=150..450")

    assert [one.deployment for one in found.regimes] == [
        *("by request", "stepping", "by request", "stepping")
    ]
    borders = [one.high for one in found.regimes[:-1]]
    assert borders == [one.value for one in found.crossings]
    assert {one.until.why for one in found.regimes[:-1]} == {"cost"}


def test_no_closed_form_is_said_of_what_it_does_not_fit(tmp_path):
    at_zero, stays = POISSON["deployments"]
    pool = {**at_zero["pool"], "max_replicas": 2}
    path = written(tmp_path, POISSON, deployments=[{**at_zero, "pool": pool}, stays])
    document, _ = read_document(path)

    assert closed_forms(read_base(document, load_catalog()).own) == []


def test_the_interval_of_pairs_is_narrower_than_that_of_independent_runs(tmp_path):
    small, large = 60.0, 75.0
    at_zero, _ = POISSON["deployments"]
    deployments = [
        {
            **at_zero,
            "name": f"{s:.0f}",
            "pool": {**at_zero["pool"], "idle_timeout": f"{s}s"},
        }
        for s in (small, large)
    ]
    found = breakeven(
        written(tmp_path, POISSON, deployments=deployments), over="requests=300..320"
    )

    costs = [found.points[0].readings[name].cost for name in ("60", "75")]
    unpaired = difference(*costs, paired=False).absolute.half_width
    paired = found.points[0].difference("75", "60").absolute.half_width

    assert paired < unpaired / 5
    assert all(isinstance(one, Sampled) for one in costs)
    assert math.isfinite(unpaired)
