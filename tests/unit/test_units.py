"""Text with units at the edge: what is read, what is refused, what people are shown."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costsim.units import (
    HOURS_PER_MONTH,
    SECONDS_PER_MONTH,
    format_duration,
    format_fraction,
    format_rate,
    format_usd,
    parse_duration,
    parse_moment,
    parse_price,
    parse_rate,
    parse_size,
    parse_token_rate,
    parse_usd,
)

PARSERS = [
    parse_duration,
    parse_rate,
    parse_token_rate,
    parse_size,
    parse_usd,
    parse_price,
    parse_moment,
]


def test_a_month_is_365_days_over_twelve():
    assert HOURS_PER_MONTH == 365 * 24 / 12
    assert SECONDS_PER_MONTH == 2_628_000


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90.0),
        ("5m", 300.0),
        ("5min", 300.0),
        ("1h30m", 5400.0),
        ("1h 30m 5s", 5405.0),
        ("900 ms", 0.9),
        ("250us", 250e-6),
        ("14d", 14 * 86400.0),
        ("2 weeks", 14 * 86400.0),
        ("1 month", 2_628_000.0),
        ("0s", 0.0),
        (".5h", 1800.0),
        ("1e3s", 1000.0),
        ("1_000s", 1000.0),
        ("  3 days ", 259_200.0),
        ("-5s", -5.0),
    ],
)
def test_durations_are_read_in_seconds(text, seconds):
    assert parse_duration(text) == pytest.approx(seconds, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "per_s"),
    [
        ("48/h", 48 / 3600),
        ("2.5/s", 2.5),
        ("2.5 rps", 2.5),
        ("90 rpm", 1.5),
        ("50k/day", 50_000 / 86400),
        ("1M requests/month", 1e6 / 2_628_000),
        ("3 requests per min", 0.05),
        ("1.2K req/d", 1200 / 86400),
        ("0/h", 0.0),
    ],
)
def test_rates_are_read_per_second(text, per_s):
    assert parse_rate(text) == pytest.approx(per_s, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "per_s"),
    [("8000 tokens/s", 8000.0), ("8k tokens/s", 8000.0), ("60 tokens/min", 1.0),
     ("1 token per s", 1.0)],
)  # fmt: skip
def test_token_rates_are_read_per_second(text, per_s):
    assert parse_token_rate(text) == per_s


@pytest.mark.parametrize(
    ("text", "gib"),
    [("16 GiB", 16.0), ("512 MiB", 0.5), ("1TiB", 1024.0), ("24 GB", 24e9 / 2**30),
     ("1073741824 B", 1.0)],
)  # fmt: skip
def test_sizes_are_read_in_gib(text, gib):
    assert parse_size(text) == pytest.approx(gib, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "usd"),
    [("250 USD", 250.0), ("$250", 250.0), ("USD 0.5", 0.5), ("1_000$", 1000.0)],
)
def test_money_is_read_in_dollars(text, usd):
    assert parse_usd(text) == usd


@pytest.mark.parametrize(
    ("text", "usd_per_hour"),
    [
        ("2.49 USD/h", 2.49),
        ("$2.49/hour", 2.49),
        ("0.000222 USD/s", 0.7992),
        ("0.02 USD/min", 1.2),
        ("24 USD per day", 1.0),
        ("730 USD/month", 1.0),
    ],
)
def test_prices_are_read_per_hour(text, usd_per_hour):
    assert parse_price(text) == pytest.approx(usd_per_hour, rel=1e-14)


def test_a_price_by_the_hour_is_read_to_the_last_digit():
    assert parse_price("1.861 USD/h") == 1.861


def test_a_moment_is_of_the_calendar_or_a_time_after_the_start():
    assert parse_moment("3d18h") == 3 * 86400 + 18 * 3600
    assert parse_moment("2026-03-05T18:00+01:00") == datetime(
        2026, 3, 5, 18, tzinfo=timezone(timedelta(hours=1))
    )


@pytest.mark.parametrize("parse", PARSERS)
@pytest.mark.parametrize(
    "text",
    ["", " ", "5", "s", "5 parsecs", "five s", "5s!", "--5s", "1e999s", "nan s", "inf",
     "\u0665s", "5s\n5", "5,5s", "0x10s", "1" * 101 + "s", 5, 5.0, None, True, ["5s"]],
)  # fmt: skip
def test_what_is_no_quantity_is_refused_with_an_example(parse, text):
    with pytest.raises(ValueError, match=r"write|allowed|finite") as refusal:
        parse(text)

    assert len(str(refusal.value)) < 250


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_duration, "5 GiB"),
        (parse_duration, "5/s"),
        (parse_rate, "5s"),
        (parse_rate, "5 USD/h"),
        (parse_size, "5m"),
        (parse_usd, "5 USD/h"),
        (parse_price, "5 USD"),
        (parse_token_rate, "5/s"),
    ],
)
def test_one_kind_of_quantity_is_not_taken_for_another(parse, text):
    with pytest.raises(ValueError, match=r"is not a|has the unit"):
        parse(text)


def test_a_month_is_not_a_minute_and_a_minute_no_metre():
    assert parse_duration("1m") == 60.0
    with pytest.raises(ValueError, match="has the unit 'mo'"):
        parse_duration("1mo")


@settings(derandomize=True, deadline=None)
@given(st.text(max_size=30))
def test_any_text_is_read_as_a_finite_number_or_refused(text):
    for parse in PARSERS[:-1]:
        try:
            value = parse(text)
        except ValueError:
            continue
        assert math.isfinite(value)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0s"),
        (0.0004, "0.4ms"),
        (0.85, "850ms"),
        (0.9994, "999ms"),
        (0.9996, "1s"),
        (1.0, "1s"),
        (2.346, "2.35s"),
        (2.5, "2.5s"),
        (99.94, "99.94s"),
        (99.96, "1m40s"),
        (250.0, "4m10s"),
        (3599.6, "1h"),
        (85_000.0, "23h37m"),
        (86_399.0, "1d"),
        (12_000.0, "3h20m"),
        (14 * 86400.0, "14d"),
        (36 * 3600.0, "1d12h"),
        (-90.0, "-90s"),
        (math.inf, "never"),
        (math.nan, "-"),
    ],
)
def test_durations_are_shown_with_the_two_units_that_matter(seconds, text):
    assert format_duration(seconds) == text


@settings(derandomize=True)
@given(st.floats(0.02, 1e9))
def test_a_shown_duration_is_read_as_nearly_the_same(seconds):
    assert parse_duration(format_duration(seconds)) == pytest.approx(seconds, rel=0.05)


@settings(derandomize=True)
@given(st.lists(st.floats(0, 1e9), min_size=2, max_size=2))
def test_a_longer_duration_is_not_shown_as_a_shorter_one(pair):
    short, long = sorted(pair)

    assert parse_duration(format_duration(short)) <= parse_duration(
        format_duration(long)
    )


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (0.0, "$0.00"),
        (0.004, "$0.00"),
        (-0.001, "$0.00"),
        (5.0, "$5.00"),
        (999.994, "$999.99"),
        (999.996, "$1,000"),
        (1_234_567.8, "$1,234,568"),
        (-12.5, "-$12.50"),
        (math.nan, "-"),
    ],
)
def test_money_is_shown_in_cents_below_a_thousand(usd, text):
    assert format_usd(usd) == text


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (0.0, "0%"),
        (1.0, "100%"),
        (0.05, "5%"),
        (0.069, "6.9%"),
        (0.0994, "9.9%"),
        (0.0996, "10%"),
        (0.123, "12%"),
        (0.0012, "0.1%"),
        (0.0002, "0.02%"),
        (0.00001, "<0.01%"),
        (-0.028, "-2.8%"),
        (math.nan, "-"),
    ],
)
def test_fractions_are_shown_in_per_cent(fraction, text):
    assert format_fraction(fraction) == text


@pytest.mark.parametrize(
    ("rate_per_s", "text"),
    [
        (1234.5, "1,234/s"),
        (2.0, "2/s"),
        (0.999, "59.9/min"),
        (0.01, "36/h"),
        (1e-5, "0.864/day"),
        (0.0, "0/day"),
    ],
)
def test_rates_have_the_unit_in_which_they_are_at_least_1(rate_per_s, text):
    assert format_rate(rate_per_s) == text
