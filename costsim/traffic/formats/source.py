"""Rows of a table, wherever they are stored: what all kinds of tables have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    import pyarrow as pa

    from costsim.records import Ints
    from costsim.traffic.formats.batch import Account
    from costsim.traffic.formats.columns import Header


@dataclass(frozen=True)
class Chunk:
    """Some columns of some rows."""

    lines: Ints
    """Where each row begins: its line, or its number from 1."""
    columns: dict[int, pa.Array]
    """By their position: texts, numbers or moments."""

    @classmethod
    def empty(cls, positions: Sequence[int]) -> Self:
        """Return no rows."""
        import pyarrow as pa

        columns = {position: pa.array([], pa.string()) for position in positions}
        return cls(np.zeros(0, dtype=np.int64), columns)


class Source(Protocol):
    """A table of which the names of the columns are known."""

    header: Header

    def sample(self) -> list[list[str]]:
        """Return the first rows as text."""
        ...

    def chunks(
        self, positions: Sequence[int], account: Account, names: Collection[int] = ()
    ) -> Iterator[Chunk]:
        """Yield some columns of all rows; rows that have none are dropped.

        Those in ``names`` are text, even where they look like numbers.
        """
        ...
