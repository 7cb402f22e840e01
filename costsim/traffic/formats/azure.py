"""Azure's public traces of LLM inference: TIMESTAMP, ContextTokens, GeneratedTokens.

Times have no offset and are read as UTC; of their seven decimals six are used. Files of
2023 and 2024 have these columns, that of 2025 another one besides.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from costsim.errors import TraceError
from costsim.traffic.formats.columns import plain_name
from costsim.traffic.formats.csv import read_csv

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from costsim.scenario.traffic import Trace
    from costsim.traffic.formats.columns import Header
    from costsim.traffic.trace import TraceData

COLUMNS = ("TIMESTAMP", "ContextTokens", "GeneratedTokens")


def is_azure(header: Header) -> bool:
    """Say whether a header is that of an Azure trace."""
    names = {plain_name(name) for name in header.names}
    return names >= {plain_name(name) for name in COLUMNS}


def read_azure(
    lines: Iterator[str],
    header: Header,
    spec: Trace,
    needs: Iterable[str] | None = None,
) -> TraceData:
    """Return the requests of an Azure trace; as ``read_csv``."""
    if not is_azure(header):
        message = f"is not an Azure trace: the header must have {', '.join(COLUMNS)}"
        raise TraceError(message, path=spec.path, line=header.line)
    return read_csv(lines, header, spec, needs, zone=UTC)
