"""Where tasks can be submitted: threads, processes, the caller's own executor."""

from __future__ import annotations

import math
import multiprocessing
import os
import pickle
import signal
import sys
import threading
from concurrent.futures import (
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from costsim import __version__
from costsim.errors import SimulationError
from costsim.study.executor import usable_cores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from costsim.study.executor import Workers

    Work = Callable[[Any, Any], Any]

_AHEAD = 2
"""Tasks that are with the workers at once, for each: none ever waits for its next one."""
_PRELOAD = "costsim.study.preload"


class Place(Protocol):
    """Takes tasks."""

    room: float
    """Tasks that it may have at once."""
    vanished: tuple[type[BaseException], ...]
    """What a task raises whose worker is gone."""

    def submit(self, task: Any) -> Future[Any]:  # noqa: ANN401 - any task
        """Start a task when there is a free worker."""

    def close(self, *, finished: bool) -> None:
        """Let the workers go; if not all is finished, without waiting for them."""


def open_place(work: Work, shared: Any, workers: Workers) -> Place:  # noqa: ANN401 - whatever tasks share
    """Return where tasks go.

    Parameters
    ----------
    work : callable
        Takes what is shared and a task.
    shared : object
        What every task needs.
    workers : Workers
        What was asked for.
    """
    if workers.executor is not None:
        return _Callers(work, shared, workers.executor)
    if workers.cluster is not None:
        from costsim.study.cluster import Cluster

        return Cluster(work, shared, workers.cluster)
    count = workers.count or usable_cores()
    kind = _Processes if workers.processes else _Threads
    return kind(work, shared, count)


class _Callers:
    """The caller's own executor; it stays open, and its failures are the caller's."""

    room: float = math.inf
    vanished: tuple[type[BaseException], ...] = ()

    def __init__(self, work: Work, shared: Any, executor: Executor) -> None:  # noqa: ANN401 - as above
        self._work = work
        self._shared = shared
        self._executor = executor

    def submit(self, task: Any) -> Future[Any]:  # noqa: ANN401 - any task
        return self._executor.submit(self._work, self._shared, task)

    def close(self, *, finished: bool) -> None:
        pass


class _Threads(_Callers):
    """Threads of this process."""

    def __init__(self, work: Work, shared: Any, count: int) -> None:  # noqa: ANN401 - as above
        super().__init__(work, shared, ThreadPoolExecutor(count))
        self.room = _AHEAD * count

    def close(self, *, finished: bool) -> None:  # noqa: ARG002 - nothing is lost with them
        self._executor.shutdown(wait=False, cancel_futures=True)


class _Processes:
    """Processes of this machine, which hold what is shared."""

    vanished: tuple[type[BaseException], ...] = (BrokenExecutor,)

    def __init__(self, work: Work, shared: Any, count: int) -> None:  # noqa: ANN401 - as above
        self.room: float = _AHEAD * count
        self._pool = ProcessPoolExecutor(
            count,
            mp_context=_context(),
            initializer=_hold,
            initargs=(packed(work, shared),),
        )

    def submit(self, task: Any) -> Future[Any]:  # noqa: ANN401 - any task
        with _uninterruptible():
            return self._pool.submit(_run_held, task)

    def close(self, *, finished: bool) -> None:
        self._pool.shutdown(wait=finished, cancel_futures=True)


def prepare_processes() -> None:
    """Begin to load the engine for processes that will be needed, without waiting."""
    if sys.platform != "win32":
        from multiprocessing import forkserver

        _context()
        with _uninterruptible():
            forkserver.ensure_running()


def _context() -> Any:  # noqa: ANN401 - one of several kinds
    """Return how processes are started: never as a copy of this one and its threads."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    # Its processes are copies of one that has the engine loaded: they start at once.
    context.set_forkserver_preload([_PRELOAD])
    return context


@contextmanager
def _uninterruptible() -> Iterator[None]:
    """Start processes that Ctrl-C leaves alone: they end with this one."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # A mask is inherited, from the very first moment; a handler would be set too late.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# In the workers


class _Held:
    """What this process was given."""

    parcel: bytes = b""


def _hold(parcel: bytes) -> None:
    _Held.parcel = parcel
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End at once when the parent has ended, whatever ended it."""
    # A worker holds both ends of the pipe its tasks come through: it would wait forever.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run_held(task: Any) -> Any:  # noqa: ANN401 - any task, any result
    return run_packed(_Held.parcel, task)


def packed(work: Work, shared: Any) -> bytes:  # noqa: ANN401 - whatever tasks share
    """Return a function and what it shares, as workers take it."""
    return pickle.dumps((__version__, pickle.dumps((work, shared), protocol=5)))


def run_packed(parcel: bytes, task: Any) -> Any:  # noqa: ANN401 - any task, any result
    """Run a task with what was packed, which is unpacked once.

    Raises
    ------
    SimulationError
        If another version of costsim packed it.
    """
    work, shared = _unpacked(parcel)
    return work(shared, task)


@lru_cache(maxsize=1)
def _unpacked(parcel: bytes) -> tuple[Work, Any]:
    version, content = pickle.loads(parcel)
    if version != __version__:
        message = (
            f"a worker has costsim {__version__}, but {version} is asking; install the "
            "same version everywhere"
        )
        raise SimulationError(message)
    work, shared = pickle.loads(content)
    return work, shared
