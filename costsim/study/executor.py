"""The one place that knows where work runs: threads, processes or a cluster.

The kernel runs without the interpreter's lock, so that threads are enough for work that
is mostly kernel: nothing is copied between processes, and the compiled code is loaded
once.
"""

from __future__ import annotations

import os
from concurrent.futures import Executor, Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Shared = TypeVar("Shared")
Task = TypeVar("Task")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Workers:
    """Where work runs: all cores of this machine if nothing is said."""

    count: int | None = None
    """Workers of this machine; as many as it has cores if None."""
    executor: Executor | None = None
    """The caller's own."""


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
    tasks: Sequence[Task],
    *,
    workers: Workers = THREADS,
    on_done: Callable[[int, int], None] | None = None,
) -> list[Result]:
    """Return the result of each task, in the order of the tasks.

    Parameters
    ----------
    work : callable
        Takes what is shared and a task; must not depend on the order in which tasks run.
    shared : object
        What every task needs; brought to each worker once.
    tasks : sequence
        What to do.
    workers : Workers
        Where to run.
    on_done : callable, optional
        Called with (finished, all) after each task, in the calling thread.
    """
    own = workers.executor is None
    pool = workers.executor or ThreadPoolExecutor(workers.count or usable_cores())
    futures: list[Future[Result]] = []
    try:
        for task in tasks:
            # One by one: an interrupt here must leave those that are to be cancelled.
            futures.append(pool.submit(work, shared, task))  # noqa: PERF401
        for finished, future in enumerate(as_completed(futures), start=1):
            future.result()
            if on_done is not None:
                on_done(finished, len(futures))
        return [future.result() for future in futures]
    finally:
        # After an error or an interrupt nothing that has not begun is worth starting.
        for future in futures:
            future.cancel()
        if own:
            pool.shutdown(wait=False, cancel_futures=True)
