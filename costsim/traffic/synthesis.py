"""The arrivals of one synthetic stream: its rate, its process, its random numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from costsim.errors import InputError
from costsim.scenario.cron import parse_cron
from costsim.scenario.traffic import Cron, GammaArrivals, Mmpp
from costsim.traffic import arrivals
from costsim.traffic.cron import cron_times
from costsim.traffic.rates import rate_function
from costsim.traffic.streams import name_key, stream_rng

if TYPE_CHECKING:
    from costsim.records import Floats
    from costsim.scenario.schema import Scenario
    from costsim.scenario.traffic import Stream
    from costsim.traffic.arrivals import Reader

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
    if not isinstance(stream.arrivals, Cron):
        return _rated(scenario, stream, replication, horizon_s)
    rng = stream_rng(scenario.seed, replication, "jitter", name_key(stream.name))
    due_s = _due_s(scenario, stream.arrivals, horizon_s)
    arrival_s = arrivals.batches(
        due_s, stream.arrivals.batch_size, stream.arrivals.jitter, rng
    )
    return arrivals.Made(arrival_s[: np.searchsorted(arrival_s, horizon_s)])


def expected_draws(scenario: Scenario, stream: Stream, horizon_s: float) -> float:
    """Return about how many requests a stream has, or changes of state if more."""
    process = stream.arrivals
    if isinstance(process, Cron):
        # A schedule is due at most once a minute; that is counted only if it fits.
        every_s = 60.0 if process.every is None else process.every
        most = horizon_s / every_s + 1.0
        if most <= MAX_IN_MEMORY:
            most = float(len(_due_s(scenario, process, horizon_s)))
        return process.batch_size * most
    rate = rate_function(stream, scenario.traffic.spikes, scenario.start, horizon_s)
    if isinstance(process, Mmpp):
        sojourns_s = [state.mean_sojourn for state in process.states]
        return max(rate.total, horizon_s / float(np.mean(sojourns_s)))
    return rate.total


def _rated(
    scenario: Scenario, stream: Stream, replication: int, horizon_s: float
) -> Reader:
    """Return the arrivals of a stream that has a rate."""
    rate = rate_function(stream, scenario.traffic.spikes, scenario.start, horizon_s)
    key = name_key(stream.name)
    rng = stream_rng(scenario.seed, replication, "arrivals", key)
    if isinstance(stream.arrivals, GammaArrivals):
        return arrivals.gamma(rate, _shape(stream.arrivals), rng)
    if isinstance(stream.arrivals, Mmpp):
        state_rng = stream_rng(scenario.seed, replication, "modulation", key)
        return arrivals.mmpp(rate, stream.arrivals.states, rng, state_rng)
    return arrivals.poisson(rate, rng)


def _shape(process: GammaArrivals) -> float:
    if process.burstiness is not None:
        return process.burstiness
    cv = process.cv or 1.0
    return 1.0 / (cv * cv)


def _due_s(scenario: Scenario, process: Cron, horizon_s: float) -> Floats:
    """Return when the batches of a stream are due."""
    if process.every is not None:
        return arrivals.periods(process.every, horizon_s)
    if scenario.start is None or process.schedule is None:
        message = "a cron schedule needs the scenario's start"
        raise InputError(message)
    return cron_times(parse_cron(process.schedule), scenario.start, horizon_s)
