"""Lines of a text file that may be compressed, damaged, hostile or not text at all.

Reading is bounded: in the size of the file unpacked, in how much larger it gets by
that, and in the length of a line.
"""

from __future__ import annotations

import gzip
import io
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from costsim.errors import TraceError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES = 4 * 2**30
"""Largest file, unpacked. [B]"""
MAX_EXPANSION = 200
"""Largest ratio of unpacked to packed size; logs reach 5 to 50."""
EXPANSION_GRACE = 64 * 2**20
"""Unpacked size from which on the ratio counts: small files may be very regular. [B]"""
MAX_LINE = 2**20
"""Longest line. [characters]"""

_GZIP = b"\x1f\x8b"
_OTHER_KINDS = {
    b"PK\x03\x04": "a zip archive or a spreadsheet",
    b"BZh": "compressed by bzip2",
    b"\xfd7zXZ": "compressed by xz",
    b"\x28\xb5\x2f\xfd": "compressed by zstd",
    b"PAR1": "a Parquet file",
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
}


@contextmanager
def open_lines(path: str) -> Iterator[Iterator[str]]:
    """Open a text file and yield an iterator over its lines, line ends included.

    Raises
    ------
    TraceError
        If it cannot be read, is not text in UTF-8 or such text packed by gzip, is
        empty, or exceeds a bound; here or while the lines are read.
    """
    if not Path(path).is_file():
        message = "is not a regular file" if Path(path).exists() else "no such file"
        raise TraceError(message, path=path)
    try:
        with Path(path).open("rb") as file:
            yield _lines(file, path)
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        raise TraceError(message, path=path) from error


def shown(text: str, width: int = 40) -> str:
    """Return text of a file as it may appear in a message: short, printable, quoted."""
    cut = text if len(text) <= width else f"{text[: width - 3]}..."
    clean = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in cut)
    return f"'{clean}'"


def _lines(file: io.BufferedReader, path: str) -> Iterator[str]:
    number = 0
    try:
        content = _unpacked(file, path)
        _refuse_unless_text(content.peek(4096)[:4096], path)
        text = io.TextIOWrapper(content, "utf-8-sig", errors="replace", newline="")
        while line := text.readline(MAX_LINE + 1):
            number += 1
            if len(line) > MAX_LINE:
                message = f"is longer than {MAX_LINE:,} characters; is this a CSV file?"
                raise TraceError(message, path=path, line=number)
            yield line
    except EOFError as error:
        message = "the packed file ends too early; was it copied in full?"
        raise TraceError(message, path=path, line=number + 1) from error
    except (zlib.error, gzip.BadGzipFile) as error:
        message = f"the packed file is damaged: {error}"
        raise TraceError(message, path=path, line=number + 1) from error


def _unpacked(file: io.BufferedReader, path: str) -> io.BufferedReader:
    """Return the content of a file that may be packed by gzip."""
    packed = file.peek(2)[:2] == _GZIP
    if path.endswith(".gz") and not packed:
        message = "is named .gz but is not packed by gzip"
        raise TraceError(message, path=path)
    source = gzip.GzipFile(fileobj=file) if packed else file
    bounded = _Bounded(source, Path(path).stat().st_size, path)
    return io.BufferedReader(bounded, 2**17)


def _refuse_unless_text(head: bytes, path: str) -> None:
    if not head:
        message = "is empty"
        raise TraceError(message, path=path)
    for magic, kind in _OTHER_KINDS.items():
        if head.startswith(magic):
            message = f"is {kind}; write CSV in UTF-8, plain or packed by gzip"
            raise TraceError(message, path=path)
    if b"\0" in head:
        message = "is not a text file; write CSV in UTF-8, plain or packed by gzip"
        raise TraceError(message, path=path)


class _Bounded(io.RawIOBase):
    """Bytes of a file up to the bounds."""

    def __init__(self, source: io.BufferedIOBase, packed_size: int, path: str) -> None:
        self._source = source
        self._packed_size = packed_size
        self._path = path
        self._n_read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        # Not read(), which would lose what precedes a fault: read1 has it first.
        data = self._source.read1(len(buffer))
        self._n_read += len(data)
        if self._n_read > MAX_BYTES:
            message = f"is larger than {MAX_BYTES / 2**30:g} GiB; split it"
            raise TraceError(message, path=self._path)
        ratio = self._n_read / max(1, self._packed_size)
        if self._n_read > EXPANSION_GRACE and ratio > MAX_EXPANSION:
            message = (
                f"unpacks to more than {MAX_EXPANSION} times its size; if you trust it, "
                "unpack it and name the plain file"
            )
            raise TraceError(message, path=self._path)
        buffer[: len(data)] = data
        return len(data)
