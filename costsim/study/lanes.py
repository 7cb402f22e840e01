"""Several takers of one stream of chunks, side by side."""

from __future__ import annotations

from queue import Queue
from threading import Thread
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Chunk = TypeVar("Chunk")
_Taken = TypeVar("_Taken")

_AHEAD = 2
"""Chunks that may wait for a lane: enough that none stands still for another."""


def through_lanes(
    chunks: Iterable[Chunk], takers: Sequence[Callable[[Chunk], None]], lanes: int
) -> None:
    """Give every chunk, in order, to every taker.

    Parameters
    ----------
    chunks : iterable
        Made by the calling thread, while others take.
    takers : sequence of callable
        Each is called by one thread only; none may change a chunk.
    lanes : int
        1: all by the calling thread. More: a thread for each taker, since the operating
        system shares the cores more evenly than a plan could.
    """
    if lanes <= 1:
        for chunk in chunks:
            for take in takers:
                take(chunk)
        return
    runners = [_Lane(take) for take in takers]
    try:
        for chunk in chunks:
            for lane in runners:
                lane.put(chunk)
    finally:
        # Also after an error or an interrupt: no thread is left behind.
        for lane in runners:
            lane.end()
    for lane in runners:
        lane.raise_error()


class _Lane(Generic[_Taken]):
    """A thread that takes chunks from a short line."""

    def __init__(self, take: Callable[[_Taken], None]) -> None:
        self._take = take
        self._line: Queue[_Taken | None] = Queue(_AHEAD)
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def put(self, chunk: _Taken) -> None:
        """Have the chunk taken, once there is room in the line."""
        self.raise_error()
        self._line.put(chunk)

    def end(self) -> None:
        """Wait until all is taken."""
        self._line.put(None)
        self._thread.join()

    def raise_error(self) -> None:
        """Raise what went wrong in the thread."""
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        while (chunk := self._line.get()) is not None:
            # After an error what comes is only taken off the line.
            if self._error is None:
                try:
                    self._take(chunk)
                except BaseException as error:  # noqa: BLE001 - raised in the caller
                    self._error = error
