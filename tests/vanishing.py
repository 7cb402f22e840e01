"""Tasks for worker processes, which import them; some kill their worker."""

from __future__ import annotations

import os
import signal
from pathlib import Path


def process_of(shared, task):
    return os.getpid()


def counted(shared, task):
    """Add a mark to a file that all processes share, and die as often as it says."""
    path, deaths = shared
    with Path(path).open("a") as file:
        file.write(f"{task}\n")
    if Path(path).read_text().split().count(str(task)) <= deaths.get(task, 0):
        os.kill(os.getpid(), signal.SIGKILL)
    return task * task
