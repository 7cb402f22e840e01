"""The one place that knows where work runs: here, the cores of this machine.

The kernel runs without the interpreter's lock, so threads are enough: nothing is copied
between processes, and the compiled code is loaded once.
"""

from __future__ import annotations

import os
from concurrent.futures import Executor, Future, ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Task = TypeVar("Task")
Result = TypeVar("Result")


def usable_cores() -> int:
    """Return the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def map_tasks(
    work: Callable[[Task], Result],
    tasks: Sequence[Task],
    *,
    executor: Executor | None = None,
    on_done: Callable[[int, int], None] | None = None,
) -> list[Result]:
    """Return the result of each task, in the order of the tasks.

    Parameters
    ----------
    work : callable
        Takes a task; must not depend on the order in which tasks run.
    tasks : sequence
        What to do.
    executor : concurrent.futures.Executor, optional
        Where to run; all cores of this machine if None.
    on_done : callable, optional
        Called with (finished, all) after each task, in the calling thread.
    """
    own = ThreadPoolExecutor(max_workers=usable_cores()) if executor is None else None
    pool = own if executor is None else executor
    assert pool is not None
    futures: list[Future[Result]] = []
    try:
        for task in tasks:
            # One by one: an interrupt here must leave those that are to be cancelled.
            futures.append(pool.submit(work, task))  # noqa: PERF401
        for finished, future in enumerate(as_completed(futures), start=1):
            future.result()
            if on_done is not None:
                on_done(finished, len(futures))
        return [future.result() for future in futures]
    finally:
        # After an error or an interrupt nothing that has not begun is worth starting.
        for future in futures:
            future.cancel()
        if own is not None:
            own.shutdown(wait=False, cancel_futures=True)
