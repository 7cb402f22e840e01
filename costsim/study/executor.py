"""The one place that knows where work runs: threads, processes or a cluster.

Threads are enough for work that is mostly kernel, which runs without the interpreter's
lock: nothing is copied, and the compiled code is loaded once. Many small tasks need
processes, of this machine or of a cluster.
"""

from __future__ import annotations

import os
from collections import Counter, deque
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from costsim.errors import SimulationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from costsim.study.places import Place

Shared = TypeVar("Shared")
Task = TypeVar("Task")
Result = TypeVar("Result")

RETRIES = 3
"""How often a task is tried again whose worker has vanished."""
_BREAKS_WITHIN_S = 0.2
"""A pool that breaks fails all that is in it, one after the other, in far less. [s]"""


@dataclass(frozen=True)
class Workers:
    """Where work runs: threads on all cores of this machine if nothing is said."""

    count: int | None = None
    """Workers of this machine; as many as it has cores if None."""
    executor: Executor | None = None
    """The caller's own."""
    processes: bool = False
    """Processes instead of threads; what they get must be picklable."""
    cluster: str | None = None
    """Instead of this machine: address of a Dask scheduler, such as ``tcp://host:8786``."""


THREADS = Workers()
"""A thread for each core."""


def usable_cores() -> int:
    """Return the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def map_tasks(
    work: Callable[[Shared, Task], Result],
    shared: Shared,
    tasks: Iterable[Task],
    *,
    workers: Workers = THREADS,
    on_done: Callable[[int, int], None] | None = None,
) -> list[Result]:
    """Return the result of each task, in the order of the tasks.

    Parameters
    ----------
    work, shared, tasks, workers
        See ``each_result``.
    on_done : callable, optional
        Called with (finished, all) after each task, in the calling thread.
    """
    todo = list(tasks)
    results: dict[int, Result] = {}

    def keep(index: int, result: Result) -> None:
        results[index] = result
        if on_done is not None:
            on_done(len(results), len(todo))

    each_result(work, shared, todo, workers=workers, on_result=keep)
    return [results[index] for index in range(len(todo))]


def each_result(
    work: Callable[[Shared, Task], Result],
    shared: Shared,
    tasks: Sequence[Task],
    *,
    workers: Workers = THREADS,
    on_result: Callable[[int, Result], None],
) -> None:
    """Hand over the result of each task as soon as it is there, in any order.

    Parameters
    ----------
    work : callable
        Takes what is shared and a task; must not depend on the order in which tasks run.
        For processes and clusters a function of a module.
    shared : object
        What every task needs; brought to each worker once.
    tasks : sequence
        What to do.
    workers : Workers
        Where to run.
    on_result : callable
        Called with the position of a task and its result, in the calling thread. After an
        error or an interrupt, there or in a task, what has not begun is dropped.

    Raises
    ------
    InputError
        If the address of the cluster is none, or what it needs is not installed.
    SimulationError
        If the cluster cannot be reached, or workers vanish again and again.
    """
    from costsim.study.places import open_place

    todo = dict(enumerate(tasks))
    vanished: Counter[int] = Counter()

    def finish(index: int, result: Result) -> None:
        del todo[index]
        on_result(index, result)

    while todo:
        place = open_place(work, shared, workers)
        vanished.update(_until_one_vanishes(place, todo, finish))
        if max(vanished.values(), default=0) > RETRIES:
            message = (
                f"a worker vanished {RETRIES + 1} times over the same task, perhaps for "
                "want of memory, which fewer workers need less of; what had finished "
                "by then is kept"
            )
            raise SimulationError(message)


def _until_one_vanishes(
    place: Place, todo: dict[int, Any], finish: Callable[[int, Any], None]
) -> list[int]:
    """Run tasks until all are done; return those whose worker vanished on the way."""
    waiting = deque(todo)
    running: dict[Future[Any], int] = {}
    try:
        while waiting or running:
            while waiting and len(running) < place.room:
                # An interrupt between two lines must leave what is to be cancelled.
                try:
                    running[place.submit(todo[waiting[0]])] = waiting[0]
                except place.vanished:
                    return [*running.values(), waiting[0]]
                waiting.popleft()
            lost = _take_finished(running, place, finish, None)
            if lost:
                return lost + _take_finished(running, place, finish, _BREAKS_WITHIN_S)
        return []
    finally:
        # After an error or an interrupt nothing that has not begun is worth starting.
        for future in running:
            future.cancel()
        place.close(finished=not running)


def _take_finished(
    running: dict[Future[Any], int],
    place: Place,
    finish: Callable[[int, Any], None],
    timeout_s: float | None,
) -> list[int]:
    """Hand over what has finished; return the tasks whose worker vanished.

    Without a time limit wait for one task at least, else for all of them.
    """
    until = {} if timeout_s is not None else {"return_when": FIRST_COMPLETED}
    done, _ = wait(running, timeout_s, **until)
    lost = []
    for future in done:
        index = running.pop(future)
        try:
            result = future.result()
        except place.vanished:
            lost.append(index)
        else:
            finish(index, result)
    return lost
