"""The best settings for people at a terminal: verdict, tables, heat map, configuration."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from costsim.report.columns import Column, fitting, render
from costsim.report.terminal import short
from costsim.study.tune.saying import named
from costsim.study.verdict import format_measure, label
from costsim.units import format_fraction, format_usd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from costsim.study.tune.result import (
        Answer,
        Cell,
        Choice,
        HeatMap,
        Shift,
        TuneResult,
    )

_DROP_FIRST = ("MEAN", "P99", "COLD", "REPL")
_LEAST_WIDTH = 40
"""Sentences are not wrapped narrower."""
_CELL = 3
"""Characters around a cost in a heat map: a gap, the best's mark, a miss's mark."""


def tune_report(result: TuneResult, *, width: int) -> RenderableType:
    """Return what a search for settings found.

    Parameters
    ----------
    result : TuneResult
        What to show.
    width : int
        Characters of the terminal.
    """
    parts: list[RenderableType] = [
        Text(_headline(result)),
        Text(),
        Text(result.sentence, style="bold"),
        *(Text(text) for text in result.needed),
        Text(),
        _table(result, width),
        Text(),
        Text("\n".join(_settings(result.answers, width))),
    ]
    if len(result.front) > 1:
        parts += [Text(), Text("Cost against p95", style="bold"), _front(result, width)]
    if result.heat_map is not None:
        parts += [Text(), *_map(result.heat_map, result.answers[0].deployment, width)]
    if result.shifts:
        lines = [line for one in result.shifts for line in _shift(one, result, width)]
        parts += [Text(), Text("\n".join(lines))]
    if result.configuration:
        parts += [Text(), Text("Ready to paste", style="bold")]
        parts += [Text(_pasted(result.configuration, width), overflow="fold")]
    return Group(*parts, Text(), Text(_effort(result)))


def _pasted(text: str, width: int) -> str:
    """Return a configuration whose long comments stay comments when they are wrapped."""
    lines = (
        textwrap.fill(line, width, subsequent_indent="# ")
        if line.startswith("# ")
        else line
        for line in text.rstrip("\n").split("\n")
    )
    return "\n".join(lines)


def _headline(result: TuneResult) -> str:
    n = sum(one.settings_tried for one in result.answers)
    parts = [
        f"{short(result.scenario.name, 40)}: {n:,} settings tried",
        f"seed {result.scenario.seed}",
    ]
    if result.prices_as_of:
        parts.append(f"prices as of {result.prices_as_of}")
    return ", ".join(parts)


def _table(result: TuneResult, width: int) -> RenderableType:
    """Return the best of each deployment, and the scenario's own settings below."""
    found = [one.choice for one in result.answers if one.choice is not None]
    rows = [*found, *result.own]
    names = [
        *(short(one.deployment) for one in found),
        *(f"now: {short(one.deployment, 23)}" for one in result.own),
    ]
    marks = [
        "x" if not one.meets_slo else ">" if one is result.best else "" for one in rows
    ]
    bounded = [
        one
        for one in result.goal.bounds
        if one not in ("cost_usd_per_month", "mean_s", "p95_s", "p99_s")
        and (one != "lost_fraction" or any(row.measures[one] for row in rows))
    ]
    columns = [
        Column(" ", tuple(marks)),
        Column("DEPLOYMENT", tuple(names)),
        _numbers("$/MONTH", rows, "cost_usd_per_month"),
        _numbers("MEAN", rows, "mean_s"),
        _numbers("P95", rows, "p95_s"),
        _numbers("P99", rows, "p99_s"),
        *(_numbers(_TITLES.get(one, label(one).upper()), rows, one) for one in bounded),
        Column(
            "MET", tuple(format_fraction(one.met_fraction) for one in rows), "right"
        ),
        Column("REPL", tuple(str(one.replications) for one in rows), "right"),
    ]
    kept, _ = fitting(columns, _DROP_FIRST, width)
    return render(kept, width)


_TITLES = {
    "over_slo_fraction": "SLOW",
    "cold_start_fraction": "COLD",
    "lost_fraction": "LOST",
}


def _numbers(title: str, rows: Sequence[Choice], measure: str) -> Column:
    cells = tuple(format_measure(measure, one.measures[measure]) for one in rows)
    return Column(title, tuple(cell.removeprefix("$") for cell in cells), "right")


def _settings(answers: Sequence[Answer], width: int) -> list[str]:
    """Return what is set for each deployment, a paragraph each."""
    lines = []
    for one in answers:
        if one.choice is not None:
            names = f" ({', '.join(map(short, one.names))})"
            several = names if len(one.names) > 1 else ""
            text = f"{short(one.deployment)}{several}: {one.choice.said}"
            lines += _wrapped(text, width, "  ")
    return lines


def _front(result: TuneResult, width: int) -> RenderableType:
    costs = [format_usd(one.cost_usd_per_month) for one in result.front]
    slow = [format_measure("p95_s", one.measures["p95_s"]) for one in result.front]
    wide = max(map(len, costs)), max(map(len, slow))
    lines = []
    for one, cost, p95 in zip(result.front, costs, slow, strict=True):
        mark = _front_mark(one, result)
        start = f"{mark} {cost:>{wide[0]}}  {p95:>{wide[1]}}  "
        alone = len({answer.deployment for answer in result.answers}) == 1
        text = one.said if alone else f"{short(one.deployment)}: {one.said}"
        lines += _wrapped(f"{start}{text}", width, " " * len(start))
    return Text("\n".join(lines))


def _front_mark(one: Choice, result: TuneResult) -> str:
    if not one.meets_slo:
        return "x"
    is_best = result.best is not None and one.asked == result.best.asked
    return ">" if is_best else " "


def _map(heat_map: HeatMap, deployment: str, width: int) -> list[RenderableType]:
    """Return the heat map, as many of its columns as fit."""
    costs = [
        f"{cell.cost_usd_per_month:,.0f}"
        for row in heat_map.cells
        for cell in row
        if cell is not None
    ]
    wide = max(map(len, [*costs, *heat_map.columns])) + _CELL
    side = max(map(len, [heat_map.row, *heat_map.rows])) + 1
    kept = _columns(heat_map, max(1, (width - side) // wide))
    title = (
        f"{short(deployment)}: $ a month by {heat_map.column}"
        + (f" and {heat_map.row}" if heat_map.row else "")
        + "; x misses the SLO"
    )
    lines = [
        f"{heat_map.row:<{side}}"
        + "".join(f"{heat_map.columns[i]:>{wide - 1}} " for i in kept)
    ]
    for name, cells in zip(heat_map.rows, heat_map.cells, strict=True):
        texts = [f"{_cell(cells[i]):>{wide}}" for i in kept]
        lines.append(f"{name:<{side}}{''.join(texts)}")
    return [Text(title, style="bold"), Text("\n".join(lines), no_wrap=True)]


def _columns(heat_map: HeatMap, most: int) -> list[int]:
    """Return which columns are shown: those with most cells, and that of the best."""
    n = len(heat_map.columns)

    def worth(i: int) -> tuple[bool, int]:
        cells = [row[i] for row in heat_map.cells]
        known = [cell for cell in cells if cell is not None]
        return (any(cell.is_best for cell in known), len(known))

    best = sorted(range(n), key=worth, reverse=True)[:most]
    return sorted(best)


def _cell(cell: Cell | None) -> str:
    if cell is None:
        return ". "
    mark = ">" if cell.is_best else ""
    return f"{mark}{cell.cost_usd_per_month:,.0f}{' ' if cell.meets_slo else 'x'}"


def _shift(shift: Shift, result: TuneResult, width: int) -> list[str]:
    """Return what other traffic would change."""
    share = format_fraction(abs(shift.factor - 1))
    word = "less" if shift.factor < 1 else "more"
    chosen, best = shift.chosen, shift.best
    at = (
        f"{format_usd(chosen.cost_usd_per_month)} a month, p95 "
        f"{format_measure('p95_s', chosen.measures['p95_s'])}"
    )
    verb = "still meet" if chosen.meets_slo else "miss"
    text = f"With {share} {word} traffic these settings {verb} the SLO ({at})"
    measure = result.goal.measure
    if best is None:
        text += "; none of the finalists meets it then."
    elif best.asked == chosen.asked:
        text += " and stay the best of the finalists."
    else:
        name = best.said if best.deployment == chosen.deployment else named(best)
        value = format_measure(measure, best.measures[measure])
        text += f"; the best of the finalists would be {name}: {value}."
    return _wrapped(text, width, "  ")


def _effort(result: TuneResult) -> str:
    n = sum(one.grid for one in result.answers)
    return (
        f"{result.simulations:,} simulations, {format_fraction(result.grid_share)} of the "
        f"full grid ({n:,} settings, {result.goal.most} replications each)."
    )


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    return textwrap.wrap(
        text,
        max(width, _LEAST_WIDTH),
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
    )
