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
    WIDTH,
    by_merit,
    chart_of,
    lines,
    names_axis,
    nominal,
    number,
    tooltip,
)
from costsim.report.charts import times
from costsim.units import SECONDS_PER_DAY, SECONDS_PER_HOUR, rate_unit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from costsim.report.charts import Chart

    Content = Mapping[str, Any]

PARTS = ("busy", "idle", "setup", "rounding", "fees")
_PART_COLORS = ("#009E73", "#999999", "#D55E00", "#E69F00", "#56B4E9")

_SHORTEST_S = 1e-3
"""Shorter times are drawn as this: a logarithmic axis has no zero. [s]"""
_WIDEST = 5.0
"""An interval of p95 is drawn to so many times its value at most. [1]"""
_WINDOW = "window"


def cost_split_chart(content: Content) -> Chart:
    """Return where each deployment's money goes, a bar a deployment."""
    values = [
        {
            "deployment": row["label"],
            "part": part,
            "place": place,
            "usd": round(row[f"{part}_usd"] * _months(row), 4),
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


def cost_latency_chart(content: Content) -> Chart:
    """Return cost against p95, with 95 % intervals and the Pareto line."""
    rows = [row for row in by_merit(content) if row["p95_s"] is not None]
    values = [
        {
            "deployment": row["label"],
            **_p95(row),
            "usd": row["cost_usd_per_month"],
            "usd_low": _or(row["cost_usd_low"], row["cost_usd"]) * _months(row),
            "usd_high": _or(row["cost_usd_high"], row["cost_usd"]) * _months(row),
            "slo": _MEETS[row["meets_slo"]],
            "above": place % 2 == 1,
            "below": place % 2 == 0,
        }
        for place, row in enumerate(sorted(rows, key=_month_cost))
    ]
    x = {**number("p95", "p95 [s]"), "scale": {"type": "log", "nice": True}}
    y = {**number("usd", "USD a month"), "axis": {"format": "$,~r"}}
    y["scale"] = {"zero": True}
    present = {value["slo"] for value in values}
    kinds = [kind for kind in _MEETS.values() if kind in present]
    front = [{"p95": x, "usd": y} for x, y in pareto(rows)]
    layers = [
        {
            "data": {"values": front},
            "mark": {"type": "line", "strokeDash": [4, 3], "color": PALETTE[7]},
            "encoding": {"x": x, "y": y},
        },
        _interval(
            {"x": {**x, "field": "p95_low"}, "x2": {"field": "p95_high"}, "y": y}
        ),
        _interval(
            {"y": {**y, "field": "usd_low"}, "y2": {"field": "usd_high"}, "x": x}
        ),
        _points(x, y, kinds),
    ]
    layers += [
        {
            # Those near each other have their names on different sides.
            "transform": [{"filter": f"datum.{side}"}],
            "mark": {"type": "text", "align": "left", "dx": 8, "dy": dy, "limit": 180},
            "encoding": {"x": x, "y": y, "text": {"field": "deployment"}},
        }
        for side, dy in (("above", -7), ("below", 10))
    ]
    layers += _slo_rule(content)
    return chart_of("Cost against p95", values, layer=layers, height=300)


def _points(x: Chart, y: Chart, kinds: Sequence[str]) -> Chart:
    """Return points whose shape and color tell whether the SLO is met."""
    return {
        "mark": {"type": "point", "filled": True, "size": 90},
        "encoding": {
            "x": x,
            "y": y,
            "shape": {
                **nominal("slo"),
                "title": None,
                "scale": {"domain": kinds, "range": [_SHAPES[one] for one in kinds]},
                "legend": {"orient": "top"},
            },
            "color": {
                **nominal("slo"),
                "scale": {
                    "domain": kinds,
                    "range": [_SLO_COLORS[one] for one in kinds],
                },
                "title": None,
            },
            "tooltip": tooltip("deployment", "p95", "usd"),
        },
    }


def pareto(rows: Sequence[Content]) -> list[tuple[float, float]]:
    """Return (p95, cost a month) of the rows that no other beats in both. [s], [USD]"""
    found: list[tuple[float, float]] = []
    for row in sorted(rows, key=lambda one: (one["cost_usd_per_month"], one["p95_s"])):
        if not found or row["p95_s"] < found[-1][0]:
            found.append((row["p95_s"], row["cost_usd_per_month"]))
    return found


def latency_chart(content: Content) -> Chart:
    """Return the distribution of response times, a line a deployment."""
    shares = content["latency"]["share"]
    shown = by_merit(content)[:MOST_LINES]
    values = [
        {
            "deployment": row["label"],
            "s": max(s, _SHORTEST_S),
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
    layers = [curves, *_slo_rule(content)]
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

_MEETS = {True: "meets the SLO", False: "misses the SLO", None: "no SLO"}
_SHAPES = dict(zip(_MEETS.values(), ("circle", "cross", "circle"), strict=True))
_SLO_COLORS = dict(
    zip(_MEETS.values(), (PALETTE[2], PALETTE[1], PALETTE[0]), strict=True)
)


def _interval(encoding: Chart) -> Chart:
    return {"mark": {"type": "rule", "opacity": 0.6}, "encoding": encoding}


def _slo_rule(content: Content) -> list[Chart]:
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


def _p95(row: Content) -> dict[str, float]:
    """Return p95 and its interval, which a logarithmic axis can show. [s]"""
    p95 = max(row["p95_s"], _SHORTEST_S)
    low, high = _or(row["p95_s_low"], p95), _or(row["p95_s_high"], p95)
    return {
        "p95": p95,
        "p95_low": min(p95, max(low, p95 / _WIDEST)),
        "p95_high": max(p95, min(high, p95 * _WIDEST)),
    }


def _or(value: float | None, other: float) -> float:
    return other if value is None else value


def _month_cost(row: Content) -> float:
    cost: float = row["cost_usd_per_month"]
    return cost


def _months(row: Content) -> float:
    """Return how many times the run's cost a month's is."""
    cost, month = row["cost_usd"], row["cost_usd_per_month"]
    return month / cost if cost else 0.0


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
