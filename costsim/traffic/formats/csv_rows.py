"""Rows of a text table with a header: CSV, and its cousins with other delimiters.

A block of lines is converted as a whole. Only where that fails it is read field by field,
so that every row at fault is found and has its line.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import numpy as np

from costsim.errors import TraceError
from costsim.traffic.formats.columns import Header
from costsim.traffic.formats.source import Chunk
from costsim.traffic.formats.values import floats_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    import pyarrow as pa

    from costsim.traffic.formats.batch import Account
    from costsim.traffic.formats.content import Content, Head

_DELIMITERS = ",;\t|"
_SAMPLE = 50
_MAX_ROW = 64 * 2**20


class CsvSource:
    """Rows of a text table.

    Parameters
    ----------
    content : Content
        The file.

    Raises
    ------
    TraceError
        If it has no header.
    """

    def __init__(self, content: Content) -> None:
        self._content = content
        number, line = _first_line(content)
        self._delimiter = max(_DELIMITERS, key=line.count)
        try:
            names = next(csv.reader([line], delimiter=self._delimiter))
        except csv.Error as error:
            message = f"has no header that can be read: {error}"
            raise TraceError(message, path=content.path, line=number) from error
        self.header = Header(tuple(names), number)
        """Names of the columns."""
        self._types = self._guessed_types()

    def sample(self) -> list[list[str]]:
        """Return the first rows as text."""
        head = self._content.head.text.removeprefix("\ufeff")
        lines = io.StringIO(head, newline="")
        reader = csv.reader(lines, delimiter=self._delimiter)
        n = len(self.header.names)
        try:
            rows = [row for row in reader if len(row) == n]
        except csv.Error:
            return []
        named = [row for row in rows if tuple(row) != self.header.names]
        return named[:-1] if len(named) > 100 else named

    def _guessed_types(self) -> dict[int, pa.DataType]:
        """Return the types of columns that seem to be numbers."""
        import pyarrow as pa

        types: dict[int, pa.DataType] = {}
        for i, texts in enumerate(zip(*self.sample()[:_SAMPLE], strict=True)):
            if all(text.isdigit() for text in texts):
                types[i] = pa.int64() if len(texts[0]) > 15 else pa.float64()
            elif np.isfinite(floats_of(list(texts))).all():
                types[i] = pa.float64()
        return types

    def chunks(
        self, positions: Sequence[int], account: Account, names: Collection[int] = ()
    ) -> Iterator[Chunk]:
        """Yield some columns of all rows; those in ``names`` are text in any case."""
        self._types = {i: t for i, t in self._types.items() if i not in names}
        held, held_line = b"", 0
        for block in self._content.blocks():
            data, first_line = block.data, block.first_line
            if first_line <= (self.header.line or 0):
                data, first_line = _behind(data, first_line, self.header.line or 0)
            if held:
                data, first_line = held + data, held_line
            # A quoted field may go on in the next block.
            if data.count(b'"') % 2 and len(data) < _MAX_ROW:
                held, held_line = data, first_line
                continue
            held = b""
            yield self._chunk(data, first_line, positions, account)
        if held:
            yield self._chunk(held, held_line, positions, account)

    def _chunk(
        self, data: bytes, first_line: int, positions: Sequence[int], account: Account
    ) -> Chunk:
        if not data:
            return Chunk.empty(positions)
        found = self._fast(data, first_line, positions)
        return found or self._slow(data, first_line, positions, account)

    def _fast(
        self, data: bytes, first_line: int, positions: Sequence[int]
    ) -> Chunk | None:
        """Return some columns of a block; None if it is not a row a line throughout."""
        import pyarrow as pa
        from pyarrow import csv as pa_csv

        names = [str(i) for i in range(len(self.header.names))]
        wanted = [str(i) for i in positions]
        types = {str(i): self._types.get(i, pa.string()) for i in positions}
        quoted = b'"' in data
        try:
            table = pa_csv.read_csv(
                pa.BufferReader(data),
                pa_csv.ReadOptions(column_names=names, block_size=2**21),
                pa_csv.ParseOptions(
                    delimiter=self._delimiter,
                    newlines_in_values=quoted,
                    quote_char='"' if quoted else False,
                ),
                pa_csv.ConvertOptions(
                    include_columns=wanted,
                    column_types=types,
                    null_values=["", "NaN", "nan"],
                    strings_can_be_null=False,
                ),
            )
        except pa.ArrowException:
            if not self._types:
                return None
            self._types = {}  # not all are numbers, so that all are read as text
            return self._fast(data, first_line, positions)
        n_lines = data.count(b"\n") + (not data.endswith(b"\n"))
        if table.num_rows != n_lines:
            return None
        columns = {int(name): table[name].combine_chunks() for name in wanted}
        return Chunk(np.arange(first_line, first_line + n_lines), columns)

    def _slow(
        self, data: bytes, first_line: int, positions: Sequence[int], account: Account
    ) -> Chunk:
        """Return some columns of a block; drop rows that have more or fewer fields."""
        import pyarrow as pa

        lines_in = io.StringIO(data.decode("utf-8", "replace"), newline="")
        reader = csv.reader(lines_in, delimiter=self._delimiter, strict=True)
        texts: list[list[str]] = [[] for _ in positions]
        lines: list[int] = []
        begin, n = first_line, len(self.header.names)
        try:
            for row in reader:
                if len(row) == n:
                    lines.append(begin)
                    for column, position in zip(texts, positions, strict=True):
                        column.append(row[position])
                elif row:  # no field at all is a blank line
                    account.n_rows += 1
                    account.drop("another number of fields than the header", begin)
                begin = first_line + reader.line_num
        except csv.Error as error:
            at = first_line + reader.line_num - 1
            message = f"is not valid CSV: {error}; is a quotation mark left open?"
            raise TraceError(message, path=account.path, line=at) from error
        columns = {
            position: pa.array(column, pa.string())
            for position, column in zip(positions, texts, strict=True)
        }
        return Chunk(np.array(lines, dtype=np.int64), columns)


def names_of(head: Head) -> list[str]:
    """Return what the first line of a file names, if it is a header."""
    lines = [line for line in head.lines[:2] if not line.startswith("sep=")]
    if not lines:
        return []
    try:
        delimiter = max(_DELIMITERS, key=lines[0].count)
        return next(csv.reader(lines[:1], delimiter=delimiter))
    except (csv.Error, StopIteration):
        return []


def _first_line(content: Content) -> tuple[int, str]:
    """Return the first line that names columns, and its number."""
    for number, line in enumerate(content.lines(), start=1):
        if line.strip() and not line.startswith("sep="):
            return number, line
    message = "has no header and no rows"
    raise TraceError(message, path=content.path)


def _behind(data: bytes, first_line: int, header_line: int) -> tuple[bytes, int]:
    """Return what follows the header, and the number of its first line."""
    at = 0
    for _ in range(first_line, header_line + 1):
        end = data.find(b"\n", at)
        if end < 0:
            return b"", header_line + 1
        at = end + 1
    return data[at:], header_line + 1
