"""Models of one log's traffic, each of another process, as sections of a scenario."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from costsim.traffic.counting import Counts
from costsim.traffic.fit.base import fit_bases
from costsim.traffic.fit.batches import fit_batches
from costsim.traffic.fit.hawkes import fit_hawkes
from costsim.traffic.fit.laws import per_second, rounded, seconds
from costsim.traffic.fit.mmpp import fit_mmpp
from costsim.traffic.fit.noise import fit_noise
from costsim.traffic.fit.onoff import fit_onoff
from costsim.traffic.fit.plain import gaps_are_exponential
from costsim.traffic.fit.renewal import gamma_shape, weibull_shape
from costsim.traffic.fit.sessions import cut_by_gap, session_process
from costsim.units import SECONDS_PER_DAY, SECONDS_PER_HOUR, format_duration

if TYPE_CHECKING:
    from datetime import datetime

    from costsim.records import Floats
    from costsim.traffic.fit.base import Base
    from costsim.traffic.fit.evidence import Evidence
    from costsim.traffic.fit.mmpp import MmppFit
    from costsim.traffic.fit.noise import Term
    from costsim.traffic.fit.sessions import SessionCut

_FEWEST = 10
_SILENCES_S = (1.5, 5.0, 15.0, 60.0, 240.0, 900.0)
_LEAST_MEAN_SIZE = 1.15
_STATES = (2, 3, 4, 6, 8)
_MOST_CHAINS = 3
_MOST_BINS = 40_000
_FINE_S, _COARSE_S = 1.0, 60.0
_OTHER_WIDTH = 4.0
_LEAST_BRANCHING = 0.02
_LEAST_WEIBULL = 0.1
_AROUND = 50
_LONGEST_QUICK_S = 600.0


@dataclass(frozen=True)
class Candidate:
    """One model."""

    name: str
    """Its arrival process, with what the rate does besides."""
    parameters: int
    """Numbers that were fitted, those that all models of the log share aside."""
    traffic: dict[str, Any]
    """The scenario's ``traffic`` section."""
    start: datetime | None
    """The scenario's start."""
    note: str
    """What was estimated, for the user; may be empty."""
    notes: tuple[str, ...]
    """What was found of profile and spikes, for the user."""
    by_key: bool = False
    """Whether its process was read off the log's key, and is not to be adjusted."""


def fit_candidates(
    evidence: Evidence, sessions: SessionCut | None = None
) -> list[Candidate]:
    """Return models of a log, each fitted by its own estimator.

    Parameters
    ----------
    evidence : Evidence
        The log.
    sessions : SessionCut, optional
        Its sessions, if it has a key.
    """
    found = []
    for base in fit_bases(evidence):
        found += _Proposals(evidence, base).all(sessions)
    return found


class _Proposals:
    """Models that share a base."""

    def __init__(self, evidence: Evidence, base: Base) -> None:
        self._evidence, self._base = evidence, base
        self._found: list[Candidate] = []

    def all(self, sessions: SessionCut | None) -> list[Candidate]:
        evidence = self._evidence
        self._propose("poisson", {"process": "poisson"}, 1)
        if evidence.arrival_s.size < _FEWEST or self._plain():
            return self._found
        self._with_noise("poisson", {"process": "poisson"}, 1)
        batches = fit_batches(evidence.arrival_s)
        if batches is not None:
            self._propose("cron", batches, 1)
        if sessions is not None and sessions.sizes.size >= _FEWEST:
            note = f"{sessions.sizes.size:,} sessions by their key"
            # Read off the key, not fitted: no more than a rate is to be found.
            self._propose_both("sessions", session_process(sessions), 1, note)
            self._found = [
                replace(one, by_key=one.name.startswith("sessions"))
                for one in self._found
            ]
        self._renewals()
        self._quick_noise()
        self._hawkes()
        if evidence.bin_s <= 0 or evidence.shape is not None:
            self._clusters()
        self._modulated()
        return self._found

    def _plain(self) -> bool:
        """Return whether nothing tells the log from independent requests."""
        if not self._base.plain:
            return False
        evidence = self._evidence
        if evidence.bin_s > 0:
            return evidence.shape is None
        return gaps_are_exponential(self._operational())

    def _quick_noise(self) -> None:
        """Propose a rate that changes within seconds, of a short log."""
        span_s = self._evidence.end_s - self._evidence.begin_s
        if self._evidence.bin_s > 0 or span_s > _MOST_BINS * _FINE_S:
            return
        counts, exposure_s = self._counts(_FINE_S)
        terms = fit_noise(
            counts,
            exposure_s * self._base.rate_per_s,
            _FINE_S,
            shortest_s=_FINE_S,
            longest_s=_LONGEST_QUICK_S,
        )
        if terms:
            self._propose("poisson", {"process": "poisson"}, 1, "", terms)

    def _propose(
        self,
        name: str,
        process: dict[str, Any],
        parameters: int,
        note: str = "",
        terms: tuple[Term, ...] = (),
    ) -> None:
        base = self._base
        notes = [note] if note else []
        if base.profile.stages is not None:
            name += f" + {len(base.profile.stages) - 1} stages"
        if terms:
            name += " + noise"
            notes += [
                f"noise of sigma {one.sigma:.2g} over "
                f"{format_duration(float(f'{one.correlation_time_s:.2g}'))}"
                for one in terms
            ]
        self._found.append(
            Candidate(
                name,
                parameters + 2 * len(terms) + base.parameters,
                base.traffic(process, terms),
                base.start,
                "; ".join(notes),
                base.notes,
            )
        )

    def _propose_both(
        self, name: str, process: dict[str, Any], parameters: int, note: str = ""
    ) -> None:
        self._propose(name, process, parameters, note)
        if self._base.terms:
            self._propose(name, process, parameters, note, self._base.terms)

    def _with_noise(
        self, name: str, process: dict[str, Any], parameters: int, note: str = ""
    ) -> None:
        for terms in dict.fromkeys((self._base.terms, self._base.fine_terms)):
            if terms:
                self._propose(name, process, parameters, note, terms)

    def _renewals(self) -> None:
        operational_s = self._operational()
        gaps, local = np.diff(operational_s), _local_gaps(operational_s)
        for noisy, x in ((False, gaps), (True, local)):
            k = gamma_shape(x)
            process = {"process": "gamma", "burstiness": rounded(k)}
            self._renewal("gamma", process, k, noisy=noisy)
            k = max(_LEAST_WEIBULL, weibull_shape(x))
            process = {"process": "weibull", "shape": rounded(k)}
            self._renewal("weibull", process, k, noisy=noisy)

    def _renewal(
        self, name: str, process: dict[str, Any], shape: float, *, noisy: bool
    ) -> None:
        note = f"shape {shape:.3g}"
        if noisy:
            self._with_noise(name, process, 2, note)
        else:
            self._propose(name, process, 2, note)

    def _hawkes(self) -> None:
        evidence, base = self._evidence, self._base
        weight = base.profile.weights(evidence.arrival_s, base.clock)
        operational_s = self._operational()
        total = float(operational_s[-1] - operational_s[0])
        gap_s = float(np.median(np.diff(evidence.arrival_s)))
        guess_s = min(600.0, max(1.0, 5.0 * gap_s))
        fit = fit_hawkes(evidence.arrival_s, weight, total, guess_s)
        if fit is None or fit.branching < _LEAST_BRANCHING:
            return
        process = {
            "process": "hawkes",
            "branching": rounded(fit.branching),
            "decay_time": seconds(fit.decay_time_s),
        }
        decay = format_duration(float(f"{fit.decay_time_s:.2g}"))
        note = f"branching {fit.branching:.2g}, decay time {decay}"
        self._propose_both("hawkes", process, 3, note)

    def _clusters(self) -> None:
        """Propose sessions and bursts that are told apart by gaps."""
        arrival_s = self._evidence.arrival_s
        before = 0
        for silence_s in _SILENCES_S:
            cut = cut_by_gap(arrival_s, silence_s)
            n = cut.sizes.size
            if n < 2 * _FEWEST or cut.mean_size < _LEAST_MEAN_SIZE or n == before:
                continue
            before = n
            note = f"cut at gaps of {format_duration(silence_s)}"
            self._propose_both("sessions", session_process(cut), 4, note)
            fit = fit_onoff(arrival_s, silence_s)
            if fit is not None:
                self._propose_both("onoff", fit.process, 5, note)

    def _modulated(self) -> None:
        """Propose chains of several numbers of states."""
        widths = _widths(self._evidence)
        if self._base.profile.stages is not None:
            widths = widths[:1]
        for width_s in widths:
            counts, exposure_s = self._counts(width_s)
            for n_states, fit in _best_chains(counts, exposure_s, width_s):
                pairs = zip(fit.rates_per_s, fit.sojourns_s, strict=True)
                states = [
                    {"rate": per_second(rate), "mean_sojourn": seconds(sojourn_s)}
                    for rate, sojourn_s in pairs
                ]
                process = {"process": "mmpp", "states": states}
                note = (
                    f"{n_states} states, from counts in "
                    f"{format_duration(float(f'{width_s:.3g}'))}"
                )
                self._propose_both("mmpp", process, 2 * n_states, note)

    def _counts(self, width_s: float) -> tuple[Floats, Floats]:
        """Return counts of the stretch, and what the profile makes of each bin. [s]"""
        evidence, base = self._evidence, self._base
        counted = Counts(width_s, evidence.end_s - evidence.begin_s)
        counted.add(evidence.arrival_s - evidence.begin_s)
        place = np.arange(counted.counts.size, dtype=np.float64) + 0.5
        middle_s: Floats = evidence.begin_s + place * width_s
        exposure_s = width_s * base.profile.weights(middle_s, base.clock)
        used = exposure_s > 0
        if base.spikes.surges:
            minute = (middle_s / evidence.minutes.width_s).astype(np.int64)
            used &= base.spikes.used.take(minute, mode="clip")
        return counted.counts[used].astype(np.float64), exposure_s[used]

    def _operational(self) -> Floats:
        """Return the arrivals in operational time of the profile. [s]"""
        evidence, base = self._evidence, self._base
        begin_s, end_s = evidence.begin_s, evidence.end_s
        n = max(100, math.ceil((end_s - begin_s) / SECONDS_PER_HOUR * 4))
        edges_s = np.linspace(begin_s, end_s, min(n, 1_000_000) + 1)
        middle_s: Floats = 0.5 * (edges_s[1:] + edges_s[:-1])
        passed = base.profile.weights(middle_s, base.clock) * np.diff(edges_s)
        at_edges = np.concatenate([[0.0], np.cumsum(passed)])
        return np.asarray(
            np.interp(evidence.arrival_s, edges_s, at_edges), dtype=np.float64
        )


def _best_chains(
    counts: Floats, exposure_s: Floats, width_s: float
) -> list[tuple[int, MmppFit]]:
    """Return the chains of more and more states, as far as more explain more."""
    found: list[tuple[int, MmppFit]] = []
    for n_states in _STATES:
        fit = fit_mmpp(counts, exposure_s, width_s, n_states)
        if fit is None or (found and fit.information > found[-1][1].information):
            break
        found.append((n_states, fit))
    return found[-_MOST_CHAINS:]


def _local_gaps(arrival_s: Floats) -> Floats:
    """Return gaps over the mean of the hundred gaps around each. [1]"""
    gaps = np.diff(arrival_s)
    place = np.arange(gaps.size)
    low = np.maximum(place - _AROUND, 0)
    high = np.minimum(place + _AROUND, gaps.size - 1) + 1
    means = (arrival_s[high] - arrival_s[low]) / (high - low)
    return np.asarray(gaps / np.maximum(means, 1e-12), dtype=np.float64)


def _widths(evidence: Evidence) -> list[float]:
    """Return the bins in which chains are looked at. [s]"""
    if evidence.bin_s > 0 and evidence.shape is None:
        return [evidence.bin_s]
    span_s = evidence.end_s - evidence.begin_s
    fine_s = max(_FINE_S, span_s / _MOST_BINS)
    coarse_s = max(_COARSE_S, span_s / _MOST_BINS)
    if span_s <= SECONDS_PER_DAY / 4 or coarse_s < _OTHER_WIDTH * fine_s:
        return [fine_s]
    return [fine_s, coarse_s]
