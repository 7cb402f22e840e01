"""Where a fact comes from and when somebody read it.

Every fact of a platform file is ``Sourced``. What it does not say itself it has from the
section around it; ``complete`` hands that down and refuses a fact that is left without.
Dates are as exact as the source: ``2026``, ``2026-08`` or ``2026-08-03``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field

from costsim.spec import Spec

STALE_AFTER_DAYS = 90
"""Prices older than this deserve a warning: providers change them every few months."""

UNDATED = "undated"
"""The date of a fact whose source has none, or of a user's own that gives none."""

NOT_FOUND = "nothing was found for this catalog"
"""The source of an answer that nobody has found."""

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
    if as_of == UNDATED:
        return as_of
    try:
        first_day(as_of)
    except ValueError:
        message = f"'{as_of}' is not a date; write '2026', '2026-08' or '2026-08-03'"
        raise ValueError(message) from None
    return as_of


AsOf = Annotated[
    str,
    BeforeValidator(_as_text),
    Field(pattern=rf"^([0-9]{{4}}(-[0-9]{{2}}){{0,2}}|{UNDATED})$"),
    AfterValidator(_possible),
]
"""A date, as exact as it is known; ``undated`` where the source has none."""


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
    told: bool = False
    """Whether it was told already that something is missing."""


Loc = tuple[str | int, ...]
"""The way to a value of the file."""

SpecT = TypeVar("SpecT", bound=Spec)


class UnsourcedError(ValueError):
    """Facts without a source, an ``as_of`` or evidence.

    Parameters
    ----------
    locs : list of tuple
        The way to each.
    """

    def __init__(self, locs: list[Loc]) -> None:
        self.locs = locs
        keys = ", ".join(".".join(map(str, loc)) for loc in locs)
        super().__init__(f"{keys}: {self.message}")

    message = "needs a source, an as_of and evidence, here or in its section"


def complete(spec: SpecT) -> SpecT:
    """Return a copy in which every fact has its source, date and evidence.

    Raises
    ------
    UnsourcedError
        If a fact has none and neither has a section around it; names every key.
    """
    missing: list[Loc] = []
    completed: SpecT = _hand_down(spec, _Origin(), (), missing)
    if missing:
        raise UnsourcedError(missing)
    return completed


def _hand_down(node: Any, outer: _Origin, loc: Loc, missing: list[Loc]) -> Any:  # noqa: ANN401 - any field
    if isinstance(node, Spec):
        return _hand_down_spec(node, outer, loc, missing)
    if isinstance(node, dict):
        return {
            name: _hand_down(item, outer, (*loc, name), missing)
            for name, item in node.items()
        }
    if isinstance(node, tuple):
        return tuple(
            _hand_down(item, outer, (*loc, i), missing) for i, item in enumerate(node)
        )
    return node


def _hand_down_spec(spec: Spec, outer: _Origin, loc: Loc, missing: list[Loc]) -> Spec:
    own = outer
    update: dict[str, Any] = {}
    if isinstance(spec, Sourced):
        own = _Origin(
            spec.source or outer.source,
            spec.as_of or outer.as_of,
            spec.evidence or outer.evidence,
        )
        update = {"source": own.source, "as_of": own.as_of, "evidence": own.evidence}
        if not own.source or not own.as_of or own.evidence is None:
            # A section's lack is told once, not for every fact in it.
            if not outer.told:
                missing.append(loc)
            own = replace(own, told=True)
    for name in type(spec).model_fields:
        if name not in update:
            update[name] = _hand_down(getattr(spec, name), own, (*loc, name), missing)
    return spec.model_copy(update=update)
