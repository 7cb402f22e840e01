"""What a perfect autoscaler would pay on a deployment's hardware, at its prices.

It knows every request ahead and lets none wait, has no fewer and no more replicas than
that takes, and pays neither increments nor minimum charges. No autoscaler that lets no
request wait pays less; one that lets them wait may, down to the busy time alone.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from costsim.billing.bill import bill
from costsim.billing.rounding import NS_PER_S
from costsim.billing.usage import Usage
from costsim.simulation.perfect import PerfectAutoscaler
from costsim.traffic.setups import SetupLaw

if TYPE_CHECKING:
    from costsim.billing.bill import Bill
    from costsim.records import Floats
    from costsim.scenario.deployment import ResolvedDeployment

_LAUNCHES = 1024
"""Launches whose mean setup time is taken."""


class PerfectBill:
    """Takes a deployment's requests as they come, and tells the bill.

    Parameters
    ----------
    deployment : ResolvedDeployment
        Whose replicas, prices and rules.
    initial_replicas : int
        Replicas that are ready at the start without a launch.
    horizon_s : float
        What a month's fees are charged for. [s]
    """

    def __init__(
        self, deployment: ResolvedDeployment, initial_replicas: int, horizon_s: float
    ) -> None:
        self._tariff = deployment.tariff
        self._horizon_s = horizon_s
        self._requests = 0
        self._setup_s = _mean_billed_setup_s(deployment)
        rules = self._tariff.rules
        by_request = rules.scope == "request"
        # The min replicas may be cheaper; a perfect autoscaler has none but those.
        self._cheap = rules.min_idle_rate < 1 or rules.min_busy_rate < 1
        idle_billed = rules.idle_billed and not by_request
        self._idle_rate = min(1.0, rules.min_idle_rate) if idle_billed else 0.0
        self._autoscaler = PerfectAutoscaler(
            deployment.pool.concurrency_limit,
            self._setup_s,
            self._idle_rate,
            initial_replicas,
        )

    def feed(self, arrival_s: Floats, service_time_s: Floats) -> None:
        """Let these requests arrive."""
        self._requests += arrival_s.size
        self._autoscaler.feed(arrival_s, service_time_s)

    def finish(self) -> Bill:
        """Return the bill once all are served."""
        use = self._autoscaler.finish()
        by_request = self._tariff.rules.scope == "request"
        busy_ns = _ns(use.work_s if by_request else use.busy_s)
        idle_ns = _ns(use.idle_s) if self._idle_rate else 0
        setup_ns = _ns(use.setups * self._setup_s)
        usage = Usage(
            billed_ns=busy_ns + idle_ns + setup_ns,
            busy_ns=busy_ns,
            idle_ns=idle_ns,
            setup_ns=setup_ns,
            busy_total_ns=_ns(use.busy_s),
            idle_total_ns=_ns(use.idle_s),
            setup_total_ns=setup_ns,
            min_busy_ns=busy_ns if self._cheap else 0,
            min_idle_ns=idle_ns if self._cheap else 0,
        )
        return bill(
            usage,
            self._tariff,
            served_requests=self._requests,
            span_s=self._horizon_s,
        )


def _mean_billed_setup_s(deployment: ResolvedDeployment) -> float:
    """Return the mean billed part of a launch; of a mixture, of the faster kind. [s]"""
    if not deployment.tariff.rules.setup_billed:
        return 0.0
    draws = SetupLaw(deployment.setup_plan, 0, 0).draw(0, _LAUNCHES)
    return math.fsum((draws.setup_s - draws.unbilled_s).tolist()) / _LAUNCHES


def _ns(time_s: float) -> int:
    return round(time_s * NS_PER_S)
