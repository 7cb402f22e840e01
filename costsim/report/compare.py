"""Two answers side by side for people: what changed, by how much, how surely."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from costsim.report.columns import Column
from costsim.report.compare_chart import drawings
from costsim.report.document import Check, Document, Section
from costsim.report.terminal import short
from costsim.study.verdict import format_measure, label
from costsim.units import format_fraction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from costsim.study.compare import Change, Comparison, Pair
    from costsim.study.gates import Judged

_DROP_FIRST = (" +- ", "%", "+-")
_COST = "cost_usd_per_month"
_LABEL_WIDTH = 200
_LEGEND = "~ may be noise; +- is half a 95 % interval of the change before it"
_CHEAPEST = 3
"""Deployments that the first sentence names one by one."""


def comparison_document(
    comparison: Comparison, judged: Sequence[Judged] = ()
) -> Document:
    """Return what is to be told of two answers.

    Parameters
    ----------
    comparison : Comparison
        What differs between them.
    judged : sequence of Judged
        How deployments do at gates.
    """
    sections = [Section(checks=tuple(map(_check, judged)))] if judged else []
    for pair in comparison.pairs:
        broken = {
            one.change.measure
            for one in judged
            if one.deployment == pair.after and not one.ok
        }
        sections.append(_pair_section(pair, broken))
    sections += [
        Section(lines=(f"{text}: {', '.join(map(short, names))}",))
        for names, text in (
            (comparison.only_first, "only in A"),
            (comparison.only_second, "only in B"),
        )
        if names
    ]
    if any(section.marked for section in sections):
        sections.append(Section(lines=(_LEGEND,)))
    return Document(
        title=_title(comparison),
        facts=_facts(comparison),
        verdict=verdict(comparison),
        sections=tuple(sections),
        drawings=drawings(comparison),
        lead=1 if judged else 0,
    )


def verdict(comparison: Comparison) -> str:
    """Return what changed in a sentence or two."""
    first, second = comparison.first, comparison.second
    said = [_costs(comparison.pairs)]
    renamed = {pair.before: pair.after for pair in comparison.pairs}
    if first.cheapest and second.cheapest:
        if renamed.get(first.cheapest) != second.cheapest:
            said.append(
                f"The choice is now {short(second.cheapest)}, not "
                f"{short(first.cheapest)}."
            )
        elif len(first.deployments) > 1 or len(second.deployments) > 1:
            said.append(f"The choice stays {short(second.cheapest)}.")
    return " ".join(said)


def _costs(pairs: Sequence[Pair]) -> str:
    changes = [(pair, _cost_of(pair)) for pair in pairs]
    certain = [
        (pair, change)
        for pair, change in changes
        if not (change.difference.is_noise or change.is_same)
    ]
    told = [f"{short(pair.after)} costs {_more(change)}" for pair, change in certain]
    if not told:
        what = "The cost" if len(pairs) == 1 else "No deployment's cost"
        verb = "is the same" if len(pairs) == 1 else "differs by more than"
        tail = " within the noise." if len(pairs) == 1 else " the noise."
        return f"{what} {verb}{tail}"
    if len(told) > _CHEAPEST:
        more = sum(change.difference.absolute.value > 0 for _, change in certain)
        counts = [more, len(told) - more, len(pairs) - len(told)]
        return (
            f"Of {len(pairs)} deployments {counts[0]} cost more, {counts[1]} cost less, "
            f"{counts[2]} the same within the noise."
        )
    return f"{'; '.join(told)}."


def _cost_of(pair: Pair) -> Change:
    return next(change for change in pair.changes if change.measure == _COST)


def _more(change: Change) -> str:
    found = change.difference
    word = "more" if found.absolute.value > 0 else "less"
    amount = format_measure(_COST, abs(found.absolute.value))
    share = abs(found.relative.value)
    per_cent = f" ({format_fraction(share)})" if math.isfinite(share) else ""
    return f"{amount}{per_cent} {word} a month"


def _title(comparison: Comparison) -> str:
    first, second = comparison.first.scenario, comparison.second.scenario
    return f"{first}, before and after" if first == second else f"{first} and {second}"


def _facts(comparison: Comparison) -> str:
    how = (
        "the same traffic, paired replication by replication"
        if comparison.paired
        else "other traffic or other replications, unpaired"
    )
    sides = (("A", comparison.first), ("B", comparison.second))
    return "\n".join(
        [*(f"{mark}  {_end_of(side.label)}" for mark, side in sides), f"   {how}"]
    )


def _end_of(label: str) -> str:
    """Return a label without its beginning if it is too long: files differ at the end."""
    clean = "".join(c if c.isprintable() else " " for c in label)
    return clean if len(clean) <= _LABEL_WIDTH else f"..{clean[2 - _LABEL_WIDTH :]}"


def _named(pair: Pair) -> str:
    if pair.before == pair.after:
        return short(pair.after)
    return f"{short(pair.before)} -> {short(pair.after)}"


def _pair_section(pair: Pair, broken: set[str]) -> Section:
    if pair.is_same:
        return Section(lines=(f"{_named(pair)}: no difference",))
    columns = _columns(pair, broken)
    return Section(_named(pair), columns=columns, marked=True, drop_first=_DROP_FIRST)


def _columns(pair: Pair, broken: set[str]) -> tuple[Column, ...]:
    """Return what changed of a deployment, a row a measure."""
    # What does not happen on either side, such as lost requests, is no news.
    changes = [one for one in pair.changes if one.before or one.after]

    def numbers(title: str, cells: list[str]) -> Column:
        return Column(title, tuple(cells), "right")

    return (
        Column(" ", tuple(_mark(one, broken) for one in changes)),
        Column("MEASURE", tuple(label(one.measure) for one in changes)),
        numbers("BEFORE", [format_measure(one.measure, one.before) for one in changes]),
        numbers("AFTER", [format_measure(one.measure, one.after) for one in changes]),
        numbers("CHANGE", [_signed(one) for one in changes]),
        numbers("+-", [_half(one) for one in changes]),
        numbers("%", [_percent(one) for one in changes]),
        numbers(
            " +- ",
            [format_fraction(one.difference.relative.half_width) for one in changes],
        ),
    )


def _mark(change: Change, broken: set[str]) -> str:
    if change.measure in broken:
        return "x"
    return "~" if change.difference.is_noise else ""


def _signed(change: Change) -> str:
    value = change.difference.absolute.value
    if not math.isfinite(value):
        return "-"
    sign = "+" if value > 0 else "-" if value < 0 else ""
    return f"{sign}{_points(change.measure, abs(value))}"


def _half(change: Change) -> str:
    return _points(change.measure, change.difference.absolute.half_width)


def _points(measure: str, value: float) -> str:
    """Return an amount of change; of a share, in percentage points."""
    text = format_measure(measure, value)
    return f"{text.removesuffix('%')}pp" if text.endswith("%") else text


def _percent(change: Change) -> str:
    value = change.difference.relative.value
    return f"+{format_fraction(value)}" if value > 0 else format_fraction(value)


def _check(judged: Judged) -> Check:
    change = judged.change
    before = format_measure(change.measure, change.before)
    after = format_measure(change.measure, change.after)
    told = f"{label(change.measure)} {after}, as before"
    if before != after:
        told = f"{label(change.measure)} {after}, was {before}"
        told += f" ({', '.join(_told_of(change))})" if _told_of(change) else ""
    name = short(judged.deployment)
    return Check(judged.ok, f"{name}, {judged.gate.text}: {told}")


def _told_of(change: Change) -> list[str]:
    """Return a change in per cent, and that it may be noise, where that is so."""
    known = math.isfinite(change.difference.relative.value)
    noise = ["may be noise"] if change.difference.is_noise else []
    return [*([_percent(change)] if known else []), *noise]
