"""A sweep as charts: cost against p95 of every point, and what each key does."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from costsim.report.chart_parts import (
    CONFIG,
    MOST_LINES,
    SCHEMA,
    WIDTH,
    chart_of,
    labels,
    lines,
    nominal,
    number,
    tooltip,
    unbeaten,
)
from costsim.report.document import Drawing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from costsim.report.charts import Chart
    from costsim.study.sweep.result import SweepResult
    from costsim.study.sweep.summary import Effect

_MOST_POINTS = 1_500
"""Points of a chart; of more, every n-th is drawn, and all that nothing beats."""
_LEVELS = (("cost_usd_per_month", "USD a month"), ("p95_s", "p95 [s]"))
_PANEL_WIDTH = (WIDTH - 60) // 2


def drawings(result: SweepResult, names: Mapping[str, str]) -> tuple[Drawing, ...]:
    """Return every point by cost and p95, and for each key what it does.

    Parameters
    ----------
    result : SweepResult
        What to draw.
    names : mapping of str to str
        What each key is called.
    """
    # Those that do best; more lines could not be told apart.
    shown = labels([one.deployment for one in result.best][:MOST_LINES])
    found = [_scatter(result, shown)]
    for place, key in enumerate(result.keys):
        some = [one for one in result.effects if one.key == key]
        some = [one for one in some if one.deployment in shown]
        found.append(_effect(f"effect-{place}", names[key], some, shown))
    return tuple(one for one in found if one is not None)


def _scatter(result: SweepResult, shown: Mapping[str, str]) -> Drawing | None:
    rows = [
        {
            "deployment": shown[row["deployment"]],
            "cost": round(row["cost_usd_per_month"], 4),
            "p95": round(row["p95_s"], 6),
            "slo": "misses" if row["meets_slo"] is False else "meets",
            "point": row["point"],
        }
        for row in result.to_rows()
        if row["deployment"] in shown and row["p95_s"] is not None
    ]
    if not rows:
        return None
    front = unbeaten(rows, "cost", "p95")
    step = math.ceil(len(rows) / _MOST_POINTS)
    drawn = rows if step == 1 else [*rows[::step], *front]
    caption = (
        "A point for each combination and deployment; below and to the left is better, "
        "and nothing beats those on the line. Hollow points miss the SLO."
    )
    if step > 1:
        caption += f" Of {len(rows):,} points every {step}th is drawn."
    chart = _scatter_chart(drawn, front, shown)
    return Drawing("points", "Cost against p95", caption, chart)


def _scatter_chart(
    rows: Sequence[Mapping[str, Any]],
    front: Sequence[Mapping[str, Any]],
    shown: Mapping[str, str],
) -> Chart:
    free = {"zero": False}
    x = {**number("cost", "USD a month"), "scale": free}
    y = {**number("p95", "p95 [s]"), "scale": free}
    colors = lines([{"label": one} for one in shown.values()])["color"]
    colors["legend"] = {**colors["legend"], "symbolType": "circle"}
    line = {"type": "line", "color": "#999999", "strokeDash": [4, 3]}
    shape = {
        **nominal("deployment"),
        "scale": {"domain": [*shown.values()]},
        "legend": None,
    }
    filled = {"condition": {"test": "datum.slo == 'meets'", "value": 0.8}, "value": 0}
    told = tooltip("deployment", "point", "cost", "p95", "slo")
    return chart_of(
        "Cost against p95",
        rows,
        height=320,
        layer=[
            {
                "data": {"values": front},
                "mark": {**line, "interpolate": "step-after"},
                "encoding": {"x": x, "y": y},
            },
            {
                "mark": {"type": "point", "size": 45},
                "encoding": {
                    "x": x,
                    "y": y,
                    "color": colors,
                    "shape": shape,
                    "fill": {**colors, "legend": None},
                    "fillOpacity": filled,
                    "tooltip": told,
                },
            },
        ],
    )


def _effect(
    name: str, key: str, effects: Sequence[Effect], shown: Mapping[str, str]
) -> Drawing | None:
    levels = list(dict.fromkeys(one.text for some in effects for one in some.levels))
    rows = [
        {
            "deployment": shown[some.deployment],
            "level": one.text,
            "cost_usd_per_month": _known(one.cost_usd_per_month),
            "p95_s": _known(one.p95_s),
        }
        for some in effects
        for one in some.levels
    ]
    if len(levels) < 2:
        return None
    caption = "Means over all points with the same value, whatever else is varied."
    chart = _effect_chart(key, levels, rows, [*shown.values()])
    return Drawing(name, f"What {key} does", caption, chart)


def _effect_chart(
    key: str, levels: list[str], rows: list[dict[str, Any]], names: list[str]
) -> Chart:
    x = {
        **nominal("level"),
        "title": key,
        "sort": levels,
        "axis": {"labelAngle": 0, "labelLimit": 90, "labelOverlap": True},
    }
    encoding = lines([{"label": one} for one in names])
    panels = [
        {
            "width": _PANEL_WIDTH,
            "height": 220,
            "mark": {"type": "line", "point": True},
            "encoding": {
                "x": x,
                "y": {**number(field, title), "scale": {"zero": False}},
                **encoding,
                "tooltip": tooltip("deployment", "level", field),
            },
        }
        for field, title in _LEVELS
    ]
    return {
        "$schema": SCHEMA,
        "title": f"What {key} does",
        "data": {"values": rows},
        "hconcat": panels,
        "config": CONFIG,
    }


def _known(value: float) -> float | None:
    return round(value, 6) if math.isfinite(value) else None
