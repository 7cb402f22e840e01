"""Requests written as files that other tools replay: Mooncake JSONL, CSV, Parquet.

Rows are written block by block, so that memory does not grow with them. CSV and Parquet
have the columns of ``costsim.traffic.formats.tables`` and are read back as they were;
Mooncake's lines are what vLLM (``timed_trace``) and aiperf (``mooncake_trace``) replay.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

import numpy as np

from costsim.errors import OutputError
from costsim.whole_file import whole_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from costsim.records import Floats

Form = Literal["mooncake", "csv", "parquet"]
SUFFIXES: dict[str, Form] = {
    ".jsonl": "mooncake",
    ".csv": "csv",
    ".parquet": "parquet",
}
"""The form that a file's name asks for."""

_BLOCK_TOKENS = 512
"""Tokens of one block of Mooncake's hash ids (FAST25 release, README)."""
_NUMBERS = ("duration_s", "input_tokens", "output_tokens")
_TEXTS = ("key", "session")


@dataclass(frozen=True, eq=False)
class Requests:
    """Some requests, one after the other; arrays of equal length, None where unknown."""

    arrival_s: Floats
    """Arrivals, ascending, also from block to block. [s]"""
    duration_s: Floats | None = None
    """Service times. [s]"""
    input_tokens: Floats | None = None
    """Tokens read."""
    output_tokens: Floats | None = None
    """Tokens written."""
    key: Sequence[str] | None = None
    """Endpoint, model, function or stream."""
    session: Sequence[str] | None = None
    """Session or user."""


def write_requests(
    blocks: Iterable[Requests], path: Path | None, form: Form, start: datetime | None
) -> bytes:
    """Write requests to a file, whole or not at all, or return them as bytes.

    Parameters
    ----------
    blocks : iterable of Requests
        All with the same columns.
    path : Path or None
        The file; None to return its content.
    form : str
        ``mooncake``, ``csv`` or ``parquet``.
    start : datetime or None
        The moment from which arrivals are counted; None: they stay seconds. Mooncake
        counts milliseconds from there in any case.

    Returns
    -------
    bytes
        The content, if there is no path.

    Raises
    ------
    OutputError
        If the file cannot be written, or the form needs what the requests do not have.
    """
    if path is None:
        content = io.BytesIO()
        _write(blocks, content, form, start)
        return content.getvalue()
    with whole_file(path) as file:
        _write(blocks, file, form, start)
    return b""


def _write(
    blocks: Iterable[Requests], file: BinaryIO, form: Form, start: datetime | None
) -> None:
    if form == "mooncake":
        for text in _mooncake(blocks):
            file.write(text.encode())
        return
    tables = (_table(block, start) for block in blocks)
    first = next(tables, None)
    if first is None:
        return
    with _table_writer(form, file, first.schema) as writer:
        writer.write_table(first)
        for table in tables:
            writer.write_table(table)


def _table_writer(form: Form, file: BinaryIO, schema: Any) -> Any:  # noqa: ANN401 - pyarrow has no types
    from pyarrow import csv, parquet

    if form == "parquet":
        return parquet.ParquetWriter(file, schema, compression="zstd")
    return csv.CSVWriter(file, schema)


def _table(block: Requests, start: datetime | None) -> Any:  # noqa: ANN401 - pyarrow has no types
    import pyarrow as pa

    columns: dict[str, Any] = {}
    if start is None:
        columns["arrival_s"] = pa.array(block.arrival_s)
    else:
        columns["arrival"] = _moments(block.arrival_s, start)
    for name in _NUMBERS:
        values = getattr(block, name)
        if values is not None:
            columns[name] = pa.array(values, from_pandas=True)
    for name in _TEXTS:
        values = getattr(block, name)
        if values is not None:
            columns[name] = pa.array(values, pa.string())
    return pa.table(columns)


def _moments(arrival_s: Floats, start: datetime) -> Any:  # noqa: ANN401 - pyarrow has no types
    """Return calendar times to the microsecond, by the clock of the start."""
    import pyarrow as pa

    zone = None if start.tzinfo is None else "UTC"
    plain = start if zone is None else start.astimezone(UTC).replace(tzinfo=None)
    since = np.datetime64(plain, "us")
    moments = since + np.rint(arrival_s * 1e6).astype("timedelta64[us]")
    return pa.array(moments, pa.timestamp("us", tz=zone))


def _mooncake(blocks: Iterable[Requests]) -> Iterator[str]:
    """Yield the lines of a Mooncake trace, a block at a time.

    Every request has hash ids of its own: no prefix is shared, so that no tool finds one
    in its cache.
    """
    next_id = 0
    for block in blocks:
        if block.input_tokens is None or block.output_tokens is None:
            message = (
                "Mooncake lines need the tokens of each request, which are not known "
                "here; export csv or parquet"
            )
            raise OutputError(message)
        lines = []
        read = _whole(block.input_tokens)
        written = _whole(block.output_tokens)
        for arrival_s, n_read, n_written in zip(
            block.arrival_s.tolist(), read, written, strict=True
        ):
            n_blocks = -(-n_read // _BLOCK_TOKENS)
            ids = ", ".join(map(str, range(next_id, next_id + n_blocks)))
            next_id += n_blocks
            lines.append(
                f'{{"timestamp": {round(arrival_s * 1000)}, "input_length": {n_read}, '
                f'"output_length": {n_written}, "hash_ids": [{ids}]}}\n'
            )
        yield "".join(lines)


def _whole(tokens: Floats) -> list[int]:
    """Return numbers of tokens as whole ones, at least 1."""
    if not np.isfinite(tokens).all():
        message = "some requests have no tokens; export csv or parquet"
        raise OutputError(message)
    counts: list[int] = np.maximum(np.rint(tokens), 1).astype(np.int64).tolist()
    return counts
