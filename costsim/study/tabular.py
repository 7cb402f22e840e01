"""Rows for programs: CSV, Markdown, JSON; one dict a row, the same keys in each."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Literal

from costsim.whole_file import whole_file

if TYPE_CHECKING:
    from pathlib import Path

Rows = list[dict[str, object]]
Form = Literal["csv", "markdown", "json"]


def export(rows: Rows, form: Form) -> str:
    """Return rows as text, with a newline at the end; None is an empty cell, or null."""
    if form == "json":
        return json.dumps(rows, indent=2, ensure_ascii=False) + "\n"
    return _csv(rows) if form == "csv" else _markdown(rows)


def write_whole(path: Path, content: str | bytes) -> Path:
    """Write a file whole or not at all, its folder included; return its path.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    with whole_file(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)
    return path


def _csv(rows: Rows) -> str:
    if not rows:
        return ""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(
        {key: _defused(value) for key, value in row.items()} for row in rows
    )
    return buffer.getvalue()


def _defused(value: object) -> object:
    """Keep a spreadsheet from running a name as a formula."""
    if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"}:
        return f"'{value}"
    return value


def _markdown(rows: Rows) -> str:
    if not rows:
        return ""
    keys = list(rows[0])
    numeric = {key: all(_is_number(row[key]) for row in rows) for key in keys}
    rules = ["---:" if numeric[key] else "---" for key in keys]
    lines = [keys, rules, *([_cell(row[key]) for key in keys] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _is_number(value: object) -> bool:
    return value is None or isinstance(value, (int, float))


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = str(value).replace("\\", "\\\\").replace("|", "\\|").replace("<", "\\<")
    return text.replace("\r", " ").replace("\n", " ")
