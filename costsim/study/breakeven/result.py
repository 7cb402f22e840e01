"""The answer of a break-even study, and its rows for programs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from costsim import __version__
from costsim.study.breakeven.curve import COST
from costsim.study.exports import Exports

if TYPE_CHECKING:
    from costsim.study.breakeven.axis import Axis
    from costsim.study.breakeven.crossings import Crossing, Edge
    from costsim.study.breakeven.curve import Point, Reading
    from costsim.study.breakeven.regimes import Regime
    from costsim.study.breakeven.theory import ClosedForm

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class BreakEven(Exports):
    """Who is the cheapest where, and every place at which that changes."""

    kind = "breakeven"

    scenario: str
    """Its name."""
    seed: int
    slo: str
    """What must hold, for people; empty without an SLO."""
    axis: Axis
    names: tuple[str, ...]
    """The deployments."""
    points: tuple[Point, ...]
    crossings: tuple[Crossing, ...]
    regimes: tuple[Regime, ...]
    edges: tuple[Edge, ...]
    closed_forms: tuple[ClosedForm, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]

    def to_rows(self) -> list[dict[str, Any]]:
        """Return one dict for each point and deployment; what is not known is None."""
        return [
            {self.axis.column: point.value, **_row(point, name, reading)}
            for point in self.points
            for name, reading in point.readings.items()
        ]

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Return the curve, the crossings and the regimes."""
        return {
            "curve": self.to_rows(),
            "crossings": self.crossing_rows(),
            "regimes": self.regime_rows(),
        }

    def crossing_rows(self) -> list[dict[str, Any]]:
        """Return one dict for each crossing."""
        column = self.axis.column
        return [
            {
                "cheaper_below": one.below,
                "cheaper_above": one.above,
                column: one.value,
                f"{column}_low": one.low,
                f"{column}_high": one.high,
                "decisive": one.is_decisive,
            }
            for one in self.crossings
        ]

    def regime_rows(self) -> list[dict[str, Any]]:
        """Return one dict for each regime."""
        column = self.axis.column
        return [
            {
                "cheapest": one.deployment,
                f"{column}_from": one.low,
                f"{column}_to": one.high,
                f"{column}_to_low": one.until and one.until.low,
                f"{column}_to_high": one.until and one.until.high,
                "ends_by": one.until and one.until.why,
                "tied": one.is_tied,
            }
            for one in self.regimes
        ]

    def edge_rows(self) -> list[dict[str, Any]]:
        """Return one dict for each place where a deployment begins or ceases to serve."""
        column = self.axis.column
        return [
            {
                "deployment": one.deployment,
                "what": one.what,
                "begins": one.begins,
                f"{column}_low": one.low,
                f"{column}_high": one.high,
            }
            for one in self.edges
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return everything, for JSON: no NaN, no infinity."""
        return {
            "schema_version": SCHEMA_VERSION,
            "costsim_version": __version__,
            "scenario": self.scenario,
            "seed": self.seed,
            "slo": self.slo or None,
            "over": self.axis.word,
            "range": {
                f"{self.axis.column}_low": self.axis.low,
                f"{self.axis.column}_high": self.axis.high,
                f"{self.axis.column}_own": self.axis.own,
            },
            "regimes": self.regime_rows(),
            "crossings": self.crossing_rows(),
            "edges": self.edge_rows(),
            "closed_forms": [
                {
                    "cheaper_below": one.below,
                    "cheaper_above": one.above,
                    "requests_per_day": _known(one.requests_per_day),
                    "formula": one.formula,
                }
                for one in self.closed_forms
            ],
            "points": self.to_rows(),
            "notes": list(self.notes),
            "warnings": list(self.warnings),
        }


def _row(point: Point, name: str, reading: Reading) -> dict[str, Any]:
    """Return what is told of a deployment at a point."""
    names = ("mean_s", "p50_s", "p95_s", "p99_s", "cold_start_fraction")
    others = ("over_slo_fraction", "lost_fraction")
    found = reading.measured
    row: dict[str, Any] = {
        "deployment": name,
        "replications": point.replications,
        "asked_requests_per_day": point.requests_per_day,
        "keeps_up": reading.keeps_up,
        "meets_slo": None if found is None else found.row.meets_slo,
        "utilization": None if found is None else _known(found.row.utilization),
    }
    for measure in (COST, *names, *others):
        estimate = None if found is None else found.estimates[measure]
        row[measure] = None if estimate is None else _known(estimate.value)
        if measure in (COST, "p95_s"):
            ends: tuple[float | None, float | None] = (None, None)
            if estimate is not None:
                ends = (_known(estimate.low), _known(estimate.high))
            row[f"{measure}_low"], row[f"{measure}_high"] = ends
    return row


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
