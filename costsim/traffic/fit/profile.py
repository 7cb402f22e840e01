"""The course of a week, and growth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from costsim.traffic.clock import seconds_into_week
from costsim.units import SECONDS_PER_DAY, SECONDS_PER_HOUR, SECONDS_PER_MONTH

if TYPE_CHECKING:
    from datetime import datetime

    import numpy.typing as npt

    from costsim.records import Floats, Ints

_SHRINKAGE = 20.0
"""Requests, as many as make sense of a weight, that are taken to be as expected."""
_LEAST_DAYS_OF_HOURS = 2.0
_LEAST_DAYS_OF_WEEKEND = 7.0
_LEAST_DAYS_OF_WEEK = 14.0
_LEAST_DAYS_OF_GROWTH = 14.0
_SIGNIFICANT = 3.0
_ROUNDS = 20


@dataclass(frozen=True)
class Profile:
    """How the expected rate changes with the hour, the weekday and the months."""

    hour_of_day: tuple[float, ...] | None = None
    """24 weights of mean 1, midnight first; None: the same all day."""
    day_of_week: tuple[float, ...] | None = None
    """7 weights of mean 1, Monday first; None: every day the same."""
    growth_per_month: float = 0.0
    """Relative growth in a month of 730 h, compounding. [1]"""
    stages: tuple[float, ...] | None = None
    """Instead: weights of mean 1 at equal distances over the log, with ramps between."""
    span_s: float = 0.0
    """Time that the stages cover. [s]"""

    def weights(self, time_s: Floats, start: datetime | None) -> Floats:
        """Return the weight at times after the start, growth included. [1]"""
        weight = np.ones_like(time_s)
        if self.stages is not None:
            knots_s = np.linspace(0.0, self.span_s, len(self.stages))
            return np.asarray(
                np.interp(time_s, knots_s, np.asarray(self.stages)), dtype=np.float64
            )
        if start is not None:
            since_monday_s = time_s + seconds_into_week(start)
            if self.hour_of_day is not None:
                hour = (since_monday_s // SECONDS_PER_HOUR).astype(np.int64) % 24
                weight *= np.asarray(self.hour_of_day)[hour]
            if self.day_of_week is not None:
                day = (since_monday_s // SECONDS_PER_DAY).astype(np.int64) % 7
                weight *= np.asarray(self.day_of_week)[day]
        if self.growth_per_month:
            weight *= (1.0 + self.growth_per_month) ** (time_s / SECONDS_PER_MONTH)
        return weight


def fit_profile(
    counts: Ints,
    width_s: float,
    start: datetime | None,
    *,
    used: npt.NDArray[np.bool_] | None = None,
    bin_s: float = 0.0,
) -> Profile:
    """Return the hours of the day, the days of the week and the growth of a log.

    Weights are (count + a) / (expected + a), alternately of hours and of days. a is 20
    requests, or more where counts vary more than those of independent requests do.

    Parameters
    ----------
    counts : ndarray of int64
        Requests in bins from 0 on.
    width_s : float
        Width of the bins. [s]
    start : datetime or None
        The moment 0, for the clock; None: no weights.
    used : ndarray of bool, optional
        Bins that count; those of spikes do not.
    bin_s : float
        Width of the bins of the log; of an hour or more they tell no hours. [s]
    """
    days = counts.size * width_s / SECONDS_PER_DAY
    used = np.ones(counts.size, dtype=np.bool_) if used is None else used
    time_s: Floats = (np.arange(counts.size, dtype=np.float64) + 0.5) * width_s
    if not counts[used].sum():
        return Profile()
    growth = 0.0
    if days >= _LEAST_DAYS_OF_GROWTH:
        growth = _growth(counts, width_s, used)
    profile = Profile(growth_per_month=growth)
    if start is None or days < _LEAST_DAYS_OF_HOURS or width_s > SECONDS_PER_HOUR:
        return profile
    level = profile.weights(time_s, start)
    hourly = bin_s <= SECONDS_PER_HOUR
    return _weekly(counts, level, time_s, start, used, growth, days, hourly)


def _weekly(
    counts: Ints,
    level: Floats,
    time_s: Floats,
    start: datetime,
    used: npt.NDArray[np.bool_],
    growth: float,
    days: float,
    hourly: bool,
) -> Profile:
    since_monday_s = time_s[used] + seconds_into_week(start)
    cell = (since_monday_s // SECONDS_PER_HOUR).astype(np.int64) % 168
    requests = np.bincount(cell, counts[used], 168).reshape(7, 24).astype(np.float64)
    exposure = np.bincount(cell, level[used], 168).reshape(7, 24).astype(np.float64)
    exposure *= requests.sum() / exposure.sum()
    a = _SHRINKAGE
    for _ in range(2):
        hours, dates = _alternately(requests, exposure, a, days, hourly=hourly)
        # What varies more than independent requests do tells less of the weights.
        expected = level[used] * np.outer(dates, hours).ravel()[cell]
        a = _SHRINKAGE * _spread(counts[used], expected, since_monday_s)
    return Profile(
        tuple(hours.tolist()) if hourly else None,
        tuple(dates.tolist()) if days >= _LEAST_DAYS_OF_WEEKEND else None,
        growth,
    )


def _alternately(
    requests: Floats, exposure: Floats, a: float, days: float, *, hourly: bool
) -> tuple[Floats, Floats]:
    """Return weights of hours and of days, each given the others."""
    hours, dates = np.ones(24), np.ones(7)
    for _ in range(_ROUNDS):
        if hourly:
            hours = _shrunk(requests.sum(0), (exposure * dates[:, None]).sum(0), a)
        if days >= _LEAST_DAYS_OF_WEEK:
            dates = _shrunk(requests.sum(1), (exposure * hours).sum(1), a)
        elif days >= _LEAST_DAYS_OF_WEEKEND:
            dates = _weekend(requests.sum(1), (exposure * hours).sum(1), a)
    return hours, dates


def _shrunk(requests: Floats, expected: Floats, a: float) -> Floats:
    weights = (requests + a) / (expected + a)
    return np.asarray(weights / weights.mean(), dtype=np.float64)


def _weekend(requests: Floats, expected: Floats, a: float) -> Floats:
    """Return one weight for Monday to Friday, another for the others."""
    parts = np.repeat(np.add.reduceat(requests, [0, 5]), [5, 2])
    wholes = np.repeat(np.add.reduceat(expected, [0, 5]), [5, 2])
    return _shrunk(parts, wholes, a)


def _spread(counts: Ints, expected: Floats, since_monday_s: Floats) -> float:
    """Return variance over mean of the requests of an hour, given what is expected.

    So many requests tell as much as one independent one does.
    """
    hour = (since_monday_s // SECONDS_PER_HOUR).astype(np.int64)
    hour -= hour[0]
    hourly = np.bincount(hour, counts)
    mean = np.bincount(hour, expected * (counts.sum() / expected.sum()))
    known = mean > 0
    squares = np.square(hourly[known] - mean[known]) / mean[known]
    return max(1.0, float(squares.mean()))


def _growth(counts: Ints, width_s: float, used: npt.NDArray[np.bool_]) -> float:
    """Return the growth per month, 0 if it is not significant.

    By least squares on the logarithms of whole weeks' or days' counts, and only if it is
    three standard errors from 0.
    """
    per_day = max(1, round(SECONDS_PER_DAY / width_s))
    n = counts.size // per_day
    daily = (counts * used)[: n * per_day].reshape(n, per_day).sum(1).astype(np.float64)
    share = used[: n * per_day].reshape(n, per_day).mean(1)
    week = 7 if n >= 28 else 1
    n = n // week
    weekly = daily[: n * week].reshape(n, week).sum(1)
    share = share[: n * week].reshape(n, week).mean(1)
    if n < 4 or (weekly <= 0).any() or (share < 0.5).any():
        return 0.0
    y = np.log(weekly / share)
    x = (np.arange(n) + 0.5) * week * SECONDS_PER_DAY / SECONDS_PER_MONTH
    x = x - x.mean()
    slope = float((x * y).sum() / (x * x).sum())
    residual = y - y.mean() - slope * x
    error = math.sqrt(float((residual**2).sum()) / (n - 2) / float((x * x).sum()))
    if abs(slope) <= _SIGNIFICANT * error or n < 8:
        return 0.0
    return min(1000.0, max(-0.99, math.expm1(slope)))
