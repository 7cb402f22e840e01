"""Charts as Vega-Lite specifications: plain mappings that hold their data.

One definition of a chart serves a page, a picture and a notebook
(``costsim.report.pictures`` renders them).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from costsim.units import SECONDS_PER_HOUR, rate_unit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from costsim.records import Floats

Chart = dict[str, Any]

_SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
_WIDTH = 680
# Okabe and Ito's palette, told apart by readers with any color vision.
_INK, _REFERENCE = "#0072B2", "#D55E00"
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAYS_SHOWN_S = 2 * 86_400.0
"""Above this span an axis of times shows days, below it hours."""


def rate_chart(edges_s: Floats, rate_per_s: Floats, start: datetime | None) -> Chart:
    """Return the rate over time, as steps.

    Parameters
    ----------
    edges_s : ndarray of float64, shape (n + 1,)
        Ends of the bins. [s]
    rate_per_s : ndarray of float64, shape (n,)
        Mean rate in each. [requests/s]
    start : datetime or None
        The moment from which times are counted; None shows hours.
    """
    scale, unit = rate_unit(float(rate_per_s.max(initial=0.0)))
    # A step lasts until the next point: the last rate stands at both ends of its bin.
    rates = (np.append(rate_per_s, rate_per_s[-1:]) * scale).tolist()
    values = [
        {"at": moment, "rate": round(rate, 6)}
        for moment, rate in zip(times(edges_s, start), rates, strict=True)
    ]
    x: Chart = {"field": "at", "type": "quantitative", "title": "hours"}
    if start is not None:
        days = edges_s[-1] > _DAYS_SHOWN_S
        axis = {"format": "%b %d" if days else "%H:%M", "labelOverlap": True}
        # As UTC, whatever the zone is: no reader's own zone shall move it.
        x = {"field": "at", "type": "temporal", "title": None, "axis": axis}
        x["scale"] = {"type": "utc"}
    y = {"field": "rate", "type": "quantitative", "title": f"requests/{unit}"}
    return {
        "title": "Rate over time",
        "width": _WIDTH,
        "height": 180,
        "data": {"values": values},
        "mark": {"type": "area", "color": _INK, "interpolate": "step-after"},
        "encoding": {"x": x, "y": y, "tooltip": [{"field": "at"}, {"field": "rate"}]},
    }


def week_chart(rate_per_s: Floats) -> Chart:
    """Return the rate by hour of the week as a heat map.

    Parameters
    ----------
    rate_per_s : ndarray of float64, shape (7, 24)
        Mean rate of each hour, Monday 00:00 first; NaN where there is none. [requests/s]
    """
    scale, unit = rate_unit(float(np.nanmax(rate_per_s)))
    values = [
        {"day": _DAYS[day], "hour": hour, "rate": round(float(rate) * scale, 6)}
        for (day, hour), rate in np.ndenumerate(rate_per_s)
        if np.isfinite(rate)
    ]
    return {
        "title": "Hour of the week",
        "width": _WIDTH,
        "height": 150,
        "data": {"values": values},
        "mark": "rect",
        "encoding": {
            "x": {
                "field": "hour",
                "type": "ordinal",
                "title": "hour of the day",
                "axis": {"labelAngle": 0, "grid": False},
            },
            "y": {
                "field": "day",
                "type": "ordinal",
                "sort": list(_DAYS),
                "title": None,
                "axis": {"grid": False},
            },
            "color": {
                "field": "rate",
                "type": "quantitative",
                "title": f"requests/{unit}",
                # So that one event does not make all other hours look alike.
                "scale": {"type": "sqrt", "scheme": "viridis"},
            },
            "tooltip": [{"field": name} for name in ("day", "hour", "rate")],
        },
    }


def gap_chart(edges_s: Floats, share: Floats, poisson_share: Floats) -> Chart:
    """Return how gaps between requests are distributed, beside those of Poisson arrivals.

    Parameters
    ----------
    edges_s : ndarray of float64, shape (n + 1,)
        Ends of the bins, evenly spaced in their logarithm. [s]
    share, poisson_share : ndarray of float64, shape (n,)
        Share of gaps in each, and of Poisson arrivals of the same mean rate. [1]
    """
    middles = np.sqrt(edges_s[:-1] * edges_s[1:])
    columns = (edges_s[:-1], edges_s[1:], middles, share, poisson_share)
    names = ("from", "to", "middle", "share", "poisson")
    values = [
        dict(zip(names, map(float, row), strict=True))
        for row in zip(*columns, strict=True)
    ]
    x = {"type": "quantitative", "scale": {"type": "log"}}
    y = {"type": "quantitative", "title": "share of gaps", "axis": {"format": "%"}}
    bars = {
        "x": {"field": "from", "title": "seconds to the next request", **x},
        "x2": {"field": "to"},
        "y": {"field": "share", **y},
        "y2": {"datum": 0},
    }
    line = {"x": {"field": "middle", **x}, "y": {"field": "poisson", **y}}
    return {
        "title": "Gaps between requests (line: Poisson arrivals of the same rate)",
        "width": _WIDTH,
        "height": 180,
        "data": {"values": values},
        "layer": [
            {"mark": {"type": "rect", "color": _INK}, "encoding": bars},
            {
                "mark": {"type": "line", "color": _REFERENCE, "strokeWidth": 2},
                "encoding": line,
            },
        ],
    }


def stacked(charts: Sequence[Chart], title: str) -> Chart:
    """Return charts one below the other, with a title above."""
    return {
        "$schema": _SCHEMA,
        "title": {"text": title, "anchor": "start", "fontSize": 16},
        "vconcat": list(charts),
        "resolve": {"scale": {"color": "independent"}},
        "config": {
            "view": {"stroke": None},
            "axis": {"grid": True, "gridOpacity": 0.4},
        },
    }


def times(times_s: Floats, start: datetime | None) -> list[float | str]:
    """Return times as the charts have them: hours, or moments by the clock of the start."""
    if start is None:
        return list(map(float, times_s / SECONDS_PER_HOUR))
    plain = start.replace(tzinfo=None)
    moments = (plain + timedelta(seconds=t) for t in times_s.tolist())
    return [f"{moment.isoformat(timespec='seconds')}Z" for moment in moments]
