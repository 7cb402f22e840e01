"""A run for people at a terminal: verdict, table, SLO, cost split, sparklines."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.console import Group, RenderableType
from rich.text import Text

from costsim.report.columns import Column, blocks, fitting, render, total_width
from costsim.report.document import tick, wrapped
from costsim.report.glyphs import fills, sparkline, stacked_bar
from costsim.report.names import told_apart
from costsim.study.verdict import format_measure, label
from costsim.units import format_duration, format_fraction, format_rate, format_usd

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from costsim.records import Floats
    from costsim.simulation.timeline import Timeline
    from costsim.study.result import DeploymentRow, RunResult, Threshold
    from costsim.study.saved import SavedRun, SavedTimeline

    Answer = RunResult | SavedRun

_NAME_WIDTH = 28
_LEAST_NAME_WIDTH = 16
"""So far names are cut before a table becomes blocks."""
_LEAST_TABLE_WIDTH = 60
"""In less room a table would have hardly any columns. [characters]"""
_INDENT = 4 * " "
_SPARK_WIDTH = 120
_LEAST_SPARK_WIDTH = 8
_BAR_WIDTH = 60
_LEAST_BAR_WIDTH = 24
"""In less room a bar stands below its name. [characters]"""
_DROP_FIRST = (
    "LAUNCHES", "REPLICAS", "$/1K REQ", "P90", "MEAN", "P50", "PEAK", "UTIL", "P99",
    "SLOW", "LOST",
)  # fmt: skip
_COST_PARTS = ("busy", "idle", "setup", "rounding", "fees")


def run_report(
    result: Answer, *, width: int, unicode: bool, check: bool = False
) -> RenderableType:
    """Return the whole report of a run.

    Parameters
    ----------
    result : RunResult
        What to show.
    width : int
        Characters of the terminal.
    unicode : bool
        Whether the stream takes block characters.
    check : bool
        Whether every bound of the SLO comes first, with a tick or a cross.
    """
    bounds = bound_lines(result, width, unicode=unicode) if check else []
    parts: list[RenderableType] = [
        *([Text("\n".join(bounds)), Text()] if bounds else []),
        Text(headline(result)),
        Text(),
        Text(result.verdict.sentence, style="bold"),
        Text(),
        _table(result, width),
    ]
    for section in (
        [] if check else _missed(result, width),
        _cost_split(result, width, unicode),
        _life(result, width, unicode),
    ):
        if section:
            parts += [Text(), Text("\n".join(section))]
    return Group(*parts)


def short(name: str, width: int = _NAME_WIDTH) -> str:
    """Return a name on one line, cut to a width; only names are ever cut."""
    clean = "".join(c if c.isprintable() else " " for c in name)
    if cell_len(clean) <= width:
        return clean
    return set_cell_size(clean, width - 2).rstrip() + ".."


def headline(result: Answer) -> str:
    """Return what was run, and all that it takes to get the same numbers again."""
    first = result.rows[0]
    count = (
        "1 replication"
        if first.replications == 1
        else f"{first.replications} replications"
    )
    parts = [
        f"{short(result.scenario.name, 40)}: {first.requests:,.0f} requests in "
        f"{format_duration(result.horizon_s)} ({format_rate(_mean_rate(result))})",
        count,
        f"seed {result.seed}",
    ]
    if result.prices_as_of:
        parts.append(f"prices as of {result.prices_as_of}")
    parts.append(f"costsim {result.costsim_version}")
    return ", ".join(parts)


def _mean_rate(result: Answer) -> float:
    return sum(source.rate_per_s for source in result.traffic)


def _table(result: Answer, width: int) -> RenderableType:
    order = ordered(result)
    marks = Column(" ", tuple(mark(row, result) for row in order))
    measures = figures(order)
    # That nothing is lost is the first thing to leave out, that something is the last.
    lossless = all(row.served == row.requests for row in order)
    drop_first = (*("LOST",) * lossless, *_DROP_FIRST)
    if width >= _LEAST_TABLE_WIDTH:
        for name_width in range(_NAME_WIDTH, _LEAST_NAME_WIDTH - 1, -1):
            columns = [marks, _names(result, name_width), *measures]
            kept, _ = fitting(columns, drop_first, width)
            if total_width(kept) <= width:
                return render(kept, width)
    return blocks([marks, _names(result), *measures], width)


def _names(result: Answer, width: int = _NAME_WIDTH) -> Column:
    labels = _labels(result, width)
    return Column(
        "DEPLOYMENT", tuple(labels[one.deployment] for one in ordered(result))
    )


def _labels(result: Answer, width: int = _NAME_WIDTH) -> dict[str, str]:
    """Return each deployment's name as it is shown."""
    names = [row.deployment for row in result.rows]
    return told_apart(names, lambda name: short(name, width))


def figures(order: Sequence[DeploymentRow]) -> list[Column]:
    """Return what is told of rows, a column a measure."""
    return [
        _numbers("$/MONTH", order, lambda row: format_usd(row.cost_usd_per_month)[1:]),
        _numbers("+-", order, _cost_error),
        _numbers("$/1K REQ", order, lambda row: _money(row.cost_usd_per_1k_requests)),
        _numbers("MEAN", order, lambda row: _seconds(row.mean_s)),
        _numbers("P50", order, lambda row: _seconds(row.p50_s)),
        _numbers("P90", order, lambda row: _seconds(row.p90_s)),
        _numbers("P95", order, lambda row: _seconds(row.p95_s)),
        _numbers("+- ", order, _p95_error),
        _numbers("P99", order, lambda row: _seconds(row.p99_s)),
        _numbers("SLOW", order, lambda row: _share(row.over_slo_fraction)),
        _numbers("COLD", order, lambda row: _share(row.cold_start_fraction)),
        _numbers("LOST", order, _lost),
        _numbers("UTIL", order, lambda row: _share(row.utilization)),
        _numbers("REPLICAS", order, lambda row: f"{row.mean_ready_replicas:.2f}"),
        _numbers("PEAK", order, lambda row: f"{row.peak_replicas:.0f}"),
        _numbers("LAUNCHES", order, lambda row: f"{row.launches:,.0f}"),
    ]


def ordered(result: Answer) -> list[DeploymentRow]:
    """Return the rows: those that meet the SLO first, the cheapest first."""
    return sorted(result.rows, key=_merit)


def _merit(row: DeploymentRow) -> tuple[bool, float]:
    """Order rows: those that meet the SLO first, the cheapest first."""
    return (row.meets_slo is False, row.cost_usd)


def _numbers(
    title: str, rows: Sequence[DeploymentRow], cell: Callable[[DeploymentRow], str]
) -> Column:
    return Column(title, tuple(cell(row) for row in rows), "right")


def mark(row: DeploymentRow, result: Answer) -> str:
    """Return ``>`` for the cheapest and its ties, ``x`` if the SLO is missed."""
    if row.meets_slo is False:
        return "x"
    chosen = row.deployment == result.verdict.cheapest
    return ">" if chosen or row.deployment in result.verdict.tie else " "


def _cost_error(row: DeploymentRow) -> str:
    half = (row.cost_usd_high - row.cost_usd_low) / 2
    return format_fraction(half / row.cost_usd) if row.cost_usd else "-"


def _p95_error(row: DeploymentRow) -> str:
    return _seconds((row.p95_s_high - row.p95_s_low) / 2)


def _lost(row: DeploymentRow) -> str:
    lost = row.requests - row.served
    return _share(lost / row.requests) if row.requests else "-"


def _money(usd: float) -> str:
    return format_usd(usd)[1:] if math.isfinite(usd) else "-"


def _seconds(seconds: float) -> str:
    return format_duration(seconds) if math.isfinite(seconds) else "-"


def _share(fraction: float) -> str:
    return format_fraction(fraction) if math.isfinite(fraction) else "-"


def bound_text(one: Threshold) -> str:
    """Return whether a bound of the SLO is met, with the value: ``meets p95 <= 3s: 2s``."""
    verb = "meets" if one.ok else "misses"
    doubt = " (within the noise)" if one.certain is False else ""
    limit = format_measure(one.measure, one.limit)
    value = format_measure(one.measure, one.value)
    return f"{verb} {label(one.measure)} <= {limit}: {value}{doubt}"


def bound_lines(result: Answer, width: int, *, unicode: bool) -> list[str]:
    """Return every bound of the SLO with a tick or a cross, what is missed first."""
    labels = _labels(result)
    return wrapped(
        [
            f"{tick(one.ok, unicode=unicode)} {labels[one.deployment]} {bound_text(one)}"
            for one in sorted(result.thresholds, key=lambda one: one.ok)
        ],
        width,
        indent=_INDENT,
    )


def _missed(result: Answer, width: int) -> list[str]:
    """Return a line for each bound that some deployment misses or nearly misses."""
    labels = _labels(result)
    lines = [
        f"  {labels[one.deployment]} {bound_text(one)}"
        for one in result.thresholds
        if not one.ok or one.certain is False
    ]
    return ["SLO", *wrapped(lines, width, indent=_INDENT)] if lines else []


def _cost_split(result: Answer, width: int, unicode: bool) -> list[str]:
    """Return where the money goes, a bar a deployment."""
    labels = _labels(result)
    spent = [row for row in ordered(result) if sum(_parts_usd(row)) > 0]
    name_width = max((cell_len(labels[row.deployment]) for row in spent), default=0)
    lines = []
    for row in spent:
        name = set_cell_size(labels[row.deployment], name_width)
        told = _shares(row, unicode)
        room = width - name_width - 4
        if room >= _LEAST_BAR_WIDTH:
            bar = stacked_bar(_parts_usd(row), min(room, _BAR_WIDTH), unicode=unicode)
            lines.append(f"  {name}  {bar}")
        else:
            bar = stacked_bar(
                _parts_usd(row), min(width - 2, _BAR_WIDTH), unicode=unicode
            )
            lines += [f"  {name.rstrip()}", f"  {bar}"]
        lines += _flowing(told, width)
    return ["WHERE THE MONEY GOES", *lines] if lines else []


def _parts_usd(row: DeploymentRow) -> list[float]:
    return [getattr(row, f"{part}_usd") for part in _COST_PARTS]


def _shares(row: DeploymentRow, unicode: bool) -> list[str]:
    """Return each part's share of the cost behind the character of its bar."""
    parts = _parts_usd(row)
    told = [
        f"{fill} {part} {format_fraction(usd / sum(parts))}"
        for fill, part, usd in zip(
            fills(unicode=unicode), _COST_PARTS, parts, strict=True
        )
        if usd != 0
    ]
    if row.credits_usd != 0:
        told.append(f"credit {format_fraction(row.credits_usd / sum(parts))}")
    if row.perfect_usd > 0:
        told.append(f"{row.cost_usd / row.perfect_usd:.1f}x a perfect autoscaler")
    return told


def _flowing(parts: list[str], width: int) -> list[str]:
    """Return parts side by side, and on further lines where they do not fit."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + 2 + len(part) <= width:
            lines[-1] += f"  {part}"
        else:
            lines.append(f"    {part}")
    return lines


def _life(result: Answer, width: int, unicode: bool) -> list[str]:
    """Return sparklines of the first replication's traffic and replicas."""
    if not result.timelines:
        return []
    timelines: Sequence[Timeline | SavedTimeline] = result.timelines
    arrivals, bin_s = timelines[0].arrivals, timelines[0].bin_s
    present = [one.starting + one.ready for one in timelines]
    most = max(float(one.max()) for one in present)
    peaks = [f", peak {_count(float(one.max()))}" for one in present]
    free = width - 4 - _LEAST_SPARK_WIDTH - max(map(len, peaks))
    labels = _labels(result, min(_NAME_WIDTH, free))
    traffic = f"traffic, peak {format_rate(float(arrivals.max()))}"
    curves: list[tuple[Floats, float | None, str]] = [(arrivals, None, traffic)]
    # On one scale, so that the higher curve is the one with more replicas.
    curves += [
        (replicas, most, labels[row.deployment] + peak)
        for row, replicas, peak in zip(result.rows, present, peaks, strict=True)
    ]
    room = width - 4 - max(cell_len(name) for _, _, name in curves)
    length = max(_LEAST_SPARK_WIDTH, min(_SPARK_WIDTH, room))
    return [
        f"FIRST REPLICATION, means of {format_duration(bin_s)}, replicas on one scale",
        *(
            f"  {sparkline(curve, length, unicode=unicode, top=top)}  {name}"
            for curve, top, name in curves
        ),
    ]


def _count(mean: float) -> str:
    """Return a mean number of replicas in two digits, or all before the point."""
    return f"{mean:,.0f}" if mean >= 9.95 else f"{mean:.2g}"
