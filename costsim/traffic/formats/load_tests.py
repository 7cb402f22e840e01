"""Results of load generators for web services: k6 and Locust.

Their arrivals are those of a test, not of users: what they are good for is the service
times.
"""

from __future__ import annotations

import json
from datetime import UTC
from math import nan
from typing import TYPE_CHECKING

import numpy as np

from costsim.errors import TraceError
from costsim.traffic.formats import llm_benchmarks
from costsim.traffic.formats.batch import Format
from costsim.traffic.formats.gather import DatedRow, dated_batches
from costsim.traffic.formats.json_fields import (
    field,
    mentions,
    ns_of_seconds,
    number,
    text,
)
from costsim.traffic.formats.llm_benchmarks import NOT_TRAFFIC
from costsim.traffic.formats.series import Meaning, Series, bins
from costsim.traffic.formats.split import split_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from costsim.scenario.trace import Trace
    from costsim.traffic.formats.batch import Account, Batch
    from costsim.traffic.formats.content import Content, Head

_K6_POINT = "http_req_duration"
_K6_NAMES = ("metric_name", "timestamp", "metric_value")
_ALL_REQUESTS = ("Aggregated", "Total")
_UNKNOWN = ("", "N/A")  # what Locust writes before the first request


def _is_k6(head: Head) -> bool:
    first = head.lines[0] if head.lines else ""
    names = first.lstrip("\ufeff").replace('"', "").split(",")
    if set(_K6_NAMES) <= set(names):
        return True
    kinds = ('"type":"Point"', '"type":"Metric"')
    return mentions(head, "metric", "type", "data") and any(
        kind in head.text.replace(" ", "") for kind in kinds
    )


def _read_k6(content: Content, spec: Trace, account: Account) -> Iterator[Batch]:
    """Yield a request for each sample of http_req_duration."""
    account.warnings.append(NOT_TRAFFIC)
    account.stamped_end = True
    account.notes.append(
        "each http_req_duration is a request: its time is the end and its value the "
        "duration in milliseconds, so that the arrival is the time less the duration"
    )
    as_json = content.head.text.lstrip("\ufeff \r\n").startswith("{")
    rows = _k6_points(content, account) if as_json else _k6_rows(content, account)
    yield from dated_batches(_whole_seconds(rows, account), "timestamp", spec, account)


def _whole_seconds(rows: Iterator[DatedRow], account: Account) -> Iterator[DatedRow]:
    """Yield rows, and note whether their times are whole seconds, as is the default."""
    for i, row in enumerate(rows):
        if i == 0 and row.time.isdigit() and len(row.time) <= 10:
            account.resolution_s = 1.0
        yield row


def _k6_rows(content: Content, account: Account) -> Iterator[DatedRow]:
    """Yield the requests of a CSV file, whose other lines are not even split."""
    lines = enumerate(content.lines(), start=1)
    names = split_line(next(lines, (1, ""))[1].lstrip("\ufeff"))
    if not set(_K6_NAMES) <= set(names):
        message = f"has not all of the columns {', '.join(_K6_NAMES)}"
        raise TraceError(message, path=content.path, line=1)
    metric, time, value = (names.index(name) for name in _K6_NAMES)
    label = names.index("name") if "name" in names else metric
    for at, line in lines:
        if _K6_POINT not in line:
            continue
        row = split_line(line)
        if len(row) > metric and row[metric] != _K6_POINT:
            continue
        account.n_rows += 1
        if len(row) <= max(time, value, label):
            account.drop("fewer fields than the header", at, line)
            continue
        key = row[label] if label != metric else ""
        yield DatedRow(at, row[time], number(row[value]) * 1e-3, key=key)


def _k6_points(content: Content, account: Account) -> Iterator[DatedRow]:
    """Yield the requests of a JSON file, whose other lines are not even parsed."""
    for at, line in enumerate(content.lines(), start=1):
        if _K6_POINT not in line or '"Point"' not in line:
            continue
        try:
            point = json.loads(line)
        except (ValueError, RecursionError):
            account.n_rows += 1
            account.drop("text that is not valid JSON", at, line)
            continue
        if field(point, "metric") == _K6_POINT:
            account.n_rows += 1
            data = field(point, "data")
            lasts_s = number(field(data, "value")) * 1e-3
            name = text(field(data, "tags", "name"))
            yield DatedRow(at, text(field(data, "time")), lasts_s, key=name)


def _is_locust(head: Head) -> bool:
    first = head.lines[0] if head.lines else ""
    return all(
        name in first for name in ("Timestamp", "User Count", "Total Request Count")
    )


def _read_locust(content: Content, spec: Trace, account: Account) -> Iterator[Batch]:
    """Yield what the number of all requests rose by from row to row."""
    account.zone = UTC
    account.warnings.append(NOT_TRAFFIC)
    account.notes.append(
        "requests are the rise of Total Request Count from one row named Aggregated to "
        "the next; rows of single endpoints would count them twice"
    )
    total = _locust_total(content)
    yield from bins(
        [total], spec, account, meaning=Meaning.TOTAL, stamps_end=True, from_zero=True
    )


def _locust_total(content: Content) -> Series:
    lines, times_ns, values = [], [], []
    names: list[str] = []
    for at, line in enumerate(content.lines(), start=1):
        cells = split_line(line)
        names = names or cells
        row = dict(zip(names, cells, strict=False))
        time_ns = ns_of_seconds(row.get("Timestamp"))
        if time_ns is None or row.get("Name", "").strip() not in _ALL_REQUESTS:
            continue
        total = row.get("Total Request Count", "").strip()
        lines.append(at)
        times_ns.append(time_ns)
        values.append(nan if total in _UNKNOWN else number(total))
    return Series(
        "Total Request Count",
        "",
        np.array(lines, dtype=np.int64),
        np.array(times_ns, dtype=np.int64),
        np.array(values, dtype=np.float64),
    )


FORMATS: tuple[Format, ...] = (
    *llm_benchmarks.FORMATS,
    Format(
        "k6",
        "Grafana k6",
        _is_k6,
        _read_k6,
        arrival="time of http_req_duration (the end) less its value",
        holds="durations, the request's name as key",
        export="k6 run --out csv=test.csv, or --out json=test.json",
    ),
    Format(
        "locust",
        "Locust",
        _is_locust,
        _read_locust,
        arrival="counts: the rise of Total Request Count of Aggregated, row by row",
        holds="nothing else",
        export="locust --csv NAME, then NAME_stats_history.csv",
    ),
)
