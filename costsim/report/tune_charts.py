"""A search for settings as charts: cost over two settings, cost against p95."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from costsim.report.charts import Chart
    from costsim.study.tune.result import HeatMap, TuneResult

_SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
_WIDTH = 680
_ROW = 28
"""Pixels of a row of the heat map."""
_INK, _MISSES = "#0072B2", "#D55E00"
_COSTS: Chart = {
    "mark": "rect",
    "encoding": {
        "color": {
            "field": "cost",
            "type": "quantitative",
            "title": "$ a month",
            "scale": {"scheme": "blues", "type": "log"},
        }
    },
}
_MARKS: Chart = {
    "mark": {"type": "text", "fontWeight": "bold"},
    "encoding": {
        "text": {"field": "mark", "type": "nominal"},
        "color": {"value": "black"},
    },
}
_BY_SLO: Chart = {
    "field": "slo",
    "type": "nominal",
    "title": "SLO",
    "scale": {"domain": ["meets", "misses"], "range": [_INK, _MISSES]},
}


def tune_chart(result: TuneResult) -> Chart:
    """Return the heat map of the answer's deployment, above cost against p95.

    Parameters
    ----------
    result : TuneResult
        What to draw.
    """
    parts = [] if result.heat_map is None else [_heat(result.heat_map)]
    return {
        "$schema": _SCHEMA,
        "title": {
            "text": result.scenario.name,
            "subtitle": f"x misses the SLO ({result.answers[0].deployment})",
        },
        "vconcat": [*parts, _front(result)],
        "resolve": {"scale": {"color": "independent"}},
    }


def _heat(heat_map: HeatMap) -> Chart:
    values = [
        {
            "row": row or "-",
            "column": column,
            "cost": round(cell.cost_usd_per_month, 2),
            "mark": "x" if not cell.meets_slo else "best" if cell.is_best else "",
        }
        for row, cells in zip(heat_map.rows, heat_map.cells, strict=True)
        for column, cell in zip(heat_map.columns, cells, strict=True)
        if cell is not None
    ]
    column = {"field": "column", "title": heat_map.column, "sort": [*heat_map.columns]}
    row = {"field": "row", "title": heat_map.row or None, "sort": [*heat_map.rows]}
    return {
        "width": _WIDTH,
        "height": _ROW * len(heat_map.rows),
        "data": {"values": values},
        "encoding": {
            "x": {"type": "ordinal", **column},
            "y": {"type": "ordinal", **row},
        },
        "layer": [_COSTS, _MARKS],
    }


def _front(result: TuneResult) -> Chart:
    values = [
        {
            "cost": round(one.cost_usd_per_month, 2),
            "p95": one.measures["p95_s"],
            "slo": "meets" if one.meets_slo else "misses",
            "settings": f"{one.deployment}: {one.said}",
        }
        for one in result.front
    ]
    quantity = {"type": "quantitative", "scale": {"zero": False}}
    return {
        "width": _WIDTH,
        "height": 240,
        "data": {"values": values},
        "encoding": {
            "x": {"field": "cost", "title": "$ a month", **quantity},
            "y": {"field": "p95", "title": "p95 (s)", **quantity},
        },
        "layer": [
            {"mark": {"type": "line", "color": "#999999", "interpolate": "step-after"}},
            {
                "mark": {"type": "point", "filled": True, "size": 70},
                "encoding": {
                    "color": _BY_SLO,
                    "tooltip": {"field": "settings", "type": "nominal"},
                },
            },
        ],
    }
