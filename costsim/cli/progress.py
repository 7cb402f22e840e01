"""Progress on stderr: what is done, how fast, and the time left."""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from costsim.cli import output

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SHOW_AFTER_S = 0.5


@contextmanager
def progress(what: str, *, quiet: bool) -> Iterator[Callable[[int, int], None] | None]:
    """Show a bar if it takes long and somebody looks; yield what moves it.

    Parameters
    ----------
    what : str
        What is counted, such as ``replications``.
    quiet : bool
        Show nothing.
    """
    if quiet or not output.is_decorated(sys.stderr):
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    first = f"{what} (the first run compiles the engine)"
    task = bar.add_task(first, total=None, rate="")

    def on_progress(done: int, total: int) -> None:
        bar.update(task, completed=done, total=total, description=what)
        speed = bar.tasks[task].speed
        bar.update(task, rate=f"{speed:.3g}/s" if speed else "")

    # Anything faster would only flicker.
    delayed = threading.Timer(_SHOW_AFTER_S, bar.start)
    delayed.start()
    try:
        yield on_progress
    finally:
        delayed.cancel()
        # If the timer has just gone off, the bar must not start after it was stopped.
        delayed.join()
        bar.stop()
