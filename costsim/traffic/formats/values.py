"""Numbers of many rows at once, and an account of the rows where there is none.

The fast way converts a column as a whole; where that fails, halves of it, down to single
values.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from costsim.traffic.formats.shown import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pyarrow as pa

    from costsim.records import Floats, Ints
    from costsim.traffic.formats.batch import Account

MISSING = ("", "-", "nan", "null", "none", "n/a", "na", "undefined")
"""What is written where there is no value, in lower case."""

_FEW = 64


def text_array(texts: Sequence[str] | pa.Array) -> pa.Array:
    """Return texts as an array of strings, "" where there is none."""
    import pyarrow as pa

    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    if not isinstance(texts, pa.Array):
        return pa.array(["" if text is None else text for text in texts], pa.string())
    if texts.type not in (pa.string(), pa.large_string()):
        texts = texts.cast(pa.string())
    return texts.fill_null("") if texts.null_count else texts


def float_of(text: str) -> float:
    """Return the number in a text, NaN if there is none."""
    try:
        return float("nan" if "_" in text else text)
    except ValueError:
        return math.nan


def floats_of(texts: Sequence[str] | pa.Array) -> Floats:
    """Return the numbers in texts, or those in an array of numbers; NaN where none is."""
    import pyarrow as pa

    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    if isinstance(texts, pa.Array) and _is_numeric(texts):
        values = texts.cast(pa.float64()).fill_null(math.nan)
        return np.array(values.to_numpy(zero_copy_only=False))
    return _floats(text_array(texts))


def parse_values(
    texts: Sequence[str] | pa.Array,
    usable: npt.NDArray[np.bool_],
    lines: Ints,
    name: str,
    account: Account,
) -> Floats:
    """Return numbers >= 0, NaN where a row has none; drop rows with anything else.

    Parameters
    ----------
    texts : sequence of str, or pyarrow.Array
        One for each row; numbers or their text.
    usable : array of bool
        Rows that are not dropped so far; those dropped here are set to False.
    lines : Ints
        Line of each row.
    name : str
        What the column is called, for messages.
    account : Account
        Where rows are dropped.
    """
    values = floats_of(texts)
    for why, at in (
        ("negative", values < 0),
        ("not finite", np.isposinf(values)),
        ("not readable", np.isnan(values) & usable),
    ):
        found = np.flatnonzero(at & usable)
        if why == "not readable":
            found = found[~are_missing(texts, found)]
        drop_rows(texts, found, usable, lines, f"{shown(name)} {why}", account)
    return values


def are_missing(texts: Sequence[str] | pa.Array, at: Ints) -> npt.NDArray[np.bool_]:
    """Say of some rows whether they hold what is written where there is no value."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not len(at):
        return np.zeros(0, dtype=bool)
    array = text_array(texts).take(pa.array(at))
    plain = pc.utf8_lower(pc.utf8_trim_whitespace(array))
    missing = pc.is_in(plain, value_set=pa.array(MISSING, plain.type))
    return np.asarray(missing.to_numpy(zero_copy_only=False), dtype=bool)


def drop_rows(
    texts: Sequence[str] | pa.Array,
    at: Ints,
    usable: npt.NDArray[np.bool_],
    lines: Ints,
    reason: str,
    account: Account,
) -> None:
    """Drop some rows; the first text is the example where it could not be read."""
    if not len(at):
        return
    usable[at] = False
    example = ""
    if reason.endswith("not readable"):
        example = text_array(texts)[int(at[0])].as_py()
    for line in lines[at[:3]].tolist():
        account.drop(reason, line, example)
    account.faults[reason].n += max(0, len(at) - 3)


def _floats(array: pa.Array) -> Floats:
    import pyarrow as pa

    try:
        values = array.cast(pa.float64())
    except pa.ArrowException:
        if len(array) <= _FEW:
            return np.array([float_of(text) for text in array.to_pylist()])
        half = len(array) // 2
        return np.concatenate((_floats(array[:half]), _floats(array[half:])))
    return np.array(values.to_numpy(zero_copy_only=False))


def _is_numeric(array: pa.Array) -> bool:
    import pyarrow as pa

    kind = array.type
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
    )
