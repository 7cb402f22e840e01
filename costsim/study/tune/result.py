"""What a search for settings found: for people, scripts and files."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from costsim import __version__
from costsim.study.exports import Exports
from costsim.study.tabular import write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from costsim.scenario.schema import Deployment, Scenario
    from costsim.study.differences import Difference
    from costsim.study.tune.goal import Goal

SCHEMA_VERSION = 1
"""Of the JSON form."""
COLUMNS = (
    *("cost_usd_per_month", "mean_s", "p50_s", "p90_s", "p95_s", "p99_s"),
    *("over_slo_fraction", "cold_start_fraction", "lost_fraction"),
)
"""Measures that are told of each choice."""


@dataclass(frozen=True)
class Choice:
    """One way to set a deployment, and what it did."""

    deployment: str
    """The scenario's name, or what those that are tuned together are called."""
    settings: Mapping[str, str]
    """What is set, by the vendor's words."""
    schedule: tuple[str, ...]
    """Hours in which replicas are kept warm."""
    meets_slo: bool
    """With the confidence asked for."""
    met_fraction: float
    """Share of the replications that met every bound. [1]"""
    replications: int
    measures: Mapping[str, float]
    """Mean over replications, by measure."""
    asked: Deployment = field(repr=False)
    """The same as a scenario writes it."""

    @property
    def cost_usd_per_month(self) -> float:
        """Cost of a month of 730 h. [USD/month]"""
        return self.measures["cost_usd_per_month"]

    @property
    def said(self) -> str:
        """What is set, for people."""
        parts = [f"{word} {value}" for word, value in self.settings.items()]
        return ", ".join([*parts, *self.schedule]) or "nothing to set"

    def to_row(self) -> dict[str, Any]:
        """Return it as one flat dict; what is not known is None."""
        return {
            "deployment": self.deployment,
            "settings": "; ".join(f"{k}={v}" for k, v in self.settings.items()),
            "schedule": "; ".join(self.schedule),
            "meets_slo": self.meets_slo,
            "met_fraction": _known(self.met_fraction),
            "replications": self.replications,
            **{one: _known(self.measures.get(one, math.nan)) for one in COLUMNS},
        }


@dataclass(frozen=True)
class Answer:
    """What was found for one deployment, or for those that are tuned together."""

    deployment: str
    names: tuple[str, ...]
    """The scenario's deployments that it stands for."""
    best: Choice | None
    """The best that meets the SLO, confirmed on fresh traffic; None: nothing does."""
    nearest: Choice | None
    """What misses the SLO least, where nothing meets it."""
    ties: tuple[Choice, ...]
    """What meets the SLO too and is not told from the best."""
    idle_words: tuple[str, ...]
    """Settings that make no difference to the best, as far as they were tried."""
    settings_tried: int
    simulations: int
    grid: int
    """Settings of the full grid."""

    @property
    def choice(self) -> Choice | None:
        """The best, or what comes nearest."""
        return self.best or self.nearest


@dataclass(frozen=True)
class Cell:
    """The best that was tried with the same two settings."""

    cost_usd_per_month: float
    meets_slo: bool
    is_best: bool


@dataclass(frozen=True)
class HeatMap:
    """Cost over two settings; whatever else is set is at its best."""

    row: str
    """The word of the setting of the rows; empty: there is one row."""
    rows: tuple[str, ...]
    column: str
    columns: tuple[str, ...]
    cells: tuple[tuple[Cell | None, ...], ...]
    """By row and column; None: not tried."""


@dataclass(frozen=True)
class Shift:
    """What the answer would be with other traffic."""

    factor: float
    """Times the requests. [1]"""
    chosen: Choice
    """The settings of the answer."""
    best: Choice | None
    """The best of the finalists; None: none of them meets the SLO then."""


@dataclass(frozen=True, eq=False)
class TuneResult(Exports):
    """The settings that cost least and meet the SLO."""

    kind = "tune"

    scenario: Scenario
    scenario_hash: str
    goal: Goal
    prices_as_of: str | None
    answers: tuple[Answer, ...]
    """One a deployment, or for those that are tuned together; the best first."""
    own: tuple[Choice, ...]
    """The scenario's own settings, on the same fresh traffic."""
    compared_with: Choice | None
    """The scenario's own cheapest that meets the SLO, or its cheapest; None: no answer."""
    saving: Difference | None
    """How much less is paid than for that. [USD a month]"""
    front: tuple[Choice, ...]
    """Settings than which none is cheaper and has a lower p95, the cheapest first."""
    heat_map: HeatMap | None
    shifts: tuple[Shift, ...]
    """With 20 % less and more traffic."""
    configuration: str
    """The best settings as the vendor's own configuration."""
    sentence: str
    """The verdict."""
    needed: tuple[str, ...]
    """What would be needed, where nothing meets the SLO."""
    simulations: int
    """Settings times replications that were simulated."""
    notes: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def best(self) -> Choice | None:
        """The answer; None if nothing meets the SLO."""
        return self.answers[0].best

    @property
    def tie(self) -> tuple[Choice, ...]:
        """What is not told from the answer: of its own deployment, then of others."""
        return self.answers[0].ties

    @property
    def grid_simulations(self) -> int:
        """Simulations of the full grid, each setting as often as the answer's."""
        return sum(one.grid for one in self.answers) * self.goal.most

    @property
    def grid_share(self) -> float:
        """Simulations over those of the full grid. [1]"""
        return self.simulations / self.grid_simulations

    def to_rows(self) -> list[dict[str, Any]]:
        """Return one dict for each answer; what is not known is None."""
        found = [(one, one.choice) for one in self.answers]
        return [
            {
                **choice.to_row(),
                "settings_tried": one.settings_tried,
                "simulations": one.simulations,
                "grid_settings": one.grid,
            }
            for one, choice in found
            if choice is not None
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--format json`` prints."""
        return {
            "schema_version": SCHEMA_VERSION,
            "costsim_version": __version__,
            "scenario": {"name": self.scenario.name, "hash": self.scenario_hash},
            "seed": self.scenario.seed,
            "prices_as_of": self.prices_as_of,
            "slo": dict(self.goal.bounds),
            "confidence": self.goal.confidence,
            "minimized": self.goal.measure,
            "verdict": {
                "sentence": self.sentence,
                "best": None if self.best is None else self.best.to_row(),
                "tie": [one.to_row() for one in self.tie],
                "needed": list(self.needed),
                **self._saved(),
            },
            "deployments": self.to_rows(),
            "own": [one.to_row() for one in self.own],
            "pareto_front": [one.to_row() for one in self.front],
            "traffic_shifts": [
                {
                    "factor": one.factor,
                    "chosen": one.chosen.to_row(),
                    "best": None if one.best is None else one.best.to_row(),
                }
                for one in self.shifts
            ],
            "configuration": self.configuration,
            "simulations": self.simulations,
            "grid_simulations": self.grid_simulations,
            "warnings": list(self.warnings),
            "notes": list(self.notes),
        }

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Return the answers, and the settings that nothing beats."""
        return {"tune": self.to_rows(), "pareto": [one.to_row() for one in self.front]}

    def saved(self) -> dict[str, Any]:
        """Return the data of files: with the resolved scenario."""
        resolved = self.scenario.model_dump(mode="json", exclude_none=True)
        return {**self.to_dict(), "resolved_scenario": resolved}

    def write(self, folder: str | Path) -> list[Path]:
        """Write tune.csv, pareto.csv, configuration.txt and tune.json; return their paths.

        Raises
        ------
        OutputError
            If a file cannot be written.
        """
        target = Path(folder) / "configuration.txt"
        return [*super().write(folder), write_whole(target, self.configuration)]

    def __repr__(self) -> str:
        return f"<costsim.TuneResult {self.scenario.name!r}: {self.sentence}>"

    def _saved(self) -> dict[str, Any]:
        if self.saving is None or self.compared_with is None:
            return {"compared_with": None, "saving_usd_per_month": None}
        usd, share = self.saving.absolute, self.saving.relative
        return {
            "compared_with": self.compared_with.to_row(),
            "saving_usd_per_month": _known(usd.value),
            "saving_usd_per_month_low": _known(usd.low),
            "saving_usd_per_month_high": _known(usd.high),
            "saving_fraction": _known(share.value),
        }


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
