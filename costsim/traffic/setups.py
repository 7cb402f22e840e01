"""How long each launch takes, and how much of that is not billed: draws by launch.

The n-th launch of every deployment takes the same uniform numbers through its own laws:
one number for each phase, by the phase's name, and one for whether it finds the host's
cache warm. So a phase that is added, or a law that is changed, leaves the others as they
are, and deployments with different laws still meet the same luck.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from costsim.traffic.laws import quantile, uniforms
from costsim.traffic.streams import name_key, stream_rng

if TYPE_CHECKING:
    import numpy.typing as npt

    from costsim.records import Floats, Ints
    from costsim.scenario.setup_plan import SetupPlan, Start

    Bools = npt.NDArray[np.bool_]

_BLOCK = 1024
"""Launches drawn at once, whatever is asked for: vectorized functions may round the same
number differently at another place of an array, and results must not depend on the cut."""

_NONE = np.empty(0)


class SetupDraws(NamedTuple):
    """What chance decides about launches that follow each other."""

    setup_s: Floats
    """Setup time; of a mixture, where the launch is a hit. [s]"""
    unbilled_s: Floats
    """The first part of it that is not billed. [s]"""
    miss_setup_s: Floats = _NONE
    """Setup time where the launch is a miss; empty if there is no mixture. [s]"""
    miss_unbilled_s: Floats = _NONE
    """The first part of it that is not billed; empty if there is no mixture. [s]"""
    u: Floats = _NONE
    """Uniform in (0, 1), a hit where below the probability; empty without a mixture. [1]"""

    @property
    def unbilled_by_kind_s(self) -> Floats:
        """Unbilled part of each launch if it is a hit, and if it is a miss: two rows. [s]"""
        missed_s = self.miss_unbilled_s if self.u.size else self.unbilled_s
        return np.stack([self.unbilled_s, missed_s])


class SetupLaw:
    """The draws of one deployment in one replication, in the order of its launches.

    Parameters
    ----------
    plan : SetupPlan
        Its phases and their laws.
    seed : int
        The scenario's.
    replication : int
        Which repetition, from 0.
    """

    def __init__(self, plan: SetupPlan, seed: int, replication: int) -> None:
        self._plan = plan
        starts = [plan.hit] if plan.miss is None else [plan.hit, plan.miss]
        names = {phase.name for start in starts for phase in start.phases}
        # The whole setup, which has no name, is as old as the stream, and has its index 0.
        self._rngs = {
            name: stream_rng(seed, replication, "setup", name_key(name) if name else 0)
            for name in names
        }
        self._cache_rng = stream_rng(seed, replication, "cache")
        self._drawn = 0
        self._rest = self._draw_block()

    def draw(self, first_launch: int, n: int) -> SetupDraws:
        """Return the draws of n launches, the same however launches are cut into calls.

        Parameters
        ----------
        first_launch : int
            The launch that follows the last one drawn; 0 at first.
        n : int
            How many.

        Raises
        ------
        ValueError
            If the launch is another one.
        """
        if first_launch != self._drawn:
            message = f"first_launch is {first_launch}; the next one is {self._drawn}"
            raise ValueError(message)
        n_blocks = max(0, -(-(n - self._rest.shape[1]) // _BLOCK))
        drawn = np.hstack([self._rest, *(self._draw_block() for _ in range(n_blocks))])
        self._drawn += n
        self._rest = drawn[:, n:].copy()
        return SetupDraws(*np.ascontiguousarray(drawn[:, :n]))

    def _draw_block(self) -> Floats:
        """Return the next block: a row for each field of ``SetupDraws``."""
        u = {name: uniforms(_BLOCK, rng) for name, rng in self._rngs.items()}
        hit = _times(self._plan.hit, u)
        if self._plan.miss is None:
            return np.stack(hit)
        miss = _times(self._plan.miss, u)
        return np.stack([*hit, *miss, uniforms(_BLOCK, self._cache_rng)])


class UnbilledSetups:
    """The unbilled part of each setup, kept until its replica has gone.

    Parameters
    ----------
    initial_replicas : int
        Replicas that were never launched: those with the lowest ids.

    Notes
    -----
    Memory grows with the replicas that are there at once, not with all launches: a block
    of launches is forgotten once each of them has been asked for.
    """

    _SIZE = 256
    """Launches in a block: what a replica that lives on keeps in memory with it."""

    def __init__(self, initial_replicas: int) -> None:
        self._initial = initial_replicas
        self._n = 0
        self._blocks: dict[int, Floats] = {}
        self._left: dict[int, int] = {}

    def add(self, draws: SetupDraws) -> None:
        """Take the draws of the launches that follow."""
        by_kind_s = draws.unbilled_by_kind_s
        while by_kind_s.size:
            block, filled = divmod(self._n, self._SIZE)
            if not filled:
                self._blocks[block] = np.empty((2, self._SIZE))
                self._left[block] = self._SIZE
            new_s = by_kind_s[:, : self._SIZE - filled]
            self._blocks[block][:, filled : filled + new_s.shape[1]] = new_s
            self._n += new_s.shape[1]
            by_kind_s = by_kind_s[:, new_s.shape[1] :]

    def take(self, ids: Ints, missed: Bools) -> Floats:
        """Return the unbilled part of the setups of replicas, each asked for once. [s]

        Parameters
        ----------
        ids : ndarray of int
            Their ids.
        missed : ndarray of bool
            Whether each was a miss.
        """
        unbilled_s = np.zeros(ids.size)
        launch = ids - self._initial
        of_block = launch // self._SIZE
        for block in np.unique(of_block[launch >= 0]).tolist():
            rows = np.flatnonzero(of_block == block)
            within = launch[rows] - block * self._SIZE
            unbilled_s[rows] = self._blocks[block][missed[rows].astype(int), within]
            self._left[block] -= rows.size
            if self._left[block] == 0:
                del self._blocks[block], self._left[block]
        return unbilled_s

    @property
    def n_blocks(self) -> int:
        """Blocks of launches in memory."""
        return len(self._blocks)


def _times(start: Start, u: dict[str, Floats]) -> tuple[Floats, Floats]:
    """Return the setup times of a start, and their unbilled parts. [s]"""
    # Added up in order, so that a setup without a billed phase is unbilled to the bit.
    setup_s = np.zeros(_BLOCK)
    unbilled_s = np.zeros(_BLOCK)
    for phase in start.phases:
        setup_s = setup_s + quantile(phase.law, u[phase.name])
        if not phase.billed:
            unbilled_s = setup_s
    return setup_s, np.minimum(np.maximum(unbilled_s, start.unbilled_s), setup_s)
