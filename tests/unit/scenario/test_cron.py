import pytest

from costsim.scenario.cron import parse_cron


@pytest.mark.parametrize(
    ("minute_field", "minutes"),
    [
        ("0", {0}),
        ("5,10,15", {5, 10, 15}),
        ("50-59/3", {50, 53, 56, 59}),
        ("*/15", {0, 15, 30, 45}),
        ("0-2,58-59", {0, 1, 2, 58, 59}),
    ],
)
def test_a_field_is_a_list_of_values_ranges_and_steps(minute_field, minutes):
    assert parse_cron(f"{minute_field} * * * *").minutes == minutes


def test_a_star_is_every_value():
    schedule = parse_cron("* * * * *")

    assert schedule.minutes == set(range(60))
    assert schedule.hours == set(range(24))
    assert schedule.days == set(range(1, 32))
    assert schedule.months == set(range(1, 13))
    assert schedule.weekdays == set(range(7))


def test_names_of_months_and_days_are_read_in_any_case():
    schedule = parse_cron("0 0 * jan,Mar-MAY mon-FRI")

    assert schedule.months == {1, 3, 4, 5}
    assert schedule.weekdays == {1, 2, 3, 4, 5}


def test_sunday_is_0_and_7():
    assert parse_cron("0 0 * * 7").weekdays == parse_cron("0 0 * * 0").weekdays == {0}
    assert parse_cron("0 0 * * 5-7").weekdays == {5, 6, 0}


def test_a_step_over_all_weekdays_does_not_count_sunday_twice():
    assert parse_cron("0 0 * * */2").weekdays == {0, 2, 4, 6}
    assert parse_cron("0 0 * * */3").weekdays == {0, 3, 6}


@pytest.mark.parametrize(
    ("text", "either_day"),
    [
        ("0 0 13 * 5", True),
        ("0 0 * * 5", False),
        ("0 0 13 * *", False),
        ("0 0 */2 * 5", False),
    ],
)
def test_either_day_is_enough_only_if_both_are_restricted(text, either_day):
    assert parse_cron(text).either_day is either_day


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 2 * *", "has 4 fields; a schedule has five"),
        ("0 2 * * * *", "has 6 fields"),
        ("@daily", "has 1 fields"),
        ("60 * * * *", "'60' in the minute field; allowed are 0-59"),
        ("* 24 * * *", "'24' in the hour field; allowed are 0-23"),
        ("* * 0 * *", "'0' in the day of month field; allowed are 1-31"),
        ("* * * 13 *", "'13' in the month field; allowed are 1-12 or JAN-DEC"),
        ("* * * * 8", "'8' in the day of week field; allowed are 0-7 or SUN-SAT"),
        ("* * * * MOON", "'MOON' in the day of week field"),
        ("-5 * * * *", "'' in the minute field"),
        ("1,,2 * * * *", "'' in the minute field"),
        ("22-2 * * * *", "'22-2' in the minute field runs backwards"),
        ("5/15 * * * *", "a step goes with \\* or a range"),
        ("*/0 * * * *", "a step of '0' in the minute field"),
        ("*/90 * * * *", "a step of '90' in the minute field; allowed are 1 to 59"),
        ("\u0661 * * * *", "in the minute field"),
        ("9999999999999999999999 * * * *", "in the minute field"),
        ("0 0 30 2 *", "never happens: no such month has 30 days"),
        ("0 0 31 4,6 *", "never happens"),
    ],
)
def test_a_schedule_that_is_not_one_is_refused_with_what_is_allowed(text, message):
    with pytest.raises(ValueError, match=message):
        parse_cron(text)


def test_the_29th_of_february_may_happen():
    assert parse_cron("0 0 29 2 *").days == {29}


def test_a_day_that_no_month_has_is_fine_beside_a_weekday():
    assert parse_cron("0 0 30 2 1").either_day
