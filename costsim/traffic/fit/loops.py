"""Compiled loops of the estimators."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from costsim.traffic.compiled import compiled

if TYPE_CHECKING:
    from costsim.records import Floats


@compiled
def hawkes_shares(
    arrival_s: Floats, weight: Floats, mu: float, branching: float, beta: float
) -> tuple[float, float, float]:
    """Return what requests caused, with what delays, and the sum of the log rates.

    Parameters
    ----------
    arrival_s, weight : ndarray of float64, shape (n,)
        Arrivals, ascending [s], and the profile at each [1].
    mu, branching, beta : float
        Background [requests/s], branching [1], decay [1/s].

    Returns
    -------
    caused : float
        Expected number of requests that an earlier one caused. [requests]
    delay_s : float
        Sum of their delays, weighted. [s]
    logs : float
        Sum of the logarithms of the rate at each arrival.
    """
    caused = delay_s = logs = 0.0
    # Sums over earlier requests: of e^-b(t - t_j), and of (t - t_j) e^-b(t - t_j).
    near = late = 0.0
    for i in range(len(arrival_s)):
        if i:
            gap = arrival_s[i] - arrival_s[i - 1]
            fade = math.exp(-beta * gap)
            late = fade * (late + gap * (near + 1.0))
            near = fade * (near + 1.0)
        rate = mu * weight[i] + branching * beta * near
        caused += branching * beta * near / rate
        delay_s += branching * beta * late / rate
        logs += math.log(rate)
    return caused, delay_s, logs


@compiled
def forward_backward(  # noqa: C901 - forward and backward share their room
    counts: Floats,
    exposure_s: Floats,
    rates: Floats,
    stay: Floats,
    forward: Floats,
    ahead: Floats,
    scale: Floats,
    sums: Floats,
) -> float:
    """Take one step of expectation for a chain that is seen through Poisson counts.

    From each state the chain goes on to every other one with equal probability, so that
    a step takes a sum and not a matrix.

    Parameters
    ----------
    counts, exposure_s : ndarray of float64, shape (n_bins,)
        Requests, and the length of each bin times its profile. [requests], [s]
    rates, stay : ndarray of float64, shape (n_states,)
        Rate in each state, above 0 [requests/s], and probability to be in it in the next
        bin as well.
    forward, ahead, scale : ndarray, shape (n_bins, n_states), the same, (n_bins,)
        Room: what is known of the state from the counts so far, the likelihood of this
        count and all later ones, and the norm of each bin.
    sums : ndarray of float64, shape (4, n_states)
        Set to the expected bins, requests, exposure in each state, and the bins after
        which the chain stays.

    Returns
    -------
    float
        Log likelihood of the counts, but for what does not depend on the states.
    """
    n, m = len(counts), len(rates)
    total = 0.0
    for t in range(n):
        best = -math.inf
        for k in range(m):
            ahead[t, k] = counts[t] * math.log(rates[k]) - rates[k] * exposure_s[t]
            best = max(best, ahead[t, k])
        leaving = 1.0
        if t:
            leaving = 0.0
            for k in range(m):
                leaving += forward[t - 1, k] * (1.0 - stay[k]) / (m - 1)
        norm = 0.0
        for k in range(m):
            ahead[t, k] = math.exp(ahead[t, k] - best)
            prior = leaving / m
            if t:
                left = (1.0 - stay[k]) / (m - 1)
                prior = forward[t - 1, k] * (stay[k] - left) + leaving
            forward[t, k] = prior * ahead[t, k] + 1e-300
            norm += forward[t, k]
        for k in range(m):
            forward[t, k] /= norm
        scale[t] = norm
        total += math.log(norm) + best
    sums[:] = 0.0
    for t in range(n - 1, -1, -1):
        whole = 0.0
        if t + 1 < n:
            for k in range(m):
                whole += ahead[t + 1, k]
        for k in range(m):
            later = 1.0
            if t + 1 < n:
                left = (1.0 - stay[k]) / (m - 1)
                later = ahead[t + 1, k] * (stay[k] - left) + whole * left
                sums[3, k] += forward[t, k] * stay[k] * ahead[t + 1, k]
            posterior = forward[t, k] * later
            sums[0, k] += posterior
            sums[1, k] += posterior * counts[t]
            sums[2, k] += posterior * exposure_s[t]
            ahead[t, k] *= later / scale[t]
    return total
