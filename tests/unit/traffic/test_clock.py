from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from costsim.traffic.clock import clock_of, seconds_after, seconds_into_week

PLUS_ONE = timezone(timedelta(hours=1))


def test_moments_with_different_offsets_are_compared_as_instants():
    start = datetime(2026, 3, 2, tzinfo=PLUS_ONE)

    assert seconds_after(start, datetime(2026, 3, 2, tzinfo=UTC)) == 3600.0


def test_a_moment_without_an_offset_is_read_by_the_clock_of_the_start():
    start = datetime(2026, 3, 2, tzinfo=PLUS_ONE)

    assert seconds_after(start, datetime(2026, 3, 2, 0, 30)) == 1800.0  # noqa: DTZ001


def test_a_moment_before_the_start_is_negative():
    start = datetime(2026, 3, 2, tzinfo=UTC)

    assert seconds_after(start, datetime(2026, 3, 1, tzinfo=UTC)) == -86400.0


def test_a_change_of_the_clocks_is_real_time():
    paris = ZoneInfo("Europe/Paris")
    start = datetime(2026, 3, 29, 0, 0, tzinfo=paris)

    assert seconds_after(start, datetime(2026, 3, 30, 0, 0, tzinfo=paris)) == 23 * 3600


def test_the_clock_is_the_fixed_offset_of_the_start():
    paris = datetime(2026, 3, 28, tzinfo=ZoneInfo("Europe/Paris"))

    assert clock_of(paris) == PLUS_ONE
    assert clock_of(datetime(2026, 3, 28)) == UTC  # noqa: DTZ001


def test_the_week_begins_on_monday_at_midnight():
    assert seconds_into_week(datetime(2026, 3, 2, tzinfo=PLUS_ONE)) == 0.0
    sunday = datetime(2026, 3, 8, 23, 59, 59, 500_000, tzinfo=PLUS_ONE)
    assert seconds_into_week(sunday) == 7 * 86400 - 0.5
