"""A search for settings as charts: cost over two settings, cost against p95."""

from __future__ import annotations

from typing import TYPE_CHECKING

from costsim.report.chart_parts import CONFIG, SCHEMA
from costsim.report.document import Drawing

if TYPE_CHECKING:
    from costsim.report.charts import Chart
    from costsim.study.tune.result import Cell, HeatMap, TuneResult

_WIDTH = 680
_DARK = 1.1
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
    "mark": {"type": "text", "fontSize": 10},
    "encoding": {
        "text": {"field": "mark", "type": "nominal"},
        "color": {
            "condition": {"test": "datum.dark", "value": "white"},
            "value": "black",
        },
    },
}
_BY_SLO: Chart = {
    "field": "slo",
    "type": "nominal",
    "title": "SLO",
    "scale": {"domain": ["meets", "misses"], "range": [_INK, _MISSES]},
}


def drawings(result: TuneResult) -> tuple[Drawing, ...]:
    """Return the heat map of the answer's deployment, and cost against p95."""
    found = []
    if result.heat_map is not None:
        caption = (
            f"{result.answers[0].deployment}: cost by two settings, the others at their "
            "best; > is the answer, x misses the SLO."
        )
        chart = _whole("Cost by two settings", _heat(result.heat_map))
        found.append(Drawing("heat-map", "Cost by two settings", caption, chart))
    if result.front:
        caption = "The settings that no other beats both in cost and in p95."
        chart = _whole("Cost against p95", _front(result))
        found.append(Drawing("front", "Cost against p95", caption, chart))
    return tuple(found)


def tune_chart(result: TuneResult) -> Chart:
    """Return both charts in one picture, one above the other."""
    parts = [] if result.heat_map is None else [_heat(result.heat_map)]
    return {
        "$schema": SCHEMA,
        "title": {
            "text": result.scenario.name,
            "subtitle": f"x misses the SLO ({result.answers[0].deployment})",
        },
        "vconcat": [*parts, _front(result)],
        "resolve": {"scale": {"color": "independent"}},
    }


def _whole(title: str, part: Chart) -> Chart:
    return {"$schema": SCHEMA, "title": title, "config": CONFIG, **part}


def _heat(heat_map: HeatMap) -> Chart:
    costs = [
        cell.cost_usd_per_month
        for row in heat_map.cells
        for cell in row
        if cell is not None
    ]
    values = [
        {
            "row": row or "-",
            "column": column,
            "cost": round(cell.cost_usd_per_month, 2),
            "mark": _mark(cell),
            # As the scale of colors: in logarithms, the upper half is dark.
            "dark": cell.cost_usd_per_month**2 > min(costs) * max(costs) * _DARK,
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


def _mark(cell: Cell) -> str:
    """Return what stands in a cell: the cost, ``>`` before the best, ``x`` after a miss."""
    best, missed = ">" if cell.is_best else "", "" if cell.meets_slo else " x"
    return f"{best}{cell.cost_usd_per_month:,.0f}{missed}"


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
            "y": {"field": "p95", "title": "p95 [s]", **quantity},
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
