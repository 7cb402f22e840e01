"""The base of everything that is read from a file, and its types with units.

A ``Spec`` is frozen and closed: an unknown key is an error, a string is never taken for
a number, and ``yes`` is never taken for 1.0. The string below a field is its manual
entry; it becomes the JSON Schema's description, so the two cannot drift.
"""

from __future__ import annotations

import ast
import inspect
import math
from datetime import datetime
from functools import cache
from itertools import pairwise
from textwrap import dedent
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

from costsim import units

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema


class Spec(BaseModel):
    """Frozen, closed, strict."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="forbid",
        allow_inf_nan=False,
    )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Return the JSON Schema with the string below each field as its description.

        pydantic would read them as each model is defined, a third of the time that
        ``costsim run`` takes to start; here they are read when a schema is asked for.
        """
        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        for name, text in field_docs(cls).items():
            shown_as = cls.model_fields[name].alias or name
            if shown_as in properties:
                properties[shown_as]["description"] = text
        return schema


def field_docs(model: type[BaseModel]) -> dict[str, str]:
    """Return the string below each field of a model, inherited ones included."""
    docs: dict[str, str] = {}
    for one in reversed(model.__mro__):
        if issubclass(one, BaseModel) and one.__module__.startswith("costsim."):
            docs |= _docs_in(one)
    return {name: docs[name] for name in model.model_fields if name in docs}


@cache
def _docs_in(model: type[BaseModel]) -> dict[str, str]:
    """Return the strings below the fields that a class itself declares."""
    origin = model.__pydantic_generic_metadata__["origin"] or model
    (declared,) = ast.parse(dedent(inspect.getsource(origin))).body
    body = getattr(declared, "body", [])
    return {
        field.target.id: inspect.cleandoc(text.value.value)
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


T = TypeVar("T")

Many = Annotated[tuple[T, ...], Field(strict=False)]
"""A list in the file, a tuple here. (Strict mode would refuse the list itself.)"""


def _schema(kind: str, *examples: str) -> WithJsonSchema:
    return WithJsonSchema(
        {
            "type": "string",
            "description": f"{kind}, with its unit",
            "examples": list(examples),
        }
    )


def _with_unit(unit: str) -> PlainSerializer:
    """Write the float back as the text that reads as exactly that float."""
    return PlainSerializer(lambda value: f"{value!r}{unit}", return_type=str)


def _from(parse: Any) -> BeforeValidator:  # noqa: ANN401 - any of the parsers in units
    """Parse text; let a float through, as defaults and Python callers give them.

    A file's bare ``1.5`` has a type of its own (``yaml_source.FileFloat``) and is refused
    by the parser.
    """
    return BeforeValidator(
        lambda value: value if type(value) is float else parse(value)
    )


_MOST_USD = 1e12
"""More money than anybody pays, and far from where floats lose cents. [USD]"""
MOST_REPLICAS = 1_000_000
"""Most replicas that a pool can be told to keep."""

Duration = Annotated[
    float,
    _from(units.parse_duration),
    _with_unit("s"),
    _schema("a duration", "90s", "5m", "1h30m"),
    Field(ge=0, le=units.LONGEST_S),
]
"""A length of time. [s]"""

PositiveDuration = Annotated[Duration, Field(gt=0)]

Rate = Annotated[
    float,
    _from(units.parse_rate),
    _with_unit("/s"),
    _schema("a request rate", "48/h", "2.5/s", "50k/day"),
    Field(ge=0),
]
"""Requests per second. [requests/s]"""

TokenRate = Annotated[
    float,
    _from(units.parse_token_rate),
    _with_unit(" tokens/s"),
    _schema("a token rate", "8000 tokens/s"),
    Field(gt=0),
]
"""Tokens per second. [tokens/s]"""

Size = Annotated[
    float,
    _from(units.parse_size),
    _with_unit(" GiB"),
    _schema("a size", "16 GiB", "512 MiB"),
    Field(ge=0),
]
"""An amount of memory. [GiB]"""

Usd = Annotated[
    float,
    _from(units.parse_usd),
    _with_unit(" USD"),
    _schema("an amount of money", "250 USD"),
    Field(ge=0, le=_MOST_USD),
]
"""An amount of money. [USD]"""

Price = Annotated[
    float,
    _from(units.parse_price),
    _with_unit(" USD/h"),
    _schema("a price", "2.49 USD/h", "0.000222 USD/s"),
    Field(ge=0, le=_MOST_USD),
]
"""A price per unit of time. [USD/h]"""


def _moment(value: Any) -> Any:  # noqa: ANN401 - whatever the file holds
    given = isinstance(value, datetime) or type(value) is float
    return value if given else units.parse_moment(value)


Moment = Annotated[
    datetime | float,
    BeforeValidator(_moment),
    PlainSerializer(
        lambda value: (
            value.isoformat() if isinstance(value, datetime) else f"{value!r}s"
        ),
        return_type=str,
    ),
    WithJsonSchema(
        {
            "type": "string",
            "description": "a date and time, or a duration after the start",
            "examples": ["2026-03-05T18:00+01:00", "3d18h"],
        }
    ),
]
"""A moment of the calendar, or seconds after the scenario's start."""

Timeout = Annotated[
    float,
    Field(ge=0, allow_inf_nan=True),
    # The last before-validator runs first.
    _from(units.parse_duration),
    BeforeValidator(lambda value: math.inf if value == "never" else value),
    PlainSerializer(
        lambda value: "never" if math.isinf(value) else f"{value!r}s", return_type=str
    ),
    _schema("a duration, or never", "60s", "never"),
]
"""A length of time that may be endless. [s]"""

Count = Annotated[int, Field(ge=0)]
PositiveCount = Annotated[int, Field(ge=1)]
Replicas = Annotated[int, Field(ge=0, le=MOST_REPLICAS)]
NonNegative = Annotated[float, Field(ge=0)]
PositiveFloat = Annotated[float, Field(gt=0)]
Name = Annotated[str, Field(min_length=1, max_length=10_000)]

Fraction = Annotated[float, Field(ge=0, le=1)]
"""A share in [0, 1]."""


class RuleError(ValueError):
    """A rule between several keys, broken by one of them.

    Parameters
    ----------
    message : str
        What was written, what is allowed.
    key : str or int
        The way from the checked model to the key at fault.
    word : str
        What is at fault in a text of several lines, as it is written there.
    """

    def __init__(self, message: str, *key: str | int, word: str = "") -> None:
        super().__init__(message)
        self.key = key
        self.word = word


SpecT = TypeVar("SpecT", bound=Spec)


def exactly_one(spec: SpecT, first: str, second: str) -> SpecT:
    """Return the spec if it has one of the two keys and not the other.

    Raises
    ------
    ValueError
        If it has both or neither.
    """
    given = [key for key in (first, second) if getattr(spec, key) is not None]
    message = f"needs exactly one of {first} and {second}"
    if not given:
        raise ValueError(message)
    if len(given) > 1:
        raise RuleError(message, second)
    return spec


def refuse_repeats(what: str, names: list[str]) -> None:
    """Raise ``RuleError`` at the first name that is used again."""
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            message = f"{what} need different names; '{name[:40]}' is used twice"
            raise RuleError(message, what, index, "name")
        seen.add(name)
