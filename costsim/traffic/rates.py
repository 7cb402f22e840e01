r"""The rate of a stream over the horizon, and its integral.

The rate of a stream at time t is

.. math::
    \lambda(t) = r \, s(t) \, (1 + g)^{t / \mathrm{month}} \prod_i (1 + (m_i - 1) f_i(t))
                 + \sum_j p_j f_j(t)

with the mean rate r, the seasonal weight s (mean 1 over a week), the growth g, the
magnitudes m and peaks p of spikes, and their shapes f between 0 and 1. Stages take the
place of the first three: they are linear ramps.

Its integral, the *operational time* of the arrival processes, is piecewise linear: in
each cell of a grid the rate is its mean over the cell. A constant rate is one cell. A
seasonal or growing rate has a cell for each hour of the clock, so that hourly rates are
exact. A spike has cells of 1/64 of its rise, and in its fall cells in which the excess
falls by 1/16 of an octave (4 %), down to 2^-40; where there may be many of a spike, its
cells get wider below a quarter of the top and end at 2^-20. A ramp has 64 cells. The number of requests expected in a
cell is right to 1e-9; only where they fall within it is simplified.

Times are seconds from the start of the scenario.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from costsim.errors import InputError
from costsim.traffic.clock import seconds_into_week
from costsim.units import SECONDS_PER_HOUR, SECONDS_PER_MONTH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from costsim.records import Floats
    from costsim.scenario.rates import Seasonal, Stage
    from costsim.scenario.traffic import Stream
    from costsim.traffic.spikes import Excess

_CELLS_IN_RAMP = 64
_MAX_HOURS = 5_000_000
"""570 years by the hour; a longer grid would be a mistake in the horizon."""

# Gauss and Legendre's three points on [0, 1]: exact for polynomials of degree 5.
_NODES = (0.5 - 0.15**0.5, 0.5, 0.5 + 0.15**0.5)
_NODE_WEIGHTS = (5 / 18, 8 / 18, 5 / 18)


class Rate(Protocol):
    """A rate, one stretch of time after the other."""

    @property
    def horizon_s(self) -> float:
        """Where the last stretch ends. [s]"""

    def __iter__(self) -> Iterator[RateFunction]:
        """Yield the stretches in order; each goes on where the one before ends."""


@dataclass(frozen=True, eq=False)
class RateFunction:
    """A rate that is constant within each cell of a grid, and its integral."""

    edges_s: Floats
    """Ends of the cells, ascending, to the horizon; shape (n_cells + 1,). From 0, unless
    the rate is a later piece of one (``modulated``). [s]"""
    expected: Floats
    """Requests expected from 0 to each edge, non-decreasing. [requests]"""

    @property
    def horizon_s(self) -> float:
        """The end of the last cell. [s]"""
        return float(self.edges_s[-1])

    @property
    def total(self) -> float:
        """Requests expected before the horizon. [requests]"""
        return float(self.expected[-1])

    @property
    def rates_per_s(self) -> Floats:
        """Rate in each cell; shape (n_cells,). [requests/s]"""
        return np.diff(self.expected) / np.diff(self.edges_s)

    def __iter__(self) -> Iterator[RateFunction]:
        """Yield this rate, which is one stretch."""
        yield self

    def scaled(self, factor: float) -> RateFunction:
        """Return this rate times a factor. [1]"""
        return RateFunction(self.edges_s, self.expected * factor)

    def modulated(self, steps: Iterable[tuple[Floats, Floats]]) -> Modulated:
        """Return this rate times a step function.

        Parameters
        ----------
        steps : iterable of pairs
            Until when each of the next steps lasts, ascending, the last one to the
            horizon [s], and its factor [1].
        """
        return Modulated(self, steps)


@dataclass(frozen=True, eq=False)
class Modulated:
    """A rate times a step function that is made while it is read, once."""

    rate: RateFunction
    """The rate."""
    steps: Iterable[tuple[Floats, Floats]]
    """The step function, as of ``RateFunction.modulated``."""

    @property
    def horizon_s(self) -> float:
        """The end of the last stretch. [s]"""
        return self.rate.horizon_s

    def __iter__(self) -> Iterator[RateFunction]:
        """Yield one stretch for each of the parts in which the steps come."""
        rates_per_s, edges_s = self.rate.rates_per_s, self.rate.edges_s
        begin_s, before = 0.0, 0.0
        for until_s, factors in self.steps:
            within = slice(*np.searchsorted(edges_s, [begin_s, until_s[-1]]))
            edges = np.unique(np.concatenate([[begin_s], edges_s[within], until_s]))
            middles = 0.5 * (edges[:-1] + edges[1:])
            cell = np.searchsorted(edges_s, middles, side="right") - 1
            step = np.searchsorted(until_s, middles, side="right")
            # Clipped: the middle of two neighboring floats is one of them.
            factor = factors.take(step, mode="clip")
            piece = _integrated(
                edges, rates_per_s.take(cell, mode="clip") * factor, before
            )
            yield piece
            begin_s, before = piece.horizon_s, piece.total


def rate_function(
    stream: Stream, acting: Sequence[Excess], start: datetime | None, horizon_s: float
) -> RateFunction:
    """Return the rate of a stream with all that acts on it.

    Parameters
    ----------
    stream : Stream
        A stream that has a rate.
    acting : sequence of Excess
        The spikes that act on it.
    start : datetime or None
        Start of the scenario; None if nothing needs a calendar.
    horizon_s : float
        End of the run. [s]
    """
    edges = _edges(stream, acting, start, horizon_s)
    if stream.stages is not None:
        ramps = _ramps(stream.stages, stream.start_rate or 0.0)
        return _integrated(edges, _cell_means(edges, ramps, 0.0, acting))
    level = np.full(len(edges) - 1, stream.rate, dtype=np.float64)
    if stream.seasonal is not None and start is not None:
        middles = 0.5 * (edges[:-1] + edges[1:])
        hour = (seconds_into_week(start) + middles) // SECONDS_PER_HOUR
        level *= weekly_weights(stream.seasonal)[hour.astype(np.int64) % (7 * 24)]
    if stream.trend is None and not acting:
        return _integrated(edges, level)
    growth = 0.0 if stream.trend is None else stream.trend.growth_per_month
    with np.errstate(over="ignore", invalid="ignore"):  # refused by its total
        return _integrated(edges, _cell_means(edges, lambda _: level, growth, acting))


def weekly_weights(seasonal: Seasonal) -> Floats:
    """Return the weight of each hour of the week from Monday 00:00, with a mean of 1."""
    hours = np.asarray(seasonal.hour_of_day or (1.0,) * 24)
    days = np.asarray(seasonal.day_of_week or (1.0,) * 7)
    # Every day has every hour once, so the mean of the products is the product of means.
    return np.outer(days / days.mean(), hours / hours.mean()).ravel()


def _edges(
    stream: Stream,
    acting: Sequence[Excess],
    start: datetime | None,
    horizon_s: float,
) -> Floats:
    """Return the ends of the cells."""
    parts = [np.array([0.0, horizon_s])]
    if stream.stages is not None:
        parts.append(_stage_edges(stream.stages))
    if stream.seasonal is not None or stream.trend is not None:
        if horizon_s > _MAX_HOURS * SECONDS_PER_HOUR:
            message = f"a horizon of {horizon_s:g} s is too long for rates by the hour"
            raise InputError(message)
        into_hour = 0.0 if start is None else seconds_into_week(start) % 3600.0
        n_hours = int(horizon_s // SECONDS_PER_HOUR) + 2
        parts.append(np.arange(n_hours) * SECONDS_PER_HOUR - into_hour)
    parts += [excess.edges_s() for excess in acting]
    edges = np.unique(np.concatenate(parts))
    return edges[(edges >= 0) & (edges <= horizon_s)]


def _stage_edges(stages: Sequence[Stage]) -> Floats:
    ends = np.cumsum([0.0, *(stage.duration for stage in stages)])
    share = np.linspace(0.0, 1.0, _CELLS_IN_RAMP + 1)
    inside: Floats = ends[:-1, None] + np.diff(ends)[:, None] * share
    return np.concatenate([inside.ravel(), ends])


def _ramps(stages: Sequence[Stage], start_rate: float) -> Callable[[Floats], Floats]:
    """Return the rate of stages as a function of time; 0 after the last."""
    ends = np.cumsum([0.0, *(stage.duration for stage in stages)])
    targets = np.array([start_rate, *(stage.target for stage in stages)])
    return lambda t: np.interp(t, ends, targets, right=0.0)


def _cell_means(
    edges: Floats,
    level: Callable[[Floats], Floats],
    growth: float,
    acting: Sequence[Excess],
) -> Floats:
    """Return the mean rate in each cell."""
    spans = [
        slice(*np.searchsorted(edges[:-1], [one.begin_s, one.end_s()]))
        for one in acting
    ]
    mean = np.zeros(len(edges) - 1)
    for node, weight in zip(_NODES, _NODE_WEIGHTS, strict=True):
        t = edges[:-1] + node * np.diff(edges)
        rate = level(t) * (1.0 + growth) ** (t / SECONDS_PER_MONTH)
        on_top = np.zeros_like(mean)
        for excess, span in zip(acting, spans, strict=True):
            height = excess.height(t[span])
            if excess.magnitude is not None:
                rate[span] *= 1.0 + (excess.magnitude - 1.0) * height
            else:
                on_top[span] += excess.peak_per_s * height
        mean += weight * (rate + on_top)
    return mean


def _integrated(edges: Floats, rates: Floats, before: float = 0.0) -> RateFunction:
    """Return the rates of cells as a function, with what is expected before them."""
    expected = np.cumsum(np.concatenate([[before], rates * np.diff(edges)]))
    return RateFunction(edges, expected)
