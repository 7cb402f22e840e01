"""What a perfect autoscaler would pay, by hand."""

from __future__ import annotations

import math

import pytest
from small_study import always_on, answer, batches, only_row, own

from costsim.study import run as study_run


def test_a_request_every_ten_minutes_by_hand():
    # 12 in 2 h, each 2 s of work after a setup of 10 s: gaps of 598 s cost more than that.
    row = only_row(own(idle_timeout="60s"), traffic=batches("10m"))

    assert row.requests == 11
    assert row.perfect_usd == pytest.approx(11 * (2 + 10) * 0.001)
    assert row.cost_usd == pytest.approx(11 * (2 + 10 + 60) * 0.001)


def test_gaps_shorter_than_a_setup_are_kept_warm_by_hand():
    row = only_row(own(), traffic=batches("10m"), setup="30m")

    # The first replica is started once, then kept over ten gaps of 598 s.
    assert row.perfect_usd == pytest.approx((1800 + 11 * 2 + 10 * 598) * 0.001)


@pytest.mark.parametrize(
    ("billing", "seconds"),
    [
        ({"setup": False}, 11 * 2),
        ({"idle": False}, 11 * 2 + 10),
        ({"scope": "request"}, 11 * 2 + 10),
        ({"increment": "1h"}, 11 * 12),
        ({"per_request": "0.01 USD"}, 11 * (12 + 10)),
        ({"min_replicas_idle_rate": 0.01}, 11 * 2 + 10 + 10 * 598 * 0.01),
    ],
)
def test_it_pays_by_the_deployments_own_rules(billing, seconds):
    row = only_row(own(billing=billing), traffic=batches("10m"))

    assert row.perfect_usd == pytest.approx(seconds * 0.001)


def test_faster_hardware_is_busy_for_less():
    row = only_row(own() | {"speed": 2.0}, traffic=batches("10m"))

    assert row.perfect_usd == pytest.approx(11 * (1 + 10) * 0.001)


def test_replicas_that_are_always_on_may_be_let_go():
    row = only_row(always_on(), traffic=batches("10m"))

    # Ready at 0 without a launch; 600 s to the first request are dearer than one.
    assert row.perfect_usd == pytest.approx(11 * 12 * 0.001)
    assert row.cost_usd == pytest.approx(7.2)


def test_above_a_number_of_requests_it_is_not_told(monkeypatch):
    monkeypatch.setattr(study_run, "_PERFECT_UP_TO", 10)

    found = answer(own())

    assert math.isnan(found.rows[0].perfect_usd)
    assert found.to_rows()[0]["perfect_usd"] is None
