"""The work that requests bring, as a scenario's ``service`` section."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from costsim.traffic.fit.laws import law_of, rounded, seconds
from costsim.traffic.trace import slices

if TYPE_CHECKING:
    from costsim.records import Floats
    from costsim.traffic.trace import Column, TraceData

PREFILL, DECODE = "8000 tokens/s", "40 tokens/s"
"""Speeds that are assumed where nobody says: of an 8 B model on one GPU, about."""
ASSUMED = {"distribution": "lognormal", "median": "3s", "sigma": 0.7}
"""Service time that is assumed of a log that tells nothing of the work."""
_MOST_VALUES = 1_000_000


def fit_service(
    trace: TraceData, prefill: str | None = None, decode: str | None = None
) -> tuple[dict[str, Any], str]:
    """Return the service section of a scenario, and a sentence on what it is from.

    Parameters
    ----------
    trace : TraceData
        The log.
    prefill, decode : str, optional
        Speeds of reading and writing tokens, such as ``40 tokens/s``; assumed if left
        out. Of use where the log has tokens and no durations.
    """
    durations = known_values(trace.duration_s)
    if durations.size:
        law = law_of(durations, seconds)
        what = f"service times from {durations.size:,} durations in the log"
        return {"time": law}, f"{what}: {_said(law)}"
    read, written = known_values(trace.input_tokens), known_values(trace.output_tokens)
    if not (read.size and written.size):
        note = (
            "the log tells nothing of the work: service times are assumed log-normal "
            "with a median of 3 s; put your own in service.time"
        )
        return {"time": dict(ASSUMED)}, note
    tokens: dict[str, Any] = {
        "input": law_of(read, rounded),
        "output": law_of(written, rounded),
        "prefill": prefill or PREFILL,
        "decode": decode or DECODE,
    }
    note = (
        f"tokens from {read.size:,} requests in the log: input {_said(tokens['input'])}, "
        f"output {_said(tokens['output'])}"
    )
    if prefill is None or decode is None:
        note += f"; speeds are assumed ({tokens['prefill']}, {tokens['decode']})"
    return {"tokens": tokens}, note


def recorded_service(trace: TraceData, service: dict[str, Any]) -> dict[str, Any]:
    """Return the service section with each request's own work in place of its law.

    So that a replay keeps what requests of one time have in common, long ones in a rush,
    say. The same section if the log recorded none.

    Parameters
    ----------
    trace : TraceData
        The log, or a part of it.
    service : mapping
        What ``fit_service`` made of it.
    """
    if "time" in service and known_values(trace.duration_s).size:
        return {"time": "trace"}
    columns = (trace.input_tokens, trace.output_tokens)
    if "tokens" not in service or any(column is None for column in columns):
        return service
    whole = (
        np.isfinite(np.asarray(read) + np.asarray(written)).any()
        for read, written in zip(
            *(slices(one) for one in columns if one is not None), strict=True
        )
    )
    if not any(whole):
        return service
    return {"tokens": {**service["tokens"], "input": "trace", "output": "trace"}}


def known_values(column: Column | None) -> Floats:
    """Return what a column holds, of a long one every second, third, ... value."""
    if column is None or not len(column):
        return np.empty(0)
    step = max(1, len(column) // _MOST_VALUES)
    parts = [np.asarray(part, dtype=np.float64)[::step] for part in slices(column)]
    values = np.concatenate(parts)
    return values[np.isfinite(values) & (values >= 0)]


def _said(law: dict[str, Any]) -> str:
    if law["distribution"] == "lognormal":
        return f"log-normal, median {law['median']}, sigma {law['sigma']:g}"
    if law["distribution"] == "constant":
        return f"always {law['value']}"
    return f"{len(law['values'])} values, since no log-normal law fits"
