"""Metrics over time: Prometheus, Grafana, Datadog and CloudWatch."""

from __future__ import annotations

import re
from datetime import UTC
from typing import TYPE_CHECKING, Any

import numpy as np

from costsim.errors import TraceError
from costsim.traffic.formats.batch import Format
from costsim.traffic.formats.columns import plain_name
from costsim.traffic.formats.json_fields import (
    field,
    items,
    json_objects,
    mentions,
    number,
    text,
)
from costsim.traffic.formats.metric_tables import (
    Table,
    is_time,
    parse_value,
    read_table,
    split_rows,
    table_series,
)
from costsim.traffic.formats.series import Meaning, Series, bins
from costsim.traffic.formats.times import parse_times, times_of_numbers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from costsim.records import Ints
    from costsim.scenario.trace import Trace
    from costsim.traffic.formats.batch import Account, Batch
    from costsim.traffic.formats.content import Content, Head
    from costsim.traffic.formats.json_values import Json

_PARTS_OF_HISTOGRAMS = ("_bucket", "_sum", "_created")
_DATADOG = re.compile(r"\b(sum|avg|min|max|count):[a-z][\w.]*", re.IGNORECASE)
_NOT_A_METRIC = (
    *("duration", "latency", "tokens", "input", "output", "prompt", "model", "session"),
    *("user", "status", "path", "url", "request_id"),
)
_LONGEST_STEP_S = 1e7
_CONSOLE_ROWS = ("label", "full label")


def _is_prometheus(head: Head) -> bool:
    if mentions(head, "resultType") and '"status"' in head.text:
        return True
    return head.text.lstrip().startswith("[") and mentions(head, "metric", "values")


def _read_prometheus(
    content: Content, spec: Trace, account: Account
) -> Iterator[Batch]:
    """Yield the bins of the answer to a query over a range of time."""
    series = prometheus_series(content, spec, account)
    account.notes.append(
        "values are those of the step that ends at their time, as increase() and rate() "
        "have it"
    )
    yield from bins(series, spec, account, stamps_end=True)


def prometheus_series(content: Content, spec: Trace, account: Account) -> list[Series]:
    """Return the series in an answer of Prometheus, without parts of histograms."""
    account.zone = UTC
    results = list(_prometheus_results(content, account))
    metrics = [field(result, "metric") for result in results]
    labels = [metric if isinstance(metric, dict) else {} for metric in metrics]
    keys = _keys(labels, spec.columns.key)
    found = []
    n_points = 0
    for result, label, key in zip(results, labels, keys, strict=True):
        name = text(label.get("__name__"))
        points = items(field(result, "values"))
        if name.endswith(_PARTS_OF_HISTOGRAMS):
            account.skip("series that are parts of histograms")
            continue
        found.append(_points(name, key, points, n_points, spec, account))
        n_points += len(points)
    return found


def _prometheus_results(content: Content, account: Account) -> Iterator[dict[str, Any]]:
    for at, answer in json_objects(content, account):
        if answer.get("status") == "error":
            message = f"is an error of Prometheus: {text(answer.get('error'))[:200]}"
            raise TraceError(message, path=content.path, line=at)
        kind = field(answer, "data", "resultType") or answer.get("resultType")
        if kind not in (None, "matrix"):
            message = (
                f"has a result of type '{kind}', a single moment; ask for "
                "/api/v1/query_range"
            )
            raise TraceError(message, path=content.path, line=at)
        if "metric" in answer:
            yield answer
        for result in items(field(answer, "data", "result")) or items(
            answer.get("result")
        ):
            if isinstance(result, dict):
                yield result


def _keys(labels: Sequence[dict[str, Any]], wanted: str | None) -> list[str]:
    """Return a key for each series: the label that is wanted, else those that differ."""
    if wanted is not None:
        return [text(label.get(wanted)) for label in labels]
    names = sorted({name for label in labels for name in label} - {"__name__"})
    differing = [
        name for name in names if len({text(label.get(name)) for label in labels}) > 1
    ]
    return [
        ",".join(text(label[name]) for name in differing if name in label)
        for label in labels
    ]


def _points(
    name: str,
    key: str,
    points: Sequence[Any],
    before: int,
    spec: Trace,
    account: Account,
    unit: str = "s",
) -> Series:
    """Return a series of pairs of a time and a value, null or text as it may be."""
    pairs = [point for point in points if isinstance(point, list) and len(point) >= 2]
    line: Ints = before + 1 + np.arange(len(pairs), dtype=np.int64)
    times = np.array([number(pair[0]) for pair in pairs], dtype=np.float64)
    values = np.array([number(pair[1]) for pair in pairs], dtype=np.float64)
    known = np.isfinite(times)
    time_ns = times_of_numbers(times[known], account, spec, line[known], unit)
    return Series(name, key, line[known], time_ns, values[known])


def _is_grafana(head: Head) -> bool:
    rows = list(split_rows(iter(head.lines[:4])))
    if len(rows) < 2:
        return False
    names, cells = rows[0][1], rows[1][1]
    if names[0] != "Time" and not {"Series", "Time", "Value"} <= set(names):
        return False
    others = [plain_name(name) for name in names[1:]]
    if any(other.startswith(_NOT_A_METRIC) for other in others):
        return False
    if names[0] != "Time":
        return True
    return is_time(cells[0]) and all(parse_value(cell)[1] != "?" for cell in cells[1:])


def _read_grafana(content: Content, spec: Trace, account: Account) -> Iterator[Batch]:
    """Yield the bins of a panel's data."""
    rows = split_rows(content.lines())
    _, names = next(rows, (1, [""]))
    if {"Series", "Time", "Value"} <= set(names):
        series = _long_series(names, list(rows), spec, account)
    else:
        series = table_series(read_table(content), 0, spec, account)
    _warn_of_zone(spec, account, "Grafana writes times by the clock of the browser")
    yield from bins(series, spec, account)


def _long_series(
    names: Sequence[str],
    rows: Sequence[tuple[int, list[str]]],
    spec: Trace,
    account: Account,
) -> list[Series]:
    """Return the series of a table that has a row for each point."""
    at = [names.index(name) for name in ("Series", "Time", "Value")]
    tables: dict[str, Table] = {}
    for line, cells in rows:
        if len(cells) > max(at):
            title, time, value = (cells[i] for i in at)
            table = tables.setdefault(title, Table(["Time", title]))
            table.lines.append(line)
            table.rows.append([time, value])
    found = []
    for name, table in tables.items():
        for series in table_series(table, 0, spec, account):
            key = name if len(tables) > 1 else ""
            found.append(
                Series(series.name, key, series.line, series.time_ns, series.value)
            )
    return found


def _warn_of_zone(spec: Trace, account: Account, why: str) -> None:
    if account.zone is None and account.epoch == "unix" and spec.time_zone is None:
        account.warnings.append(
            f"{why}, without an offset: set traffic.trace.time_zone, or hours of the day "
            "may be shifted"
        )


def _is_datadog(head: Head) -> bool:
    if mentions(head, "series", "pointlist") or mentions(head, "timeseries_response"):
        return True
    first = head.lines[0] if head.lines else ""
    return "," in first and _DATADOG.search(first) is not None and first[0] not in "{["


def _read_datadog(content: Content, spec: Trace, account: Account) -> Iterator[Batch]:
    """Yield the bins of the answer to a query, or of a widget's table."""
    if not content.head.text.lstrip("\ufeff \r\n").startswith(("{", "[")):
        table = read_table(content)
        series = table_series(table, 0, spec, account)
        _warn_of_zone(spec, account, "Datadog writes times by the clock of the browser")
        yield from bins(series, spec, account)
        return
    account.zone = UTC
    found: list[Series] = []
    steps: list[float] = []
    for _, answer in json_objects(content, account):
        attributes = field(answer, "data", "attributes")
        if attributes is not None:
            found += _datadog_columns(attributes, spec, account)
        for one in items(answer.get("series")):
            n_points = sum(len(series.line) for series in found)
            points = items(field(one, "pointlist"))
            name, key = _datadog_name(one), text(field(one, "scope")).strip("*")
            found.append(_points(name, key, points, n_points, spec, account, "ms"))
            steps.append(number(field(one, "interval")))
    known = [step for step in steps if 0 < step < _LONGEST_STEP_S]
    yield from bins(found, spec, account, step_s=known[0] if known else None)


def _datadog_name(series: Json) -> str:
    """Return what tells what the values are: the query and their unit."""
    name = text(field(series, "expression")) or text(field(series, "metric"))
    name = name.replace("as_rate()", "rate").replace("as_count()", "increase()")
    units = items(field(series, "unit"))
    per_second = len(units) > 1 and field(units[1], "name") == "second"
    return f"{name} /s" if per_second else name


def _datadog_columns(attributes: Json, spec: Trace, account: Account) -> list[Series]:
    """Return the series of an answer of version 2: times, and values for each series."""
    times = items(field(attributes, "times"))
    found: list[Series] = []
    for about, values in zip(
        items(field(attributes, "series")),
        items(field(attributes, "values")),
        strict=False,
    ):
        key = ",".join(text(tag) for tag in items(field(about, "group_tags")))
        pairs = [list(pair) for pair in zip(times, items(values), strict=False)]
        name = _datadog_name(about)
        n_points = len(found) * len(times)
        found.append(_points(name, key, pairs, n_points, spec, account, "ms"))
    return found


def _is_cloudwatch(head: Head) -> bool:
    if mentions(head, "MetricDataResults") or mentions(head, "Datapoints", "Timestamp"):
        return True
    rows = list(split_rows(iter(head.lines[:8])))
    first = [cells[0].lower() for _, cells in rows]
    return any(cell in _CONSOLE_ROWS for cell in first) and any(
        is_time(cells[0]) for _, cells in rows
    )


def _read_cloudwatch(
    content: Content, spec: Trace, account: Account
) -> Iterator[Batch]:
    """Yield the bins of a metric such as RequestCount, whose statistic is Sum."""
    account.notes.append(
        "values are sums of the period that begins at their time; periods that are not "
        "there had no requests"
    )
    if content.head.text.lstrip("\ufeff \r\n").startswith(("{", "[")):
        found = _cloudwatch_series(content, spec, account)
    else:
        table = read_table(content, _CONSOLE_ROWS)
        found = table_series(table, 0, spec, account)
        _warn_of_zone(spec, account, "the console writes times as it is set to")
    values = [one.value[np.isfinite(one.value)] for one in found]
    if values and all(len(one) > 5 and (one == 1).all() for one in values):
        account.warnings.append(
            "all values are 1, as averages of RequestCount are; ask for the statistic Sum"
        )
    meaning = None if any("/s" in one.name.lower() for one in found) else Meaning.COUNT
    yield from bins(found, spec, account, meaning=meaning)


def _cloudwatch_series(content: Content, spec: Trace, account: Account) -> list[Series]:
    found: list[Series] = []
    before = 0
    for at, answer in json_objects(content, account):
        for name, times, values in _cloudwatch_answers(answer, content.path, at):
            line = before + 1 + np.arange(len(times), dtype=np.int64)
            before += len(times)
            time_ns = parse_times(times, account, spec, line)
            column = np.array([number(value) for value in values], dtype=np.float64)
            found.append(Series(name, name, line, time_ns, column))
    return found


def _cloudwatch_answers(
    answer: dict[str, Any], path: str, at: int
) -> Iterator[tuple[str, list[str], list[Any]]]:
    """Yield name, times and values of get-metric-data or get-metric-statistics."""
    for result in items(answer.get("MetricDataResults")):
        name = text(field(result, "Label")) or text(field(result, "Id"))
        times = [text(time) for time in items(field(result, "Timestamps"))]
        yield name, times, items(field(result, "Values"))
    points = items(answer.get("Datapoints"))
    if not points:
        return
    statistic = next((s for s in ("Sum", "SampleCount") if s in points[0]), None)
    if statistic is None:
        message = "has neither Sum nor SampleCount; ask for --statistics Sum"
        raise TraceError(message, path=path, line=at)
    unit = text(field(points[0], "Unit")).replace("/Second", "/s")
    times = [text(field(point, "Timestamp")) for point in points]
    name = f"{text(answer.get('Label'))} {unit if '/' in unit else ''}".strip()
    yield name, times, [field(point, statistic) for point in points]


FORMATS: tuple[Format, ...] = (
    Format(
        "prometheus",
        "Prometheus query_range",
        _is_prometheus,
        _read_prometheus,
        arrival="counts: values of increase() per step, of rate() times the step, or the "
        "rise of counters named _total",
        holds="labels that differ, or columns.key, as key",
        export="curl 'URL/api/v1/query_range?query=sum(increase(http_requests_total[1m]))"
        "&start=...&end=...&step=60'",
    ),
    Format(
        "datadog",
        "Datadog timeseries query, or table of a widget",
        _is_datadog,
        _read_datadog,
        arrival="counts: values per interval, of as_rate() times the interval",
        holds="the scope as key",
        export="GET /api/v1/query?query=sum:trace.http.request.hits{*}.as_count()",
    ),
    Format(
        "cloudwatch",
        "AWS CloudWatch metric",
        _is_cloudwatch,
        _read_cloudwatch,
        arrival="counts: the sum of each period",
        holds="the label as key",
        export="aws cloudwatch get-metric-data ..., with the statistic Sum",
    ),
    Format(
        "grafana",
        "Grafana panel as CSV",
        _is_grafana,
        _read_grafana,
        arrival="counts: values per step; times the step if the unit or the title says "
        "that they are rates",
        holds="the series as key",
        export="Inspect > Data > Download CSV in the panel's menu",
    ),
)
