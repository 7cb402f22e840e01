"""The law of an exponential time that may be preceded by an exponential delay."""

from __future__ import annotations

import math
from dataclasses import dataclass

from costsim.queueing.bisection import bisect


@dataclass(frozen=True)
class DelayedExponential:
    r"""A sum X + B D of independent X, D exponential and B yes or no.

    .. math:: P(X + D > t) = e^{-f t} + f e^{-s t} \int_0^t e^{-(f - s) u} du

    where f is the faster and s the slower of the two rates.
    """

    base_rate_per_s: float
    """Rate of X, > 0. [1/s]"""
    delay_probability: float
    """P(B = 1). [1]"""
    delay_rate_per_s: float
    """Rate of D, > 0. [1/s]"""

    def survival(self, time_s: float) -> float:
        """Return the probability of exceeding a time. [1]"""
        slow, fast = sorted((self.base_rate_per_s, self.delay_rate_per_s))
        # A sum of positive terms: the textbook's difference fails near equal rates.
        gap = (fast - slow) * time_s
        overlap_s = time_s * (-math.expm1(-gap) / gap if gap else 1.0)
        both = math.exp(-fast * time_s) + fast * overlap_s * math.exp(-slow * time_s)
        alone = math.exp(-self.base_rate_per_s * time_s)
        return (1 - self.delay_probability) * alone + self.delay_probability * both

    def quantile(self, probability: float) -> float:
        """Return the time exceeded with probability 1 - `probability`. [s]"""
        tail = 1 - probability
        high_s = 1 / self.base_rate_per_s
        while self.survival(high_s) > tail:
            high_s *= 2
        return bisect(lambda time_s: self.survival(time_s) > tail, 0.0, high_s)
