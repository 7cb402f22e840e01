"""Differences between two answers: paired where they met the same traffic, Welch's else."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from costsim.study.differences import Sampled, difference


def sampled(*values: float) -> Sampled:
    return Sampled(math.fsum(values) / len(values), values)


def test_paired_differences_are_those_of_a_paired_t_test():
    before, after = [3.0, 5.0, 4.0, 6.0], [3.5, 5.25, 4.75, 6.25]

    found = difference(sampled(*before), sampled(*after), paired=True).absolute

    expected = stats.ttest_rel(after, before).confidence_interval(0.95)
    assert found.value == pytest.approx(0.4375)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_unpaired_differences_are_welchs_with_degrees_rounded_down():
    before, after = [3.0, 5.0, 4.0, 6.0, 2.0], [8.0, 5.25, 14.75]

    found = difference(sampled(*before), sampled(*after), paired=False).absolute

    test = stats.ttest_ind(after, before, equal_var=False)
    error = math.sqrt(np.var(before, ddof=1) / 5 + np.var(after, ddof=1) / 3)
    half = stats.t.ppf(0.975, math.floor(test.df)) * error
    assert found.half_width == pytest.approx(half)


def test_a_constant_ratio_is_known_exactly():
    before = (3.0, 5.0, 4.0)

    found = difference(
        sampled(*before), sampled(*(1.1 * one for one in before)), paired=True
    )

    assert found.relative.value == pytest.approx(0.1)
    assert found.relative.half_width == pytest.approx(0.0, abs=1e-12)


def test_the_ratio_of_unpaired_values_is_as_uncertain_as_both():
    before, after = sampled(9.0, 11.0, 10.0), sampled(19.0, 21.0, 20.0)

    found = difference(before, after, paired=False)

    # var(after - 2 before) / 10^2 with 2 x 3 values of variance 1, Welch's 2.94 degrees.
    half = stats.t.ppf(0.975, 2) * math.sqrt((1 + 4) / 3) / 10
    assert found.relative.value == pytest.approx(1.0)
    assert found.relative.half_width == pytest.approx(half)


def test_intervals_with_zero_in_them_are_noise():
    noise = difference(sampled(1.0, 2.0, 3.0), sampled(1.1, 1.9, 3.1), paired=True)
    more = difference(sampled(1.0, 2.0, 3.0), sampled(2.0, 3.0, 4.1), paired=True)

    assert (noise.is_noise, more.is_noise) == (True, False)


@pytest.mark.parametrize("paired", [True, False])
def test_one_replication_has_a_difference_and_no_interval(paired):
    found = difference(sampled(2.0), sampled(3.0), paired=paired)

    assert (found.absolute.value, found.relative.value) == (1.0, 0.5)
    assert math.isnan(found.absolute.half_width)
    assert not found.is_noise


def test_nothing_is_no_base_for_a_share():
    found = difference(sampled(0.0, 0.0), sampled(1.0, 1.0), paired=True)

    assert found.absolute.value == 1.0
    assert math.isnan(found.relative.value)
