"""Which column or field of a file holds what: by the scenario's word, or by usual names."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING

from costsim.errors import TraceError
from costsim.traffic.formats.shown import shown

if TYPE_CHECKING:
    from costsim.scenario.trace import Columns
    from costsim.traffic.formats.batch import Account

# In the order of preference, without a unit: "duration (ms)" is found as duration.
_USUAL_NAMES = {
    "arrival": (
        *("arrival", "arrival_time", "arrival_timestamp", "arrived_at", "arrived"),
        *("request_start", "timestamp_start", "start_timestamp"),
        *("timestamp", "time", "ts", "datetime", "date_time", "start_time"),
        *("started_at", "start", "created_at", "created", "received_at"),
        *("submitted_at", "event_time", "timestamp_utc", "time_utc", "t", "date"),
    ),
    "end": (
        *("end", "end_time", "end_timestamp", "ended_at", "finished_at"),
        *("finish_time", "completed_at", "completion_time"),
    ),
    "duration": (
        *("duration", "service_time", "execution_time", "exec_time"),
        *("processing_time", "inference_time", "runtime", "run_time"),
    ),
    "input_tokens": (
        *("input_tokens", "prompt_tokens", "contexttokens", "context_tokens"),
        *("num_input_tokens", "num_prefill_tokens", "prefill_tokens"),
        *("request_tokens", "input_length", "input_len", "prompt_len", "tokens_in"),
        *("usage_prompt_tokens", "usage_input_tokens", "prompt_length", "in"),
    ),
    "output_tokens": (
        *("output_tokens", "completion_tokens", "generatedtokens", "generated_tokens"),
        *("num_output_tokens", "num_decode_tokens", "decode_tokens"),
        *("response_tokens", "output_length", "output_len", "tokens_out"),
        *("usage_completion_tokens", "usage_output_tokens", "out"),
    ),
    "rate": (
        *("rate", "rps", "qps", "requests_per_second", "requests_s", "req_s"),
        *("requests_sec", "request_rate", "throughput"),
    ),
    "count": (
        *("requests", "request_count", "num_requests", "n_requests", "requestcount"),
        *("invocations", "count", "hits", "calls", "value", "total"),
    ),
    "key": (
        *("model", "model_id", "model_name", "endpoint", "deployment", "function"),
        *("func", "function_name", "app", "app_name", "service", "service_name"),
        *("route", "path", "series", "key"),
    ),
    "session": (
        *("session_id", "session", "conversation_id", "conversation", "chat_id"),
        *("user_id", "user", "customer_id", "client_id", "client_ip", "ip"),
        *("remote_addr", "remote_ip", "provided_session_id"),
    ),
}
# These include waiting; they are taken if there is nothing better.
_WITH_WAITING = (
    *("latency", "response_time", "request_time", "e2e_latency", "latency_e2e"),
    *("request_latency", "total_time", "elapsed_time", "elapsed", "duration_e2e"),
    *("time_taken", "roundtrip_time"),
)
_UNIT_WORDS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("ms", "msec", "millis", "millisecond", "milliseconds"), "ms"),
    **dict.fromkeys(("us", "usec", "micros", "microsecond", "microseconds"), "us"),
    **dict.fromkeys(("ns", "nsec", "nanos", "nanosecond", "nanoseconds"), "ns"),
}
_FIELD_OF = {"duration": "duration_s"}
_REQUIRED = ("arrival", "end", "input_tokens", "output_tokens")
_BESIDES = ("duration", "key", "session")
_OPTIONAL = ("duration", "input_tokens", "output_tokens", "session")


@dataclass(frozen=True)
class Header:
    """Names of the columns of a table, or of the fields of its rows."""

    names: tuple[str, ...]
    """As written; ``a.b`` is field b of field a."""
    line: int | None = None
    """Line they stand on, from 1, if they stand on one."""
    what: str = "column"
    """What they name, in the singular."""


@dataclass(frozen=True)
class Column:
    """One column that is read."""

    position: int
    """From 0."""
    name: str
    """As written in the header."""
    unit: str | None = None
    """Unit of time that the name ends with, if any."""


@dataclass(frozen=True)
class Layout:
    """Names of the columns of a format that is known."""

    arrival: str | None = None
    end: str | None = None
    duration: str | None = None
    input_tokens: str | None = None
    output_tokens: str | None = None
    count: str | None = None
    rate: str | None = None
    key: str | None = None
    session: str | None = None
    time_unit: str | None = None
    """Unit of numeric times."""
    duration_unit: str | None = None
    """Unit of numeric durations."""


@dataclass
class Picked:
    """The columns that are read."""

    of: dict[str, Column] = field(default_factory=dict)
    """By the name of the scenario's key: arrival, duration and so on."""
    named: set[str] = field(default_factory=set)
    """Those that the scenario or the format names."""
    waiting: bool = False
    """Whether the duration is one that includes waiting."""


def plain_name(name: str) -> str:
    """Return a column name in lower case with single underscores."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", "_", name)
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")


def find_columns(
    header: Header, wanted: Columns, layout: Layout | None, account: Account
) -> Picked:
    """Return the columns to read.

    Parameters
    ----------
    header : Header
        The columns that there are.
    wanted : Columns
        The scenario's choice; it goes first.
    layout : Layout, or None
        That of the format; None to go by usual names.
    account : Account
        For what is needed, and for notes on the choice.

    Raises
    ------
    TraceError
        If a column that is needed or named is not there, or is there twice.
    """
    picked = Picked()
    for key, usual in _USUAL_NAMES.items():
        if key in _OPTIONAL and not _is_wanted(key, wanted, account):
            continue
        named = getattr(wanted, key)
        if named is not None:
            position: int | None = _named(header, key, named, account.path)
        else:
            position = _unnamed(header, key, usual, layout, account)
        if position is not None:
            picked.of[key] = _column(header, position)
        if named is not None:
            picked.named.add(key)
    _settle_time(picked, header, wanted, account)
    _settle_duration(picked, header, layout, account)
    _require_tokens(picked, header, account)
    return picked


def _unnamed(
    header: Header,
    key: str,
    usual: tuple[str, ...],
    layout: Layout | None,
    account: Account,
) -> int | None:
    """Return the position of a column that the scenario does not name."""
    if layout is None:
        return _usual(header, key, usual, account)
    position = _of_format(header, getattr(layout, key))
    if position is None and key in _REQUIRED and getattr(layout, key) is not None:
        message = (
            f"has no {header.what} {shown(getattr(layout, key))}, which this format "
            f"has; {header.what}s are {_list(header)}"
        )
        raise TraceError(message, path=account.path, line=header.line)
    if position is None and key in _BESIDES:
        return _usual(header, key, usual, account)
    return position


def _is_wanted(key: str, wanted: Columns, account: Account) -> bool:
    if key == "duration" and (account.stamped_end or wanted.end is not None):
        return True
    return account.wants(_FIELD_OF.get(key, key))


def not_found(header: Header, key: str, path: str) -> TraceError:
    """Return an error that says which columns there are instead of one for something."""
    if header.names and all(_looks_like_data(name) for name in header.names):
        message = (
            f"has data where a header is expected: {_list(header)}; "
            "put the column names on the first line, such as "
            "'arrival,duration' or 'timestamp,input_tokens,output_tokens'"
        )
    else:
        usual = ", ".join(_USUAL_NAMES[key][:6])
        message = (
            f"has no {header.what} for {key}; {header.what}s are {_list(header)}; name "
            f"one in traffic.trace.columns.{key}, or use a usual name ({usual})"
        )
    return TraceError(message, path=path, line=header.line)


def _column(header: Header, position: int) -> Column:
    name = header.names[position].strip()
    return Column(position, name, _split_unit(name)[1])


def _settle_time(
    picked: Picked, header: Header, wanted: Columns, account: Account
) -> None:
    """Keep either the column of arrivals or that of ends."""
    ends = wanted.end is not None or "arrival" not in picked.of
    if wanted.arrival is not None or not ends:
        picked.of.pop("end", None)
    else:
        picked.of.pop("arrival", None)
    if "end" in picked.of:
        account.stamped_end = True
    elif "arrival" not in picked.of:
        raise not_found(header, "arrival", account.path)


def _settle_duration(
    picked: Picked, header: Header, layout: Layout | None, account: Account
) -> None:
    """Fall back to durations that include waiting; ends need some duration."""
    if "duration" in picked.of:
        return
    if layout is None and (account.wants("duration_s") or account.stamped_end):
        for names, waiting in (
            (_USUAL_NAMES["duration"], False),
            (_WITH_WAITING, True),
        ):
            position = _usual(header, "duration", names, account)
            if position is not None:
                picked.of["duration"] = _column(header, position)
                picked.waiting = waiting
                return
    is_wanted = account.needs is not None and account.wants("duration_s")
    is_binned = bool(picked.of.keys() & {"count", "rate"})
    if is_wanted or (account.stamped_end and not is_binned):
        key = "duration" if is_wanted else "arrival"
        raise not_found(header, key, account.path)


def _require_tokens(picked: Picked, header: Header, account: Account) -> None:
    for key in ("input_tokens", "output_tokens"):
        if account.needs is not None and key in account.needs and key not in picked.of:
            raise not_found(header, key, account.path)


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
            f"has no {header.what} {shown(named)}, which traffic.trace.columns.{key} "
            f"names{hint}; {header.what}s are {_list(header)}"
        )
        raise TraceError(message, path=path, line=header.line)
    if len(found) > 1:
        raise _repeated(header, named, path)
    return found[0]


def _of_format(header: Header, name: str | None) -> int | None:
    """Return the position of a column that a format names, however it is spelled."""
    if name is None:
        return None
    plain = plain_name(name)
    for position, one in enumerate(header.names):
        if plain_name(one) == plain:
            return position
    return None


def _usual(
    header: Header, key: str, usual: tuple[str, ...], account: Account
) -> int | None:
    """Return the position of the column with the best of the usual names, if any."""
    bases = [_base(name, key) for name in header.names]
    found = [i for i, base in enumerate(bases) if base in usual]
    if not found:
        return None
    found.sort(key=lambda position: usual.index(bases[position]))
    best = found[0]
    if len(found) > 1 and bases[found[1]] == bases[best]:
        raise _repeated(header, header.names[best], account.path)
    if len(found) > 1 and key not in ("count", "rate", "end"):
        others = ", ".join(shown(header.names[i]) for i in found[1:4])
        account.notes.append(
            f"{key} is read from {shown(header.names[best])}, not from {others}; "
            f"traffic.trace.columns.{key} would choose another"
        )
    return best


def _base(name: str, key: str) -> str:
    """Return by what a column is known: without its unit, unless that is the point."""
    if key in ("rate", "count", "key", "session"):
        return plain_name(name)
    base = _split_unit(name)[0]
    # Some names have the unit after "unix" or "epoch".
    return re.sub(r"_(unix|epoch|utc)$", "", base)


def _repeated(header: Header, name: str, path: str) -> TraceError:
    message = f"has the {header.what} {shown(name.strip())} more than once; rename one"
    return TraceError(message, path=path, line=header.line)


def _looks_like_data(name: str) -> bool:
    return re.fullmatch(r"\s*|\s*[-+]?[0-9][-+0-9.:eETZ ]*", name) is not None


def _list(header: Header) -> str:
    names = [shown(name.strip(), 24) for name in header.names[:8]]
    more = len(header.names) - len(names)
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")
