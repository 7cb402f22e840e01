"""A run as one HTML file: no network, readable without scripts, with its data inside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from costsim.report.chart_parts import (
    DASHES,
    MOST_LINES,
    PALETTE,
    by_merit,
    standalone,
)
from costsim.report.columns import Column
from costsim.report.page.rendering import drawn, environment, rendered
from costsim.report.pictures import Figure
from costsim.report.run_charts import CHARTS
from costsim.report.terminal import bound_text, mark, ordered
from costsim.report.terminal import figures as figure_columns
from costsim.study.saved import restored
from costsim.units import format_duration, format_rate, format_usd

if TYPE_CHECKING:
    from collections.abc import Mapping

    Content = Mapping[str, Any]

_CAPTIONS = {
    "cost-split": (
        "Where the money goes",
        "A month of each deployment's compute at its price: busy with requests, idle, "
        "starting, rounded up to the billing increment, and fees.",
    ),
    "cost-latency": (
        "Cost against p95",
        "Below and to the left is better; the dashed line joins those that no other beats "
        "in both. Lines through points are 95 % intervals.",
    ),
    "latency": (
        "Response times",
        "The share of requests that were answered within a time; all replications.",
    ),
    "timeline": (
        "Traffic and replicas over time",
        "The first replication. Replicas count from their launch on. Drag over a span to "
        "see it closer.",
    ),
    "cold-starts": (
        "Cold starts over the day",
        "The share of requests that waited for a replica that was starting; the first "
        "replication.",
    ),
}
"""Title and caption of each chart."""

_ABOUT = {
    "$/MONTH": "cost of 730 hours like these",
    "+-": "half the 95 % interval of the cost",
    "$/1K REQ": "cost of 1,000 served requests",
    "+- ": "half the 95 % interval of p95",
    "SLOW": "share of requests slower than the SLO's bound",
    "COLD": "share of requests that waited for a replica that was starting",
    "LOST": "share of requests that were not served",
    "UTIL": "busy slot-seconds over ready slot-seconds",
    "REPLICAS": "mean number of ready replicas",
    "PEAK": "most replicas at once",
    "LAUNCHES": "replicas launched",
}
"""What a column is, where its title does not say it."""


def page(content: Content) -> str:
    """Return a run's page.

    Parameters
    ----------
    content : mapping
        What ``result.json`` holds.
    """
    embedded = {"costsim-colors": _colors(content), "costsim-result": content}
    return rendered("page.html", embedded, **_texts(content), figures=_figures(content))


_SUMMARY = """\
<p><strong>{{ verdict }}</strong><br>{{ facts }}</p>
<table>
<thead><tr>{% for one in columns %}<th>{{ one.title }}</th>{% endfor %}</tr></thead>
<tbody>
{% for row in rows %}
<tr>{% for cell in row.cells %}<td>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}
</tbody>
</table>
"""


def summary(content: Content) -> str:
    """Return a run's verdict and table as HTML, for a notebook.

    Parameters
    ----------
    content : mapping
        What ``result.json`` holds.
    """
    return environment().from_string(_SUMMARY).render(**_texts(content))


def figures(content: Content) -> dict[str, Figure]:
    """Return the charts of a run, each for a file or a notebook of its own.

    Parameters
    ----------
    content : mapping
        What ``result.json`` holds.
    """
    made = {name: chart(content) for name, chart in CHARTS.items()}
    return {
        name: Figure(standalone(one)) for name, one in made.items() if one is not None
    }


def _texts(content: Content) -> dict[str, Any]:
    """Return everything on the page that is text."""
    saved = restored(content)
    rows = ordered(saved)
    names = Column("DEPLOYMENT", tuple(row.deployment for row in rows))
    columns = [names, *figure_columns(rows)]
    return {
        "version": content["costsim_version"],
        "title": content["scenario"]["name"],
        "verdict": content["verdict"]["sentence"],
        "facts": _facts(content),
        "bounds": [
            {"deployment": one.deployment, "ok": one.ok, "text": bound_text(one)}
            for one in sorted(saved.thresholds, key=lambda one: one.ok)
        ],
        "columns": [
            {"title": one.title, "about": _ABOUT.get(one.title, ""), "kind": ""}
            for one in columns
        ],
        "rows": [
            {
                "mark": {"x": "missed-row", ">": "chosen", " ": ""}[mark(row, saved)],
                "cells": [column.cells[i] for column in columns],
            }
            for i, row in enumerate(rows)
        ],
        "legend": _legend(content),
        "bills": [_bill(row.deployment, content) for row in rows],
        "origin": _origin(content),
        "remarks": [("Warnings", content["warnings"]), ("Notes", content["notes"])],
        "prices": content["prices"],
        "scenario": yaml.safe_dump(
            content["resolved_scenario"], sort_keys=False, allow_unicode=True, width=100
        ),
    }


def _facts(content: Content) -> str:
    rate = sum(source["rate_per_s"] for source in content["traffic"])
    first = content["deployments"][0]
    parts = [
        f"{first['requests']:,.0f} requests in {format_duration(content['horizon_s'])} "
        f"({format_rate(rate)})",
        f"{first['replications']} replications",
    ]
    if content["prices_as_of"]:
        parts.append(f"prices as of {content['prices_as_of']}")
    return ", ".join(parts)


def _legend(content: Content) -> str:
    slo = " \N{BALLOT X} misses the SLO." if content["thresholds"] else ""
    return (
        "\N{BLACK RIGHT-POINTING SMALL TRIANGLE} the cheapest"
        f"{' that meets the SLO' if slo else ''}, and what ties with it.{slo} "
        "+- is half a 95 % interval over replications."
    )


def _bill(deployment: str, content: Content) -> dict[str, Any]:
    lines = [one for one in content["bill"] if one["deployment"] == deployment]
    (row,) = (r for r in content["deployments"] if r["deployment"] == deployment)
    return {
        "deployment": deployment,
        "total": format_usd(row["cost_usd"]),
        "lines": [
            {
                **one,
                "quantity": f"{one['quantity']:,.2f}",
                "price": f"{one['usd_per_unit']:,.6g}",
                "cost": f"{one['cost_usd']:,.2f}",
            }
            for one in lines
        ],
    }


def _origin(content: Content) -> str:
    scenario = content["scenario"]
    return (
        f"costsim {content['costsim_version']}, scenario {scenario['hash']}, seed "
        f"{content['seed']}: the same three give the same numbers. Response times are "
        "modeled, of served requests; network time is not in them. Quantiles are "
        f"{'exact' if content['quantile_method'] == 'exact' else 'known to 0.1 %'}."
    )


def _figures(content: Content) -> list[dict[str, Any]]:
    """Return the charts of the run and of studies that were added to it."""
    made = [(name, chart(content), *_CAPTIONS[name]) for name, chart in CHARTS.items()]
    made += [
        (f"study-{place}", one["chart"], one["title"], one["sentence"])
        for place, one in enumerate(content.get("studies", []))
    ]
    return [
        {"id": name, "title": title, "caption": caption, "svg": drawn(chart, name)}
        for name, chart, title, caption in made
        if chart is not None
    ]


def _colors(content: Content) -> dict[str, Any]:
    shown = by_merit(content)[:MOST_LINES]
    return {
        "palette": PALETTE,
        "dashes": DASHES,
        "traffic": PALETTE[5],
        "names": [row["deployment"] for row in shown],
        "labels": [row["label"] for row in shown],
    }
