"""Results of benchmarks of language models: vLLM bench, guidellm, aiperf, genai-perf.

Their arrivals are those of a test, not of users: what they are good for is the service
times. Requests that failed have none and are left out.
"""

from __future__ import annotations

from datetime import UTC
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np

from costsim.errors import TraceError
from costsim.traffic.formats.batch import Format
from costsim.traffic.formats.gather import Row, batches
from costsim.traffic.formats.json_fields import (
    field,
    items,
    json_objects,
    mentions,
    ns_of_seconds,
    ns_of_whole,
    number,
    text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from costsim.scenario.trace import Trace
    from costsim.traffic.formats.batch import Account, Batch
    from costsim.traffic.formats.content import Content, Head
    from costsim.traffic.formats.json_values import Json

NOT_TRAFFIC = (
    "these are the results of a load test: its arrivals are those of the load generator, "
    "not of users; use them for service times"
)
"""What is said of every load test."""

_LONGEST_S = 1e6


def _is_vllm(head: Head) -> bool:
    return mentions(head, "backend", "num_prompts", "request_rate", "burstiness")


def _read_vllm(content: Content, _spec: Trace, account: Account) -> Iterator[Batch]:
    """Yield the requests of one run, or of several that follow each other."""
    account.epoch = "file"
    account.warnings.append(NOT_TRAFFIC)
    account.notes.append(
        "arrivals are start_times after the first one; service times are ttfts and "
        "itls together, with the time in the server's queue"
    )
    yield from batches(_vllm_rows(content, account), account)


def _vllm_rows(content: Content, account: Account) -> Iterator[Row]:
    begin_s = 0.0
    for at, run in json_objects(content, account):
        starts = items(run.get("start_times"))
        if not starts:
            message = (
                "has no start_times: run 'vllm bench serve' again with --save-result "
                "and --save-detailed"
            )
            raise TraceError(message, path=content.path, line=at)
        starts_s = [number(start) for start in starts]
        first_s = min((start for start in starts_s if start >= 0), default=0.0)
        for i, start_s in enumerate(starts_s):
            account.n_rows += 1
            since_ns = ns_of_seconds(begin_s + start_s - first_s)
            if text(_at(run, "errors", i)):
                account.skip("failed requests")
            elif since_ns is None:
                account.drop("a start_time that cannot be read", at, f"{starts[i]}")
            else:
                yield Row(
                    at,
                    since_ns,
                    _vllm_duration_s(run, i),
                    number(_at(run, "input_lens", i)),
                    number(_at(run, "output_lens", i)),
                    text(run.get("model_id")),
                )
        lasts_s = number(run.get("duration"))
        begin_s += lasts_s if 0 <= lasts_s < _LONGEST_S else 0.0


def _vllm_duration_s(run: dict[str, Any], i: int) -> float:
    first = number(_at(run, "ttfts", i))
    if np.isnan(first):
        return number(_at(run, "latencies", i))
    return first + sum(number(gap) for gap in items(_at(run, "itls", i)))


def _at(run: dict[str, Any], name: str, i: int) -> Json:
    values = items(run.get(name))
    return values[i] if i < len(values) else None


def _is_guidellm(head: Head) -> bool:
    words = ("guidellm_version", "generative_benchmark", "generative_benchmarks_report")
    known = any(f'"{word}"' in head.text for word in words)
    return mentions(head) and (known or mentions(head, "benchmarks", "scheduler_state"))


def _read_guidellm(content: Content, _spec: Trace, account: Account) -> Iterator[Batch]:
    """Yield the successful requests of all benchmarks of a report."""
    account.zone = UTC
    account.warnings.append(NOT_TRAFFIC)
    account.notes.append(
        "arrivals are request_start, service times request_end less request_start"
    )
    report = content.document()
    runs = items(field(report, "benchmarks"))
    if not runs:
        message = "has no benchmarks; is this a guidellm report in JSON?"
        raise TraceError(message, path=content.path)
    yield from batches(_guidellm_rows(runs, account), account)


def _guidellm_rows(runs: list[Any], account: Account) -> Iterator[Row]:
    at = 0
    for run in runs:
        requests = field(run, "requests")
        for kind in ("errored", "incomplete"):
            n_left_out = len(items(field(requests, kind)))
            account.n_rows += n_left_out
            if n_left_out:
                account.skip(f"{kind} requests", n_left_out)
        for request in items(requests) or items(field(requests, "successful")):
            at += 1
            account.n_rows += 1
            start_s = _guidellm_time(request, "request_start", "start_time")
            start_ns = ns_of_seconds(start_s)
            if start_ns is None:
                account.drop("no request_start", at)
                continue
            end_s = _guidellm_time(request, "request_end", "end_time")
            yield Row(
                at,
                start_ns,
                end_s - start_s,
                _guidellm_tokens(request, "prompt_tokens", "input_metrics"),
                _guidellm_tokens(request, "output_tokens", "output_metrics"),
            )


def _guidellm_time(request: Json, name: str, older: str) -> float:
    """Return a moment of a request: of version 0.4 and later, or of those before. [s]"""
    for value in (
        field(request, "info", "timings", name),
        field(request, "scheduler_info", "request_timings", name),
        field(request, f"{name}_time"),
        field(request, older),
    ):
        if value is not None:
            return number(value)
    return nan


def _guidellm_tokens(request: Json, name: str, metrics: str) -> float:
    for value in (
        field(request, name),
        field(request, metrics, "total_tokens"),
        field(request, metrics, "text_tokens"),
    ):
        if value is not None:
            return number(value)
    return nan


def _is_aiperf(head: Head) -> bool:
    return mentions(head, "metadata", "request_start_ns")


def _read_aiperf(content: Content, _spec: Trace, account: Account) -> Iterator[Batch]:
    """Yield the requests of the profiling phase."""
    account.zone = UTC
    account.warnings.append(NOT_TRAFFIC)
    account.notes.append(
        "arrivals are metadata.request_start_ns, service times request_end_ns less that"
    )
    yield from batches(_aiperf_rows(content, account), account)


def _aiperf_rows(content: Content, account: Account) -> Iterator[Row]:
    for at, record in json_objects(content, account):
        about = record.get("metadata")
        start_ns = ns_of_whole(field(about, "request_start_ns"))
        account.n_rows += 1
        if field(about, "benchmark_phase") == "warmup":
            account.skip("requests of the warm-up")
        elif field(about, "was_cancelled") is True:
            account.skip("cancelled requests")
        elif record.get("error") is not None:
            account.skip("failed requests")
        elif start_ns is None:
            account.drop("no metadata.request_start_ns", at)
        else:
            metrics = record.get("metrics")
            yield Row(
                at,
                start_ns,
                _aiperf_duration_s(about, metrics, start_ns),
                _aiperf_value(metrics, "input_sequence_length"),
                _aiperf_value(metrics, "output_sequence_length", "output_token_count"),
                session=text(field(about, "x_correlation_id"))
                or text(field(about, "conversation_id")),
            )


def _aiperf_duration_s(about: Json, metrics: Json, start_ns: int) -> float:
    end_ns = ns_of_whole(field(about, "request_end_ns"))
    if end_ns is not None:
        return (end_ns - start_ns) * 1e-9
    per_s = {"s": 1.0, "sec": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
    unit = text(field(metrics, "request_latency", "unit"))
    return number(field(metrics, "request_latency", "value")) * per_s.get(unit, nan)


def _aiperf_value(metrics: Json, *names: str) -> float:
    values = [number(field(metrics, name, "value")) for name in names]
    return next((value for value in values if not np.isnan(value)), nan)


def _is_genai_perf(head: Head) -> bool:
    return mentions(head, "experiments", "requests", "response_timestamps")


def _read_genai_perf(
    content: Content, _spec: Trace, account: Account
) -> Iterator[Batch]:
    """Yield the requests of all experiments that got an answer."""
    account.zone = UTC
    account.warnings.append(NOT_TRAFFIC)
    account.notes.append(
        "arrivals are timestamp in nanoseconds; service times last to the last of "
        "response_timestamps"
    )
    yield from batches(_genai_perf_rows(content.document(), account), account)


def _genai_perf_rows(report: Json, account: Account) -> Iterator[Row]:
    at = 0
    for experiment in items(field(report, "experiments")):
        for request in items(field(experiment, "requests")):
            at += 1
            account.n_rows += 1
            start_ns = ns_of_whole(field(request, "timestamp"))
            answers = items(field(request, "response_timestamps"))
            ends = [end for end in map(ns_of_whole, answers) if end is not None]
            if start_ns is None:
                account.drop("no timestamp", at)
            elif not ends:
                account.skip("requests without an answer")
            else:
                yield Row(at, start_ns, (max(ends) - start_ns) * 1e-9)


FORMATS: tuple[Format, ...] = (
    Format(
        "vllm-bench",
        "vLLM bench serve",
        _is_vllm,
        _read_vllm,
        arrival="start_times, counted from the first",
        holds="service times (ttfts + itls), tokens, the model as key",
        export="vllm bench serve ... --save-result --save-detailed",
    ),
    Format(
        "guidellm",
        "guidellm",
        _is_guidellm,
        _read_guidellm,
        arrival="info.timings.request_start, in files before 0.4 start_time",
        holds="service times, tokens",
        export="guidellm benchmark ... --output-path report.json",
    ),
    Format(
        "aiperf",
        "NVIDIA AIPerf",
        _is_aiperf,
        _read_aiperf,
        arrival="metadata.request_start_ns",
        holds="service times, tokens, conversations as sessions",
        export="aiperf profile ..., then profile_export.jsonl",
    ),
    Format(
        "genai-perf",
        "NVIDIA GenAI-Perf",
        _is_genai_perf,
        _read_genai_perf,
        arrival="timestamp (nanoseconds)",
        holds="service times (up to the last of response_timestamps)",
        export="genai-perf profile ..., then profile_export.json",
    ),
)
