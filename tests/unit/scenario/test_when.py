"""Days, hours and zones as people write them."""

from __future__ import annotations

import pytest

from costsim.scenario.cron import CronSchedule
from costsim.scenario.when import Window, find_zone, parse_when

MON, TUE, WED, THU, FRI, SAT, SUN = range(7)
EVERY = frozenset(range(7))
ALL_DAY = (0, 1440)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("Mon-Fri 08:00-18:00", {MON, TUE, WED, THU, FRI}),
        ("Fri-Mon 08:00-18:00", {FRI, SAT, SUN, MON}),
        ("Sun-Mon 08:00-18:00", {SUN, MON}),
        ("Mon,Wed 08:00-18:00", {MON, WED}),
        ("mon, wed - fri 08:00-18:00", {MON, WED, THU, FRI}),
        ("Saturday 08:00-18:00", {SAT}),
        ("daily 08:00-18:00", set(range(7))),
        ("Weekdays 08:00-18:00", {MON, TUE, WED, THU, FRI}),
        ("weekends 08:00-18:00", {SAT, SUN}),
        ("08:00-18:00", set(range(7))),
    ],
)
def test_days_are_a_list_of_days_and_ranges_that_may_pass_sunday(text, days):
    assert parse_when(text).times == Window(frozenset(days), 480, 1080)


@pytest.mark.parametrize(
    ("text", "opens", "closes"),
    [
        ("08:00-18:00", 480, 1080),
        ("8:30 - 9:05", 510, 545),
        ("22:00-06:00", 1320, 1440 + 360),
        ("22:00-24:00", 1320, 1440),
        ("22:00-00:00", 1320, 1440),
        ("00:00-24:00", 0, 1440),
        ("00:01-00:00", 1, 1440),
        ("08:00\u201318:00", 480, 1080),
    ],
)
def test_hours_may_pass_midnight_and_end_with_the_day(text, opens, closes):
    assert parse_when(text).times == Window(EVERY, opens, closes)


def test_days_alone_are_whole_days():
    assert parse_when("Sat,Sun").times == Window(frozenset({SAT, SUN}), *ALL_DAY)
    assert parse_when("daily").times == Window(EVERY, *ALL_DAY)


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("Mon-Fri 08:00-18:00 Europe/Paris", "Europe/Paris"),
        ("08:00-18:00 America/Port-au-Prince", "America/Port-au-Prince"),
        ("Sat,Sun UTC", "UTC"),
        ("daily 08:00-18:00 Etc/GMT+3", "Etc/GMT+3"),
        ("Mon-Fri 08:00-18:00", None),
        ("0 6 * * MON-FRI Europe/Paris", "Europe/Paris"),
        ("0 6 * * *", None),
    ],
)
def test_a_zone_may_stand_last(text, zone):
    assert parse_when(text).zone == zone


def test_five_fields_are_cron():
    times = parse_when("30 6 1 1 1").times

    assert isinstance(times, CronSchedule)
    assert times.minutes_of_day == [390]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "'' is not days and hours or cron fields; write 'Mon-Fri 08:00"),
        ("8-18", "'8-18' is not days and hours or cron fields"),
        ("Mon Tue", "'Mon Tue' is not days and hours or cron fields"),
        ("Europe/Paris", "'Europe/Paris' is not days and hours or cron fields"),
        ("08:00-18:00 UTC x", "'08:00-18:00 UTC x' is not days and hours"),
        ("x" * 300, f"'{'x' * 60}' is not days and hours or cron fields"),
        ("Mon-Fri 8-18", "'8-18' is not a range of hours; write one from 00:00 to"),
        ("24:00-06:00", "'24:00-06:00' is not a range of hours"),
        ("08:00-24:30", "'08:00-24:30' is not a range of hours"),
        ("08:00-08:60", "'08:00-08:60' is not a range of hours"),
        ("00:00-00:00", "'00:00-00:00' is empty; leave the hours out, or write"),
        ("Mon-Fir 08:00-18:00", "unknown day 'Fir' (did you mean 'Fri'?)"),
        ("Mon-", "unknown day ''"),
        ("Mon 08:00-18:00 Europe/Pariss", "unknown time zone 'Europe/Pariss' (did"),
        ("* * *", "'* * *' has 3 fields; a schedule has five"),
        ("0 24 * * *", "'24' in the hour field; allowed are 0-23"),
        ("30 2 * * * *", "unknown time zone '*'"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(text, words):
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the words are compared
        parse_when(text)

    assert str(refusal.value).startswith(words)


@pytest.mark.parametrize(
    "name",
    ["Europe", "europe/paris", "../etc/passwd", "", "x" * 400, "a\0b", "localtime"],
)
def test_what_is_no_zone_of_the_database_is_refused(name):
    with pytest.raises(ValueError, match="unknown time zone"):
        find_zone(name)
