"""Times of a cron schedule."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from costsim.units import SECONDS_PER_DAY

if TYPE_CHECKING:
    from costsim.records import Floats
    from costsim.scenario.cron import CronSchedule


def cron_times(schedule: CronSchedule, start: datetime, horizon_s: float) -> Floats:
    """Return the moments of a schedule, by the clock of the start.

    Parameters
    ----------
    schedule : CronSchedule
        What must match.
    start : datetime
        Start of the scenario; a schedule that matches it happens at 0.
    horizon_s : float
        End of the run. [s]

    Returns
    -------
    ndarray of float64, ascending
        Moments, in [0, horizon_s). [s]
    """
    midnight = datetime(start.year, start.month, start.day, tzinfo=start.tzinfo)
    into_day = (start - midnight) / timedelta(seconds=1)
    n_days = int((into_day + horizon_s) // SECONDS_PER_DAY) + 1
    days = np.flatnonzero(_matching_days(schedule, start, n_days))
    in_day = np.add.outer(
        np.array(sorted(schedule.hours)) * 60, np.array(sorted(schedule.minutes))
    )
    minutes = np.add.outer(days * 1440, in_day.ravel()).ravel()
    times: Floats = minutes * 60.0 - into_day
    return times[(times >= 0) & (times < horizon_s)]


def _matching_days(schedule: CronSchedule, start: datetime, n_days: int) -> np.ndarray:
    """Return for each day from the start's on whether the schedule matches it."""
    day = np.datetime64(start.date(), "D") + np.arange(n_days)
    month = day.astype("datetime64[M]")
    day_of_month = (day - month).astype(np.int64) + 1
    month_of_year = month.astype(np.int64) % 12 + 1
    weekday = (start.isoweekday() + np.arange(n_days)) % 7
    by_date = np.isin(day_of_month, [*schedule.days])
    by_weekday = np.isin(weekday, [*schedule.weekdays])
    matches = by_date | by_weekday if schedule.either_day else by_date & by_weekday
    return matches & np.isin(month_of_year, [*schedule.months])
