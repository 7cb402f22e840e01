"""From pydantic's errors to problems at their place in the file."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Literal

from costsim.errors import Problem
from costsim.scenario.keys import Loc, discriminator, find_spot, meant_key
from costsim.scenario.overrides import option_name
from costsim.scenario.wording import Fault, wording
from costsim.yaml_source import shorten

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from costsim.yaml_source import Document

_MOST_PROBLEMS = 100
"""Nobody reads more."""
_LONGEST_MESSAGE = 400


def explain(error: ValidationError, document: Document) -> list[Problem]:
    """Return a problem for each thing that is wrong with a document's value."""
    faults = [_fault(one, document.value) for one in error.errors(include_url=False)]
    faults = [fault for fault in faults if not _is_echo(fault)]
    faults = _without_other_alternatives(faults)
    faults = _without_misspelled(faults)
    return [_problem(fault, document) for fault in faults]


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Return problems in the file's order, each once, and no more than can be read."""
    # An error below an anchor comes once for each of its aliases.
    unique: dict[object, Problem] = {}
    for problem in problems:
        unique.setdefault((problem.line, problem.column, problem.message), problem)
    kept = sorted(unique.values(), key=_position)
    more = len(kept) - _MOST_PROBLEMS
    if more <= 0:
        return kept
    return [*kept[:_MOST_PROBLEMS], Problem(f"and {more:,} more problems")]


def place(
    problem: Problem, loc: Loc, document: Document, *, at: Literal["key", "value"]
) -> Problem:
    """Return the problem with its line, or with the option that brought the value."""
    override = document.override_of(loc)
    if override is not None:
        message = f"{option_name(override.text, override.option)}: {problem.message}"
        return dataclasses.replace(problem, message=message, key="")
    line, column, length, source = document.locate(loc, at=at)
    return dataclasses.replace(
        problem, line=line, column=column, length=length, source=source
    )


def _position(problem: Problem) -> tuple[float, float]:
    return (problem.line or math.inf, problem.column or math.inf)


def _fault(detail: ErrorDetails, value: Any) -> Fault:  # noqa: ANN401 - any document
    context = detail.get("ctx", {})
    reported = (*detail["loc"], *getattr(context.get("error"), "key", ()))
    spot = find_spot(reported)
    loc = spot.loc
    if detail["type"] == "union_tag_invalid":
        key, _ = discriminator(spot.schema) or ("", [])
        loc = (*loc, key)
    known, found = known_part(loc, value)
    # A shorthand such as `setup: 25s` is checked as {distribution: ..., value: 25s}, so
    # what is reported may not be in the file.
    if detail["type"] != "missing":
        loc = known
    return Fault(detail["type"], reported, loc, found, context, detail["msg"])


def known_part(loc: Loc, value: Any) -> tuple[Loc, Any]:  # noqa: ANN401 - any document
    """Return the part of the way that is in the value, and what stands there."""
    for depth, part in enumerate(loc):
        inside = isinstance(value, dict) and part in value
        if not inside and not (isinstance(value, list) and part in range(len(value))):
            return loc[:depth], value
        value = value[part]
    return loc, value


def _is_echo(fault: Fault) -> bool:
    """Return whether a list only counts as short because its items are wrong."""
    return fault.kind == "too_short" and (
        len(fault.found) >= fault.context["min_length"]
    )


def _without_other_alternatives(faults: list[Fault]) -> list[Fault]:
    """Of a union, keep the errors of the alternative that the file means."""
    kept = []
    unions: dict[Loc, list[Fault]] = {}
    for fault in faults:
        union = find_spot(fault.reported).union
        if union is None:
            kept.append(fault)
        else:
            unions.setdefault(union, []).append(fault)
    for union, rivals in unions.items():
        inside = [one for one in rivals if one.loc != union]
        words = [one for one in rivals if one.kind == "literal_error"]
        kept += inside or words[:1] or rivals[:1]
    return kept


def _without_misspelled(faults: list[Fault]) -> list[Fault]:
    """Drop a missing key that is there under a name much like it."""
    meant = {
        (*fault.loc[:-1], meant_key(fault.reported))
        for fault in faults
        if fault.kind == "extra_forbidden"
    }
    return [one for one in faults if one.kind != "missing" or one.loc not in meant]


def _problem(fault: Fault, document: Document) -> Problem:
    loc = fault.loc[:-1] if fault.kind == "missing" else fault.loc
    message = shorten(wording(fault), _LONGEST_MESSAGE)
    problem = Problem(message, shorten(".".join(map(str, loc)), 120))
    return place(problem, loc, document, at="key" if _concerns_key(fault) else "value")


def _concerns_key(fault: Fault) -> bool:
    """Return whether to point at a key: it is wrong itself, or holds what is incomplete."""
    if fault.kind == "value_error":
        return isinstance(fault.found, dict)
    return fault.kind in {"extra_forbidden", "missing", "union_tag_not_found"}
