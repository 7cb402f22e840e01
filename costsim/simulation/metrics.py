"""Measures of one simulated pool: quantiles, means over requests, means over time.

Response times are those of served requests that arrived after the warm-up; what was
rejected or timed out is counted beside them, never averaged away. Averages over requests
and averages over time differ: the names say which.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from costsim.records import Outcome
from costsim.simulation.compiled import compiled

if TYPE_CHECKING:
    from costsim.records import Floats, Ints, Records
    from costsim.simulation.result import SimulationResult

PERCENTS = (50, 90, 95, 99)
"""Quantiles that are reported, in per cent."""

EXACT_UP_TO = 10_000_000
"""Response times that are kept; of more, the pooled quantiles come from a histogram."""

_SERVED = int(Outcome.SERVED)
_REJECTED = int(Outcome.REJECTED)
_TIMED_OUT = int(Outcome.TIMED_OUT)

_MANTISSA_BITS = 9
"""Bins split each power of two into 2^9: the middle of one is within 0.1 % of all in it."""
_LEAST_S = 2.0**-30
"""Shorter times, about a nanosecond, share the first bin. [s]"""
_N_BINS = 64 << _MANTISSA_BITS
"""64 powers of two: up to 1.7e10 s."""


@dataclass(frozen=True, eq=False)
class PoolMeasures:
    """Measures of one run of one pool."""

    requests: int
    """Arrivals before the horizon, warm-up included; so are the next three."""
    served: int
    rejected: int
    timed_out: int
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
    """Quantiles of the response time at PERCENTS, exact if all were kept. [s]"""
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
    """Response times measured, in no order; empty if they were not to be kept. [s]"""
    histogram: Ints | None
    """Counts of response times in log-spaced bins; None if they were kept."""

    @property
    def lost(self) -> int:
        """Requests that were not served: rejected, timed out, or never begun."""
        return self.requests - self.served


def measure_pool(
    result: SimulationResult,
    *,
    warm_up_s: float = 0.0,
    slow_after_s: float | None = None,
    concurrency_limit: int = 1,
    keep: bool = True,
) -> PoolMeasures:
    """Return the measures of a simulated pool.

    Parameters
    ----------
    result : SimulationResult
        The records.
    warm_up_s : float
        Requests that arrive earlier are left out of response times. [s]
    slow_after_s : float, optional
        A response time above this counts as over the SLO. [s]
    concurrency_limit : int
        Slots per replica.
    keep : bool
        Whether to keep every response time, or a histogram of them.
    """
    response_s = np.empty(len(result.requests))
    counts = np.zeros(6, dtype=np.int64)
    sums = np.zeros(2)
    slow = np.inf if slow_after_s is None else slow_after_s
    _visit_requests(result.requests, warm_up_s, slow, response_s, counts, sums)
    measured = int(counts[3])
    response_s = response_s[:measured]
    counted = None if keep else histogram(response_s)
    quantiles_s = (
        quantiles(response_s) if counted is None else histogram_quantiles(counted)
    )
    replicas = result.replicas
    stop_s = np.where(np.isnan(replicas["stop_s"]), result.end_s, replicas["stop_s"])
    ready_s = np.where(np.isnan(replicas["ready_s"]), stop_s, replicas["ready_s"])
    ready_seconds = float(np.sum(stop_s - ready_s))
    slot_seconds = float(np.sum(replicas["slot_s"]))
    return PoolMeasures(
        requests=len(result.requests),
        served=int(counts[0]),
        rejected=int(counts[1]),
        timed_out=int(counts[2]),
        measured=measured,
        mean_s=_ratio(sums[0], measured),
        mean_wait_s=_ratio(sums[1], measured),
        cold=int(counts[4]),
        over_slo=int(counts[5]),
        quantiles_s=quantiles_s,
        launches=result.launches,
        utilization=_ratio(slot_seconds, concurrency_limit * ready_seconds),
        mean_ready_replicas=_ratio(ready_seconds, result.end_s),
        peak_replicas=_peak(replicas["launch_s"], stop_s),
        replica_hours=float(np.sum(stop_s - replicas["launch_s"])) / 3600.0,
        tail_hours=_after(replicas["launch_s"], stop_s, result.horizon_s) / 3600.0,
        response_s=response_s if keep else np.empty(0),
        histogram=counted,
    )


def quantiles(values: Floats) -> tuple[float, ...]:
    """Return the exact quantiles at PERCENTS: of n, the ceil(q n)-th smallest.

    NaN where there are no values. The values are reordered in place.
    """
    n = values.size
    if n == 0:
        return (np.nan,) * len(PERCENTS)
    # In integers: 0.95 x 20 is not 19 for every float.
    ranks = [-(-n * percent // 100) - 1 for percent in PERCENTS]
    values.partition(sorted(set(ranks)))
    return tuple(float(values[rank]) for rank in ranks)


def histogram(values: Floats) -> Ints:
    """Return counts in log-spaced bins; zero goes to the first."""
    # A positive float's bits, read as an integer, are its logarithm in steps.
    bits = np.maximum(values, _LEAST_S).view(np.int64) >> (52 - _MANTISSA_BITS)
    bits -= _first_bits()
    return np.bincount(np.minimum(bits, _N_BINS - 1), minlength=_N_BINS)


def histogram_quantiles(counts: Ints) -> tuple[float, ...]:
    """Return the quantiles at PERCENTS to 0.1 %, from the sum of histograms."""
    cumulative = np.cumsum(counts)
    n = int(cumulative[-1])
    if n == 0:
        return (np.nan,) * len(PERCENTS)
    ranks = [-(-n * percent // 100) for percent in PERCENTS]
    bins = np.searchsorted(cumulative, ranks)
    # Half a bin up, in the same arithmetic.
    middle = ((2 * (bins + _first_bits()) + 1) << (51 - _MANTISSA_BITS)).view(
        np.float64
    )
    return tuple(float(value) for value in middle)


def _first_bits() -> int:
    return int(np.float64(_LEAST_S).view(np.int64)) >> (52 - _MANTISSA_BITS)


def mean_level(start_s: Floats, stop_s: Floats, span_s: float, n_bins: int) -> Floats:
    """Return the mean number of intervals [start, stop) open in each of equal bins.

    Exact, and without sorting: the intervals' common length before an edge e is the sum
    of min(stop, e) - min(start, e), and each sum needs only totals by bin.

    Parameters
    ----------
    start_s, stop_s : ndarray of float64, shape (n,)
        Intervals, from 0 on. [s]
    span_s : float
        The bins divide [0, span_s). [s]
    n_bins : int
        How many.
    """
    width_s = span_s / n_bins
    before_s = _sum_of_minima(stop_s, width_s, n_bins)
    before_s -= _sum_of_minima(start_s, width_s, n_bins)
    return np.diff(before_s) / width_s


def _sum_of_minima(times_s: Floats, width_s: float, n_bins: int) -> Floats:
    """Return the sum of min(time, edge) for each edge of the bins. [s]"""
    bins = np.minimum(times_s / width_s, n_bins).astype(np.int64)
    count = np.bincount(bins, minlength=n_bins + 1)
    total_s = np.bincount(bins, weights=times_s, minlength=n_bins + 1)
    earlier = np.concatenate([[0], np.cumsum(count)[:n_bins]])
    sums_s: Floats = np.concatenate([[0.0], np.cumsum(total_s)[:n_bins]])
    edges_s = width_s * np.arange(n_bins + 1)
    sums_s += edges_s * (times_s.size - earlier)
    return sums_s


def _after(start_s: Floats, stop_s: Floats, moment_s: float | None) -> float:
    """Return the intervals' time after a moment. [s]"""
    if moment_s is None:
        return 0.0
    return float(np.sum(np.maximum(stop_s - np.maximum(start_s, moment_s), 0.0)))


def _peak(start_s: Floats, stop_s: Floats) -> int:
    """Return the most intervals open at once; one that stops as another starts is gone."""
    if start_s.size == 0:
        return 0
    starts = np.sort(start_s)
    stopped = np.searchsorted(np.sort(stop_s), starts, side="right")
    return int(np.max(np.arange(1, starts.size + 1) - stopped))


def _ratio(part: float, whole: float) -> float:
    return float(part) / whole if whole > 0 else float("nan")


@compiled
def _visit_requests(
    requests: Records,
    warm_up_s: float,
    slow_after_s: float,
    response_s: Floats,
    counts: Ints,
    sums: Floats,
) -> None:
    """Count outcomes, sum times and write the response times measured, in one pass."""
    for i in range(requests.size):
        row = requests[i]
        if row.outcome == _REJECTED:
            counts[1] += 1
        elif row.outcome == _TIMED_OUT:
            counts[2] += 1
        elif row.outcome == _SERVED:
            counts[0] += 1
            if row.arrival_s >= warm_up_s:
                response = row.departure_s - row.arrival_s
                response_s[counts[3]] = response
                counts[3] += 1
                sums[0] += response
                sums[1] += row.start_s - row.arrival_s
                if row.cold:
                    counts[4] += 1
                if response > slow_after_s:
                    counts[5] += 1
