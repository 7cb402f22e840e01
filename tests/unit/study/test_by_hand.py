"""Whole runs whose cost and latency are worked out by hand, platform by platform.

Everything is constant: requests by the clock, service 2 s, setup 10 s, one hour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from small_study import always_on, batches, only_row, own, small

from costsim.catalog.platform import load_catalog
from costsim.study.run import run

if TYPE_CHECKING:
    from pathlib import Path

    from costsim.study.result import DeploymentRow

HOUR = {"horizon": "1h", "service": {"time": "2s"}, "setup": "10s"}
EVERY_TEN_MINUTES = {**HOUR, "traffic": batches("10m")}
"""Arrivals at 600, 1200, 1800, 2400 and 3000 s: five, each alone."""

PRICES = """
modal:
  gpus: {L4: 0.0002 USD/s}
  cpu: 0.00001 USD/s
  memory: 0.000002 USD/s
  plans: {starter: {fee: 0 USD, credit: 73 USD}}
baseten:
  instances: {"L4:4x16": 0.90 USD/h}
ec2:
  instances: {g6.xlarge: 0.80 USD/h}
"""


@pytest.fixture
def row_at_my_prices(tmp_path: Path) -> Any:
    """Return a function from a deployment and keys of the scenario to its row."""
    path = tmp_path / "prices.yaml"
    path.write_text(PRICES)
    catalog = load_catalog(path)

    def row(deployment: dict[str, Any], **other: Any) -> DeploymentRow:
        (found,) = run(
            small({"name": "it", **deployment}, **other), catalog=catalog
        ).rows
        return found

    return row


def test_on_demand_every_request_pays_setup_service_and_idle_timeout():
    row = only_row(own(idle_timeout="60s"), **EVERY_TEN_MINUTES)

    # Each of five replicas lives 10 + 2 + 60 = 72 s at 0.001 USD/s.
    assert row.cost_usd == pytest.approx(0.360, rel=1e-12)
    assert row.setup_usd == pytest.approx(0.050, rel=1e-12)
    assert row.busy_usd == pytest.approx(0.010, rel=1e-12)
    assert row.idle_usd == pytest.approx(0.300, rel=1e-12)
    assert row.rounding_usd == 0.0
    # Of 730 hours like this one; of a thousand requests like these five.
    assert row.cost_usd_per_month == pytest.approx(262.8, rel=1e-12)
    assert row.cost_usd_per_1k_requests == pytest.approx(72.0, rel=1e-12)
    # Everybody waits for a setup, and nobody for anybody else.
    assert (row.mean_s, row.p50_s, row.p95_s, row.p99_s) == (12.0,) * 4
    assert (row.mean_wait_s, row.cold_start_fraction) == (10.0, 1.0)
    assert (row.requests, row.launches, row.peak_replicas) == (5, 5, 1)
    assert row.utilization == pytest.approx(10 / 310, rel=1e-12)
    assert row.mean_ready_replicas == pytest.approx(310 / 3600, rel=1e-12)
    assert row.replica_hours == pytest.approx(0.1, rel=1e-12)


def test_a_minute_as_increment_rounds_each_replica_up():
    row = only_row(
        own(idle_timeout="60s", billing={"increment": "1m"}), **EVERY_TEN_MINUTES
    )

    # 72 s are two minutes: 48 s too many, five times.
    assert row.cost_usd == pytest.approx(0.600, rel=1e-12)
    assert row.rounding_usd == pytest.approx(0.240, rel=1e-12)


def test_fees_and_credit_come_on_top_for_the_hour():
    billing = {
        "per_request": "0.01 USD",
        "monthly_fee": "73 USD",
        "monthly_credit": "14.6 USD",
    }

    row = only_row(own(idle_timeout="60s", billing=billing), **EVERY_TEN_MINUTES)

    # 5 x 0.01 for requests, 73 / 730 for the plan, 14.6 / 730 of credit.
    assert row.fees_usd == pytest.approx(0.15, rel=1e-12)
    assert row.credits_usd == pytest.approx(-0.02, rel=1e-12)
    assert row.cost_usd == pytest.approx(0.360 + 0.15 - 0.02, rel=1e-12)


def test_warm_replicas_cost_the_hour_and_serve_at_once():
    row = only_row(always_on(n=2), **EVERY_TEN_MINUTES)

    assert row.cost_usd == pytest.approx(7.2, rel=1e-12)
    assert (row.p95_s, row.cold_start_fraction, row.launches) == (2.0, 0.0, 0)
    assert row.utilization == pytest.approx(10 / 7200, rel=1e-12)


def test_a_batch_of_twenty_waits_in_line_for_one_slot():
    row = only_row(always_on(), **{**HOUR, "traffic": batches("40m", batch_size=20)})

    # Response times 2, 4, ..., 40 s.
    assert (row.requests, row.mean_s, row.mean_wait_s) == (20, 21.0, 19.0)
    assert (row.p50_s, row.p90_s, row.p95_s, row.p99_s) == (20.0, 36.0, 38.0, 40.0)


def test_a_batch_of_three_takes_two_replicas_of_two_slots():
    row = only_row(
        own(concurrency_limit=2, idle_timeout="60s"),
        **{**HOUR, "traffic": batches("40m", batch_size=3)},
    )

    # Two setups begin together; two requests share the first replica.
    assert (row.launches, row.p99_s) == (2, 12.0)
    assert row.cost_usd == pytest.approx(2 * 0.072, rel=1e-12)
    assert row.utilization == pytest.approx(6 / (2 * 2 * 62), rel=1e-12)


def test_the_tail_beyond_the_horizon_is_billed():
    row = only_row(own(idle_timeout="60s"), **{**HOUR, "traffic": batches("3599s")})

    # One request in the last second: 72 s, of which 71 s are after the hour.
    assert row.cost_usd == pytest.approx(0.072, rel=1e-12)
    assert row.cost_usd_per_month == pytest.approx(0.072 * 730, rel=1e-12)


def test_modal_bills_gpu_cpu_and_memory_by_the_second_but_the_first(row_at_my_prices):
    row = row_at_my_prices(
        {
            "platform": "modal",
            "gpu": "L4",
            "resources": {"cpu": 1, "memory": "16 GiB"},
            "settings": {"scaledown_window": "60s"},
        },
        **EVERY_TEN_MINUTES,
    )

    # 0.0002 + 1 x 0.00001 + 16 x 0.000002 = 0.000242 USD/s, for 5 x (9 + 2 + 60) s;
    # the first second of a setup, the boot, is free. Credit: 73 / 730 for the hour,
    # and never more than was used.
    assert row.busy_usd == pytest.approx(10 * 0.000242, rel=1e-12)
    assert row.idle_usd == pytest.approx(300 * 0.000242, rel=1e-12)
    assert row.setup_usd == pytest.approx(45 * 0.000242, rel=1e-12)
    assert row.rounding_usd == 0.0
    assert row.credits_usd == pytest.approx(-355 * 0.000242, rel=1e-12)
    assert row.cost_usd == pytest.approx(0.0, abs=1e-15)
    assert (row.p95_s, row.launches) == (12.0, 5)


def test_modal_credit_ends_where_it_is_used_up(row_at_my_prices):
    row = row_at_my_prices(
        {
            "platform": "modal",
            "gpu": "L4",
            "resources": {"cpu": 1, "memory": "16 GiB"},
            "settings": {"min_containers": 1, "scaledown_window": "60s"},
        },
        **EVERY_TEN_MINUTES,
    )

    # One container all hour: 3600 x 0.000242 = 0.8712 USD, less 0.1.
    assert row.cost_usd == pytest.approx(0.7712, rel=1e-12)
    assert (row.p95_s, row.launches) == (2.0, 0)


def test_baseten_keeps_a_replica_for_the_delay_after_its_window_is_empty(
    row_at_my_prices,
):
    row = row_at_my_prices(
        {
            "platform": "baseten",
            "instance": "L4:4x16",
            "settings": {
                "min_replica": 0,
                "max_replica": 1,
                "scale_down_delay": "900s",
            },
        },
        **{**HOUR, "traffic": batches("30m")},
    )

    # The request of 1800 s is in the system until 1812; the first decision whose last
    # 60 s are empty is that of 1875 s; the delay ends at 2775 s. From 1800 to 2775 s:
    # 975 s, rounded up to 17 minutes, at 0.90 USD/h.
    assert (row.requests, row.launches) == (1, 1)
    assert row.cost_usd == pytest.approx(1020 / 3600 * 0.90, rel=1e-12)
    assert row.setup_usd == pytest.approx(10 / 3600 * 0.90, rel=1e-12)
    assert row.busy_usd == pytest.approx(2 / 3600 * 0.90, rel=1e-12)
    assert row.idle_usd == pytest.approx(963 / 3600 * 0.90, rel=1e-12)
    assert row.rounding_usd == pytest.approx(45 / 3600 * 0.90, rel=1e-12)
    assert row.p95_s == 12.0


def test_baseten_scales_out_by_its_window_and_not_by_the_request(row_at_my_prices):
    row = row_at_my_prices(
        {
            "platform": "baseten",
            "instance": "L4:4x16",
            "settings": {
                "min_replica": 1,
                "max_replica": 4,
                "scale_down_delay": "900s",
            },
        },
        **{**HOUR, "traffic": batches("30m", batch_size=4)},
    )

    # Four at once at 1800 s on one warm replica: done after 2, 4, 6 and 8 s. In the
    # window of 60 s that is a mean of 4 x 5 / 60 = 0.33 at most by 1805: one replica.
    assert (row.launches, row.peak_replicas) == (0, 1)
    assert (row.p50_s, row.p99_s) == (4.0, 8.0)
    assert row.cost_usd == pytest.approx(0.90, rel=1e-12)


def test_ec2_costs_its_instances_hours(row_at_my_prices):
    row = row_at_my_prices(
        {"platform": "ec2", "instance": "g6.xlarge", "settings": {"instances": 2}},
        **EVERY_TEN_MINUTES,
    )

    assert row.cost_usd == pytest.approx(1.60, rel=1e-12)
    assert (row.p95_s, row.launches, row.mean_ready_replicas) == (2.0, 0, 2.0)


def test_what_modal_does_can_be_written_out(row_at_my_prices):
    on_modal = row_at_my_prices(
        {
            "platform": "modal",
            "plan": "team",
            "gpu": "L4",
            "resources": {"cpu": 1, "memory": "16 GiB"},
            "settings": {"scaledown_window": "60s", "max_containers": 5},
        }
    )
    mine = {
        **own(
            "it",
            idle_timeout="60s",
            max_replicas=5,
            price="0.000242 USD/s",
            billing={"monthly_fee": "250 USD", "monthly_credit": "100 USD"},
        ),
        "unbilled_setup": "1s",
    }
    written_out = row_at_my_prices(mine)

    assert written_out.cost_usd == pytest.approx(on_modal.cost_usd, rel=1e-12)
    assert written_out.p95_s == on_modal.p95_s
    assert written_out.launches == on_modal.launches > 0
