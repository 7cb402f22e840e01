"""All formats that can be read, the most specific first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from costsim.traffic.formats import (
    access_logs,
    load_tests,
    platforms,
    published,
    tables,
    telemetry,
)

if TYPE_CHECKING:
    from costsim.traffic.formats.batch import Format
    from costsim.traffic.formats.content import Head

FORMATS: tuple[Format, ...] = (
    *published.FORMATS,
    *load_tests.FORMATS,
    *platforms.FORMATS,
    *telemetry.FORMATS,
    *access_logs.FORMATS,
    *tables.FORMATS,
)
"""In the order in which a file is compared with them."""


def find_format(name: str) -> Format:
    """Return a format by its name."""
    return next(one for one in FORMATS if one.name == name)


def detect(head: Head) -> Format:
    """Return the first format that a file looks like."""
    return next(one for one in FORMATS if one.detect(head))
