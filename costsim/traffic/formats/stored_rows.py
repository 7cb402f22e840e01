"""Rows of a Parquet or Arrow file."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from costsim.traffic.formats.columns import Header
from costsim.traffic.formats.json_rows import field_of
from costsim.traffic.formats.source import Chunk
from costsim.traffic.formats.stored_tables import open_table
from costsim.traffic.formats.values import text_array

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    import pyarrow as pa

    from costsim.traffic.formats.batch import Account
    from costsim.traffic.formats.content import Content

_SAMPLE = 200


class StoredSource:
    """Rows of a Parquet or Arrow file; ``a.b`` is field b of a column of structures.

    Parameters
    ----------
    content : Content
        The file.
    """

    def __init__(self, content: Content) -> None:
        self._content = content
        schema = open_table(content.path).schema_arrow
        self.header = Header(tuple(_names(schema)))
        """Names of the columns."""

    def sample(self) -> list[list[str]]:
        """Return the first rows as text."""
        for batch in islice(self._content.table_batches(size=_SAMPLE), 1):
            columns = [_texts(field_of(batch, n)) for n in self.header.names]
            return [list(row) for row in zip(*columns, strict=True)]
        return []

    def chunks(
        self, positions: Sequence[int], account: Account, names: Collection[int] = ()
    ) -> Iterator[Chunk]:
        """Yield some columns of all rows."""
        del names  # numbers keep all their digits
        del account  # no row can be without a column
        wanted = [self.header.names[i] for i in positions]
        top = set(open_table(self._content.path).schema_arrow.names)
        outer = [name if name in top else name.split(".")[0] for name in wanted]
        at = 1
        for batch in self._content.table_batches(list(dict.fromkeys(outer))):
            found = [field_of(batch, name) for name in wanted]
            columns = dict(zip(positions, found, strict=True))
            yield Chunk(np.arange(at, at + batch.num_rows), columns)
            at += batch.num_rows


def _names(schema: pa.Schema) -> Iterator[str]:
    import pyarrow as pa

    for field in schema:
        if pa.types.is_struct(field.type):
            yield from (f"{field.name}.{inner}" for inner in _names(field.type))
        else:
            yield field.name


def _texts(column: pa.Array) -> list[str]:
    import pyarrow as pa

    try:
        texts: list[str] = text_array(column).to_pylist()
    except (pa.ArrowException, NotImplementedError):  # lists and the like
        return ["?"] * len(column)
    return texts
