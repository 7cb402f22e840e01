"""Measures of one simulated pool: quantiles, means over requests, means over time.

Response times are those of served requests that arrived after the warm-up; what was
rejected, timed out or failed is counted beside them, never averaged away. Averages over
requests and averages over time differ: the names say which.

The measures are accumulated while the records stream by, and are the same bits however
the stream is cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from costsim.records import Outcome
from costsim.simulation.compiled import compiled, inlined
from costsim.simulation.quantiles import ResponseTimes, histogram_quantiles, quantiles

if TYPE_CHECKING:
    from costsim.records import Floats, Ints, Records
    from costsim.simulation.result import SimulationResult

__all__ = ["MeasureAccumulator", "PoolMeasures", "measure_pool"]

_SERVED = int(Outcome.SERVED)
_REJECTED = int(Outcome.REJECTED)
_TIMED_OUT = int(Outcome.TIMED_OUT)
_FAILED = int(Outcome.FAILED)

_ROWS = 16_384
"""Rows taken at once: so much room for response times is ahead of those there are."""


@dataclass(frozen=True, eq=False)
class PoolMeasures:
    """Measures of one run of one pool."""

    requests: int
    """Arrivals before the horizon, warm-up included; so are the next four."""
    served: int
    rejected: int
    timed_out: int
    failed: int
    """Their replica died and their attempts were used up."""
    measured: int
    """Served requests that arrived after the warm-up: the rest is about these."""
    mean_s: float
    """Mean response time; NaN if nothing was measured. [s]"""
    mean_wait_s: float
    """Mean waiting time. [s]"""
    cold: int
    """Measured requests that waited for a replica that was starting."""
    over_slo: int
    """Measured requests slower than the SLO's bound."""
    quantiles_s: tuple[float, ...]
    """Quantiles of the response time at PERCENTS. [s]"""
    launches: int
    utilization: float
    """Busy slot-seconds over ready slot-seconds. [1]"""
    mean_ready_replicas: float
    """Time average. [replicas]"""
    peak_replicas: int
    """Most replicas starting, ready or draining at once."""
    replica_hours: float
    """From launch to stop. [h]"""
    tail_hours: float
    """The part of it after the horizon: requests still in service, idle tails. [h]"""
    response_s: Floats
    """Response times measured, in no order; empty if they were not kept. [s]"""
    histogram: Ints | None
    """Counts of response times in log-spaced bins; None if they were kept."""

    @property
    def lost(self) -> int:
        """Requests that were not served: rejected, timed out, failed or never begun."""
        return self.requests - self.served

    @property
    def quantile_method(self) -> Literal["exact", "histogram"]:
        """How the quantiles were found; from a histogram they are within 0.1 %."""
        return "exact" if self.histogram is None else "histogram"


class MeasureAccumulator:
    """Measures of a pool from its records as they come, in bounded memory.

    Parameters
    ----------
    warm_up_s : float
        Requests that arrive earlier are left out of response times. [s]
    slow_after_s : float, optional
        A response time above this counts as over the SLO. [s]
    concurrency_limit : int
        Slots per replica.
    horizon_s : float, optional
        Replicas' time from here on is their tail; None: there is no horizon. [s]
    keep : bool
        Whether to keep response times, up to ``EXACT_UP_TO``, or a histogram of them.
    """

    def __init__(
        self,
        *,
        warm_up_s: float = 0.0,
        slow_after_s: float | None = None,
        concurrency_limit: int = 1,
        horizon_s: float | None = None,
        keep: bool = True,
    ) -> None:
        self._warm_up_s = float(warm_up_s)
        self._slow_after_s = np.inf if slow_after_s is None else float(slow_after_s)
        self._concurrency_limit = concurrency_limit
        self._horizon_s = np.inf if horizon_s is None else float(horizon_s)
        self._response_s = ResponseTimes(keep=keep)
        self._n_requests = 0
        self._counts = np.zeros(_N_COUNTS, dtype=np.int64)
        self._times_s = np.zeros((2, 2))
        """Sums with their rounding errors: response times, waiting times."""
        self._lives_s = np.zeros((_N_LIVES, 2))
        self._alive: list[Records] = []

    def add_requests(self, rows: Records) -> None:
        """Take settled requests.

        Parameters
        ----------
        rows : ndarray of REQUEST_DTYPE
            Any number, each request once.
        """
        for first in range(0, rows.size, _ROWS):
            some = rows[first : first + _ROWS]
            measured = _visit_requests(
                some,
                self._warm_up_s,
                self._slow_after_s,
                self._response_s.room_for(some.size),
                self._counts,
                self._times_s,
            )
            self._response_s.add_written(measured)
        self._n_requests += rows.size

    def add_replicas(self, rows: Records) -> None:
        """Take replicas that have stopped, and at the end of the run those that have not.

        Parameters
        ----------
        rows : ndarray of REPLICA_DTYPE
            Any number, each replica once.
        """
        alive = np.isnan(rows["stop_s"])
        if alive.any():
            self._alive.append(rows[alive])
        _visit_replicas(rows, np.nan, self._horizon_s, self._lives_s)

    def measures(self, end_s: float, launches: int, peak_replicas: int) -> PoolMeasures:
        """Return the measures of all that was taken.

        Parameters
        ----------
        end_s : float
            End of the run. [s]
        launches : int
            Replicas launched; initial ones were not.
        peak_replicas : int
            Most replicas at once, which no row of a replica tells.
        """
        lives_s = self._lives_s.copy()
        for rows in self._alive:
            _visit_replicas(rows, end_s, self._horizon_s, lives_s)
        ready_s, slot_s, alive_s, tail_s = lives_s.sum(axis=1).tolist()
        response_s, wait_s = self._times_s.sum(axis=1).tolist()
        measured = self._response_s.n
        kept_s, counted = self._response_s.kept_s, self._response_s.histogram
        return PoolMeasures(
            requests=self._n_requests,
            served=int(self._counts[_N_SERVED]),
            rejected=int(self._counts[_N_REJECTED]),
            timed_out=int(self._counts[_N_TIMED_OUT]),
            failed=int(self._counts[_N_FAILED]),
            measured=measured,
            mean_s=_ratio(response_s, measured),
            mean_wait_s=_ratio(wait_s, measured),
            cold=int(self._counts[_N_COLD]),
            over_slo=int(self._counts[_N_SLOW]),
            quantiles_s=(
                quantiles(kept_s) if counted is None else histogram_quantiles(counted)
            ),
            launches=launches,
            utilization=_ratio(slot_s, self._concurrency_limit * ready_s),
            mean_ready_replicas=_ratio(ready_s, end_s),
            peak_replicas=peak_replicas,
            replica_hours=alive_s / 3600.0,
            tail_hours=tail_s / 3600.0,
            response_s=kept_s,
            histogram=counted,
        )


def measure_pool(
    result: SimulationResult,
    *,
    warm_up_s: float = 0.0,
    slow_after_s: float | None = None,
    concurrency_limit: int = 1,
    keep: bool = True,
) -> PoolMeasures:
    """Return the measures of a simulated pool whose records were kept.

    Parameters
    ----------
    result : SimulationResult
        The records.
    warm_up_s, slow_after_s, concurrency_limit, keep
        As for ``MeasureAccumulator``.
    """
    accumulator = MeasureAccumulator(
        warm_up_s=warm_up_s,
        slow_after_s=slow_after_s,
        concurrency_limit=concurrency_limit,
        horizon_s=result.horizon_s,
        keep=keep,
    )
    accumulator.add_requests(result.requests)
    accumulator.add_replicas(result.replicas)
    return accumulator.measures(
        result.end_s, result.launches, _peak(result.replicas, result.end_s)
    )


def _peak(replicas: Records, end_s: float) -> int:
    """Return the most lives open at once; one that stops as another starts is gone."""
    if replicas.size == 0:
        return 0
    starts = np.sort(replicas["launch_s"])
    stops = np.sort(np.nan_to_num(replicas["stop_s"], nan=end_s))
    stopped = np.searchsorted(stops, starts, side="right")
    return int(np.max(np.arange(1, starts.size + 1) - stopped))


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else float("nan")


_N_SERVED, _N_REJECTED, _N_TIMED_OUT, _N_FAILED, _N_COLD, _N_SLOW = range(6)
_N_COUNTS = 6
_READY, _IN_SERVICE, _PRESENT, _TAIL = range(4)
_N_LIVES = 4


@inlined
def _lost(total: float, more: float) -> float:
    """Return what a sum loses by rounding, exactly (Knuth, TAOCP 2, 4.2.2, theorem B)."""
    rounded = total + more
    taken = rounded - total
    return (total - (rounded - taken)) + (more - taken)


@compiled
def _visit_requests(
    requests: Records,
    warm_up_s: float,
    slow_after_s: float,
    room_s: Floats,
    counts: Ints,
    times_s: Floats,
) -> int:
    """Count outcomes, sum times and write the response times measured, in one pass.

    Return how many those are.
    """
    measured = served = cold = slow = 0
    response_sum_s, response_error_s = times_s[0, 0], times_s[0, 1]
    wait_sum_s, wait_error_s = times_s[1, 0], times_s[1, 1]
    for i in range(requests.size):
        row = requests[i]
        if row.outcome == _SERVED:
            served += 1
            if row.arrival_s >= warm_up_s:
                response_s = row.departure_s - row.arrival_s
                wait_s = row.start_s - row.arrival_s
                room_s[measured] = response_s
                measured += 1
                response_error_s += _lost(response_sum_s, response_s)
                response_sum_s += response_s
                wait_error_s += _lost(wait_sum_s, wait_s)
                wait_sum_s += wait_s
                cold += row.cold
                slow += response_s > slow_after_s
        elif row.outcome == _REJECTED:
            counts[_N_REJECTED] += 1
        elif row.outcome == _TIMED_OUT:
            counts[_N_TIMED_OUT] += 1
        elif row.outcome == _FAILED:
            counts[_N_FAILED] += 1
    counts[_N_SERVED] += served
    counts[_N_COLD] += cold
    counts[_N_SLOW] += slow
    times_s[0, 0], times_s[0, 1] = response_sum_s, response_error_s
    times_s[1, 0], times_s[1, 1] = wait_sum_s, wait_error_s
    return measured


@compiled
def _visit_replicas(
    replicas: Records, end_s: float, horizon_s: float, lives_s: Floats
) -> None:
    """Add the lives that have stopped; with an end, all of them."""
    for i in range(replicas.size):
        row = replicas[i]
        stop_s = end_s if np.isnan(row.stop_s) else row.stop_s
        if np.isnan(stop_s):
            continue
        ready_s = stop_s if np.isnan(row.ready_s) else row.ready_s
        _add(lives_s, _READY, stop_s - ready_s)
        _add(lives_s, _IN_SERVICE, row.slot_s)
        _add(lives_s, _PRESENT, stop_s - row.launch_s)
        _add(lives_s, _TAIL, max(stop_s - max(row.launch_s, horizon_s), 0.0))


@inlined
def _add(sums: Floats, which: int, more: float) -> None:
    """Add to a sum that remembers its rounding error."""
    sums[which, 1] += _lost(sums[which, 0], more)
    sums[which, 0] += more
