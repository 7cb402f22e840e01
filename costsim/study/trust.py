"""When not to believe a number: what the reader must know before acting on a row."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from costsim.scenario.processes import Sessions
from costsim.traffic.sizes import mean_size
from costsim.units import format_duration, format_fraction
from costsim.yaml_source import shorten

if TYPE_CHECKING:
    from costsim.scenario.deployment import ResolvedDeployment
    from costsim.scenario.schema import Scenario
    from costsim.study.replicate import Arrived, Outcome, Study
    from costsim.study.result import DeploymentRow

_FEW_REQUESTS = 2000
"""Below this in a replication, coverage of a quantile's interval falls short."""
_FEW_LAUNCHES = 100
"""Below this in all, the share of cold requests is poorly known."""
_NEAR_TAIL = 0.2
"""A cold share within this of a quantile's tail makes the quantile jump between modes:
measured coverage of a nominal 95 % interval was 0.53 at 5.0 % cold requests."""
_FEW_SESSIONS = 100
"""Requests of a session share their fate: below this many sessions in a replication, its
requests tell much less than their number suggests."""
_MANY_OF_ALL = 0.1
"""Share of all requests from which on a stream's sessions decide the answer."""
_HEAVY_LOAD = 0.7
"""Waits of a busier pool remember each other so long that 2,000 requests do not do."""
_LONG_TAIL = 0.01
_MANY_LOST = 0.001


def traffic_warnings(study: Study, traffic: list[Arrived]) -> list[str]:
    """Return warnings about the traffic of all replications."""
    fewest = min(one.after_warm_up for one in traffic)
    when = " after the warm-up" if study.scenario.warm_up else ""
    if fewest == 0:
        return [f"there is a replication without a single request{when}"]
    found = []
    if fewest < _FEW_REQUESTS:
        found.append(
            f"a replication has only {fewest:,} requests{when}; quantiles and their "
            f"intervals need about {_FEW_REQUESTS:,}: lengthen the horizon"
        )
    if len(traffic) == 1:
        found.append(
            "one replication gives no intervals; set replications to 10 or more"
        )
    return [*found, *_few_sessions(study.scenario, traffic)]


def _few_sessions(scenario: Scenario, traffic: list[Arrived]) -> list[str]:
    """Say which streams bring so few sessions that a replication is a matter of luck."""
    found = []
    n = len(traffic)
    all_requests = sum(one.requests for one in traffic) / n
    for index, stream in enumerate(scenario.traffic.streams):
        requests = sum(one.by_source[index] for one in traffic) / n
        many = requests >= _MANY_OF_ALL * all_requests
        if not (many and isinstance(stream.arrivals, Sessions)):
            continue
        sessions = requests / mean_size(stream.arrivals.requests_per_session)
        if sessions < _FEW_SESSIONS:
            found.append(
                f"{shorten(stream.name)}: only about {sessions:,.0f} sessions in a "
                f"replication, too few for intervals; {_FEW_SESSIONS} or more would do: "
                "lengthen the horizon"
            )
    return found


def row_warnings(
    study: Study,
    deployment: ResolvedDeployment,
    row: DeploymentRow,
    outcomes: list[Outcome],
) -> list[str]:
    """Return warnings about one deployment's row."""
    found = [
        _near_tail(row),
        _lost(row),
        _overloaded(study, deployment, row)
        or _heavily_loaded(deployment, row, outcomes),
        _rare_cold_starts(outcomes),
        _long_tail(outcomes),
    ]
    return [f"{shorten(row.deployment)}: {text}" for text in found if text]


def _near_tail(row: DeploymentRow) -> str:
    cold = row.cold_start_fraction
    for percent, tail in ((95, 0.05), (99, 0.01), (90, 0.10)):
        if abs(cold - tail) <= _NEAR_TAIL * tail:
            return (
                f"{format_fraction(cold)} of requests are cold, next to the tail that "
                f"p{percent} cuts off: p{percent} jumps between warm and cold times; "
                "judge by the share of slow requests (slo: over) instead"
            )
    return ""


def _lost(row: DeploymentRow) -> str:
    lost = (row.requests - row.served) / row.requests if row.requests else 0.0
    if lost <= _MANY_LOST:
        return ""
    waiting = row.requests - row.served - row.rejected - row.timed_out - row.failed
    ends = {
        "rejected": row.rejected,
        "timed out": row.timed_out,
        "failed": row.failed,
        "never begun": waiting,
    }
    counts = ", ".join(f"{end} {n:,.0f}" for end, n in ends.items() if n > 0)
    return (
        f"{format_fraction(lost)} of requests were not served ({counts}); response "
        "times are of the others"
    )


def _overloaded(
    study: Study, deployment: ResolvedDeployment, row: DeploymentRow
) -> str:
    """Say when the pool cannot keep up: the wait then depends on the horizon alone."""
    most = deployment.pool.most_replicas
    if most is None or most == 0 or row.peak_replicas < most:
        return ""
    if row.mean_wait_s < study.horizon_s / 100 or math.isnan(row.mean_wait_s):
        return ""
    return (
        f"cannot keep up: requests wait {format_duration(row.mean_wait_s)} on average "
        f"with all replicas that it may have ({most}) at work; raise the maximum"
    )


def _heavily_loaded(
    deployment: ResolvedDeployment, row: DeploymentRow, outcomes: list[Outcome]
) -> str:
    """Say when a replication is too short for how long queues take to come and go.

    The rule, 100 / (1 - utilization)^2 requests, is that of Whitt, Planning queueing
    simulations, Management Science 35 (1989) 1341, rounded up.
    """
    most = deployment.pool.most_replicas
    load = row.utilization
    if most is None or row.peak_replicas < most or not _HEAVY_LOAD < load < 1:
        return ""
    needed = 100 / (1 - load) ** 2
    fewest = min(one.measures.measured for one in outcomes)
    if fewest >= needed:
        return ""
    return (
        f"slots are busy {format_fraction(load)} of the time: a replication needs about "
        f"{needed:,.0f} requests for its intervals, and has {fewest:,}; lengthen the "
        "horizon"
    )


def _rare_cold_starts(outcomes: list[Outcome]) -> str:
    launches = sum(one.measures.launches for one in outcomes)
    if not 0 < launches < _FEW_LAUNCHES:
        return ""
    plural = "" if launches == 1 else "es"
    return (
        f"only {launches} launch{plural} in all replications: the share of cold requests "
        "is a rough figure"
    )


def _long_tail(outcomes: list[Outcome]) -> str:
    """Say when a short horizon makes the month look dearer than it is."""
    measures = [one.measures for one in outcomes]
    hours = math.fsum(one.replica_hours for one in measures)
    tail = math.fsum(one.tail_hours for one in measures)
    if tail <= _LONG_TAIL * hours:
        return ""
    return (
        f"{format_fraction(tail / hours)} of the replica time lies after the horizon (what "
        "is still served, idle tails), is billed, and counts in the month: lengthen the "
        "horizon"
    )
