"""What is said where nothing that was tried meets the SLO."""

from __future__ import annotations

from types import SimpleNamespace

from costsim.study.tune.goal import Goal, Trial
from costsim.study.tune.saying import needed

GOAL = Goal({"cost_usd_per_month": 100.0, "cold_start_fraction": 0.1}, confidence=0.95)


def said_of(cost_usd_per_month):
    """Return what is said of settings that had these costs, one a replication."""
    n = len(cost_usd_per_month)
    samples = {
        "cost_usd": [1.0] * n,
        "cost_usd_per_month": cost_usd_per_month,
        "cold_start_fraction": [0.0] * n,
    }
    point = (1,)
    search = SimpleNamespace(
        board=lambda: SimpleNamespace(nearest=point),
        fresh={},
        trials={point: Trial(samples=samples)},
        family=SimpleNamespace(
            label="small",
            settings=lambda _: {"idle": "5m"},
            base=SimpleNamespace(speed=1.0),
        ),
    )
    return " ".join(needed(None, GOAL, search))


def test_by_how_much_a_bound_is_missed():
    assert said_of([120.0, 120.0, 120.0, 120.0]).startswith(
        "Nearest: small with idle 5m: cost a month $120.00, $20.00 (20%) above $100.00. "
    )


def test_that_replications_are_too_few_where_each_bound_is_met():
    assert said_of([90.0, 91.0, 90.0, 91.0]) == (
        "Nearest: small with idle 5m: within every bound, but 4 replications are too few "
        "to be sure of all at once (--replications). It meets all bounds in 100% of the "
        "replications."
    )
