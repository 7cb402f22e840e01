from datetime import UTC, datetime, timedelta, timezone

import pytest

from costsim.scenario.cron import parse_cron
from costsim.traffic.cron import cron_times

HOUR = 3600.0
DAY = 86400.0


def moments(text, start, days):
    """Return when a schedule happens, as text of the start's clock."""
    times = cron_times(parse_cron(text), start, days * DAY)
    return [
        (start + timedelta(seconds=float(t))).strftime("%a %d %b %H:%M") for t in times
    ]


def test_a_nightly_schedule_happens_once_a_day():
    start = datetime(2026, 3, 2, tzinfo=timezone(timedelta(hours=1)))

    times = cron_times(parse_cron("0 2 * * *"), start, 3 * DAY)

    assert times.tolist() == [2 * HOUR, 2 * HOUR + DAY, 2 * HOUR + 2 * DAY]


def test_the_start_counts_and_the_horizon_does_not():
    start = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)

    times = cron_times(parse_cron("0 2 * * *"), start, DAY)

    assert times.tolist() == [0.0]


def test_a_start_in_the_middle_of_a_minute_waits_for_the_next():
    start = datetime(2026, 3, 2, 1, 59, 30, 500_000, tzinfo=UTC)

    times = cron_times(parse_cron("* * * * *"), start, 120.0)

    assert times.tolist() == [29.5, 89.5]


@pytest.mark.parametrize(
    ("text", "start", "days", "expected"),
    [
        (  # 2026 has a Friday the 13th in February, March and November
            "0 0 13 * 5",
            datetime(2026, 2, 10, tzinfo=UTC),
            10,
            ["Fri 13 Feb 00:00"],
        ),
        (  # both days restricted: the 1st, or any Monday
            "30 6 1 * MON",
            datetime(2026, 5, 28, tzinfo=UTC),
            12,
            ["Mon 01 Jun 06:30", "Mon 08 Jun 06:30"],
        ),
        (
            "30 6 2 * MON",
            datetime(2026, 5, 28, tzinfo=UTC),
            8,
            ["Mon 01 Jun 06:30", "Tue 02 Jun 06:30"],
        ),
        (
            "0 9,17 * * MON-FRI",
            datetime(2026, 3, 6, 12, tzinfo=UTC),
            3.5,
            ["Fri 06 Mar 17:00", "Mon 09 Mar 09:00", "Mon 09 Mar 17:00"],
        ),
        (
            "0 0 31 * *",
            datetime(2026, 1, 1, tzinfo=UTC),
            120,
            ["Sat 31 Jan 00:00", "Tue 31 Mar 00:00"],
        ),
        (
            "15 23 * 12 SUN",
            datetime(2026, 11, 25, tzinfo=UTC),
            20,
            ["Sun 06 Dec 23:15", "Sun 13 Dec 23:15"],
        ),
        (  # every other day of the month AND Saturday: the field begins with a star
            "0 0 */2 * SAT",
            datetime(2026, 3, 1, tzinfo=UTC),
            31,
            ["Sat 07 Mar 00:00", "Sat 21 Mar 00:00"],
        ),
    ],
    ids=["13th", "1st-or-monday", "2nd-or-monday", "office", "31st", "sundays", "and"],
)
def test_known_dates(text, start, days, expected):
    assert moments(text, start, days) == expected


def test_the_29th_of_february_happens_in_leap_years_only():
    start = datetime(2026, 1, 1, tzinfo=UTC)

    times = cron_times(parse_cron("0 0 29 2 *"), start, 4 * 365 * DAY)

    assert [start + timedelta(seconds=float(t)) for t in times] == [
        datetime(2028, 2, 29, tzinfo=UTC)
    ]


def test_a_schedule_follows_the_offset_of_the_start():
    in_tokyo = datetime(2026, 3, 2, 0, 0, tzinfo=timezone(timedelta(hours=9)))

    times = cron_times(parse_cron("0 2 * * *"), in_tokyo, DAY)

    assert times.tolist() == [2 * HOUR]


def test_a_minute_schedule_has_all_minutes_of_a_year():
    start = datetime(2026, 1, 1, tzinfo=UTC)

    assert len(cron_times(parse_cron("* * * * *"), start, 365 * DAY)) == 365 * 1440
