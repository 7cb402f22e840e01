r"""Arrival processes: how requests are spread around the rate of their stream.

Poisson and gamma arrivals are renewal processes of unit rate in *operational time*, the
integral of the rate. Mapped back through its inverse they keep every profile, trend and
spike. A renewal process starts in equilibrium: time 0 is a moment like any other, not
just after an arrival, so that the mean rate holds from the first second on.

A modulated process lives in real time, since its sojourns are real seconds: its states
multiply the rate, which is divided by their mean factor.

Gaps are drawn one after the other until the horizon is passed. So a run with a longer
horizon begins with the same requests. Arrivals are read piece by piece, in memory that
does not grow with the horizon, and are the same however they are cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from costsim.traffic.draws import Draws

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from costsim.records import Floats, Ints
    from costsim.scenario.traffic import MmppState
    from costsim.traffic.draws import Fill
    from costsim.traffic.rates import RateFunction

_BLOCK = 8192
"""Gaps drawn at once, at most: few enough to stay in the cache."""
_VISITS = 256
"""Visits to states drawn at once."""
_BLOCKS_OF_VISITS = 64
"""Draws of visits that make one piece of a modulated rate."""


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
    rates : iterable of RateFunction
        The rate, one stretch of time after the other.
    horizon_s : float
        End of the run. [s]
    """

    def __init__(
        self, fill: Fill, first: float, rates: Iterable[RateFunction], horizon_s: float
    ) -> None:
        from costsim.traffic import loops  # numba, as in draws.py

        self._place = loops.place
        self._fill = fill
        self._first: float | None = first
        self._rates = iter(rates)
        self._rate = next(self._rates, None)
        self._horizon_s = horizon_s
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


def poisson(rate: RateFunction, rng: np.random.Generator) -> Reader:
    """Return the arrivals of a Poisson process.

    Parameters
    ----------
    rate : RateFunction
        Its rate.
    rng : numpy.random.Generator
        Where the randomness comes from.

    Returns
    -------
    Reader
        Arrivals, in [0, horizon_s). [s]
    """
    return _poisson([rate], rate.horizon_s, rng)


def gamma(rate: RateFunction, shape: float, rng: np.random.Generator) -> Reader:
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
    first = rng.random() * rng.standard_gamma(shape + 1.0) / shape
    draws = Draws(rng)

    def fill(gaps: Floats) -> None:
        draws.gammas(shape, gaps)
        np.divide(gaps, shape, out=gaps)

    return _Renewals(fill, first, [rate], rate.horizon_s)


def mmpp(
    rate: RateFunction,
    states: Sequence[MmppState],
    rng: np.random.Generator,
    state_rng: np.random.Generator,
) -> Reader:
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
    steps = (
        (until_s, factor[visited])
        for until_s, visited in _visits(sojourn_s, rate.horizon_s, state_rng)
    )
    return _poisson(rate.modulated(steps), rate.horizon_s, rng)


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


def _poisson(
    rates: Iterable[RateFunction], horizon_s: float, rng: np.random.Generator
) -> Reader:
    # The equilibrium gap of a process without memory is a gap like the others.
    first = rng.standard_exponential()
    return _Renewals(Draws(rng).exponentials, first, rates, horizon_s)


def _visits(
    sojourn_s: Floats, horizon_s: float, rng: np.random.Generator
) -> Iterator[tuple[Floats, Ints]]:
    """Yield until when the chain stays in a state and which, many visits at a time.

    The last visit is cut at the horizon.
    """
    n_states = len(sojourn_s)
    state = int(rng.choice(n_states, p=sojourn_s / sojourn_s.sum()))
    now = 0.0
    while now < horizon_s:
        ends: list[Floats] = []
        states: list[Ints] = []
        while now < horizon_s and len(ends) < _BLOCKS_OF_VISITS:
            # A step of 1 to n - 1 around the circle reaches each of the others.
            step = rng.integers(1, n_states, _VISITS)
            following = (state + np.cumsum(step)) % n_states
            visited = np.concatenate([[state], following[:-1]])
            block = rng.standard_exponential(_VISITS) * sojourn_s[visited]
            block[0] += now
            np.cumsum(block, out=block)
            ends.append(block)
            states.append(visited)
            state, now = int(following[-1]), float(block[-1])
        until_s = np.concatenate(ends)
        n = int(np.searchsorted(until_s, horizon_s)) + 1
        yield np.minimum(until_s[:n], horizon_s), np.concatenate(states)[:n]
