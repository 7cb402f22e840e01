r"""The rate of a stream over the horizon, and its integral.

The rate of a stream at time t is

.. math::
    \lambda(t) = r \, s(t) \, (1 + g)^{t / \mathrm{month}} \prod_i (1 + (m_i - 1) f_i(t))
                 + \sum_j p_j f_j(t)

with the mean rate r, the seasonal weight s (mean 1 over a week), the growth g, the
magnitudes m and peaks p of spikes, and their shapes f between 0 and 1.

Its integral, the *operational time* of the arrival processes, is piecewise linear: in
each cell of a grid the rate is its mean over the cell. A constant rate is one cell. A
seasonal or growing rate has a cell for each hour of the clock, so that hourly rates are
exact. A spike has cells of 1/64 of its rise, and in its fall cells in which the excess
falls by 1/16 of an octave (4 %), down to 2^-40. The number of requests expected in a
cell is right to 1e-9; only where they fall within it is simplified.

Times are seconds from the start of the scenario.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from costsim.errors import InputError
from costsim.scenario.traffic import EventSpike
from costsim.traffic.clock import seconds_after, seconds_into_week
from costsim.units import SECONDS_PER_HOUR, SECONDS_PER_MONTH

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from costsim.records import Floats
    from costsim.scenario.traffic import Seasonal, Spike, Stream

_CELLS_IN_RISE = 64
_CELLS_PER_OCTAVE = 16
_OCTAVES = 40
_MAX_HOURS = 5_000_000
"""570 years by the hour; a longer grid would be a mistake in the horizon."""

# Gauss and Legendre's three points on [0, 1]: exact for polynomials of degree 5.
_NODES = (0.5 - 0.15**0.5, 0.5, 0.5 + 0.15**0.5)
_NODE_WEIGHTS = (5 / 18, 8 / 18, 5 / 18)


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

    def modulated(
        self, steps: Iterable[tuple[Floats, Floats]]
    ) -> Iterator[RateFunction]:
        """Yield this rate times a step function, one stretch of time after the other.

        Parameters
        ----------
        steps : iterable of pairs
            Until when each of the next steps lasts, ascending, the last one to the
            horizon [s], and its factor [1].
        """
        rates_per_s = self.rates_per_s
        begin_s, before = 0.0, 0.0
        for until_s, factors in steps:
            within = slice(*np.searchsorted(self.edges_s, [begin_s, until_s[-1]]))
            edges = np.unique(
                np.concatenate([[begin_s], self.edges_s[within], until_s])
            )
            middles = 0.5 * (edges[:-1] + edges[1:])
            cell = np.searchsorted(self.edges_s, middles, side="right") - 1
            step = np.searchsorted(until_s, middles, side="right")
            # Clipped: the middle of two neighboring floats is one of them.
            factor = factors.take(step, mode="clip")
            piece = _integrated(
                edges, rates_per_s.take(cell, mode="clip") * factor, before
            )
            yield piece
            begin_s, before = piece.horizon_s, piece.total


def rate_function(
    stream: Stream, spikes: Sequence[Spike], start: datetime | None, horizon_s: float
) -> RateFunction:
    """Return the rate of a stream with all that acts on it.

    Parameters
    ----------
    stream : Stream
        A stream that has a rate.
    spikes : sequence of Spike
        The scenario's spikes; those for other streams are passed over.
    start : datetime or None
        Start of the scenario; None if nothing needs a calendar.
    horizon_s : float
        End of the run. [s]
    """
    acting = [
        (spike, begin_s(spike, start))
        for spike in spikes
        if spike.streams is None or stream.name in spike.streams
    ]
    edges = _edges(stream, acting, start, horizon_s)
    level = np.full(len(edges) - 1, stream.rate, dtype=np.float64)
    if stream.seasonal is not None and start is not None:
        middles = 0.5 * (edges[:-1] + edges[1:])
        hour = (seconds_into_week(start) + middles) // SECONDS_PER_HOUR
        level *= weekly_weights(stream.seasonal)[hour.astype(np.int64) % (7 * 24)]
    if stream.trend is None and not acting:
        return _integrated(edges, level)
    growth = 0.0 if stream.trend is None else stream.trend.growth_per_month
    with np.errstate(over="ignore", invalid="ignore"):  # refused by its total
        return _integrated(edges, _cell_means(edges, level, growth, acting))


def begin_s(spike: Spike, start: datetime | None) -> float:
    """Return when a spike begins. [s]"""
    if not isinstance(spike.at, datetime):
        return spike.at
    if start is None:
        message = "a spike at a date needs the scenario's start"
        raise InputError(message)
    return seconds_after(start, spike.at)


def weekly_weights(seasonal: Seasonal) -> Floats:
    """Return the weight of each hour of the week from Monday 00:00, with a mean of 1."""
    hours = np.asarray(seasonal.hour_of_day or (1.0,) * 24)
    days = np.asarray(seasonal.day_of_week or (1.0,) * 7)
    # Every day has every hour once, so the mean of the products is the product of means.
    return np.outer(days / days.mean(), hours / hours.mean()).ravel()


def spike_shape(spike: Spike, since_s: Floats) -> Floats:
    """Return the height of a spike between 0 and 1, at times since it began. [1]"""
    top = np.where(since_s >= 0, 1.0, 0.0)
    if spike.rise > 0:
        top = np.clip(since_s / spike.rise, 0.0, 1.0)
    falling_s = np.maximum(since_s - _fall_begins_s(spike), 0.0)
    return top * _fall(spike, falling_s)


def _fall_begins_s(spike: Spike) -> float:
    return spike.rise + (spike.hold if isinstance(spike, EventSpike) else 0.0)


def _fall(spike: Spike, falling_s: Floats) -> Floats:
    if not isinstance(spike, EventSpike):
        return (1.0 + falling_s / spike.decay_time) ** -spike.decay_exponent
    if spike.fall_half_life == 0:
        return np.where(falling_s > 0, 0.0, 1.0)
    return np.exp2(-falling_s / spike.fall_half_life)


def _edges(
    stream: Stream,
    acting: Sequence[tuple[Spike, float]],
    start: datetime | None,
    horizon_s: float,
) -> Floats:
    """Return the ends of the cells."""
    parts = [np.array([0.0, horizon_s])]
    if stream.seasonal is not None or stream.trend is not None:
        if horizon_s > _MAX_HOURS * SECONDS_PER_HOUR:
            message = f"a horizon of {horizon_s:g} s is too long for rates by the hour"
            raise InputError(message)
        into_hour = 0.0 if start is None else seconds_into_week(start) % 3600.0
        n_hours = int(horizon_s // SECONDS_PER_HOUR) + 2
        parts.append(np.arange(n_hours) * SECONDS_PER_HOUR - into_hour)
    parts += [begin + _spike_edges(spike) for spike, begin in acting]
    edges = np.unique(np.concatenate(parts))
    return edges[(edges >= 0) & (edges <= horizon_s)]


def _spike_edges(spike: Spike) -> Floats:
    """Return the ends of cells in a spike, in seconds since it began."""
    rise = np.linspace(0.0, spike.rise, _CELLS_IN_RISE + 1)
    octaves = np.arange(_OCTAVES * _CELLS_PER_OCTAVE + 1) / _CELLS_PER_OCTAVE
    if isinstance(spike, EventSpike):
        fall = octaves * spike.fall_half_life
    else:
        fall = spike.decay_time * (np.exp2(octaves / spike.decay_exponent) - 1.0)
    return np.concatenate([rise, _fall_begins_s(spike) + fall])


def _cell_means(
    edges: Floats, level: Floats, growth: float, acting: Sequence[tuple[Spike, float]]
) -> Floats:
    """Return the mean rate in each cell, where the seasonal level is constant."""
    mean = np.zeros_like(level)
    for node, weight in zip(_NODES, _NODE_WEIGHTS, strict=True):
        t = edges[:-1] + node * np.diff(edges)
        rate = level * (1.0 + growth) ** (t / SECONDS_PER_MONTH)
        on_top = np.zeros_like(level)
        for spike, begin in acting:
            height = spike_shape(spike, t - begin)
            if spike.magnitude is not None:
                rate *= 1.0 + (spike.magnitude - 1.0) * height
            else:
                on_top += (spike.peak or 0.0) * height
        mean += weight * (rate + on_top)
    return mean


def _integrated(edges: Floats, rates: Floats, before: float = 0.0) -> RateFunction:
    """Return the rates of cells as a function, with what is expected before them."""
    expected = np.cumsum(np.concatenate([[before], rates * np.diff(edges)]))
    return RateFunction(edges, expected)
