"""Open a recorded trace by the format that it is in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from costsim.traffic.formats.azure import is_azure, read_azure
from costsim.traffic.formats.csv import read_csv, read_header
from costsim.traffic.formats.text import open_lines

if TYPE_CHECKING:
    from collections.abc import Iterable

    from costsim.scenario.traffic import Trace
    from costsim.traffic.trace import TraceData


def detect_format(path: str) -> str:
    """Return the format of a file, by its header: ``csv`` or ``azure-llm``."""
    with open_lines(path) as lines:
        return "azure-llm" if is_azure(read_header(lines, path)) else "csv"


def read_trace(spec: Trace, needs: Iterable[str] | None = None) -> TraceData:
    """Return the requests of a recorded trace, unscaled.

    Parameters
    ----------
    spec : Trace
        Where it is and how to read it.
    needs : iterable of str, optional
        Fields of ``TraceData`` that are wanted besides the arrivals, and must be there;
        if left out, all that the file has. Rows are judged by these fields only.

    Raises
    ------
    TraceError
        If the file cannot be used; it says where and why.
    """
    with open_lines(spec.path) as lines:
        header = read_header(lines, spec.path)
        azure = spec.format == "azure-llm" or (
            spec.format == "auto" and is_azure(header)
        )
        read = read_azure if azure else read_csv
        return read(lines, header, spec, needs)
