"""Calm and bursts: a Markov-modulated Poisson process by expectation maximization.

The chain is looked at in bins, in which it stays in one state, and the counts of bins
are Poisson given the state (Baum and Welch; Ryden, Comput. Stat. Data Anal. 21, 1996).
It goes from each state to every other one with equal probability, as the scenario's
process does; so states may be needed twice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from costsim.records import Floats

_ROUNDS = 50
_EXACT = 0.3
_FEWEST_BINS = 50
_SMOOTH = (1, 4, 16, 64)


@dataclass(frozen=True, eq=False)
class MmppFit:
    """Fitted states, by rate."""

    rates_per_s: tuple[float, ...]
    """Rate in each state. [requests/s]"""
    sojourns_s: tuple[float, ...]
    """Mean length of a visit to each. [s]"""
    log_likelihood: float
    """Of the counts, but for a part that is the same for any number of states."""
    information: float
    """Bayes's criterion (less is better): 2 x parameters x ln(bins) / 2 - 2 x that."""


def fit_mmpp(
    counts: Floats, exposure_s: Floats, width_s: float, n_states: int
) -> MmppFit | None:
    """Return the states of a chain that explains the counts best.

    Parameters
    ----------
    counts : ndarray of float64
        Requests in bins.
    exposure_s : ndarray of float64
        Width of each bin times its profile. [s]
    width_s : float
        Width of the bins. [s]
    n_states : int
        Number of states, at least 2.

    Returns
    -------
    MmppFit or None
        None with too few bins, or without requests.
    """
    if counts.size < _FEWEST_BINS or not counts.any():
        return None
    fits = [
        _climb(counts, exposure_s, width_s, rates, sojourn_s)
        for rates, sojourn_s in _guesses(counts, exposure_s, width_s, n_states)
    ]
    return min(fits, key=lambda one: one.information)


def _guesses(
    counts: Floats, exposure_s: Floats, width_s: float, n_states: int
) -> list[tuple[Floats, Floats]]:
    """Return rates and sojourns to begin with: levels of counts at several scales."""
    found = []
    for times in _SMOOTH if n_states == 2 else _SMOOTH[1:2]:
        n = counts.size // times
        if n < 4 * n_states:
            continue
        rates = counts[: n * times].reshape(n, times).sum(1)
        rates /= np.maximum(exposure_s[: n * times].reshape(n, times).sum(1), 1e-12)
        # Levels in equal steps of the root, in which Poisson counts vary alike.
        roots = np.sqrt(rates)
        top = np.quantile(roots, 0.995) or roots.max()
        levels = np.square(np.linspace(0.05, 1.0, n_states) * top)
        sojourns = np.geomspace(32.0, 2.0, n_states) * times * width_s
        found.append((levels, sojourns))
    return found or [
        (
            counts.sum() / exposure_s.sum() * np.linspace(0.2, 3.0, n_states),
            np.full(n_states, 8.0 * width_s),
        )
    ]


def _climb(
    counts: Floats, exposure_s: Floats, width_s: float, rates: Floats, sojourn_s: Floats
) -> MmppFit:
    from costsim.traffic.fit.loops import forward_backward  # numba

    n, m = counts.size, rates.size
    least = 1e-3 / max(float(exposure_s.sum()), 1e-12)
    rates, stay = (
        np.maximum(rates, least),
        1.0 - width_s / np.maximum(sojourn_s, 1.2 * width_s),
    )
    forward, ahead, scale = np.empty((n, m)), np.empty((n, m)), np.empty(n)
    sums = np.empty((4, m))
    before = likelihood = -math.inf
    for _ in range(_ROUNDS):
        likelihood = forward_backward(
            counts, exposure_s, rates, stay, forward, ahead, scale, sums
        )
        if likelihood - before < _EXACT:
            break
        before = likelihood
        rates = np.maximum(sums[1] / np.maximum(sums[2], 1e-12), least)
        # Half a bin more on either side, so that no state is left for good.
        stay = np.clip((sums[3] + 0.5) / (sums[0] + 1.0), 1e-3, 1.0 - 0.5 / n)
    order = np.argsort(rates)
    rates, stay = rates[order], stay[order]
    sojourns_s = width_s / (1.0 - stay)
    parameters = 2 * m
    return MmppFit(
        tuple(np.where(rates <= 2 * least, 0.0, rates).tolist()),
        tuple(sojourns_s.tolist()),
        likelihood,
        parameters * math.log(n) - 2.0 * likelihood,
    )
