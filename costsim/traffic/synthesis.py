"""The arrivals of one synthetic stream: its rate, its process, its random numbers."""

from __future__ import annotations

from functools import partial, reduce
from typing import TYPE_CHECKING

import numpy as np

from costsim.errors import InputError
from costsim.scenario.cron import parse_cron
from costsim.scenario.processes import (
    Cron,
    GammaArrivals,
    Hawkes,
    Mmpp,
    OnOff,
    Sessions,
    WeibullArrivals,
)
from costsim.traffic import arrivals, clusters
from costsim.traffic.cron import cron_times
from costsim.traffic.laws import weibull_shape
from costsim.traffic.modulation import (
    mean_visit_s,
    noise_step_s,
    noise_steps,
    on_off_steps,
    product,
    state_steps,
)
from costsim.traffic.rates import rate_function
from costsim.traffic.sizes import mean_size, sizes
from costsim.traffic.spikes import begin_s, excesses, mean_effect, mean_excesses
from costsim.traffic.streams import name_key, stream_rng
from costsim.units import format_duration

if TYPE_CHECKING:
    from costsim.records import Floats
    from costsim.scenario.schema import Scenario
    from costsim.scenario.traffic import Stream
    from costsim.traffic.arrivals import Reader
    from costsim.traffic.modulation import Steps
    from costsim.traffic.rates import Rate, RateFunction

MAX_IN_MEMORY = 250_000_000
"""Requests that are made as a whole, at most: 4 GB of arrivals and service times."""


def stream_reader(
    scenario: Scenario, stream: Stream, replication: int, horizon_s: float
) -> Reader:
    """Return the arrivals of one stream, to be read piece by piece.

    Parameters
    ----------
    scenario : Scenario
        For its seed, its start and its spikes.
    stream : Stream
        One of its streams; its random numbers hang on its name.
    replication : int
        Which repetition, from 0.
    horizon_s : float
        End of the run. [s]

    Returns
    -------
    Reader
        Arrivals, in [0, horizon_s). [s]
    """
    process = stream.arrivals
    if isinstance(process, Cron):
        return _batches(scenario, stream, process, replication, horizon_s)
    key = name_key(stream.name)
    rng = partial(stream_rng, scenario.seed, replication, index=key)
    rate = _rate(scenario, stream, replication, horizon_s)
    if isinstance(process, GammaArrivals):
        return arrivals.gamma(rate, _gamma_shape(process), rng("arrivals"))
    if isinstance(process, WeibullArrivals):
        shape = process.shape or weibull_shape(process.cv or 1.0)
        return arrivals.weibull(rate, shape, rng("arrivals"))
    if isinstance(process, Sessions):
        return clusters.sessions(rate, process, rng("arrivals"), rng("sessions"))
    if isinstance(process, Hawkes):
        return clusters.hawkes(rate, process, rng("arrivals"))
    return arrivals.poisson(rate, rng("arrivals"))


def expected_draws(scenario: Scenario, stream: Stream, horizon_s: float) -> float:
    """Return about how many requests a stream has, or changes of its rate if more."""
    process = stream.arrivals
    if isinstance(process, Cron):
        return mean_size(process.batch_size) * _n_batches(scenario, process, horizon_s)
    rate = _mean_rate(scenario, stream, horizon_s)
    factor, added_per_s = mean_effect(scenario.traffic.spikes, stream.name)
    n = rate.total * factor + added_per_s * horizon_s
    at_start_per_s = float(rate.expected[1] / rate.edges_s[1])
    if isinstance(process, Hawkes):
        n += at_start_per_s * clusters.lead_s(process)
    if isinstance(process, Sessions):
        n += clusters.under_way(process, at_start_per_s)
    return max(n, horizon_s / _step_s(stream, horizon_s))


def asked_rate(scenario: Scenario, stream: Stream, horizon_s: float) -> float:
    """Return the mean rate that a stream is asked for. [requests/s]

    With its profile, growth and stages, and with spikes: those at random moments and of
    random heights by their mean.

    Parameters
    ----------
    scenario : Scenario
        For its start and its spikes.
    stream : Stream
        One of its streams.
    horizon_s : float
        End of the run. [s]
    """
    process = stream.arrivals
    if isinstance(process, Cron):
        n_batches = _n_batches(scenario, process, horizon_s)
        return mean_size(process.batch_size) * n_batches / horizon_s
    factor, added_per_s = mean_effect(scenario.traffic.spikes, stream.name)
    rate = _mean_rate(scenario, stream, horizon_s)
    return factor * rate.total / horizon_s + added_per_s


def stream_notes(scenario: Scenario, horizon_s: float) -> list[str]:
    """Return what the user should know about the streams and spikes of a scenario."""
    notes = []
    for stream in scenario.traffic.streams:
        end_s = stream.stages_s
        if end_s is not None and end_s < horizon_s:
            notes.append(
                f"the stages of '{stream.name}' end after {format_duration(end_s)} of "
                f"{format_duration(horizon_s)}: no requests afterwards"
            )
    for spike in scenario.traffic.spikes:
        begin = begin_s(spike, scenario.start)
        if begin >= horizon_s:
            when = f"{format_duration(begin)} after the start"
            notes.append(f"the spike {when} begins after the horizon: no effect")
    return notes


def _rate(
    scenario: Scenario, stream: Stream, replication: int, horizon_s: float
) -> Rate:
    """Return the rate of a stream in one replication, with all that modulates it."""
    seed, start = scenario.seed, scenario.start
    rng = partial(stream_rng, seed, replication)
    acting = excesses(
        scenario.traffic.spikes, stream.name, start, horizon_s, partial(rng, "spikes")
    )
    rate = rate_function(stream, acting, start, horizon_s)
    key, process = name_key(stream.name), stream.arrivals
    steps: list[Steps] = []
    if stream.noises:
        rngs = rng("noise", key).spawn(len(stream.noises))
        steps.append(noise_steps(stream.noises, horizon_s, rngs))
    if isinstance(process, Mmpp):
        state_rng = rng("modulation", key)
        steps.append(state_steps(process.states, horizon_s, state_rng))
    if isinstance(process, OnOff):
        steps.append(on_off_steps(process, horizon_s, rng("modulation", key)))
    if not steps:
        return rate
    together: Steps = reduce(product, steps)
    return rate.modulated(together)


def _mean_rate(scenario: Scenario, stream: Stream, horizon_s: float) -> RateFunction:
    """Return the mean rate over all replications, spikes at random moments left out."""
    start = scenario.start
    acting = mean_excesses(scenario.traffic.spikes, stream.name, start, horizon_s)
    return rate_function(stream, acting, start, horizon_s)


def _step_s(stream: Stream, horizon_s: float) -> float:
    """Return the mean time between changes of a stream's rate. [s]"""
    step_s, process = horizon_s, stream.arrivals
    if stream.noises:
        step_s = min(step_s, noise_step_s(stream.noises))
    if isinstance(process, Mmpp):
        sojourns_s = [state.mean_sojourn for state in process.states]
        step_s = min(step_s, float(np.mean(sojourns_s)))
    if isinstance(process, OnOff):
        step_s = min(step_s, mean_visit_s(process, horizon_s))
    return step_s


def _gamma_shape(process: GammaArrivals) -> float:
    if process.burstiness is not None:
        return process.burstiness
    cv = process.cv or 1.0
    return 1.0 / (cv * cv)


def _batches(
    scenario: Scenario,
    stream: Stream,
    process: Cron,
    replication: int,
    horizon_s: float,
) -> Reader:
    """Return batches by the clock, as a whole."""
    key = name_key(stream.name)
    rng = partial(stream_rng, scenario.seed, replication, index=key)
    due_s = _due_s(scenario, process, horizon_s)
    n_each = sizes(process.batch_size, rng("sessions"))(len(due_s))
    arrival_s = arrivals.batches(due_s, n_each, process.jitter, rng("jitter"))
    return arrivals.Made(arrival_s[: np.searchsorted(arrival_s, horizon_s)])


def _n_batches(scenario: Scenario, process: Cron, horizon_s: float) -> float:
    """Return how many batches are due, or a bound if there are very many."""
    # A schedule is due at most once a minute; that is counted only if it fits.
    every_s = 60.0 if process.every is None else process.every
    most = horizon_s / every_s + 1.0
    if most <= MAX_IN_MEMORY:
        most = float(len(_due_s(scenario, process, horizon_s)))
    return most


def _due_s(scenario: Scenario, process: Cron, horizon_s: float) -> Floats:
    """Return when the batches of a stream are due."""
    if process.every is not None:
        return arrivals.periods(process.every, horizon_s)
    if scenario.start is None or process.schedule is None:
        message = "a cron schedule needs the scenario's start"
        raise InputError(message)
    return cron_times(parse_cron(process.schedule), scenario.start, horizon_s)
