"""Parquet and Arrow files: tables that are stored by columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from costsim.errors import TraceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa


class StoredTable:
    """A table in a file, read some rows at a time."""

    def __init__(self, path: str) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._path = path
        self._file: Any
        try:
            with open(path, "rb") as file:  # noqa: PTH123
                self._is_arrow = file.read(6) == b"ARROW1"
            if self._is_arrow:
                self._file = pa.ipc.open_file(pa.OSFile(path))
                self.schema_arrow = self._file.schema
            else:
                self._file = pq.ParquetFile(path)
                self.schema_arrow = self._file.schema_arrow
        except (pa.ArrowException, OSError, ValueError) as error:
            raise _damaged(path) from error

    def batches(self, columns: list[str] | None, size: int) -> Iterator[pa.RecordBatch]:
        """Yield the rows, some columns of them if these are named."""
        import pyarrow as pa

        try:
            if not self._is_arrow:
                yield from self._file.iter_batches(batch_size=size, columns=columns)
                return
            for number in range(self._file.num_record_batches):
                batch = self._file.get_batch(number)
                yield batch if columns is None else batch.select(columns)
        except (pa.ArrowException, OSError) as error:
            raise _damaged(self._path) from error


def open_table(path: str) -> StoredTable:
    """Return the table in a file.

    Raises
    ------
    TraceError
        If the file is cut off or damaged; also while it is read.
    """
    return StoredTable(path)


def _damaged(path: str) -> TraceError:
    message = "the table is damaged or cut off; was it copied in full?"
    return TraceError(message, path=path)
