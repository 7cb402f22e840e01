"""Access logs of web servers: common and combined, with a time of service at the end.

Apache stamps when a request came, nginx when it was answered. The stamps are whole
seconds. For other forms the user gives the server's ``log_format``.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np

from costsim.errors import TraceError
from costsim.traffic.formats import cloud_logs, load_balancers
from costsim.traffic.formats.batch import Batch, Format
from costsim.traffic.formats.gather import can_be
from costsim.traffic.formats.log_formats import read_by_log_format
from costsim.traffic.formats.split import Coded, Fields, fields_of, split_block
from costsim.traffic.formats.stamps import offset_ns, request_paths, stamp_ns
from costsim.traffic.formats.times import NO_TIME

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from costsim.records import Floats
    from costsim.scenario.trace import Trace
    from costsim.traffic.formats.batch import Account
    from costsim.traffic.formats.content import Content, Head

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\[[^\]\s]*|\S+')
_STAMP = re.compile(r"\[\d{1,2}/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d")
_STATUS = re.compile(r"\d{3}|-")
_SECONDS = re.compile(r'"?(?:[a-z_]+=)?"?(\d+\.\d+)"?')
_WHOLE = re.compile(r"\d+")
_SECONDS_IN = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}

_ENOUGH = 0.8  # share of the first lines that show a field to be a time
_MANY_ERRORS = 0.05  # share from which on errors are worth a note


@dataclass(frozen=True)
class Layout:
    """Where things are in a line: positions of fields between blanks, from 0."""

    n_fields: int
    """How many fields there are; the time of arrival takes two."""
    stamp: int
    """Position of the time of arrival, whose zone is in the next field."""
    duration: int | None
    """Position of the time of service, if there is one."""
    unit: str
    """Its unit: that of nginx, s, or that of Apache, us."""

    @property
    def wanted(self) -> list[int]:
        """Fields to read: client, stamp, zone, request, status and time of service."""
        at = self.stamp
        places = [max(0, at - 3), at, at + 1, at + 2, at + 3]
        return places if self.duration is None else [*places, self.duration]


def find_layout(lines: Sequence[str]) -> Layout | None:
    """Return how the first lines of a file are laid out, None if it is no access log."""
    rows = [_TOKEN.findall(line) for line in lines[:100]]
    stamps = [_stamp_at(row) for row in rows]
    logged = [(row, at) for row, at in zip(rows, stamps, strict=True) if at is not None]
    if not logged or len(logged) < len(rows) / 2:
        return None
    shape, _ = Counter((len(row), at) for row, at in logged).most_common(1)[0]
    alike = [row for row, at in logged if (len(row), at) == shape]
    n_fields, stamp = shape
    for unit, pattern in (("s", _SECONDS), ("us", _WHOLE)):
        for at in range(stamp + 5, n_fields):
            n_found = sum(pattern.fullmatch(row[at]) is not None for row in alike)
            if n_found >= _ENOUGH * len(alike):
                return Layout(n_fields, stamp, at, unit)
    return Layout(n_fields, stamp, None, "")


def _stamp_at(row: Sequence[str]) -> int | None:
    """Return where the time is, if the request and the status are where they must be."""
    for at in range(1, min(len(row), 12)):
        if _STAMP.fullmatch(row[at]) and len(row) > at + 3:
            good = row[at + 2].startswith('"') and _STATUS.fullmatch(row[at + 3])
            return at if good else None
    return None


def _is_apache(head: Head) -> bool:
    return find_layout(head.lines) is not None


def _is_nginx(head: Head) -> bool:
    layout = find_layout(head.lines)
    return layout is not None and layout.unit == "s"


def _read_apache(content: Content, spec: Trace, account: Account) -> Iterator[Batch]:
    """Yield the requests of a log whose stamps are arrivals."""
    if spec.log_format is not None:
        yield from read_by_log_format(content, spec, account)
        return
    layout = _layout(content)
    account.notes.append(
        "the arrival is the stamp, which Apache takes when a request comes; for nginx, "
        "which writes it when the request ends, set traffic.trace.format to nginx"
    )
    yield from _read(content, layout, spec, account)


def _read_nginx(content: Content, spec: Trace, account: Account) -> Iterator[Batch]:
    """Yield the requests of a log whose stamps are ends."""
    if spec.log_format is not None:
        yield from read_by_log_format(content, spec, account)
        return
    layout = _layout(content)
    if layout.duration is None:
        account.warnings.append(
            "nginx writes a line when the request ends, and this log has no "
            "$request_time: arrivals are late by the time of service"
        )
    else:
        account.stamped_end = True
        account.notes.append(
            "the stamp of nginx is the end of a request: the arrival is the stamp less "
            "$request_time"
        )
    yield from _read(content, layout, spec, account)


def _layout(content: Content) -> Layout:
    layout = find_layout(content.head.lines)
    if layout is None:
        message = (
            "is not an access log in the common or combined format; give the server's "
            "own in traffic.trace.log_format"
        )
        raise TraceError(message, path=content.path, line=1)
    return layout


def _read(
    content: Content, layout: Layout, spec: Trace, account: Account
) -> Iterator[Batch]:
    account.zone = UTC
    account.resolution_s = 1.0
    unit = layout.unit if spec.duration_unit == "auto" else spec.duration_unit
    if layout.duration is not None:
        names = {"s": "seconds", "ms": "milliseconds", "us": "microseconds"}
        account.notes.append(
            f"service times are field {layout.duration + 1} in {names.get(unit, unit)}, "
            "from the first byte read to the last one sent, waiting included"
        )
    statuses: Counter[str] = Counter()
    for block in content.blocks():
        fields, odd = split_block(block, " ", layout.n_fields, layout.wanted)
        if odd:
            fields = fields.joined(_slowly(odd, layout, account))
        batch = _batch(fields, layout, unit, account, statuses)
        if len(batch.line):
            yield batch
    _note_errors(statuses, account)


def _slowly(odd: Sequence[tuple[int, str]], layout: Layout, account: Account) -> Fields:
    """Split lines one by one: such as have blanks in the name of the user."""
    lines, rows = [], []
    for line, text in odd:
        row = _TOKEN.findall(text)
        at = _stamp_at(row)
        if not row:
            continue
        if at is None:
            account.n_rows += 1
            account.drop("a line of another form", line, text)
            continue
        client = row[max(0, layout.stamp - 3)]
        places = [row[at], row[at + 1].rstrip("]"), row[at + 2].strip('"'), row[at + 3]]
        found = [client, *places]
        if layout.duration is not None:
            after = layout.duration - layout.stamp + at
            found.append(row[after] if after < len(row) else "-")
        lines.append(line)
        rows.append(found)
    return fields_of(lines, rows, len(layout.wanted))


def _batch(
    fields: Fields,
    layout: Layout,
    unit: str,
    account: Account,
    statuses: Counter[str],
) -> Batch:
    client, stamp, zone, request, status = fields.columns[:5]
    time_ns = stamp.wholes(stamp_ns)
    ahead_ns = zone.wholes(offset_ns)
    served = status.numbers(_is_status) > 0
    blank = client.numbers(len) == 0
    account.n_rows += int(np.count_nonzero(~blank))
    bad_time = (time_ns == NO_TIME) | (ahead_ns == NO_TIME)
    _drop(fields, bad_time & ~blank, stamp, "a time that cannot be read", account)
    other = ~served & ~bad_time & ~blank
    _drop(fields, other, status, "a status that is no number", account)
    usable = ~blank & ~bad_time & served
    duration_s: Floats | None = None
    if layout.duration is not None:
        duration_s = fields.columns[5].floats(_duration) * _SECONDS_IN[unit]
        usable &= can_be(duration_s, fields.line, account)
    good = np.flatnonzero(usable)
    counts = np.bincount(status.codes[good], minlength=len(status.values)).tolist()
    statuses.update(dict(zip(status.values.to_pylist(), counts, strict=True)))
    return Batch(
        line=fields.line[good],
        time_ns=time_ns[good] - ahead_ns[good],
        duration_s=None if duration_s is None else duration_s[good],
        key=request.rows(good).texts(request_paths),
        session=client.rows(good).texts() if account.wants("session") else None,
    )


def _drop(
    fields: Fields,
    bad: np.ndarray[Any, np.dtype[np.bool_]],
    column: Coded,
    reason: str,
    account: Account,
) -> None:
    for i in np.flatnonzero(bad).tolist():
        account.drop(reason, int(fields.line[i]), column.text(i))


def _note_errors(statuses: Counter[str], account: Account) -> None:
    n = statuses.total()
    for digit, kind in (("4", "refused"), ("5", "failed")):
        found = sum(k for status, k in statuses.items() if status.startswith(digit))
        if n and found > _MANY_ERRORS * n:
            account.notes.append(
                f"{found / n:.0%} of the requests were {kind} (status {digit}xx); they "
                "are requests here too"
            )


def _is_status(text: str) -> float:
    return float(_STATUS.fullmatch(text) is not None)


def _duration(text: str) -> float:
    found = _SECONDS.fullmatch(text)
    if found:
        return float(found[1])
    return float(text) if text.isdecimal() else nan


FORMATS: tuple[Format, ...] = (
    *load_balancers.FORMATS,
    *cloud_logs.FORMATS,
    Format(
        "nginx",
        "nginx access log",
        _is_nginx,
        _read_nginx,
        arrival="$time_local (the end) less $request_time; whole seconds",
        holds="$request_time, the path as key, the address as session",
        export="log_format timed '... \"$http_user_agent\" $request_time';",
    ),
    Format(
        "apache",
        "Apache access log, common or combined",
        _is_apache,
        _read_apache,
        arrival="%t; whole seconds",
        holds="%D at the end of the line if it is there, the path as key, the address "
        "as session",
        export='LogFormat "... \\"%{User-Agent}i\\" %D" timed',
    ),
)
