"""A sweep for people: the best point, and what each key does."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from costsim import __version__
from costsim.report.columns import Column
from costsim.report.document import Document, Section
from costsim.report.sweep_charts import drawings
from costsim.report.terminal import short
from costsim.study.verdict import format_measure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from costsim.study.sweep.result import SweepResult
    from costsim.study.sweep.summary import Best, Effect, Level

_COST, _P95 = "cost_usd_per_month", "p95_s"
_VALUE_WIDTH = 24
_SAME = 1e-9
"""Means that differ by less, as a share, are the same."""


def sweep_document(result: SweepResult) -> Document:
    """Return what is to be told: the best point, what each key does, what is missing."""
    names = short_keys(result.keys)
    sections = [_best(result, names)]
    for key in result.keys:
        some = [one for one in result.effects if one.key == key]
        sections.append(_effect(names[key], some))
    sections += [
        Section(
            lines=(f"{_counted(len(points))} {what}; the first: {points[0].reason}",)
        )
        for what, points in (
            ("not possible", result.left_out),
            ("failed", result.failed),
        )
        if points
    ]
    return Document(
        title=result.scenario,
        facts=_facts(result, names),
        verdict=verdict(result),
        sections=tuple(sections),
        drawings=drawings(result, names),
    )


def short_keys(keys: Sequence[str]) -> dict[str, str]:
    """Return the shortest ends of dotted keys that tell them apart.

    A setting says enough alone; of others, ``time.median`` and ``slo.p95`` are told from
    what is measured by what they are of.
    """
    found = {}
    for key in keys:
        parts = key.split(".")
        least = 1 if parts[0] == "deployments" else min(2, len(parts))
        ends = [".".join(parts[-n:]) for n in range(least, len(parts) + 1)]
        others = [other for other in keys if other != key]
        found[key] = next(
            end
            for end in ends
            if not any(f".{other}".endswith(f".{end}") for other in others)
            or end == key
        )
    return found


def verdict(result: SweepResult) -> str:
    """Return the answer in one sentence."""
    if not result.best:
        return "No point could be completed."
    best = result.best[0]
    cost, p95 = _month(best.cost_usd_per_month), format_measure(_P95, best.p95_s)
    values = _values(best, short_keys(result.keys))
    if best.meets_slo is False:
        return (
            f"No point meets the SLO; the cheapest is {short(best.deployment)} at "
            f"{values}: {cost} a month with p95 {p95}."
        )
    what = "the cheapest that meets the SLO" if best.meets_slo else "the cheapest"
    return f"{short(best.deployment)} at {values} is {what}: {cost} a month with p95 {p95}."


def _facts(result: SweepResult, names: dict[str, str]) -> str:
    keys = ", ".join(names.values())
    points = f"{short(result.scenario)}: {_counted(result.points)} of {keys}"
    return f"{points}, costsim {__version__}"


def _counted(n: int) -> str:
    return "1 point" if n == 1 else f"{n:,} points"


def _best(result: SweepResult, names: dict[str, str]) -> Section:
    best = result.best
    columns = (
        Column("DEPLOYMENT", tuple(short(one.deployment) for one in best)),
        Column("WINS", tuple(f"{one.wins:,}" for one in best), "right"),
        Column("MEETS SLO", tuple(map(_meets, best)), "right"),
        Column("COST/MO", tuple(_month(o.cost_usd_per_month) for o in best), "right"),
        Column("P95", tuple(format_measure(_P95, one.p95_s) for one in best), "right"),
        Column("AT BEST", tuple(_values(one, names) for one in best)),
    )
    return Section(columns=columns, drop_first=("AT BEST",), lines=_unmet(result))


def _unmet(result: SweepResult) -> tuple[str, ...]:
    """Return at how many points no deployment meets the SLO, if there are any."""
    simulated = result.points - len(result.left_out) - len(result.failed)
    n = simulated - sum(one.wins for one in result.best)
    return (f"no deployment meets the SLO at {_counted(n)}",) if n else ()


def _meets(best: Best) -> str:
    return "" if best.meets_slo is None else f"{best.meeting:,} of {best.points:,}"


def _values(best: Best, names: dict[str, str]) -> str:
    return ", ".join(
        f"{names[key]}={short(value, _VALUE_WIDTH)}"
        for key, value in best.values.items()
    )


def _effect(name: str, effects: Sequence[Effect]) -> Section:
    changed = [one for one in effects if _changes(one)]
    if not changed:
        return Section(lines=(f"{name} changes neither cost nor p95",))
    levels = changed[0].levels
    title = (
        f"{name} from {short(levels[0].text, _VALUE_WIDTH)} to "
        f"{short(levels[-1].text, _VALUE_WIDTH)}, the mean over all else"
    )
    columns = (
        Column("DEPLOYMENT", tuple(short(one.deployment) for one in changed)),
        *_from_to("COST/MO", [_ends(one, _COST) for one in changed]),
        *_from_to("P95", [_ends(one, _P95) for one in changed]),
        Column("CHEAPEST AT", tuple(_cheapest(one) for one in changed)),
    )
    others = [short(one.deployment) for one in effects if one not in changed]
    lines = (f"no effect on {', '.join(others)}",) if others else ()
    return Section(title, columns=columns, drop_first=("CHEAPEST AT",), lines=lines)


def _from_to(title: str, pairs: Sequence[tuple[str, str]]) -> list[Column]:
    return [
        Column(title, tuple(first for first, _ in pairs), "right"),
        Column("->", tuple(last for _, last in pairs), "right"),
    ]


def _ends(effect: Effect, measure: str) -> tuple[str, str]:
    first, last = effect.levels[0], effect.levels[-1]
    return _shown(first, measure), _shown(last, measure)


def _shown(level: Level, measure: str) -> str:
    value = getattr(level, measure)
    return _month(value) if measure == _COST else format_measure(measure, value)


def _changes(effect: Effect) -> bool:
    """Return whether a key changes cost or p95 by more than rounding."""
    for measure in (_COST, _P95):
        values = [getattr(level, measure) for level in effect.levels]
        known = [value for value in values if math.isfinite(value)]
        if known and max(known) - min(known) > _SAME * max(map(abs, known)):
            return True
    return False


def _cheapest(effect: Effect) -> str:
    best = min(effect.levels, key=lambda level: level.cost_usd_per_month)
    return short(best.text, _VALUE_WIDTH)


def _month(usd: float) -> str:
    return format_measure(_COST, usd)
