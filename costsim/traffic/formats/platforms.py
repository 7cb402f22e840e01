"""What platforms tell of their own: RunPod, Modal, Baseten and SageMaker."""

from __future__ import annotations

import json
import re
from datetime import UTC
from typing import TYPE_CHECKING, Any

import numpy as np

from costsim.errors import TraceError
from costsim.traffic.formats.batch import Format
from costsim.traffic.formats.columns import plain_name
from costsim.traffic.formats.gather import DatedRow, dated_batches
from costsim.traffic.formats.json_fields import (
    field,
    items,
    json_objects,
    mentions,
    ns_of_whole,
    number,
    text,
)
from costsim.traffic.formats.metric_tables import Table, read_table, table_series
from costsim.traffic.formats.metrics import prometheus_series
from costsim.traffic.formats.series import Meaning, Series, bins
from costsim.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from costsim.scenario.trace import Trace
    from costsim.traffic.formats.batch import Account, Batch
    from costsim.traffic.formats.content import Content, Head
    from costsim.traffic.formats.json_values import Json

_SUBMITTED = (
    *("createdAt", "created_at", "submittedAt", "submitted_at", "submitTime"),
    *("queuedAt", "queued_at", "requestedAt", "timestamp", "time"),
)
_MODAL = "modal_input_events_"
_BASETEN = "baseten_inference_requests_total"
_DELTA = (1, "1", "AGGREGATION_TEMPORALITY_DELTA")
_CUMULATIVE = (2, "2", "AGGREGATION_TEMPORALITY_CUMULATIVE")
_SAMPLE = re.compile(r"(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>.*)\})? +(?P<rest>.+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_METRIC_NAMES = ("metric", "metric_name", "name")
_TIME_NAMES = ("timestamp", "time", "date", "ts")


def _is_runpod(head: Head) -> bool:
    return mentions(head, "delayTime", "executionTime")


def _read_runpod(content: Content, spec: Trace, account: Account) -> Iterator[Batch]:
    """Yield the jobs that ran; the file needs the time at which each was submitted."""
    delays_ms: list[float] = []
    rows = _runpod_rows(content, spec, account, delays_ms)
    yield from dated_batches(rows, "time of submission", spec, account)
    known = [delay for delay in delays_ms if not np.isnan(delay)]
    mean = ""
    if known:
        mean = f", {format_duration(float(np.mean(known)) / 1e3)} on average"
    account.notes.append(
        "service times are executionTime in milliseconds; delayTime, which has waiting "
        f"and cold starts in it{mean}, is not used: it is what is simulated"
    )


def _runpod_rows(
    content: Content, spec: Trace, account: Account, delays_ms: list[float]
) -> Iterator[DatedRow]:
    for at, value in json_objects(content, account):
        for job in _jobs(value):
            account.n_rows += 1
            lasts_ms = number(job.get("executionTime"))
            if np.isnan(lasts_ms) and job.get("status") != "COMPLETED":
                account.skip("jobs that did not run")
                continue
            delays_ms.append(number(job.get("delayTime")))
            yield DatedRow(
                at,
                _submitted(job, spec, content.path, at),
                lasts_ms * 1e-3,
                key=text(job.get("endpointId")),
            )


def _jobs(value: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the jobs in an object, which is one or holds a list of them."""
    for name in ("jobs", "requests", "data"):
        if isinstance(value.get(name), list):
            return [job for job in value[name] if isinstance(job, dict)]
    return [value]


def _submitted(job: dict[str, Any], spec: Trace, path: str, at: int) -> str:
    wanted = spec.columns.arrival
    for name in _SUBMITTED if wanted is None else (wanted,):
        if job.get(name) is not None:
            return text(job[name])
    named = f"'{wanted}'" if wanted else f"one of {', '.join(_SUBMITTED)}"
    message = (
        f"has no time at which the job was submitted, {named}; RunPod's answers have "
        "none: add createdAt with the time of your own call of /run to each job"
    )
    raise TraceError(message, path=path, line=at)


def _is_modal(head: Head) -> bool:
    return "modal.input_events." in head.text or _MODAL in head.text


def _read_modal(content: Content, spec: Trace, account: Account) -> Iterator[Batch]:
    """Yield the bins of total_inputs, from whatever its metrics were exported to."""
    start = content.head.text.lstrip("\ufeff \r\n")
    if mentions(content.head, "resourceMetrics"):
        yield from _modal_otlp(content, spec, account)
        return
    if start.startswith(("{", "[")):
        found = prometheus_series(content, spec, account)
    elif _is_exposition(content.head):
        found = exposition_series(content, "function_name", spec, account)
    else:
        found = _modal_table(read_table(content), spec, account)
    chosen = [one for one in found if "total_inputs" in plain_name(one.name)]
    _refuse_if_none(chosen, "modal.input_events.total_inputs", content.path)
    yield from bins(chosen, spec, account, stamps_end=True)


def _modal_otlp(content: Content, spec: Trace, account: Account) -> Iterator[Batch]:
    account.zone = UTC
    points: dict[tuple[str, str], list[tuple[int, int, float]]] = {}
    means: dict[str, list[float]] = {}
    meanings: set[Meaning | None] = set()
    for at, export in json_objects(content, account):
        for metric, attributes in _otlp_metrics(export):
            name = plain_name(text(metric.get("name"))).removeprefix(_MODAL)
            for kind in ("sum", "gauge", "histogram"):
                data = metric.get(kind)
                for point in items(field(data, "dataPoints")):
                    _add_mean(means, name, point)
                    if name != "total_inputs" or not isinstance(point, dict):
                        continue
                    tags = attributes | _tags(point.get("attributes"))
                    time_ns = ns_of_whole(field(point, "timeUnixNano")) or 0
                    identity = (
                        text(tags.get("function_name")),
                        text(tags.get("container_id")),
                    )
                    value = number(point.get("asInt", point.get("asDouble")))
                    points.setdefault(identity, []).append((at, time_ns, value))
                    meanings.add(_temporality(data))
    found = [
        _series("modal.input_events.total_inputs", key, rows)
        for (key, _), rows in points.items()
    ]
    _refuse_if_none(found, "modal.input_events.total_inputs", content.path)
    _note_means(means, account)
    meaning = meanings.pop() if len(meanings) == 1 else None
    yield from bins(found, spec, account, meaning=meaning, stamps_end=True)


def _otlp_metrics(
    export: dict[str, Any],
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield the metrics of an export, each with the attributes of its resource."""
    for resource in items(export.get("resourceMetrics")):
        attributes = _tags(field(resource, "resource", "attributes"))
        for scope in items(field(resource, "scopeMetrics")):
            for metric in items(field(scope, "metrics")):
                if isinstance(metric, dict):
                    yield metric, attributes


def _tags(pairs: Json) -> dict[str, Any]:
    return {
        text(field(pair, "key")): field(pair, "value", "stringValue")
        for pair in items(pairs)
    }


def _temporality(data: Json) -> Meaning | None:
    temporality = field(data, "aggregationTemporality")
    if temporality in _DELTA:
        return Meaning.COUNT
    return Meaning.TOTAL if temporality in _CUMULATIVE else None


def _add_mean(means: dict[str, list[float]], name: str, point: Json) -> None:
    """Add the sum and the number of a histogram's point."""
    if not name.endswith("_time_us"):
        return
    total, n = number(field(point, "sum")), number(field(point, "count"))
    if n > 0 and not np.isnan(total):
        sums = means.setdefault(name, [0.0, 0.0])
        sums[0] += total
        sums[1] += n


def _note_means(means: dict[str, list[float]], account: Account) -> None:
    words = {
        "elapsed_time_us": "service time",
        "input_queue_time_us": "wait in the queue",
        "coldstart_time_us": "cold start",
    }
    said = [
        f"{words[name]} {format_duration(total / n * 1e-6)}"
        for name, (total, n) in means.items()
        if name in words
    ]
    if said:
        account.notes.append(
            f"on average the file tells of: {', '.join(said)}; set them in the scenario"
        )


def _series(name: str, key: str, rows: list[tuple[int, int, float]]) -> Series:
    line, time_ns, value = zip(*rows, strict=True)
    return Series(
        name,
        key,
        np.array(line, dtype=np.int64),
        np.array(time_ns, dtype=np.int64),
        np.array(value, dtype=np.float64),
    )


def _modal_table(table: Table, spec: Trace, account: Account) -> list[Series]:
    """Return the series of a table: a column for each, or a row for each point."""
    names = [plain_name(name) for name in table.names]
    metric = next((names.index(one) for one in _METRIC_NAMES if one in names), None)
    time = next((names.index(one) for one in _TIME_NAMES if one in names), 0)
    if metric is None or "value" not in names:
        return table_series(table, time, spec, account)
    value = names.index("value")
    function = names.index("function_name") if "function_name" in names else None
    parts: dict[str, Table] = {}
    for line, row in zip(table.lines, table.rows, strict=True):
        if len(row) <= max(metric, value, time) or "total_inputs" not in row[metric]:
            continue
        key = "" if function is None or function >= len(row) else row[function]
        part = parts.setdefault(key, Table(["time", row[metric]]))
        part.lines.append(line)
        part.rows.append([row[time], row[value]])
    return [
        Series(one.name, key, one.line, one.time_ns, one.value)
        for key, part in parts.items()
        for one in table_series(part, 0, spec, account)
    ]


def _is_baseten(head: Head) -> bool:
    return "baseten_" in head.text and (
        head.text.lstrip().startswith(("{", "[")) or _is_exposition(head)
    )


def _is_exposition(head: Head) -> bool:
    first = head.lines[0] if head.lines else ""
    return first.startswith(("# HELP", "# TYPE")) or (
        _SAMPLE.fullmatch(first) is not None and "{" in first
    )


def _read_baseten(content: Content, spec: Trace, account: Account) -> Iterator[Batch]:
    """Yield the bins of the counter of requests."""
    if _is_exposition(content.head):
        found = exposition_series(content, "model_id", spec, account)
    else:
        found = prometheus_series(content, spec, account)
    chosen = [one for one in found if one.name in ("", _BASETEN)]
    _refuse_if_none(chosen, _BASETEN, content.path)
    account.notes.append(
        f"requests are those of {_BASETEN}; rows of all environments and status codes "
        "are added up"
    )
    yield from bins(chosen, spec, account, stamps_end=True)


def exposition_series(
    content: Content, key: str, spec: Trace, account: Account
) -> list[Series]:
    """Return the series in scrapes that follow each other, each sample with its time.

    Raises
    ------
    TraceError
        If samples have no times, as where the text is a single scrape.
    """
    account.zone = UTC
    points: dict[str, list[tuple[int, int, float]]] = {}
    about: dict[str, tuple[str, str]] = {}
    for at, line in enumerate(content.lines(), start=1):
        match = _SAMPLE.fullmatch(line.strip())
        if match is None or line.startswith("#"):
            continue
        value, _, time_ms = match["rest"].partition(" ")
        if not time_ms.strip().lstrip("-").isdigit():
            message = (
                "is a scrape of counters without times, which tells nothing of when "
                "requests came; save the answer of Prometheus's /api/v1/query_range"
            )
            raise TraceError(message, path=content.path, line=at)
        identity = f"{match['name']}{{{match['labels'] or ''}}}"
        labels = dict(_LABEL.findall(match["labels"] or ""))
        about[identity] = (match["name"], labels.get(spec.columns.key or key, ""))
        point = (at, int(time_ms) * 10**6, number(value))
        points.setdefault(identity, []).append(point)
    return [_series(*about[identity], rows) for identity, rows in points.items()]


def _refuse_if_none(series: list[Series], wanted: str, path: str) -> None:
    if not series:
        message = f"has no metric {wanted}"
        raise TraceError(message, path=path)


def _is_sagemaker(head: Head) -> bool:
    return mentions(head, "captureData", "eventMetadata")


def _read_sagemaker(content: Content, spec: Trace, account: Account) -> Iterator[Batch]:
    """Yield the requests that were captured."""
    account.resolution_s = 1.0
    account.notes.append("the arrival is eventMetadata.inferenceTime, whole seconds")
    account.warnings.append(
        "data capture may record a share of the requests only (its sampling "
        "percentage): set traffic.trace.scale_rate to 100 over that"
    )
    rows = _sagemaker_rows(content, account)
    yield from dated_batches(rows, "eventMetadata.inferenceTime", spec, account)


def _sagemaker_rows(content: Content, account: Account) -> Iterator[DatedRow]:
    for at, event in json_objects(content, account):
        account.n_rows += 1
        usage = _usage(field(event, "captureData", "endpointOutput", "data"))
        yield DatedRow(
            at,
            text(field(event, "eventMetadata", "inferenceTime")),
            input_tokens=number(field(usage, "prompt_tokens")),
            output_tokens=number(field(usage, "completion_tokens")),
        )


def _usage(output: Json) -> Json:
    """Return the tokens that a model's answer tells of, if it is that of a chat."""
    if not isinstance(output, str) or '"usage"' not in output:
        return None
    try:
        return field(json.loads(output), "usage")
    except (ValueError, RecursionError):
        return None


FORMATS: tuple[Format, ...] = (
    Format(
        "runpod",
        "RunPod job records",
        _is_runpod,
        _read_runpod,
        arrival="the time of submission, which you add: createdAt, submittedAt, "
        "timestamp or columns.arrival",
        holds="executionTime, endpointId as key",
        export="GET /v2/ENDPOINT/status/JOB of each job, with the time of your call",
    ),
    Format(
        "sagemaker",
        "SageMaker data capture",
        _is_sagemaker,
        _read_sagemaker,
        arrival="eventMetadata.inferenceTime; whole seconds",
        holds="tokens, if answers have usage",
        export="aws s3 sync s3://BUCKET/PREFIX/ENDPOINT ., then join the files",
    ),
    Format(
        "modal",
        "Modal metrics through OpenTelemetry",
        _is_modal,
        _read_modal,
        arrival="counts: modal.input_events.total_inputs",
        holds="the function as key; means of service time, queue and cold start as notes",
        export="Modal's OpenTelemetry integration, then the collector's file exporter",
    ),
    Format(
        "baseten",
        "Baseten metrics through Prometheus",
        _is_baseten,
        _read_baseten,
        arrival=f"counts: the rise of {_BASETEN}",
        holds="labels that differ, or columns.key, as key",
        export="scrape app.baseten.co/metrics, then query_range of Prometheus",
    ),
)
