"""What a deployment did in all its replications: a row of results, with intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from costsim.simulation.quantiles import (
    CURVE_SHARES,
    PERCENTS,
    histogram,
    histogram_quantiles,
    quantiles,
)
from costsim.study.result import DeploymentRow, Threshold
from costsim.study.statistics import Estimate, estimate_about
from costsim.study.verdict import check, limits
from costsim.units import SECONDS_PER_MONTH

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from costsim.records import Ints
    from costsim.scenario.deployment import ResolvedDeployment
    from costsim.study.replicate import Outcome, Study


@dataclass(frozen=True, eq=False)
class Measured:
    """A deployment's row, and what it comes from."""

    row: DeploymentRow
    estimates: Mapping[str, Estimate]
    """What an SLO can bound, by measure, and ``cost_usd``; with 95 % intervals."""
    samples: Mapping[str, Sequence[float]]
    """The same of each replication alone: what intervals and pairs are made from."""
    thresholds: tuple[Threshold, ...]
    """Each bound of the SLO."""
    exact: bool
    """Whether the quantiles are of all response times, not of a histogram."""


def measured(
    study: Study, deployment: ResolvedDeployment, outcomes: Sequence[Outcome]
) -> Measured:
    """Return what a deployment did.

    Parameters
    ----------
    study : Study
        What was asked for.
    deployment : ResolvedDeployment
        Which of its deployments.
    outcomes : sequence of Outcome
        Of its replications, at least one.
    """
    months = study.horizon_s / SECONDS_PER_MONTH
    samples = _samples(outcomes, months)
    centers = _centers(outcomes, samples)
    estimates = {
        measure: estimate_about(centers[measure], values)
        for measure, values in samples.items()
    }
    row = _row(study, deployment, outcomes, estimates)
    bounds = limits(study.scenario.slo)
    thresholds = tuple(check(deployment.name, bounds, estimates))
    if bounds:
        row = replace(row, meets_slo=all(one.ok for one in thresholds))
    return Measured(row, estimates, samples, thresholds, _exact(outcomes))


def _samples(outcomes: Sequence[Outcome], months: float) -> dict[str, list[float]]:
    """Return the value of each measure in each replication alone."""
    measures = [one.measures for one in outcomes]
    costs_usd = [one.bill.total_usd for one in outcomes]
    return {
        "mean_s": [one.mean_s for one in measures],
        **{
            f"p{percent}_s": [one.quantiles_s[i] for one in measures]
            for i, percent in enumerate(PERCENTS)
        },
        "over_slo_fraction": [_share(one.over_slo, one.measured) for one in measures],
        "cold_start_fraction": [_share(one.cold, one.measured) for one in measures],
        "lost_fraction": [_share(one.lost, one.requests) for one in measures],
        "cost_usd": costs_usd,
        "cost_usd_per_month": [usd / months for usd in costs_usd],
    }


def _centers(
    outcomes: Sequence[Outcome], samples: Mapping[str, Sequence[float]]
) -> dict[str, float]:
    """Return the value of each measure of all replications together."""
    measures = [one.measures for one in outcomes]
    n_measured = sum(one.measured for one in measures)
    n_requests = sum(one.requests for one in measures)
    pooled = (f"p{percent}_s" for percent in PERCENTS)
    return {
        "mean_s": _weighted([(one.mean_s, one.measured) for one in measures]),
        **dict(zip(pooled, _pooled_quantiles(outcomes), strict=True)),
        "over_slo_fraction": _share(sum(one.over_slo for one in measures), n_measured),
        "cold_start_fraction": _share(sum(one.cold for one in measures), n_measured),
        "lost_fraction": _share(sum(one.lost for one in measures), n_requests),
        "cost_usd": _mean(samples["cost_usd"]),
        "cost_usd_per_month": _mean(samples["cost_usd_per_month"]),
    }


def _row(
    study: Study,
    deployment: ResolvedDeployment,
    outcomes: Sequence[Outcome],
    estimates: Mapping[str, Estimate],
) -> DeploymentRow:
    """Return a deployment's row, its SLO not judged."""
    measures = [one.measures for one in outcomes]
    bills = [one.bill for one in outcomes]
    cost, p95 = estimates["cost_usd"], estimates["p95_s"]
    served = _mean([one.served for one in measures])
    slo = study.scenario.slo
    timed = slo is not None and slo.slow_after_s is not None
    slow = estimates["over_slo_fraction"].value if timed else math.nan
    return DeploymentRow(
        deployment=deployment.name,
        platform=deployment.platform,
        gpu=deployment.gpu,
        replications=len(outcomes),
        requests=_mean([one.requests for one in measures]),
        served=served,
        rejected=_mean([one.rejected for one in measures]),
        timed_out=_mean([one.timed_out for one in measures]),
        failed=_mean([one.failed for one in measures]),
        cost_usd=cost.value,
        cost_usd_low=_not_below_zero(cost.low),
        cost_usd_high=cost.high,
        cost_usd_per_month=estimates["cost_usd_per_month"].value,
        cost_usd_per_1k_requests=_share(1000 * cost.value, served),
        busy_usd=_mean([one.busy_usd for one in bills]),
        idle_usd=_mean([one.idle_usd for one in bills]),
        setup_usd=_mean([one.setup_usd for one in bills]),
        rounding_usd=_mean([one.rounding_usd for one in bills]),
        fees_usd=_mean([one.fees_usd for one in bills]),
        credits_usd=_mean([one.credits_usd for one in bills]),
        mean_s=estimates["mean_s"].value,
        p50_s=estimates["p50_s"].value,
        p90_s=estimates["p90_s"].value,
        p95_s=p95.value,
        p95_s_low=_not_below_zero(p95.low),
        p95_s_high=p95.high,
        p99_s=estimates["p99_s"].value,
        mean_wait_s=_weighted([(one.mean_wait_s, one.measured) for one in measures]),
        cold_start_fraction=estimates["cold_start_fraction"].value,
        launches=_mean([one.launches for one in measures]),
        over_slo_fraction=slow,
        utilization=_mean([one.utilization for one in measures]),
        mean_ready_replicas=_mean([one.mean_ready_replicas for one in measures]),
        peak_replicas=_mean([one.peak_replicas for one in measures]),
        replica_hours=_mean([one.replica_hours for one in measures]),
        meets_slo=None,
        perfect_usd=_mean([one.perfect_usd for one in outcomes]),
    )


def _exact(outcomes: Sequence[Outcome]) -> bool:
    """Return whether every response time was kept."""
    return all(one.measures.histogram is None for one in outcomes)


def latency_curve(outcomes: Sequence[Outcome]) -> tuple[float, ...]:
    """Return the response times at ``CURVE_SHARES``, of all replications, to 0.1 %. [s]"""
    return histogram_quantiles(_pooled_histogram(outcomes), CURVE_SHARES)


def _pooled_histogram(outcomes: Sequence[Outcome]) -> Ints:
    # A run that was longer than expected has a histogram where others kept them all.
    counts = [
        histogram(one.measures.response_s)
        if one.measures.histogram is None
        else one.measures.histogram
        for one in outcomes
    ]
    total: Ints = np.sum(counts, axis=0)
    return total


def _pooled_quantiles(outcomes: Sequence[Outcome]) -> tuple[float, ...]:
    if _exact(outcomes):
        return quantiles(np.concatenate([one.measures.response_s for one in outcomes]))
    return histogram_quantiles(_pooled_histogram(outcomes))


def _not_below_zero(value: float) -> float:
    # max() would turn NaN, which is no interval, into zero.
    return 0.0 if value < 0 else value


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _share(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def _weighted(values: list[tuple[float, int]]) -> float:
    """Return the mean over requests from means and counts by replication."""
    total = sum(weight for _, weight in values)
    return _share(math.fsum(v * w for v, w in values if w), total)
