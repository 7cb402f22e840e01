"""Dates of many rows at once.

The fast way converts a column as a whole; where that fails, halves of it, down to single
values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from costsim.traffic.formats.moments import Kind, parse_moment

if TYPE_CHECKING:
    import pyarrow as pa

    from costsim.records import Ints

NO_TIME = int(np.iinfo(np.int64).min)
"""Stands for a time that could not be read. [ns]"""

_FEW = 64


def parse_dates(array: pa.Array, kind: Kind) -> Ints:
    """Return the dates in some texts, ``NO_TIME`` where there is none of the kind. [ns]"""
    if kind in (Kind.LOG, Kind.NAMED):
        return _repeated_dates(array, kind)
    return _iso_dates(array, kind)


def _iso_dates(array: pa.Array, kind: Kind) -> Ints:
    """Return dates as a whole, or the halves by themselves if a value is in the way."""
    import pyarrow as pa

    stored = pa.timestamp("ns", "UTC" if kind is Kind.OFFSET else None)
    try:
        return np.asarray(array.cast(stored).cast(pa.int64()))
    except pa.ArrowException:
        if len(array) <= _FEW:
            return _single_dates(array.to_pylist(), kind)
    half = len(array) // 2
    parts = _iso_dates(array[:half], kind), _iso_dates(array[half:], kind)
    return np.concatenate(parts)


def _repeated_dates(array: pa.Array, kind: Kind) -> Ints:
    """Return dates of which many are the same."""
    coded = array.dictionary_encode()
    values = _single_dates(coded.dictionary.to_pylist(), kind)
    places: Ints = coded.indices.to_numpy(zero_copy_only=False)
    return np.asarray(values[places])


def _single_dates(texts: list[str], kind: Kind) -> Ints:
    moments = [parse_moment(text) for text in texts]
    values = [
        NO_TIME if moment is None or moment.kind is not kind else moment.ns
        for moment in moments
    ]
    return np.array(values, dtype=np.int64)
