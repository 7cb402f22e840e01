"""Access logs of clouds: AWS CloudFront and Google Cloud Run."""

from __future__ import annotations

import re
from datetime import UTC
from typing import TYPE_CHECKING, Any

import numpy as np

from costsim.errors import TraceError
from costsim.traffic.formats.batch import Batch, Format
from costsim.traffic.formats.gather import DatedRow, can_be, dated_batches
from costsim.traffic.formats.json_fields import (
    field,
    json_objects,
    mentions,
    number,
    text,
)
from costsim.traffic.formats.split import Coded, fields_of, split_block
from costsim.traffic.formats.times import drop_times, parse_times

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from costsim.scenario.trace import Trace
    from costsim.traffic.formats.batch import Account
    from costsim.traffic.formats.content import Content, Head
    from costsim.traffic.formats.json_values import Json

_LATENCY = re.compile(r"(?P<seconds>\d+(?:\.\d*)?)s")


def _is_cloudfront(head: Head) -> bool:
    fields = _fields(head.lines)
    if fields and {"date", "time", "time-taken"} <= set(fields):
        return True
    return mentions(head, "date", "time", "x-edge-location") or mentions(
        head, "timestamp(ms)", "x-edge-location"
    )


def _read_cloudfront(
    content: Content, spec: Trace, account: Account
) -> Iterator[Batch]:
    """Yield requests of standard logs, of version 1 or as JSON of version 2."""
    account.stamped_end = True
    account.zone = UTC
    account.resolution_s = 1.0
    account.notes.append(
        "date and time are when CloudFront had answered, in UTC: the arrival is that "
        "less time-taken, which is also the service time, with the way to the viewer"
    )
    if content.head.text.lstrip("\ufeff \r\n").startswith(("{", "[")):
        rows = _cloudfront_objects(content, account)
        yield from dated_batches(rows, "time", spec, account, "ms")
    else:
        yield from _cloudfront_lines(content, spec, account)


def _warn_of_hits(n_hits: int, account: Account) -> None:
    if n_hits:
        account.warnings.append(
            f"{n_hits / account.n_rows:.0%} of the requests were answered from "
            "CloudFront's cache (x-edge-result-type Hit) and never reached a server; "
            "leave them out of the file"
        )


def _fields(lines: Sequence[str]) -> list[str]:
    for line in lines[:5]:
        if line.startswith("#Fields:"):
            return line.removeprefix("#Fields:").split()
    return []


def _cloudfront_lines(
    content: Content, spec: Trace, account: Account
) -> Iterator[Batch]:
    names = _fields(content.head.lines)
    missing = [name for name in ("date", "time", "time-taken") if name not in names]
    if missing:
        message = f"has no {' and no '.join(missing)} in its line #Fields"
        raise TraceError(message, path=content.path, line=1)
    wanted = ["date", "time", "time-taken"]
    optional = ("cs-uri-stem", "c-ip", "x-edge-result-type")
    wanted += [name for name in optional if name in names]
    n_hits = 0
    for block in content.blocks():
        fields, odd = split_block(
            block, "\t", len(names), [names.index(name) for name in wanted]
        )
        if odd:
            fields = fields.joined(fields_of(*_odd_rows(odd, names, wanted, account)))
        columns = dict(zip(wanted, fields.columns, strict=True))
        yield from _cloudfront_batch(fields.line, columns, spec, account)
        if "x-edge-result-type" in columns:
            n_hits += int(columns["x-edge-result-type"].numbers(_is_hit).sum())
    _warn_of_hits(n_hits, account)


def _is_hit(result: str) -> float:
    return float(result in ("Hit", "RefreshHit"))


def _odd_rows(
    odd: Sequence[tuple[int, str]],
    names: Sequence[str],
    wanted: Sequence[str],
    account: Account,
) -> tuple[list[int], list[list[str]], int]:
    """Split lines that have another number of fields: comments, and broken ones."""
    lines, rows = [], []
    for at, line in odd:
        row = line.split("\t")
        if line.startswith("#") or not line.strip():
            continue
        if len(row) != len(names):
            account.n_rows += 1
            account.drop("another number of fields than in #Fields", at, line)
            continue
        lines.append(at)
        rows.append([row[names.index(name)] for name in wanted])
    return lines, rows, len(wanted)


def _cloudfront_batch(
    line: np.ndarray[Any, np.dtype[np.int64]],
    columns: dict[str, Coded],
    spec: Trace,
    account: Account,
) -> Iterator[Batch]:
    from pyarrow import compute

    kept = np.flatnonzero(columns["date"].numbers(len) > 0)
    days, times = (columns[name].rows(kept).texts() for name in ("date", "time"))
    texts = compute.binary_join_element_wise(days, "T", times, "Z", "")
    line = line[kept]
    account.n_rows += len(kept)
    if not len(kept):
        return
    usable = np.ones(len(kept), dtype=bool)
    time_ns = parse_times(texts, account, spec, line)
    drop_times(texts, time_ns, usable, line, "date and time", account)
    duration_s = columns["time-taken"].rows(kept).floats(number)
    usable &= can_be(duration_s, line, account)
    good = np.flatnonzero(usable)
    if not len(good):
        return
    rows = {name: column.rows(kept[good]) for name, column in columns.items()}
    yield Batch(
        line=line[good],
        time_ns=time_ns[good],
        duration_s=duration_s[good],
        key=rows["cs-uri-stem"].texts() if "cs-uri-stem" in rows else None,
        session=rows["c-ip"].texts() if "c-ip" in rows else None,
    )


def _cloudfront_objects(content: Content, account: Account) -> Iterator[DatedRow]:
    n_hits = 0
    for at, entry in json_objects(content, account):
        account.n_rows += 1
        n_hits += int(_is_hit(text(entry.get("x-edge-result-type"))))
        milli = text(entry.get("timestamp(ms)"))
        if milli:
            account.resolution_s = 0.001
        day, time = text(entry.get("date")), text(entry.get("time"))
        yield DatedRow(
            at,
            milli or (f"{day}T{time}Z" if day and time else ""),
            number(entry.get("time-taken")),
            key=text(entry.get("cs-uri-stem")),
            session=text(entry.get("c-ip")),
        )
    _warn_of_hits(n_hits, account)


def _is_cloud_run(head: Head) -> bool:
    return mentions(head, "resource", "timestamp", "logName") and (
        '"cloud_run_revision"' in head.text or mentions(head, "httpRequest", "insertId")
    )


def _read_cloud_run(content: Content, spec: Trace, account: Account) -> Iterator[Batch]:
    """Yield the request log of a service; other entries are left out."""
    account.notes.append(
        "the arrival is timestamp; service times are httpRequest.latency, the start of "
        "an instance and waiting included"
    )
    yield from dated_batches(
        _cloud_run_rows(content, account), "timestamp", spec, account
    )


def _cloud_run_rows(content: Content, account: Account) -> Iterator[DatedRow]:
    for at, entry in json_objects(content, account):
        request = entry.get("httpRequest")
        if not isinstance(request, dict):
            account.skip(_cloud_run_kind(entry))
            continue
        account.n_rows += 1
        labels = field(entry, "resource", "labels")
        yield DatedRow(
            at,
            text(entry.get("timestamp")),
            _latency_s(request.get("latency")),
            key=text(field(labels, "service_name")),
            session=text(request.get("remoteIp")),
        )


def _cloud_run_kind(entry: dict[str, Any]) -> str:
    if "Starting new instance" in text(entry.get("textPayload")):
        return "entries on the start of an instance"
    return "entries that are not of the request log"


def _latency_s(value: Json) -> float:
    """Return a latency, ``1.5s`` or as BigQuery has it {seconds, nanos}. [s]"""
    if isinstance(value, dict):
        nanos = number(value.get("nanos") or 0)
        return number(value.get("seconds") or 0) + nanos * 1e-9
    match = _LATENCY.fullmatch(text(value))
    return float(match["seconds"]) if match else number(value)


FORMATS: tuple[Format, ...] = (
    Format(
        "cloudfront",
        "AWS CloudFront standard log, version 1, or 2 as JSON",
        _is_cloudfront,
        _read_cloudfront,
        arrival="date and time (the end, UTC, whole seconds) less time-taken",
        holds="time-taken, the path as key, the address as session",
        export="turn on standard logging of the distribution",
    ),
    Format(
        "cloud-run",
        "Google Cloud Run request log",
        _is_cloud_run,
        _read_cloud_run,
        arrival="timestamp",
        holds="httpRequest.latency, the service as key, the address as session",
        export="gcloud logging read 'resource.type=cloud_run_revision AND "
        "logName:run.googleapis.com%2Frequests' --format=json",
    ),
)
