"""Lines of fields to columns, many lines at once.

Lines that the fast way cannot split are handed back with their numbers, so that a slow
way may look at each of them.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow as pa

    from costsim.records import Floats, Ints
    from costsim.traffic.formats.content import Block


@dataclass(frozen=True, eq=False)
class Coded:
    """A column of texts that repeat: each different text once, and which a row has."""

    values: pa.Array
    """The texts, not all of them used."""
    codes: Ints
    """Position of each row's text."""

    def numbers(self, parse: Callable[[str], float]) -> Floats:
        """Return a number for each row; each text is parsed once."""
        return self._parsed(parse, np.dtype(np.float64))

    def wholes(self, parse: Callable[[str], int]) -> Ints:
        """Return a whole number for each row; each text is parsed once."""
        return self._parsed(parse, np.dtype(np.int64))

    def floats(self, parse: Callable[[str], float]) -> Floats:
        """Return the same as ``numbers``, faster where all texts are plain numbers."""
        import pyarrow as pa

        try:
            values = self.values.cast(pa.float64()).to_numpy(zero_copy_only=False)
        except pa.ArrowException:
            return self.numbers(parse)
        return np.asarray(values[self.codes], dtype=np.float64)

    def texts(self, change: Callable[[pa.Array], pa.Array] | None = None) -> pa.Array:
        """Return a text for each row, changed if wanted; each is changed once."""
        values = self.values if change is None else change(self.values)
        return values.take(_array(self.codes))

    def text(self, row: int) -> str:
        """Return the text of one row."""
        return str(self.values[int(self.codes[row])].as_py())

    def rows(self, which: Ints) -> Coded:
        """Return some of the rows, by their positions."""
        return Coded(self.values, self.codes[which])

    def joined(self, other: Coded) -> Coded:
        """Return the rows of both."""
        import pyarrow as pa

        codes = np.concatenate([self.codes, other.codes + len(self.values)])
        return Coded(pa.concat_arrays([self.values, other.values]), codes)

    def _parsed(
        self, parse: Callable[[str], float], dtype: np.dtype[Any]
    ) -> np.ndarray[Any, np.dtype[Any]]:
        parsed = np.array([parse(text) for text in self.values.to_pylist()], dtype)
        return parsed[self.codes]


@dataclass(frozen=True, eq=False)
class Fields:
    """Some columns of some lines."""

    line: Ints
    """Number of each line."""
    columns: list[Coded]
    """The columns that were wanted, in the order in which they were."""

    def joined(self, other: Fields) -> Fields:
        """Return the lines of both, by their numbers."""
        line = np.concatenate([self.line, other.line])
        order = np.argsort(line, kind="stable")
        pairs = zip(self.columns, other.columns, strict=True)
        return Fields(line[order], [a.joined(b).rows(order) for a, b in pairs])


def split_block(
    block: Block, delimiter: str, n_fields: int, wanted: Sequence[int]
) -> tuple[Fields, list[tuple[int, str]]]:
    r"""Split lines whose fields may be in quotes, with ``\`` before quotes inside.

    Parameters
    ----------
    block : Block
        The lines.
    delimiter : str
        What is between fields.
    n_fields : int
        How many fields a line has.
    wanted : sequence of int
        Positions of the fields to return.

    Returns
    -------
    fields : Fields
        The lines that have this number of fields; of blank lines all are empty.
    odd : list of tuple of int and str
        Numbers and texts of the others; all lines if a quotation mark is left open.
    """
    odd: list[tuple[int, str]] = []
    table = _table(_utf8(block.data), delimiter, n_fields, wanted, odd)
    n_lines = block.data.count(b"\n") + (not block.data.endswith(b"\n"))
    if table is None or table.num_rows + len(odd) != n_lines:
        return fields_of([], [], len(wanted)), _all_lines(block)
    line = np.arange(n_lines, dtype=np.int64)
    if odd:
        line = np.delete(line, [number - 1 for number, _ in odd])
    columns = [_coded(table.column(str(position))) for position in wanted]
    odd = [(number + block.first_line - 1, text) for number, text in odd]
    return Fields(line + block.first_line, columns), odd


def split_line(line: str, delimiter: str = ",") -> list[str]:
    """Return the fields of one line, the line itself if its quotes are in disorder."""
    try:
        return next(csv.reader([line.replace("\r", " ")], delimiter=delimiter), [])
    except csv.Error:
        return [line]


def fields_of(lines: Sequence[int], rows: Sequence[Sequence[str]], n: int) -> Fields:
    """Return rows that were split one by one, each into ``n`` fields."""
    codes = np.arange(len(rows), dtype=np.int64)
    columns = [Coded(_array([row[i] for row in rows]), codes) for i in range(n)]
    return Fields(np.array(lines, dtype=np.int64), columns)


def _array(values: Sequence[str] | Ints) -> pa.Array:
    import pyarrow as pa

    return pa.array(values, pa.string() if isinstance(values, list) else pa.int64())


def _table(
    data: bytes,
    delimiter: str,
    n_fields: int,
    wanted: Sequence[int],
    odd: list[tuple[int, str]],
) -> pa.Table | None:
    """Return the columns, None if they cannot be told; ``odd`` takes the odd lines."""
    import pyarrow as pa
    from pyarrow import csv as arrow

    def keep(row: arrow.InvalidRow) -> str:
        odd.append((row.number, row.text))
        return "skip"

    coded = pa.dictionary(pa.int32(), pa.string())
    try:
        return arrow.read_csv(
            pa.BufferReader(data),
            read_options=arrow.ReadOptions(
                use_threads=False,  # else odd lines have no numbers
                block_size=len(data) + 1,
                column_names=[str(i) for i in range(n_fields)],
            ),
            parse_options=arrow.ParseOptions(
                delimiter=delimiter,
                quote_char='"',
                double_quote=False,
                escape_char="\\",
                ignore_empty_lines=False,
                invalid_row_handler=keep,
            ),
            convert_options=arrow.ConvertOptions(
                check_utf8=False,
                column_types={str(i): coded for i in wanted},
                include_columns=[str(i) for i in wanted],
            ),
        )
    except pa.ArrowInvalid:
        return None


def _coded(column: pa.ChunkedArray) -> Coded:
    """Return a column of pyarrow that is coded in the same way."""
    chunks = column.unify_dictionaries().chunks
    if not chunks:
        return Coded(_array([]), np.empty(0, dtype=np.int64))
    codes = np.concatenate([np.asarray(chunk.indices) for chunk in chunks])
    return Coded(chunks[0].dictionary, codes.astype(np.int64))


def _utf8(data: bytes) -> bytes:
    """Return the same text; what is not UTF-8 is replaced, for pyarrow needs it."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace").encode()
    return data


def _all_lines(block: Block) -> list[tuple[int, str]]:
    text = block.data.decode("utf-8", "replace").removesuffix("\n")
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    return list(enumerate(lines, start=block.first_line))
