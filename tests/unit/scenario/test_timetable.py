"""When bounds change: by hand, on the days on which clocks jump too.

Moments are written as the UTC time at which they happen.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from costsim.scenario.pool import Pool
from costsim.scenario.timetable import Bounds, timetable
from costsim.spec import RuleError

HOUR = 3600.0
DAY = 24 * HOUR
CET = timezone(timedelta(hours=1))


def pool_of(*entries, **pool):
    return Pool.model_validate({"schedule": list(entries), **pool})


def mins(start, days, *entries, **pool):
    """Return what min is at first, and (UTC time, min) of every change."""
    table = timetable(pool_of(*entries, **pool), start, days * DAY)
    changes = [
        (f"{start.astimezone(UTC) + timedelta(seconds=one.time_s):%d %H:%M}", one[1])
        for one in table.changes
    ]
    return [table.initial.min_replicas, *changes]


def paris(month, day):
    return datetime(2026, month, day, tzinfo=UTC)


# Days on which clocks jump. Paris: 29 March 2026, 02:00 becomes 03:00 at 01:00 UTC;
# 25 October, 03:00 becomes 02:00 at 01:00 UTC.

IN = {"min_replicas": 1}


def test_without_a_jump_a_window_is_its_hours():
    entry = {"when": "02:30-03:30 Europe/Paris", **IN}

    assert mins(paris(3, 28), 1, entry) == [0, ("28 01:30", 1), ("28 02:30", 0)]


def test_in_spring_a_window_begins_when_the_clock_jumps_into_it():
    entry = {"when": "02:30-03:30 Europe/Paris", **IN}

    assert mins(paris(3, 29), 1, entry) == [0, ("29 01:00", 1), ("29 01:30", 0)]


def test_in_spring_a_window_inside_the_hour_that_is_skipped_is_skipped():
    entry = {"when": "02:10-02:50 Europe/Paris", **IN}

    assert mins(paris(3, 29), 1, entry) == [0]


def test_in_autumn_a_window_is_left_as_the_clock_is_set_back_and_comes_again():
    entry = {"when": "02:30-03:30 Europe/Paris", **IN}

    # 02:30 summer time to the jump; then 02:30 to 03:30 winter time.
    assert mins(paris(10, 25), 1, entry) == [
        0,
        ("25 00:30", 1),
        ("25 01:00", 0),
        ("25 01:30", 1),
        ("25 02:30", 0),
    ]


def test_in_autumn_a_window_inside_the_hour_that_is_repeated_comes_twice():
    entry = {"when": "02:10-02:50 Europe/Paris", **IN}

    assert mins(paris(10, 25), 1, entry) == [
        0,
        ("25 00:10", 1),
        ("25 00:50", 0),
        ("25 01:10", 1),
        ("25 01:50", 0),
    ]


def test_a_window_around_the_jump_is_an_hour_shorter_or_longer():
    entry = {"when": "01:00-04:00 Europe/Paris", **IN}

    assert mins(paris(3, 28), 1.5, entry)[-2:] == [("29 00:00", 1), ("29 02:00", 0)]
    assert mins(paris(10, 24), 1.5, entry)[-2:] == [("24 23:00", 1), ("25 03:00", 0)]


def test_office_hours_move_with_the_clock():
    entry = {"when": "Mon-Fri 08:00-18:00 Europe/Paris", **IN}

    # The Friday before and the Monday after.
    assert mins(paris(3, 27), 4, entry) == [
        0,
        ("27 07:00", 1),
        ("27 17:00", 0),
        ("30 06:00", 1),
        ("30 16:00", 0),
    ]


@pytest.mark.parametrize(
    ("month", "day", "changes"),
    [
        (3, 28, [("28 01:30", 1), ("28 01:40", 0)]),
        (3, 29, []),  # the clock skips 02:30
        (10, 25, [("25 00:30", 1), ("25 00:40", 0), ("25 01:30", 1), ("25 01:40", 0)]),
    ],
)
def test_cron_happens_whenever_the_clock_shows_its_time(month, day, changes):
    entry = {"when": "30 2 * * *", "time_zone": "Europe/Paris", "for": "10m", **IN}

    assert mins(paris(month, day), 1, entry) == [0, *changes]


def test_what_cron_has_begun_lasts_in_real_time_across_a_jump():
    entry = {"when": "0 1 * * * Europe/Paris", "for": "4h", **IN}

    assert mins(paris(3, 28), 1.5, entry)[-2:] == [("29 00:00", 1), ("29 04:00", 0)]


@pytest.mark.parametrize(
    ("zone", "start", "when", "changes"),
    [
        # Back half an hour at 15:00 UTC on 4 April 2026: 02:00 becomes 01:30.
        (
            "Australia/Lord_Howe",
            datetime(2026, 4, 4, 12, tzinfo=UTC),
            "01:00-02:30",
            [("04 14:00", 1), ("04 16:00", 0)],
        ),
        # Forward half an hour at 15:30 UTC on 3 October: 02:00 becomes 02:30.
        (
            "Australia/Lord_Howe",
            datetime(2026, 10, 3, 12, tzinfo=UTC),
            "01:00-02:45",
            [("03 14:30", 1), ("03 15:45", 0)],
        ),
        # Friday 30 December 2011 was left out at its beginning, 10:00 UTC.
        (
            "Pacific/Apia",
            datetime(2011, 12, 30, tzinfo=UTC),
            "Thu-Fri",
            [("30 10:00", 0)],
        ),
        # South: clocks go back in April, 03:00 becoming 02:00 at 14:00 UTC.
        (
            "Pacific/Auckland",
            datetime(2026, 4, 4, 12, tzinfo=UTC),
            "02:00-03:00",
            [("04 13:00", 1), ("04 15:00", 0)],
        ),
        # Midnight does not exist on 6 September 2026: 00:00 becomes 01:00, 04:00 UTC.
        (
            "America/Santiago",
            datetime(2026, 9, 5, 12, tzinfo=UTC),
            "Sun 00:00-02:00",
            [("06 04:00", 1), ("06 05:00", 0)],
        ),
    ],
)
def test_odd_zones(zone, start, when, changes):
    before, *found = mins(start, 1, {"when": when, "time_zone": zone, **IN})

    assert found == changes
    assert before == 1 - changes[0][1]


# What a clock without a zone is


def test_without_a_zone_the_clock_is_the_offset_of_the_start_and_never_jumps():
    start = datetime(2026, 3, 28, tzinfo=CET)

    found = mins(start, 2, {"when": "08:00-18:00", **IN})

    assert found == [
        0,
        *(("28 07:00", 1), ("28 17:00", 0)),
        *(("29 07:00", 1), ("29 17:00", 0)),
    ]


def test_a_zone_is_told_from_the_offset_of_the_start():
    start = datetime(2026, 3, 2, tzinfo=CET)

    table = timetable(pool_of({"when": "12:00-13:00 Asia/Tokyo", **IN}), start, DAY)

    # Noon in Tokyo is 03:00 UTC, four hours after the start.
    assert [one.time_s for one in table.changes] == [4 * HOUR, 5 * HOUR]


def test_a_start_without_an_offset_is_in_utc():
    table = timetable(
        pool_of({"when": "08:00-09:00 Europe/Paris", **IN}),
        datetime(2026, 3, 2),  # noqa: DTZ001 - as a scenario may have it
        DAY,
    )

    assert table.changes[0] == Bounds(7 * HOUR, 1, None)


def test_moments_are_exact_from_a_start_between_seconds():
    start = datetime(2026, 3, 2, 7, 59, 58, 750_000, tzinfo=UTC)

    table = timetable(pool_of({"when": "08:00-09:00", **IN}), start, DAY)

    assert [one.time_s for one in table.changes] == [1.25, 3601.25]


# Windows


def test_a_night_belongs_to_the_day_on_which_it_begins():
    entry = {"when": "Fri 22:00-06:00", **IN}

    # 6 March 2026 is a Friday.
    assert mins(paris(3, 6), 3, entry) == [0, ("06 22:00", 1), ("07 06:00", 0)]


def test_a_night_that_began_before_the_start_applies_at_the_start():
    entry = {"when": "Fri 22:00-06:00", **IN}

    assert mins(paris(3, 7), 1, entry) == [1, ("07 06:00", 0)]


def test_days_that_follow_each_other_are_one():
    assert mins(paris(3, 2), 7, {"when": "Tue-Thu", **IN}) == [
        0,
        ("03 00:00", 1),
        ("06 00:00", 0),
    ]


def test_every_day_all_day_never_changes():
    assert mins(paris(3, 2), 7, {"when": "daily", **IN}) == [1]


# Cron


def test_what_cron_began_before_the_start_lasts_into_the_run():
    entry = {"when": "0 23 * * *", "for": "2h", **IN}

    assert mins(paris(3, 2), 0.5, entry) == [1, ("02 01:00", 0)]


def test_cron_that_comes_again_before_it_is_over_goes_on():
    entry = {"when": "0 6,7 * * *", "for": "90m", **IN}

    assert mins(paris(3, 2), 1, entry) == [0, ("02 06:00", 1), ("02 08:30", 0)]


# Several entries, and the pool's own bounds


def rows(table):
    return [tuple(table.initial), *map(tuple, table.changes)]


def test_the_last_entry_that_applies_sets_each_bound_that_it_names():
    table = timetable(
        pool_of(
            {"when": "08:00-18:00", "min_replicas": 2, "max_replicas": 10},
            {"when": "12:00-14:00", "min_replicas": 5},
            {"when": "13:00-20:00", "max_replicas": 6},
            min_replicas=1,
            max_replicas=4,
        ),
        paris(3, 2),
        DAY,
    )

    assert rows(table) == [
        (0.0, 1, 4),
        (8 * HOUR, 2, 10),
        (12 * HOUR, 5, 10),
        (13 * HOUR, 5, 6),
        (14 * HOUR, 2, 6),
        (18 * HOUR, 1, 6),
        (20 * HOUR, 1, 4),
    ]


def test_of_two_entries_the_later_one_wins_even_with_less():
    several = [
        {"when": "08:00-18:00", "min_replicas": 5},
        {"when": "09:00-10:00", "min_replicas": 0},
    ]

    assert mins(paris(3, 2), 0.5, *several)[1:] == [
        ("02 08:00", 5),
        ("02 09:00", 0),
        ("02 10:00", 5),
    ]
    assert mins(paris(3, 2), 0.5, *several[::-1])[1:] == [("02 08:00", 5)]


def test_a_change_at_or_after_the_horizon_is_left_out():
    assert mins(paris(3, 2), 8 / 24, {"when": "08:00-18:00", **IN}) == [0]


def test_without_a_schedule_the_bounds_are_the_pools_own():
    table = timetable(Pool(min_replicas=2, max_replicas=7), None, DAY)

    assert rows(table) == [(0.0, 2, 7)]


# Prewarming

OFFICE = {"when": "08:00-18:00", "min_replicas": 4, "prewarm": "10m"}


def test_a_raised_minimum_starts_earlier_and_ends_in_time():
    assert mins(paris(3, 2), 1, OFFICE) == [0, ("02 07:50", 4), ("02 18:00", 0)]


def test_prewarming_has_room_before_the_maximum_is_raised():
    table = timetable(
        pool_of({**OFFICE, "max_replicas": 9}, max_replicas=1), paris(3, 2), DAY
    )

    assert rows(table) == [
        (0.0, 0, 1),
        (7 * HOUR + 3000, 4, 4),
        (8 * HOUR, 4, 9),
        (18 * HOUR, 0, 1),
    ]


def test_prewarming_lowers_nothing():
    found = mins(paris(3, 2), 1, {**OFFICE, "min_replicas": 2}, min_replicas=3)

    assert found == [3, ("02 08:00", 2), ("02 18:00", 3)]


def test_prewarming_for_an_entry_that_another_one_hides_comes_with_its_end():
    found = mins(paris(3, 2), 0.5, OFFICE, {"when": "00:00-09:00", "min_replicas": 0})

    assert found == [0, ("02 08:50", 4)]


def test_prewarming_for_a_window_after_the_horizon_begins_before_it():
    found = mins(paris(3, 2), 7.9 / 24, OFFICE)

    assert found == [0, ("02 07:50", 4)]


def test_prewarming_that_would_begin_before_the_start_begins_with_it():
    start = datetime(2026, 3, 2, 7, 55, tzinfo=UTC)

    assert mins(start, 0.2, OFFICE) == [4]


def test_a_fixed_pool_prewarms_with_both_bounds():
    table = timetable(
        pool_of(
            {**OFFICE, "max_replicas": 4},
            autoscaler={"kind": "fixed"},
            min_replicas=1,
            max_replicas=1,
        ),
        paris(3, 2),
        DAY,
    )

    assert rows(table) == [(0.0, 1, 1), (7 * HOUR + 3000, 4, 4), (18 * HOUR, 1, 1)]


# What contradicts itself


def refusal(*entries, **pool):
    """Return the way to the key that is refused, and why."""
    with pytest.raises(RuleError) as raised:
        timetable(pool_of(*entries, **pool), paris(3, 2), 7 * DAY)
    return raised.value.key, str(raised.value)


def test_a_minimum_above_the_pools_maximum_is_refused_where_it_stands():
    key, message = refusal(
        {"when": "Mon 08:00-18:00", "min_replicas": 2},
        {"when": "Sat 08:00-18:00 Europe/Paris", "min_replicas": 5},
        max_replicas=4,
    )

    assert key == (1, "min_replicas")
    assert message == (
        "from 2026-03-07T07:00 on min_replicas (5, of entry 1) must not exceed "
        "max_replicas (4, the pool's own)"
    )


def test_a_maximum_below_another_entrys_minimum_is_refused_where_it_stands():
    key, message = refusal(
        {"when": "08:00-18:00", "min_replicas": 3, "max_replicas": 9},
        {"when": "Wed", "max_replicas": 2},
    )

    assert key == (1, "max_replicas")
    assert "min_replicas (3, of entry 0) must not exceed max_replicas (2" in message


def test_entries_that_never_apply_together_do_not_contradict_each_other():
    pool = pool_of(
        {"when": "08:00-18:00", "min_replicas": 5, "max_replicas": 9},
        {"when": "18:00-08:00", "max_replicas": 2},
        max_replicas=1,
    )

    assert timetable(pool, paris(3, 2), 7 * DAY).initial == (0.0, 0, 2)


def test_a_fixed_pool_that_would_change_is_refused():
    key, message = refusal(
        {"when": "08:00-18:00", "min_replicas": 3},
        autoscaler={"kind": "fixed"},
        min_replicas=4,
        max_replicas=4,
    )

    assert key == (0, "min_replicas")
    assert "(3, of entry 0) must equal, in a fixed pool, max_replicas (4" in message


def test_cron_that_strikes_millions_of_times_is_refused():
    with pytest.raises(RuleError, match="more than 5,000,000 times") as raised:
        timetable(pool_of({"when": "* * * * *", "for": "30s", **IN}), paris(3, 2), 4e8)

    assert raised.value.key == (0, "when")


@pytest.mark.parametrize("year", [2, 9998])
def test_the_ends_of_the_calendar_are_no_error(year):
    start = datetime(year, 12, 30, tzinfo=UTC)

    table = timetable(
        pool_of({"when": "08:00-18:00 Europe/Paris", **IN}), start, 1000 * DAY
    )

    assert len(table.changes) == 2000
