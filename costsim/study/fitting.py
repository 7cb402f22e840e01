"""A model fitted to a log: estimated, tried against the log, adjusted, chosen.

Estimators propose models of several arrival processes. Each is simulated on reference
pools, and the one whose cost, slow responses and cold starts are nearest to those of the
log replayed is taken; a simpler one, if it is about as near. A model that is not near
enough is adjusted: the few numbers that its estimator finds least surely are turned
until the pools agree (indirect inference; Gourieroux, Monfort, Renault, J. Appl.
Econometrics 8, 1993). Seeds of the choice are others than those of the self-check.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from costsim.study.bench import Bench, PoolCheck, runs_worth
from costsim.study.selfcheck import FEWEST_REQUESTS
from costsim.study.window import Window, cut_window
from costsim.traffic.fit.adjusting import adjusted, knobs
from costsim.traffic.fit.candidates import fit_candidates
from costsim.traffic.fit.evidence import gather_evidence
from costsim.traffic.fit.service import fit_service
from costsim.traffic.fit.sessions import SessionCut, cut_by_key
from costsim.traffic.replay import realization
from costsim.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from costsim.catalog.platform import Catalog
    from costsim.traffic.fit.candidates import Candidate
    from costsim.traffic.fit.evidence import Evidence
    from costsim.traffic.trace import TraceData

MOST_TRIED = 200_000
"""Requests of the part of a long log on which models are tried, about."""
MOST_IN_THE_END = 1_000_000
"""Requests of the part on which the best of them are compared."""
_SEEDS_IN_THE_END = 2
_WORK = 25_000_000
"""Requests that are simulated to find a model, about; a run counts as some more."""
_WORK_OF_A_RUN = 50_000
_ROUNDS = 40
_GOOD = 0.5
"""A model is adjusted unless its largest error is below this share of the allowed."""
_ABOUT_AS_GOOD = 0.1
_FINALISTS = 4
_NEAR = 0.8
_STEPS = (1.5, 1.2, 1.08)
_OWN_SEED = 1_000_003
"""Added to the seed for the choice, and twice for the last one."""


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
class Fit:
    """A model of a log's traffic, as sections of a scenario."""

    traffic: dict[str, Any]
    """The ``traffic`` section."""
    service: dict[str, Any]
    """The ``service`` section."""
    start: datetime | None
    """The scenario's ``start``; None if nothing needs a calendar and the log has none."""
    horizon_s: float
    """The scenario's ``horizon``: the log's span. [s]"""
    process: str
    """The arrival process, and ``+ noise`` if there is some."""
    tried: tuple[Tried, ...]
    """All models that were tried, best first."""
    notes: tuple[str, ...]
    """What was chosen, and why."""
    warnings: tuple[str, ...]
    """What may make the model wrong."""

    @property
    def section(self) -> dict[str, Any]:
        """Start, horizon, traffic and service of a scenario, as its file has them."""
        section: dict[str, Any] = {}
        if self.start is not None:
            section["start"] = self.start.isoformat()
        section["horizon"] = format_duration_exactly(self.horizon_s)
        section["traffic"] = self.traffic
        section["service"] = self.service
        return section


def format_duration_exactly(value_s: float) -> str:
    """Return a length of time in seconds, as many digits as it has."""
    return f"{value_s:.12g}s"


def fit(
    trace: TraceData,
    *,
    service: Mapping[str, Any] | None = None,
    prefill: str | None = None,
    decode: str | None = None,
    deployments: Sequence[Mapping[str, Any]] | None = None,
    setup: Any = None,  # noqa: ANN401 - as the scenario has it
    catalog: Catalog | None = None,
    seed: int = 1,
    effort: float = 1.0,
    on_progress: Callable[[str], None] | None = None,
) -> Fit:
    """Return a model of a log's traffic.

    Parameters
    ----------
    trace : TraceData
        The log.
    service : mapping, optional
        A scenario's ``service`` section; from the log if left out.
    prefill, decode : str, optional
        Speeds of tokens, where the log has tokens and no durations.
    deployments : sequence of mapping, optional
        Pools on which models are tried, as a scenario has them; reference pools with
        idle timeouts of 60 s and 300 s if left out.
    setup : optional
        A scenario's ``setup`` section; log-normal with a median of 30 s if left out.
    catalog : Catalog, optional
        Platforms and prices; the shipped ones if None.
    seed : int
        Of all that is random.
    effort : float
        How much is simulated to find the model, relative to the usual.
    on_progress : callable, optional
        Called with what is being done.
    """
    tell = on_progress or (lambda _: None)
    tell("looking at the log")
    evidence = gather_evidence(trace, seed)
    sessions = _sessions(trace, evidence, seed)
    law, note = fit_service(trace, prefill, decode)
    if service is not None:
        law, note = dict(service), "service as given"
    tell("estimating models")
    candidates = fit_candidates(evidence, sessions)
    start = candidates[0].start

    def place(most: int, seed: int) -> _Place:
        window = cut_window(trace, evidence.span_s, most, start)
        bench = Bench(
            window.trace,
            law,
            start=window.start,
            horizon_s=window.horizon_s,
            deployments=deployments,
            setup=setup,
            catalog=catalog,
            seed=seed,
        )
        return _Place(bench, window)

    tell("trying them")
    small = place(MOST_TRIED, seed + _OWN_SEED)
    wide = place(MOST_IN_THE_END, seed + 2 * _OWN_SEED)
    chosen, tried = _choose(small, wide, candidates, effort, tell)
    return Fit(
        traffic=chosen.traffic,
        service=law,
        start=chosen.start,
        horizon_s=evidence.span_s,
        process=chosen.name,
        tried=tried,
        notes=(*chosen.notes, *_choice_notes(chosen, tried, wide.window), note),
        warnings=_warnings(trace, evidence),
    )


@dataclass(frozen=True, eq=False)
class _Place:
    """A part of the log, and pools for it."""

    bench: Bench
    window: Window

    def try_out(self, candidate: Candidate, seeds: int) -> _Trial:
        pools = self.bench.try_out(self.window.model(candidate.traffic), seeds)
        return _Trial(candidate, pools or ())


@dataclass(frozen=True)
class _Trial:
    candidate: Candidate
    pools: tuple[PoolCheck, ...] = ()
    adjusted: bool = False

    @property
    def badness(self) -> float:
        return max((one.badness for one in self.pools), default=math.inf)

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


def _choose(
    small: _Place,
    wide: _Place,
    candidates: list[Candidate],
    effort: float,
    tell: Callable[[str], None],
) -> tuple[Candidate, tuple[Tried, ...]]:
    """Return the best model, and all in the order of how good they are."""
    n = small.bench.n_requests
    budget = int(effort * _WORK) // (n + _WORK_OF_A_RUN)
    seeds = min(runs_worth(n) // 2, max(1, budget // (2 * len(candidates))))
    trials = [small.try_out(one, seeds) for one in candidates]
    trials.sort(key=lambda one: one.loss)
    finalists = _finalists(trials)
    seeds = max(2, runs_worth(n) // 2)
    rounds = (budget - seeds * len(trials)) // (seeds * len(finalists))
    better = []
    for trial in finalists:
        tell(f"adjusting {trial.candidate.name}")
        better.append(_adjust(small, trial, min(_ROUNDS, max(1, rounds)), seeds))
    tell("trying the best once more")
    better = _once_more(wide, better, finalists, effort)
    best = _simplest(better)
    names = {one.candidate.name for one in better}
    others = [one for one in trials if one.candidate.name not in names]
    order = sorted([*better, *others], key=lambda one: one.loss)
    order.sort(key=lambda one: one is not best)
    return best.candidate, tuple(one.told for one in order)


def _once_more(
    wide: _Place, adjusted_trials: list[_Trial], finalists: list[_Trial], effort: float
) -> list[_Trial]:
    """Return the finalists with new seeds and on more of the log, adjusted and not.

    What was the best of many on the same seeds was partly lucky.
    """
    n = wide.bench.n_requests
    seeds = _SEEDS_IN_THE_END
    if n <= MOST_TRIED:
        seeds = max(seeds, round(min(1.0, effort) * runs_worth(n) / 2))
    found = []
    for after, before in zip(adjusted_trials, finalists, strict=True):
        trial = wide.try_out(before.candidate, seeds)
        if after.adjusted:
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
    near = [one for one in best.values() if one.badness <= _NEAR]
    if near:
        simple = min(near, key=lambda one: (one.candidate.parameters, one.loss))
        found += [] if simple in found else [simple]
    return found


def _adjust(place: _Place, trial: _Trial, rounds: int, seeds: int) -> _Trial:
    """Turn one knob after the other as long as that helps."""
    first = trial.candidate
    best = place.try_out(first, seeds)
    factors: dict[str, float] = {}
    left, step = rounds - 1, 0
    while left > 0 and step < len(_STEPS) and best.badness > _GOOD:
        before = best
        for name in knobs(first.traffic):
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
    """Return the model with the fewest parameters of those about as good as the best."""
    least = min(one.badness for one in trials)
    near = [
        one
        for one in trials
        if one.badness <= max(_GOOD, least + _ABOUT_AS_GOOD) or one.badness == least
    ]
    return min(near, key=lambda one: (one.candidate.parameters, one.badness))


def _sessions(trace: TraceData, evidence: Evidence, seed: int) -> SessionCut | None:
    """Return the sessions of the requests that are looked at, if the log has a key."""
    if trace.session is None or not evidence.arrival_s.size:
        return None
    from costsim.traffic.recorded import gather

    parts = []
    for arrival_s, rows in realization(trace, seed):
        first, last = np.searchsorted(
            arrival_s, [evidence.begin_s, evidence.arrival_s[-1]]
        )
        within = rows[first : last + 1]
        if within.size:
            parts.append(gather(trace.session, within))
    session = np.concatenate(parts).astype(np.int64)[: evidence.arrival_s.size]
    if session.size < evidence.arrival_s.size or not (session >= 0).any():
        return None
    return cut_by_key(evidence.arrival_s, session)


def _choice_notes(
    chosen: Candidate, tried: tuple[Tried, ...], window: Window
) -> list[str]:
    best, others = tried[0], [one for one in tried[1:] if math.isfinite(one.badness)]
    said = f"{chosen.name} is chosen of {len(tried)} models tried"
    if chosen.note:
        said += f" ({chosen.note})"
    if best.adjusted:
        said += ", adjusted so that the pools agree"
    notes = [said]
    if others:
        next_best = min(others, key=lambda one: one.badness)
        notes.append(
            f"largest error on the pools {best.badness:.2f} of what is allowed; "
            f"{next_best.name} has {next_best.badness:.2f}"
        )
    if window.note:
        notes.append(window.note)
    return notes


def _warnings(trace: TraceData, evidence: Evidence) -> tuple[str, ...]:
    found = list(trace.warnings)
    if evidence.n_requests < FEWEST_REQUESTS:
        found.append(
            f"the log has only {evidence.n_requests:,} requests; a model needs some "
            f"{FEWEST_REQUESTS} at least"
        )
    days = evidence.span_s / 86_400.0
    if days < 2:
        found.append(
            f"the log covers {format_duration(evidence.span_s)}, less than two days: it "
            "tells nothing of hours of the day"
        )
    elif days < 14:
        found.append(
            f"the log covers {days:.1f} days, less than two weeks: it tells little of "
            "days of the week"
        )
    if evidence.bin_s > 30.0:
        found.append(
            f"bins of {format_duration(evidence.bin_s)} hide what happens within them: "
            "an idle timeout below twice that may be far off"
        )
    return tuple(found)
