"""What all models of a log share: its mean rate, profile, growth, spikes and noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from costsim.traffic.fit.laws import per_second, rounded, seconds
from costsim.traffic.fit.noise import Term, fit_noise
from costsim.traffic.fit.plain import counts_are_independent, rate_changes
from costsim.traffic.fit.profile import Profile, fit_profile
from costsim.traffic.fit.spikes import SpikesFit, fit_spikes
from costsim.traffic.fit.stages import fit_stages, stages_section

if TYPE_CHECKING:
    from costsim.records import Floats, Ints
    from costsim.traffic.fit.evidence import Evidence

STREAM = "requests"
"""Name of the stream."""
SOME_MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
"""The start of a scenario from a log without a calendar that has a course of the day."""
_FEWEST = 10
_FEWEST_FOR_STAGES = 200
_NUMBERS_OF_STAGES = (6, 24)
_SHORTEST_STAGE_S = 120.0


@dataclass(frozen=True, eq=False)
class Base:
    """What all models of a log share."""

    rate_per_s: float
    """Mean rate without spikes. [requests/s]"""
    span_s: float
    """How long the log is. [s]"""
    profile: Profile
    spikes: SpikesFit
    start: datetime | None
    """Start of the scenario; None if nothing needs a calendar."""
    terms: tuple[Term, ...]
    """Noise beyond ten minutes."""
    fine_terms: tuple[Term, ...]
    """Noise from one bin of the counts on."""
    plain: bool = False
    """Whether counts vary about the profile as those of independent requests do."""
    notes: tuple[str, ...] = ()
    """What was found, for the user."""

    @property
    def clock(self) -> datetime:
        """The moment 0 of the profile."""
        return self.start or SOME_MONDAY

    @property
    def parameters(self) -> int:
        """Numbers that only some models of the log have: its stages."""
        return 0 if self.profile.stages is None else len(self.profile.stages)

    def traffic(
        self, process: dict[str, Any], terms: tuple[Term, ...] = ()
    ) -> dict[str, Any]:
        """Return the section with a process and noise."""
        if process["process"] == "cron":
            return {"streams": [{"name": STREAM, "arrivals": process}]}
        stream: dict[str, Any] = {"name": STREAM}
        if self.profile.stages is None:
            stream["rate"] = per_second(self.rate_per_s)
        else:
            rates = self.rate_per_s * np.asarray(self.profile.stages)
            stream |= stages_section(rates, self.profile.span_s, self.span_s)
        seasonal = {
            key: [rounded(one) for one in weights]
            for key in ("hour_of_day", "day_of_week")
            if (weights := getattr(self.profile, key)) is not None
        }
        if seasonal:
            stream["seasonal"] = seasonal
        if self.profile.growth_per_month:
            growth = rounded(self.profile.growth_per_month)
            stream["trend"] = {"growth_per_month": growth}
        if terms:
            stream["noise"] = [
                {
                    "sigma": rounded(one.sigma),
                    "correlation_time": seconds(one.correlation_time_s),
                }
                for one in terms
            ]
        stream["arrivals"] = process
        traffic: dict[str, Any] = {"streams": [stream]}
        if self.spikes.section:
            traffic["spikes"] = [dict(one) for one in self.spikes.section]
        return traffic


def fit_bases(evidence: Evidence) -> list[Base]:
    """Return what models of a log share: profile, growth, spikes and noise.

    A log that is too short for hours of the day has two answers: a constant rate, and
    the course of its rate as ramps.
    """
    minutes = evidence.minutes
    spikes = fit_spikes(minutes, evidence.span_s, evidence.bin_s)
    profile = fit_profile(
        minutes.counts,
        minutes.width_s,
        evidence.start or SOME_MONDAY,
        used=spikes.used,
        bin_s=evidence.bin_s,
    )
    found = [_base(evidence, spikes, profile)]
    if found[0].plain:
        return found
    for n_stages in _stage_numbers(evidence, profile):
        width_s = max(minutes.width_s, evidence.bin_s)
        counts = minutes.merged(width_s)
        if counts is None or not rate_changes(counts, n_stages):
            continue
        rates = fit_stages(counts, width_s, n_stages)
        if rates is not None:
            covered_s = counts.size * width_s
            weights = rates / (float(counts.sum()) / covered_s)
            course = Profile(stages=tuple(weights.tolist()), span_s=covered_s)
            found.append(_base(evidence, spikes, course))
    return found


def _stage_numbers(evidence: Evidence, profile: Profile) -> list[int]:
    if profile.hour_of_day is not None or evidence.n_requests < _FEWEST_FOR_STAGES:
        return []
    shortest_s = max(_SHORTEST_STAGE_S, 2.0 * evidence.bin_s)
    return [n for n in _NUMBERS_OF_STAGES if n * shortest_s <= evidence.span_s]


def _base(evidence: Evidence, spikes: SpikesFit, profile: Profile) -> Base:
    minutes = evidence.minutes
    clock = evidence.start or SOME_MONDAY
    seasonal = profile.hour_of_day is not None or profile.day_of_week is not None
    time_s: Floats = (
        np.arange(minutes.counts.size, dtype=np.float64) + 0.5
    ) * minutes.width_s
    weights = profile.weights(time_s, clock)
    exposure_s = weights * minutes.width_s * spikes.used
    counts = minutes.counts * spikes.used
    rate_per_s = evidence.n_requests / evidence.span_s
    if exposure_s.sum() > 0 and counts.sum() >= _FEWEST:
        rate_per_s = float(counts.sum() / exposure_s.sum())
    terms, fine_terms = _noise(evidence, counts, rate_per_s * exposure_s)
    return Base(
        rate_per_s=rate_per_s,
        span_s=evidence.span_s,
        profile=profile,
        spikes=spikes,
        start=(evidence.start or SOME_MONDAY) if seasonal else evidence.start,
        terms=terms,
        fine_terms=fine_terms,
        plain=counts_are_independent(*_merged(evidence, counts, exposure_s)[:2]),
        notes=_base_notes(evidence, profile, spikes, seasonal),
    )


def _noise(
    evidence: Evidence, counts: Ints, expected: Floats
) -> tuple[tuple[Term, ...], tuple[Term, ...]]:
    found, expected, width_s = _merged(evidence, counts, expected)
    return (
        fit_noise(found, expected, width_s),
        fit_noise(found, expected, width_s, shortest_s=width_s),
    )


def _merged(
    evidence: Evidence, counts: Ints, expected: Floats
) -> tuple[Floats, Floats, float]:
    """Return both in bins that are not narrower than those of the log, and their width."""
    width_s = evidence.minutes.width_s
    times = max(1, math.ceil(evidence.bin_s / width_s - 1e-9))
    n = counts.size // times
    found = counts[: n * times].reshape(n, times).sum(1).astype(np.float64)
    return found, expected[: n * times].reshape(n, times).sum(1), width_s * times


def _base_notes(
    evidence: Evidence, profile: Profile, spikes: SpikesFit, seasonal: bool
) -> tuple[str, ...]:
    notes = []
    if seasonal and evidence.start is None:
        notes.append(
            "the log has no calendar: its first request is taken to come on a Monday at "
            "00:00"
        )
    if profile.growth_per_month:
        notes.append(f"growth of {profile.growth_per_month:+.0%} a month")
    if profile.stages is not None:
        notes.append(
            f"the course of the rate is kept as {len(profile.stages) - 1} ramps: the "
            "model is one of this time, and ends with it"
        )
    if spikes.note:
        notes.append(spikes.note)
    return tuple(notes)
