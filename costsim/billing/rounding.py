"""Metered time in integer nanoseconds: lengths, rounding up, exact sums.

After the length of a span has become an integer there are no floats: a quotient of
floats such as (0.1 * 3) / 0.1 would bill one increment too many (docs/model.md 8.3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from costsim.compiling import compiled

if TYPE_CHECKING:
    from costsim.catalog.tariff import MeteringRules
    from costsim.records import Floats, Ints

NS_PER_S = 10**9


def nanoseconds(seconds: Floats) -> Ints:
    """Return whole nanoseconds, half to even. [ns]"""
    return np.rint(seconds * 1e9).astype(np.int64)


class Rounding(NamedTuple):
    """How the length of an item becomes billed time."""

    increment_ns: int
    """Items are rounded up to a multiple of it; 0: they are not rounded. [ns]"""
    minimum_ns: int
    """Least charge of an item that is not empty, itself rounded up. [ns]"""

    @classmethod
    def of(cls, rules: MeteringRules) -> Rounding:
        """Return the rounding that the rules ask for."""
        increment_ns = round(rules.increment_s * NS_PER_S)
        minimum_ns = round(rules.minimum_s * NS_PER_S)
        return cls(increment_ns, round_up(minimum_ns, increment_ns))

    @classmethod
    def of_disk(cls, rules: MeteringRules) -> Rounding:
        """Return the rounding of a replica's life that pays for its disk."""
        return cls(round(rules.disk_increment_s * NS_PER_S), 0)

    def item_ns(self, length_ns: int) -> int:
        """Return the billed time of one item, however long. [ns]"""
        if length_ns == 0:
            return 0
        return max(round_up(length_ns, self.increment_ns), self.minimum_ns)

    def items_ns(self, lengths_ns: Ints) -> int:
        """Return the billed time of many items. [ns]"""
        high, low = _rounded_sum(lengths_ns, self.increment_ns, self.minimum_ns)
        return (int(high) << 32) + int(low)

    def slots_ns(self, start_ns: Ints, end_ns: Ints) -> int:
        """Return the billed time of spans that pay for each clock slot they touch. [ns]"""
        if self.increment_ns == 0:
            return self.items_ns(end_ns - start_ns)
        before_ns = np.where(end_ns > start_ns, start_ns % self.increment_ns, 0)
        return self.items_ns(end_ns - start_ns + before_ns)


def round_up(length_ns: int, increment_ns: int) -> int:
    """Return the least multiple of the increment that is not less. [ns]"""
    return -(-length_ns // increment_ns) * increment_ns if increment_ns else length_ns


def exact_sum(values: Ints) -> int:
    """Return a sum that may not fit 63 bits: those are only 292 years of replica time."""
    high, low = _rounded_sum(values, 0, 0)
    return (int(high) << 32) + int(low)


@compiled
def _rounded_sum(
    lengths_ns: Ints, increment_ns: int, minimum_ns: int
) -> tuple[int, int]:
    """Return the sum of the rounded lengths, as a high part times 2**32 and a low part."""
    high, low = 0, 0
    for length_ns in lengths_ns:
        if length_ns > 0:
            missing_ns = -length_ns % increment_ns if increment_ns > 0 else 0
            billed_ns = max(length_ns + missing_ns, minimum_ns)
            high += billed_ns >> 32
            low += billed_ns & 0xFFFFFFFF
    return high, low
