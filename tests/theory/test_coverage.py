"""Printed 95 % intervals hold the truth about as often as they say.

On models of known answer; tests/benchmark/bench_coverage.py does the same with a thousand
experiments each, whose shares are in docs/statistics.md.
"""

from __future__ import annotations

import pytest
from known_answers import MODELS, coverage
from scipy import stats

EXPERIMENTS = 60
FEWEST = int(stats.binom.ppf(5e-4, EXPERIMENTS, 0.95))
"""Of intervals with 95 % fewer hold the truth once in two thousand times: 50."""


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_intervals_hold_the_truth(model):
    cost, p95 = coverage(model, experiments=EXPERIMENTS, requests=4000)

    assert min(cost, p95) >= FEWEST


@pytest.mark.parametrize("wrong", [0.9, 1.1])
def test_a_wrong_cost_would_be_seen(wrong):
    first = MODELS[0]
    other = type(first)(
        first.name,
        first.rate_per_s,
        first.pool,
        first.setup,
        wrong * first.mean_alive_replicas,
        wrong * first.p95_s,
    )

    cost, p95 = coverage(other, experiments=20, requests=4000)

    assert max(cost, p95) <= 2
