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
    first = np.datetime64(start.date(), "D").astype(np.int64)
    days = np.flatnonzero(schedule.on_days(first + np.arange(n_days)))
    in_day = np.array(schedule.minutes_of_day)
    minutes = np.add.outer(days * 1440, in_day).ravel()
    times: Floats = minutes * 60.0 - into_day
    return times[(times >= 0) & (times < horizon_s)]
