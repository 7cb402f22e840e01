"""What the tests of golden outputs share: their scenario, and texts without chance."""

from __future__ import annotations

import html
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from costsim import __version__

FOLDER = Path(__file__).parent / "golden" / "outputs"
PRICES = ("--prices", FOLDER / "prices.yaml")
SCENARIO = (FOLDER / "scenario.yaml", *PRICES)
RUN = ("run", *SCENARIO)
NARROW = {"COLUMNS": "50"}
WIDE = {"COLUMNS": "160"}
_TOLD_WHOLE = 60


class FixedClock(datetime):
    """The clock of the day on which the ages of prices are told."""

    @classmethod
    def now(cls, tz=None):
        return datetime(2026, 11, 24, 12, 0, tzinfo=tz or UTC)


def steady(text: str) -> str:
    """Return a text without version and hash, and with 12 digits of each number."""
    text = text.replace(f'"costsim_version": "{__version__}"', '"costsim_version": ""')
    text = re.sub(r'"[0-9a-f]{16}"', '""', text)
    text = re.sub(rf"costsim(\s){re.escape(__version__)}", r"costsim\1VERSION", text)
    # Beyond that, machines may differ in the last digit.
    return re.sub(
        r"\d+\.\d{10,}(e-?\d+)?", lambda match: f"{float(match[0]):.12g}", text
    )


def page_words(path: Path) -> str:
    """Return the text of a page, an element a line."""
    page = path.read_text("utf-8")
    # Pictures are the library's, scripts and data have tests of their own.
    body = re.sub(r"<(svg|script|style|pre)\b.*?</\1>", "", page, flags=re.DOTALL)
    lines = (line.strip() for line in re.sub(r"<[^>]+>", "\n", body).splitlines())
    words = "".join(f"{html.unescape(line)}\n" for line in lines if line)
    return steady(words)


def as_json(value: Any, digits: int = 12) -> str:
    """Return JSON to be read by people, shortened."""
    short = shortened(value, digits)
    return steady(json.dumps(short, indent=1, ensure_ascii=False) + "\n")


def shortened(value: Any, digits: int = 12) -> Any:
    """Return JSON with few digits, and with long lists as their counts and sums."""
    if isinstance(value, dict):
        return {key: shortened(one, digits) for key, one in value.items()}
    if isinstance(value, float):
        return float(f"{value:.{digits}g}")
    if not isinstance(value, list):
        return value
    if len(value) <= _TOLD_WHOLE:
        return [shortened(one, digits) for one in value]
    return {"count": len(value), **shortened(_sums(value), digits)}


def _sums(rows: list[Any]) -> dict[str, Any]:
    """Return the sum of numbers, or of each column; the first and last of all else."""
    if all(isinstance(row, dict) for row in rows):
        names = list(dict.fromkeys(name for row in rows for name in row))
        return {name: _sums([row.get(name) for row in rows]) for name in names}
    numbers = [one for one in rows if isinstance(one, (int, float))]
    if numbers:
        return {"numbers": len(numbers), "sum": sum(numbers)}
    return {"first": rows[0], "last": rows[-1]}


def table_text(table: Any, rows: int = 4) -> str:
    """Return the columns of an Arrow table with their types and sums, and its head."""
    import pyarrow as pa

    lines = [f"{table.num_rows} rows"]
    for name, column in zip(table.column_names, table.columns, strict=True):
        empty = f", {column.null_count} empty" if column.null_count else ""
        numeric = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
        values = [one for one in column.to_pylist() if one is not None]
        told = f"sum {sum(values):.10g}" if numeric else f"{len(set(values))} values"
        lines.append(f"{name} {column.type}{empty}: {told}")
    lines += [_row(one) for one in table.slice(0, rows).to_pylist()]
    return "".join(f"{line}\n" for line in lines)


def _row(row: dict[str, Any]) -> str:
    cells = (f"{one:.10g}" if isinstance(one, float) else one for one in row.values())
    return ", ".join(map(str, cells))
