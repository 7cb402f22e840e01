"""Which keys a scenario may have where, from its JSON Schema: for messages only."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from costsim.catalog.lookup import did_you_mean
from costsim.scenario.schema import Scenario

Loc = tuple[str | int, ...]
_Schema = dict[str, Any]


class Spot(NamedTuple):
    """A place in a scenario, reached by the way that pydantic reports."""

    loc: Loc
    """The way in the file's own keys, without pydantic's names of alternatives."""
    union: Loc | None
    """Where the first union without a discriminator stands on the way, if any."""
    schema: _Schema
    """What is allowed here; empty if nothing is known."""


def find_spot(reported: Loc) -> Spot:
    """Follow the way that pydantic reports."""
    schema = _resolve(_root())
    way: Loc = ()
    union = None
    for part in reported:
        alternative = _alternative(schema, part)
        if alternative is not None:
            if "discriminator" not in schema and union is None:
                union = way
            schema = alternative
        else:
            way = (*way, part)
            schema = _child(schema, part)
    return Spot(way, union, schema)


def allowed_keys(schema: _Schema) -> list[str]:
    """Return the keys of a mapping, or of all the mappings that may stand here."""
    parts = [schema, *schema.get("anyOf", ()), *schema.get("oneOf", ())]
    found = [key for part in parts for key in _resolve(part).get("properties", ())]
    return list(dict.fromkeys(found))


def discriminator(schema: _Schema) -> tuple[str, list[str]] | None:
    """Return the key that tells alternatives apart, and the words it can have."""
    if "discriminator" not in schema:
        return None
    found = schema["discriminator"]
    return found["propertyName"], list(found["mapping"])


def meant_key(reported: Loc) -> str | None:
    """Return the allowed key that an unknown one is most like, if it is like any."""
    hint = did_you_mean(reported[-1], allowed_keys(find_spot(reported[:-1]).schema))
    return hint.split("'")[1] if hint else None


def home_of_key(reported: Loc) -> str | None:
    """Return where a key belongs that stands one level off, if anywhere."""
    key, above = reported[-1], reported[:-1]
    here = find_spot(above).loc
    for depth in range(len(above) - 1, -1, -1):
        spot = find_spot(above[:depth])
        if spot.loc != here and key in allowed_keys(spot.schema):
            name = ".".join(map(str, spot.loc))
            return f"in {name}" if name else "at the top of the file"
    for name in allowed_keys(find_spot(above).schema):
        child = find_spot((*above, name)).schema
        if key in allowed_keys(child):
            return f"under {name}"
        if key in allowed_keys(_resolve(child.get("items", {}))):
            return f"in an item of {name}"
    return None


@cache
def _root() -> _Schema:
    return Scenario.model_json_schema()


def _resolve(schema: _Schema) -> _Schema:
    """Follow a reference; of what may be left out, take what may stand there."""
    if "$ref" in schema:
        return _resolve(_root()["$defs"][schema["$ref"].rpartition("/")[2]])
    given = [part for part in schema.get("anyOf", ()) if part.get("type") != "null"]
    # A bare value is short for one of the tagged alternatives beside it.
    tagged: list[_Schema] = [part for part in given if "discriminator" in part]
    if len(tagged) == 1:
        return tagged[0]
    return _resolve(given[0]) if len(given) == 1 else schema


def _alternative(schema: _Schema, part: str | int) -> _Schema | None:
    """Return the alternative that pydantic calls by this name, if it is one."""
    tagged = schema.get("discriminator", {}).get("mapping", {})
    if part in tagged:
        return _resolve({"$ref": tagged[part]})
    if "anyOf" not in schema or not isinstance(part, str):
        return None
    named = [one for one in schema["anyOf"] if one.get("$ref", "").endswith(f"/{part}")]
    return _resolve(named[0]) if named else {}


def _child(schema: _Schema, part: str | int) -> _Schema:
    if isinstance(part, int):
        return _resolve(schema.get("items", {}))
    known = schema.get("properties", {})
    if part in known:
        return _resolve(known[part])
    # A mapping whose keys are names, such as the phases of a setup.
    free = schema.get("additionalProperties")
    return _resolve(free) if isinstance(free, dict) else {}
