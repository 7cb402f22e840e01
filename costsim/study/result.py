"""What a run answers: rows, verdict, thresholds, bills, timeline.

Everything is plain data with units in the names, so that the terminal, a file and a
notebook show the same numbers.
"""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from costsim import __version__
from costsim.simulation.quantiles import CURVE_SHARES
from costsim.study.tabular import export, write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from costsim.records import Floats
    from costsim.report.pictures import Figure
    from costsim.scenario.deployment import PriceSource
    from costsim.scenario.schema import Scenario
    from costsim.simulation.timeline import Timeline
    from costsim.study.bill_lines import BillLine
    from costsim.traffic.source import SourceRate

SCHEMA_VERSION = 1
_MOST_VALUES = 100_000
_MOST_BINS = 10_000
"""Values and bins of the timeline in JSON; ``timeline.csv`` has all of them."""
"""Of the JSON form; additions keep it, anything else raises it."""


@dataclass(frozen=True)
class DeploymentRow:
    """One deployment's results; counts and costs are means over replications."""

    deployment: str
    """Its name in the scenario."""
    platform: str
    """Where it runs."""
    gpu: str
    """What a replica runs on."""
    replications: int
    """Repetitions with other random numbers."""
    requests: float
    """Requests that arrived over the horizon, warm-up included. [requests]"""
    served: float
    """Requests that were served, warm-up included. [requests]"""
    rejected: float
    """Requests that found no room, or were over the rate limit, warm-up included. [requests]"""
    timed_out: float
    """Requests that gave up waiting, warm-up included. [requests]"""
    failed: float
    """Requests whose replica died, and whose attempts were used up, warm-up included.
    [requests]"""
    cost_usd: float
    """Cost of the run: the horizon, warm-up included, and what is still served after it.
    [USD]"""
    cost_usd_low: float
    """Low end of the 95 % interval of the cost, over replications. [USD]"""
    cost_usd_high: float
    """High end of the 95 % interval of the cost, over replications. [USD]"""
    cost_usd_per_month: float
    """Cost of 730 hours like these. [USD]"""
    cost_usd_per_1k_requests: float
    """Cost of 1,000 served requests. [USD]"""
    busy_usd: float
    """Part of the cost while replicas had requests in service. [USD]"""
    idle_usd: float
    """Part of the cost while replicas were ready and had none, and of machines that are kept
    for a while after their replicas stopped. [USD]"""
    setup_usd: float
    """Part of the cost while replicas were starting. [USD]"""
    rounding_usd: float
    """Part of the cost for nothing but rounding up to increments and minimums. [USD]"""
    fees_usd: float
    """Fees of the plan, of requests, storage, transfer and builds. [USD]"""
    credits_usd: float
    """What credits and discounts take off; not above 0. [USD]"""
    mean_s: float
    """Mean response time of served requests that arrived after the warm-up. [s]"""
    p50_s: float
    """Median response time of served requests that arrived after the warm-up, all
    replications pooled. [s]"""
    p90_s: float
    """90 % of the served requests that arrived after the warm-up were answered within this,
    all replications pooled. [s]"""
    p95_s: float
    """95 % of the served requests that arrived after the warm-up were answered within this:
    of n response times the ceil(0.95 n)-th smallest, all replications pooled. [s]"""
    p95_s_low: float
    """Low end of the 95 % interval of p95, by sectioning. [s]"""
    p95_s_high: float
    """High end of the 95 % interval of p95, by sectioning. [s]"""
    p99_s: float
    """99 % of the served requests that arrived after the warm-up were answered within this,
    all replications pooled. [s]"""
    mean_wait_s: float
    """Mean time from arrival to start of service, whatever the cause, of served requests
    that arrived after the warm-up. [s]"""
    cold_start_fraction: float
    """Share of the served requests that arrived after the warm-up that waited for a replica
    that was starting. [1]"""
    launches: float
    """Replicas that were launched, over the whole run. [replicas]"""
    over_slo_fraction: float
    """Share of the served requests that arrived after the warm-up that were slower than the
    SLO's bound; not known without one. [1]"""
    utilization: float
    """Busy slot-seconds over ready slot-seconds, over the whole run. [1]"""
    mean_ready_replicas: float
    """Replicas that were ready, on average over the time of the whole run. [replicas]"""
    peak_replicas: float
    """Most replicas starting, ready or draining at once. [replicas]"""
    replica_hours: float
    """Time of all replicas from launch to stop. [h]"""
    meets_slo: bool | None
    """Whether every bound of the SLO is met; not known without one."""
    perfect_usd: float = math.nan
    """Cost of an autoscaler that knows every request ahead and lets none wait, on the same
    replicas at the same prices; not known above 10^8 requests. [USD]"""


@dataclass(frozen=True)
class Threshold:
    """One bound of the SLO on one deployment."""

    deployment: str
    """Its name in the scenario."""
    measure: str
    """What is bounded, such as ``p95_s``."""
    limit: float
    """The most that it may be, in the measure's unit."""
    value: float
    """What it is, all replications together, in the measure's unit."""
    ok: bool
    """Whether the value is not above the limit."""
    certain: bool | None
    """False where the value's interval contains the limit; None: there is no interval."""


@dataclass(frozen=True)
class Verdict:
    """The answer in one sentence."""

    sentence: str
    """What the terminal says first: which deployment to choose, and why."""
    cheapest: str | None
    """The cheapest deployment that meets the SLO; of all, if none does."""
    tie: tuple[str, ...]
    """Deployments whose cost cannot be told from the cheapest's, itself included."""


@dataclass(frozen=True, eq=False)
class RunResult:
    """The answer to a scenario."""

    scenario: Scenario
    scenario_hash: str
    seed: int
    horizon_s: float
    traffic: tuple[SourceRate, ...]
    """What each stream and the trace brought, the mean of all replications, and what
    they were asked for."""
    prices_as_of: str | None
    """Oldest price used, as it was dated; None if all are the user's own."""
    rows: tuple[DeploymentRow, ...]
    """One a deployment, in the scenario's order."""
    verdict: Verdict
    thresholds: tuple[Threshold, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    """Choices that were made for the user."""
    quantile_method: str
    """``exact``, or ``histogram`` with 0.1 % relative error."""
    bill_lines: tuple[BillLine, ...]
    timelines: tuple[Timeline, ...]
    latencies: tuple[tuple[float, ...], ...]
    """Response times at ``CURVE_SHARES``, of all replications; one a deployment. [s]"""
    spending: tuple[Floats, ...]
    """Cost of each deployment in the bins of its timeline, before rounding and fees. [USD/h]"""
    """Of the first replication, in the order of the rows."""
    sources: tuple[PriceSource, ...]
    """Where each price comes from."""
    samples: tuple[Mapping[str, Sequence[float]], ...]
    """What an SLO can bound, and ``cost_usd``, of each replication alone, by measure; one
    a deployment. What intervals and paired differences are made from."""

    @property
    def costsim_version(self) -> str:
        """What made it; with the scenario and the seed it gives the same numbers."""
        return __version__

    @property
    def meets_slo(self) -> bool:
        """Whether every deployment meets the SLO."""
        return all(threshold.ok for threshold in self.thresholds)

    def to_rows(self) -> list[dict[str, Any]]:
        """Return one dict a deployment; what is not known is None."""
        return [_plain(row) for row in self.rows]

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--format json`` prints."""
        return {
            "schema_version": SCHEMA_VERSION,
            "costsim_version": self.costsim_version,
            "scenario": {"name": self.scenario.name, "hash": self.scenario_hash},
            "seed": self.seed,
            "horizon_s": self.horizon_s,
            "traffic": [_plain(source) for source in self.traffic],
            "prices_as_of": self.prices_as_of,
            "quantile_method": self.quantile_method,
            "deployments": self.to_rows(),
            "verdict": _plain(self.verdict),
            "thresholds": [_plain(threshold) for threshold in self.thresholds],
            "warnings": list(self.warnings),
            "notes": list(self.notes),
        }

    def to_json(self) -> str:
        """Return the result with the resolved scenario and the bill, as JSON."""
        content = self.to_dict()
        content["bill"] = [_plain(line) for line in self.bill_lines]
        content["samples"] = {
            row.deployment: {
                measure: [_known(value) for value in values]
                for measure, values in samples.items()
            }
            for row, samples in zip(self.rows, self.samples, strict=True)
        }
        content["latency"] = self._latency()
        content["timeline"] = self._timeline()
        content["prices"] = [_plain(source) for source in self.sources]
        content["resolved_scenario"] = self.scenario.model_dump(
            mode="json", exclude_none=True
        )
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"

    def _latency(self) -> dict[str, Any]:
        """Return which share of requests had at most which response time."""
        return {
            "share": [float(share) for share in CURVE_SHARES],
            "response_s": {
                row.deployment: [_known(_short(value)) for value in curve]
                for row, curve in zip(self.rows, self.latencies, strict=True)
            },
        }

    def _timeline(self) -> dict[str, Any] | None:
        """Return the first replication over time, not finer than a page can show it."""
        if not self.timelines:
            return None
        # Five values for each deployment in a bin, and its arrivals.
        most = min(_MOST_BINS, _MOST_VALUES // (1 + 5 * len(self.timelines)))
        few = [timeline.coarser(most) for timeline in self.timelines]
        start = self.scenario.start
        return {
            "start": None if start is None else start.isoformat(),
            "bin_s": few[0].bin_s,
            "arrivals_per_s": _shorter(few[0].arrivals),
            "deployments": {
                row.deployment: {
                    "ready_replicas": _shorter(timeline.ready),
                    "busy_replicas": _shorter(timeline.busy),
                    "starting_replicas": _shorter(timeline.starting),
                    "waiting": _shorter(timeline.waiting),
                    "cold_per_s": _shorter(timeline.cold),
                }
                for row, timeline in zip(self.rows, few, strict=True)
            },
        }

    def to_csv(self, folder: str | Path) -> list[Path]:
        """Write summary.csv, bill.csv and timeline.csv; return their paths.

        Raises
        ------
        OutputError
            If a file cannot be written.
        """
        tables = {
            "summary.csv": self.to_rows(),
            "bill.csv": [_plain(line) for line in self.bill_lines],
            "timeline.csv": self.timeline_rows(),
        }
        return [
            write_whole(Path(folder) / name, export(rows, "csv"))
            for name, rows in tables.items()
        ]

    def to_html(self, path: str | Path) -> Path:
        """Write the page of the run: one file that needs no network; return its path.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        from costsim.report.page.page import page

        return write_whole(Path(path), page(json.loads(self.to_json())))

    def charts(self) -> dict[str, Figure]:
        """Return the charts of the page by name, for notebooks and files.

        ``result.charts()["cost-latency"].save("chart.png")``; see ``docs/report.md``.
        """
        from costsim.report.page.page import figures

        return figures(json.loads(self.to_json()))

    def _repr_html_(self) -> str:
        from costsim.report.page.page import summary

        return summary(json.loads(self.to_json()))

    def timeline_rows(self) -> list[dict[str, Any]]:
        """Return one dict for each deployment and bin of the timeline."""
        return [
            {
                "deployment": row.deployment,
                "time_s": bin_number * timeline.bin_s,
                "arrivals_per_s": float(timeline.arrivals[bin_number]),
                "cold_per_s": float(timeline.cold[bin_number]),
                "waiting": float(timeline.waiting[bin_number]),
                "in_service": float(timeline.in_service[bin_number]),
                "starting_replicas": float(timeline.starting[bin_number]),
                "ready_replicas": float(timeline.ready[bin_number]),
                "busy_replicas": float(timeline.busy[bin_number]),
                "idle_replicas": float(timeline.idle[bin_number]),
                "cost_usd_per_h": float(spending[bin_number]),
            }
            for row, timeline, spending in zip(
                self.rows, self.timelines, self.spending, strict=True
            )
            for bin_number in range(timeline.arrivals.size)
        ]

    def to_pandas(self) -> pd.DataFrame:
        """Return the rows as a pandas DataFrame (``pip install 'costsim[pandas]'``)."""
        import pandas as pd

        return pd.DataFrame(self.to_rows())

    def __repr__(self) -> str:
        return f"<costsim.RunResult {self.scenario.name!r}: {self.verdict.sentence}>"


def _shorter(values: Floats) -> list[float]:
    return [_short(value) for value in values.tolist()]


def _short(value: float) -> float:
    """Return a value with five digits: more could not be seen in a picture."""
    return float(f"{value:.5g}")


def _plain(record: Any) -> dict[str, Any]:  # noqa: ANN401 - any of our dataclasses
    """Return a dataclass as a dict for JSON and CSV: NaN becomes None."""
    return {
        field.name: _known(getattr(record, field.name))
        for field in dataclasses.fields(record)
    }


def _known(value: Any) -> Any:  # noqa: ANN401 - whatever a field holds
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return list(value) if isinstance(value, tuple) else value
