"""ServeGen: the rate of each of a provider's clients, and how its requests are spaced.

Every client has a rate, the coefficient of variation of its gaps and the law they follow
for each window of 10 minutes, in files without a header or in one table.
"""

from __future__ import annotations

import csv
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from costsim.errors import TraceError
from costsim.traffic.formats.batch import Batch, Format
from costsim.traffic.formats.moments import NS_PER_S
from costsim.traffic.formats.values import float_of, floats_of, text_array
from costsim.traffic.trace import ROWS_AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from costsim.records import Floats, Ints
    from costsim.scenario.trace import Trace
    from costsim.traffic.formats.batch import Account
    from costsim.traffic.formats.content import Content, Head

WINDOW_S = 600.0
"""Width of a window. [s]"""

_COLUMNS = ("model", "client", "t0_s", "rate", "cv", "pattern", "shape")
_LAWS = ("gamma", "weibull")
_FIELDS = 6
_LEAST, _MOST = 0.01, 1e4


def _is_servegen(head: Head) -> bool:
    return set(head.columns) >= set(_COLUMNS) or _is_client(head)


def _is_client(head: Head) -> bool:
    rows = [line.split(",") for line in head.lines[:20]]
    if not rows or any(len(row) != _FIELDS for row in rows):
        return False
    laws = {row[3].strip().lower() for row in rows}
    numbers = [float_of(row[0]) for row in rows]
    return bool(laws & set(_LAWS)) and not np.isnan(numbers).any()


def _read(content: Content, spec: Trace, account: Account) -> Iterator[Batch]:
    del spec
    account.epoch = "file"
    account.notes.append(
        "windows of 10 min have their rate and the law of their gaps; the file states "
        "neither a day nor a time zone"
    )
    if content.table_kind:
        yield from _read_table(content, account)
    elif _is_client(content.head):
        yield from _read_client(content, account)
    else:
        message = (
            "is not a ServeGen trace: rows must have t0_s, rate, cv, pattern, shape and "
            "scale, without a header"
        )
        raise TraceError(message, path=content.path)


def _read_table(content: Content, account: Account) -> Iterator[Batch]:
    at = 1
    for rows in content.table_batches(_COLUMNS):
        model, client = (text_array(rows.column(n)) for n in ("model", "client"))
        t0, rate, cv, shape = (
            floats_of(rows.column(n)) for n in ("t0_s", "rate", "cv", "shape")
        )
        laws = text_array(rows.column("pattern")).to_pylist()
        pairs = zip(model.to_pylist(), client.to_pylist(), strict=True)
        keys = [f"{one}/{other}" for one, other in pairs]
        lines = np.arange(at, at + rows.num_rows)
        at += rows.num_rows
        account.n_rows += rows.num_rows
        yield _batch(lines, t0, rate, _shapes(laws, cv, shape), keys)


def _read_client(content: Content, account: Account) -> Iterator[Batch]:
    key = Path(content.path).name.partition(".")[0].removesuffix("-trace")
    reader = enumerate(csv.reader(content.lines()), start=1)
    while part := list(islice(reader, ROWS_AT_ONCE)):
        rows = [(line, row) for line, row in part if row]
        account.n_rows += len(rows)
        usable = []
        for line, row in rows:
            values = [float_of(text) for text in row[:3]]
            if len(row) == _FIELDS and np.isfinite(values).all():
                usable.append((line, row))
            else:
                account.drop("fields that are not those of ServeGen", line)
        lines = np.array([line for line, _ in usable], dtype=np.int64)
        t0, rate, cv, shape = (
            floats_of([row[i] for _, row in usable]) for i in (0, 1, 2, 4)
        )
        shapes = _shapes([row[3] for _, row in usable], cv, shape)
        yield _batch(lines, t0, rate, shapes, [key] * len(lines))


def _shapes(laws: list[str], cv: Floats, shape: Floats) -> Floats:
    """Return the shape of the gamma law whose gaps are spaced as those of each window."""
    is_gamma = np.array([law.strip().lower() == "gamma" for law in laws], dtype=bool)
    with np.errstate(divide="ignore", invalid="ignore"):
        shapes = np.where(is_gamma, shape, 1 / cv**2)
    return np.clip(np.where(np.isfinite(shapes), shapes, 1.0), _LEAST, _MOST)


def _batch(
    lines: Ints, t0: Floats, rate: Floats, shapes: Floats, keys: list[str]
) -> Batch:
    return Batch(
        line=lines,
        time_ns=np.rint(t0 * NS_PER_S).astype(np.int64),
        count=rate * WINDOW_S,
        width_s=np.full(len(lines), WINDOW_S),
        spacing_shape=shapes,
        key=keys,
    )


FORMATS: tuple[Format, ...] = (
    Format(
        "servegen",
        "ServeGen",
        _is_servegen,
        _read,
        "windows of 10 min: rate times width, spaced by their law",
        "counts, spacing, model/client as key",
        "github.com/alibaba/ServeGen",
    ),
)
"""What is read here."""
