"""Words that can be explained: terms, and the columns and headings of what is printed.

They are pages of the documentation itself (``docs/glossary.md``, ``docs/columns.md``),
which come with the package.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from costsim.report.pages import wrapping_table
from costsim.report.shipped import plain, table_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from costsim.study.tabular import Rows

COLUMNS_PAGE = "columns.md"
_CODE = re.compile(r"`([^`]+)`")
_JOINT = re.compile(r"(?<=\w)[-_](?=\w)")
_ASIDE = re.compile(r"\([^)]*\)|\"")


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
    """``term``, ``column``, ``key``, ``heading``, ``figure`` or ``mark``."""
    where: str = ""
    """The file or the table that has it; of a term nothing."""


def find_terms(word: str) -> list[Term]:
    """Return what a word means, in any letter case; nothing if it is unknown.

    A word that only others use finds what it is called here.
    """
    folded = _folded(word)
    found = _terms().get(folded, [])
    if any(one.kind == "term" for one in found):
        return found
    return [*_of_others().get(folded, []), *found]


def term_words() -> list[str]:
    """Return every word of costsim's that ``find_terms`` knows, in one spelling each."""
    return [some[0].word for some in _terms().values()]


def glossary_words() -> list[str]:
    """Return the terms alone, each by itself, without columns, headings and marks."""
    words = dict.fromkeys(one.word for one in _glossary() if "," not in one.word)
    return sorted(words, key=str.casefold)


def word_kinds() -> list[tuple[str, str]]:
    """Return every word with what it is: ``p95_s`` with ``column``."""
    return list(
        dict.fromkeys(
            (one.word, one.kind) for some in _terms().values() for one in some
        )
    )


def column_tables() -> list[str]:
    """Return every file and table whose columns are known."""
    return list(dict.fromkeys(one.where for one in _columns()))


def table_words(where: str) -> set[str]:
    """Return the columns of one file or table, as they are written."""
    return {one.word for one in _columns() if one.where == where}


def term_page(terms: list[Term], width: int) -> RenderableType:
    """Return what a word means, for a terminal."""
    parts: list[RenderableType] = []
    for one in terms:
        meaning = _sentence(one.meaning) if one.kind == "term" else one.meaning
        rows = [("meaning", meaning), ("elsewhere", one.elsewhere)]
        parts += [
            _title(one),
            wrapping_table(rows, width) if one.elsewhere else Text(meaning),
        ]
    return Group(*parts)


def term_rows(terms: list[Term]) -> Rows:
    """Return what a word means, a row each, for programs."""
    return [asdict(one) for one in terms]


def _title(term: Term) -> Text:
    unit = f" [{term.unit}]" if term.unit else ""
    title = Text(f"{term.word}{unit}", style="bold")
    return title.append(f", {term.kind} of {term.where}" if term.where else "", "dim")


@cache
def _terms() -> dict[str, list[Term]]:
    found: dict[str, list[Term]] = {}
    for term in _merged((*_glossary(), *_columns())):
        found.setdefault(_folded(term.word), []).append(term)
    return found


def _merged(terms: Iterable[Term]) -> list[Term]:
    """Return terms with those of one meaning put together, whatever table they are of."""
    found: dict[Term, list[str]] = {}
    for one in terms:
        found.setdefault(replace(one, where=""), []).append(one.where)
    return [
        replace(one, where=", ".join(dict.fromkeys(places)))
        for one, places in found.items()
    ]


@cache
def _of_others() -> dict[str, list[Term]]:
    """Return terms by what others call them: ``latency``, ``scaledown_window``."""
    found: dict[str, list[Term]] = {}
    for term in _glossary():
        for word in re.split("[,;]", _ASIDE.sub("", term.elsewhere)):
            found.setdefault(_folded(word), []).append(term)
    found.pop("", None)
    return found


@cache
def _columns() -> tuple[Term, ...]:
    return tuple(
        Term(word, _sentence(row["meaning"]), row["unit"], kind=kind, where=where)
        for section, row in table_rows(COLUMNS_PAGE)
        for kind, where in [(next(iter(row)), section[:1].lower() + section[1:])]
        for word in _CODE.findall(row[kind])
    )


def _glossary() -> Iterator[Term]:
    for _, row in table_rows("glossary.md"):
        if "term" in row:
            yield from _of_row({key: plain(cell) for key, cell in row.items()})


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


def _folded(word: str) -> str:
    """Return a word without what people write one way or the other: case, hyphens."""
    return " ".join(_JOINT.sub(" ", word.casefold()).split())


def _sentence(cell: str) -> str:
    """Return what a cell says as a sentence; code at its beginning stays as it is."""
    text = plain(cell)
    first = text[:1] if cell.startswith("`") else text[:1].upper()
    return first + text[1:] + ("" if text.endswith(".") else ".")
