"""Pages of the documentation that come with the package."""

from __future__ import annotations

from pathlib import Path


def shipped_page(name: str) -> str:
    """Return a page of the documentation, such as ``glossary.md``; empty if it is not there."""
    # In a wheel it is inside the package; in a checkout among the documentation.
    package = Path(__file__).parents[1]
    places = (package / name, package.parent / "docs" / name)
    return next((p.read_text("utf-8") for p in places if p.is_file()), "")
