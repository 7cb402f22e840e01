"""Answers for a pull request: Markdown for a comment, annotations for its checks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from costsim.report.compare import failure_text, table_columns
from costsim.report.compare import verdict as comparison_verdict
from costsim.report.terminal import bound_text, figures, headline, mark, ordered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from costsim.report.columns import Column
    from costsim.report.terminal import Answer
    from costsim.study.compare import Comparison
    from costsim.study.gates import Crossed

_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~$@])")
_TOLD = ("$/MONTH", "+-", "P50", "P95", "+- ", "P99", "SLOW", "COLD", "LOST")
_OK, _MISSED = ":white_check_mark:", ":x:"


def run_markdown(result: Answer) -> str:
    """Return a run as a comment: verdict, bounds and table.

    Parameters
    ----------
    result : RunResult or SavedRun
        What to tell.
    """
    order = ordered(result)
    marks = {"x": _MISSED, ">": ":arrow_right:", " ": ""}
    columns = [
        ("", [marks[mark(row, result)] for row in order]),
        ("deployment", [escaped(row.deployment) for row in order]),
        *((one.title.strip(), list(one.cells)) for one in _kept(figures(order))),
    ]
    bounds = [
        f"- {_OK if one.ok else _MISSED} {escaped(one.deployment)} {escaped(bound_text(one))}"
        for one in result.thresholds
    ]
    parts = [f"**{escaped(result.verdict.sentence)}**", _table(columns, left=2)]
    if bounds:
        parts.insert(1, "\n".join(bounds))
    return "\n\n".join([*parts, f"<sub>{escaped(headline(result))}</sub>"]) + "\n"


def comparison_markdown(comparison: Comparison, crossed: Sequence[Crossed]) -> str:
    """Return a comparison as a comment: what changed, and the gates that are not passed.

    Parameters
    ----------
    comparison : Comparison
        What to tell.
    crossed : sequence of Crossed
        Gates that deployments do not pass.
    """
    parts = [f"**{escaped(comparison_verdict(comparison))}**"]
    failed = [
        f"- {_MISSED} {escaped(one.deployment)}: {escaped(failure_text(one))}"
        for one in crossed
    ]
    if failed:
        parts.append("\n".join(failed))
    for pair in comparison.pairs:
        name = escaped(pair.after)
        if pair.is_same:
            parts.append(f"{name}: no difference")
            continue
        columns = [
            (one.title.strip(), [escaped(cell) for cell in one.cells])
            for one in table_columns(pair, set())
        ]
        parts += [f"**{name}**", _table(columns, left=2)]
    return "\n\n".join(parts) + "\n"


def run_annotations(result: Answer) -> str:
    """Return a run as workflow commands of GitHub Actions, a line each."""
    lines = [_annotation("notice", result.verdict.sentence)]
    for one in result.thresholds:
        if not one.ok or one.certain is False:
            kind = "warning" if one.ok else "error"
            lines.append(_annotation(kind, f"{one.deployment} {bound_text(one)}"))
    return "".join(lines)


def comparison_annotations(comparison: Comparison, crossed: Sequence[Crossed]) -> str:
    """Return a comparison as workflow commands of GitHub Actions, a line each."""
    lines = [_annotation("notice", comparison_verdict(comparison))]
    lines += [
        _annotation("error", f"{one.deployment}: {failure_text(one)}")
        for one in crossed
    ]
    return "".join(lines)


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


def _table(columns: Sequence[tuple[str, Sequence[str]]], *, left: int) -> str:
    titles = [title for title, _ in columns]
    rules = ["---" if i < left else "---:" for i in range(len(columns))]
    rows = zip(*(cells for _, cells in columns), strict=True)
    return "\n".join(f"| {' | '.join(line)} |" for line in (titles, rules, *rows))


def _annotation(kind: str, text: str) -> str:
    # https://docs.github.com/actions/reference/workflow-commands: these end a message.
    line = "".join(c if c.isprintable() else " " for c in text)
    return f"::{kind} title=costsim::{line.replace('%', '%25')}\n"
