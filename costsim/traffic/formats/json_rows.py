"""Rows that are JSON objects: one to a line, or in one array."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from costsim.traffic.formats.columns import Header
from costsim.traffic.formats.json_values import Json, Unreadable
from costsim.traffic.formats.source import Chunk

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    import pyarrow as pa

    from costsim.traffic.formats.batch import Account
    from costsim.traffic.formats.content import Block, Content

_SAMPLE = 200
_ROWS_AT_ONCE = 16_384
_DEEPEST = 4


class JsonSource:
    """Rows that are JSON objects; their fields are the columns, ``a.b`` is b of a.

    Parameters
    ----------
    content : Content
        The file.
    """

    def __init__(self, content: Content) -> None:
        self._content = content
        found = [value for _, value in islice(content.objects(), _SAMPLE)]
        self._sample = [value for value in found if isinstance(value, dict)]
        names = dict.fromkeys(name for row in self._sample for name in _names(row))
        self.header = Header(tuple(names), None, "field")
        """Names of the fields of the first rows."""

    def sample(self) -> list[list[str]]:
        """Return the first rows as text."""
        names = self.header.names
        return [[_text(_get(row, name)) for name in names] for row in self._sample]

    def chunks(
        self, positions: Sequence[int], account: Account, names: Collection[int] = ()
    ) -> Iterator[Chunk]:
        """Yield some fields of all rows."""
        del names  # numbers keep all their digits
        schema = self._schema(positions) if self._content.is_json_lines else None
        if schema is None:
            yield from self._slowly(self._content.objects(), positions, account)
            return
        for block in self._content.blocks():
            found = self._fast(block, schema, positions)
            if found is not None:
                yield found
                continue
            lines = enumerate(block.data.decode("utf-8", "replace").split("\n"))
            values = ((block.first_line + i, _value(line)) for i, line in lines)
            yield from self._slowly(
                ((i, value) for i, value in values if value is not None),
                positions,
                account,
            )

    def _schema(self, positions: Sequence[int]) -> pa.Schema | None:
        """Return the types of some fields, None if they have no single type each."""
        import pyarrow as pa

        tree: dict[str, Any] = {}
        for position in positions:
            name = self.header.names[position]
            kind = _type_of([_get(row, name) for row in self._sample])
            literal = any("." in key for row in self._sample for key in row)
            if kind is None or ("." in name and literal):
                return None
            *outer, last = name.split(".")
            inside = tree
            for part in outer:
                inside = inside.setdefault(part, {})
            inside[last] = kind
        return pa.schema(_fields(tree))

    def _fast(
        self, block: Block, schema: pa.Schema, positions: Sequence[int]
    ) -> Chunk | None:
        """Return some fields of a block; None if it is not a typical object a line."""
        import pyarrow as pa
        from pyarrow import json as pa_json

        n_lines = block.data.count(b"\n") + (not block.data.endswith(b"\n"))
        try:
            table = pa_json.read_json(
                pa.BufferReader(block.data),
                pa_json.ReadOptions(block_size=len(block.data) + 1),
                pa_json.ParseOptions(
                    explicit_schema=schema, unexpected_field_behavior="ignore"
                ),
            )
        except pa.ArrowException:
            return None
        if table.num_rows != n_lines:
            return None
        columns = {i: field_of(table, self.header.names[i]) for i in positions}
        lines = np.arange(block.first_line, block.first_line + n_lines)
        return Chunk(lines, columns)

    def _slowly(
        self,
        values: Iterator[tuple[int, Json]],
        positions: Sequence[int],
        account: Account,
    ) -> Iterator[Chunk]:
        """Yield some fields of some values; drop those that are no objects."""
        names = [self.header.names[i] for i in positions]
        while part := list(islice(values, _ROWS_AT_ONCE)):
            rows = [(line, value) for line, value in part if isinstance(value, dict)]
            for line, value in part:
                if not isinstance(value, dict):
                    account.n_rows += 1
                    account.drop("a line that is no JSON object", line, _shown(value))
            columns = {
                position: _array([_get(row, name) for _, row in rows])
                for position, name in zip(positions, names, strict=True)
            }
            yield Chunk(np.array([line for line, _ in rows], dtype=np.int64), columns)


def field_of(table: pa.Table | pa.RecordBatch, name: str) -> pa.Array:
    """Return a column of a table, or the field of one; ``a.b`` is b of a."""
    import pyarrow as pa
    import pyarrow.compute as pc

    parts = [name] if name in table.schema.names else name.split(".")
    column = table.column(parts[0])
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    for part in parts[1:]:
        column = pc.struct_field(column, part)
    return column


def _names(row: dict[str, Json], depth: int = 1) -> Iterator[str]:
    for name, value in row.items():
        if isinstance(value, dict) and depth < _DEEPEST:
            yield from (f"{name}.{inner}" for inner in _names(value, depth + 1))
        else:
            yield name


def _get(row: dict[str, Json], name: str) -> Json:
    """Return a field by its name, or by its path."""
    if name in row or "." not in name:
        return row.get(name)
    inside: Json = row
    for part in name.split("."):
        inside = inside.get(part) if isinstance(inside, dict) else None
    return inside


def _value(line: str) -> Json:
    """Return the value on a line, None for a blank one."""
    if not line.strip():
        return None
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return Unreadable(line)
    return Unreadable(line) if value is None else value


def _type_of(values: list[Json]) -> pa.DataType | None:
    import pyarrow as pa

    kinds = {type(value) for value in values if value is not None}
    if kinds == {int}:
        large = any(abs(value) >= 2**63 for value in values if value is not None)
        return None if large else pa.int64()
    if kinds and kinds <= {int, float}:
        return pa.float64()
    return pa.string() if kinds == {str} else None


def _fields(tree: dict[str, Any]) -> list[tuple[str, pa.DataType]]:
    import pyarrow as pa

    return [
        (name, pa.struct(_fields(kind)) if isinstance(kind, dict) else kind)
        for name, kind in tree.items()
    ]


def _array(values: list[Json]) -> pa.Array:
    """Return values as numbers if all are, else as texts."""
    import pyarrow as pa

    kinds = {type(value) for value in values if value is not None}
    if kinds and kinds <= {int, float}:
        try:
            return pa.array(values, pa.int64() if kinds == {int} else pa.float64())
        except (pa.ArrowException, OverflowError):
            pass
    return pa.array([_text(value) for value in values], pa.string())


def _text(value: Json) -> str:
    if value is None or isinstance(value, bool):
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _shown(value: Json) -> str:
    return value.text if isinstance(value, Unreadable) else json.dumps(value)
