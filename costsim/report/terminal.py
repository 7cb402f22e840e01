"""A run for people at a terminal: verdict, table, SLO, cost split, sparklines."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.console import Group, RenderableType
from rich.text import Text

from costsim.report.columns import Column, fitting, render
from costsim.report.glyphs import sparkline, stacked_bar
from costsim.study.verdict import format_measure, label
from costsim.units import format_duration, format_fraction, format_rate, format_usd

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from costsim.simulation.timeline import Timeline
    from costsim.study.result import DeploymentRow, RunResult, Threshold
    from costsim.study.saved import SavedRun, SavedTimeline

    Answer = RunResult | SavedRun

_NAME_WIDTH = 28
_SPARK_WIDTH = 48
_LEAST_SPARK_WIDTH = 8
_BAR_WIDTH = 24
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
    bounds = bound_lines(result, unicode=unicode) if check else []
    parts: list[RenderableType] = [
        *([Text("\n".join(bounds)), Text()] if bounds else []),
        Text(headline(result)),
        Text(),
        Text(result.verdict.sentence, style="bold"),
        Text(),
        _table(result, width),
    ]
    for section in (
        [] if check else _missed(result),
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
    """Return what was run: the traffic, replications, seed and date of prices."""
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
    return ", ".join(parts)


def _mean_rate(result: Answer) -> float:
    return sum(source.rate_per_s for source in result.traffic)


def _table(result: Answer, width: int) -> RenderableType:
    order = ordered(result)
    marks = Column(" ", tuple(mark(row, result) for row in order))
    names = Column("DEPLOYMENT", tuple(short(row.deployment) for row in order))
    # That nothing is lost is the first thing to leave out, that something is the last.
    lossless = all(row.served == row.requests for row in order)
    drop_first = (*("LOST",) * lossless, *_DROP_FIRST)
    kept, _ = fitting([marks, names, *figures(order)], drop_first, width)
    return render(kept, width)


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


def bound_lines(result: Answer, *, unicode: bool) -> list[str]:
    """Return every bound of the SLO with a tick or a cross, what is missed first."""
    tick, cross = ("\N{CHECK MARK}", "\N{BALLOT X}") if unicode else ("ok  ", "FAIL")
    order = sorted(result.thresholds, key=lambda one: one.ok)
    return [
        f"{tick if one.ok else cross} {short(one.deployment)} {bound_text(one)}"
        for one in order
    ]


def _missed(result: Answer) -> list[str]:
    """Return a line for each bound that some deployment misses or nearly misses."""
    lines = [
        f"  {short(one.deployment)} {bound_text(one)}"
        for one in result.thresholds
        if not one.ok or one.certain is False
    ]
    return ["SLO", *lines] if lines else []


def _cost_split(result: Answer, width: int, unicode: bool) -> list[str]:
    """Return where the money goes, a bar a deployment."""
    lines = []
    for row in sorted(result.rows, key=_merit):
        usd = [getattr(row, f"{part}_usd") for part in _COST_PARTS]
        if sum(usd) <= 0:
            continue
        named = {**dict(zip(_COST_PARTS, usd, strict=True)), "credit": row.credits_usd}
        shares = [
            f"{part} {format_fraction(value / sum(usd))}"
            for part, value in named.items()
            if value != 0
        ]
        if row.perfect_usd > 0:
            times = f"{row.cost_usd / row.perfect_usd:.1f}x a perfect autoscaler"
            shares.append(times)
        bar = stacked_bar(usd, _BAR_WIDTH, unicode=unicode)
        lines += [f"  {short(row.deployment)}", *_flowing(f"  {bar}", shares, width)]
    return ["WHERE THE MONEY GOES", *lines] if lines else []


def _flowing(first: str, parts: list[str], width: int) -> list[str]:
    """Return parts behind a first text, and on further lines where they do not fit."""
    lines = [first]
    for part in parts:
        if len(lines[-1]) + 2 + len(part) <= width:
            lines[-1] += f"  {part}"
        else:
            lines.append(f"    {part}")
    return lines


def _life(result: Answer, width: int, unicode: bool) -> list[str]:
    """Return sparklines of the first replication's traffic and replicas."""
    if not result.timelines:
        return []
    timelines: Sequence[Timeline | SavedTimeline] = result.timelines
    first = timelines[0]
    curves = [
        (first.arrivals, f"traffic, peak {format_rate(float(first.arrivals.max()))}")
    ]
    curves += [
        (timeline.starting + timeline.ready, short(row.deployment))
        for row, timeline in zip(result.rows, timelines, strict=True)
    ]
    room = width - 4 - max(cell_len(label) for _, label in curves)
    length = max(_LEAST_SPARK_WIDTH, min(_SPARK_WIDTH, room))
    lines = [
        f"  {sparkline(curve, length, unicode=unicode)}  {name}"
        for curve, name in curves
    ]
    return ["FIRST REPLICATION", *lines]
