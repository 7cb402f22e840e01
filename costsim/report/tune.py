"""The best settings for people at a terminal: verdict, tables, heat map, configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from costsim import __version__
from costsim.report.columns import Column
from costsim.report.document import Document, Section
from costsim.report.terminal import short
from costsim.report.tune_charts import drawings
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


def tune_document(result: TuneResult) -> Document:
    """Return what is to be told: the best settings, what they cost, what else there is."""
    sections = [
        Section(lines=result.needed),
        _table(result),
        Section(lines=_settings(result.answers)),
    ]
    if len(result.front) > 1:
        sections.append(_front(result))
    if result.heat_map is not None:
        sections.append(_map(result.heat_map, result.answers[0].deployment))
    shifts = tuple(_shift(one, result) for one in result.shifts)
    sections += [
        Section(lines=shifts),
        Section(
            "Ready to paste" if result.configuration else "", text=result.configuration
        ),
        Section(lines=(_effort(result),)),
    ]
    return Document(
        title=result.scenario.name,
        facts=_facts(result),
        verdict=result.sentence,
        sections=tuple(one for one in sections if one != Section()),
        drawings=drawings(result),
        lead=3 if result.needed else 2,
    )


def _facts(result: TuneResult) -> str:
    n = sum(one.settings_tried for one in result.answers)
    parts = [
        f"{short(result.scenario.name, 40)}: {n:,} settings tried",
        f"seed {result.scenario.seed}",
    ]
    if result.prices_as_of:
        parts.append(f"prices as of {result.prices_as_of}")
    return ", ".join([*parts, f"costsim {__version__}"])


def _table(result: TuneResult) -> Section:
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
    columns = (
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
    )
    return Section(columns=columns, marked=True, drop_first=_DROP_FIRST)


_TITLES = {
    "over_slo_fraction": "SLOW",
    "cold_start_fraction": "COLD",
    "lost_fraction": "LOST",
}


def _numbers(title: str, rows: Sequence[Choice], measure: str) -> Column:
    cells = tuple(format_measure(measure, one.measures[measure]) for one in rows)
    return Column(title, tuple(cell.removeprefix("$") for cell in cells), "right")


def _settings(answers: Sequence[Answer]) -> tuple[str, ...]:
    """Return what is set for each deployment, a sentence each."""
    lines = []
    for one in answers:
        if one.choice is not None:
            names = f" ({', '.join(map(short, one.names))})"
            several = names if len(one.names) > 1 else ""
            lines.append(f"{short(one.deployment)}{several}: {one.choice.said}")
    return tuple(lines)


def _front(result: TuneResult) -> Section:
    alone = len({one.deployment for one in result.answers}) == 1
    said = (
        one.said if alone else f"{short(one.deployment)}: {one.said}"
        for one in result.front
    )
    columns = (
        Column(" ", tuple(_front_mark(one, result) for one in result.front)),
        _numbers("$/MONTH", result.front, "cost_usd_per_month"),
        _numbers("P95", result.front, "p95_s"),
        Column("SETTINGS", tuple(said), wraps=True),
    )
    return Section("Cost against p95", columns=columns, marked=True)


def _front_mark(one: Choice, result: TuneResult) -> str:
    if not one.meets_slo:
        return "x"
    is_best = result.best is not None and one.asked == result.best.asked
    return ">" if is_best else ""


def _map(heat_map: HeatMap, deployment: str) -> Section:
    """Return the heat map; a narrow terminal goes without what was tried least."""
    title = (
        f"{short(deployment)}: $ a month by {heat_map.column}"
        + (f" and {heat_map.row}" if heat_map.row else "")
        + "; x misses the SLO"
    )
    by_column = list(zip(*heat_map.cells, strict=True))
    columns = (
        Column(heat_map.row or " ", tuple(heat_map.rows)),
        *(
            Column(name, tuple(map(_cell, cells)), "right")
            for name, cells in zip(heat_map.columns, by_column, strict=True)
        ),
    )
    return Section(title, columns=columns, drop_first=_least_told(heat_map))


def _least_told(heat_map: HeatMap) -> tuple[str, ...]:
    """Return all columns but the best's, those with fewest cells, far from it, first."""
    known = [
        [cell for cell in cells if cell is not None]
        for cells in zip(*heat_map.cells, strict=True)
    ]
    best = next(
        (i for i, cells in enumerate(known) if any(one.is_best for one in cells)), 0
    )
    order = sorted(range(len(known)), key=lambda i: (len(known[i]), -abs(i - best)))
    return tuple(heat_map.columns[i] for i in order if i != best)


def _cell(cell: Cell | None) -> str:
    if cell is None:
        return ". "
    mark = ">" if cell.is_best else ""
    return f"{mark}{cell.cost_usd_per_month:,.0f}{' ' if cell.meets_slo else 'x'}"


def _shift(shift: Shift, result: TuneResult) -> str:
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
    return text


def _effort(result: TuneResult) -> str:
    n = sum(one.grid for one in result.answers)
    return (
        f"{result.simulations:,} simulations, {format_fraction(result.grid_share)} of the "
        f"full grid ({n:,} settings, {result.goal.most} replications each)."
    )
