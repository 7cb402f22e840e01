"""Files packed by gzip or zstd: unpacked part by part, and refused if they are a bomb."""

from __future__ import annotations

import zlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from costsim.errors import TraceError

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator

MAX_EXPANSION = 200
"""Largest ratio of unpacked to packed size; logs reach 5 to 50."""
EXPANSION_GRACE = 64 * 2**20
"""Unpacked size from which on the ratio counts: small files may be very regular. [B]"""
PACKED_SUFFIXES = (".gz", ".gzip", ".zst", ".zstd")
"""Endings that a packer adds to a name."""

_PART = 2**20
_PACKED_PART = 2**16
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_PACKER_OF = {".gz": "gzip", ".gzip": "gzip", ".zst": "zstd", ".zstd": "zstd"}


class _PackingError(Exception):
    """What is wrong with a packed file."""


class _Member(Protocol):
    def decompress(self, data: bytes, max_length: int = 0, /) -> bytes: ...


def unpacked(path: str) -> Iterator[bytes]:
    """Yield the bytes of a file, unpacked if it is packed, about 1 MiB at a time.

    Raises
    ------
    TraceError
        If it cannot be read, its name promises a packer that it is not packed by, it is
        cut off or damaged, or it grows out of all proportion; with the line.
    """
    n_lines = n_bytes = 0
    try:
        with Path(path).open("rb") as file:
            packed = Path(path).stat().st_size
            may_fail = file.peek(4)[:4].startswith((_GZIP, _ZSTD))
            for part in _parts(file, path):
                n_bytes += len(part)
                if n_bytes > max(EXPANSION_GRACE, MAX_EXPANSION * packed):
                    message = (
                        f"unpacks to more than {MAX_EXPANSION} times its size; if you "
                        "trust it, unpack it and name the plain file"
                    )
                    raise TraceError(message, path=path)
                if may_fail:
                    n_lines += part.count(b"\n")
                yield part
    except _PackingError as fault:
        raise TraceError(str(fault), path=path, line=n_lines + 1) from fault
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        raise TraceError(message, path=path) from error


def _parts(file: io.BufferedReader, path: str) -> Iterator[bytes]:
    magic = file.peek(4)[:4]
    promised = _PACKER_OF.get(Path(path).suffix.lower())
    if magic.startswith(_GZIP):
        return _gunzip(file)
    if magic == _ZSTD:
        return _unzstd(file)
    if promised is not None and magic:
        message = f"is named {Path(path).suffix} but is not packed by {promised}"
        raise TraceError(message, path=path)
    return iter(lambda: file.read(_PART), b"")


def _gunzip(file: io.BufferedReader) -> Iterator[bytes]:
    """Yield what one gzip member after the other holds."""
    member = zlib.decompressobj(31)
    data = file.read(_PACKED_PART)
    while data:
        before = member.copy()
        try:
            part = member.decompress(data, _PART)
        except zlib.error as error:
            yield from _up_to_fault(before, data)
            why = str(error).rpartition(": ")[2]
            message = f"the packed file is damaged: {why}"
            raise _PackingError(message) from error
        yield part
        data = member.unconsumed_tail
        if member.eof:
            data = member.unused_data.lstrip(b"\0")  # members may be padded
        data = data or file.read(_PACKED_PART)
        if member.eof:
            data = data.lstrip(b"\0")
            member = zlib.decompressobj(31) if data else member
    if not member.eof:
        yield member.flush()
        message = "the packed file ends too early; was it copied in full?"
        raise _PackingError(message)


def _up_to_fault(member: _Member, data: bytes) -> Iterator[bytes]:
    """Yield what can be unpacked of a damaged part, which tells the line of the fault."""
    with suppress(zlib.error):
        for byte in data:
            yield member.decompress(bytes((byte,)))


def _unzstd(file: io.BufferedReader) -> Iterator[bytes]:
    """Yield what one zstd frame after the other holds."""
    import pyarrow as pa

    stream = pa.CompressedInputStream(file, "zstd")
    while True:
        try:
            part = stream.read(_PART)
        except (pa.ArrowException, OSError) as error:
            message = (
                "the packed file ends too early; was it copied in full?"
                if "truncated" in str(error).lower()
                else "the packed file is damaged"
            )
            raise _PackingError(message) from error
        if not part:
            return
        yield part
