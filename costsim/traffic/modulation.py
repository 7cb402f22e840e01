"""Step functions that multiply a rate: states of a chain, on and off, slow noise.

Each is made piece by piece: pairs of arrays, until when each of the next steps lasts [s]
and its factor [1]. The last step is cut at the horizon. Factors have a mean of 1, and
every function is stationary from 0 on, so that the rate stays the mean rate.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from costsim.traffic.draws import Draws, Row
from costsim.traffic.laws import mean_of, quantile, residuals, sampler

if TYPE_CHECKING:
    from collections.abc import Sequence

    from costsim.records import Floats, Ints
    from costsim.scenario.processes import MmppState, OnOff
    from costsim.scenario.rates import Noise

Steps: TypeAlias = Iterator[tuple["Floats", "Floats"]]

_VISITS = 256
"""Visits to states drawn at once."""
_BLOCKS_OF_VISITS = 64
"""Draws of visits that make one piece of a modulated rate."""
_NOISE_STEPS = 4096
"""Steps of noise that make one piece."""
NOISE_CELLS = 20
"""Steps of noise within the shortest correlation time."""


def state_steps(
    states: Sequence[MmppState], horizon_s: float, rng: np.random.Generator
) -> Steps:
    r"""Return the factor of a Markov-modulated rate.

    The chain starts in its stationary distribution :math:`\pi`. Every state is entered
    equally often, since each other state is equally likely to follow, so that
    :math:`\pi_i` is proportional to the mean sojourn. In state i the rate is multiplied
    by :math:`r_i / \sum_j \pi_j r_j`.

    Parameters
    ----------
    states : sequence of MmppState
        Relative rates and mean sojourns.
    horizon_s : float
        End of the run. [s]
    rng : numpy.random.Generator
        Where the states come from.
    """
    sojourn_s = np.array([state.mean_sojourn for state in states])
    relative = np.array([state.rate for state in states])
    factor = relative / np.average(relative, weights=sojourn_s)
    for until_s, visited in visits(sojourn_s, horizon_s, rng):
        yield until_s, factor[visited]


def on_off_steps(process: OnOff, horizon_s: float, rng: np.random.Generator) -> Steps:
    """Return the factor of a rate that is on and off in turn, for times of any law.

    Time 0 is a random moment of an endless row: on with the share of time that it is on,
    and what is left of the first time is a residual.

    Parameters
    ----------
    process : OnOff
        Laws of the times, and the rate while off.
    horizon_s : float
        End of the run. [s]
    rng : numpy.random.Generator
        Where the times come from.
    """
    laws = (process.on_time, process.off_time)
    on_share = mean_of(laws[0]) / (mean_of(laws[0]) + mean_of(laws[1]))
    mean = on_share + process.off_share * (1.0 - on_share)
    first_rng, *rngs = rng.spawn(3)
    first = int(first_rng.random() >= on_share)
    # From the first full time on; the residual of the other state comes before.
    order = [1 - first, first]
    rows = [Row(sampler(laws[one], rngs[one])) for one in order]
    factors = np.array([1.0, process.off_share])[[order[0], order[1]] * _VISITS] / mean
    now = float(residuals(laws[first], 1, first_rng)[0])
    yield np.array([min(now, horizon_s)]), factors[1:2]
    while now < horizon_s:
        times = np.stack([row.take(_VISITS) for row in rows], axis=1).ravel()
        times[0] += now
        until_s = np.cumsum(times)
        now = float(until_s[-1])
        yield _cut(until_s, factors, horizon_s)


def mean_visit_s(process: OnOff, horizon_s: float) -> float:
    """Return the mean time on or off, times beyond the horizon cut to it. [s]"""
    u = (np.arange(4096) + 0.5) / 4096
    laws = (process.on_time, process.off_time)
    # A time that is far longer makes the mean, but no changes.
    return 0.5 * sum(
        float(np.minimum(quantile(law, u), horizon_s).mean()) for law in laws
    )


def noise_steps(
    noises: Sequence[Noise], horizon_s: float, rngs: Sequence[np.random.Generator]
) -> Steps:
    r"""Return the factor of log-normal noise.

    It is :math:`\prod_j e^{x_j - \sigma_j^2 / 2}` with independent Ornstein-Uhlenbeck
    processes of variance :math:`\sigma_j^2` and correlation :math:`e^{-t / \tau_j}`,
    exact on a grid of 1/20 of the shortest correlation time and constant between.

    Parameters
    ----------
    noises : sequence of Noise
        Standard deviations and correlation times, one at least.
    horizon_s : float
        End of the run. [s]
    rngs : sequence of numpy.random.Generator
        Where each process comes from.

    References
    ----------
    Gillespie, D. T. (1996). Exact numerical simulation of the Ornstein-Uhlenbeck process
    and its integral. Physical Review E 54, 2084-2091.
    """
    step_s = noise_step_s(noises)
    paths = [_Path(one, step_s, rng) for one, rng in zip(noises, rngs, strict=True)]
    n_before = 0
    while n_before * step_s < horizon_s:
        log_factor = sum((path.next_logs() for path in paths), np.zeros(_NOISE_STEPS))
        until_s = step_s * np.arange(n_before + 1.0, n_before + _NOISE_STEPS + 1.0)
        n_before += _NOISE_STEPS
        yield _cut(until_s, np.exp(log_factor), horizon_s)


def noise_step_s(noises: Sequence[Noise]) -> float:
    """Return the width of the grid on which noise changes. [s]"""
    return min(noise.correlation_time for noise in noises) / NOISE_CELLS


def product(first: Steps, second: Steps) -> Steps:
    """Return the product of two step functions that end at the same horizon."""
    until_a, until_b, ended = np.empty(0), np.empty(0), (np.empty(0), np.empty(0))
    factor_a, factor_b = np.empty(0), np.empty(0)
    while True:
        if not until_a.size:
            until_a, factor_a = next(first, ended)
        if not until_b.size:
            until_b, factor_b = next(second, ended)
        if not (until_a.size and until_b.size):
            return
        end_s = min(until_a[-1], until_b[-1])
        both = np.unique(np.concatenate([until_a, until_b]))
        both = both[: np.searchsorted(both, end_s) + 1]
        a, b = np.searchsorted(until_a, both), np.searchsorted(until_b, both)
        yield both, factor_a[a] * factor_b[b]
        rest_a, rest_b = until_a > end_s, until_b > end_s
        until_a, factor_a = until_a[rest_a], factor_a[rest_a]
        until_b, factor_b = until_b[rest_b], factor_b[rest_b]


class _Path:
    """One Ornstein-Uhlenbeck process on a grid, begun in its stationary law."""

    def __init__(self, noise: Noise, step_s: float, rng: np.random.Generator) -> None:
        from costsim.traffic import loops  # numba, as in draws.py

        self._autoregress = loops.autoregress
        self._sigma = noise.sigma
        self._keep = math.exp(-step_s / noise.correlation_time)
        self._renew = math.sqrt(-math.expm1(-2.0 * step_s / noise.correlation_time))
        self._draws = Draws(rng)
        self._last: float | None = None

    def next_logs(self) -> Floats:
        """Return the logarithms of the next factors. [1]"""
        x = np.empty(_NOISE_STEPS)
        self._draws.normals(x)
        if self._last is None:
            self._last = 0.0
            x[0] /= self._renew
        self._autoregress(self._keep, self._renew, self._last, x)
        self._last = float(x[-1])
        return self._sigma * x - 0.5 * self._sigma**2


def visits(
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


def _cut(until_s: Floats, factors: Floats, horizon_s: float) -> tuple[Floats, Floats]:
    """Return steps up to the one that reaches the horizon, which ends there."""
    n = int(np.searchsorted(until_s, horizon_s)) + 1
    return np.minimum(until_s[:n], horizon_s), factors[:n]
