"""What pydantic found wrong, in words for people."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from costsim.catalog.lookup import did_you_mean
from costsim.scenario.keys import (
    Loc,
    allowed_keys,
    discriminator,
    find_spot,
    home_of_key,
    meant_key,
)
from costsim.yaml_source import shown

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_KEYS = 12
"""Allowed keys are listed where there are no more."""

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "datetime_type": "a date and time, such as 2026-03-02T00:00+01:00",
}
_BOUNDS = {
    "greater_than": ("gt", "must be above"),
    "greater_than_equal": ("ge", "must be at least"),
    "less_than": ("lt", "must be below"),
    "less_than_equal": ("le", "must be at most"),
}


@dataclass(frozen=True)
class Fault:
    """One error that pydantic reports."""

    kind: str
    """Pydantic's type of error."""
    reported: Loc
    """The way that pydantic reports."""
    loc: Loc
    """The way in the file's own keys."""
    found: Any
    """What the file has there; for a missing key, in the mapping that misses it."""
    context: dict[str, Any]
    """Bounds, allowed values."""
    text: str
    """Pydantic's words."""


def wording(fault: Fault) -> str:
    """Return what was written, and what is allowed."""
    if fault.kind in _EXPECTED:
        return _wrong_type(fault)
    if fault.kind in _BOUNDS:
        name, must = _BOUNDS[fault.kind]
        bound = fault.context[name]
        limit = f"{bound:g}" if isinstance(bound, float) else f"{bound}"
        return f"{must} {limit}, found {shown(fault.found)}"
    if fault.kind in _WORDING:
        return _WORDING[fault.kind](fault)
    return fault.text.replace("Input should be", "must be")


def _wrong_type(fault: Fault) -> str:
    expected = _EXPECTED[fault.kind]
    found = shown(fault.found)
    if isinstance(fault.found, str):
        found = f"text {found}"
    choice = discriminator(find_spot(fault.reported).schema)
    if choice is not None:
        key, words = choice
        word = fault.found if fault.found in words else words[0]
        expected = f"a mapping such as {{{key}: {word}}}"
    hint = ""
    if expected == "text" and not isinstance(fault.found, (dict, list)):
        hint = "; put it in quotes"
    if expected == "a list" and isinstance(fault.found, dict):
        hint = "; begin each item with '- '"
    return f"expected {expected}, found {found}{hint}"


def _unknown_key(fault: Fault) -> str:
    home = home_of_key(fault.reported)
    if home is not None:
        return f"unknown key here; it belongs {home}"
    allowed = allowed_keys(find_spot(fault.reported[:-1]).schema)
    guess = meant_key(fault.reported)
    hint = f" (did you mean '{guess}'?)" if guess else ""
    if not 0 < len(allowed) <= _MOST_KEYS:
        return f"unknown key{hint}"
    return f"unknown key{hint}; allowed: {', '.join(allowed)}"


def _missing_tag(fault: Fault) -> str:
    key, words = discriminator(find_spot(fault.reported).schema) or ("", [])
    return f"missing key '{key}': one of {', '.join(words)}"


def _wrong_word(fault: Fault) -> str:
    expected = fault.context.get("expected_tags") or fault.context["expected"]
    words = re.findall(r"'([^']*)'", expected)
    keys = allowed_keys(find_spot(fault.loc).schema)
    # Where a word or a mapping may stand, pydantic only tells of the word.
    mapping = f", or a mapping with {', '.join(keys)}" if keys else ""
    hint = did_you_mean(fault.found, words)
    return (
        f"{shown(fault.found)} is not allowed{hint}; "
        f"allowed: {', '.join(words)}{mapping}"
    )


def _wrong_length(fault: Fault) -> str:
    schema = find_spot(fault.reported).schema
    least, most = schema.get("minItems"), schema.get("maxItems")
    if least == most:
        needs = f"{least}"
    elif fault.kind == "too_short":
        needs = f"at least {least}"
    else:
        needs = f"at most {most}"
    noun = "item" if needs.endswith(" 1") else "items"
    return f"needs {needs} {noun}, has {len(fault.found)}"


def _bad_text(fault: Fault) -> str:
    if fault.kind == "string_too_short":
        return "must not be empty"
    most = fault.context["max_length"]
    return f"at most {most:,} characters, has {len(fault.found):,}"


_WORDING: dict[str, Callable[[Fault], str]] = {
    "extra_forbidden": _unknown_key,
    "missing": lambda fault: f"missing key '{fault.loc[-1]}'",
    "union_tag_not_found": _missing_tag,
    "union_tag_invalid": _wrong_word,
    "literal_error": _wrong_word,
    "too_short": _wrong_length,
    "too_long": _wrong_length,
    "string_too_short": _bad_text,
    "string_too_long": _bad_text,
    "finite_number": lambda fault: f"must be finite, found {shown(fault.found)}",
    "value_error": lambda fault: str(fault.context["error"]),
}
