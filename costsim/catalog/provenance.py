"""Where a fact comes from and when somebody read it.

Every fact of a platform file is ``Sourced``. What it does not say itself it has from the
section around it; ``complete`` hands that down and refuses a fact that is left without.
Dates are as exact as the source: ``2026``, ``2026-08`` or ``2026-08-03``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field

from costsim.spec import Spec

STALE_AFTER_DAYS = 90
"""Prices older than this deserve a warning: providers change them every few months."""

UNDATED = "undated"
"""The date of a price in a user's own file that gives none."""

Evidence = Literal["official", "quoted", "third party", "derived", "unverified", "own"]
"""The vendor's own text; a dated quotation of it; somebody else's statement; follows from
other facts; from memory; the user's own figure."""


def first_day(as_of: str) -> date:
    """Return the earliest day that a date such as ``2026-08`` may mean.

    The earliest, so that the age of a price is never understated.
    """
    year, month, day = (*map(int, as_of.split("-")), 1, 1)[:3]
    return date(year, month, day)


def age_days(as_of: str, today: date) -> int | None:
    """Return how old a fact may be, in days; None if it has no date."""
    return None if as_of == UNDATED else max(0, (today - first_day(as_of)).days)


def _as_text(value: Any) -> Any:  # noqa: ANN401 - whatever the file holds
    """Undo YAML, which reads a bare 2026-08-03 as a date and a bare 2026 as a number."""
    if isinstance(value, date):
        return value.isoformat()[:10]
    return str(value) if type(value) is int else value


def yes_or_no(value: Any) -> Any:  # noqa: ANN401 - whatever the file holds
    """Undo YAML, which reads a bare yes as true."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value


def _possible(as_of: str) -> str:
    try:
        first_day(as_of)
    except ValueError:
        message = f"'{as_of}' is not a date; write '2026', '2026-08' or '2026-08-03'"
        raise ValueError(message) from None
    return as_of


AsOf = Annotated[
    str,
    BeforeValidator(_as_text),
    Field(pattern=r"^[0-9]{4}(-[0-9]{2}){0,2}$"),
    AfterValidator(_possible),
]
"""A date, as exact as it is known."""


class Sourced(Spec):
    """A fact, with its source."""

    source: str = ""
    """Where it was read: a URL, or words. The section's if left out."""
    as_of: AsOf = ""
    """When it was read. The section's if left out."""
    evidence: Evidence | None = None
    """How good the source is. The section's if left out."""
    note: str = ""
    """What else to know about it."""


class Claim(Sourced):
    """What a source says."""

    says: str
    """The statement, in our words."""


@dataclass(frozen=True)
class _Origin:
    """What a section hands down to the facts in it."""

    source: str = ""
    as_of: str = ""
    evidence: Evidence | None = None


SpecT = TypeVar("SpecT", bound=Spec)


def complete(spec: SpecT) -> SpecT:
    """Return a copy in which every fact has its source, date and evidence.

    Raises
    ------
    ValueError
        If a fact has none and neither has a section around it; names its key.
    """
    completed: SpecT = _hand_down(spec, _Origin(), "")
    return completed


def _hand_down(node: Any, outer: _Origin, key: str) -> Any:  # noqa: ANN401 - any field
    if isinstance(node, Spec):
        return _hand_down_spec(node, outer, key)
    if isinstance(node, dict):
        return {
            name: _hand_down(item, outer, _join(key, name))
            for name, item in node.items()
        }
    if isinstance(node, tuple):
        return tuple(
            _hand_down(item, outer, _join(key, str(i))) for i, item in enumerate(node)
        )
    return node


def _hand_down_spec(spec: Spec, outer: _Origin, key: str) -> Spec:
    own = outer
    update: dict[str, Any] = {}
    if isinstance(spec, Sourced):
        own = _Origin(
            spec.source or outer.source,
            spec.as_of or outer.as_of,
            spec.evidence or outer.evidence,
        )
        if not own.source or not own.as_of or own.evidence is None:
            message = (
                f"{key}: needs a source, an as_of and evidence, here or in its section"
            )
            raise ValueError(message)
        update = dict(vars(own))
    for name in type(spec).model_fields:
        if name not in update:
            update[name] = _hand_down(getattr(spec, name), own, _join(key, name))
    return spec.model_copy(update=update)


def _join(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name
