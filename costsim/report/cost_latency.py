"""The chart of cost against p95 of a run's deployments, with the Pareto line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from costsim.report.chart_parts import (
    PALETTE,
    SHORTEST_S,
    by_merit,
    chart_of,
    months,
    nominal,
    number,
    slo_rule,
    tooltip,
    unbeaten,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from costsim.report.charts import Chart

    Content = Mapping[str, Any]

_WIDEST = 5.0
"""An interval of p95 is drawn to so many times its value at most. [1]"""
_MEETS = {True: "meets the SLO", False: "misses the SLO", None: "no SLO"}
_SHAPES = dict(zip(_MEETS.values(), ("circle", "cross", "circle"), strict=True))
_SLO_COLORS = dict(
    zip(_MEETS.values(), (PALETTE[2], PALETTE[1], PALETTE[0]), strict=True)
)


def cost_latency_chart(content: Content) -> Chart:
    """Return cost against p95, with 95 % intervals and the Pareto line."""
    rows = [row for row in by_merit(content) if row["p95_s"] is not None]
    values = [_value(row, rows) for row in sorted(rows, key=_month_cost)]
    x = {**number("p95", "p95 [s]"), "scale": {"type": "log", "nice": True}}
    y = {**number("usd", "USD a month"), "axis": {"format": "$,~r"}}
    y["scale"] = {"zero": True}
    present = {value["slo"] for value in values}
    kinds = [kind for kind in _MEETS.values() if kind in present]
    front = [
        {"p95": one["p95"], "usd": one["usd"]} for one in unbeaten(values, "usd", "p95")
    ]
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
            "transform": [{"filter": side}],
            "mark": {"type": "text", "align": "left", "dx": 8, "dy": dy, "limit": 180},
            "encoding": {"x": x, "y": y, "text": {"field": "deployment"}},
        }
        for side, dy in (("datum.above", -7), ("!datum.above", 10))
    ]
    layers += slo_rule(content)
    return chart_of("Cost against p95", values, layer=layers, height=300)


def _value(row: Content, rows: Sequence[Content]) -> dict[str, Any]:
    return {
        "deployment": row["label"],
        **_p95(row),
        "usd": row["cost_usd_per_month"],
        "usd_low": _or(row["cost_usd_low"], row["cost_usd"]) * months(row),
        "usd_high": _or(row["cost_usd_high"], row["cost_usd"]) * months(row),
        "slo": _MEETS[row["meets_slo"]],
        "above": _is_above_its_nearest(row, rows),
    }


def _is_above_its_nearest(row: Content, rows: Sequence[Content]) -> bool:
    """Return whether a row costs more than the one that a chart shows nearest to it."""
    most = max(map(_month_cost, rows)) or 1.0

    def distance(other: Content) -> float:
        wide = math.log10(
            max(other["p95_s"], SHORTEST_S) / max(row["p95_s"], SHORTEST_S)
        )
        return math.hypot(wide / 2, (_month_cost(other) - _month_cost(row)) / most)

    others = [one for one in rows if one is not row]
    if not others:
        return True
    return _month_cost(row) >= _month_cost(min(others, key=distance))


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


def _interval(encoding: Chart) -> Chart:
    return {"mark": {"type": "rule", "opacity": 0.6}, "encoding": encoding}


def _p95(row: Content) -> dict[str, float]:
    """Return p95 and its interval, which a logarithmic axis can show. [s]"""
    p95 = max(row["p95_s"], SHORTEST_S)
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
