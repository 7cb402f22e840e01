"""Pages of the documentation that come with the package, and the tables on them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")
_BETWEEN_CELLS = re.compile(r"(?<!\\)\|")


def shipped_page(name: str) -> str:
    """Return a page of the documentation, such as ``glossary.md``; empty if it is not there."""
    # In a wheel it is inside the package; in a checkout among the documentation.
    package = Path(__file__).parents[1]
    places = (package / name, package.parent / "docs" / name)
    return next((p.read_text("utf-8") for p in places if p.is_file()), "")


def table_rows(name: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield every row of the tables of a page, with the heading that it stands below.

    Parameters
    ----------
    name : str
        The page, such as ``glossary.md``.
    """
    section = ""
    headings: list[str] = []
    for line in shipped_page(name).splitlines():
        if line.startswith("#"):
            section = line.lstrip("#").strip()
        if not line.startswith("|"):
            headings = []
        elif not headings:
            headings = _cells(line)
        elif not set(line) <= set("|-: "):
            yield section, dict(zip(headings, _cells(line), strict=True))


def plain(cell: str) -> str:
    """Return a cell's Markdown as text: links by their words, code without its ticks."""
    return _LINK.sub(r"\1", cell).replace("`", "").strip()


def _cells(line: str) -> list[str]:
    cells = _BETWEEN_CELLS.split(line.strip().removeprefix("|").removesuffix("|"))
    return [cell.replace("\\|", "|").strip() for cell in cells]
