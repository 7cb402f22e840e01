"""Workers of a cluster: Dask distributed behind the interface of ``concurrent.futures``."""

from __future__ import annotations

import asyncio
import logging
import math
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from costsim.errors import InputError, SimulationError
from costsim.study.places import packed, run_packed

if TYPE_CHECKING:
    from collections.abc import Callable

_PATIENCE_S = 5.0
"""How long a scheduler and its first worker may take to answer. [s]"""
_SPREAD_S = 600.0
"""How long it may take to bring to all workers what tasks share. [s]"""


class Cluster:
    """The workers of a Dask scheduler, each of which gets what is shared once.

    Parameters
    ----------
    work : callable
        Takes what is shared and a task.
    shared : object
        What every task needs.
    address : str
        Of the scheduler.

    Raises
    ------
    InputError
        If distributed is not installed, or the address is none.
    SimulationError
        If the scheduler does not answer, or has no workers.
    """

    room: float = math.inf

    def __init__(
        self,
        work: Callable[[Any, Any], Any],
        shared: Any,  # noqa: ANN401 - whatever tasks share
        address: str,
    ) -> None:
        self._address = address
        self.vanished: tuple[type[BaseException], ...] = (CancelledError, *_lost())
        self._client = _connected(address)
        # Its warnings of workers that are gone are answered here, by trying again.
        self._log = logging.getLogger("distributed.client")
        self._log_level = self._log.level
        self._log.setLevel(logging.CRITICAL)
        try:
            self._parcel = self._sent(packed(work, shared))
        except BaseException:
            self.close(finished=False)
            raise

    def submit(self, task: Any) -> Future[Any]:  # noqa: ANN401 - any task
        """Start a task when there is a free worker."""
        asked = self._client.submit(run_packed, self._parcel, task, pure=False)
        # The client's own executor has futures that never end if their result is lost
        # together with a worker; hence these.
        answer: Future[Any] = Future()
        answer.add_done_callback(
            lambda one: asked.cancel() if one.cancelled() else None
        )
        asked.add_done_callback(lambda _: _deliver(asked, answer))
        return answer

    def close(self, *, finished: bool) -> None:  # noqa: ARG002 - workers are not its own
        """Leave the cluster, which drops what has not begun; the workers stay."""
        self._client.close(timeout=_PATIENCE_S)
        self._log.setLevel(self._log_level)

    def _sent(self, parcel: bytes) -> Any:  # noqa: ANN401 - distributed has no types
        """Return what stands for the parcel once each worker has it."""
        try:
            self._client.wait_for_workers(1, timeout=_PATIENCE_S)
        except TimeoutError:
            message = (
                f"the scheduler at {self._address} has no workers; start some: "
                f"dask worker {self._address}"
            )
            raise SimulationError(message) from None
        return self._client.scatter(parcel, broadcast=True, timeout=_SPREAD_S)


def _deliver(asked: Any, answer: Future[Any]) -> None:  # noqa: ANN401 - as above
    """Bring the result of a task, or what became of it."""
    if not answer.set_running_or_notify_cancel():
        return
    try:
        answer.set_result(asked.result())
    except ModuleNotFoundError as error:
        if error.name != "costsim":
            answer.set_exception(error)
            return
        message = "a worker of the cluster has no costsim; install it on each of them"
        answer.set_exception(SimulationError(message))
    except BaseException as error:  # noqa: BLE001 - raised where the answer is read
        answer.set_exception(error)


def _connected(address: str) -> Any:  # noqa: ANN401 - as above
    """Return a client of the scheduler."""
    from distributed import Client

    try:
        # In a thread, since a notebook has an event loop of its own in this one. A client
        # that waits in vain cannot be closed, so that somebody else has to knock first.
        with ThreadPoolExecutor(1) as aside:
            aside.submit(asyncio.run, _knock(address)).result()
        return Client(address, timeout=_PATIENCE_S, set_as_default=False)
    except ValueError as error:
        message = (
            f"{address!r} is no address of a scheduler ({error}); write one such as "
            "tcp://scheduler:8786"
        )
        raise InputError(message) from None
    except OSError as error:
        message = (
            f"no scheduler answers at {address} within {_PATIENCE_S:g} s; start one "
            "(dask scheduler), or look whether its port can be reached from here"
        )
        raise SimulationError(message) from error


async def _knock(address: str) -> None:
    """Raise OSError unless somebody answers who speaks Dask."""
    from distributed.comm import connect
    from distributed.security import Security

    keys = Security().get_connection_args("client")
    connection = await connect(address, timeout=_PATIENCE_S, **keys)
    await connection.close()


def _lost() -> tuple[type[BaseException], ...]:
    """Return what tells that workers are gone, or a message how to get distributed."""
    try:
        from distributed import KilledWorker
        from distributed.comm import CommClosedError
    except ImportError:
        message = (
            "a cluster needs Dask distributed, which is not installed: "
            "pip install 'costsim[cluster]'"
        )
        raise InputError(message) from None
    return (KilledWorker, CommClosedError)
