"""How much a measure differs between two ways of serving, with intervals.

Where both met the same traffic, replication by replication, differences are paired: what
the traffic did to both cancels out. Where they did not, the two variances add up
(Welch, Biometrika 34 (1947) 28).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from costsim.study.statistics import LEVEL, Estimate, estimate_about, student_quantile

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Sampled:
    """A measure of one deployment."""

    value: float
    """Of all replications together."""
    samples: Sequence[float]
    """Of each replication alone."""


@dataclass(frozen=True)
class Difference:
    """How a measure differs."""

    absolute: Estimate
    """After minus before, in the measure's unit."""
    relative: Estimate
    """The same as a share of before; NaN if that is zero. [1]"""

    @property
    def is_noise(self) -> bool:
        """Whether the interval contains zero: then nothing is shown to differ.

        Without an interval, as of one replication, only equal values do not differ.
        """
        found = self.absolute
        if math.isnan(found.half_width):
            return found.value == 0
        return found.low <= 0 <= found.high


def difference(before: Sampled, after: Sampled, *, paired: bool) -> Difference:
    """Return how a measure differs.

    Parameters
    ----------
    before, after : Sampled
        The two values; of a quantile, that of all response times pooled.
    paired : bool
        Whether the k-th replications of both met the same traffic.

    Notes
    -----
    The relative difference is a ratio of two estimates minus one; its variance is that of
    ``after - ratio * before``, over the square of ``before`` (Asmussen and Glynn,
    Stochastic Simulation, 2007, III.4).
    """
    apart = _paired if paired else _welch
    absolute = apart(before, after, 1.0)
    if before.value == 0 or not math.isfinite(before.value):
        unknown = Estimate(math.nan, math.nan, math.nan)
        return Difference(absolute, unknown)
    ratio = after.value / before.value
    about = apart(before, after, ratio).half_width / abs(before.value)
    change = absolute.value / before.value
    return Difference(absolute, Estimate(change, change - about, change + about))


def _paired(before: Sampled, after: Sampled, ratio: float) -> Estimate:
    """Return ``after - ratio * before`` by its value in each replication."""
    center = after.value - ratio * before.value
    pairs = zip(before.samples, after.samples, strict=True)
    return estimate_about(center, [theirs - ratio * ours for ours, theirs in pairs])


def _welch(before: Sampled, after: Sampled, ratio: float) -> Estimate:
    """Return ``after - ratio * before`` of independent replications."""
    center = after.value - ratio * before.value
    first, second = _square(after), ratio * ratio * _square(before)
    total = first + second
    if not total > 0:  # no spread, or fewer than two replications (NaN)
        half = 0.0 * total
        return Estimate(center, center - half, center + half)
    shares = [(first, len(after.samples)), (second, len(before.samples))]
    # Welch and Satterthwaite's; rounded down, which widens the interval.
    degrees = total * total / sum(part * part / (n - 1) for part, n in shares)
    half = student_quantile((1 + LEVEL) / 2, math.floor(degrees)) * math.sqrt(total)
    return Estimate(center, center - half, center + half)


def _square(one: Sampled) -> float:
    """Return the squared standard error of a value; NaN if it is not known."""
    n = len(one.samples)
    if n < 2 or not all(map(math.isfinite, one.samples)):
        return math.nan
    squares = math.fsum((value - one.value) ** 2 for value in one.samples)
    return squares / (n - 1) / n
