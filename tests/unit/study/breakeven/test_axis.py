"""What can be varied, between which ends, and what is refused."""

from __future__ import annotations

import pytest
from break_evens import POISSON, axis, written

from costsim import load_catalog
from costsim.errors import InputError
from costsim.scenario.load import read_document
from costsim.study.breakeven.axis import read_axis
from costsim.study.breakeven.base import mean_service_s, read_base

MANY = 1e9
PLATFORMS = [
    {
        "name": "modal",
        "platform": "modal",
        "gpu": "L4",
        "resources": {"cpu": 1, "memory": "16 GiB"},
        "settings": {"scaledown_window": "60s"},
    },
    {"name": "machine", "platform": "ec2", "instance": "g6.xlarge"},
]


@pytest.fixture
def base(tmp_path):
    document, _ = read_document(written(tmp_path, POISSON))
    return read_base(document, load_catalog())


@pytest.fixture
def platforms(tmp_path):
    document, _ = read_document(written(tmp_path, POISSON, deployments=PLATFORMS))
    return read_base(document, load_catalog())


def test_requests_go_from_a_hundredth_to_a_hundred_times_the_own(base):
    over = read_axis("requests", base, MANY)

    assert (over.low, over.own, over.high) == pytest.approx((2.4, 240, 24_000))
    assert over.case(720.0).requests_per_day == pytest.approx(720)


def test_many_requests_are_not_asked_for_by_default(base):
    # 15 days of 800 a day are 12,000.
    assert read_axis("requests", base, 12_000).high == 800
    # But the scenario's own volume always is.
    assert read_axis("requests", base, 1_000).high == 240


def test_a_replication_has_requests_at_the_low_end(tmp_path):
    document, _ = read_document(written(tmp_path, POISSON, horizon="12h"))
    short = read_base(document, load_catalog())

    # 30 in half a day.
    assert read_axis("requests", short, MANY).low == 60


@pytest.mark.parametrize(
    ("ends", "low", "high"),
    [
        ("100..1e6", 100, 1e6),
        ("1k..2M", 1e3, 2e6),
        ("1/h..1/s", 24, 86_400),
        (" 50 .. 500 ", 50, 500),
    ],
)
def test_requests_are_numbers_or_rates(base, ends, low, high):
    over = read_axis(f"requests={ends}", base, MANY)

    assert (over.low, over.high) == pytest.approx((low, high))
    assert not over.is_default


def test_a_longer_service_time_is_slower_hardware(base):
    over = read_axis("service_time=1s..20s", base, MANY)

    case = over.case(10.0)

    assert over.own == 5.0
    assert [one.speed for one in case.deployments] == [0.5, 0.5]
    assert case.scenario == base.scenario


def test_the_idle_timeout_is_set_where_there_is_one(base):
    over = read_axis("idle_timeout=10s..5m", base, MANY)

    at_zero, always_on = over.case(42.0).deployments

    assert over.own == 60.0
    assert at_zero.pool.idle_timeout == 42.0
    assert always_on == base.resolution.deployments[1]


def test_the_idle_timeout_has_the_vendors_own_word_and_bounds(platforms):
    over = read_axis("idle_timeout", platforms, MANY)

    modal, machine = over.case(90.0).deployments

    assert (over.low, over.high) == (2, 1200)
    assert modal.pool.idle_timeout == 90.0
    assert machine == platforms.resolution.deployments[1]
    with pytest.raises(InputError, match="scaledown_window 1h is not allowed"):
        read_axis("idle_timeout=1m..1h", platforms, MANY)


def test_a_key_takes_whole_numbers_or_quantities(base):
    key = "deployments.at zero.pool.max_replicas"
    whole = read_axis(f"{key}=1..8", base, MANY)
    price = read_axis("deployments.at zero.billing.price=1 USD/h..4 USD/h", base, MANY)

    assert whole.grid() == [1, 2, 3, 4, 5, 6, 8]
    assert whole.case(3.0).deployments[0].pool.max_replicas == 3
    assert price.case(2.5).deployments[0].tariff.usd_per_hour == pytest.approx(2.5)
    assert price.column == "deployments.at zero.billing.price [USD/h]"
    assert price.show(2.5) == "2.5 USD/h"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "write requests, service_time, idle_timeout or KEY=LOW..HIGH"),
        ("requests=", "write requests"),
        ("requests=5", "'5' is no range; write LOW..HIGH"),
        ("requests=9..5", "the low end comes first"),
        ("requests=0..5", "above 0"),
        ("requests=a..b", "is not a rate"),
        ("service_time=1..5", "is not a duration"),
        ("idle_timeout=0.5s..5s", "whole seconds"),
        ("seed", "write seed=LOW..HIGH"),
        ("seed=1..9:3", "write seed=LOW..HIGH"),
        ("seed=1..many", "write seed=LOW..HIGH"),
        ("seed=9..1", "the low end comes first"),
    ],
)
def test_rubbish_is_refused_with_what_is_allowed(base, text, told):
    with pytest.raises(InputError) as refusal:
        read_axis(text, base, MANY)

    assert told in str(refusal.value)
    assert str(refusal.value).startswith("--over")


def test_a_value_that_a_key_cannot_have_names_the_option(base):
    over = read_axis("deployments.at zero.pool.idle=1s..5s", base, MANY)

    with pytest.raises(InputError, match=r"--over deployments\.at zero\.pool\.idle=1s"):
        over.case(1.0)


def test_without_an_idle_timeout_there_is_none_to_vary(tmp_path):
    only = POISSON["deployments"][1:]
    document, _ = read_document(written(tmp_path, POISSON, deployments=only))

    with pytest.raises(InputError, match="no deployment has an idle timeout"):
        read_axis("idle_timeout", read_base(document, load_catalog()), MANY)


def test_the_mean_of_recorded_work_is_measured(tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("arrival,duration\n" + "0,1\n60,2\n120,6\n" * 1, "utf-8")
    recorded = {
        "traffic": {"trace": {"path": str(log), "format": "csv"}},
        "service": {"time": "trace"},
        "horizon": "1h",
    }
    document, _ = read_document(written(tmp_path, POISSON, **recorded))
    base = read_base(document, load_catalog())

    assert mean_service_s(base.scenario, base.trace) == pytest.approx(3.0)


def test_tokens_have_a_mean_service_time(tmp_path):
    tokens = {
        "tokens": {
            "input": 1000,
            "output": {"distribution": "exponential", "mean": 90},
            "prefill": "1000 tokens/s",
            "decode": "45 tokens/s",
        }
    }
    document, _ = read_document(written(tmp_path, POISSON, service=tokens))
    base = read_base(document, load_catalog())

    assert mean_service_s(base.scenario, None) == pytest.approx(3.0, rel=0.1)


def test_a_grid_has_four_points_a_decade_the_ends_and_the_own():
    grid = axis(100.0, 1e6, own=777.0).grid()

    assert (grid[0], grid[-1], len(grid)) == (100, 1e6, 18)
    assert 777.0 in grid
    assert grid[4] == pytest.approx(777.0)
    assert grid[5] == pytest.approx(1000)


@pytest.mark.parametrize(
    ("value", "text"),
    [(14.36, "14.4"), (1234.5, "1,230"), (999_600, "1,000,000"), (0.01234, "0.0123")],
)
def test_values_have_three_digits(value, text):
    assert axis().show(value) == text
