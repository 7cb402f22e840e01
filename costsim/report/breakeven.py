"""Where each way of serving is the cheapest, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from costsim import __version__
from costsim.report.breakeven_chart import drawings
from costsim.report.columns import Column
from costsim.report.document import Document, Section
from costsim.report.terminal import short
from costsim.study.breakeven.crossings import capacity_track, slo_track, stretches
from costsim.units import format_duration, format_fraction, format_usd

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from costsim.study.breakeven.crossings import Track
    from costsim.study.breakeven.curve import Point, Reading
    from costsim.study.breakeven.regimes import Regime
    from costsim.study.breakeven.result import BreakEven
    from costsim.study.breakeven.theory import ClosedForm

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_MOST_COLUMNS = 6
"""Deployments that the curve has columns for."""
_MOST_ROWS = 9
_MOST_SAID = 4
"""Regimes that the first sentence names one by one."""
_WHY = {
    "cost": "next is cheaper",
    "slo_begins": "next meets SLO",
    "slo_ends": "misses SLO",
    "capacity": "cannot keep up",
}


def breakeven_document(found: BreakEven) -> Document:
    """Return what is to be told: the answer, where it changes, and the curve."""
    sections = [
        _regimes(found),
        _crossings(found),
        _deployments(found),
        _curve(found, "COST A MONTH [USD]", _cost_cell),
        _curve(found, "P95", _p95_cell),
        _cold_starts(found),
    ]
    lines = [*_legend(found), *(_theory(found, one) for one in found.closed_forms)]
    if lines:
        sections.append(Section(lines=tuple(lines)))
    return Document(
        title=found.scenario,
        facts=_facts(found),
        verdict=verdict(found),
        sections=tuple(one for one in sections if one is not None),
        drawings=drawings(found),
    )


def verdict(found: BreakEven) -> str:
    """Return who is the cheapest where, in a sentence or two."""
    if len(found.names) == 1:
        return _alone(found)
    said = _whole(found) if len(found.regimes) == 1 else _changes(found)
    own = found.axis.own
    here = next((one for one in found.points if one.value == own), None)
    if here is None or len(found.regimes) == 1:
        return said
    # A border belongs to what comes after it, as in the table.
    at = max(
        (one for one in found.regimes if one.low <= here.value), key=lambda one: one.low
    )
    name = "none" if at.deployment is None else short(at.deployment)
    return f"{said} At the scenario's own {_amount(found, here.value)}: {name}."


def _facts(found: BreakEven) -> str:
    axis = found.axis
    most = max(one.replications for one in found.points)
    own = "" if axis.own is None else f" (the scenario: {axis.show(axis.own)})"
    what = axis.word if axis.kind == "plain" else axis.label
    return (
        f"{short(found.scenario, 40)}: cost against {short(what, 60)}, {axis.show(axis.low)} "
        f"to {axis.show(axis.high)}{own}, {most} "
        f"replication{'s' * (most != 1)}, seed {found.seed}, costsim {__version__}"
    )


def _amount(found: BreakEven, value: float) -> str:
    """Return a value with what it counts."""
    shown = found.axis.show(value)
    return f"{shown} {found.axis.label}" if found.axis.kind == "count" else shown


def _alone(found: BreakEven) -> str:
    (name,) = found.names
    first, last = found.points[0], found.points[-1]
    at = " and ".join(
        f"{format_usd(one.cost_usd(name))} a month at {_amount(found, one.value)}"
        for one in (first, last)
    )
    slo = ""
    if found.slo:
        slo = f" It meets {found.slo} {where(found, slo_track(found.points, name))}."
    return f"There is one deployment only, nothing to compare: {short(name)} costs {at}.{slo}"


def _whole(found: BreakEven) -> str:
    """Return the sentence of one that is the cheapest from end to end."""
    (regime,) = found.regimes
    slo = f" that meets {found.slo}" if found.slo else ""
    span = f"{found.axis.show(found.axis.low)} to {_amount(found, found.axis.high)}"
    if regime.deployment is None:
        return f"No deployment{slo or ' keeps up'} anywhere from {span}."
    name = short(regime.deployment)
    if regime.is_tied:
        return (
            f"Nothing crosses: from {span}, {name} is among the cheapest{slo}, but "
            "another costs as little within the noise."
        )
    ends = [
        _lead(one, regime.deployment) for one in (found.points[0], found.points[-1])
    ]
    leads = [
        f"{lead} at {found.axis.show(point.value)}"
        for lead, point in zip(ends, (found.points[0], found.points[-1]), strict=True)
        if lead
    ]
    told = f": {', '.join(leads)}" if leads else ", and the only one"
    return f"{name} is the cheapest{slo} over the whole range, {span}{told}."


def _lead(point: Point, name: str) -> str:
    """Return by how much a deployment differs from the cheapest other that serves."""
    others = [
        reading.cost.value
        for other, reading in point.readings.items()
        if other != name and reading.keeps_up and reading.slo_sign >= 0
    ]
    if not others:
        return ""
    saved = min(others) - point.cost_usd(name)
    share = format_fraction(abs(saved) / min(others)) if min(others) else "-"
    if saved < 0:  # It stays the cheapest until another is cheaper for certain.
        return (
            f"{format_usd(-saved)} a month ({share}) more than another, "
            "within the noise,"
        )
    return f"{format_usd(saved)} a month ({share}) less than the next"


def _changes(found: BreakEven) -> str:
    slo = f" that meets {found.slo}" if found.slo else ""
    if len(found.regimes) > _MOST_SAID:
        first, last = found.regimes[0], found.regimes[-1]
        return (
            f"Cheapest{slo}: it changes {len(found.regimes) - 1} times, from "
            f"{_name(first)} below {_amount(found, first.high)} to {_name(last)} above "
            f"{found.axis.show(last.low)}."
        )
    first, *between, last = found.regimes
    said = [f"{_name(first)} below {_amount(found, first.high)}"]
    said += [
        f"{_name(one)} from there to {found.axis.show(one.high)}" for one in between
    ]
    said.append(f"{_name(last)} above")
    return f"Cheapest{slo}: {', '.join(said)}."


def _name(regime: Regime) -> str:
    return "none" if regime.deployment is None else short(regime.deployment)


def _regimes(found: BreakEven) -> Section | None:
    if len(found.names) == 1:
        return None
    show, regimes = found.axis.show, found.regimes
    columns = (
        Column("DEPLOYMENT", tuple(map(_name, regimes))),
        _numbers("FROM", [show(one.low) for one in regimes]),
        _numbers("TO", [show(one.high) for one in regimes]),
        _numbers("95% INTERVAL", [_interval(found, one.until) for one in regimes]),
        Column(
            "THEN", tuple(_WHY[one.until.why] if one.until else "" for one in regimes)
        ),
        Column(" ", tuple("a tie" if one.is_tied else "" for one in regimes)),
    )
    drop_first = ("THEN", "95% INTERVAL")
    return Section("CHEAPEST", columns=columns, drop_first=drop_first)


def _crossings(found: BreakEven) -> Section | None:
    decisive = [one for one in found.crossings if one.is_decisive]
    others = len(found.crossings) - len(decisive)
    more = (
        f"{others} more between deployments that are not the cheapest there "
        "(--format json)"
    )
    title, lines = "COSTS CROSS", (more,) if others else ()
    if not decisive:
        return Section(title, lines=lines) if others else None
    columns = (
        _numbers("AT", [found.axis.show(one.value) for one in decisive]),
        _numbers("95% INTERVAL", [_interval(found, one) for one in decisive]),
        Column("CHEAPER BELOW", tuple(short(one.below) for one in decisive)),
        Column("CHEAPER ABOVE", tuple(short(one.above) for one in decisive)),
    )
    return Section(title, columns=columns, drop_first=("95% INTERVAL",), lines=lines)


def _interval(found: BreakEven, one: object) -> str:
    low, high = getattr(one, "low", None), getattr(one, "high", None)
    if low is None or high is None:
        return ""
    return f"{found.axis.show(low)} to {found.axis.show(high)}"


def _deployments(found: BreakEven) -> Section:
    names, points = found.names, found.points
    able = [where(found, capacity_track(points, name)) for name in names]
    columns = [
        Column(" ", tuple(_letter(found, name) for name in names)),
        Column("DEPLOYMENT", tuple(map(short, names))),
    ]
    if found.slo:
        meets = tuple(where(found, slo_track(points, name)) for name in names)
        columns.append(Column("MEETS THE SLO", meets))
    columns.append(Column("KEEPS UP", tuple(able)))
    return Section("DEPLOYMENTS", columns=tuple(columns))


def where(found: BreakEven, track: Track) -> str:
    """Return where the answer is yes: ``from 423 on``, ``up to 90,000``, ``never``."""
    show = found.axis.show
    changes = stretches(track)
    certain = [sign for _, sign in track if sign]
    if not certain:
        return "not certain"
    if not changes:
        word = "everywhere" if certain[0] > 0 else "never"
        return word if len(certain) == len(track) else f"{word}, not certain in places"
    said = []
    start = "" if certain[0] > 0 else None
    for one in changes:
        place = f"{show(one.low)}-{show(one.high)}"
        if one.sign > 0:
            start = f"from {place}"
        else:
            said.append(f"{start} up to {place}".strip())
            start = None
    if start is not None:
        said.append(f"{start} on")
    return ", ".join(said)


def _letter(found: BreakEven, name: str) -> str:
    index = found.names.index(name)
    return _LETTERS[index] if index < len(_LETTERS) else str(index + 1)


def _curve(
    found: BreakEven, title: str, cell: Callable[[BreakEven, Point, Reading], str]
) -> Section:
    points = _chosen_points(found)
    columns = [
        _numbers(
            found.axis.label.upper(), [found.axis.show(one.value) for one in points]
        )
    ]
    for name in _chosen_names(found):
        cells = [cell(found, one, one.readings[name]) for one in points]
        columns.append(_numbers(_letter(found, name), cells))
    return Section(title, columns=tuple(columns))


def _chosen_points(found: BreakEven) -> list[Point]:
    """Return points of the grid, evenly spaced, the ends and the scenario's own."""
    grid = found.axis.grid()
    step = -(-len(grid) // _MOST_ROWS)
    wanted = {*grid[::step], grid[-1], found.axis.own}
    return [one for one in found.points if one.value in wanted]


def _chosen_names(found: BreakEven) -> list[str]:
    """Return the deployments that decide something first, as many as there is room for."""
    first = [str(one.deployment) for one in found.regimes if one.deployment]
    first += [
        name
        for one in found.crossings
        if one.is_decisive
        for name in (one.below, one.above)
    ]
    kept = list(dict.fromkeys([*first, *found.names]))[:_MOST_COLUMNS]
    return [name for name in found.names if name in kept]


def _cost_cell(found: BreakEven, point: Point, reading: Reading) -> str:
    if reading.measured is None:
        return "!"
    mark = "" if reading.keeps_up else "!"
    if reading.keeps_up and found.slo and reading.slo_sign < 0:
        mark = "x"
    holder = next(
        (one.deployment for one in reversed(found.regimes) if one.low <= point.value),
        None,
    )
    if holder == reading.measured.row.deployment and not mark:
        mark = ">"
    return f"{mark}{format_usd(reading.cost.value)[1:]}"


def _p95_cell(_: BreakEven, __: Point, reading: Reading) -> str:
    if reading.measured is None:
        return "!"
    mark = "" if reading.keeps_up else "!"
    return f"{mark}{format_duration(reading.measured.row.p95_s)}"


def _cold_starts(found: BreakEven) -> Section | None:
    """Return the share of cold requests, on which p95 jumps at 5 %; None if all are warm."""
    warm = all(
        reading.measured is None or not reading.measured.row.cold_start_fraction > 0
        for point in found.points
        for reading in point.readings.values()
    )
    return None if warm else _curve(found, "COLD STARTS", _cold_cell)


def _cold_cell(_: BreakEven, __: Point, reading: Reading) -> str:
    if reading.measured is None:
        return "!"
    return format_fraction(reading.measured.row.cold_start_fraction)


def _legend(found: BreakEven) -> list[str]:
    marks = ["> the cheapest"] if len(found.names) > 1 else []
    readings = [one for point in found.points for one in point.readings.values()]
    if found.slo and any(one.keeps_up and one.slo_sign < 0 for one in readings):
        marks.append("x misses the SLO")
    if not all(one.keeps_up for one in readings):
        marks.append("! cannot keep up (waits grow, or requests are lost)")
    more = len(found.names) - _MOST_COLUMNS
    if more > 0:
        marks.append(f"{more} more deployments: --format csv")
    return [", ".join(marks)] if marks else []


def _theory(found: BreakEven, form: ClosedForm) -> str:
    """Return a closed form beside what was simulated."""
    pair = f"{short(form.below)} and {short(form.above)}"
    if not found.axis.low <= form.requests_per_day <= found.axis.high:
        return f"closed form ({form.formula}): {pair} do not cross in this range"
    said = f"closed form ({form.formula}): {pair} cross at {found.axis.show(form.requests_per_day)}"
    for one in found.crossings:
        if {one.below, one.above} == {form.below, form.above}:
            inside = one.low <= form.requests_per_day <= one.high
            return f"{said}, {'inside' if inside else 'outside'} the interval"
    return said


def _numbers(title: str, cells: Sequence[str]) -> Column:
    return Column(title, tuple(cells), "right")
