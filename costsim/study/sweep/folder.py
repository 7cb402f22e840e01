"""The folder of a sweep: bound to what was asked, one file a finished part, then all of it.

::

    DIR/
    ├── sweep.json         what was asked, as hashes; a folder takes no other sweep
    ├── parts/00000.parquet ...   finished parts, each written whole or not at all
    ├── results.parquet    all parts in their order
    ├── results.csv        the same
    └── summary.json       the best points, what each key does, what was left out
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from costsim.errors import InputError, OutputError
from costsim.whole_file import whole_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from costsim.study.sweep.parts import Part

BINDING = "sweep.json"
_PARTS = "parts"
_LOCK = ".lock"
_WORDS = {
    "costsim_version": "the version of costsim",
    "scenario": "the scenario",
    "prices": "the prices",
    "traces": "the trace",
    "vary": "what is varied",
    "draw": "the number of points drawn",
}
"""What a folder is bound to, for messages."""


class Folder:
    """Where a sweep keeps what is finished.

    Parameters
    ----------
    path : str or Path
        The folder; made if it is not there.
    binding : mapping of str to object
        What tells this sweep from others.

    Raises
    ------
    InputError
        If the folder holds another sweep, or other files.
    OutputError
        If it cannot be written.
    """

    def __init__(self, path: str | Path, binding: Mapping[str, Any]) -> None:
        self.path = Path(path)
        self._bind(dict(binding))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other sweeps out of the folder.

        Raises
        ------
        InputError
            If one is at work in it.
        """
        try:
            import fcntl
        except ImportError:  # Windows has no such lock
            yield
            return
        with (self.path / _LOCK).open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                message = "another sweep is at work in it; wait, or name another folder"
                raise InputError(message, path=str(self.path)) from None
            except OSError:
                pass  # a file system without locks
            yield

    def finished(self, parts: Sequence[Part]) -> set[int]:
        """Return the numbers of the parts that are here, whole; drop what is not."""
        self._drop_drafts()
        return {part.number for part in parts if self._is_whole(part)}

    def write_part(self, number: int, content: bytes) -> None:
        """Keep a finished part."""
        self.write(f"{_PARTS}/{number:05}.parquet", content)

    def read_part(self, number: int) -> bytes:
        """Return a finished part."""
        return self._part(number).read_bytes()

    def write(self, name: str, content: bytes) -> None:
        """Write a file whole, or not at all.

        Raises
        ------
        OutputError
            If it cannot be written; it says that finished parts are kept.
        """
        try:
            with whole_file(self.path / name) as file:
                file.write(content)
        except OutputError as error:
            message = (
                f"{error.message}; finished parts are kept, the same command goes on "
                "from them"
            )
            raise OutputError(message, path=error.path) from None

    def _bind(self, binding: dict[str, Any]) -> None:
        file = self.path / BINDING
        try:
            there = json.loads(file.read_text("utf-8"))
        except FileNotFoundError:
            self._refuse_others()
            with whole_file(file) as draft:
                draft.write((json.dumps(binding, indent=2) + "\n").encode())
            return
        except OSError as error:
            message = f"cannot be read: {error.strerror}"
            raise InputError(message, path=str(file)) from None
        except ValueError:
            there = {}
        if there != binding:
            raise InputError(_not_this_sweep(there, binding), path=str(self.path))

    def _refuse_others(self) -> None:
        """Refuse a folder that is somebody else's."""
        if self.path.is_dir() and any(self.path.iterdir()):
            message = "is not empty, and holds no sweep; name a new folder"
            raise InputError(message, path=str(self.path))

    def _drop_drafts(self) -> None:
        """Delete what was being written when a sweep was killed."""
        for folder in (self.path, self.path / _PARTS):
            for draft in folder.glob(".*.*.*"):
                with suppress(OSError):
                    draft.unlink()

    def _is_whole(self, part: Part) -> bool:
        """Return whether a part is here and can be read, after a power cut too."""
        import pyarrow as pa
        from pyarrow import parquet

        path = self._part(part.number)
        if not path.is_file():
            return False
        try:
            found = set(
                parquet.read_table(path, columns=["point"])["point"].to_pylist()
            )
        except (pa.ArrowException, OSError, KeyError):
            return False
        return found <= {point.index for point in part.points}

    def _part(self, number: int) -> Path:
        return self.path / _PARTS / f"{number:05}.parquet"


def check_writable(path: str | Path) -> None:
    """Refuse a folder that cannot be written, before anything is computed.

    Raises
    ------
    OutputError
        If it cannot.
    """
    nearest = Path(path)
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        what = "is no folder" if not nearest.is_dir() else "cannot be written"
        message = f"{what}; name another one"
        raise OutputError(message, path=str(nearest))


def _not_this_sweep(there: Any, wanted: Mapping[str, Any]) -> str:  # noqa: ANN401 - whatever JSON holds
    known = there if isinstance(there, dict) else {}
    other = [word for key, word in _WORDS.items() if known.get(key) != wanted[key]]
    differs = f"{', '.join(other)} changed" if known and other else "it is another one"
    return (
        f"holds a sweep of its own: {differs}; name another folder, or delete this one"
    )
