"""A schedule's bounds are what a clock on the wall says, at every minute of a year.

The reference reads that clock with zoneinfo, minute by minute, and asks each entry in
plain words whether it applies; it knows nothing of spans or of changes of an offset.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costsim.scenario.pool import Pool
from costsim.scenario.timetable import timetable

DAY = 86400.0
N_MINUTES = 365 * 1440
PREWARM_MIN = 90
"""Longest in these tests: so far beyond the year the clock is read too. [min]"""

YEARS = {
    "Europe/Paris": datetime(2026, 1, 1, tzinfo=UTC),
    "America/New_York": datetime(2025, 7, 1, 12, 0, tzinfo=UTC),
    "Australia/Lord_Howe": datetime(2026, 1, 1, tzinfo=UTC),  # half an hour
    "America/Santiago": datetime(2026, 2, 1, tzinfo=UTC),  # jumps at midnight, south
    "Pacific/Apia": datetime(2011, 6, 1, tzinfo=UTC),  # has no 30 December
    "Africa/Casablanca": datetime(2026, 1, 1, tzinfo=UTC),  # summer time but in Ramadan
    "Asia/Kolkata": datetime(2026, 1, 1, 0, 7, tzinfo=UTC),  # 5:30, no daylight saving
}


class Wall(NamedTuple):
    """What a clock on the wall shows, minute by minute."""

    weekday: np.ndarray
    minute: np.ndarray
    """Of the day."""
    day: np.ndarray
    """Of the month."""


def during(wall, low_h, high_h):
    return (60 * low_h <= wall.minute) & (wall.minute < 60 * high_h)


def since(began, minutes):
    """Whether something began at each minute, or at one of so many before it."""
    n_begun = np.append(0, np.cumsum(began))
    last = np.arange(1, n_begun.size)
    return n_begun[last] > n_begun[np.maximum(last - minutes, 0)]


def on(days, wall):
    return np.isin(wall.weekday, days)


ENTRIES = [
    ({"when": "Mon-Fri 08:00-18:00"}, lambda w: on(range(5), w) & during(w, 8, 18)),
    ({"when": "daily 02:30-03:30"}, lambda w: during(w, 2.5, 3.5)),
    ({"when": "01:45-02:15"}, lambda w: during(w, 1.75, 2.25)),
    ({"when": "00:00-00:30"}, lambda w: during(w, 0, 0.5)),
    (
        {"when": "Fri-Mon 22:00-06:00"},
        lambda w: (
            (on([4, 5, 6, 0], w) & during(w, 22, 24))
            | (on([5, 6, 0, 1], w) & during(w, 0, 6))
        ),
    ),
    ({"when": "Mon,Wed"}, lambda w: on([0, 2], w)),
    ({"when": "Sat 18:00-24:00"}, lambda w: on([5], w) & during(w, 18, 24)),
    ({"when": "30 2 * * *", "for": "45m"}, lambda w: since(w.minute == 150, 45)),
    (
        {"when": "*/20 0-3 * * SUN", "for": "7m"},
        lambda w: since(on([6], w) & during(w, 0, 4) & (w.minute % 20 == 0), 7),
    ),
    (
        {"when": "0 6 1,30 * *", "for": "30h"},
        lambda w: since((w.minute == 360) & np.isin(w.day, [1, 30]), 1800),
    ),
]
"""What is written, and what it means."""

BEFORE = 1800
"""Minutes before the start that are read: the longest that an entry of cron lasts."""


@cache
def clock(zone):
    """Return what the clock shows at every minute, from BEFORE the start on."""
    tz = ZoneInfo(zone)
    first_s = int(YEARS[zone].timestamp()) - 60 * BEFORE
    n = BEFORE + N_MINUTES + PREWARM_MIN + 1
    shown = (datetime.fromtimestamp(first_s + 60 * i, tz) for i in range(n))
    rows = [(one.weekday(), 60 * one.hour + one.minute, one.day) for one in shown]
    return Wall(*np.array(rows).T)


@cache
def applies(zone, index):
    """Return at which minutes from the start on an entry applies."""
    meaning = ENTRIES[index][1]
    return meaning(clock(zone))[BEFORE:]


def expected(zone, own, chosen):
    """The bounds at every minute of the year, from the last entry that applies."""
    n = N_MINUTES + PREWARM_MIN + 1
    low, high = np.full(n, own[0]), np.full(n, own[1])
    set_by = np.full(n, -1)
    for number, (index, least, most, _) in enumerate(chosen):
        now = applies(zone, index)
        low[now] = low[now] if least is None else least
        set_by[now] = set_by[now] if least is None else number
        high[now] = high[now] if most is None else most
    raised = low.copy()
    rises = np.flatnonzero(low[1:] > low[:-1]) + 1
    for i in rises:
        ahead = chosen[set_by[i]][3] if set_by[i] >= 0 else 0
        early = slice(max(0, i - ahead), i)
        raised[early] = np.maximum(raised[early], low[i])
    return raised[:N_MINUTES], np.maximum(high, raised)[:N_MINUTES]


def by_minute(table, n_minutes):
    """The bounds of a timetable at every minute."""
    rows = [table.initial, *table.changes]
    at = np.searchsorted(
        [one.time_s for one in rows], 60.0 * np.arange(n_minutes), "right"
    )
    return tuple(np.array([one[k] for one in rows])[at - 1] for k in (1, 2))


@st.composite
def schedules(draw):
    """Draw one to four entries: (which, min, max, minutes of prewarming)."""
    chosen = []
    for index in draw(st.lists(st.sampled_from(range(len(ENTRIES))), max_size=4)):
        # Any min is below any max, so that no combination contradicts itself.
        least = draw(st.none() | st.integers(0, 9))
        most = draw(st.integers(10, 20) if least is None else st.none() | st.just(12))
        ahead = 0 if least is None else draw(st.sampled_from((0, 0, 10, PREWARM_MIN)))
        chosen.append((index, least, most, ahead))
    return chosen


def written(zone, own, chosen):
    entries = []
    for index, least, most, ahead in chosen:
        bounds = {"min_replicas": least, "max_replicas": most, "prewarm": f"{ahead}m"}
        entries.append({**ENTRIES[index][0], "time_zone": zone, **bounds})
    return Pool.model_validate(
        {"min_replicas": own[0], "max_replicas": own[1], "schedule": entries}
    )


@pytest.mark.parametrize("zone", YEARS)
@settings(max_examples=12, deadline=None, derandomize=True)
@given(chosen=schedules())
def test_bounds_are_those_of_the_clock_at_every_minute_of_a_year(zone, chosen):
    own = (1, 15)

    table = timetable(written(zone, own, chosen), YEARS[zone], 60.0 * N_MINUTES)

    low, high = expected(zone, own, chosen)
    found_low, found_high = by_minute(table, N_MINUTES)
    np.testing.assert_array_equal(found_low, low)
    np.testing.assert_array_equal(found_high, high)
    # Between minutes nothing changes.
    assert [one.time_s % 60 for one in table.changes] == [0.0] * len(table.changes)


@pytest.mark.parametrize("zone", YEARS)
@pytest.mark.parametrize("index", range(len(ENTRIES)))
def test_each_entry_alone_applies_as_the_clock_says(zone, index):
    chosen = [(index, 5, None, 0)]

    table = timetable(written(zone, (1, 15), chosen), YEARS[zone], 60.0 * N_MINUTES)

    low, _ = by_minute(table, N_MINUTES)
    np.testing.assert_array_equal(low == 5, applies(zone, index)[:N_MINUTES])
    assert 0 < np.count_nonzero(low == 5) < N_MINUTES


@given(
    chosen=schedules(),
    days=st.integers(1, 30),
    seconds=st.floats(0, 86399, allow_subnormal=False),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_a_longer_horizon_changes_nothing_before_the_shorter_one(chosen, days, seconds):
    pool = written("Europe/Paris", (1, 15), chosen)
    start = datetime(2026, 3, 20, 5, 21, 13, 250_000, tzinfo=UTC)

    whole = timetable(pool, start, 60 * DAY)
    part = timetable(pool, start, days * DAY + seconds)

    end_s = days * DAY + seconds
    assert part.initial == whole.initial
    assert part.changes == tuple(one for one in whole.changes if one.time_s < end_s)


@given(chosen=schedules())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_changes_rise_in_time_and_each_one_changes_something(chosen):
    start = datetime(2026, 3, 20, 5, 21, 13, 250_000, tzinfo=UTC)

    table = timetable(written("Europe/Paris", (1, 15), chosen), start, 30 * DAY)

    rows = [table.initial, *table.changes]
    assert all(one.time_s < other.time_s for one, other in pairwise(rows))
    assert all(one[1:] != other[1:] for one, other in pairwise(rows))
    assert all(one.min_replicas <= one.max_replicas for one in rows)
