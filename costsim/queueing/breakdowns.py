"""One replica, one slot, always wanted: it fails, is launched anew, and work is repeated.

Its lifetime, counted from ready, is exponential. A request that is in service at a
failure loses what was done and waits at the queue's tail, with the same work as before.
"""

from __future__ import annotations

import math

from costsim.queueing.arguments import (
    require_non_negative,
    require_positive,
    require_stable,
)

_LARGEST_EXPONENT = 709.0
"""Beyond it, exp is beyond the range of floats."""


def availability(mean_lifetime_s: float, mean_setup_time_s: float) -> float:
    r"""Return the share of time with a ready replica. [1]

    .. math:: E[L] / (E[L] + E[C])

    whatever the laws of the lifetime and of the setup time. [PMDCS] ch. 23 (renewal
    reward).
    """
    require_positive(mean_lifetime_s=mean_lifetime_s)
    require_non_negative(mean_setup_time_s=mean_setup_time_s)
    return mean_lifetime_s / (mean_lifetime_s + mean_setup_time_s)


def mean_completion_time(
    service_time_s: float, mean_lifetime_s: float, mean_setup_time_s: float
) -> float:
    r"""Return the mean time from the first begin of a request to its end. [s]

    .. math:: E[D \mid S = x] = (E[L] + E[C]) (e^{x / E[L]} - 1)

    if no other request comes between: "preemptive repeat identical". For a random
    service time it is the mean of this over its law; it is infinite where the tail of
    that is heavier than the tail of the lifetime. [Gaver].
    """
    require_non_negative(
        service_time_s=service_time_s, mean_setup_time_s=mean_setup_time_s
    )
    require_positive(mean_lifetime_s=mean_lifetime_s)
    ratio = service_time_s / mean_lifetime_s
    failures = math.expm1(ratio) if ratio < _LARGEST_EXPONENT else math.inf
    return (mean_lifetime_s + mean_setup_time_s) * failures


def md1_breakdowns_mean_response_time(
    arrival_rate_per_s: float,
    service_time_s: float,
    mean_lifetime_s: float,
    mean_setup_time_s: float,
) -> float:
    r"""Return the mean response time for constant services, exponential setups. [s]

    .. math:: E[T] = E[D] + \frac{\lambda E[D^2]}{2 (1 - \lambda E[D])}
        + \frac{p (2 E[C] + \lambda E[C^2])}{2 (1 + \lambda p E[C])}, \quad
        p = \frac{E[C]}{E[C] + E[L] (1 + \lambda E[C])}

    with D as in `mean_completion_time` and p the probability that the first request of
    a busy period finds the replica in setup. Works being equal, it does not matter in
    which order they are repeated. [Gaver]; [AIN]; [Welch].
    """
    require_positive(
        arrival_rate_per_s=arrival_rate_per_s, service_time_s=service_time_s
    )
    mean_s = mean_completion_time(service_time_s, mean_lifetime_s, mean_setup_time_s)
    load = arrival_rate_per_s * mean_s
    require_stable(load, 1)
    variance = _completion_time_variance(
        service_time_s, mean_lifetime_s, mean_setup_time_s
    )
    queued_s = arrival_rate_per_s * (mean_s**2 + variance) / (2 * (1 - load))
    setups = arrival_rate_per_s * mean_setup_time_s
    down = mean_setup_time_s / (mean_setup_time_s + mean_lifetime_s * (1 + setups))
    first_s = down * mean_setup_time_s * (1 + setups) / (1 + setups * down)
    return mean_s + queued_s + first_s


def _completion_time_variance(
    service_time_s: float, mean_lifetime_s: float, mean_setup_time_s: float
) -> float:
    r"""Return the variance of D for exponential setups. [s^2]

    D is the service time and a geometric number of lost attempts Y, each a lifetime
    that was too short and a setup. With q the probability of an attempt that succeeds,

    .. math:: \mathrm{Var}(D) = \frac{1 - q}{q} E[Y^2]
        + \left(\frac{1 - q}{q} E[Y]\right)^2

    and the moments of too short lifetimes, over q, are tails of the exponential series.
    """
    once, twice, thrice = (
        _exponential_tail(n, service_time_s / mean_lifetime_s) for n in (1, 2, 3)
    )
    lost_s = mean_lifetime_s * twice + mean_setup_time_s * once
    squares = (
        mean_lifetime_s**2 * thrice
        + mean_lifetime_s * mean_setup_time_s * twice
        + mean_setup_time_s**2 * once
    )
    return 2 * squares + lost_s**2


def _exponential_tail(first: int, x: float) -> float:
    r"""Return the sum of x^k / k! from k = `first` on, without a difference."""
    total, term, k = 0.0, x**first / math.factorial(first), first
    while total + term > total:
        total += term
        k += 1
        term *= x / k
    return total
