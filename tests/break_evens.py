"""Curves drawn by hand, and files of small scenarios, for tests of break-even studies."""

from __future__ import annotations

import json
from types import SimpleNamespace

from small_study import always_on, batches, own

from costsim.study.breakeven.axis import Axis
from costsim.study.breakeven.curve import COST, Curve, Point, Reading
from costsim.study.statistics import estimate_mean


def axis(low=100.0, high=10_000.0, own=None, **other):
    """Return an axis of requests a day that simulates nothing."""
    words = ("requests", "requests a day", "requests_per_day", "count")
    return Axis(*words, low, high, own, None, **other)


class Drawn(Curve):
    """A curve whose costs are formulas: ``{name: cost(value, replication)}``.

    ``slo`` and ``able`` say by value whether a deployment meets the SLO, and keeps up;
    ``likely`` whether it is seen to meet it where that is not certain.
    """

    def __init__(self, costs, over=None, *, slo=None, able=None, likely=None, n=10):
        super().__init__(axis() if over is None else over, tuple(costs), n)
        self._costs, self._slo, self._able = costs, slo or {}, able or {}
        self._likely = likely or {}
        self.evaluate(self.axis.grid())

    def _point(self, value):
        readings = {name: self._reading(name, value) for name in self._costs}
        self.work_s += 1.0
        return Point(value, self._replications, value, readings)

    def _reading(self, name, value):
        samples = [self._costs[name](value, k) for k in range(self._replications)]
        measured = SimpleNamespace(
            estimates={COST: estimate_mean(samples)},
            samples={COST: samples},
            row=SimpleNamespace(meets_slo=self._likely.get(name, True)),
        )
        keeps_up = self._able.get(name, lambda _: True)(value)
        sign = self._slo.get(name, lambda _: 1)(value)
        return Reading(measured, keeps_up=keeps_up, slo_sign=sign if keeps_up else -1)


def by_request(name="by request", **other):
    """Return a deployment that pays 60 s of 7.5 USD/h for a request, 1/8 USD."""
    billing = {"scope": "request", "setup": False}
    return own(name, price="7.5 USD/h", billing=billing, **other)


def stepping(name="stepping"):
    """Return replicas of ten slots, 1 USD/h each, that stay once they are there."""
    return own(
        name,
        price="1 USD/h",
        min_replicas=1,
        concurrency_limit=10,
        idle_timeout="never",
    )


HOURLY = {
    "name": "hourly",
    "seed": 5,
    "horizon": "20d",
    "replications": 5,
    "traffic": batches("1h", 5),
    "service": {"time": "60s"},
    "setup": "0s",
    "deployments": [by_request(), stepping()],
}
"""Batches every hour. A batch of n costs n/8 USD by request; the other one has a replica
for 1 USD an hour, a second one from the first batch of more than 10 on, a third one from
more than 20 on. So costs cross at 8, 10, 16, 20 and 24 requests an hour."""

POISSON = {
    "name": "poisson",
    "seed": 3,
    "horizon": "15d",
    "replications": 8,
    "traffic": {"streams": [{"name": "users", "rate": "10/h"}]},
    "service": {"time": "5s"},
    "setup": "20s",
    "deployments": [
        own("at zero", price="1.8 USD/h", max_replicas=1, idle_timeout="60s"),
        always_on(price="0.8 USD/h"),
    ],
}
"""One replica that scales to zero, or stays: the closed form knows where costs cross."""


def written(folder, scenario, **changes):
    """Write a scenario as a file; return its path. JSON is YAML, too."""
    path = folder / "scenario.yaml"
    path.write_text(json.dumps({**scenario, **changes}), "utf-8")
    return path
