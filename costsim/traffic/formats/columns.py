"""Which column of a file holds what: by the scenario's word, or by the usual names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from costsim.errors import TraceError
from costsim.traffic.formats.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from costsim.scenario.traffic import Columns

SECONDS_IN = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
UNIT_NAMES = {
    "s": "seconds",
    "ms": "milliseconds",
    "us": "microseconds",
    "ns": "nanoseconds",
}

# In the order of preference, without a unit: "duration (ms)" is found as duration.
# Times that mark an end, and spans that include waiting such as latency or nginx's
# request_time, are left out on purpose: they are not arrivals and service times.
_USUAL_NAMES = {
    "arrival": (
        *("arrival", "arrival_time", "arrival_timestamp", "arrived_at", "arrived"),
        *("timestamp", "time", "ts", "datetime", "start_time", "started_at", "start"),
        "created_at",
    ),
    "duration": (
        *("duration", "service_time", "execution_time", "exec_time"),
        *("processing_time", "inference_time", "runtime"),
    ),
    "input_tokens": (
        *("input_tokens", "prompt_tokens", "contexttokens", "context_tokens"),
        *("num_input_tokens", "num_prefill_tokens", "prefill_tokens"),
        *("request_tokens", "input_length", "input_len", "prompt_len"),
    ),
    "output_tokens": (
        *("output_tokens", "completion_tokens", "generatedtokens", "generated_tokens"),
        *("num_output_tokens", "num_decode_tokens", "decode_tokens"),
        *("response_tokens", "output_length", "output_len"),
    ),
}
_UNIT_WORDS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("ms", "msec", "millis", "milliseconds"), "ms"),
    **dict.fromkeys(("us", "usec", "micros", "microseconds"), "us"),
    **dict.fromkeys(("ns", "nsec", "nanos", "nanoseconds"), "ns"),
}
_FIELD_OF = {"duration_s": "duration"}


@dataclass(frozen=True)
class Header:
    """The first line of a file that is not blank."""

    names: tuple[str, ...]
    """Column names as written."""
    delimiter: str
    """What separates them."""
    line: int
    """Its number, from 1."""


@dataclass(frozen=True)
class Column:
    """One column that is read."""

    position: int
    """From 0."""
    name: str
    """As written in the header."""
    unit: str | None
    """Unit of time that the name ends with, if any."""


def plain_name(name: str) -> str:
    """Return a column name in lower case with single underscores."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def find_columns(
    header: Header, wanted: Columns, needs: Iterable[str] | None, path: str
) -> tuple[dict[str, Column], list[str]]:
    """Return the columns to read, by field of ``TraceData``, and notes on the choice.

    Parameters
    ----------
    header : Header
        The file's header.
    wanted : Columns
        The scenario's choice of columns.
    needs : iterable of str, or None
        Fields of ``TraceData`` to read besides the arrival; None for all there are.
    path : str
        For messages.

    Raises
    ------
    TraceError
        If a column that is needed or named is not there, or is there twice.
    """
    fields = {"arrival_s": "arrival"}
    for name in ("duration_s", "input_tokens", "output_tokens"):
        if needs is None or name in needs:
            fields[name] = _FIELD_OF.get(name, name)
    columns: dict[str, Column] = {}
    notes: list[str] = []
    for name, key in fields.items():
        named = getattr(wanted, key)
        position = (
            _usual(header, key, path, notes)
            if named is None
            else _named(header, key, named, path)
        )
        if position is not None:
            text = header.names[position].strip()
            columns[name] = Column(position, text, _split_unit(text)[1])
        elif name == "arrival_s" or needs is not None:
            raise _not_found(header, key, path)
    return columns, notes


def _split_unit(name: str) -> tuple[str, str | None]:
    base, _, last = plain_name(name).rpartition("_")
    if base and last in _UNIT_WORDS:
        return base, _UNIT_WORDS[last]
    return plain_name(name), None


def _named(header: Header, key: str, named: str, path: str) -> int:
    """Return the position of a column that the scenario names."""
    stripped = [name.strip() for name in header.names]
    found = [i for i, name in enumerate(stripped) if name == named.strip()]
    if not found:
        close = get_close_matches(named, stripped, n=1)
        hint = f" (did you mean {shown(close[0])}?)" if close else ""
        message = (
            f"has no column {shown(named)}, which traffic.trace.columns.{key} names"
            f"{hint}; columns are {_list(header)}"
        )
        raise TraceError(message, path=path, line=header.line)
    if len(found) > 1:
        raise _repeated(header, named, path)
    return found[0]


def _usual(header: Header, key: str, path: str, notes: list[str]) -> int | None:
    """Return the position of the column with the best of the usual names, if any."""
    usual = _USUAL_NAMES[key]
    bases = [_split_unit(name)[0] for name in header.names]
    found = [i for i, base in enumerate(bases) if base in usual]
    if not found:
        return None
    found.sort(key=lambda position: usual.index(bases[position]))
    best = found[0]
    if len(found) > 1 and bases[found[1]] == bases[best]:
        raise _repeated(header, header.names[best], path)
    if len(found) > 1:
        others = ", ".join(shown(header.names[i]) for i in found[1:4])
        notes.append(
            f"{key} is read from {shown(header.names[best])}, not from {others}; "
            f"traffic.trace.columns.{key} would choose another"
        )
    return best


def _repeated(header: Header, name: str, path: str) -> TraceError:
    message = f"has the column {shown(name.strip())} more than once; rename one"
    return TraceError(message, path=path, line=header.line)


def _not_found(header: Header, key: str, path: str) -> TraceError:
    if all(_looks_like_data(name) for name in header.names):
        message = (
            f"has data where a header is expected: {_list(header)}; "
            "put the column names on the first line, such as "
            "'arrival,duration' or 'timestamp,input_tokens,output_tokens'"
        )
    else:
        usual = ", ".join(_USUAL_NAMES[key][:6])
        message = (
            f"has no column for {key}; columns are {_list(header)}; name one in "
            f"traffic.trace.columns.{key}, or use a usual name ({usual})"
        )
    return TraceError(message, path=path, line=header.line)


def _looks_like_data(name: str) -> bool:
    return re.fullmatch(r"\s*|\s*[-+]?[0-9][-+0-9.:eETZ ]*", name) is not None


def _list(header: Header) -> str:
    names = [shown(name.strip(), 24) for name in header.names[:8]]
    more = len(header.names) - len(names)
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")
