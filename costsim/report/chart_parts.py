"""What the charts of a run are put together from: colors, names, axes, lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from costsim.report.names import told_apart

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from costsim.report.charts import Chart

    Content = Mapping[str, Any]

PALETTE = (
    *("#0072B2", "#D55E00", "#009E73", "#CC79A7"),
    *("#E69F00", "#56B4E9", "#8C6BB1", "#999999"),
)
DASHES = ([1, 0], [6, 2], [2, 2], [8, 2, 2, 2], [4, 4], [1, 3], [10, 3], [5, 1])
MOST_LINES = len(PALETTE)
"""Deployments that a chart of lines shows: those that meet the SLO first, the cheapest
first."""
SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
WIDTH = 640
SHORTEST_S = 1e-3
"""Shorter times are drawn as this: a logarithmic axis has no zero. [s]"""
_NAME_WIDTH = 24


CONFIG: Chart = {
    "background": "transparent",
    "view": {"stroke": None},
    "font": "Arial, Liberation Sans, Helvetica, sans-serif",
    "title": {"anchor": "start", "color": "currentColor", "fontSize": 14},
    "axis": {
        "labelColor": "currentColor",
        "titleColor": "currentColor",
        "domainColor": "currentColor",
        "tickColor": "currentColor",
        "gridColor": "#999999",
        "gridOpacity": 0.25,
    },
    "legend": {
        "labelColor": "currentColor",
        "titleColor": "currentColor",
        "labelLimit": 220,
    },
    "text": {"color": "currentColor"},
}
"""What all charts share: the page's own color for text, so that they fit light and dark."""


def standalone(chart: Chart) -> Chart:
    """Return a chart for a file of its own: on white, whatever is around it."""
    return {**chart, "config": {**CONFIG, "background": "white"}}


def by_merit(content: Content) -> list[Content]:
    """Return the rows: those that meet the SLO first, the cheapest first.

    Each has a ``label`` besides: its name as a chart shows it, which no other one has.
    """
    rows: list[Content] = content["deployments"]
    apart = labels([row["deployment"] for row in rows])
    named = [{**r, "label": apart[r["deployment"]]} for r in rows]
    return sorted(named, key=lambda row: (row["meets_slo"] is False, row["cost_usd"]))


def labels(names: Iterable[str]) -> dict[str, str]:
    """Return names as a chart shows them, each another one."""
    return told_apart(names, label)


def label(name: str) -> str:
    """Return a name as a chart shows it: one line, cut at a width."""
    clean = " ".join("".join(c if c.isprintable() else " " for c in name).split())
    return clean if len(clean) <= _NAME_WIDTH else f"{clean[: _NAME_WIDTH - 2]}.."


def chart_of(title: str, values: Sequence[Content], **other: Any) -> Chart:  # noqa: ANN401 - whatever Vega-Lite takes
    """Return a chart of some values; keywords are the rest of its specification."""
    return {
        "$schema": SCHEMA,
        "title": title,
        "width": WIDTH,
        "data": {"values": [*values]},
        "config": CONFIG,
        **other,
    }


def number(field: str, title: str) -> Chart:
    """Return a field of numbers and its title."""
    return {"field": field, "type": "quantitative", "title": title}


def nominal(field: str) -> Chart:
    """Return a field of names."""
    return {"field": field, "type": "nominal"}


def names_axis(names: Sequence[str]) -> Chart:
    """Return an axis of deployments, in this order."""
    axis = {"labelLimit": 200, "title": None}
    return {**nominal("deployment"), "sort": list(names), "axis": axis}


def lines(rows: Sequence[Content]) -> Chart:
    """Return how lines of deployments are told apart."""
    names = [row["label"] for row in rows]
    legend = {
        "orient": "bottom",
        "columns": 3,
        "title": None,
        "symbolType": "stroke",
        "symbolSize": 300,
        "symbolOpacity": 1,
    }
    return {
        "color": {
            **nominal("deployment"),
            "scale": {"domain": names, "range": list(PALETTE[: len(names)])},
            "legend": legend,
        },
        "strokeDash": {
            **nominal("deployment"),
            "scale": {"domain": names, "range": list(DASHES[: len(names)])},
            "legend": legend,
        },
    }


def unbeaten(rows: Iterable[Content], cost: str, latency: str) -> list[Content]:
    """Return the rows than which none has both less of one field and less of the other."""
    found: list[Content] = []
    for row in sorted(rows, key=lambda one: (one[cost], one[latency])):
        if not found or row[latency] < found[-1][latency]:
            found.append(row)
    return found


def tooltip(*fields: str) -> list[Chart]:
    """Return the fields that are told of a mark."""
    return [{"field": field} for field in fields]


def slo_rule(content: Content) -> list[Chart]:
    """Return a line at the SLO's bound on p95, if there is one."""
    limits = {t["limit"] for t in content["thresholds"] if t["measure"] == "p95_s"}
    return [
        {
            "data": {"values": [{"limit": limit}]},
            "mark": {"type": "rule", "color": PALETTE[1], "strokeDash": [2, 2]},
            "encoding": {"x": {"field": "limit", "type": "quantitative"}},
        }
        for limit in sorted(limits)
    ]


def months(row: Content) -> float:
    """Return how many times the run's cost a month's is."""
    cost, month = row["cost_usd"], row["cost_usd_per_month"]
    return month / cost if cost else 0.0
