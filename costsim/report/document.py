"""An answer as words, tables and charts, whatever it is shown on.

A study says once what is to be told of it; a terminal, a comment in Markdown, a page, a
notebook and a saved file show the same.
"""

from __future__ import annotations

import textwrap
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from costsim.report.columns import Column, fitting, render

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from costsim.report.charts import Chart

_LEAST_WIDTH = 40
"""Sentences are not wrapped narrower."""
_COMMENTS = ("# ", "// ")
"""How lines of a text to copy begin that are no code."""


@dataclass(frozen=True)
class Check:
    """Something that must hold."""

    ok: bool
    text: str


@dataclass(frozen=True)
class Section:
    """A part of an answer; what is empty is left out."""

    title: str = ""
    checks: tuple[Check, ...] = ()
    columns: tuple[Column, ...] = ()
    """A table."""
    marked: bool = False
    """Whether its first column has marks: ``>`` chosen, ``x`` missed, ``~`` noise."""
    drop_first: tuple[str, ...] = ()
    """Titles of columns that a narrow terminal goes without, the first to go first."""
    lines: tuple[str, ...] = ()
    """Sentences."""
    text: str = ""
    """To copy as it is."""


@dataclass(frozen=True)
class Drawing:
    """A chart with what is said about it."""

    name: str
    title: str
    caption: str
    chart: Chart
    """In Vega-Lite."""


@dataclass(frozen=True)
class Document:
    """The answer of a study."""

    title: str
    """What it is about."""
    facts: str
    """What was done; may have several lines."""
    verdict: str
    """The answer in a sentence or two."""
    sections: tuple[Section, ...]
    drawings: tuple[Drawing, ...] = ()
    lead: int = 1
    """Sections that come first: before the charts on a page, unfolded in a comment."""


def terminal_document(
    document: Document, *, width: int, unicode: bool = True
) -> RenderableType:
    """Return an answer for a terminal.

    Parameters
    ----------
    document : Document
        What to show; its charts are left out.
    width : int
        Characters of a line.
    unicode : bool
        Whether the stream takes ticks and crosses.
    """
    parts: list[RenderableType] = [
        _wrapped(document.facts.splitlines(), width),
        Text(),
        Text(document.verdict, style="bold"),
    ]
    for section in document.sections:
        parts += [Text(), *_section(section, width, unicode=unicode)]
    return Group(*parts)


def document_record(document: Document) -> dict[str, Any]:
    """Return an answer as JSON takes it."""
    return asdict(document)


def restored_document(record: Mapping[str, Any]) -> Document:
    """Return what ``document_record`` made a record of.

    Raises
    ------
    KeyError, TypeError
        If it is none.
    """
    sections = tuple(
        Section(
            **{
                **one,
                "checks": tuple(Check(**check) for check in one["checks"]),
                "columns": tuple(
                    Column(**{**column, "cells": tuple(column["cells"])})
                    for column in one["columns"]
                ),
                "drop_first": tuple(one["drop_first"]),
                "lines": tuple(one["lines"]),
            }
        )
        for one in record["sections"]
    )
    drawings = tuple(Drawing(**one) for one in record["drawings"])
    return Document(**{**record, "sections": sections, "drawings": drawings})


def tick(ok: bool, *, unicode: bool) -> str:
    """Return the mark of what holds, or of what does not."""
    if unicode:
        return "\N{CHECK MARK}" if ok else "\N{BALLOT X}"
    return "ok  " if ok else "FAIL"


def _section(section: Section, width: int, *, unicode: bool) -> list[RenderableType]:
    parts: list[RenderableType] = []
    if section.title:
        parts.append(Text(section.title, style="bold"))
    if section.checks:
        lines = [
            f"{tick(one.ok, unicode=unicode)} {one.text}" for one in section.checks
        ]
        parts.append(_wrapped(lines, width))
    if section.columns:
        kept, _ = fitting([*section.columns], section.drop_first, width)
        parts.append(render(kept, width))
    if section.lines:
        parts.append(_wrapped(section.lines, width))
    if section.text:
        parts.append(Text(_to_paste(section.text, width), overflow="fold"))
    return parts


def _wrapped(lines: Sequence[str], width: int) -> Text:
    told = wrapped(lines, max(width, _LEAST_WIDTH), indent="  ")
    return Text("\n".join(told), overflow="fold")


def wrapped(lines: Sequence[str], width: int, *, indent: str) -> list[str]:
    """Return sentences as lines that fit; what goes on in another one is indented."""
    return [
        part
        for line in lines
        for part in textwrap.wrap(
            line,
            width,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
    ]


def _to_paste(text: str, width: int) -> str:
    """Return a text to copy, in which long comments stay comments when they are wrapped."""
    lines = []
    for line in text.rstrip("\n").split("\n"):
        mark = next((one for one in _COMMENTS if line.startswith(one)), None)
        wrapped = textwrap.wrap(line, width, subsequent_indent=mark or "")
        lines += wrapped if mark else [line]
    return "\n".join(lines)
