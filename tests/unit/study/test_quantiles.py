"""Quantiles: the ceil(q n)-th smallest, exactly or from a histogram to 0.1 %."""

from __future__ import annotations

import math
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from small_study import answer, own

from costsim.simulation.quantiles import (
    PERCENTS,
    histogram,
    histogram_quantiles,
    quantiles,
)
from costsim.study.rows import _pooled_quantiles

LIFELIKE = {"distribution": "lognormal", "median": "2s", "sigma": 1.0}


def by_definition(values):
    ascending = sorted(values)
    return tuple(
        ascending[math.ceil(Fraction(percent, 100) * len(ascending)) - 1]
        for percent in PERCENTS
    )


@pytest.mark.parametrize("n", [1, 2, 3, 10, 19, 20, 21, 99, 100, 101, 1000, 12_345])
def test_a_quantile_is_the_smallest_value_that_so_many_do_not_exceed(n, rng):
    values = rng.permutation(np.arange(n, dtype=np.float64))

    assert quantiles(values.copy()) == by_definition(values)


def test_of_twenty_and_a_hundred_values_the_ranks_are_whole():
    # 0.95 x 20 = 19 and 0.99 x 100 = 99 in integers, whatever floats make of it.
    assert quantiles(np.arange(1.0, 21.0)) == (10.0, 18.0, 19.0, 20.0)
    assert quantiles(np.arange(1.0, 101.0)) == (50.0, 90.0, 95.0, 99.0)


def test_ties_are_values_like_others(rng):
    values = np.repeat([1.0, 2.0, 3.0], [90, 5, 5])

    assert quantiles(rng.permutation(values)) == (1.0, 1.0, 2.0, 3.0)


def test_nothing_has_no_quantiles():
    assert all(math.isnan(value) for value in quantiles(np.empty(0)))
    assert all(
        math.isnan(value) for value in histogram_quantiles(histogram(np.empty(0)))
    )


@pytest.mark.parametrize("median", [1e-6, 0.003, 1.0, 47.0, 1e5])
def test_a_histogram_tells_quantiles_to_a_thousandth(median, rng):
    values = median * rng.lognormal(0.0, 1.5, size=5001)

    found = histogram_quantiles(histogram(values))

    assert found == pytest.approx(quantiles(values), rel=1e-3)


def test_every_bin_is_narrower_than_two_thousandths():
    # The worst values are at the edges of bins: all powers of two and those just below.
    powers = 2.0 ** np.arange(-29, 34)
    edges = np.concatenate([powers, np.nextafter(powers, 0.0)])

    found = [histogram_quantiles(histogram(np.array([edge])))[0] for edge in edges]

    assert found == pytest.approx(edges, rel=1e-3)


def test_zero_and_the_huge_are_counted_at_the_ends():
    counts = histogram(np.array([0.0, 1e-12, 1e300]))

    assert counts[0] == 2
    assert counts[-1] == 1
    assert counts.sum() == 3


def test_histograms_of_parts_add_up_to_that_of_the_whole(rng):
    values = rng.lognormal(size=999)

    whole = histogram(values)

    assert np.array_equal(histogram(values[:400]) + histogram(values[400:]), whole)


def pooled_by_hand(monkeypatch, **other):
    """Return the row, and all response times of its replications, as they were pooled."""
    kept = []

    def recording(values):
        kept.append(values.copy())
        return quantiles(values)

    monkeypatch.setattr("costsim.study.rows.quantiles", recording)
    (row,) = answer(own(), service={"time": LIFELIKE}, **other).rows
    (pooled,) = kept
    return row, pooled


def test_a_rows_quantiles_are_those_of_all_replications_together(monkeypatch):
    row, pooled = pooled_by_hand(monkeypatch)

    assert pooled.size == row.served * 3
    assert (row.p50_s, row.p90_s, row.p95_s, row.p99_s) == by_definition(pooled)


def test_rows_from_histograms_equal_exact_rows_to_a_thousandth(monkeypatch):
    exact = answer(own(), service={"time": LIFELIKE})
    monkeypatch.setattr("costsim.study.run.EXACT_UP_TO", 10)
    streamed = answer(own(), service={"time": LIFELIKE})

    assert (exact.quantile_method, streamed.quantile_method) == ("exact", "histogram")
    told = [{k: v for k, v in one.to_rows()[0].items() if k[0] == "p"} for one in
            (exact, streamed)]  # fmt: skip
    assert told[0].pop("platform") == told[1].pop("platform")
    interval = [one.pop("p95_s_high") - one.pop("p95_s_low") for one in told]
    assert told[1] == pytest.approx(told[0], rel=1e-3)
    # A difference of two such quantiles is only as exact as they are.
    assert interval[1] == pytest.approx(interval[0], abs=4e-3 * told[0]["p95_s"])


def test_whatever_is_no_quantile_does_not_depend_on_how_quantiles_are_told(monkeypatch):
    exact = answer(own(), service={"time": LIFELIKE})
    monkeypatch.setattr("costsim.study.run.EXACT_UP_TO", 10)
    streamed = answer(own(), service={"time": LIFELIKE})

    told = [
        {
            name: value
            for name, value in one.to_rows()[0].items()
            if not name.startswith(("p50", "p90", "p95", "p99"))
        }
        for one in (exact, streamed)
    ]
    assert told[0] == told[1]


def test_runs_that_kept_all_and_runs_that_did_not_are_pooled(rng):
    values = rng.lognormal(size=3000)
    parts = [(values[:1000], None), (np.empty(0), histogram(values[1000:]))]
    outcomes = [
        SimpleNamespace(measures=SimpleNamespace(response_s=kept, histogram=counted))
        for kept, counted in parts
    ]

    found = _pooled_quantiles(outcomes)

    assert found == pytest.approx(quantiles(values), rel=1e-3)


def test_runs_longer_than_expected_are_told_by_histograms(monkeypatch):
    exact = answer(own(), service={"time": LIFELIKE})
    monkeypatch.setattr("costsim.simulation.quantiles.EXACT_UP_TO", 10)
    counted = answer(own(), service={"time": LIFELIKE})

    assert (exact.quantile_method, counted.quantile_method) == ("exact", "histogram")
    assert counted.rows[0].p95_s == pytest.approx(exact.rows[0].p95_s, rel=1e-3)
    assert counted.rows[0].mean_s == exact.rows[0].mean_s
