"""Traffic for people at a terminal, and as rows for programs: describe, plot, formats."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from costsim.report.charts import gap_chart, rate_chart, stacked, week_chart
from costsim.report.columns import Column, render
from costsim.report.plots import gap_plot, rate_plot, week_plot
from costsim.report.terminal import short
from costsim.traffic.burstiness import (
    CORRELATIONS_S,
    DISPERSION_WINDOWS_S,
    IDLE_WINDOWS_S,
    PEAK_WINDOWS_S,
)
from costsim.units import format_duration, format_fraction, format_rate, rate_unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from costsim.records import Floats
    from costsim.report.charts import Chart
    from costsim.study.tabular import Rows
    from costsim.traffic.burstiness import Burstiness
    from costsim.traffic.describe import Description, Work
    from costsim.traffic.formats.batch import Format
    from costsim.traffic.source import SourceRate

_WINDOWS_S = (1.0, 10.0, 60.0, 300.0, 600.0, 3600.0)
_MOST_SOURCES = 10
_LABELS = {
    "duration_s": "duration",
    "service_time_s": "service time",
    "input_tokens": "input tokens",
    "output_tokens": "output tokens",
}
_SHORT_S = 1e-3
"""Gaps below this are shown as one. [s]"""


def description(one: Description, width: int) -> RenderableType:
    """Return what traffic is like, for people."""
    found = one.burstiness
    parts: list[RenderableType] = [
        Text(_headline(one)),
        Text(),
        *_burstiness(found, width),
    ]
    told = (_gaps(found), _spikes(found), _sessions(one))
    parts += [Text(section) for section in told if section]
    if one.work:
        parts += [Text(), _work_table(one.work, width)]
    if one.sources:
        parts += [Text(), *_source_table(one, width)]
    return Group(*parts)


def description_rows(one: Description) -> Rows:
    """Return what traffic is like as one row a figure, for programs."""
    found = one.burstiness
    rows = [
        _row("requests", None, found.n_requests),
        _row("span_s", None, found.span_s),
        _row("mean_rate_per_s", None, found.mean_rate_per_s),
        *(_row("peak_to_mean", w, found.peak_to_mean[w]) for w in PEAK_WINDOWS_S),
        *(
            _row("index_of_dispersion", w, found.dispersion[w])
            for w in DISPERSION_WINDOWS_S
        ),
        *(_row("idle_fraction", w, found.idle[w]) for w in IDLE_WINDOWS_S),
        *(
            _row(f"autocorrelation_{lag_s:g}s", w, found.autocorrelation[w, lag_s])
            for w, lag_s in CORRELATIONS_S
        ),
        _row("gap_cv", None, found.gap_cv),
        _row("local_gap_cv", None, found.local_gap_cv),
    ]
    gaps = {} if found.gaps is None else found.gaps.quantiles_s
    rows += [_row(f"gap_p{percent}_s", None, value) for percent, value in gaps.items()]
    if found.surges is not None:
        rows.append(_row("spikes", None, len(found.surges)))
    if one.sessions is not None:
        rows += [
            _row("sessions", None, one.sessions.n),
            _row("requests_per_session", None, one.sessions.mean_requests),
            _row("session_gap_p50_s", None, one.sessions.median_gap_s),
        ]
    for work in one.work:
        names = ("mean", "p50", "p95", "p99")
        values = (work.mean, *work.quantiles)
        rows += [
            _row(f"{work.field}_{name}", None, value)
            for name, value in zip(names, values, strict=True)
        ]
    return rows


def plots(one: Description, *, width: int, unicode: bool) -> RenderableType:
    """Return traffic as pictures of characters.

    Parameters
    ----------
    one : Description
        What to show.
    width : int
        Characters of a line.
    unicode : bool
        Whether the stream takes block characters.
    """
    found = one.burstiness
    lines = [_headline(one)]
    if found.course is not None and found.course.rate_per_s.size:
        rates = found.course.rate_per_s
        span_s = found.course.width_s * rates.size
        lines += [
            "",
            f"RATE OVER TIME, in bins of {format_duration(found.course.width_s)}",
        ]
        lines += rate_plot(rates, span_s, one.start, width=width, unicode=unicode)
    if found.hour_of_week is not None:
        lines += ["", "HOUR OF THE WEEK"]
        lines += week_plot(found.hour_of_week, unicode=unicode)
    bars = _gap_bars(found, per_decade=2)
    if bars is not None:
        lines += ["", "GAPS BETWEEN REQUESTS"]
        lines += gap_plot(*bars, width=width, unicode=unicode)
    return Text("\n".join(lines))


def charts(one: Description) -> Chart:
    """Return traffic as a Vega-Lite chart."""
    found = one.burstiness
    parts = []
    if found.course is not None and found.course.rate_per_s.size:
        edges_s = found.course.width_s * np.arange(
            found.course.rate_per_s.size + 1, dtype=np.float64
        )
        parts.append(rate_chart(edges_s, found.course.rate_per_s, one.start))
    if found.hour_of_week is not None:
        parts.append(week_chart(found.hour_of_week))
    bars = _gap_bars(found, per_decade=10)
    if bars is not None:
        parts.append(gap_chart(*bars))
    return stacked(parts, _headline(one))


def format_list(formats: Iterable[Format], width: int) -> RenderableType:
    """Return what can be read, for people."""
    return Group(*(line for one in formats for line in _format(one, width)))


def _format(one: Format, width: int) -> Iterator[Text]:
    yield Text(one.name, style="bold")
    facts = (
        ("what", one.title),
        ("arrival", one.arrival),
        ("also", one.holds),
        ("export", one.export),
    )
    for name, text in facts:
        if text:
            yield _hanging(f"  {name:<8}", text, width)


def format_rows(formats: Iterable[Format]) -> Rows:
    """Return what can be read, one row a format, for programs."""
    return [
        {
            "format": one.name,
            "title": one.title,
            "arrival": one.arrival,
            "holds": one.holds,
            "export": one.export,
        }
        for one in formats
    ]


def _hanging(head: str, text: str, width: int) -> Text:
    """Return text with all lines but the first set in below it."""
    filled = textwrap.fill(
        text, width, initial_indent=head, subsequent_indent=" " * len(head)
    )
    return Text(filled)


def _row(figure: str, window_s: float | None, value: float | None) -> dict[str, object]:
    finite = value is not None and math.isfinite(value)
    return {"figure": figure, "window_s": window_s, "value": value if finite else None}


def _headline(one: Description) -> str:
    found = one.burstiness
    noun = "request" if found.n_requests == 1 else "requests"
    parts = [f"{short(one.name, 40)}: {found.n_requests:,} {noun}"]
    parts[0] += f" in {format_duration(found.span_s)}"
    if found.mean_rate_per_s:
        parts.append(format_rate(found.mean_rate_per_s))
    parts.append("first replication" if one.format == "scenario" else one.format)
    return ", ".join(parts)


def _burstiness(found: Burstiness, width: int) -> list[RenderableType]:
    """Return the figures by window, and what Poisson arrivals would have."""
    windows = tuple(map(format_duration, _WINDOWS_S))
    names = ("peak to mean", "index of dispersion", "idle windows")
    figures = (found.peak_to_mean, found.dispersion, found.idle)
    columns = [Column("IN WINDOWS OF", names)]
    for window_s, title in zip(_WINDOWS_S, windows, strict=True):
        cells = [_figure(values.get(window_s)) for values in figures[:2]]
        cells.append(_share(found.idle.get(window_s)))
        columns.append(Column(title, tuple(cells), "right"))
    if all(cell == "-" for column in columns[1:] for cell in column.cells):
        return [Text("too short for figures by windows")]
    known = [
        f"{value:.2f} after {format_duration(lag_s)} ({format_duration(window_s)} counts)"
        for (window_s, lag_s), value in found.autocorrelation.items()
        if value is not None
    ]
    lines: list[RenderableType] = [render(columns, width)]
    if known:
        lines += [Text(), _hanging("autocorrelation  ", ", ".join(known), width)]
    return lines


def _gaps(found: Burstiness) -> str:
    if found.gap_cv is None or found.gaps is None:
        return ""
    local = ""
    if found.local_gap_cv is not None:
        local = f", {found.local_gap_cv:.2f} by each hour's own rate"
    quantiles = ", ".join(
        f"p{percent} {format_duration(found.gaps.quantiles_s[percent])}"
        for percent in (50, 95, 99)
    )
    return (
        f"gaps             {quantiles}\n"
        f"gap variation    {found.gap_cv:.2f}{local} (Poisson arrivals: 1)"
    )


def _spikes(found: Burstiness) -> str:
    if found.surges is None:
        return ""
    if not found.surges:
        return "spikes           none above 6 times the median of 24 h"
    highest = max(found.surges, key=lambda one: one.peak_rate_per_s)
    weeks = found.span_s / 604_800
    times = ""
    if math.isfinite(highest.magnitude):
        times = f" ({highest.magnitude:.0f} times the usual)"
    return (
        f"spikes           {len(found.surges)} ({len(found.surges) / weeks:.1f} a week), "
        f"up to {format_rate(highest.peak_rate_per_s)}{times}"
    )


def _sessions(one: Description) -> str:
    found = one.sessions
    if found is None:
        return ""
    gap = ""
    if found.median_gap_s is not None:
        gap = f", {format_duration(found.median_gap_s)} apart (median)"
    return f"sessions         {found.n:,} of {found.mean_requests:.2f} requests{gap}"


def _work_table(work: tuple[Work, ...], width: int) -> RenderableType:
    def cells(pick: int) -> tuple[str, ...]:
        return tuple(
            _amount(one.field, (one.mean, *one.quantiles)[pick]) for one in work
        )

    return render(
        [
            Column("WORK", tuple(_LABELS[one.field] for one in work)),
            Column("REQUESTS", tuple(f"{one.n:,}" for one in work), "right"),
            *(
                Column(title, cells(i), "right")
                for i, title in enumerate(("MEAN", "P50", "P95", "P99"))
            ),
        ],
        width,
    )


def _source_table(one: Description, width: int) -> list[RenderableType]:
    shown = one.sources[:_MOST_SOURCES]
    total = max(1, one.burstiness.n_requests)
    columns = [
        Column(
            "STREAM" if one.format == "scenario" else "KEY",
            tuple(short(s.name) for s in shown),
        ),
        Column("REQUESTS", tuple(f"{s.requests:,}" for s in shown), "right"),
        Column(
            "SHARE", tuple(format_fraction(s.requests / total) for s in shown), "right"
        ),
        Column("RATE", tuple(_rate(s.rate_per_s, s) for s in shown), "right"),
    ]
    if one.format == "scenario":
        asked = tuple(
            "-" if s.asked_rate_per_s is None else _rate(s.asked_rate_per_s, s)
            for s in shown
        )
        columns.append(Column("ASKED FOR", asked, "right"))
    lines: list[RenderableType] = [render(columns, width)]
    if len(one.sources) > len(shown):
        lines.append(Text(f"and {len(one.sources) - len(shown):,} more"))
    return lines


def _gap_bars(
    found: Burstiness, per_decade: int
) -> tuple[Floats, Floats, Floats] | None:
    """Return the edges, the shares of gaps, and those of Poisson arrivals.

    Edges are powers of ten and evenly between; all below a millisecond is one bin.
    """
    gaps = found.gaps
    if gaps is None or not gaps.counts.size or not found.mean_rate_per_s:
        return None
    middles_s = np.sqrt(gaps.edges_s[:-1] * gaps.edges_s[1:])
    place = np.floor(np.log10(middles_s / _SHORT_S) * per_decade).astype(np.int64)
    place = np.maximum(place, -1) + 1
    counts = np.bincount(place, gaps.counts).astype(np.float64)
    counts[0] += gaps.n_zero
    edges_s = _SHORT_S * 10.0 ** (np.arange(-1, counts.size) / per_decade)
    reached = -np.expm1(-found.mean_rate_per_s * edges_s)
    reached[0] = 0.0
    first = int(np.flatnonzero(counts)[0])
    shares, poisson = counts / counts.sum(), np.diff(reached)
    return edges_s[first:], shares[first:], poisson[first:]


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _share(value: float | None) -> str:
    return "-" if value is None else format_fraction(value)


def _rate(per_s: float, source: SourceRate) -> str:
    """Return a rate of a source, all of them in one unit."""
    scale, unit = rate_unit(max(source.rate_per_s, source.asked_rate_per_s or 0.0))
    return f"{per_s * scale:.3g}/{unit}"


def _amount(field: str, value: float) -> str:
    if field.endswith("_s"):
        return format_duration(value)
    return f"{value:,.0f}"
