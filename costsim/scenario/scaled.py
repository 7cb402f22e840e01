"""The same traffic at another volume: everything that counts requests, times a factor.

Scaled are mean rates, the targets of stages, peaks and numbers of requests of spikes, the
share of a trace that is kept, and the sizes of cron batches. What is relative stays: a
profile, growth, noise, the magnitude of a spike, the requests of a session, the branching
of a Hawkes process, the rates of states to each other. So the number of requests that is
expected is multiplied exactly, and what kind of traffic it is stays the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from costsim.scenario.processes import Cron, ScaledSize

if TYPE_CHECKING:
    from costsim.scenario.rates import Stage
    from costsim.scenario.schema import Scenario
    from costsim.scenario.spikes import Spike
    from costsim.scenario.traffic import Stream


def scaled_traffic(scenario: Scenario, factor: float) -> Scenario:
    """Return a scenario with so many times the requests.

    A batch of the clock is a whole number of requests: it is multiplied, and rounded up or
    down at random so that the mean is exact. Below one request in a batch, some batches
    are empty.

    Parameters
    ----------
    scenario : Scenario
        What is asked for.
    factor : float
        Above 0. [1]

    Returns
    -------
    Scenario
        For simulation only: it may hold what no file can say, such as a part of a request.
    """
    if factor == 1.0:
        return scenario
    traffic = scenario.traffic
    changes: dict[str, Any] = {
        "streams": tuple(_stream(one, factor) for one in traffic.streams),
        "spikes": tuple(_spike(one, factor) for one in traffic.spikes),
    }
    if traffic.trace is not None:
        share = traffic.trace.scale_rate * factor
        changes["trace"] = traffic.trace.model_copy(update={"scale_rate": share})
    return scenario.model_copy(update={"traffic": traffic.model_copy(update=changes)})


def _stream(stream: Stream, factor: float) -> Stream:
    if isinstance(stream.arrivals, Cron):
        size = ScaledSize(law=stream.arrivals.batch_size, factor=factor)
        batches = stream.arrivals.model_copy(update={"batch_size": size})
        return stream.model_copy(update={"arrivals": batches})
    changes: dict[str, Any] = {
        key: getattr(stream, key) * factor
        for key in ("rate", "start_rate")
        if getattr(stream, key) is not None
    }
    if stream.stages is not None:
        changes["stages"] = tuple(_stage(one, factor) for one in stream.stages)
    return stream.model_copy(update=changes)


def _stage(stage: Stage, factor: float) -> Stage:
    return stage.model_copy(update={"target": stage.target * factor})


def _spike(spike: Spike, factor: float) -> Spike:
    """Return a spike whose excess is as many times the usual as before."""
    changes = {
        key: getattr(spike, key) * factor
        for key in ("peak", "requests")
        if getattr(spike, key) is not None
    }
    return spike.model_copy(update=changes)
