"""Student intervals and sectioning: against tables, by hand, and by their coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest

from costsim.study.statistics import (
    Estimate,
    estimate_about,
    estimate_mean,
    student_cdf,
    student_quantile,
)

QUANTILES = [
    # (degrees, probability, t): computed by SciPy 1.17, which agrees with table 26.10 of
    # Abramowitz and Stegun, Handbook of Mathematical Functions, in all of its digits.
    (1, 0.75, 1.0),
    (1, 0.975, 12.706204736),
    (1, 0.995, 63.656741163),
    (2, 0.9, 1.8856180832),
    (2, 0.975, 4.3026527297),
    (3, 0.95, 2.3533634348),
    (4, 0.975, 2.7764451052),
    (5, 0.995, 4.0321429836),
    (9, 0.975, 2.2621571628),
    (19, 0.975, 2.0930240544),
    (19, 0.9999, 4.5898645968),
    (30, 0.975, 2.0422724563),
    (100, 0.95, 1.6602343261),
    (1000, 0.975, 1.9623390808),
    (100_000, 0.975, 1.9599877075),
]

PROBABILITIES = [
    (1, 0.1, 0.531725517431),
    (1, 20.0, 0.984097748744),
    (2, 0.5, 0.666666666667),
    (3, 1.0, 0.804498890522),
    (9, 2.0, 0.961723588115),
    (30, 5.0, 0.999988351657),
    (1000, 1.0, 0.841223790958),
]


@pytest.mark.parametrize(("degrees", "probability", "t"), QUANTILES)
def test_quantiles_of_student_are_those_of_the_tables(degrees, probability, t):
    assert student_quantile(probability, degrees) == pytest.approx(t, rel=1e-9)


@pytest.mark.parametrize(("degrees", "t", "probability"), PROBABILITIES)
def test_probabilities_of_student_are_those_of_the_tables(degrees, t, probability):
    assert student_cdf(t, degrees) == pytest.approx(probability, abs=1e-11)


@pytest.mark.parametrize("degrees", [1, 2, 7, 1000])
def test_half_of_student_is_below_zero(degrees):
    assert student_cdf(0.0, degrees) == 0.5
    assert student_quantile(0.5, degrees) == pytest.approx(0.0, abs=1e-300)


def test_student_with_one_degree_is_cauchy_and_with_two_has_a_closed_form():
    t = 3.7

    assert student_cdf(t, 1) == pytest.approx(0.5 + math.atan(t) / math.pi, abs=1e-14)
    assert student_cdf(t, 2) == pytest.approx(
        0.5 + t / (2 * math.sqrt(2 + t * t)), abs=1e-14
    )


def test_a_mean_has_the_interval_of_the_textbook():
    # Mean 4; variance (4 + 1 + 0 + 1 + 4) / 4 = 2.5; half = 2.7764451052 sqrt(2.5 / 5).
    found = estimate_mean([2.0, 3.0, 4.0, 5.0, 6.0])

    assert found.value == 4.0
    assert found.half_width == pytest.approx(1.9632431615, rel=1e-9)
    assert (found.low + found.high) / 2 == pytest.approx(4.0, rel=1e-15)


def test_a_higher_level_has_a_wider_interval():
    # 99 %: t = 4.6040948713 with four degrees.
    found = estimate_mean([2.0, 3.0, 4.0, 5.0, 6.0], level=0.99)

    assert found.half_width == pytest.approx(4.6040948713 * math.sqrt(0.5), rel=1e-9)


def test_sectioning_squares_about_the_pooled_value():
    # About 10, not about the sections' mean of 12: ((9-10)^2 + 3^2 + 4^2) / 2 = 13.
    found = estimate_about(10.0, [9.0, 13.0, 14.0])

    assert found.value == 10.0
    assert found.half_width == pytest.approx(4.3026527297 * math.sqrt(13 / 3), rel=1e-9)


def test_equal_values_have_an_interval_of_no_width():
    assert estimate_mean([1.7, 1.7, 1.7]) == Estimate(1.7, 1.7, 1.7)


def test_one_replication_has_a_value_and_no_interval():
    found = estimate_mean([5.0])

    assert found.value == 5.0
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_a_replication_in_which_nothing_was_measured_leaves_no_interval():
    found = estimate_about(5.0, [4.0, math.nan, 6.0])

    assert found.value == 5.0
    assert math.isnan(found.half_width)


def test_intervals_of_normal_means_cover_the_truth_95_times_in_100(rng):
    # 4,000 samples of five: the share's standard error is 0.0034.
    samples = rng.normal(10.0, 3.0, size=(4000, 5))

    found = [estimate_mean(sample) for sample in samples]

    covered = np.mean([one.low <= 10.0 <= one.high for one in found])
    assert covered == pytest.approx(0.95, abs=0.0105)
