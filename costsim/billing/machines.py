"""How long machines wait, and are billed, after their replicas have stopped.

A machine is kept for a while after its replica has left; a replica that is launched
meanwhile takes it, so that what is billed is one machine and not two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from costsim.compiling import compiled

if TYPE_CHECKING:
    from costsim.billing.spans import Bools, Lives
    from costsim.records import Floats, Ints


def waits_s(lives: Lives, leaves: Bools, lag_s: float) -> Floats:
    """Return how long each replica's machine waits for its release, or to be taken. [s]

    Parameters
    ----------
    lives : Lives
        Of all replicas of a run, in order of launch.
    leaves : ndarray of bool
        Whether a replica leaves a machine behind.
    lag_s : float
        How long a machine waits. [s]

    Notes
    -----
    A launch takes the machine that was vacated last, of those that still wait.
    """
    waits = np.where(leaves, lag_s, 0.0)
    left = np.flatnonzero(leaves)
    order = left[np.argsort(lives.stop_s[left], kind="stable")]
    _hand_over(lives.launch_s, lives.stop_s, order, lag_s, waits)
    return waits


@compiled
def _hand_over(
    launch_s: Floats, stop_s: Floats, order: Ints, lag_s: float, waits: Floats
) -> None:
    """Cut the wait of each machine that a launch takes.

    Machines that wait are a stack; once the top one has waited too long all have.
    """
    stack = np.empty(len(order), np.int64)
    n_waiting, n_vacated = 0, 0
    for replica in range(len(launch_s)):
        now = launch_s[replica]
        while n_vacated < len(order) and stop_s[order[n_vacated]] <= now:
            if order[n_vacated] >= replica:
                break
            stack[n_waiting] = order[n_vacated]
            n_waiting += 1
            n_vacated += 1
        if n_waiting == 0:
            continue
        machine = stack[n_waiting - 1]
        if now - stop_s[machine] < lag_s:
            waits[machine] = now - stop_s[machine]
            n_waiting -= 1
        else:
            n_waiting = 0
