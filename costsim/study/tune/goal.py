r"""What settings must hold and what is made least, judged from single replications.

A setting meets the SLO with a confidence if that share of fresh replications would meet
every bound. Two things must say so: of the replications seen, that share did; and the
one-sided prediction bound for the next one,

.. math:: \bar x + t_{R-1} \, s \sqrt{1 + 1/R},

is within the limit (Hahn and Meeker, Statistical Intervals, 1991, 4.7). A bound on a
quantile is judged there by the share of requests above its limit, which says the same:
that is a mean, so it moves steadily where a quantile next to a step, such as p95 at 5 % of
cold starts, jumps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from costsim.simulation.quantiles import PERCENTS
from costsim.study.differences import Sampled, difference
from costsim.study.statistics import student_quantile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from costsim.study.differences import Difference
    from costsim.study.replicate import Outcome

OBJECTIVES = {
    "cost": "cost_usd_per_month",
    "p95": "p95_s",
    "p99": "p99_s",
    "mean": "mean_s",
}
"""What can be made least, by its word."""

_CLEARLY = 0.01
"""Probability of so many misses, if the SLO were met, below which it clearly is not."""
_TAILS = {f"p{percent}_s": 1 - percent / 100 for percent in PERCENTS}
"""The share of requests that may be above each quantile's limit."""
_SAME = 1e-9


class Standing(Enum):
    """Whether settings meet the SLO, as far as is known."""

    MEETS = "meets"
    OPEN = "open"
    MISSES = "misses"


@dataclass(frozen=True)
class Goal:
    """What must hold, how surely, and what is made least."""

    bounds: Mapping[str, float]
    """Limits, by measure."""
    confidence: float
    """Share of replications that must meet every bound. [1]"""
    measure: str = "cost_usd_per_month"
    """What is made least."""
    most: int = 32
    """Replications after which nothing stays open."""
    spare: float = 1.0
    """Of the predictions: they allow so many times fewer misses. [1]"""

    @property
    def level(self) -> float:
        """Confidence of each bound alone, such that all hold together (Bonferroni)."""
        counted = len(self.bounds.keys() - {"lost_fraction"})
        return 1 - (1 - self.confidence) / max(1, counted) / self.spare

    @property
    def surer(self) -> Goal:
        """The goal of what is chosen: its own spread is not known exactly either.

        Of a normal sample of 32, a prediction bound at half of the misses allowed is
        about that within which the share wanted truly is, with 94 % confidence.
        """
        return replace(self, spare=2.0)

    @property
    def tails(self) -> dict[str, float]:
        """Quantiles that are bounded, and their limits."""
        return {one: self.bounds[one] for one in self.bounds if one in _TAILS}

    def with_replications(self, most: int) -> Goal:
        """Return the goal with another number of replications at most."""
        return replace(self, most=most)

    def standing(self, trial: Trial) -> Standing:
        """Return whether what was tried meets the SLO."""
        n = trial.n
        missed = n - sum(self.meets(trial))
        if missed and _tail(n, 1 - self.confidence, missed) < _CLEARLY:
            return Standing.MISSES
        enough = missed <= (1 - self.confidence) * n + _SAME
        if n > 1 and enough and self._predicted(trial):
            return Standing.MEETS
        return Standing.OPEN if n < self.most else Standing.MISSES

    def meets(self, trial: Trial) -> list[bool]:
        """Return for each replication whether it met every bound."""
        columns = [trial.samples[measure] for measure in self.bounds]
        limits = list(self.bounds.values())
        return [
            all(value <= limit for value, limit in zip(row, limits, strict=True))
            for row in zip(*columns, strict=True)
        ]

    def excess(self, trial: Trial) -> float:
        """Return how far what was tried is from its worst bound; 1 is on it. [1]"""
        ratios = [
            at / limit if limit > 0 else (math.inf if at > 0 else 0.0)
            for measure, limit in self.bounds.items()
            if not math.isnan(at := trial.mean(measure))
        ]
        return max(ratios, default=math.inf)

    def _predicted(self, trial: Trial) -> bool:
        pairs = (
            (trial.samples[f"over_{one}"], _TAILS[one])
            if f"over_{one}" in trial.samples
            else (trial.samples[one], limit)
            for one, limit in self.bounds.items()
        )
        return all(at_most(values, self.level) <= limit for values, limit in pairs)


@dataclass(eq=False)
class Trial:
    """What settings did in the replications tried so far, which follow each other."""

    first: int = 0
    """Number of the first of them."""
    samples: dict[str, list[float]] = field(default_factory=dict)
    """The value of each measure in each replication."""

    @property
    def n(self) -> int:
        """Replications."""
        return len(self.samples.get("cost_usd", ()))

    def add(self, rows: Sequence[Mapping[str, float]]) -> None:
        """Take further replications."""
        for row in rows:
            for measure, value in row.items():
                self.samples.setdefault(measure, []).append(value)

    def mean(self, measure: str, n: int | None = None) -> float:
        """Return the mean over the first n replications, over all if None."""
        values = self.samples[measure][:n]
        return math.fsum(values) / len(values)

    def fingerprint(self, n: int) -> tuple[tuple[float, ...], ...]:
        """Return what is equal only for settings that did the same n times."""
        keys = ("cost_usd", "mean_s", "p99_s", "cold_start_fraction")
        return tuple(tuple(self.samples[one][:n]) for one in keys)


def at_most(values: Sequence[float], level: float) -> float:
    """Return the one-sided prediction bound for one more value; NaN with fewer than two."""
    n = len(values)
    if n < 2:
        return math.nan
    center = math.fsum(values) / n
    square = math.fsum((value - center) ** 2 for value in values) / (n - 1)
    if square == 0:
        return center
    width = student_quantile(level, n - 1) * math.sqrt(square * (1 + 1 / n))
    return center + width


def compared(first: Trial, second: Trial, measure: str) -> Difference:
    """Return how much more of a measure the second has, on the traffic both met."""
    n = min(first.n, second.n)
    sides = [
        Sampled(one.mean(measure, n), one.samples[measure][:n])
        for one in (first, second)
    ]
    return difference(*sides, paired=True)


def sampled(outcome: Outcome, months: float, goal: Goal) -> dict[str, float]:
    """Return what one replication of a deployment did, by measure.

    Parameters
    ----------
    outcome : Outcome
        Of one replication.
    months : float
        Length of it. [months]
    goal : Goal
        Whose limits on quantiles are counted against.
    """
    measures = outcome.measures
    n = measures.measured
    usd = outcome.bill.total_usd
    found = {
        "cost_usd": usd,
        "cost_usd_per_month": usd / months,
        "mean_s": measures.mean_s,
        **{
            f"p{percent}_s": value
            for percent, value in zip(PERCENTS, measures.quantiles_s, strict=True)
        },
        "over_slo_fraction": _share(measures.over_slo, n),
        "cold_start_fraction": _share(measures.cold, n),
        "lost_fraction": measures.lost / measures.requests
        if measures.requests
        else 0.0,
    }
    if measures.histogram is None:
        for quantile, limit_s in goal.tails.items():
            slow = int(np.count_nonzero(measures.response_s > limit_s))
            found[f"over_{quantile}"] = _share(slow, n)
    return found


def _share(part: int, whole: int) -> float:
    return part / whole if whole else math.nan


@cache
def _tail(n: int, probability: float, at_least: int) -> float:
    """Return P(X >= at_least) of a binomial."""
    return math.fsum(
        math.comb(n, k) * probability**k * (1 - probability) ** (n - k)
        for k in range(at_least, n + 1)
    )
