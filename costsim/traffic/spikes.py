"""Spikes as they happen in one replication: when, how high, and their shapes.

A spike at random moments is a Poisson process of moments, and a random height is drawn
for each of them, both with random numbers of the spike's own. Moments begin a week before
the start, so that what is left of earlier spikes is there at 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from costsim.errors import InputError
from costsim.scenario.distributions import Constant
from costsim.scenario.spikes import EventSpike
from costsim.traffic.clock import seconds_after
from costsim.traffic.draws import Draws, Row
from costsim.traffic.laws import quantile, sampler
from costsim.units import SECONDS_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from costsim.records import Floats
    from costsim.scenario.spikes import Magnitude, Spike

WEEK_S = 7 * SECONDS_PER_DAY
_LEAD_S = WEEK_S
"""How long before the start moments begin."""
_OCTAVES, _OCTAVES_IF_MANY = 40, 20
"""The excess is followed until it has halved so often; of many spikes less far."""
_CELLS_IN_RISE = 64
_CELLS_PER_OCTAVE = 16
_MOMENTS = 64
"""Moments drawn at once; the same number whatever the horizon, as sums are rounded."""
_MOST_OVERLAPS = 1_000_000
"""Spikes of a row times how many of them last at once: seconds of work."""


@dataclass(frozen=True)
class Excess:
    """One spike at its moment."""

    spike: Spike
    """Its shape."""
    begin_s: float
    """When it begins. [s]"""
    magnitude: float | None = None
    """At its top the rate is this many times the usual. [1]"""
    peak_per_s: float = 0.0
    """If it has no magnitude: what comes on top at its top. [requests/s]"""
    one_of_many: bool = False
    """Whether there may be many of it, which have wider cells and an end."""

    def edges_s(self) -> Floats:
        """Return the ends of cells in which it hardly changes. [s]"""
        spike = self.spike
        rise = np.linspace(0.0, spike.rise, _CELLS_IN_RISE + 1)
        octaves = np.arange(_OCTAVES * _CELLS_PER_OCTAVE + 1) / _CELLS_PER_OCTAVE
        if self.one_of_many:
            # Finer where it is high: by 1/16 of an octave above a quarter of the top.
            n = _OCTAVES_IF_MANY * _CELLS_PER_OCTAVE
            octaves = np.concatenate(
                [
                    octaves[: 2 * _CELLS_PER_OCTAVE],
                    octaves[2 * _CELLS_PER_OCTAVE : n + 1 : 4],
                ]
            )
        if isinstance(spike, EventSpike):
            fall = octaves * spike.fall_half_life
        else:
            fall = spike.decay_time * (np.exp2(octaves / spike.decay_exponent) - 1.0)
        return self.begin_s + np.concatenate([rise, _fall_begins_s(spike) + fall])

    def end_s(self) -> float:
        """Return from when on it is not followed. [s]"""
        if not self.one_of_many:
            return math.inf
        return self.begin_s + _followed_s(self.spike)

    def height(self, t: Floats) -> Floats:
        """Return its height between 0 and 1 at moments. [1]"""
        return spike_shape(self.spike, t - self.begin_s)


def excesses(
    spikes: Sequence[Spike],
    stream: str,
    start: datetime | None,
    horizon_s: float,
    rng_of: Callable[[int], np.random.Generator],
) -> list[Excess]:
    """Return what the spikes of a scenario are in one replication.

    Parameters
    ----------
    spikes : sequence of Spike
        All of the scenario.
    stream : str
        Those for other streams are passed over.
    start : datetime or None
        Start of the scenario; None if nothing needs a calendar.
    horizon_s : float
        End of the run. [s]
    rng_of : callable
        Gives the random numbers of a spike by its position; the same for every stream.
    """
    found: list[Excess] = []
    for index, spike in enumerate(spikes):
        if acts_on(spike, stream):
            _refuse_many(spike, horizon_s)
            rng, height_rng = rng_of(index).spawn(2)
            moments = _moments_s(spike, start, horizon_s, rng)
            found += _at_height(spike, moments, height_rng)
    return found


def mean_excesses(
    spikes: Sequence[Spike], stream: str, start: datetime | None, horizon_s: float
) -> list[Excess]:
    """Return the spikes at known moments, each at its mean height."""
    found: list[Excess] = []
    for spike in spikes:
        if acts_on(spike, stream) and spike.per_week is None:
            _refuse_many(spike, horizon_s)
            magnitude, peak_per_s = _mean_height(spike)
            many = spike.every is not None
            found += [
                Excess(spike, moment, magnitude, peak_per_s, many)
                for moment in _known_moments_s(spike, start, horizon_s).tolist()
            ]
    return found


def mean_effect(spikes: Sequence[Spike], stream: str) -> tuple[float, float]:
    """Return by what random spikes multiply the rate on average, and what they add.

    For a Poisson process of moments with rate v the mean of the product of all factors
    1 + (m - 1) f is exp(v (E m - 1) F), with the integral F of the shape f.

    Returns
    -------
    factor : float
        Mean factor. [1]
    added_per_s : float
        Mean excess of peaks. [requests/s]
    """
    factor, added_per_s = 1.0, 0.0
    for spike in spikes:
        if spike.per_week is not None and acts_on(spike, stream):
            overlap = spike.per_week / WEEK_S * area_s(spike)
            magnitude, peak_per_s = _mean_height(spike)
            if magnitude is not None:
                factor *= math.exp(overlap * (magnitude - 1.0))
            added_per_s += overlap * peak_per_s
    return factor, added_per_s


def acts_on(spike: Spike, stream: str) -> bool:
    """Return whether a spike acts on a stream."""
    return spike.streams is None or stream in spike.streams


def begin_s(spike: Spike, start: datetime | None) -> float:
    """Return when a spike begins for the first time, random ones at the start. [s]"""
    if spike.at is None:
        return spike.every or 0.0
    if not isinstance(spike.at, datetime):
        return spike.at
    if start is None:
        message = "a spike at a date needs the scenario's start"
        raise InputError(message)
    return seconds_after(start, spike.at)


def spike_shape(spike: Spike, since_s: Floats) -> Floats:
    """Return the height of a spike between 0 and 1, at times since it began. [1]"""
    top = np.where(since_s >= 0, 1.0, 0.0)
    if spike.rise > 0:
        top = np.clip(since_s / spike.rise, 0.0, 1.0)
    falling_s = np.maximum(since_s - _fall_begins_s(spike), 0.0)
    return top * _fall(spike, falling_s)


def area_s(spike: Spike) -> float:
    """Return the integral of a spike's height from its beginning on. [s]"""
    if isinstance(spike, EventSpike):
        return 0.5 * spike.rise + spike.hold + spike.fall_half_life / math.log(2.0)
    return 0.5 * spike.rise + spike.decay_time / (spike.decay_exponent - 1.0)


def _fall_begins_s(spike: Spike) -> float:
    return spike.rise + (spike.hold if isinstance(spike, EventSpike) else 0.0)


def _fall(spike: Spike, falling_s: Floats) -> Floats:
    if not isinstance(spike, EventSpike):
        return (1.0 + falling_s / spike.decay_time) ** -spike.decay_exponent
    if spike.fall_half_life == 0:
        return np.where(falling_s > 0, 0.0, 1.0)
    return np.exp2(-falling_s / spike.fall_half_life)


def _followed_s(spike: Spike) -> float:
    """Return for how long one of many spikes is followed. [s]"""
    if isinstance(spike, EventSpike):
        fall_s = _OCTAVES_IF_MANY * spike.fall_half_life
    else:
        octaves = _OCTAVES_IF_MANY / spike.decay_exponent
        fall_s = spike.decay_time * (2.0**octaves - 1.0)
    return _fall_begins_s(spike) + fall_s


def _moments_s(
    spike: Spike, start: datetime | None, horizon_s: float, rng: np.random.Generator
) -> Floats:
    if spike.per_week is None:
        return _known_moments_s(spike, start, horizon_s)
    gaps, gap_s = Row(Draws(rng).exponentials), WEEK_S / spike.per_week
    parts, now = [], -_LEAD_S
    while now < horizon_s:
        more = now + np.cumsum(gap_s * gaps.take(_MOMENTS))
        parts.append(more)
        now = float(more[-1])
    moments: Floats = np.concatenate(parts)
    return moments[moments < horizon_s]


def _known_moments_s(spike: Spike, start: datetime | None, horizon_s: float) -> Floats:
    first = begin_s(spike, start)
    if spike.every is None:
        return np.array([first])
    # What began long before the start is over.
    skipped = max(0.0, math.ceil((-_LEAD_S - first) / spike.every))
    n = max(0.0, math.ceil((horizon_s - first) / spike.every) - skipped)
    moments: Floats = first + spike.every * (skipped + np.arange(n))
    return moments[moments < horizon_s]


def _refuse_many(spike: Spike, horizon_s: float) -> None:
    gap_s = spike.every or (WEEK_S / spike.per_week if spike.per_week else math.inf)
    n = (horizon_s + _LEAD_S) / gap_s
    n_at_once = 1.0 + _followed_s(spike) / gap_s
    if n * min(n, n_at_once) > _MOST_OVERLAPS:
        message = (
            f"about {n:.3g} spikes of a kind, {min(n, n_at_once):.3g} at once, are too "
            "many to follow: make them rarer or shorten the horizon"
        )
        raise InputError(message)


def _at_height(
    spike: Spike, moments_s: Floats, rng: np.random.Generator
) -> list[Excess]:
    """Return a spike at its moments, each with a height of its own."""
    many = spike.at is None or spike.every is not None
    magnitude, peak_per_s = _mean_height(spike)
    magnitudes = [magnitude] * len(moments_s)
    if spike.magnitude is not None and not isinstance(spike.magnitude, Constant):
        drawn = Row(sampler(spike.magnitude, rng)).take(len(moments_s))
        magnitudes = np.maximum(drawn, 1.0).tolist()
    return [
        Excess(spike, moment, height, peak_per_s, many)
        for moment, height in zip(moments_s.tolist(), magnitudes, strict=True)
    ]


def _mean_height(spike: Spike) -> tuple[float | None, float]:
    """Return the mean magnitude of a spike, or the excess at its top. [1], [requests/s]"""
    if spike.magnitude is not None:
        return _mean_magnitude(spike.magnitude), 0.0
    if spike.requests is not None:
        return None, spike.requests / area_s(spike)
    return None, spike.peak or 0.0


def _mean_magnitude(law: Magnitude) -> float:
    if isinstance(law, Constant):
        return law.value
    u = (np.arange(4096) + 0.5) / 4096
    return float(np.maximum(quantile(law, u), 1.0).mean())
