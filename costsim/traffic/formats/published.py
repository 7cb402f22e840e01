"""Traces of LLM requests that were published: rows with columns that are known.

Azure LLM inference 2023 to 2025, vidur, BurstGPT, Mooncake and what is written like it,
Alibaba's Bailian, and a campus chatbot.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

import numpy as np

from costsim.traffic.formats import azure_functions, servegen
from costsim.traffic.formats.batch import Batch, Format
from costsim.traffic.formats.columns import Layout, plain_name
from costsim.traffic.formats.csv_rows import names_of
from costsim.traffic.formats.moments import NS_PER_S
from costsim.traffic.formats.tables import kept, read_rows, source_of
from costsim.traffic.formats.values import floats_of
from costsim.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from costsim.scenario.trace import Trace
    from costsim.traffic.formats.batch import Account
    from costsim.traffic.formats.content import Content, Head

_BUSY_PER_S = 500.0
"""More requests per second than this are rather a wrong unit. [1/s]"""
_FEW = 100
"""Rows below which a common step of the times may be chance."""
_ENOUGH = 100_000
"""Stamps that tell a common step."""
_BESIDE_S, _MOST = 0.01, 0.95
"""How far stamps lie beside their step, and how many of them. [s]"""

_AZURE = Layout(
    arrival="TIMESTAMP", input_tokens="ContextTokens", output_tokens="GeneratedTokens"
)
_VIDUR = Layout(
    arrival="arrived_at",
    input_tokens="num_prefill_tokens",
    output_tokens="num_decode_tokens",
    time_unit="s",
)
_BURSTGPT = Layout(
    arrival="Timestamp",
    duration="Elapsed time",
    input_tokens="Request tokens",
    output_tokens="Response tokens",
    key="Model",
    session="Session ID",
    time_unit="s",
    duration_unit="s",
)
_MOONCAKE = {
    "arrival": "timestamp",
    "input_tokens": "input_length",
    "output_tokens": "output_length",
}


def fields_of_head(head: Head) -> set[str]:
    """Return the plain names of the columns or fields at the beginning of a file."""
    if head.columns:
        return {plain_name(name) for name in head.columns}
    if isinstance(head.json, dict):
        return {plain_name(name) for name in head.json}
    if isinstance(head.json, list):
        first = head.json[0] if head.json else None
        return {plain_name(n) for n in first} if isinstance(first, dict) else set()
    return {plain_name(name) for name in names_of(head)}


def _is_azure(head: Head) -> bool:
    return fields_of_head(head) >= {"timestamp", "context_tokens", "generated_tokens"}


def _is_vidur(head: Head) -> bool:
    return fields_of_head(head) >= {"arrived_at", "num_prefill_tokens"}


def _is_burstgpt(head: Head) -> bool:
    wanted = {"timestamp", "request_tokens", "response_tokens"}
    return fields_of_head(head) >= wanted


def _is_mooncake(head: Head) -> bool:
    fields = fields_of_head(head)
    return fields >= {"timestamp", "input_length", "output_length"}


def _is_bailian(head: Head) -> bool:
    return _is_mooncake(head) and "chat_id" in fields_of_head(head)


def _is_chatbot(head: Head) -> bool:
    return fields_of_head(head) >= {"timestamp", "session_id", "hash_ids"}


def _read_azure(content: Content, spec: Trace, account: Account) -> Iterator[Batch]:
    account.zone = UTC
    return read_rows(content, spec, account, _AZURE)


def _read_vidur(content: Content, spec: Trace, account: Account) -> Iterator[Batch]:
    return read_rows(content, spec, account, _VIDUR)


def _read_burstgpt(content: Content, spec: Trace, account: Account) -> Iterator[Batch]:
    account.resolution_s = 1.0
    for batch in read_rows(content, spec, account, _BURSTGPT):
        tokens = batch.output_tokens
        if tokens is None:
            yield batch
            continue
        failed = tokens == 0
        if failed.any():
            account.skip("failed requests, without response tokens", int(failed.sum()))
        yield _part(batch, ~failed)


def _read_mooncake(content: Content, spec: Trace, account: Account) -> Iterator[Batch]:
    unit, why = _mooncake_unit(content)
    account.notes.append(
        f"times count {unit}, {why}; traffic.trace.time_unit overrules"
    )
    layout = Layout(**_MOONCAKE, time_unit="ms" if unit == "milliseconds" else "s")
    yield from _with_step(read_rows(content, spec, account, layout), account)


def _read_bailian(content: Content, spec: Trace, account: Account) -> Iterator[Batch]:
    layout = Layout(**_MOONCAKE, session="chat_id", time_unit="s")
    return read_rows(content, spec, account, layout)


def _read_chatbot(content: Content, spec: Trace, account: Account) -> Iterator[Batch]:
    names = {"input_tokens": "input_length", "output_tokens": "output_length"}
    if "input_tokens" in fields_of_head(content.head):
        names = {"input_tokens": "input_tokens", "output_tokens": "output_tokens"}
    layout = Layout("timestamp", session="session_id", time_unit="s", **names)
    return read_rows(content, spec, account, layout)


def _mooncake_unit(content: Content) -> tuple[str, str]:
    """Return the unit of the times, and why: Mooncake has ms, some cousins have s."""
    source = source_of(content)
    names = [plain_name(name) for name in source.header.names]
    at = names.index("timestamp") if "timestamp" in names else -1
    times = floats_of([row[at] for row in source.sample()] if at >= 0 else [])
    times = times[np.isfinite(times)]
    if np.any(times != np.floor(times)):
        return "seconds", "since they have decimals"
    span = float(np.ptp(times)) if len(times) else 0.0
    per_s = (len(times) - 1) / (span / 1000) if span else 0.0
    if per_s > _BUSY_PER_S:
        return "seconds", f"since {per_s:,.0f} requests/s would be implausible"
    return "milliseconds", "as Mooncake has them"


def _with_step(batches: Iterator[Batch], account: Account) -> Iterator[Batch]:
    """Yield batches, and set the resolution if requests come every so many seconds."""
    stamps = np.zeros(0, dtype=np.int64)
    n = 0
    for batch in batches:
        n += len(batch.time_ns)
        if len(stamps) < _ENOUGH:
            stamps = np.union1d(stamps, batch.time_ns)
        yield batch
    steps = np.diff(stamps) / NS_PER_S
    step = float(np.round(np.median(steps))) if len(steps) else 0.0
    if n < _FEW or step < 1:
        return
    beside = np.abs(steps - step * np.round(steps / step))
    if np.mean(beside <= _BESIDE_S) >= _MOST:
        account.resolution_s = step
        account.notes.append(f"requests come in batches, every {format_duration(step)}")


def _part(batch: Batch, rows: npt.NDArray[np.bool_]) -> Batch:
    """Return some rows of a batch."""
    columns = {name: value for name, value in vars(batch).items() if value is not None}
    return kept(columns, rows)


_TOKENS = "input and output tokens"
_MOONCAKE_EXPORT = "costsim traffic export --format mooncake"

FORMATS: tuple[Format, ...] = (
    Format(
        "azure-llm",
        "Azure LLM inference traces, 2023 to 2025",
        _is_azure,
        _read_azure,
        "TIMESTAMP, in UTC",
        _TOKENS,
        "github.com/Azure/AzurePublicDataset",
    ),
    Format(
        "vidur",
        "vidur",
        _is_vidur,
        _read_vidur,
        "arrived_at, in seconds",
        _TOKENS,
        "github.com/microsoft/vidur, data/processed_traces",
    ),
    Format(
        "burstgpt",
        "BurstGPT",
        _is_burstgpt,
        _read_burstgpt,
        "Timestamp, in whole seconds; failed requests are left out",
        f"{_TOKENS}, the model as key; durations and sessions in part 3",
        "github.com/HPMLL/BurstGPT",
    ),
    Format(
        "bailian",
        "Alibaba Bailian",
        _is_bailian,
        _read_bailian,
        "timestamp, in seconds",
        f"{_TOKENS}, chats as sessions",
        "github.com/alibaba-edu/qwen-bailian-usagetraces-anon",
    ),
    Format(
        "chatbot",
        "campus chatbot",
        _is_chatbot,
        _read_chatbot,
        "timestamp, in seconds",
        f"{_TOKENS}, sessions",
    ),
    Format(
        "mooncake",
        "Mooncake, and timed traces of vLLM, aiperf and guidellm",
        _is_mooncake,
        _read_mooncake,
        "timestamp, in milliseconds; in seconds where that is implausible",
        _TOKENS,
        _MOONCAKE_EXPORT,
    ),
    *servegen.FORMATS,
    *azure_functions.FORMATS,
)
"""Published traces."""
