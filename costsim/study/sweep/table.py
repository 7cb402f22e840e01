"""The columns of a sweep: the point, what was varied, and a row of results.

What was varied comes as it was written: numbers as numbers, all else as text. Durations and
rates that are text come again as numbers, in seconds and per second.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from costsim import units
from costsim.scenario.overrides import read_value
from costsim.study.result import DeploymentRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import pyarrow as pa

    from costsim.study.sweep.axis import Axis
    from costsim.study.sweep.design import Point

FAILED = b"costsim.failed"
"""Metadata of a part: reasons by the index of the point, as JSON."""
_LEFT_OUT = {"perfect_usd"}
"""Fields of a row that a sweep does not ask for."""
_FIELDS = tuple(one for one in fields(DeploymentRow) if one.name not in _LEFT_OUT)
_TYPES = {"str": "string", "int": "int64", "float": "float64", "bool | None": "bool_"}

_QUANTITIES: tuple[tuple[str, Callable[[object], float]], ...] = (
    ("_s", units.parse_duration),
    ("_per_s", units.parse_rate),
)


@dataclass(frozen=True)
class Parameter:
    """A key that is varied, as a column."""

    key: str
    kind: str
    """Type of its values, as pyarrow names it."""
    quantity: str | None = None
    """Ending of the column that has the same as a number; None: there is none."""

    def cells(self, text: str) -> dict[str, Any]:
        """Return a value by the names of its columns."""
        if self.kind == "string":
            cells: dict[str, Any] = {self.key: text}
            if self.quantity is not None:
                cells[f"{self.key}{self.quantity}"] = self.number(text)
            return cells
        value = read_value(text)
        return {self.key: float(value) if self.kind == "float64" else value}

    def number(self, text: str) -> float:
        """Return a value as a number; NaN if it is none."""
        if self.quantity is not None:
            return dict(_QUANTITIES)[self.quantity](text)
        return math.nan if self.kind == "string" else float(read_value(text))


def parameters_of(axes: Sequence[Axis]) -> tuple[Parameter, ...]:
    """Return the columns of what is varied."""
    return tuple(_parameter(axis) for axis in axes)


def _parameter(axis: Axis) -> Parameter:
    if axis.span is not None:
        whole, bare = axis.span.whole, not axis.span.unit
        kind = "int64" if whole else "float64" if bare else "string"
        return Parameter(
            axis.key, kind, _quantity(axis.span.ends) if not bare else None
        )
    types = {_type(text) for text in axis.values}
    if types <= {"int64", "float64"}:
        return Parameter(axis.key, "int64" if types == {"int64"} else "float64")
    if types == {"bool_"}:
        return Parameter(axis.key, "bool_")
    return Parameter(axis.key, "string", _quantity(axis.values))


def _type(text: str) -> str:
    value = read_value(text)
    if isinstance(value, bool):
        return "bool_"
    if isinstance(value, int) and abs(value) < 2**63:
        return "int64"
    return "float64" if isinstance(value, (int, float)) else "string"


def _quantity(texts: Iterable[str]) -> str | None:
    """Return the ending of the first quantity that all texts are, or None."""
    for ending, parse in _QUANTITIES:
        try:
            for text in texts:
                parse(text)
        except ValueError:
            continue
        return ending
    return None


def schema_of(parameters: Sequence[Parameter]) -> pa.Schema:
    """Return the columns and their types."""
    import pyarrow as pa

    columns = {"point": pa.int64()}
    for one in parameters:
        columns[one.key] = getattr(pa, one.kind)()
        if one.quantity is not None:
            columns[f"{one.key}{one.quantity}"] = pa.float64()
    for field in _FIELDS:
        # A key of the scenario may be a field too: ``replications``, with the same value.
        columns.setdefault(field.name, getattr(pa, _TYPES[str(field.type)])())
    columns["cheapest"] = pa.bool_()
    return pa.schema(list(columns.items()))


def row_of(
    point: Point,
    parameters: Sequence[Parameter],
    row: DeploymentRow,
    *,
    cheapest: bool,
) -> dict[str, Any]:
    """Return one row; what is not known is None."""
    cells: dict[str, Any] = {"point": point.index}
    for one, text in zip(parameters, point.values, strict=True):
        cells |= one.cells(text)
    for field in _FIELDS:
        cells.setdefault(field.name, _known(getattr(row, field.name)))
    cells["cheapest"] = cheapest
    return cells


def as_parquet(
    rows: Sequence[Mapping[str, Any]],
    failed: Mapping[int, str],
    schema: pa.Schema,
) -> bytes:
    """Return rows as a Parquet file, with the points that failed beside them."""
    import pyarrow as pa
    from pyarrow import parquet

    noted = schema.with_metadata({FAILED: json.dumps(failed).encode()})
    table = pa.Table.from_pylist(list(rows), schema=noted)
    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _known(value: Any) -> Any:  # noqa: ANN401 - whatever a field holds
    return None if isinstance(value, float) and not math.isfinite(value) else value
