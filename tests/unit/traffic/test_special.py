import numpy as np
import pytest
from scipy import special, stats

from costsim.traffic.special import gamma_quantile, normal_quantile

PROBABILITIES = np.concatenate(
    [
        [2.0**-54, 1e-12, 1e-6, 1e-3],
        np.linspace(0.002, 0.998, 997),
        [1 - 1e-3, 1 - 1e-6, 1 - 1e-12, 1 - 2.0**-53],
    ]
)


def test_normal_quantile_agrees_with_scipy():
    ours = normal_quantile(PROBABILITIES)

    np.testing.assert_allclose(
        ours, special.ndtri(PROBABILITIES), rtol=1e-13, atol=1e-16
    )


def test_normal_quantile_agrees_with_scipy_in_the_far_tail():
    p = np.array([1e-300, 1e-100, 1e-20, 1e-12])

    np.testing.assert_allclose(normal_quantile(p), special.ndtri(p), rtol=1e-13)


def test_normal_quantile_is_odd_and_infinite_at_the_ends():
    quantiles = normal_quantile(np.array([0.0, 0.25, 0.5, 0.75, 1.0]))

    assert quantiles[0] == -np.inf
    assert quantiles[4] == np.inf
    assert quantiles[2] == 0.0
    assert quantiles[1] == -quantiles[3]


@pytest.mark.parametrize(
    "shape",
    [1e-3, 0.01, 0.1, 0.5, 0.999, 1.0, 1.5, 3.0, 10.0, 100.0, 1e3, 2999.0, 3001.0, 1e5],
)
def test_gamma_quantile_agrees_with_scipy(shape):
    theirs = stats.gamma.ppf(PROBABILITIES, shape)
    # Below, doubles are denormal and lose digits on both sides.
    compared = theirs > 1e-290

    ours = gamma_quantile(PROBABILITIES, shape)

    np.testing.assert_allclose(ours[compared], theirs[compared], rtol=1e-10)
    assert np.all(ours[~compared] <= 1e-289)


def test_gamma_quantile_of_shape_one_is_exponential():
    ours = gamma_quantile(PROBABILITIES, 1.0)

    np.testing.assert_allclose(ours, -np.log1p(-PROBABILITIES), rtol=1e-12)


@pytest.mark.parametrize("shape", [1e-4, 0.3, 7.0, 2999.9, 3000.1, 1e8])
def test_gamma_quantile_rises(shape):
    assert np.all(np.diff(gamma_quantile(PROBABILITIES, shape)) >= 0)


def test_gamma_quantile_of_a_huge_shape_is_near_its_mean():
    # SciPy's own tail is off by 0.1 standard deviations at this shape.
    quantile = gamma_quantile(np.array([0.5]), 1e8)

    # The median of a gamma is k - 1/3 + O(1/k).
    assert quantile[0] == pytest.approx(1e8 - 1 / 3, abs=1e-6)
