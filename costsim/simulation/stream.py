"""A pool fed chunk by chunk: what the loop needs, it is given; what it settles, told.

Memory grows with what is in the pool at once, not with the length of the run, and the
result is the same bits however the arrivals are cut into chunks.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from costsim.records import REPLICA_DTYPE, REQUEST_DTYPE
from costsim.simulation import kernel
from costsim.simulation.heap import EVENT_DTYPE, ID_BITS
from costsim.simulation.kernel import Stopped
from costsim.simulation.linked import NONE
from costsim.simulation.lowest import FIRST_POSITIONS, N_WORDS, room_for_positions
from costsim.simulation.policies.memory import fresh_memory, samples_in_window
from costsim.simulation.ranking import FIRST_SIZE, OUT, room_for
from costsim.simulation.rules import RULES_DTYPE, Routing, Rules
from costsim.simulation.settings import TooFewSetupTimesError
from costsim.simulation.state import (
    BOUNDS_DTYPE,
    BUSY_DTYPE,
    JOB_DTYPE,
    LIFE_DTYPE,
    NOBODY,
    OLDEST,
    POOL_DTYPE,
    WAIT_DTYPE,
    Inputs,
    State,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from costsim.records import Floats, Ints, Records
    from costsim.simulation.settings import Settings

CACHE_LINE = 64
"""Bytes."""

ROWS = 16_384
"""Rows of settled requests that are handed over at once, about: they stay in the cache."""

_FIRST_SLOTS = 1024
_FIRST_PLACES = 1024
_NO_TIMES = np.empty(0)


class Observer(Protocol):
    """Who is told what became of requests and replicas."""

    def on_requests(self, rows: Records) -> None:
        """Take requests as they are settled, each once; the rows are used again.

        A request is settled when its end is known: when it begins service, is rejected,
        times out or fails; where service slows down or replicas die, when it completes.
        Of one that was not served ``departure_s`` says when it left.
        """

    def on_busy(self, rows: Records) -> None:
        """Take times (BUSY_DTYPE) that replicas were busy, each replica's in order.

        Told only where requests are not told of when they begin.
        """

    def on_replicas(self, rows: Records, ids: Ints) -> None:
        """Take replicas that have stopped, and at the end those that have not.

        All that was in service on them has been told before.
        """


class Setups(NamedTuple):
    """Setup times of launches that follow each other, and what else chance decides."""

    setup_time_s: Floats
    """Where a mixture finds its cache; else always. [s]"""
    miss_setup_time_s: Floats = _NO_TIMES
    """Where it does not. [s]"""
    u: Floats = _NO_TIMES
    """Which of the two, uniform in (0, 1)."""
    lifetime_s: Floats = _NO_TIMES
    """How long each replica lives once it is ready, if replicas die. [s]"""


class PoolRun:
    """One run of one pool."""

    def __init__(
        self,
        settings: Settings,
        draw_setups: Callable[[int], Setups | None],
        observer: Observer,
        *,
        initial_lifetime_s: Floats = _NO_TIMES,
        requests: Records | None = None,
    ) -> None:
        """Begin at 0.

        Parameters
        ----------
        settings : Settings
            As ``check_settings`` returns them.
        draw_setups : callable
            Given how many replicas have been launched, the setups of those that follow.
        observer : Observer
            Who is told.
        initial_lifetime_s : ndarray of float64
            Of the initial replicas, if replicas die. [s]
        requests : ndarray of REQUEST_DTYPE, optional
            Where every request's row is written, by id; the observer is told of
            replicas only.
        """
        rules = settings.rules
        self._settings = settings
        self._rules = np.array([rules], dtype=RULES_DTYPE)[0]
        self._draw_setups = draw_setups
        self._observer = observer
        self._inputs = Inputs(
            arrival_s=_NO_TIMES,
            service_time_s=_NO_TIMES,
            first_service_time_s=_NO_TIMES,
            setup_time_s=_NO_TIMES,
            miss_setup_time_s=_NO_TIMES,
            setup_u=_NO_TIMES,
            lifetime_s=_NO_TIMES,
            initial_lifetime_s=_ordinary(initial_lifetime_s),
            bounds=_bounds_before(settings, rules.horizon_s),
        )
        self._state = _fresh_state(settings, requests)
        self._make_rows()

    @property
    def end_s(self) -> float:
        """The last event that changed a request or a replica; the end, once it ended. [s]"""
        return float(self._state.pool["end_s"])

    @property
    def arrived(self) -> int:
        """Requests that have arrived."""
        return int(self._state.pool["arrived"])

    @property
    def launches(self) -> int:
        """Replicas launched; initial ones were not."""
        return int(self._state.pool["launches"])

    @property
    def peak_replicas(self) -> int:
        """Most replicas starting, ready or draining at once."""
        return int(self._state.pool["peak_present"])

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """Everything that the run holds."""
        return (*self._state[2:], self._rows, self._ids)

    def feed(
        self,
        arrival_s: Floats,
        service_time_s: Floats,
        first_service_time_s: Floats | None = None,
    ) -> None:
        """Go on as far as these arrivals take the run.

        Parameters
        ----------
        arrival_s : ndarray of float64, shape (n,)
            Ascending, no earlier than those before. What arrives at the horizon or
            later is dropped. [s]
        service_time_s : ndarray of float64, shape (n,)
            Work of each. [s]
        first_service_time_s : ndarray of float64, shape (n,), optional
            Work of each where it is the first on its replica. [s]

        Raises
        ------
        TooFewSetupTimesError
            If those run out.
        """
        n = int(np.searchsorted(arrival_s, self._settings.rules.horizon_s))
        firsts = (
            service_time_s if first_service_time_s is None else first_service_time_s
        )
        if self.arrived + n >= 1 << ID_BITS:
            message = f"a run has fewer than {1 << ID_BITS:,} requests"
            raise ValueError(message)
        self._inputs = self._inputs._replace(
            arrival_s=_ordinary(arrival_s)[:n],
            service_time_s=_ordinary(service_time_s)[:n],
            first_service_time_s=_ordinary(firsts)[:n],
        )
        self._state.pool["first_arrival"] = self.arrived
        self._advance()

    def finish(self) -> None:
        """Let the run end: no more arrivals come."""
        self._state.pool["last_chunk"] = True
        self.feed(_NO_TIMES, _NO_TIMES)
        self._tell_requests()

    def _advance(self) -> None:
        """Run until the chunk is used up, or to the end."""
        initial = self._settings.initial_replicas
        while True:
            why, n_stopped = kernel.run_pool(
                self._rules, self._inputs, self._state, initial, self._rows, self._ids
            )
            if n_stopped:
                self._tell_requests()
                self._observer.on_replicas(
                    self._rows[:n_stopped], self._ids[:n_stopped]
                )
            if why in (Stopped.ENDED, Stopped.NEEDS_ARRIVALS):
                return
            if why == Stopped.NEEDS_SETUPS:
                self._take_setups()
            elif why == Stopped.NEEDS_ROOM:
                self._tell_requests()
                self._make_room()
            else:
                raise TooFewSetupTimesError(self.launches - 1)

    def _tell_requests(self) -> None:
        n = int(self._state.pool["n_settled"])
        if n:
            self._observer.on_requests(self._state.requests[:n])
            self._state.pool["n_settled"] = 0
        n = int(self._state.pool["n_busy"])
        if n:
            self._observer.on_busy(self._state.busy[:n])
            self._state.pool["n_busy"] = 0

    def _take_setups(self) -> None:
        setups = self._draw_setups(self.launches)
        pool = self._state.pool
        if setups is None:
            pool["no_more_setups"] = True
            return
        self._inputs = self._inputs._replace(
            setup_time_s=_ordinary(setups.setup_time_s),
            miss_setup_time_s=_ordinary(setups.miss_setup_time_s),
            setup_u=_ordinary(setups.u),
            lifetime_s=_ordinary(setups.lifetime_s),
        )
        pool["first_setup"] = pool["launches"]

    def _make_room(self) -> None:
        """Double whatever is more than half full; one of them is what the loop lacks."""
        state = self._state
        pool = state.pool
        if pool["n_present"] * 2 > state.life.size:
            state = _with_more_slots(state, self._settings.rules)
        places = int(pool["tail"] - pool["cursors"][OLDEST])
        if places * 2 > state.waits.size:
            state = state._replace(waits=_longer_ring(state.waits, pool))
        jobs = int(pool["n_in_progress"] + pool["backing_off"])
        if state.jobs.size and (jobs + pool["n_waiting"]) * 2 > state.jobs.size:
            state = state._replace(jobs=_twice(state.jobs))
        if (
            not self._rules["records"]
            and 2 * (jobs + pool["n_waiting"]) > state.requests.size
        ):
            state = state._replace(requests=np.zeros_like(_twice(state.requests)))
        if state.busy.size and 4 * (jobs + pool["n_waiting"]) > state.busy.size:
            state = state._replace(busy=_twice(state.busy))
        events = pool["n_events"] + pool["n_waiting"] + pool["n_starting"] + jobs
        if 2 * events + 16 > state.heap.size:
            heap = _on_cache_lines(2 * state.heap.size, EVENT_DTYPE)
            heap[: state.heap.size] = state.heap
            state = state._replace(heap=heap)
        self._state = state
        self._make_rows()

    def _make_rows(self) -> None:
        n_slots = self._state.life.size
        self._rows = np.empty(n_slots, dtype=REPLICA_DTYPE)
        self._ids = np.empty(n_slots, dtype=np.int64)


def _bounds_before(settings: Settings, horizon_s: float) -> Records:
    """Return the schedule's entries before the horizon."""
    before = settings.bounds_s < horizon_s
    bounds = np.empty(np.count_nonzero(before), dtype=BOUNDS_DTYPE)
    bounds["time_s"] = settings.bounds_s[before]
    bounds["min_replicas"] = settings.bounds_min[before]
    bounds["max_replicas"] = settings.bounds_max[before]
    return bounds


def _ordinary(array: Floats) -> Floats:
    """Return an array of the one kind that the loop is compiled for.

    numba would compile it anew for arrays that are read-only, as pandas gives them out.
    """
    return np.require(array, np.float64, ["C", "ALIGNED", "WRITEABLE"])


def _fresh_state(settings: Settings, requests: Records | None) -> State:
    """Return the state at time 0."""
    rules = settings.rules
    n_slots = _FIRST_SLOTS
    while n_slots < 2 * settings.initial_replicas:
        n_slots *= 2
    pool = np.zeros(1, dtype=POOL_DTYPE)[0]
    pool["min_replicas"] = settings.min_replicas
    pool["max_replicas"] = settings.max_replicas
    pool["next_tick"] = pool["next_sample"] = 1
    pool["ticking"] = rules.scaling_interval_s > 0
    pool["last_routed"] = NOBODY
    by_id = rules.routing == Routing.OLDEST
    pool["tree_size"] = FIRST_POSITIONS if by_id else FIRST_SIZE
    pool["level"] = rules.burst
    pool["keep_alive_s"] = settings.histogram_bins * rules.bin_s
    pool["idle_since_s"] = math.nan
    pool["low_since_s"] = math.nan
    pool["ends"] = NONE
    pool["free_slot"] = pool["free_job"] = NONE
    pool["wanted_for"] = NOBODY
    if requests is None:
        requests = np.zeros(ROWS, dtype=REQUEST_DTYPE)
    tree, enrolled = _ranking(n_slots, rules)
    memory, ring = fresh_memory(rules, settings.initial_replicas)
    return State(
        pool=pool,
        requests=requests,
        life=_on_cache_lines(n_slots, LIFE_DTYPE),
        heap=_on_cache_lines(8 * n_slots, EVENT_DTYPE),
        waits=np.empty(_FIRST_PLACES, dtype=WAIT_DTYPE),
        jobs=np.empty(_FIRST_PLACES if rules.tracked else 0, dtype=JOB_DTYPE),
        idle_times=np.zeros(settings.histogram_bins, dtype=np.int64),
        busy=np.empty(ROWS if rules.tracked else 0, dtype=BUSY_DTYPE),
        tree=tree,
        enrolled=enrolled,
        samples=np.zeros(2 * samples_in_window(rules)),
        memory=memory,
        ring=ring,
    )


def _ranking(n_slots: int, rules: Rules) -> tuple[Ints, Ints]:
    """Return an empty ranking and its entries, with room for so many replicas at once."""
    if rules.routing == Routing.OLDEST:
        n = room_for_positions(n_slots)
        return np.zeros(N_WORDS, dtype=np.int64), np.empty(n, dtype=np.int64)
    ranked = rules.routing > Routing.LEAST_RECENTLY_USED
    size = room_for(n_slots) if ranked else FIRST_SIZE
    tree = np.empty(2 * size, dtype=np.int64)
    tree[: 2 * FIRST_SIZE] = OUT
    return tree, np.empty(size, dtype=np.int64)


def _with_more_slots(state: State, rules: Rules) -> State:
    life = _on_cache_lines(2 * state.life.size, LIFE_DTYPE)
    life[: state.life.size] = state.life
    tree, enrolled = _ranking(life.size, rules)
    if tree.size == state.tree.size:
        tree = state.tree
    else:
        tree[: state.tree.size] = state.tree
    enrolled[: state.enrolled.size] = state.enrolled
    return state._replace(life=life, tree=tree, enrolled=enrolled)


def _longer_ring(waits: Records, pool: np.void) -> Records:
    """Return a ring of twice the size, everybody at the place that is theirs."""
    longer = _twice(waits)
    places = np.arange(pool["cursors"][OLDEST], pool["tail"])
    longer[places & (longer.size - 1)] = waits[places & (waits.size - 1)]
    return longer


def _twice(array: Records) -> Records:
    longer = np.empty(2 * array.size, dtype=array.dtype)
    longer[: array.size] = array
    return longer


def _on_cache_lines(size: int, dtype: np.dtype[np.void]) -> Records:
    """Return an array that begins on a cache line, so that no record straddles two."""
    room = np.empty((size + 1) * dtype.itemsize + CACHE_LINE, dtype=np.uint8)
    skip = -room.ctypes.data % CACHE_LINE
    return room[skip : skip + size * dtype.itemsize].view(dtype)
