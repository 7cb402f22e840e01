"""From rows to one sentence: what to choose, by how much, and whether that is certain.

Costs are compared by paired differences over replications, each at the Bonferroni level
for the number of comparisons. Where an interval contains zero the two are a tie.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from costsim.study.result import DeploymentRow, Threshold, Verdict
from costsim.study.statistics import LEVEL, Estimate, estimate_mean
from costsim.units import format_duration, format_fraction, format_usd
from costsim.yaml_source import shorten

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from costsim.scenario.schema import Slo

_SAME = 1e-9
"""Costs nearer than this share, or this many dollars, are equal but for rounding."""

_MEASURES = {
    "mean": "mean_s",
    "p50": "p50_s",
    "p90": "p90_s",
    "p95": "p95_s",
    "p99": "p99_s",
    "cold_start_fraction": "cold_start_fraction",
    "lost_fraction": "lost_fraction",
    "cost_usd_per_month": "cost_usd_per_month",
}


def limits(slo: Slo | None) -> dict[str, float]:
    """Return the bounds of an SLO by the measure they bound."""
    if slo is None:
        return {}
    given = {
        measure: getattr(slo, key)
        for key, measure in _MEASURES.items()
        if getattr(slo, key) is not None
    }
    if slo.over is not None:
        given["over_slo_fraction"] = slo.over.fraction
    return given


def check(
    deployment: str,
    bounds: Mapping[str, float],
    intervals: Mapping[str, Estimate],
) -> list[Threshold]:
    """Return each bound with the value measured.

    Parameters
    ----------
    deployment : str
        Whose measures they are.
    bounds : mapping of str to float
        What must hold, by measure.
    intervals : mapping of str to Estimate
        The measures, with their intervals.
    """
    thresholds = []
    for measure, limit in bounds.items():
        found = intervals[measure]
        thresholds.append(
            Threshold(
                deployment=deployment,
                measure=measure,
                limit=limit,
                value=found.value,
                # Nothing measured (NaN) is nothing shown: not ok.
                ok=found.value <= limit,
                certain=_certain(found, limit),
            )
        )
    return thresholds


def _certain(found: Estimate, limit: float) -> bool | None:
    if math.isnan(found.half_width):
        return None
    return not found.low <= limit < found.high


def decide(
    rows: Sequence[DeploymentRow],
    costs_usd: Mapping[str, Sequence[float]],
    slo: Slo | None,
) -> Verdict:
    """Return the verdict.

    Parameters
    ----------
    rows : sequence of DeploymentRow
        At least one.
    costs_usd : mapping of str to sequence of float
        Cost of each deployment in each replication, on the same traffic. [USD]
    slo : Slo, optional
        What must hold.
    """
    meeting = [row for row in rows if row.meets_slo is not False]
    field = sorted(meeting or rows, key=lambda row: row.cost_usd)
    best = field[0]
    tie = (best.deployment, *_ties(best, field[1:], costs_usd))
    condition = _condition(rows, slo)
    if len(rows) == 1:
        sentence = _alone(best, condition)
    elif not meeting:
        sentence = (
            f"No deployment meets {condition or 'the SLO'}; the cheapest, "
            f"{_named(best.deployment)}, costs {_monthly(best)} with p95 "
            f"{format_duration(best.p95_s)}."
        )
    else:
        sentence = _choice(field, tie, condition, _missed(rows, best))
    return Verdict(sentence, best.deployment, tie if len(tie) > 1 else ())


def describe_slo(slo: Slo | None) -> str:
    """Return an SLO as people say it: ``p95 <= 2s and at most 5% over 5m``.

    The bound on lost requests, which always holds, is not said; empty without an SLO.
    """
    if slo is None:
        return ""
    parts = []
    for measure, limit in limits(slo).items():
        if measure == "over_slo_fraction" and slo.over is not None:
            slow = format_duration(slo.over.seconds)
            parts.append(f"at most {format_measure(measure, limit)} over {slow}")
        elif measure != "lost_fraction":
            parts.append(f"{label(measure)} <= {format_measure(measure, limit)}")
    return " and ".join(parts)


def _condition(rows: Sequence[DeploymentRow], slo: Slo | None) -> str:
    """Return what must hold, the bound on lost requests included where it decides."""
    said = describe_slo(slo)
    if slo is None or all(_lost_fraction(row) <= slo.lost_fraction for row in rows):
        return said
    lost = f"at most {format_fraction(slo.lost_fraction)} lost"
    return f"{said} and {lost}" if said else lost


def _lost_fraction(row: DeploymentRow) -> float:
    return (row.requests - row.served) / row.requests if row.requests else 0.0


def label(measure: str) -> str:
    """Return what people call a measure."""
    return {
        "cold_start_fraction": "cold starts",
        "over_slo_fraction": "slow requests",
        "lost_fraction": "lost requests",
        "cost_usd_per_month": "cost a month",
        "mean_s": "mean",
    }.get(measure, measure.removesuffix("_s"))


def format_measure(measure: str, value: float) -> str:
    """Return a value with the unit that its measure's name tells."""
    if "_usd" in measure:
        return format_usd(value)
    if measure.endswith("_fraction"):
        return format_fraction(value)
    return format_duration(value) if math.isfinite(value) else "-"


def _ties(
    best: DeploymentRow,
    others: Sequence[DeploymentRow],
    costs_usd: Mapping[str, Sequence[float]],
) -> list[str]:
    """Return the others whose cost cannot be told from the best's."""
    level = 1 - (1 - LEVEL) / max(1, len(others))
    tied = []
    for other in others:
        pairs = zip(
            costs_usd[other.deployment], costs_usd[best.deployment], strict=True
        )
        difference = estimate_mean([theirs - ours for theirs, ours in pairs], level)
        # One replication has no interval (NaN): equal costs are all it can show.
        equal = abs(difference.value) <= _SAME * max(1.0, best.cost_usd)
        if difference.low <= 0 <= difference.high or equal:
            tied.append(other.deployment)
    return tied


def _missed(rows: Sequence[DeploymentRow], best: DeploymentRow) -> int:
    """Return how many cheaper deployments miss the SLO."""
    return sum(row.meets_slo is False and row.cost_usd < best.cost_usd for row in rows)


def _alone(row: DeploymentRow, slo: str) -> str:
    verb = ""
    if slo:
        verb = ", which meets " if row.meets_slo else ", which misses "
    return (
        f"{_named(row.deployment)} costs {_monthly(row)} with p95 "
        f"{format_duration(row.p95_s)}"
        f"{verb}{slo}."
    )


def _choice(
    field: Sequence[DeploymentRow],
    tie: Sequence[str],
    slo: str,
    missed: int,
) -> str:
    best = field[0]
    condition = f" that meets {slo}" if slo else ""
    if len(tie) > 1:
        among = f" among those that meet {slo}" if slo else ""
        return (
            f"Tie{among}: {_listed(tie)} cost {_about(field, tie)} a month; the "
            f"difference is within the noise.{_cheaper_missed(missed)}"
        )
    margin = ""
    if len(field) > 1:
        saved = field[1].cost_usd_per_month - best.cost_usd_per_month
        share = saved / field[1].cost_usd_per_month if saved > 0 else 0.0
        margin = (
            f", {format_usd(saved)} ({format_fraction(share)}) less than the next, "
            f"{_named(field[1].deployment)}"
        )
    only = "The only one" if slo and len(field) == 1 else "Cheapest"
    return (
        f"{only}{condition}: {_named(best.deployment)}, {_monthly(best)}{margin}."
        f"{_cheaper_missed(missed)}"
    )


def _about(field: Sequence[DeploymentRow], tie: Sequence[str]) -> str:
    """Return the cost a month of those that tie, or the range of it."""
    usd = [row.cost_usd_per_month for row in field if row.deployment in tie]
    least, most = format_usd(min(usd)), format_usd(max(usd))
    return f"about {least}" if least == most else f"{least} to {most}"


def _cheaper_missed(missed: int) -> str:
    if missed == 0:
        return ""
    return f" {missed} cheaper {'one misses' if missed == 1 else 'ones miss'} the SLO."


def _listed(names: Sequence[str]) -> str:
    said = [_named(name) for name in names]
    return f"{', '.join(said[:-1])} and {said[-1]}"


def _named(deployment: str) -> str:
    """Return a name as a sentence can hold it: short, without control characters."""
    return shorten(deployment)


def _monthly(row: DeploymentRow) -> str:
    return f"{format_usd(row.cost_usd_per_month)} a month"
