"""How bursty requests are: dispersion, idle windows, gaps, daily course, spikes.

Requests are counted as they come. Memory grows with the span, by a few numbers a minute,
and not with the number of requests.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from costsim.traffic.clock import seconds_into_week
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
_FEWEST_WINDOWS = 10
"""Fewer windows than this tell nothing of how counts vary."""
_MOST_MINUTES = 5_000_000
"""Minutes that are counted one by one, at most: nine years. Wider bins beyond."""
_POINTS = 360
"""Bins of the rate over time, about."""
_ROUND_S = (
    *(1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800),
    *(21_600, 43_200, 86_400, 172_800, 604_800),
)
"""Widths of bins that people read well. [s]"""


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
    meter = BurstinessMeter(span_s)
    for block in blocks:
        meter.add(cast("Floats", block))
    return meter.result(start=start, bin_s=bin_s)


class BurstinessMeter:
    """Counts requests as they come, and tells how bursty they are.

    Parameters
    ----------
    span_s : float
        Time that the requests cover. [s]
    least_s : float
        Figures of windows narrower than this, and of gaps, are not wanted: of a log that
        has bins they would tell how its requests were scattered. [s]
    """

    def __init__(self, span_s: float, least_s: float = 0.0) -> None:
        self._span_s = span_s
        self._least_s = least_s
        self._windows = [
            _Windows(width_s, span_s) for width_s in _WINDOWS_S if width_s >= least_s
        ]
        self._minutes = Counts(minute_width(span_s), span_s)
        self._course = Counts(round_width(span_s / _POINTS), span_s)
        self._gaps = GapStatistics()
        self._hourly = HourlyGaps(span_s)
        self._n = 0

    def add(self, block: Floats) -> None:
        """Count requests that arrive after all others so far. [s]"""
        if not block.size:
            return
        self._n += block.size
        for windows in self._windows:
            windows.add(block)
        self._minutes.add(block)
        self._course.add(block)
        if not self._least_s:
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

    def result(
        self, *, start: datetime | None = None, bin_s: float = 0.0
    ) -> Burstiness:
        """Return what all of them are like; parameters as of ``burstiness``."""
        if self._minutes.added_to:
            self._take_from_minutes()
        known = {w.width_s: w for w in self._windows if w.width_s >= bin_s}
        some = self._span_s > 0
        return Burstiness(
            n_requests=self._n,
            span_s=self._span_s,
            mean_rate_per_s=self._n / self._span_s if some else None,
            peak_to_mean={w: _figure(known, w, "peak_to_mean") for w in PEAK_WINDOWS_S},
            dispersion={
                w: _figure(known, w, "dispersion") for w in DISPERSION_WINDOWS_S
            },
            idle={w: _figure(known, w, "idle") for w in IDLE_WINDOWS_S},
            autocorrelation={
                (width_s, lag_s): self._correlation(width_s, lag_s)
                if width_s >= bin_s
                else None
                for width_s, lag_s in CORRELATIONS_S
            },
            gap_cv=None if bin_s else self._gaps.cv,
            local_gap_cv=None if bin_s else self._hourly.local_cv,
            gaps=None if bin_s else self._gaps.summary(),
            course=self._course_rates(bin_s) if some else None,
            hour_of_week=None if start is None else self._heat_map(start),
            surges=find_surges(self._minutes.counts, self._minutes.width_s, bin_s),
        )

    def _take_from_minutes(self) -> None:
        """Fill what was not counted, since requests were not added one by one."""
        for windows in self._windows:
            windows.take(self._minutes.merged(windows.width_s))
        counts = self._minutes.merged(self._course.width_s)
        if counts is not None:
            self._course.counts = counts[: self._course.counts.size]

    def _correlation(self, width_s: float, lag_s: float) -> float | None:
        counts = self._minutes.merged(width_s)
        return None if counts is None else autocorrelation(counts, lag_s / width_s)

    def _course_rates(self, bin_s: float) -> RateCourse | None:
        width_s = self._course.width_s
        if width_s < bin_s:
            width_s = round_width(bin_s)
            counts = self._minutes.merged(width_s)
            return None if counts is None else RateCourse(width_s, counts / width_s)
        return RateCourse(width_s, self._course.counts / width_s)

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


class Counts:
    """Requests counted in bins of equal width, all that lie whole in the span.

    Parameters
    ----------
    width_s : float
        Width of a bin. [s]
    span_s : float
        Span from 0 on. [s]
    """

    def __init__(self, width_s: float, span_s: float) -> None:
        self.width_s = width_s
        self.counts: Ints = np.zeros(whole_windows(span_s, width_s), dtype=np.int64)
        self.added_to = False
        """Whether numbers were added, and not arrivals."""

    def add(self, block: Floats) -> None:
        """Count arrivals. [s]"""
        if not (block.size and self.counts.size):
            return
        first, last = int(block[0] // self.width_s), int(block[-1] // self.width_s)
        last = min(last, self.counts.size - 1)
        if first <= last:
            edges = np.arange(first, last + 2) * self.width_s
            self.counts[first : last + 1] += np.diff(np.searchsorted(block, edges))

    def add_to(self, bins: Ints, numbers: Ints) -> None:
        """Add numbers of requests to bins, those beyond the span left out."""
        self.added_to = True
        within = (bins >= 0) & (bins < self.counts.size)
        np.add.at(self.counts, bins[within], numbers[within])

    def merged(self, width_s: float) -> Ints | None:
        """Return the counts in bins of a multiple of the width; None if it is none."""
        times = round(width_s / self.width_s)
        if times < 1 or not math.isclose(times * self.width_s, width_s):
            return None
        n = self.counts.size // times
        return cast("Ints", self.counts[: n * times].reshape(n, times).sum(axis=1))


class _Windows:
    """Sums over the counts of windows of one width, without the counts."""

    def __init__(self, width_s: float, span_s: float) -> None:
        self.width_s = width_s
        self._n = whole_windows(span_s, width_s)
        self._window, self._count = -1, 0
        self._busy, self._most, self._sum, self._squares = 0, 0, 0, 0.0

    def add(self, block: Floats) -> None:
        windows, counts = _counted(block, self.width_s)
        if windows[0] == self._window:
            counts[0] += self._count
        else:
            self._settle(np.array([self._window]), np.array([self._count]))
        self._settle(windows[:-1], counts[:-1])
        self._window, self._count = int(windows[-1]), int(counts[-1])

    def take(self, counts: Ints | None) -> None:
        """Take the counts of all windows, if they are known."""
        if counts is not None:
            busy = np.flatnonzero(counts)
            self._settle(busy, counts[busy])

    def _settle(self, windows: Ints, counts: Ints) -> None:
        counts = counts[(windows >= 0) & (windows < self._n)]
        if counts.size:
            self._busy += counts.size
            self._most = max(self._most, int(counts.max()))
            self._sum += int(counts.sum())
            self._squares += float(np.square(counts, dtype=np.float64).sum())

    def _close(self) -> None:
        self._settle(np.array([self._window]), np.array([self._count]))
        self._window, self._count = -1, 0

    @property
    def peak_to_mean(self) -> float | None:
        self._close()
        if self._n < _FEWEST_WINDOWS or not self._sum:
            return None
        return self._most * self._n / self._sum

    @property
    def dispersion(self) -> float | None:
        self._close()
        if self._n < _FEWEST_WINDOWS or not self._sum:
            return None
        mean = self._sum / self._n
        return (self._squares - self._n * mean * mean) / (self._n - 1) / mean

    @property
    def idle(self) -> float | None:
        self._close()
        return None if self._n < _FEWEST_WINDOWS else 1.0 - self._busy / self._n


def _counted(block: Floats, width_s: float) -> tuple[Ints, Ints]:
    """Return the windows in which some arrivals are, and how many are in each."""
    first, last = int(block[0] // width_s), int(block[-1] // width_s)
    if last - first > block.size // 8:
        window = (block / width_s).astype(np.int64)
        begins = np.flatnonzero(np.diff(window, prepend=-1))
        return window[begins], np.diff(begins, append=block.size)
    # In few windows their edges are found faster than the window of each request.
    inner = np.arange(first + 1, last + 1) * width_s
    edges = np.concatenate([[0], np.searchsorted(block, inner), [block.size]])
    counts = np.diff(edges)
    some = counts > 0
    return np.arange(first, last + 1)[some], counts[some]


def autocorrelation(counts: Ints | Floats, lag: float) -> float | None:
    """Return the autocorrelation of counts at a lag in windows.

    None with fewer than two lags' windows, or if all counts are equal.
    """
    step = round(lag)
    if counts.size < max(2 * step, _FEWEST_WINDOWS):
        return None
    centered = counts - counts.mean()
    variance = float(np.mean(centered * centered))
    if variance <= 0:
        return None
    return float(np.mean(centered[:-step] * centered[step:]) / variance)


def whole_windows(span_s: float, width_s: float) -> int:
    """Return how many windows lie whole in a span, rounding errors forgiven."""
    return int(span_s / width_s + 1e-9)


def minute_width(span_s: float) -> float:
    """Return 60 s, or more where a span has too many minutes to count each. [s]"""
    return 60.0 * max(1, math.ceil(span_s / 60.0 / _MOST_MINUTES))


def round_width(width_s: float) -> float:
    """Return the next larger width that people read well. [s]"""
    weeks = math.ceil(width_s / _ROUND_S[-1]) * _ROUND_S[-1]
    return float(next((one for one in _ROUND_S if one >= width_s), weeks))


def _figure(known: dict[float, _Windows], width_s: float, name: str) -> float | None:
    window = known.get(width_s)
    return None if window is None else cast("float | None", getattr(window, name))
