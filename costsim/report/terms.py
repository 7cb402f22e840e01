"""Terms and columns that can be explained: the glossary, and what results are made of.

The glossary is the page of the documentation itself (``docs/glossary.md``), which comes
with the package; a column is explained by the docstring of its attribute.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from functools import cache
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from costsim.report.pages import wrapping_table
from costsim.report.shipped import shipped_page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from costsim.study.tabular import Rows

_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")


@dataclass(frozen=True)
class Term:
    """A word of costsim's."""

    word: str
    """As it is written: ``min replicas``, ``p95_s``."""
    meaning: str
    unit: str = ""
    elsewhere: str = ""
    """What others call it."""
    kind: str = "term"
    """``term`` or ``column``."""


def find_terms(word: str) -> list[Term]:
    """Return what a word means, in any letter case; nothing if it is unknown."""
    return _terms().get(_folded(word), [])


def term_words() -> list[str]:
    """Return every word that ``find_terms`` knows, as it is written."""
    return list(dict.fromkeys(one.word for some in _terms().values() for one in some))


def term_page(terms: list[Term], width: int) -> RenderableType:
    """Return what a word means, for a terminal."""
    parts: list[RenderableType] = []
    for one in terms:
        unit = f" [{one.unit}]" if one.unit else ""
        rows = [("meaning", _capital(one.meaning))]
        if one.elsewhere:
            rows.append(("elsewhere", one.elsewhere))
        parts += [
            Text(f"{one.word}{unit}", style="bold"),
            wrapping_table(rows, width) if one.elsewhere else Text(rows[0][1]),
        ]
    return Group(*parts)


def term_rows(terms: list[Term]) -> Rows:
    """Return what a word means, a row each, for programs."""
    return [asdict(one) for one in terms]


@cache
def _terms() -> dict[str, list[Term]]:
    found: dict[str, list[Term]] = {}
    for term in (*_glossary(), *_columns()):
        found.setdefault(_folded(term.word), []).append(term)
    return found


def _columns() -> Iterator[Term]:
    from costsim.study.attribute_docs import attribute_docs
    from costsim.study.result import DeploymentRow

    for name, text in attribute_docs(DeploymentRow).items():
        match = re.fullmatch(r"(.*) \[([^\]]+)\]", text)
        meaning, unit = (match[1], match[2]) if match else (text, "")
        yield Term(name, meaning, unit, kind="column")


def _glossary() -> Iterator[Term]:
    headings: list[str] = []
    for line in shipped_page("glossary.md").splitlines():
        cells = [_plain(cell) for cell in line.strip("|").split("|")]
        if not line.startswith("|") or set(line) <= set("|-: "):
            headings = headings if line.startswith("|") else []
        elif not headings:
            headings = cells
        else:
            row = dict(zip(headings, cells, strict=False))
            if "term" in row:
                yield from _of_row(row)


def _of_row(row: dict[str, str]) -> Iterator[Term]:
    """Yield the terms of a row: ``busy, idle, setup cost`` are three of one meaning."""
    words = [word.strip() for word in row["term"].split(",")]
    _, _, shared = words[-1].partition(" ")
    words += [f"{word} {shared}" for word in words[:-1] if shared]
    about = row.get("of", "")
    meaning = f"of a {about}: {row['meaning']}" if about else row["meaning"]
    for word in words:
        yield Term(word, meaning, row.get("unit", ""), row.get("elsewhere", ""))
    if len(words) > 1:
        yield Term(row["term"], meaning, row.get("unit", ""), row.get("elsewhere", ""))


def _plain(cell: str) -> str:
    return _LINK.sub(r"\1", cell).replace("`", "").strip()


def _folded(word: str) -> str:
    return " ".join(word.casefold().split())


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
