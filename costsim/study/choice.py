"""The best of several models of a log: tried on pools, adjusted, tried once more."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from costsim.study.bench import Bench, PoolCheck, runs_worth
from costsim.traffic.fit.adjusting import adjusted, knobs

if TYPE_CHECKING:
    from collections.abc import Callable

    from costsim.study.window import Window
    from costsim.traffic.fit.candidates import Candidate

MOST_TRIED = 200_000
"""Requests of the part of a long log on which models are tried, about."""
MOST_IN_THE_END = 1_000_000
"""Requests of the part on which the best of them are compared."""
_SEEDS_IN_THE_END = 2
_WORK = 45_000_000
"""Requests that are simulated to find a model, about; a run counts as some more."""
_WORK_OF_A_RUN = 50_000
_WORK_OF_A_MINUTE = 4.0
"""The same for each minute that is simulated: noise has its steps, pools their hours."""
_FEWEST_ROUNDS = 8
_ROUNDS = 40
_GOOD = 0.5
"""A model is adjusted unless its largest error is below this share of the allowed."""
_ABOUT_AS_GOOD = 0.1
_FINALISTS = 4
_TRIED_AGAIN = 16
_TIMES_MORE = 3
_NEAR = 0.8
_NEAR_BY_LUCK = 0.65
_MAYBE = 1.2
_STEPS = (1.5, 1.2, 1.08)


@dataclass(frozen=True)
class Tried:
    """One model that was tried."""

    name: str
    """Its process."""
    parameters: int
    """Numbers of it that were fitted."""
    badness: float
    """Largest error on any pool, in units of what is allowed; inf if it cannot run."""
    adjusted: bool
    """Whether it was adjusted to the pools."""


@dataclass(frozen=True, eq=False)
class Place:
    """A part of the log, and pools for it."""

    bench: Bench
    window: Window

    def try_out(self, candidate: Candidate, seeds: int) -> _Trial:
        """Simulate a model with some seeds."""
        pools = self.bench.try_out(self.window.model(candidate.traffic), seeds)
        return _Trial(candidate, pools or ())


@dataclass(frozen=True)
class _Trial:
    candidate: Candidate
    pools: tuple[PoolCheck, ...] = ()
    adjusted: bool = False

    @property
    def badness(self) -> float:
        return max((one.telling_badness for one in self.pools), default=math.inf)

    @property
    def is_luck(self) -> bool:
        """Whether the log could be one run of the model."""
        return bool(self.pools) and all(one.is_luck for one in self.pools)

    @property
    def is_enough(self) -> bool:
        """Whether it is near the log, or as near as a run of the model would be."""
        return self.badness <= _GOOD or (self.is_luck and self.badness <= _NEAR_BY_LUCK)

    @property
    def loss(self) -> float:
        """Sum of squared errors in units of what is allowed: smoother than the largest."""
        if not self.pools:
            return math.inf
        return sum(one.loss for one in self.pools) / len(self.pools)

    @property
    def told(self) -> Tried:
        one = self.candidate
        return Tried(one.name, one.parameters, self.badness, self.adjusted)


def choose(
    small: Place,
    wide: Place,
    candidates: list[Candidate],
    effort: float,
    tell: Callable[[str], None],
) -> tuple[Candidate, tuple[Tried, ...]]:
    """Return the best model, and all in the order of how good they are.

    Parameters
    ----------
    small, wide : Place
        Where all are tried, and where the best are compared with other seeds.
    candidates : list of Candidate
        The models.
    effort : float
        How much is simulated, relative to the usual.
    tell : callable
        Called with what is being done.
    """
    n = small.bench.n_requests
    of_a_run = n + _WORK_OF_A_RUN + _WORK_OF_A_MINUTE * small.window.horizon_s / 60.0
    budget = int(effort * _WORK / of_a_run)
    seeds = min(runs_worth(n) // 2, max(1, budget // (4 * len(candidates))))
    trials = [small.try_out(one, seeds) for one in candidates]
    trials.sort(key=lambda one: one.loss)
    trials, runs = _again(small, trials, seeds)
    finalists = _finalists(trials)
    left = (budget - seeds * len(trials) - runs) // len(finalists)
    seeds = max(2, min(left // _FEWEST_ROUNDS, runs_worth(n) // 2))
    rounds = left // seeds
    better = []
    for trial in finalists:
        tell(f"adjusting {trial.candidate.name}")
        better.append(_adjust(small, trial, min(_ROUNDS, max(1, rounds)), seeds))
    tell("trying the best once more")
    better = _once_more(wide, better, finalists)
    best = _simplest(better)
    names = {one.candidate.name for one in better}
    others = [one for one in trials if one.candidate.name not in names]
    order = sorted([*better, *others], key=lambda one: one.loss)
    order.sort(key=lambda one: one is not best)
    return best.candidate, tuple(one.told for one in order)


def _again(place: Place, trials: list[_Trial], seeds: int) -> tuple[list[_Trial], int]:
    """Try the better ones with more seeds: few seeds of many models make luck win.

    Also returned is how many runs that took.
    """
    more = min(place.bench.realizations, _TIMES_MORE * seeds)
    n = min(_TRIED_AGAIN, max(1, len(trials) // 5))
    if more <= seeds or len(trials) <= _FINALISTS:
        return trials, 0
    again = [place.try_out(one.candidate, more) for one in trials[:n]]
    again.sort(key=lambda one: one.loss)
    # What was not tried again was worse, by the seeds that it had.
    return [*again, *trials[n:]], n * more


def _once_more(
    wide: Place, adjusted_trials: list[_Trial], finalists: list[_Trial]
) -> list[_Trial]:
    """Return the finalists with new seeds and on more of the log, adjusted and not.

    What was the best of many on the same seeds was partly lucky.
    """
    n = wide.bench.n_requests
    seeds = _SEEDS_IN_THE_END if n > MOST_TRIED else max(2, runs_worth(n) // 2)
    found = []
    for after, before in zip(adjusted_trials, finalists, strict=True):
        trial = wide.try_out(before.candidate, seeds)
        if after.adjusted and not trial.is_enough:
            other = wide.try_out(after.candidate, seeds)
            if other.loss < trial.loss:
                trial = replace(other, adjusted=True)
        found.append(trial)
    return found


def _finalists(trials: list[_Trial]) -> list[_Trial]:
    """Return the best trials, each of another name, and the simplest that is near."""
    best: dict[str, _Trial] = {}
    for trial in trials:
        best.setdefault(trial.candidate.name, trial)
    found = list(best.values())[:_FINALISTS]
    near = [
        one
        for one in best.values()
        if one.badness <= _NEAR or (one.is_luck and one.badness <= _MAYBE)
    ]
    if near:
        simple = min(near, key=lambda one: (one.candidate.parameters, one.loss))
        found += [] if simple in found else [simple]
    return found


def _adjust(place: Place, trial: _Trial, rounds: int, seeds: int) -> _Trial:
    """Turn one knob after the other as long as that helps."""
    first = trial.candidate
    best = place.try_out(first, seeds)
    factors: dict[str, float] = {}
    left, step = rounds - 1, 0
    while left > 0 and step < len(_STEPS) and best.badness > _GOOD:
        before = best
        for name in knobs(first.traffic, noise_only=first.by_key):
            for factor in (_STEPS[step], 1.0 / _STEPS[step]):
                turned = {**factors, name: factors.get(name, 1.0) * factor}
                traffic = adjusted(first.traffic, turned)
                other = place.try_out(replace(first, traffic=traffic), seeds)
                left -= 1
                if other.loss < best.loss:
                    best, factors = replace(other, adjusted=True), turned
                    break
            if left <= 0:
                break
        if best is before:
            step += 1
    return best


def _simplest(trials: list[_Trial]) -> _Trial:
    """Return the model with the fewest parameters of those about as good as the best.

    So is one that the log could be a run of: nothing tells it from the best.
    """
    least = min(one.badness for one in trials)
    near = [
        one
        for one in trials
        if one.is_enough
        or one.badness <= least + _ABOUT_AS_GOOD
        or one.badness == least
    ]
    return min(near, key=lambda one: (one.candidate.parameters, one.badness))
