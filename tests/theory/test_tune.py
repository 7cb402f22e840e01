"""``tune`` finds the optimum where it is known in closed form: servers of an M/M/c queue."""

from __future__ import annotations

import pytest

from costsim import queueing
from costsim.scenario.schema import Scenario
from costsim.study.tune.tuning import tune

_RATE_PER_S = 4.0
_USD_PER_H = 2.0
_HOURS = 730
"""Of a month, as costs a month count them."""


def pool_of_servers(slo, **other):
    """Return a scenario with an M/M/c queue: 4 requests/s of 1 s each, 12 servers now."""
    pool = {"autoscaler": {"kind": "fixed"}, "min_replicas": 12, "max_replicas": 12}
    keys = {
        "name": "servers",
        "seed": 5,
        "horizon": "3h",
        "traffic": {"streams": [{"name": "users", "rate": "4/s"}]},
        "service": {"time": {"distribution": "exponential", "mean": "1s"}},
        "setup": "10s",
        "slo": slo,
        "deployments": [
            {
                "name": "servers",
                "pool": pool,
                "billing": {"price": "2 USD/h", "increment": "0s"},
            }
        ],
    }
    return Scenario.model_validate({**keys, **other})


def mean_s(servers, rate_per_s=_RATE_PER_S):
    return queueing.mmc_mean_waiting_time(servers, rate_per_s, 1.0) + 1.0


def p95_s(servers):
    return queueing.mmc_response_time_quantile(servers, _RATE_PER_S, 1.0, 0.95)


@pytest.mark.parametrize(
    ("measure", "limit_s", "truth"),
    [
        ("mean", 1.8, mean_s),
        ("mean", 1.3, mean_s),
        ("mean", 1.09, mean_s),
        ("p95", 3.9, p95_s),
        ("p95", 3.45, p95_s),
    ],
)
def test_the_fewest_servers_that_keep_the_bound_are_found(measure, limit_s, truth):
    known = next(n for n in range(5, 13) if truth(n) <= limit_s)

    result = tune(pool_of_servers({measure: f"{limit_s}s"}), replications=16)

    assert result.best.settings == {"min_replicas": str(known)}
    # The last requests leave a little after the horizon.
    usd = pytest.approx(known * _USD_PER_H * _HOURS, rel=1e-3)
    assert result.best.cost_usd_per_month == usd
    assert result.best.measures[f"{measure}_s"] == pytest.approx(truth(known), rel=0.05)


def test_more_traffic_needs_the_servers_that_the_closed_form_says():
    result = tune(pool_of_servers({"mean": "1.3s"}), replications=16)

    _, more = result.shifts
    assert more.chosen.settings == {"min_replicas": "6"}
    assert not more.chosen.meets_slo
    assert mean_s(6, 4.8) > 1.3 > mean_s(7, 4.8)
    assert more.best.settings == {"min_replicas": "7"}


def test_what_is_saved_is_what_the_servers_cost_that_are_not_needed():
    result = tune(pool_of_servers({"mean": "1.3s"}), replications=16)

    assert result.compared_with.deployment == "servers"
    saved_usd = -6 * _USD_PER_H * _HOURS
    assert result.saving.absolute.value == pytest.approx(saved_usd, rel=1e-3)
    assert "(50%) less than servers as it is set now" in result.sentence
