"""Numbers drawn by compiled loops are those of NumPy's generator, bit for bit.

Should a later NumPy draw otherwise, this test tells; results must stay as they are.
"""

import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from costsim.traffic import loops, ziggurat
from costsim.traffic.draws import Draws
from costsim.traffic.streams import stream_rng

N = 300_000
EXPONENTIAL_END, NORMAL_END = 7.69711747013104972, 3.654152885361008796


def rng(index=0):
    return stream_rng(8, 0, "arrivals", index)


def drawn(draw, n=N):
    out = np.empty(n)
    draw(out)
    return out


def test_exponential_numbers_are_those_of_numpy():
    ours, theirs = drawn(Draws(rng()).exponentials), rng().standard_exponential(N)

    assert np.array_equal(ours, theirs)
    # The tail beyond the last strip, 1 in 2200, was drawn from.
    assert (theirs > EXPONENTIAL_END).sum() > 50


def test_normal_numbers_are_those_of_numpy():
    ours, theirs = drawn(Draws(rng()).normals), rng().standard_normal(N)

    assert np.array_equal(ours, theirs)
    assert (theirs > NORMAL_END).sum() > 10
    assert (theirs < -NORMAL_END).sum() > 10


@pytest.mark.parametrize("shape", [1.0, 1.0001, 1.5, 4.0, 300.0, 1e8])
def test_gamma_numbers_of_a_shape_from_1_on_are_those_of_numpy(shape):
    ours = drawn(lambda out: Draws(rng()).gammas(shape, out))

    assert np.array_equal(ours, rng().standard_gamma(shape, N))


@pytest.mark.parametrize("shape", [0.999, 0.5, 0.03])
def test_gamma_numbers_of_a_smaller_shape_are_a_larger_one_times_a_power(shape):
    n = 20_000
    numpy_rng = rng()
    pairs = np.array(
        [
            (numpy_rng.standard_gamma(shape + 1), numpy_rng.standard_exponential())
            for _ in range(n)
        ]
    )

    ours = drawn(lambda out: Draws(rng()).gammas(shape, out), n)

    np.testing.assert_allclose(
        ours, pairs[:, 0] * np.exp(-pairs[:, 1] / shape), rtol=1e-13
    )


@pytest.mark.parametrize("shape", [0.999, 0.5, 0.1, 0.01])
def test_gamma_numbers_of_a_smaller_shape_follow_their_law(shape):
    ours = drawn(lambda out: Draws(rng()).gammas(shape, out))

    # Kolmogorov and Smirnov at a fixed seed, level 0.1 %.
    assert stats.kstest(ours, stats.gamma(shape).cdf).pvalue > 1e-3
    assert ours.mean() == pytest.approx(shape, abs=3.3 * np.sqrt(shape / N))


def test_the_smallest_shape_is_nearly_always_0():
    ours = drawn(lambda out: Draws(rng()).gammas(1e-4, out))

    # P(X < 1e-300) = 1e-300^k / Gamma(1 + k) = 0.9333.
    assert (ours < 1e-300).mean() == pytest.approx(0.9333, abs=2e-3)
    assert ours.mean() == pytest.approx(1e-4, abs=3.3 * np.sqrt(1e-4 / N))


@pytest.mark.parametrize(
    "draw",
    [
        Draws.exponentials,
        Draws.normals,
        lambda draws, out: draws.gammas(0.3, out),
        lambda draws, out: draws.gammas(3.0, out),
    ],
    ids=["exponential", "normal", "gamma-0.3", "gamma-3"],
)
def test_an_array_in_parts_is_the_array(draw):
    at_once, in_parts = Draws(rng()), Draws(rng())
    whole, cut = np.empty(10_000), np.empty(10_000)

    draw(at_once, whole)
    for part in np.split(cut, [1, 1, 7, 5000]):
        draw(in_parts, part)

    assert np.array_equal(whole, cut)


def test_the_generator_goes_on_where_it_was_taken_over():
    started = rng()
    first = started.standard_exponential(1000)

    following = drawn(Draws(started).exponentials, 1000)

    assert np.array_equal(
        np.concatenate([first, following]), rng().standard_exponential(2000)
    )


@pytest.mark.parametrize(
    "loop",
    [ziggurat.exponentials, ziggurat.normals, ziggurat.gammas, loops.place],
)
def test_loops_leave_the_interpreter_to_others(loop):
    assert loop.targetoptions["nogil"]
    assert "fastmath" not in loop.targetoptions


def test_checking_a_scenario_loads_no_compiler():
    code = "import costsim.traffic.source, sys; print('numba' in sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert done.stdout == "False\n"
