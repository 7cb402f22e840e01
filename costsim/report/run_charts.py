"""Charts of a run as Vega-Lite specifications, from its JSON form.

They take what ``result.json`` holds, so that a page can be made of a saved result. Fields
have names of ours and deployments are values, so that no name can be taken for anything
else. Colors are Okabe and Ito's, told apart with any color vision; lines differ by their
dashes too.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from costsim.report.chart_parts import (
    CONFIG,
    MOST_LINES,
    PALETTE,
    SCHEMA,
    SHORTEST_S,
    WIDTH,
    by_merit,
    chart_of,
    lines,
    months,
    names_axis,
    nominal,
    number,
    slo_rule,
    tooltip,
)
from costsim.report.charts import times
from costsim.report.cost_latency import cost_latency_chart
from costsim.units import SECONDS_PER_DAY, SECONDS_PER_HOUR, rate_unit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from costsim.report.charts import Chart

    Content = Mapping[str, Any]

PARTS = ("busy", "idle", "setup", "rounding", "fees")
_PART_COLORS = ("#009E73", "#999999", "#D55E00", "#E69F00", "#56B4E9")

_WINDOW = "window"


def cost_split_chart(content: Content) -> Chart:
    """Return where each deployment's money goes, a bar a deployment."""
    values = [
        {
            "deployment": row["label"],
            "part": part,
            "place": place,
            "usd": round(row[f"{part}_usd"] * months(row), 4),
        }
        for row in by_merit(content)
        for place, part in enumerate(PARTS)
    ]
    names = [row["label"] for row in by_merit(content)]
    return chart_of(
        "Where the money goes",
        values,
        mark={"type": "bar", "cornerRadius": 1},
        height={"step": 24},
        encoding={
            "y": names_axis(names),
            "x": {**number("usd", "USD a month"), "axis": {"format": "$,~r"}},
            "color": {
                **nominal("part"),
                "title": None,
                "sort": list(PARTS),
                "scale": {"domain": list(PARTS), "range": list(_PART_COLORS)},
                "legend": {"orient": "top"},
            },
            "order": {"field": "place"},
            "tooltip": tooltip("deployment", "part", "usd"),
        },
    )


def latency_chart(content: Content) -> Chart:
    """Return the distribution of response times, a line a deployment."""
    shares = content["latency"]["share"]
    shown = by_merit(content)[:MOST_LINES]
    values = [
        {
            "deployment": row["label"],
            "s": max(s, SHORTEST_S),
            "share": share,
        }
        for row in shown
        for share, s in zip(
            shares, content["latency"]["response_s"][row["deployment"]], strict=True
        )
        if s is not None
    ]
    x = {**number("s", "response time [s]"), "scale": {"type": "log", "nice": False}}
    y = {**number("share", "share of requests"), "axis": {"format": "%"}}
    curves = {
        "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 2},
        "encoding": {"x": x, "y": y, **lines(shown)},
    }
    layers = [curves, *slo_rule(content)]
    return chart_of("Response times", values, layer=layers, height=260)


def cold_chart(content: Content) -> Chart | None:
    """Return cold starts by the hour of the day; None if there are none."""
    timeline = content["timeline"]
    if timeline is None:
        return None
    hours = [_hour(timeline, i) for i in range(len(timeline["arrivals_per_s"]))]
    arrived = _sums(hours, timeline["arrivals_per_s"])
    values = [
        {
            "deployment": row["label"],
            "hour": hour,
            "share": cold / arrived[hour],
        }
        for row in by_merit(content)[:MOST_LINES]
        for hour, cold in _sums(
            hours, timeline["deployments"][row["deployment"]]["cold_per_s"]
        ).items()
        if arrived[hour] > 0
    ]
    if not any(value["share"] for value in values):
        return None
    clock = "hour of the day" if timeline["start"] else "hour since the start, of a day"
    return chart_of(
        "Cold starts over the day",
        values,
        mark={"type": "line", "point": True},
        height=200,
        encoding={
            "x": {
                **number("hour", clock),
                "scale": {"domain": [0, 23]},
                "axis": {"tickMinStep": 1, "grid": False},
            },
            "y": {**number("share", "share of requests"), "axis": {"format": "%"}},
            **lines(by_merit(content)[:MOST_LINES]),
            "tooltip": tooltip("deployment", "hour", "share"),
        },
    )


def timeline_chart(content: Content) -> Chart | None:
    """Return traffic and replicas over time; None if there is no timeline.

    What is seen of it is the interval ``window``; it can be dragged and zoomed.
    """
    timeline = content["timeline"]
    if timeline is None:
        return None
    return {
        "$schema": SCHEMA,
        "title": "First replication over time",
        "vconcat": [
            _traffic(timeline),
            _replicas(timeline, by_merit(content)[:MOST_LINES]),
        ],
        "spacing": 6,
        "config": CONFIG,
    }


def _traffic(timeline: Content) -> Chart:
    scale, unit = rate_unit(max(timeline["arrivals_per_s"], default=0.0))
    axis = _time_axis(timeline)
    rates = zip(_moments(timeline), timeline["arrivals_per_s"], strict=True)
    select = {"type": "interval", "encodings": ["x"]}
    return {
        "width": WIDTH,
        "height": 90,
        "data": {"values": [{"at": at, "rate": rate * scale} for at, rate in rates]},
        "mark": {"type": "area", "interpolate": "step-after", "color": PALETTE[5]},
        "encoding": {
            "x": {**axis, "title": None, "axis": {**axis["axis"], "labels": False}},
            "y": number("rate", f"requests/{unit}"),
        },
        "params": [{"name": _WINDOW, "select": select, "bind": "scales"}],
    }


def _replicas(timeline: Content, rows: Sequence[Content]) -> Chart:
    axis = _time_axis(timeline)
    values = [
        {"at": at, "deployment": row["label"], "replicas": ready + starting}
        for row in rows
        for at, ready, starting in zip(
            _moments(timeline),
            timeline["deployments"][row["deployment"]]["ready_replicas"],
            timeline["deployments"][row["deployment"]]["starting_replicas"],
            strict=True,
        )
    ]
    seen = {"param": _WINDOW, "encoding": "x"}
    return {
        "width": WIDTH,
        "height": 180,
        "data": {"values": values},
        "mark": {"type": "line", "interpolate": "step-after"},
        "encoding": {
            "x": {**axis, "scale": {**axis["scale"], "domain": seen}},
            "y": number("replicas", "replicas"),
            **lines(rows),
        },
    }


CHARTS: Mapping[str, Callable[[Content], Chart | None]] = {
    "cost-split": cost_split_chart,
    "cost-latency": cost_latency_chart,
    "latency": latency_chart,
    "timeline": timeline_chart,
    "cold-starts": cold_chart,
}
"""All charts of a run, by their names, in the order of the page."""


def _moments(timeline: Content) -> list[float | str]:
    """Return the begin of each bin: a moment by the clock of the start, or hours."""
    start = timeline["start"]
    begin_s = np.arange(len(timeline["arrivals_per_s"])) * timeline["bin_s"]
    return times(begin_s, None if start is None else datetime.fromisoformat(start))


def _time_axis(timeline: Content) -> Chart:
    if timeline["start"] is None:
        return {
            **number("at", "hours"),
            "axis": {"grid": False},
            "scale": {"nice": False},
        }
    return {
        "field": "at",
        "type": "temporal",
        "title": None,
        "scale": {"type": "utc"},
        "axis": {"labelOverlap": True, "grid": False},
    }


def _hour(timeline: Content, bin_number: int) -> int:
    at_s = bin_number * timeline["bin_s"]
    if timeline["start"] is not None:
        start = datetime.fromisoformat(timeline["start"])
        at_s += start.hour * SECONDS_PER_HOUR + start.minute * 60 + start.second
    return int(at_s % SECONDS_PER_DAY // SECONDS_PER_HOUR)


def _sums(hours: Sequence[int], values: Sequence[float]) -> dict[int, float]:
    """Return the sum of values by hour."""
    sums: dict[int, float] = {}
    for hour, value in zip(hours, values, strict=True):
        sums[hour] = sums.get(hour, 0.0) + value
    return dict(sorted(sums.items()))
