"""Answers for a pull request: Markdown for a comment, annotations for its checks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from costsim.report.terminal import bound_text, figures, headline, mark, ordered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from costsim.report.columns import Column
    from costsim.report.document import Document, Section
    from costsim.report.terminal import Answer

_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~$@])")
_TOLD = ("$/MONTH", "+-", "P50", "P95", "+- ", "P99", "SLOW", "COLD", "LOST")
_OK, _MISSED = ":white_check_mark:", ":x:"
_MARKS = {"x": _MISSED, ">": ":arrow_right:", " ": "", "": ""}


def run_markdown(result: Answer) -> str:
    """Return a run as a comment: verdict, bounds and table.

    Parameters
    ----------
    result : RunResult or SavedRun
        What to tell.
    """
    order = ordered(result)
    columns = [
        ("", [_MARKS[mark(row, result)] for row in order]),
        ("deployment", [escaped(row.deployment) for row in order]),
        *((one.title.strip(), list(one.cells)) for one in _kept(figures(order))),
    ]
    bounds = [
        f"- {_OK if one.ok else _MISSED} {escaped(one.deployment)} {escaped(bound_text(one))}"
        for one in result.thresholds
    ]
    parts = [
        f"**{escaped(result.verdict.sentence)}**",
        _table(columns, ["left"] * 2 + ["right"] * (len(columns) - 2)),
    ]
    if bounds:
        parts.insert(1, "\n".join(bounds))
    return "\n\n".join([*parts, f"<sub>{escaped(headline(result))}</sub>"]) + "\n"


def document_markdown(document: Document) -> str:
    """Return the answer of a study as a comment: verdict, checks, tables.

    Parameters
    ----------
    document : Document
        What to tell; its charts are left out, and what does not come first is folded.
    """
    parts = [f"**{escaped(document.verdict)}**"]
    first, rest = document.sections[: document.lead], document.sections[document.lead :]
    parts += [part for section in first for part in _section(section)]
    if rest:
        parts.append("<details><summary>More</summary>")
        parts += [part for section in rest for part in _section(section)]
        parts.append("</details>")
    facts = "<br>".join(map(escaped, document.facts.splitlines()))
    return "\n\n".join([*parts, f"<sub>{facts}</sub>"]) + "\n"


def _section(section: Section) -> list[str]:
    parts = [f"**{escaped(section.title)}**"] if section.title else []
    if section.checks:
        lines = [
            f"- {_OK if one.ok else _MISSED} {escaped(one.text)}"
            for one in section.checks
        ]
        parts.append("\n".join(lines))
    if section.columns:
        filled = [one for one in section.columns if not one.empty]
        marked = section.marked and filled[0] is section.columns[0]
        rules = [one.justify for one in filled]
        parts.append(_table(_cells(filled, marked=marked), rules))
    parts += [escaped(line) for line in section.lines]
    if section.text:
        # Longer than any fence in it.
        fence = "`" * max(
            3, 1 + max(map(len, re.findall("`+", section.text)), default=0)
        )
        parts.append(f"{fence}\n{section.text.rstrip()}\n{fence}")
    return parts


def _cells(
    columns: Sequence[Column], *, marked: bool
) -> list[tuple[str, Sequence[str]]]:
    found: list[tuple[str, Sequence[str]]] = [
        (escaped(one.title), [*map(escaped, one.cells)]) for one in columns
    ]
    if marked:
        found[0] = ("", [_MARKS.get(cell, escaped(cell)) for cell in columns[0].cells])
    return found


def run_annotations(result: Answer) -> str:
    """Return a run as workflow commands of GitHub Actions, a line each."""
    lines = [_annotation("notice", result.verdict.sentence)]
    for one in result.thresholds:
        if not one.ok or one.certain is False:
            kind = "warning" if one.ok else "error"
            lines.append(_annotation(kind, f"{one.deployment} {bound_text(one)}"))
    return "".join(lines)


def document_annotations(document: Document) -> str:
    """Return the answer of a study as workflow commands of GitHub Actions, a line each."""
    failed = [
        check.text
        for section in document.sections
        for check in section.checks
        if not check.ok
    ]
    lines = [_annotation("notice", document.verdict)]
    return "".join([*lines, *(_annotation("error", text) for text in failed)])


def escaped(text: str) -> str:
    """Return text that Markdown shows as it is, on one line."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    # A name after an at sign would call somebody.
    return _SPECIAL.sub(r"\\\1", line).replace(r"\@", "@\N{ZERO WIDTH SPACE}")


def _kept(columns: Sequence[Column]) -> list[Column]:
    nothing = {"-", "", "0%"}
    return [
        one
        for one in columns
        if one.title in _TOLD
        and not (one.title in ("SLOW", "LOST") and set(one.cells) <= nothing)
    ]


def _table(columns: Sequence[tuple[str, Sequence[str]]], justify: Sequence[str]) -> str:
    titles = [title for title, _ in columns]
    rules = ["---:" if one == "right" else "---" for one in justify]
    rows = zip(*(cells for _, cells in columns), strict=True)
    return "\n".join(f"| {' | '.join(line)} |" for line in (titles, rules, *rows))


def _annotation(kind: str, text: str) -> str:
    # https://docs.github.com/actions/reference/workflow-commands: these end a message.
    line = "".join(c if c.isprintable() else " " for c in text)
    return f"::{kind} title=costsim::{line.replace('%', '%25')}\n"
