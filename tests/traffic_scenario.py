"""Scenarios reduced to their traffic, for tests that look at nothing else."""

from costsim.scenario.schema import Scenario

DEPLOYMENT = {
    "name": "one",
    "pool": {"autoscaler": {"kind": "fixed"}, "min_replicas": 1, "max_replicas": 1},
    "billing": {"price": "1 USD/h"},
}


def scenario_with(traffic, **other):
    """Return a scenario with this traffic; a horizon of None leaves it to the trace."""
    keys = {
        "name": "traffic only",
        "seed": 11,
        "start": "2026-03-02T00:00+01:00",
        "horizon": "1d",
        "service": {"time": "1s"},
        "traffic": traffic,
        "deployments": [DEPLOYMENT],
    }
    keys.update(other)
    return Scenario.model_validate({k: v for k, v in keys.items() if v is not None})


def stream_of(rate="1/s", **other):
    """Return the traffic of one stream; without a rate for cron."""
    return {"streams": [{**({} if rate is None else {"rate": rate}), **other}]}
