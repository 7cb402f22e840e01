"""The chart of a comparison: by how much each deployment changes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from costsim.report.chart_parts import (
    CONFIG,
    PALETTE,
    SCHEMA,
    WIDTH,
    labels,
    names_axis,
    nominal,
    number,
    tooltip,
)
from costsim.report.document import Drawing
from costsim.study.verdict import label

if TYPE_CHECKING:
    from costsim.report.charts import Chart
    from costsim.study.compare import Change, Comparison

_DRAWN = ("cost_usd_per_month", "mean_s", "p95_s", "p99_s")
_NAMES_WIDTH, _ROW_HEIGHT = 160, 22
_LEVEL = "#999999"


def drawings(comparison: Comparison) -> tuple[Drawing, ...]:
    """Return by how much cost and latency change; nothing if no share is known."""
    names = labels(pair.after for pair in comparison.pairs)
    rows = [
        {
            "deployment": names[pair.after],
            "measure": label(change.measure),
            **_spread(change),
        }
        for pair in comparison.pairs
        for change in pair.changes
        if change.measure in _DRAWN and math.isfinite(change.difference.relative.value)
    ]
    if not rows:
        return ()
    caption = (
        "From A to B, in per cent of A. Lines are 95 % intervals; one that crosses zero "
        "is within the noise."
    )
    return (Drawing("changes", "What changes", caption, _chart(rows, names)),)


def _spread(change: Change) -> dict[str, float]:
    found = change.difference.relative
    half = found.half_width if math.isfinite(found.half_width) else 0.0
    ends = {"change": 0.0, "low": -half, "high": half}
    return {key: round(100 * (found.value + end), 6) for key, end in ends.items()}


def _chart(rows: list[dict[str, Any]], names: dict[str, str]) -> Chart:
    x = {**number("change", "change [%]"), "axis": {"grid": True}}
    y = names_axis([*names.values()])
    span = {"x": {**x, "field": "low"}, "x2": {"field": "high"}, "y": y}
    told = {
        "y": y,
        "tooltip": tooltip("deployment", "measure", "change", "low", "high"),
    }
    point = {"type": "point", "filled": True, "size": 60, "color": PALETTE[0]}
    header = {"labelAngle": 0, "labelAlign": "left", "labelColor": "currentColor"}
    order = [label(one) for one in _DRAWN]
    return {
        "$schema": SCHEMA,
        "title": "Change from A to B",
        "data": {"values": rows},
        "facet": {
            "row": {
                **nominal("measure"),
                "title": None,
                "sort": order,
                "header": header,
            }
        },
        "spec": {
            "width": WIDTH - _NAMES_WIDTH,
            "height": {"step": _ROW_HEIGHT},
            "layer": [
                {
                    "mark": {
                        "type": "rule",
                        "color": _LEVEL,
                        "strokeDash": [4, 3],
                        "aria": False,
                    },
                    "encoding": {"x": {"datum": 0}},
                },
                {"mark": {"type": "rule", "color": PALETTE[0]}, "encoding": span},
                {"mark": point, "encoding": {"x": x, **told}},
            ],
        },
        "config": CONFIG,
    }
