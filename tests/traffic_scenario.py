"""Scenarios reduced to their traffic, for tests that look at nothing else."""

import numpy as np

from costsim.scenario.schema import Scenario
from costsim.traffic import arrivals, loops, modulation
from costsim.traffic.rates import rate_function
from costsim.traffic.spikes import excesses
from costsim.traffic.streams import stream_rng

DEPLOYMENT = {
    "name": "one",
    "pool": {"autoscaler": {"kind": "fixed"}, "min_replicas": 1, "max_replicas": 1},
    "billing": {"price": "1 USD/h"},
}


def scenario_with(traffic, **other):
    """Return a scenario with this traffic; a horizon of None leaves it to the trace."""
    keys = {
        "name": "traffic only",
        "seed": 11,
        "start": "2026-03-02T00:00+01:00",
        "horizon": "1d",
        "service": {"time": "1s"},
        "traffic": traffic,
        "deployments": [DEPLOYMENT],
    }
    keys.update(other)
    return Scenario.model_validate({k: v for k, v in keys.items() if v is not None})


def stream_of(rate="1/s", **other):
    """Return the traffic of one stream; without a rate for cron."""
    return {"streams": [{**({} if rate is None else {"rate": rate}), **other}]}


def read_all(reader, size=4096):
    """Return all arrivals of a reader."""
    parts = []
    while not parts or len(parts[-1]) == size:
        out = np.empty(size)
        parts.append(out[: reader.read(out)])
    return np.concatenate(parts)


def filled(fill, n):
    """Return an array of n numbers that something fills."""
    out = np.empty(n)
    fill(out)
    return out


def times_of(rate, operational):
    """Return when the integral of a rate reaches ascending values below its total."""
    times = np.diff(operational, prepend=0.0)
    end, *_ = loops.place(times, 0, 0.0, 0.0, 0, rate.expected, rate.edges_s)
    return times[:end]


def first_rate(scenario, start, horizon_s, replication=0):
    """Return the rate of the first stream in a replication, noise left out."""
    stream = scenario.traffic.streams[0]
    acting = excesses(
        scenario.traffic.spikes,
        stream.name,
        start,
        horizon_s,
        lambda index: stream_rng(scenario.seed, replication, "spikes", index),
    )
    return rate_function(stream, acting, start, horizon_s)


def mmpp(rate, states, rng, state_rng):
    """Return the arrivals of a Markov-modulated Poisson process."""
    steps = modulation.state_steps(states, rate.horizon_s, state_rng)
    return arrivals.poisson(rate.modulated(steps), rng)
