"""Text of a file as it may appear in a message."""

from __future__ import annotations


def shown(text: str, width: int = 40) -> str:
    """Return text short, printable and quoted."""
    cut = text if len(text) <= width else f"{text[: width - 3]}..."
    clean = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in cut)
    return f"'{clean}'"
