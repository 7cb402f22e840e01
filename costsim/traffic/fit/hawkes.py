r"""Requests that cause others: a Hawkes process with an exponential kernel.

Its rate is :math:`\mu w(t) + \sum_{t_j < t} n \beta e^{-\beta (t - t_j)}`. Expectation
maximization: each request is shared between the background and the earlier requests in
proportion to what they contribute to the rate at its arrival (Veen and Schoenberg,
J. Am. Stat. Assoc. 103, 2008). With an exponential kernel the sums over earlier requests
follow from those of the request before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from costsim.records import Floats

MAX_BRANCHING = 0.98
"""Above this a log cannot be told from one whose requests all descend from a few."""
_MOST_REQUESTS = 200_000
_ROUNDS = 400
_EXACT = 1e-4
_FEWEST = 20


@dataclass(frozen=True)
class HawkesFit:
    """A fitted process."""

    branching: float
    """Requests that each one causes on average, n. [1]"""
    decay_time_s: float
    """Mean time until they come, 1 / beta. [s]"""
    log_likelihood: float
    """Of the arrivals; so is the next. [1]"""
    poisson_log_likelihood: float
    """The same of the background alone."""


def fit_hawkes(
    arrival_s: Floats, weight: Floats, total: float, first_guess_s: float
) -> HawkesFit | None:
    """Return branching and decay, the profile of the background being given.

    Parameters
    ----------
    arrival_s : ndarray of float64, ascending
        Arrivals. [s]
    weight : ndarray of float64
        Profile w at each of them. [1]
    total : float
        Integral of the profile over the time they cover. [s]
    first_guess_s : float
        Decay time to begin with. [s]

    Returns
    -------
    HawkesFit or None
        None with too few requests.
    """
    from costsim.traffic.fit.loops import hawkes_shares  # numba

    if arrival_s.size < _FEWEST or total <= 0:
        return None
    if arrival_s.size > _MOST_REQUESTS:
        share = _MOST_REQUESTS / arrival_s.size
        arrival_s, weight = arrival_s[:_MOST_REQUESTS], weight[:_MOST_REQUESTS]
        total *= share
    n = arrival_s.size
    weight = np.maximum(weight, 1e-9)
    branching, decay_s, mu = 0.5, first_guess_s, 0.5 * n / total
    before = -np.inf
    for _ in range(_ROUNDS):
        caused, delay_s, logs = hawkes_shares(
            arrival_s, weight, mu, branching, 1.0 / decay_s
        )
        likelihood = logs - mu * total - branching * n
        branching = min(MAX_BRANCHING, max(caused / n, 1e-6))
        mu = max((n - caused) / total, 1e-300)
        decay_s = max(delay_s / max(caused, 1e-300), 1e-6)
        if abs(likelihood - before) < _EXACT * max(1.0, 1e-6 * abs(likelihood)):
            break
        before = likelihood
    alone = float(np.log(n / total * weight).sum()) - n
    return HawkesFit(branching, decay_s, float(likelihood), alone)
