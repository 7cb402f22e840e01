"""Access logs whose form the user gives, as Apache's LogFormat or nginx's log_format."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from math import nan
from typing import TYPE_CHECKING

from costsim.errors import TraceError
from costsim.traffic.formats.gather import Row, batches
from costsim.traffic.formats.json_fields import number
from costsim.traffic.formats.stamps import log_ns, request_path
from costsim.traffic.formats.times import NO_TIME, ns_of_iso

if TYPE_CHECKING:
    from collections.abc import Iterator

    from apachelogs import LogEntry

    from costsim.scenario.trace import Trace
    from costsim.traffic.formats.batch import Account, Batch
    from costsim.traffic.formats.content import Content

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_NGINX_TIMES = ("msec", "time_iso8601", "time_local")
_SUBSECOND = ("msec", "usec", "%f")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KEY = "traffic.trace.log_format"
_SHARE_TO_SEE = 20  # lines none of which may fit before the form is said to be wrong


def read_by_log_format(
    content: Content, spec: Trace, account: Account
) -> Iterator[Batch]:
    """Yield the requests of a log of the user's form; ``$`` marks nginx's variables.

    Raises
    ------
    TraceError
        If the form has no time, or the first lines are not of it.
    """
    form = spec.log_format or ""
    account.zone = UTC
    if any(word in form for word in _SUBSECOND):
        account.resolution_s = 1e-3
    else:
        account.resolution_s = 1.0
    if _VARIABLE.search(form):
        yield from batches(_nginx_rows(content, form, account), account)
    else:
        yield from batches(_apache_rows(content, form, account), account)


def nginx_pattern(form: str) -> re.Pattern[str]:
    """Return a pattern for lines of nginx's ``log_format``; variables are its groups."""
    pattern, at, known = "", 0, set()
    for match in _VARIABLE.finditer(form):
        pattern += re.escape(form[at : match.start()])
        at = match.end()
        name = match[1] or match[2]
        following = form[at : at + 1]
        value = f"[^{re.escape(following)}]*" if following not in ("", "$") else ".*?"
        pattern += f"({value})" if name in known else f"(?P<{name}>{value})"
        known.add(name)
    return re.compile(pattern + re.escape(form[at:].rstrip()))


def _nginx_rows(content: Content, form: str, account: Account) -> Iterator[Row]:
    pattern = nginx_pattern(form)
    stamp = next((name for name in _NGINX_TIMES if name in pattern.groupindex), None)
    if stamp is None:
        raise _no_time(content.path, "$time_local, $time_iso8601 or $msec")
    account.stamped_end = any(
        name in pattern.groupindex
        for name in ("request_time", "upstream_response_time")
    )
    if not account.stamped_end:
        account.warnings.append(
            "nginx writes a line when the request ends, and this log has no "
            "$request_time: arrivals are late by the time of service"
        )
    account.notes.append(
        f"the stamp is ${stamp}, the end of a request: the arrival is that less the "
        "time of service"
    )
    for at, line in enumerate(content.lines(), start=1):
        if not line.strip():
            continue
        account.n_rows += 1
        match = pattern.fullmatch(line.rstrip())
        if match is None:
            account.drop("a line of another form", at, line)
            _refuse_if_none_fits(account, content.path)
            continue
        row = _nginx_row(at, match.groupdict(), stamp)
        if row.time_ns == NO_TIME:
            account.drop("a time that cannot be read", at, match[stamp])
        else:
            yield row


def _nginx_row(at: int, part: dict[str, str], stamp: str) -> Row:
    request = part.get("request_uri") or part.get("uri") or ""
    return Row(
        at,
        _nginx_ns(part[stamp], stamp),
        _nginx_duration_s(part),
        key=request.partition("?")[0] or request_path(part.get("request", "")),
        session=part.get("remote_addr", ""),
    )


def _nginx_ns(text: str, stamp: str) -> int:
    if stamp == "time_local":
        return log_ns(text)
    try:
        if stamp == "time_iso8601":
            return ns_of_iso(text)
        second, _, milli = text.partition(".")
        return int(second) * 10**9 + int((milli or "0").ljust(3, "0")[:3]) * 10**6
    except ValueError:
        return NO_TIME


def _nginx_duration_s(part: dict[str, str]) -> float:
    """Return the time of service; behind several servers it is that of all of them."""
    text = part.get("request_time", "-")
    if text != "-":
        return number(text)
    tries = re.split(r"[,:] *", part.get("upstream_response_time", ""))
    times = [number(one) for one in tries if one.strip() not in ("", "-")]
    return sum(times) if times else nan


def _apache_rows(content: Content, form: str, account: Account) -> Iterator[Row]:
    from apachelogs import InvalidEntryError, LogParser
    from apachelogs.errors import Error

    try:
        parser = LogParser(form)
    except (Error, ValueError) as error:
        message = f"{_KEY} is not an Apache LogFormat: {error}"
        raise TraceError(message, path=content.path) from error
    for at, line in enumerate(content.lines(), start=1):
        if not line.strip():
            continue
        account.n_rows += 1
        try:
            entry = parser.parse(line)
        except (InvalidEntryError, ValueError):
            account.drop("a line of another form", at, line)
            _refuse_if_none_fits(account, content.path)
            continue
        yield _apache_row(at, entry, account, content.path)


def _apache_row(at: int, entry: LogEntry, account: Account, path: str) -> Row:
    begin = getattr(entry, "begin_request_time", None)
    moment = begin or getattr(entry, "request_time", None)
    if moment is None:
        moment = getattr(entry, "end_request_time", None)
        account.stamped_end = True
    if moment is None:
        raise _no_time(path, "%t")
    if moment.tzinfo is None:
        account.zone = None
    since = moment.replace(tzinfo=moment.tzinfo or UTC) - _EPOCH
    request = getattr(entry, "request_uri", None)
    client = getattr(entry, "remote_host", None) or getattr(
        entry, "remote_address", None
    )
    return Row(
        at,
        since // timedelta(microseconds=1) * 1000,
        _apache_duration_s(entry),
        key=(request or request_path(getattr(entry, "request_line", None) or "")),
        session=str(client or ""),
    )


def _apache_duration_s(entry: LogEntry) -> float:
    for unit, scale in (
        ("microseconds", 1e-6),
        ("milliseconds", 1e-3),
        ("seconds", 1.0),
    ):
        value = getattr(entry, f"request_duration_{unit}", None)
        if value is not None:
            return number(value) * scale
    return nan


def _refuse_if_none_fits(account: Account, path: str) -> None:
    n_bad = sum(fault.n for fault in account.faults.values())
    if n_bad == account.n_rows == _SHARE_TO_SEE:
        fault = next(iter(account.faults.values()))
        message = (
            f"none of the first {n_bad} lines is of the form in {_KEY}; the first is "
            f"{fault.example[:120]!r}"
        )
        raise TraceError(message, path=path, line=fault.lines[0])


def _no_time(path: str, wanted: str) -> TraceError:
    message = f"{_KEY} has no time of the request; it must have {wanted}"
    return TraceError(message, path=path)
