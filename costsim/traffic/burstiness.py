"""How bursty requests are: dispersion, idle windows, gaps, daily course, spikes.

Requests are counted as they come. Memory grows with the span, by a few numbers a minute,
and not with the number of requests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from costsim.traffic.clock import seconds_into_week
from costsim.traffic.counting import (
    Counts,
    NarrowWindows,
    WindowFigures,
    autocorrelation,
    figures_of,
    minute_width,
    round_width,
)
from costsim.traffic.gaps import GapStatistics, HourlyGaps
from costsim.traffic.surges import Surge, find_surges
from costsim.units import SECONDS_PER_DAY, SECONDS_PER_HOUR

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from costsim.records import Floats, Ints
    from costsim.traffic.gaps import GapSummary

PEAK_WINDOWS_S = (1.0, 60.0, 3600.0)
"""Windows of the peak to mean. [s]"""
DISPERSION_WINDOWS_S = (1.0, 10.0, 60.0, 600.0, 3600.0)
"""Windows of the index of dispersion. [s]"""
IDLE_WINDOWS_S = (1.0, 60.0, 300.0, 3600.0)
"""Windows that may be idle. [s]"""
CORRELATIONS_S = (
    (60.0, 60.0),
    (60.0, 600.0),
    (3600.0, 3600.0),
    (3600.0, 86_400.0),
    (3600.0, 604_800.0),
)
"""Window and lag of each autocorrelation. [s]"""
_WINDOWS_S = (1.0, 10.0, 60.0, 300.0, 600.0, 3600.0)
_POINTS = 360
"""Bins of the rate over time, about."""


@dataclass(frozen=True, eq=False)
class RateCourse:
    """The mean rate in bins of equal width, from the first request on."""

    width_s: float
    """Width of a bin. [s]"""
    rate_per_s: Floats
    """Mean rate in each bin; shape (n_bins,). [requests/s]"""


@dataclass(frozen=True, eq=False)
class Burstiness:
    """What a log is like. A figure is None where the span is too short for it."""

    n_requests: int
    """How many requests there are."""
    span_s: float
    """Time that they cover. [s]"""
    mean_rate_per_s: float | None
    """Requests over span. [requests/s]"""
    peak_to_mean: dict[float, float | None]
    """Largest count over the mean count, by window [s]."""
    dispersion: dict[float, float | None]
    """Variance over mean of counts, by window [s]; 1 for a Poisson process."""
    idle: dict[float, float | None]
    """Share of windows without a request, by window [s]."""
    autocorrelation: dict[tuple[float, float], float | None]
    """Of counts, by window and lag [s]; of bins twice as wide or more where the bins of
    the log are wider than the window: then None."""
    gap_cv: float | None
    """Coefficient of variation of the gaps between requests; 1 for a Poisson process."""
    local_gap_cv: float | None
    """The same once each hour's gaps are measured by its own rate."""
    gaps: GapSummary | None
    """Quantiles and histogram of the gaps."""
    course: RateCourse | None
    """Rate over time."""
    hour_of_week: Floats | None
    """Mean rate by day (Monday first) and hour of the log's clock, shape (7, 24); NaN for
    hours that it does not cover; None without a calendar. [requests/s]"""
    surges: tuple[Surge, ...] | None
    """Where the rate exceeds six times its median over 24 h."""


def burstiness(
    arrivals: Floats | Iterable[Floats],
    span_s: float,
    *,
    start: datetime | None = None,
    bin_s: float = 0.0,
) -> Burstiness:
    """Return how bursty requests are.

    Parameters
    ----------
    arrivals : ndarray of float64, or iterable of them
        Arrivals, ascending, from 0. [s]
    span_s : float
        Time that they cover. [s]
    start : datetime, optional
        The moment 0, on the clock of the log.
    bin_s : float
        Width of the bins that the log has, if it has any: figures of narrower windows
        are about how requests were scattered, and left out. [s]
    """
    blocks = [arrivals] if isinstance(arrivals, np.ndarray) else arrivals
    meter = BurstinessMeter(span_s, bin_s)
    for block in blocks:
        meter.add(cast("Floats", block))
    return meter.result(start)


class BurstinessMeter:
    """Counts requests as they come, and tells how bursty they are.

    Parameters
    ----------
    span_s : float
        Time that the requests cover. [s]
    bin_s : float
        Width of the bins that the log has, if it has any: figures of narrower windows
        and of gaps would tell how its requests were scattered, and are left out. [s]
    """

    def __init__(self, span_s: float, bin_s: float = 0.0) -> None:
        self._span_s, self._bin_s = span_s, bin_s
        self._n = 0
        self._minutes = Counts(minute_width(span_s), span_s)
        # What cannot be put together from minutes.
        self._narrow = [
            NarrowWindows(width_s, span_s)
            for width_s in _WINDOWS_S
            if bin_s <= width_s < self._minutes.width_s
        ]
        course_s = round_width(max(span_s / _POINTS, bin_s))
        self._course = Counts(course_s, span_s)
        self._gaps = GapStatistics()
        self._hourly = HourlyGaps(span_s)

    def add(self, block: Floats) -> None:
        """Count requests that arrive after all others so far. [s]"""
        if not block.size:
            return
        self._n += block.size
        self._minutes.add(block)
        for windows in self._narrow:
            windows.add(block)
        if self._course.width_s < self._minutes.width_s:
            self._course.add(block)
        if not self._bin_s:
            self._gaps.add(block)
            self._hourly.add(block)

    def add_bins(
        self,
        begin_s: Floats,
        width_s: Floats,
        count: Ints,
        rng: np.random.Generator,
    ) -> None:
        """Count the requests of bins of a minute or more, scattered over their minutes.

        As if each had been added at a uniform moment of its bin, without making them.

        Parameters
        ----------
        begin_s, width_s : ndarray of float64
            Where bins begin and how wide they are. [s]
        count : ndarray of int64
            Requests of each.
        rng : numpy.random.Generator
            Where the randomness comes from.
        """
        self._n += int(count.sum())
        minute_s, left = self._minutes.width_s, count.copy()
        first = (begin_s // minute_s).astype(np.int64)
        end_s = begin_s + width_s
        for step in range(int(np.ceil((end_s / minute_s - first).max(initial=0.0)))):
            from_s = np.maximum(begin_s, (first + step) * minute_s)
            rest_s = end_s - from_s
            within_s = np.minimum((first + step + 1) * minute_s, end_s) - from_s
            share = np.zeros(len(rest_s))
            np.divide(within_s, rest_s, out=share, where=rest_s > 0)
            n = rng.binomial(left, share.clip(0.0, 1.0))
            self._minutes.add_to(first + step, n)
            left -= n

    def result(self, start: datetime | None = None) -> Burstiness:
        """Return what all of them are like; start is the moment 0, on the log's clock."""
        some, binned = self._span_s > 0, bool(self._bin_s)
        known = {windows.width_s: windows.figures() for windows in self._narrow}
        for width_s in _WINDOWS_S:
            counts = self._minutes.merged(width_s)
            if width_s >= self._bin_s and counts is not None:
                known[width_s] = figures_of(counts)
        figures = {w: known.get(w, WindowFigures()) for w in _WINDOWS_S}
        return Burstiness(
            n_requests=self._n,
            span_s=self._span_s,
            mean_rate_per_s=self._n / self._span_s if some else None,
            peak_to_mean={w: figures[w].peak_to_mean for w in PEAK_WINDOWS_S},
            dispersion={w: figures[w].dispersion for w in DISPERSION_WINDOWS_S},
            idle={w: figures[w].idle for w in IDLE_WINDOWS_S},
            autocorrelation={pair: self._correlation(*pair) for pair in CORRELATIONS_S},
            gap_cv=None if binned else self._gaps.cv,
            local_gap_cv=None if binned else self._hourly.local_cv,
            gaps=None if binned else self._gaps.summary(),
            course=self._course_rates() if some else None,
            hour_of_week=None if start is None else self._heat_map(start),
            surges=find_surges(
                self._minutes.counts, self._minutes.width_s, self._bin_s
            ),
        )

    def _correlation(self, width_s: float, lag_s: float) -> float | None:
        counts = self._minutes.merged(width_s)
        if counts is None or width_s < self._bin_s:
            return None
        return autocorrelation(counts, lag_s / width_s)

    def _course_rates(self) -> RateCourse | None:
        width_s, counts = self._course.width_s, self._course.counts
        if width_s >= self._minutes.width_s:
            merged = self._minutes.merged(width_s)
            if merged is None:
                return None
            counts = merged
        return RateCourse(width_s, counts / width_s)

    def _heat_map(self, start: datetime) -> Floats | None:
        width_s = self._minutes.width_s
        if self._span_s < SECONDS_PER_DAY or width_s > SECONDS_PER_HOUR:
            return None
        counts = self._minutes.counts
        middle_s = (np.arange(counts.size) + 0.5) * width_s + seconds_into_week(start)
        hour = (middle_s // SECONDS_PER_HOUR).astype(np.int64) % 168
        requests = np.bincount(hour, counts, 168)
        time_s = np.bincount(hour, minlength=168) * width_s
        with np.errstate(invalid="ignore"):
            rates: Floats = requests / np.where(time_s > 0, time_s, np.nan)
        return rates.reshape(7, 24)
