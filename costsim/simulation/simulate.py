"""The engine's front door: check the inputs, run the pool, wrap the records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from costsim.records import REPLICA_DTYPE, REQUEST_DTYPE
from costsim.simulation.arguments import refuse
from costsim.simulation.heap import ID_BITS, PLACE_BITS
from costsim.simulation.metrics import MeasureAccumulator
from costsim.simulation.result import SimulationResult
from costsim.simulation.settings import (
    TooFewLifetimesError,
    TooFewSetupTimesError,
    arrival_times,
    check_settings,
    times,
)
from costsim.simulation.stream import PoolRun, Setups

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike

    from costsim.records import Floats, Ints, Records


def simulate_pool(
    arrival_s: ArrayLike,
    service_time_s: ArrayLike,
    setup_time_s: ArrayLike,
    *,
    idle_timeout_s: float = 60.0,
    min_replicas: int = 0,
    max_replicas: int | None = None,
    concurrency_limit: int = 1,
    concurrency_target: float | None = None,
    buffer_replicas: int = 0,
    max_queued: int | None = None,
    queue_timeout_s: float | None = None,
    rate_limit: tuple[float, float] | None = None,
    at_zero: str | tuple[str, float] = "hold",
    binding: str = "shared",
    cancel_setups: bool = False,
    routing: str = "most_recently_used",
    initial_replicas: int | None = None,
    horizon_s: float | None = None,
    end: str = "drain",
    first_service_time_s: ArrayLike | None = None,
    slowdown: float = 0.0,
    autoscaler: str | Mapping[str, Any] = "on_demand",
    bounds: Sequence[tuple[float, int, int | None]] | None = None,
    failures: Mapping[str, Any] | None = None,
    setup_mixture: Mapping[str, Any] | None = None,
    keep_alive: Mapping[str, Any] | None = None,
    chunk_size: int | None = None,
    records: bool = True,
) -> SimulationResult:
    """Simulate one pool of replicas, request by request.

    The rules, clause by clause, are in ``docs/model.md``. Simultaneous events happen in
    the order completion, setup ends, idle timeout, give-up, arrival, bounds, tick.

    Parameters
    ----------
    arrival_s : array_like of float, shape (n_requests,)
        Arrival times, non-decreasing, >= 0. [s]
    service_time_s : array_like of float, shape (n_requests,)
        Work that each request brings. [s]
    setup_time_s : array_like of float, shape (n_launches,)
        Setup time of the n-th launch; as many as the run may need. [s]
    idle_timeout_s : float
        A ready replica with nothing in service stops after this; inf: never. [s]
    min_replicas, max_replicas : int
        Bounds on replicas alive; None: unlimited.
    concurrency_limit : int
        Slots per replica.
    concurrency_target : float, optional
        Requests per replica that the autoscaler aims at; the limit if None.
    buffer_replicas : int
        On demand: extra replicas while the pool is active.
    max_queued : int, optional
        Requests that may wait; more are rejected.
    queue_timeout_s : float, optional
        How long a request waits before it gives up. [s]
    rate_limit : (float, float), optional
        Token bucket: rate [requests/s] and burst [requests].
    at_zero : {"hold", "reject"} or ("hold_for", float)
        What happens to a request while no replica is ready.
    binding : {"shared", "bound"}
        One queue, or the request that causes a launch waits for that replica.
    cancel_setups : bool
        Abort setups that are no longer needed.
    routing : str
        Which ready replica takes an arrival: most_recently_used, least_recently_used,
        newest, oldest, least_loaded, most_loaded or round_robin.
    initial_replicas : int, optional
        Ready and idle at 0; min_replicas if None.
    horizon_s : float, optional
        Arrivals from here on are dropped. [s]
    end : {"drain", "cut"}
        Whether what is in the system at the horizon is served or cut off.
    first_service_time_s : array_like of float, shape (n_requests,), optional
        Replaces the service time of a replica's first request. [s]
    slowdown : float
        With n requests in service each goes 1 / (1 + slowdown (n - 1)) times as fast. [1]
    autoscaler : str or mapping
        ``on_demand``, ``fixed``, ``concurrency_window``, ``queue_delay``,
        ``request_count``, ``knative``, ``hpa``, ``keda``, ``request_rate`` or
        ``step_tracking``, or a mapping with that ``kind`` and its parameters.
    bounds : sequence of (float, int, int or None), optional
        Schedule of (time [s], min replicas, max replicas).
    failures : mapping, optional
        Replicas die: ``lifetime_s``, array of float by replica id, from ready on [s];
        ``max_attempts`` (1) times that a request may begin; ``backoff_s`` (0) before it
        comes back the first time [s]; ``backoff_factor`` (2) from then on.
    setup_mixture : mapping, optional
        A launch takes its ``setup_time_s`` only with ``probability``, halved for each
        ``half_life_s`` (inf) [s] that no replica has been alive: if its ``u``, array of
        float in (0, 1), is below that. Else it takes its ``miss_setup_time_s``. [s]
    keep_alive : mapping, optional
        On demand: how long idle replicas are kept is learned from how long the pool was
        idle, instead of ``idle_timeout_s``: ``bin_s`` (60) and ``range_s`` (14,400) of
        the histogram [s], ``head`` (0.05) and ``tail`` (0.99) quantiles, ``margin``
        (0.1), ``cv_threshold`` (2) of counts that say something, and the share
        ``most_out_of_bounds`` (0.5) of idle times beyond the range that spoils it.
    chunk_size : int, optional
        Requests given to the engine at a time; changes nothing of the result.
    records : bool
        Whether to keep a row for every request and replica. If not, the result has
        ``measures``, and memory grows with what is in the pool at once.

    Returns
    -------
    SimulationResult

    Raises
    ------
    ValueError
        If an argument is not allowed, or the setup times run out; names the argument.
    """
    settings = check_settings(
        idle_timeout_s=idle_timeout_s,
        min_replicas=min_replicas,
        max_replicas=max_replicas,
        concurrency_limit=concurrency_limit,
        concurrency_target=concurrency_target,
        buffer_replicas=buffer_replicas,
        max_queued=max_queued,
        queue_timeout_s=queue_timeout_s,
        rate_limit=rate_limit,
        at_zero=at_zero,
        binding=binding,
        cancel_setups=cancel_setups,
        routing=routing,
        initial_replicas=initial_replicas,
        horizon_s=horizon_s,
        end=end,
        slowdown=slowdown,
        autoscaler=autoscaler,
        bounds=bounds,
        failures=failures,
        setup_mixture=setup_mixture,
        keep_alive=keep_alive,
        records=bool(records),
    )
    arrivals = arrival_times(arrival_s)
    services = times("service_time_s", service_time_s, size=arrivals.size)
    firsts = services
    if first_service_time_s is not None:
        firsts = times("first_service_time_s", first_service_time_s, size=arrivals.size)
    n = int(np.searchsorted(arrivals, settings.rules.horizon_s))
    if n >= 1 << ID_BITS:
        raise refuse("arrival_s", f"shorter than {1 << ID_BITS}", n)
    setups = _GivenSetups(
        setup_time_s, setup_mixture, failures, settings.initial_replicas
    )
    kept: _Kept | _Measured = _Measured(concurrency_limit, horizon_s)
    if records:
        kept = _Kept(n)
    run = PoolRun(
        settings,
        setups,
        kept,
        initial_lifetime_s=setups.initial_lifetime_s,
        requests=kept.requests,
    )
    try:
        for chunk in _chunks(n, chunk_size):
            run.feed(arrivals[chunk], services[chunk], firsts[chunk])
        run.finish()
    except TooFewSetupTimesError as error:
        raise setups.overrun() from error
    return kept.result(run, horizon_s)


def _chunks(n: int, chunk_size: int | None) -> list[slice]:
    """Return the pieces of n requests."""
    if chunk_size is None:
        return [slice(0, n)]
    if isinstance(chunk_size, bool) or int(chunk_size) != chunk_size or chunk_size < 1:
        raise refuse("chunk_size", "a whole number >= 1", chunk_size)
    return [slice(i, min(i + int(chunk_size), n)) for i in range(0, n, int(chunk_size))]


class _GivenSetups:
    """Setup times of all launches, in arrays; they are given once."""

    def __init__(
        self,
        setup_time_s: ArrayLike,
        mixture: Mapping[str, Any] | None,
        failures: Mapping[str, Any] | None,
        initial_replicas: int,
    ) -> None:
        setups = Setups(times("setup_time_s", setup_time_s))
        n = setups.setup_time_s.size
        if n >= 1 << PLACE_BITS:
            raise refuse("setup_time_s", f"shorter than {1 << PLACE_BITS}", n)
        if mixture is not None:
            setups = setups._replace(
                miss_setup_time_s=_column("miss_setup_time_s", mixture, n),
                u=_column("u", mixture, n),
            )
        self.initial_lifetime_s = np.empty(0)
        self._n_lifetimes = initial_replicas + n
        if failures is not None:
            lifetimes = _lifetimes(failures)
            self._n_lifetimes = lifetimes.size
            if lifetimes.size < initial_replicas:
                raise TooFewLifetimesError(lifetimes.size)
            self.initial_lifetime_s = lifetimes[:initial_replicas]
            launched = lifetimes[initial_replicas : initial_replicas + n]
            # Whichever runs out first is the end of both.
            setups = setups._replace(
                setup_time_s=setups.setup_time_s[: launched.size],
                lifetime_s=launched,
            )
        self._n = n
        self._setups: Setups | None = setups

    def __call__(self, launches: int) -> Setups | None:
        """Return all of them, the first time."""
        del launches
        given, self._setups = self._setups, None
        return given

    def overrun(self) -> ValueError:
        """Return the error of a run that would have needed more."""
        if self._n_lifetimes < self.initial_lifetime_s.size + self._n:
            return TooFewLifetimesError(self._n_lifetimes)
        return TooFewSetupTimesError(self._n)


def _column(name: str, mixture: Mapping[str, Any], n: int) -> Floats:
    """Return an array of a mixture, a value for each launch."""
    if name not in mixture:
        raise refuse("setup_mixture", f"given {name}", "none")
    return times(f"setup_mixture {name}", mixture[name], size=n)


def _lifetimes(failures: Mapping[str, Any]) -> Floats:
    """Return the lifetimes of replicas: above 0, inf for one that does not die."""
    if "lifetime_s" not in failures:
        raise refuse("failures", "given lifetime_s", "none")
    lifetimes = np.ascontiguousarray(failures["lifetime_s"], dtype=np.float64)
    if lifetimes.ndim != 1 or not np.all(lifetimes > 0):
        raise refuse("failures lifetime_s", "one-dimensional and > 0", lifetimes)
    return lifetimes


class _Kept:
    """Every request and every replica of a run."""

    def __init__(self, n_requests: int) -> None:
        self.requests: Records = np.zeros(n_requests, dtype=REQUEST_DTYPE)
        self._rows: list[Records] = [np.empty(0, dtype=REPLICA_DTYPE)]
        self._ids: list[Ints] = [np.empty(0, dtype=np.int64)]

    def on_requests(self, rows: Records) -> None:
        """Take nothing: every row is written where it belongs."""

    def on_busy(self, rows: Records) -> None:
        """Take nothing: the rows of requests tell."""

    def on_replicas(self, rows: Records, ids: Ints) -> None:
        """Take what has stopped."""
        self._rows.append(rows.copy())
        self._ids.append(ids.copy())

    def result(self, run: PoolRun, horizon_s: float | None) -> SimulationResult:
        """Return all of them, replicas in order of creation."""
        ids = np.concatenate(self._ids)
        replicas = np.empty(ids.size, dtype=REPLICA_DTYPE)
        replicas[ids] = np.concatenate(self._rows)
        return SimulationResult(
            requests=self.requests,
            replicas=replicas,
            end_s=run.end_s,
            launches=run.launches,
            horizon_s=horizon_s,
        )


class _Measured:
    """The measures of a run, and nothing else."""

    requests = None

    def __init__(self, concurrency_limit: int, horizon_s: float | None) -> None:
        self._measures = MeasureAccumulator(
            concurrency_limit=concurrency_limit, horizon_s=horizon_s
        )

    def on_requests(self, rows: Records) -> None:
        """Measure what has been settled."""
        self._measures.add_requests(rows)

    def on_busy(self, rows: Records) -> None:
        """Take nothing: no measure is about it."""

    def on_replicas(self, rows: Records, ids: Ints) -> None:
        """Measure what has stopped."""
        del ids
        self._measures.add_replicas(rows)

    def result(self, run: PoolRun, horizon_s: float | None) -> SimulationResult:
        """Return the measures, without a record."""
        return SimulationResult(
            requests=np.empty(0, dtype=REQUEST_DTYPE),
            replicas=np.empty(0, dtype=REPLICA_DTYPE),
            end_s=run.end_s,
            launches=run.launches,
            horizon_s=horizon_s,
            measures=self._measures.measures(
                run.end_s, run.launches, run.peak_replicas
            ),
        )
