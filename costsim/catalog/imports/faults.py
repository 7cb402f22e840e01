"""What is wrong with a price list: all of it, with the line of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NoReturn

from costsim.errors import CatalogError

_MOST_SHOWN = 20
"""Faults that one error shows: a list with a bad column has thousands."""


@dataclass
class Faults:
    """Collects what is wrong with a file."""

    path: str
    """The file."""
    found: list[CatalogError] = field(default_factory=list)
    """What is wrong, so far."""

    def add(self, message: str, *, line: int | None = None) -> None:
        """Note that something is wrong."""
        self.found.append(CatalogError(message, path=self.path, line=line))

    def refuse(self, message: str, *, line: int | None = None) -> NoReturn:
        """Raise, as nothing of the file can be used.

        Raises
        ------
        CatalogError
            Always.
        """
        raise CatalogError(message, path=self.path, line=line)

    def refuse_if_any(self) -> None:
        """Raise a ``CatalogError`` that tells every fault, at the first one's place."""
        if not self.found:
            return
        # Cells are read after the form of all lines was looked at.
        first, *others = sorted(self.found, key=lambda one: one.line or 0)
        told = [first.message, *map(str, others[: _MOST_SHOWN - 1])]
        hidden = len(self.found) - len(told)
        if hidden > 0:
            told.append(f"{self.path}: and {hidden:,} more")
        raise CatalogError("\n".join(told), path=self.path, line=first.line)
