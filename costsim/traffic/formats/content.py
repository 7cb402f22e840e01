"""What is in a file that may be packed, damaged, hostile or not what its name says.

Reading is bounded in memory, not in length: a line, a JSON value and the ratio by which
a packed file grows have a limit, a file has none.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from costsim.errors import TraceError
from costsim.traffic.formats.json_values import (
    Json,
    Unreadable,
    json_lines,
    json_values,
)
from costsim.traffic.formats.packing import PACKED_SUFFIXES, unpacked
from costsim.traffic.formats.shown import shown

if TYPE_CHECKING:
    import io
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

    from costsim.traffic.formats.stored_tables import StoredTable

__all__ = ["Block", "Content", "Head", "Unreadable", "shown"]

HEAD = 64 * 2**10
"""What a format is told by. [B]"""
BLOCK = 4 * 2**20
"""What is worth converting at once. [B]"""
MAX_LINE = 16 * 2**20
"""Longest line. [B]"""
MAX_DOCUMENT = 512 * 2**20
"""Largest file that can be read as one JSON value, unpacked. [B]"""

_BOM = b"\xef\xbb\xbf"
_TABLES = {b"PAR1": "a Parquet file", b"ARROW1": "an Arrow file"}
_OTHER_KINDS = {
    b"PK\x03\x04": "a zip archive or a spreadsheet",
    b"\xd0\xcf\x11\xe0": "a spreadsheet",
    b"BZh": "compressed by bzip2",
    b"\xfd7zXZ": "compressed by xz",
    b"SQLite": "a database",
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
}
_WANTED = "write text in UTF-8, plain or packed by gzip or zstd"


@dataclass(frozen=True)
class Head:
    """The beginning of a file, unpacked: what its format is told by."""

    text: str
    """Whole lines only, unless there is just one; empty for Parquet and Arrow files."""
    binary: bytes
    """The first bytes as they are."""
    lines: list[str]
    """The lines of the text without their ends; blank ones are left out."""
    json: Json
    """The first JSON value, if the text begins with one that is all there, else None."""
    suffix: str
    """The file name's ending in lower case, such as ``.csv``, without that of a packer."""
    columns: tuple[str, ...] = ()
    """Names of the columns of a Parquet or Arrow file."""


@dataclass(frozen=True)
class Block:
    """Some whole lines of a file."""

    data: bytes
    """The lines, with their ends: LF or CRLF."""
    first_line: int
    """Number of the first, from 1."""


class Content:
    """A file that is read as lines, blocks of lines, JSON values or a table.

    Each method reads from the beginning, and raises ``TraceError`` with the line where
    the file is damaged, too large in one of its bounds, or of another kind.

    Parameters
    ----------
    path : str
        The file.

    Raises
    ------
    TraceError
        If there is no such file, it is empty, or it holds neither text nor a table.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        if not Path(path).is_file():
            message = "is not a regular file" if Path(path).exists() else "no such file"
            raise TraceError(message, path=path)
        self._start = self._first_bytes()
        self._refuse_other_kinds()

    @property
    def table_kind(self) -> str:
        """In words what table this is, empty if it is text."""
        kinds = [kind for magic, kind in _TABLES.items() if self._starts(magic)]
        return kinds[0] if kinds else ""

    @cached_property
    def head(self) -> Head:
        """What the format is told by."""
        names = [
            suffix.lower()
            for suffix in Path(self.path).suffixes
            if suffix.lower() not in PACKED_SUFFIXES
        ]
        suffix = names[-1] if names else ""
        if self.table_kind:
            columns = tuple(self._open_table().schema_arrow.names)
            return Head("", self._start, [], None, suffix, columns)
        text = self._start.removeprefix(_BOM).decode("utf-8", "replace")
        whole, end, _ = text.rpartition("\n")
        if end and len(self._start) >= HEAD:
            text = whole + end
        lines = [line.strip("\r") for line in text.replace("\r\n", "\n").split("\n")]
        if len(lines) == 1 and "\r" in text:  # as old Macs end lines
            lines = text.split("\r")
        lines = [line for line in lines if line.strip()]
        return Head(text, self._start, lines, _first_value(text, lines), suffix)

    def lines(self) -> Iterator[str]:
        """Yield every line without its end, blank ones too."""
        for block in self.blocks():
            text = block.data.decode("utf-8", "replace")
            for line in text.removesuffix("\n").split("\n"):
                yield line.removesuffix("\r")

    def blocks(self, size: int | None = None) -> Iterator[Block]:
        """Yield the file in parts of about 4 MiB or ``size`` bytes, whole lines each."""
        size = BLOCK if size is None else size
        held: list[bytes] = []
        n_held, first_line = 0, 1
        for chunk in self._text():
            n_held += len(chunk)
            held.append(chunk)
            if n_held < size or b"\n" not in chunk:
                if n_held > MAX_LINE + size:
                    raise self._long_line(first_line, held)
                continue
            data, rest = _cut(b"".join(held))
            yield Block(data, first_line)
            first_line += data.count(b"\n")
            held, n_held = [rest], len(rest)
        if n_held:
            yield Block(b"".join(held), first_line)

    def objects(self) -> Iterator[tuple[int, Json]]:
        """Yield JSON values one at a time, each with its number.

        They may be one to a line, written one after the other in any layout, or the
        elements of one array. The number is the line where there is one to a line, else
        it counts the values from 1. A line that cannot be read comes as ``Unreadable``.
        """
        if self.is_json_lines:
            return json_lines(self.lines())
        return json_values(self._text(), self.path)

    def document(self) -> Json:
        """Return the whole file as one JSON value."""
        data = bytearray()
        for chunk in self._text():
            data += chunk
            if len(data) > MAX_DOCUMENT:
                message = (
                    f"is larger than {MAX_DOCUMENT // 2**20:,} MiB unpacked, too large "
                    "to be read as one JSON value; split it"
                )
                raise TraceError(message, path=self.path)
        try:
            return json.loads(data.decode("utf-8", "replace"))
        except (json.JSONDecodeError, RecursionError) as error:
            line = getattr(error, "lineno", None)
            why = getattr(error, "msg", "nested too deeply")
            message = f"is not valid JSON: {why}"
            raise TraceError(message, path=self.path, line=line) from error

    def open_binary(self) -> io.BufferedReader:
        """Open the file as it is, packed or not."""
        return Path(self.path).open("rb")

    def table_batches(
        self, columns: Iterable[str] | None = None, size: int = 65_536
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a Parquet or Arrow file, some columns if they are named."""
        if not self.table_kind:
            message = "is not a Parquet or Arrow file"
            raise TraceError(message, path=self.path)
        wanted = None if columns is None else list(columns)
        yield from self._open_table().batches(wanted, size)

    def _open_table(self) -> StoredTable:
        from costsim.traffic.formats.stored_tables import open_table

        return open_table(self.path)

    def _starts(self, magic: bytes) -> bool:
        return self._start.startswith(magic)

    def _first_bytes(self) -> bytes:
        """Return the first bytes, unpacked, and as many as there are up to a fault."""
        start = bytearray()
        try:
            for chunk in unpacked(self.path):
                start += chunk
                if len(start) >= HEAD:
                    break
        except TraceError:
            if not start:
                raise
        return bytes(start[:HEAD])

    def _refuse_other_kinds(self) -> None:
        start = self._start
        if not start.removeprefix(_BOM):
            message = "is empty"
            raise TraceError(message, path=self.path)
        for magic, kind in _OTHER_KINDS.items():
            if self._starts(magic):
                message = f"is {kind}; {_WANTED}"
                raise TraceError(message, path=self.path)
        if not self.table_kind and b"\0" in start[:4096]:
            message = f"is not a text file; {_WANTED}"
            raise TraceError(message, path=self.path)

    def _text(self) -> Iterator[bytes]:
        """Yield the bytes of the file, without its mark, lines ended by LF or CRLF."""
        if self.table_kind:
            message = f"is {self.table_kind}, where text is expected"
            raise TraceError(message, path=self.path)
        chunks = unpacked(self.path)
        old = b"\n" not in self._start and b"\r" in self._start
        first = True
        for chunk in chunks:
            part = chunk.removeprefix(_BOM) if first else chunk
            first = False
            yield part.replace(b"\r", b"\n") if old else part

    def _long_line(self, first_line: int, held: list[bytes]) -> TraceError:
        line = first_line + sum(part.count(b"\n") for part in held)
        message = f"is longer than {MAX_LINE:,} bytes; is this a log?"
        return TraceError(message, path=self.path, line=line)

    @cached_property
    def is_json_lines(self) -> bool:
        """Whether each line is a JSON value; the first one may be broken."""
        start = self._start.removeprefix(_BOM).lstrip()
        if start.startswith(b"["):
            return False
        if start.count(b"\n") < 1 and len(self._start) >= HEAD:
            first = next(self.lines(), "") if self._line_ends() else ""
            return _is_value(first)
        first, *others = self.head.lines[:3] or [""]
        if _is_value(first):
            return True
        # The first line may be broken; a layout over lines has commas between.
        closed = first.rstrip().endswith("}") or len(others) == 2
        return closed and bool(others) and all(map(_is_value, others))

    def _line_ends(self) -> bool:
        """Say whether the first line ends where a line may be as long."""
        n_read = 0
        for chunk in self._text():
            n_read += len(chunk)
            if b"\n" in chunk or n_read > MAX_LINE:
                return n_read <= MAX_LINE
        return True


def _cut(data: bytes) -> tuple[bytes, bytes]:
    """Return the whole lines, and what follows."""
    end = data.rfind(b"\n") + 1
    return data[:end], data[end:]


def _is_value(line: str) -> bool:
    if not line.lstrip().startswith("{"):
        return False
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _first_value(text: str, lines: list[str]) -> Json:
    if not text.lstrip().startswith(("{", "[")):
        return None
    for part in (lines[0], text.lstrip()):
        try:
            return json.JSONDecoder().raw_decode(part.lstrip())[0]
        except (ValueError, RecursionError):
            continue
    return None
