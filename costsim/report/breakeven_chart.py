"""The chart of a break-even study: cost and p95 against what is varied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from costsim.report.chart_parts import WIDTH, labels, lines, tooltip
from costsim.report.charts import Chart, stacked
from costsim.report.document import Drawing
from costsim.study.breakeven.curve import COST

if TYPE_CHECKING:
    from costsim.study.breakeven.result import BreakEven
    from costsim.study.rows import Measured

_HEIGHT = 320
_CROSSING = "#777777"
_LEAST = 0.005
"""Less is no cost, and no time, that a picture shows. [USD, s]"""


def drawings(found: BreakEven) -> tuple[Drawing, ...]:
    """Return the chart with what is said about it."""
    caption = (
        "Bands are 95 % intervals; upright lines in a gray band are where costs cross. A "
        "line has points where the SLO is met; where a deployment cannot keep up there is "
        "nothing."
    )
    title = f"Cost and p95 against {found.axis.label}"
    return (Drawing("breakeven", title, caption, breakeven_chart(found)),)


def breakeven_chart(found: BreakEven) -> Chart:
    """Return cost, with crossings, above p95; scales are logarithmic where they can be.

    Lines have points where the traffic is served and the SLO met.
    """
    names = labels(found.names)
    values = [
        _value(point.value, names[name], reading.measured, serves=reading.slo_sign >= 0)
        for point in found.points
        for name, reading in point.readings.items()
        if reading.measured is not None and reading.keeps_up
    ]
    style = lines([{"label": one} for one in names.values()])
    cost = _panel(found, values, "cost", "USD a month", style)
    p95 = _panel(found, values, "p95", "p95 [s]", style)
    cost["layer"] = [*_crossings(found), *cost["layer"]]
    title = f"{found.scenario}: cost against {found.axis.label}"
    shared = {"scale": {"color": "shared", "strokeDash": "shared"}}
    return {**stacked([cost, p95], title), "resolve": shared}


def _value(at: float, name: str, measured: Measured, *, serves: bool) -> dict[str, Any]:
    row: dict[str, Any] = {"at": at, "deployment": name, "serves": serves}
    for key, measure in (("cost", COST), ("p95", "p95_s")):
        estimate = measured.estimates[measure]
        # A logarithmic scale has no place for zero, nor for a band that reaches it.
        if estimate.value >= _LEAST:
            ends = (estimate.low, estimate.high)
            band = ends if ends[0] >= _LEAST else (estimate.value, estimate.value)
            row[key] = round(estimate.value, 6)
            row[f"{key}_low"], row[f"{key}_high"] = (round(one, 6) for one in band)
    return row


def _panel(
    found: BreakEven,
    values: list[dict[str, Any]],
    field: str,
    title: str,
    style: Chart,
) -> Chart:
    x = {"field": "at", "type": "quantitative", **_x(found)}
    y = {"type": "quantitative", "scale": {"type": "log"}, "title": title}
    color = {"x": x, "color": style["color"]}
    line = {"y": {**y, "field": field}}
    band = {"y": {**y, "field": f"{field}_low"}, "y2": {"field": f"{field}_high"}}
    only_served = {"condition": {"test": "datum.serves", "value": 1}, "value": 0}
    point = {"type": "point", "filled": True, "stroke": None, "size": 30}
    told = {"opacity": only_served, "tooltip": tooltip("deployment", "at", field)}
    return {
        "width": WIDTH,
        "height": _HEIGHT,
        "data": {"values": [one for one in values if one.get(field) is not None]},
        "layer": [
            {"mark": {"type": "area", "opacity": 0.2}, "encoding": {**color, **band}},
            {"mark": "line", "encoding": {"x": x, **line, **style}},
            {"mark": point, "encoding": {**color, **line, **told}},
        ],
    }


def _crossings(found: BreakEven) -> list[Chart]:
    """Return a line and a band for each decisive crossing."""
    rows = [
        {
            "low": one.low,
            "at": one.value,
            "high": one.high,
            "what": f"{one.above} is cheaper above {found.axis.show(one.value)}",
        }
        for one in found.crossings
        if one.is_decisive
    ]
    if not rows:
        return []
    x = {"type": "quantitative", **_x(found)}
    told = {"description": {"field": "what"}}
    band = {"x": {"field": "low", **x}, "x2": {"field": "high"}, **told}
    rule = {"x": {"field": "at", **x}, "tooltip": {"field": "what"}, **told}
    return [
        {
            "data": {"values": rows},
            "mark": {"type": "rect", "color": _CROSSING, "opacity": 0.2},
            "encoding": band,
        },
        {
            "data": {"values": rows},
            "mark": {"type": "rule", "color": _CROSSING, "strokeDash": [4, 3]},
            "encoding": rule,
        },
    ]


def _x(found: BreakEven) -> dict[str, Any]:
    axis = found.axis
    kind = "log" if axis.is_log else "linear"
    unit = " [s]" if axis.kind == "duration" else f" [{axis.unit}]" if axis.unit else ""
    domain = [axis.low, axis.high]
    scale = {"type": kind, "domain": domain, "nice": False}
    return {"scale": scale, "title": f"{axis.label}{unit}"}
