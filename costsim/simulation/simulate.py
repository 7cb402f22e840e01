"""The engine's front door: check the inputs, run the kernel, wrap the records."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from costsim.records import REPLICA_DTYPE, REQUEST_DTYPE
from costsim.simulation import kernel
from costsim.simulation.heap import EVENT_DTYPE, REPLICA_BITS
from costsim.simulation.linked import NONE
from costsim.simulation.ranking import FIRST_SIZE, empty_tree
from costsim.simulation.result import SimulationResult
from costsim.simulation.rules import RULES_DTYPE, Routing, Rules
from costsim.simulation.settings import (
    Settings,
    TooFewSetupTimesError,
    arrival_times,
    check_settings,
    refuse,
    times,
)
from costsim.simulation.state import (
    BOUNDS_DTYPE,
    LIFE_DTYPE,
    N_LINES,
    POOL_DTYPE,
    Inputs,
    State,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike

    from costsim.records import Floats, Records

CACHE_LINE = 64
"""Bytes."""


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
        Only 0: a replica's speed does not depend on its load.
    autoscaler : str or mapping
        ``on_demand``, ``fixed``, ``concurrency_window``, ``queue_delay`` or
        ``request_count``, or a mapping with that ``kind`` and its parameters.
    bounds : sequence of (float, int, int or None), optional
        Schedule of (time [s], min replicas, max replicas).

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
    )
    inputs = _inputs(
        arrival_s, service_time_s, first_service_time_s, setup_time_s, settings
    )
    n_requests = int(np.searchsorted(inputs.arrival_s, settings.rules.horizon_s))
    state = _fresh_state(settings, inputs, n_requests)
    rules = np.array([settings.rules], dtype=RULES_DTYPE)[0]
    kernel.run_pool(rules, inputs, state, n_requests, settings.initial_replicas)
    launches = int(state.pool["launches"])
    if launches > inputs.setup_time_s.size:
        raise TooFewSetupTimesError(inputs.setup_time_s.size)
    # A copy, unless nearly all of the room was used: records outlive the run.
    n_replicas = int(state.pool["n_replicas"])
    return SimulationResult(
        requests=state.requests,
        replicas=state.replicas[:n_replicas].copy(),
        end_s=float(state.pool["end_s"]),
        launches=launches,
        horizon_s=horizon_s,
    )


def _inputs(
    arrival_s: ArrayLike,
    service_time_s: ArrayLike,
    first_service_time_s: ArrayLike | None,
    setup_time_s: ArrayLike,
    settings: Settings,
) -> Inputs:
    arrivals = arrival_times(arrival_s)
    if arrivals.size >= NONE:
        raise refuse("arrival_s", f"shorter than {NONE}", arrivals.size)
    services = times("service_time_s", service_time_s, size=arrivals.size)
    firsts = services
    if first_service_time_s is not None:
        firsts = times("first_service_time_s", first_service_time_s, size=arrivals.size)
    setups = times("setup_time_s", setup_time_s)
    if settings.initial_replicas + setups.size >= 1 << REPLICA_BITS:
        raise refuse("setup_time_s", f"shorter than {1 << REPLICA_BITS}", setups.size)
    before = settings.bounds_s < settings.rules.horizon_s
    bounds = np.empty(np.count_nonzero(before), dtype=BOUNDS_DTYPE)
    bounds["time_s"] = settings.bounds_s[before]
    bounds["min_replicas"] = settings.bounds_min[before]
    bounds["max_replicas"] = settings.bounds_max[before]
    return Inputs(
        arrival_s=_ordinary(arrivals),
        service_time_s=_ordinary(services),
        first_service_time_s=_ordinary(firsts),
        setup_time_s=_ordinary(setups),
        bounds=bounds,
    )


def _ordinary(array: Floats) -> Floats:
    """Return an array of the one kind that the loop is compiled for.

    numba would compile it anew for arrays that are read-only, as pandas gives them out.
    """
    return np.require(array, requirements=["ALIGNED", "WRITEABLE"])


def _fresh_state(settings: Settings, inputs: Inputs, n_requests: int) -> State:
    """Return the state at time 0. Room is virtual memory until the run writes to it."""
    rules = settings.rules
    n_replicas = settings.initial_replicas + inputs.setup_time_s.size
    ranked = rules.routing > Routing.LEAST_RECENTLY_USED
    tree = empty_tree(n_replicas if ranked else 0)
    pool = np.zeros(1, dtype=POOL_DTYPE)[0]
    pool["min_replicas"] = settings.min_replicas
    pool["max_replicas"] = settings.max_replicas
    pool["next_tick"] = pool["next_sample"] = 1
    pool["last_routed"] = -1
    pool["tree_size"] = FIRST_SIZE
    pool["level"] = rules.burst
    pool["low_since_s"] = math.nan
    pool["ends"] = NONE
    return State(
        pool=pool,
        requests=np.empty(n_requests, dtype=REQUEST_DTYPE),
        replicas=np.empty(n_replicas, dtype=REPLICA_DTYPE),
        life=_on_cache_lines(n_replicas, LIFE_DTYPE),
        heap=_on_cache_lines(n_requests + n_replicas + 1, EVENT_DTYPE),
        waits=np.empty((N_LINES + 1, n_requests), dtype=np.uint32),
        tree=tree,
        replica_at=np.empty(tree.size // 2, dtype=np.int32),
        samples=np.zeros(2 * _ticks_in_window(rules)),
    )


def _ticks_in_window(rules: Rules) -> int:
    """Return how many coming ticks may have begun their window, at least 1."""
    if rules.scaling_window_s == 0:
        return 1
    return math.floor(rules.scaling_window_s / rules.scaling_interval_s) + 3


def _on_cache_lines(size: int, dtype: np.dtype[np.void]) -> Records:
    """Return an array that begins on a cache line, so that no record straddles two."""
    room = np.empty((size + 1) * dtype.itemsize + CACHE_LINE, dtype=np.uint8)
    skip = -room.ctypes.data % CACHE_LINE
    return room[skip : skip + size * dtype.itemsize].view(dtype)
