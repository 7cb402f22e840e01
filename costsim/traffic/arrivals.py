r"""Arrival processes: how requests are spread around the rate of their stream.

Poisson and gamma arrivals are renewal processes of unit rate in *operational time*, the
integral of the rate. Mapped back through its inverse they keep every profile, trend and
spike. A renewal process starts in equilibrium: time 0 is a moment like any other, not
just after an arrival, so that the mean rate holds from the first second on.

A modulated process lives in real time, since its sojourns are real seconds: its states
multiply the rate, which is divided by their mean factor.

Gaps are drawn one after the other until the horizon is passed. So a run with a longer
horizon begins with the same requests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from costsim.records import Floats
    from costsim.scenario.traffic import MmppState
    from costsim.traffic.rates import RateFunction

_BLOCK = 8192
"""Gaps drawn at once, at most: few enough to stay in the cache."""
_VISITS = 256
"""Visits to states drawn at once."""

Fill = Callable[["Floats"], object]
"""Fill an array with independent gaps of mean 1."""


def poisson(rate: RateFunction, rng: np.random.Generator) -> Floats:
    """Return the arrivals of a Poisson process.

    Parameters
    ----------
    rate : RateFunction
        Its rate.
    rng : numpy.random.Generator
        Where the randomness comes from.

    Returns
    -------
    ndarray of float64, ascending
        Arrivals, in [0, horizon_s]. [s]
    """

    def fill(gaps: Floats) -> None:
        rng.standard_exponential(out=gaps)

    # The equilibrium gap of a process without memory is a gap like the others.
    return rate.times_of(_renewals(fill, rng.standard_exponential(), rate.total, 1.0))


def gamma(rate: RateFunction, shape: float, rng: np.random.Generator) -> Floats:
    r"""Return renewal arrivals with gamma gaps in operational time.

    The first gap has the equilibrium density :math:`(1 - F(x)) / E[X]`: a uniform share
    of a gap that is met with a probability proportional to its length, which is gamma
    of shape k + 1.

    Parameters
    ----------
    rate : RateFunction
        Its rate.
    shape : float
        Shape k of the gaps: their squared coefficient of variation is 1 / k. [1]
    rng : numpy.random.Generator
        Where the randomness comes from.

    References
    ----------
    Cox, D. R. (1962). Renewal Theory. Methuen, section 5.
    """

    def fill(gaps: Floats) -> None:
        rng.standard_gamma(shape, out=gaps)
        np.divide(gaps, shape, out=gaps)

    first = rng.random() * rng.standard_gamma(shape + 1.0) / shape
    return rate.times_of(_renewals(fill, first, rate.total, 1.0 / shape))


def mmpp(
    rate: RateFunction,
    states: Sequence[MmppState],
    rng: np.random.Generator,
    state_rng: np.random.Generator,
) -> Floats:
    r"""Return the arrivals of a Markov-modulated Poisson process.

    The chain starts in its stationary distribution :math:`\pi`. Every state is entered
    equally often, since each other state is equally likely to follow, so that
    :math:`\pi_i` is proportional to the mean sojourn. In state i the rate is multiplied
    by :math:`r_i / \sum_j \pi_j r_j`.

    Parameters
    ----------
    rate : RateFunction
        Its mean rate.
    states : sequence of MmppState
        Relative rates and mean sojourns.
    rng, state_rng : numpy.random.Generator
        Where the arrivals and the states come from.
    """
    sojourn_s = np.array([state.mean_sojourn for state in states])
    relative = np.array([state.rate for state in states])
    factor = relative / np.average(relative, weights=sojourn_s)
    switch_s, visited = _visits(sojourn_s, rate.horizon_s, state_rng)
    return poisson(rate.modulated(switch_s, factor[visited]), rng)


def batches(
    times_s: Floats,
    batch_size: int,
    jitter_s: float,
    rng: np.random.Generator,
) -> Floats:
    """Return batches of requests, each request late by a uniform time up to the jitter.

    Parameters
    ----------
    times_s : ndarray of float64, ascending
        When the batches are due. [s]
    batch_size : int
        Requests in a batch.
    jitter_s : float
        Largest delay. [s]
    rng : numpy.random.Generator
        Where the delays come from.

    Returns
    -------
    ndarray of float64, ascending
        Arrivals. [s]
    """
    arrival_s = np.repeat(times_s, batch_size)
    if jitter_s > 0:
        arrival_s += jitter_s * rng.random(len(arrival_s))
        arrival_s.sort(kind="stable")
    return arrival_s


def periods(every_s: float, horizon_s: float) -> Floats:
    """Return the multiples of a period in (0, horizon_s). [s]"""
    times: Floats = every_s * np.arange(1.0, int(horizon_s / every_s) + 1)
    return times[times < horizon_s]


def _renewals(fill: Fill, first: float, end: float, scv: float) -> Floats:
    """Return the renewals in (0, end).

    Parameters
    ----------
    fill : callable
        Draws gaps of mean 1.
    first : float
        The first gap.
    end : float
        Where to stop.
    scv : float
        Squared coefficient of variation of the gaps: the number of renewals has a
        variance near scv x end.
    """
    times = np.empty(int(end + 5.0 * (end * scv) ** 0.5) + 64)
    n, last = 0, 0.0
    while last < end:
        if n == len(times):
            times = np.concatenate([times, np.empty(len(times) // 4 + 64)])
        block = times[n : n + _BLOCK]
        fill(block)
        block[0] = last + (block[0] if n else first)
        np.cumsum(block, out=block)
        last = float(block[-1])
        n += len(block)
    return times[: np.searchsorted(times[:n], end)]


def _visits(
    sojourn_s: Floats, horizon_s: float, rng: np.random.Generator
) -> tuple[Floats, np.ndarray]:
    """Return when the chain changes its state before the horizon, and all its states."""
    n_states = len(sojourn_s)
    state = int(rng.choice(n_states, p=sojourn_s / sojourn_s.sum()))
    switches, states, now = [], [np.array([state])], 0.0
    while now < horizon_s:
        # A step of 1 to n - 1 around the circle of states reaches each of the others.
        step = rng.integers(1, n_states, _VISITS)
        following = (state + np.cumsum(step)) % n_states
        visited = np.concatenate([[state], following[:-1]])
        block = rng.standard_exponential(_VISITS) * sojourn_s[visited]
        block[0] += now
        np.cumsum(block, out=block)
        switches.append(block)
        states.append(following)
        state, now = int(following[-1]), float(block[-1])
    switch_s = np.concatenate(switches)
    n = int(np.searchsorted(switch_s, horizon_s))
    return switch_s[:n], np.concatenate(states)[: n + 1]
