"""Checks of single arguments; each refusal names the argument (docs/model.md 1)."""

from __future__ import annotations

import math
from numbers import Integral, Real

import numpy as np

UNLIMITED = 2**62
"""Stands for no bound on a count."""


def refuse(argument: str, requirement: str, found: object) -> ValueError:
    """Return the error for an argument that is not allowed."""
    return ValueError(f"{argument} must be {requirement}, got {found!r}")


def check_choice(argument: str, value: object, allowed: tuple[str, ...]) -> None:
    """Refuse what is none of the words."""
    if not isinstance(value, str) or value not in allowed:
        raise refuse(argument, "one of " + ", ".join(map(repr, allowed)), value)


def check_flag(argument: str, value: object) -> None:
    """Refuse what is neither True nor False."""
    if not isinstance(value, bool | np.bool_):
        raise refuse(argument, "True or False", value)


def check_count(argument: str, value: object, *, at_least: int = 0) -> int:
    """Return a whole number, or refuse what is none or too small."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < at_least:
        raise refuse(argument, f"a whole number >= {at_least}", value)
    return min(int(value), UNLIMITED)


def check_number(
    argument: str,
    value: object,
    *,
    at_least: float = 0.0,
    above: float | None = None,
    at_most: float = math.inf,
    may_be_inf: bool = False,
) -> float:
    """Return a number as a float, or refuse what is none or out of range."""
    numeric = isinstance(value, Real) and not isinstance(value, bool)
    number = float(value) if numeric else math.nan  # type: ignore[arg-type]
    high_enough = number > above if above is not None else number >= at_least
    if not high_enough or (math.isinf(number) and not may_be_inf):
        bound = f"> {above:g}" if above is not None else f">= {at_least:g}"
        raise refuse(argument, f"{'' if may_be_inf else 'finite and '}{bound}", value)
    if number > at_most:
        raise refuse(argument, f"at most {at_most:g}", value)
    return number
