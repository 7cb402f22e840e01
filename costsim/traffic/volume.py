"""How much traffic a scenario asks for on a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from costsim.traffic.placement import expected_arrivals, place
from costsim.traffic.synthesis import asked_rate
from costsim.units import SECONDS_PER_DAY

if TYPE_CHECKING:
    from costsim.scenario.schema import Scenario
    from costsim.traffic.trace import TraceData


def volume_per_day(scenario: Scenario, trace: TraceData | None, end_s: float) -> float:
    """Return the mean number of requests that is asked for. [requests/day]

    With profiles, growth and spikes; of a trace, what is replayed.

    Parameters
    ----------
    scenario : Scenario
        What is asked for.
    trace : TraceData, optional
        What ``load_trace`` returned.
    end_s : float
        End of the run. [s]
    """
    rate_per_s = sum(
        asked_rate(scenario, stream, end_s) for stream in scenario.traffic.streams
    )
    if trace is not None:
        rate_per_s += _replayed_rate(scenario, trace, end_s)
    return rate_per_s * SECONDS_PER_DAY


def _replayed_rate(scenario: Scenario, trace: TraceData, end_s: float) -> float:
    """Return the mean rate of the trace as it is replayed. [requests/s]"""
    spec = scenario.traffic.trace
    if spec is None:
        return 0.0
    where = place(spec, trace, scenario.start)
    period_s = where.span_s + where.gap_s
    if spec.repeat and period_s > 0:
        return spec.scale_rate * trace.n_requests / period_s
    return expected_arrivals(spec, trace, where, end_s) / end_s
