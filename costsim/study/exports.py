"""What the answer of every study can become: rows, files, a page, a cell of a notebook."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from costsim.study.tabular import export, write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from costsim.report.pictures import Figure

Table = list[dict[str, Any]]


class Exports(ABC):
    """An answer that can be taken elsewhere."""

    kind: ClassVar[str]
    """What it is called in files: ``breakeven``."""

    @property
    def file(self) -> str:
        """Name of the file that has all of it."""
        return f"{self.kind}.json"

    @abstractmethod
    def to_rows(self) -> Table:
        """Return what ``--format csv`` prints, one dict a row; what is not known is None."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Return what ``--format json`` prints: no NaN, no infinity."""

    @abstractmethod
    def tables(self) -> Mapping[str, Table]:
        """Return every table of the answer by its name, which is that of its file."""

    def to_pandas(self) -> pd.DataFrame:
        """Return the rows as a pandas DataFrame (``pip install 'costsim[pandas]'``)."""
        import pandas as pd

        return pd.DataFrame(self.to_rows())

    def to_csv(self, folder: str | Path) -> list[Path]:
        """Write every table into a folder, ``NAME.csv`` each; return their paths.

        Raises
        ------
        OutputError
            If a file cannot be written.
        """
        return [
            write_whole(Path(folder) / f"{name}.csv", export(rows, "csv"))
            for name, rows in self.tables().items()
        ]

    def to_json(self) -> str:
        """Return all of it, with its charts, as ``costsim report`` reads it back."""
        from costsim.report.answers import answer_json

        return answer_json(self)

    def saved(self) -> dict[str, Any]:
        """Return the data of files: what ``to_dict`` has, and what it rests on."""
        return self.to_dict()

    def write(self, folder: str | Path) -> list[Path]:
        """Write the tables, and ``file`` with the whole; return the paths.

        Raises
        ------
        OutputError
            If a file cannot be written.
        """
        whole = write_whole(Path(folder) / self.file, self.to_json())
        return [*self.to_csv(folder), whole]

    def to_html(self, path: str | Path) -> Path:
        """Write its page: one file that needs no network; return its path.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        from costsim.report.answers import answer_page

        return write_whole(Path(path), answer_page(self))

    def charts(self) -> dict[str, Figure]:
        """Return its charts by name, for notebooks and files."""
        from costsim.report.answers import figures_of

        return figures_of(self)

    def _repr_html_(self) -> str:
        from costsim.report.answers import answer_summary

        return answer_summary(self)
