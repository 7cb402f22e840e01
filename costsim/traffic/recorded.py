"""Work as a trace recorded it; for requests that bring none, drawn from what it recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from costsim.errors import InputError
from costsim.traffic.trace import slices

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from costsim.records import Floats, Ints
    from costsim.traffic.trace import Column, TraceData

_KEYS = {
    "duration_s": ("service.time", "durations"),
    "input_tokens": ("service.tokens.input", "input tokens"),
    "output_tokens": ("service.tokens.output", "output tokens"),
}
"""Fields of ``TraceData``: the key that takes one, and what is in it."""
_ROWS_IN_A_PIECE = 4096
"""Rows of a column on disk that are taken at once: requests come almost in order."""
_MOST_TO_DRAW_FROM = 2**20
"""Rows to draw from; of a longer trace as many are chosen at random."""


class RecordedWork:
    """Values of some fields by the rows of a trace.

    A request has the values of its row if all of them are there. Else it has those of a
    row drawn at random, by its number of requests: values of one row stay together.

    Parameters
    ----------
    trace : TraceData, optional
        What was recorded.
    fields : sequence of str
        The fields that are taken.
    rng, choice_rng : numpy.random.Generator
        Where the rows that are drawn come from, and those that are to draw from.

    Raises
    ------
    InputError
        If no row has values.
    """

    def __init__(
        self,
        trace: TraceData | None,
        fields: Sequence[str],
        rng: np.random.Generator,
        choice_rng: np.random.Generator,
    ) -> None:
        self._columns = {name: _column(trace, name) for name in fields}
        self._count = None if trace is None else trace.count
        self._rng, self._choice_rng = rng, choice_rng
        self._drawn_from: tuple[list[Floats], Floats] | None = None
        _refuse_if_empty(self._columns, self._count)

    def take(self, rows: Ints) -> dict[str, Floats]:
        """Return each field's values for requests of these rows, in their order.

        Parameters
        ----------
        rows : ndarray of int64
            Rows of the trace; -1 for a request that is not of the trace.
        """
        recorded = rows >= 0
        values = {}
        for name, column in self._columns.items():
            values[name] = np.full(len(rows), np.nan)
            values[name][recorded] = gather(column, rows[recorded])
        missing = ~np.all(np.isfinite([*values.values()]), axis=0)
        if missing.any():
            drawn = self._drawn(int(missing.sum()))
            for name, part in zip(values, drawn, strict=True):
                values[name][missing] = part
        return values

    def _drawn(self, n: int) -> list[Floats]:
        """Return values of n rows that are drawn, of each field."""
        if self._drawn_from is None:
            self._drawn_from = _chosen(self._columns, self._count, self._choice_rng)
        values, cumulative = self._drawn_from
        u = cumulative[-1] * self._rng.random(n)
        picked = np.searchsorted(cumulative, u, side="right")
        # The product may be rounded up to the whole.
        picked = np.minimum(picked, len(cumulative) - 1)
        return [part[picked] for part in values]


def gather(column: Column, rows: Ints) -> Floats:
    """Return the values of some rows of a column, whichever and however often."""
    if isinstance(column, np.ndarray):
        return np.asarray(column[rows], dtype=np.float64)
    values = np.empty(len(rows))
    order = np.argsort(rows, kind="stable")
    pieces = rows[order] // _ROWS_IN_A_PIECE
    for part in np.split(order, np.flatnonzero(np.diff(pieces)) + 1):
        if len(part):
            begin = int(rows[part[0]]) // _ROWS_IN_A_PIECE * _ROWS_IN_A_PIECE
            piece = np.asarray(column[begin : begin + _ROWS_IN_A_PIECE])
            values[part] = piece[rows[part] - begin]
    return values


def _column(trace: TraceData | None, name: str) -> Column:
    column: Column | None = None if trace is None else getattr(trace, name)
    if column is None:
        raise _not_recorded(name)
    return column


def _not_recorded(name: str) -> InputError:
    key, what = _KEYS[name]
    message = (
        f"{key} is 'trace', but no {what} were recorded; "
        "use a trace that has them, or a distribution"
    )
    return InputError(message)


def _refuse_if_empty(columns: dict[str, Column], count: Column | None) -> None:
    if any(len(weights) for _, weights in _complete(columns, count)):
        return
    for name, column in columns.items():
        if not any(weights.size for _, weights in _complete({name: column}, count)):
            raise _not_recorded(name)
    keys = " and ".join(_KEYS[name][0] for name in columns)
    message = (
        f"{keys} are 'trace', but no request has them both recorded; use a "
        "distribution for one of them"
    )
    raise InputError(message)


def _complete(
    columns: dict[str, Column], count: Column | None
) -> Iterator[tuple[list[Floats], Floats]]:
    """Yield the values of rows that have all of them, and how many requests each has."""
    for parts in zip(
        *map(slices, columns.values()), _weights(columns, count), strict=True
    ):
        *values, weights = (np.asarray(part, dtype=np.float64) for part in parts)
        whole = np.all(np.isfinite(values), axis=0) & (weights > 0)
        yield [part[whole] for part in values], weights[whole]


def _weights(columns: dict[str, Column], count: Column | None) -> Iterator[Floats]:
    if count is not None:
        yield from slices(count)
        return
    for part in slices(next(iter(columns.values()))):
        yield np.ones(len(part))


def _chosen(
    columns: dict[str, Column], count: Column | None, rng: np.random.Generator
) -> tuple[list[Floats], Floats]:
    """Return the rows to draw from: values, and the running total of their requests.

    Those with the smallest of random marks are a sample of all, without a second look.
    """
    parts: list[Floats] = []
    for values, weights in _complete(columns, count):
        parts.append(np.array([*values, weights, rng.random(len(weights))]))
        if sum(part.shape[1] for part in parts) > 2 * _MOST_TO_DRAW_FROM:
            parts = [_smallest(np.hstack(parts))]
    *drawn_from, weights, _ = _smallest(np.hstack(parts))
    return drawn_from, np.cumsum(weights)


def _smallest(rows: Floats) -> Floats:
    """Return as many columns as are kept, those with the smallest marks."""
    if rows.shape[1] <= _MOST_TO_DRAW_FROM:
        return rows
    few = np.argpartition(rows[-1], _MOST_TO_DRAW_FROM)[:_MOST_TO_DRAW_FROM]
    kept: Floats = rows[:, np.sort(few)]
    return kept
