"""How long replicas live, drawn by replica."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from costsim.traffic.streams import stream_rng

if TYPE_CHECKING:
    from costsim.records import Floats
    from costsim.scenario.pool import Failures


class Lifetimes:
    """The lifetimes of one deployment's replicas in one replication, by id.

    Parameters
    ----------
    failures : Failures or None
        How replicas die; None: they do not.
    seed : int
        The scenario's.
    replication : int
        Which repetition, from 0.
    """

    def __init__(self, failures: Failures | None, seed: int, replication: int) -> None:
        self._failures = failures
        self._rng = stream_rng(seed, replication, "lifetime")

    def draw(self, n: int) -> Floats:
        """Return the lifetimes of the next n replicas; nothing if they do not die. [s]"""
        if self._failures is None:
            return np.empty(0)
        return self._failures.mean_lifetime * self._rng.standard_exponential(n)
