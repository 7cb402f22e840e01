r"""Requests that belong together: sessions of users, and requests that set off others.

Both live in real time: the first requests are Poisson in operational time, so that every
profile, trend and spike is kept, and the others follow within seconds. Both are
stationary from 0 on, at the rate that the stream has there: sessions and bursts that
began before are under way.

A session of mean n requests begins at the rate of the stream divided by n. In a Hawkes
process (exponential kernel, each request has a Poisson number of children with mean
:math:`\eta < 1`, after exponential times) immigrants come at the rate times
:math:`1 - \eta`.
"""

from __future__ import annotations

import math
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from costsim.traffic.arrivals import poisson
from costsim.traffic.draws import Draws, Row
from costsim.traffic.laws import mean_of, residuals, sampler
from costsim.traffic.rates import RateFunction
from costsim.traffic.sizes import mean_size, remaining, sizes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from costsim.records import Floats
    from costsim.scenario.processes import Hawkes, Sessions
    from costsim.traffic.arrivals import Reader
    from costsim.traffic.rates import Rate

_REQUESTS = 8192
"""Requests of sessions that are made at once, at least."""
_IMMIGRANTS = 2048
"""Immigrants, and exponential numbers, that are drawn at once."""
_LEAD_RELAXATIONS = 4.0
"""Relaxation times for which a Hawkes process is run before 0."""


def sessions(
    rate: Rate,
    process: Sessions,
    rng: np.random.Generator,
    session_rng: np.random.Generator,
) -> Reader:
    """Return the requests of users who come as a Poisson process.

    Parameters
    ----------
    rate : Rate
        Mean rate of requests.
    process : Sessions
        How many requests a session has, and the times between them.
    rng, session_rng : numpy.random.Generator
        Where the sessions come from, and what is in them.
    """
    return _Sessions(rate, process, rng, session_rng)


def hawkes(rate: Rate, process: Hawkes, rng: np.random.Generator) -> Reader:
    """Return the arrivals of a Hawkes process with an exponential kernel.

    Parameters
    ----------
    rate : Rate
        Mean rate of requests.
    process : Hawkes
        Children of a request, and how soon they come.
    rng : numpy.random.Generator
        Where the randomness comes from.

    References
    ----------
    Dassios, A. and Zhao, H. (2013). Exact simulation of Hawkes process with exponentially
    decaying intensity. Electronic Communications in Probability 18(62).
    """
    immigration = _Scaled(rate, 1.0 - process.branching)
    immigrant_rng, child_rng, lead_rng = rng.spawn(3)
    excess = _excess_at_start(process, immigration.at_start_per_s, lead_rng)
    immigrants = poisson(immigration, immigrant_rng)
    return _Hawkes(immigrants, process, excess, rate.horizon_s, child_rng)


def under_way(process: Sessions, rate_per_s: float) -> float:
    """Return the mean number of sessions between two requests, at a rate. [sessions]"""
    n = mean_size(process.requests_per_session)
    return rate_per_s * (n - 1.0) / n * mean_of(process.think_time)


def lead_s(process: Hawkes) -> float:
    """Return for how long before 0 a Hawkes process is run. [s]"""
    return _LEAD_RELAXATIONS * process.decay_time / (1.0 - process.branching)


class _Scaled:
    """A rate times a factor, and what it is at 0."""

    def __init__(self, rate: Rate, factor: float) -> None:
        self.horizon_s = rate.horizon_s
        self._stretches = (stretch.scaled(factor) for stretch in rate)
        first = next(self._stretches)
        self.at_start_per_s = float(first.expected[1] / first.edges_s[1])
        self._stretches_from_0 = chain([first], self._stretches)

    def __iter__(self) -> Iterator[RateFunction]:
        return self._stretches_from_0


class _Sessions:
    """Sessions in the order in which they begin, their requests put in order.

    As many sessions are begun at once as make about the requests that are pending, so
    that each request is looked at a few times, however long sessions last.
    """

    def __init__(
        self,
        rate: Rate,
        process: Sessions,
        rng: np.random.Generator,
        session_rng: np.random.Generator,
    ) -> None:
        from costsim.traffic import loops  # numba, as in draws.py

        self._unfold = loops.unfold
        self._n_mean = mean_size(process.requests_per_session)
        starts = _Scaled(rate, 1.0 / self._n_mean)
        size_rng, gap_rng, first_rng, first_gap_rng = session_rng.spawn(4)
        self._horizon_s = rate.horizon_s
        self._starts: Reader | None = poisson(starts, rng)
        self._sizes = sizes(process.requests_per_session, size_rng)
        self._gaps = Row(sampler(process.think_time, gap_rng))
        gaps = Row(sampler(process.think_time, first_gap_rng))
        n = under_way(process, starts.at_start_per_s * self._n_mean)
        self._pending_s = self._begun_before(process, n, first_rng, gaps)
        self._ready_s = np.empty(0)

    def read(self, out: Floats) -> int:
        """Fill an array with the next arrivals and return how many there were."""
        n = 0
        while n < len(out):
            if not len(self._ready_s):
                if self._starts is None:
                    break
                self._begin(self._starts)
            part, self._ready_s = np.split(self._ready_s, [len(out) - n])
            out[n : n + len(part)] = part
            n += len(part)
        return n

    def _begin(self, reader: Reader) -> None:
        """Begin sessions; requests up to the last of them are then complete."""
        n_requests = max(_REQUESTS, len(self._pending_s))
        starts_s = np.empty(max(1, int(n_requests / self._n_mean)))
        n = reader.read(starts_s)
        until_s = starts_s[-1]
        if n < len(starts_s):
            self._starts, until_s = None, math.inf
        counts = self._sizes(n)
        gaps_s = self._gaps.take(int(counts.sum()) - n)
        requests_s = np.empty(int(counts.sum()))
        n = self._unfold(starts_s[:n], counts, gaps_s, self._horizon_s, requests_s)
        waiting_s = np.concatenate([self._pending_s, requests_s[:n]])
        complete = waiting_s < until_s
        self._pending_s, self._ready_s = waiting_s[~complete], waiting_s[complete]
        self._ready_s.sort()

    def _begun_before(
        self, process: Sessions, n_mean: float, rng: np.random.Generator, gaps: Row
    ) -> Floats:
        """Return the requests from 0 on of sessions that began before."""
        n = int(rng.poisson(n_mean))
        if n == 0:
            return np.empty(0)
        counts = remaining(process.requests_per_session, n, rng)
        first_s = residuals(process.think_time, n, rng)
        requests_s = np.empty(int(counts.sum()))
        gaps_s = gaps.take(len(requests_s) - n)
        n = self._unfold(first_s, counts, gaps_s, self._horizon_s, requests_s)
        return requests_s[:n]


class _Hawkes:
    """Requests that come by themselves, and those that requests set off.

    Parameters
    ----------
    immigrants : Reader
        Those that come by themselves.
    process : Hawkes
        Children of a request, and how soon they come.
    excess_per_s : float
        Excess intensity at 0. [requests/s]
    end_s : float
        Where it ends. [s]
    rng : numpy.random.Generator
        Where the children come from.
    """

    def __init__(
        self,
        immigrants: Reader,
        process: Hawkes,
        excess_per_s: float,
        end_s: float,
        rng: np.random.Generator,
    ) -> None:
        from costsim.traffic import loops  # numba, as in draws.py

        self._excite = loops.excite
        self._decay_per_s = 1.0 / process.decay_time
        self._jump_per_s = process.branching * self._decay_per_s
        self._end_s = end_s
        self._immigrants: Reader | None = immigrants
        self._immigrants_s, self._i = np.empty(0), 0
        self._thresholds = Row(Draws(rng).exponentials)
        self._drawn, self._j = np.empty(0), 0
        self._state = np.array([0.0, excess_per_s, self._thresholds.take(1)[0]])

    def read(self, out: Floats) -> int:
        """Fill an array with the next arrivals and return how many there were."""
        n = 0
        while n < len(out) and self._hold():
            n, self._i, self._j = self._excite(
                self._immigrants_s, self._i, len(self._immigrants_s),
                self._drawn, self._j,
                self._decay_per_s, self._jump_per_s,
                self._state, out, n,
            )  # fmt: skip
        if n and out[n - 1] >= self._end_s:
            return int(np.searchsorted(out[:n], self._end_s))
        return n

    def excess_at_end(self) -> float:
        """Read all, and return the excess intensity at the end. [requests/s]"""
        out = np.empty(_IMMIGRANTS)
        while self.read(out) == len(out):
            pass
        # Behind the jump of the last immigrant, which stands for the end.
        return float(self._state[1] - self._jump_per_s)

    def _hold(self) -> bool:
        """Draw ahead what is used up, and return whether there are immigrants."""
        if self._j == len(self._drawn):
            self._drawn, self._j = self._thresholds.take(_IMMIGRANTS), 0
        if self._i == len(self._immigrants_s) and self._immigrants is not None:
            self._immigrants_s, self._i = np.empty(_IMMIGRANTS), 0
            n = self._immigrants.read(self._immigrants_s)
            if n < _IMMIGRANTS:
                self._immigrants = None
                # One at the end, so that what is set off before it comes.
                self._immigrants_s[n] = self._end_s
                self._immigrants_s = self._immigrants_s[: n + 1]
        return self._i < len(self._immigrants_s)


def _excess_at_start(
    process: Hawkes, immigrants_per_s: float, rng: np.random.Generator
) -> float:
    r"""Return the excess intensity of a process that has run for long. [requests/s]

    With immigrants at the rate m it has the mean :math:`m \eta / (1 - \eta)` and the
    variance :math:`m \beta \eta^2 / (2 (1 - \eta)^2)`. It is run from a gamma law with
    these, so that only the shape of the law has to settle.
    """
    if immigrants_per_s == 0 or process.branching == 0:
        return 0.0
    ratio = process.branching / (1.0 - process.branching)
    mean = immigrants_per_s * ratio
    variance = 0.5 * immigrants_per_s * ratio**2 / process.decay_time
    excess = float(rng.gamma(mean**2 / variance, variance / mean))
    end_s = lead_s(process)
    immigrant_rng, child_rng = rng.spawn(2)
    before = RateFunction(
        np.array([0.0, end_s]), np.array([0.0, immigrants_per_s * end_s])
    )
    immigrants = poisson(before, immigrant_rng)
    return _Hawkes(immigrants, process, excess, end_s, child_rng).excess_at_end()
