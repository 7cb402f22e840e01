"""Files that come with public traces and hold no requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from costsim.errors import TraceError

if TYPE_CHECKING:
    from costsim.traffic.formats.columns import Header

_OTHERS = (
    (
        {"HashFunction", "percentile_Average_50"},
        "holds percentiles of the durations of Azure's functions, not their calls; "
        "calls are in the file whose name has 'invocations'",
    ),
    (
        {"HashApp", "AverageAllocatedMb"},
        "holds the memory of Azure's applications, not calls of functions; calls are "
        "in the file whose name has 'invocations'",
    ),
    (
        {"app", "container_concurrency", "min_scale"},
        "holds the settings of applications, not their requests; a trace has a row for "
        "each request or for each bin of time",
    ),
)


def refuse_other_tables(header: Header, path: str) -> None:
    """Raise ``TraceError`` if a table is known to hold no requests."""
    names = set(header.names)
    for columns, what in _OTHERS:
        if columns <= names:
            raise TraceError(what, path=path, line=header.line)
