r"""Arrival processes: how requests are spread around the rate of their stream.

Poisson, gamma and Weibull arrivals are renewal processes of unit rate in *operational
time*, the integral of the rate. Mapped back through its inverse they keep every profile, trend and
spike. A renewal process starts in equilibrium: time 0 is a moment like any other, not
just after an arrival, so that the mean rate holds from the first second on.

What modulates a rate lives in real time (``modulation.py``), as do sessions and what
requests set off (``clusters.py``).

Gaps are drawn one after the other until the horizon is passed. So a run with a longer
horizon begins with the same requests. Arrivals are read piece by piece, in memory that
does not grow with the horizon, and are the same however they are cut.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Protocol

import numpy as np

from costsim.traffic.draws import Draws

if TYPE_CHECKING:
    from costsim.records import Floats, Ints
    from costsim.traffic.draws import Fill
    from costsim.traffic.rates import Rate

_BLOCK = 8192
"""Gaps drawn at once, at most: few enough to stay in the cache."""


class Reader(Protocol):
    """Arrivals that are read one piece after the other."""

    def read(self, out: Floats) -> int:
        """Fill an array with the next arrivals and return how many there were.

        Parameters
        ----------
        out : ndarray of float64
            Where they go, ascending from one call to the next. Only at the end they are
            fewer than fit. [s]
        """


class Made:
    """Arrivals that are in memory as a whole."""

    def __init__(self, arrival_s: Floats) -> None:
        self._rest = arrival_s

    def read(self, out: Floats) -> int:
        """Fill an array with the next arrivals and return how many there were."""
        part, self._rest = np.split(self._rest, [len(out)])
        out[: len(part)] = part
        return len(part)


class _Renewals:
    """A renewal process in operational time, mapped to time.

    Parameters
    ----------
    fill : callable
        Draws gaps of mean 1.
    first : float
        The first gap; what is drawn in its place is not used.
    rate : Rate
        Its rate.
    """

    def __init__(self, fill: Fill, first: float, rate: Rate) -> None:
        from costsim.traffic import loops  # numba, as in draws.py

        self._place = loops.place
        self._fill = fill
        self._first: float | None = first
        self._rates = iter(rate)
        self._rate = next(self._rates, None)
        self._horizon_s = rate.horizon_s
        self._now, self._latest_s, self._cell = 0.0, 0.0, 0

    def read(self, out: Floats) -> int:
        """Fill an array with the next arrivals and return how many there were."""
        n = 0
        while n < len(out) and self._rate is not None:
            block = out[n : n + _BLOCK]
            self._fill(block)
            if self._first is not None:
                block[0], self._first = self._first, None
            n += self._placed(block)
        return n

    def _placed(self, block: Floats) -> int:
        """Turn gaps into arrivals, and return how many are before the horizon."""
        n = 0
        while self._rate is not None and n < len(block):
            n, self._now, self._latest_s, self._cell = self._place(
                block,
                n,
                self._now,
                self._latest_s,
                self._cell,
                self._rate.expected,
                self._rate.edges_s,
            )
            if n < len(block):
                self._rate, self._cell = next(self._rates, None), 0
        if self._latest_s >= self._horizon_s:  # rounded up to it
            self._rate = None
            n = int(np.searchsorted(block[:n], self._horizon_s))
        return n


def poisson(rate: Rate, rng: np.random.Generator) -> Reader:
    """Return the arrivals of a Poisson process.

    Parameters
    ----------
    rate : Rate
        Its rate.
    rng : numpy.random.Generator
        Where the randomness comes from.

    Returns
    -------
    Reader
        Arrivals, in [0, horizon_s). [s]
    """
    # The equilibrium gap of a process without memory is a gap like the others.
    first = rng.standard_exponential()
    return _Renewals(Draws(rng).exponentials, first, rate)


def gamma(rate: Rate, shape: float, rng: np.random.Generator) -> Reader:
    r"""Return renewal arrivals with gamma gaps in operational time.

    The first gap has the equilibrium density :math:`(1 - F(x)) / E[X]`: a uniform share
    of a gap that is met with a probability proportional to its length, which is gamma
    of shape k + 1.

    Parameters
    ----------
    rate : Rate
        Its rate.
    shape : float
        Shape k of the gaps: their squared coefficient of variation is 1 / k. [1]
    rng : numpy.random.Generator
        Where the randomness comes from.

    References
    ----------
    Cox, D. R. (1962). Renewal Theory. Methuen, section 5.
    """
    first = rng.random() * rng.standard_gamma(shape + 1.0) / shape
    draws = Draws(rng)

    def fill(gaps: Floats) -> None:
        draws.gammas(shape, gaps)
        np.divide(gaps, shape, out=gaps)

    return _Renewals(fill, first, rate)


def weibull(rate: Rate, shape: float, rng: np.random.Generator) -> Reader:
    r"""Return renewal arrivals with Weibull gaps in operational time.

    The first gap is a uniform share of one that is met with a probability proportional to
    its length: its k-th power is gamma of shape 1 + 1 / k.

    Parameters
    ----------
    rate : Rate
        Its rate.
    shape : float
        Shape k of the gaps. [1]
    rng : numpy.random.Generator
        Where the randomness comes from.
    """
    # On a logarithmic scale, since the gamma function of a small shape is huge.
    scale = math.exp(-math.lgamma(1.0 + 1.0 / shape))
    met = scale * rng.standard_gamma(1.0 + 1.0 / shape) ** (1.0 / shape)
    first = rng.random() * met
    return _Renewals(partial(Draws(rng).weibulls, shape, scale), first, rate)


def batches(
    times_s: Floats,
    sizes: Ints,
    jitter_s: float,
    rng: np.random.Generator,
) -> Floats:
    """Return batches of requests, each request late by a uniform time up to the jitter.

    Parameters
    ----------
    times_s : ndarray of float64, ascending
        When the batches are due. [s]
    sizes : ndarray of int64, shape of times_s
        Requests in each batch.
    jitter_s : float
        Largest delay. [s]
    rng : numpy.random.Generator
        Where the delays come from.

    Returns
    -------
    ndarray of float64, ascending
        Arrivals. [s]
    """
    arrival_s = np.repeat(times_s, sizes)
    if jitter_s > 0:
        arrival_s += jitter_s * rng.random(len(arrival_s))
        arrival_s.sort(kind="stable")
    return arrival_s


def periods(every_s: float, horizon_s: float) -> Floats:
    """Return the multiples of a period in (0, horizon_s). [s]"""
    times: Floats = every_s * np.arange(1.0, int(horizon_s / every_s) + 1)
    return times[times < horizon_s]
