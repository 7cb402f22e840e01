"""Traces of OpenTelemetry and Jaeger: each request once, by its outermost server span."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any

import numpy as np

from costsim.traffic.formats import metrics
from costsim.traffic.formats.batch import Batch, Format
from costsim.traffic.formats.json_fields import (
    field,
    items,
    json_objects,
    mentions,
    ns_of_whole,
    number,
    text,
)
from costsim.traffic.trace import ROWS_AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from costsim.records import Ints
    from costsim.scenario.trace import Trace
    from costsim.traffic.formats.batch import Account
    from costsim.traffic.formats.content import Content, Head
    from costsim.traffic.formats.json_values import Json

_SERVER_KINDS = (2, "2", "SPAN_KIND_SERVER", "server")
_SESSIONS = ("session.id", "gen_ai.conversation.id", "user.id", "enduser.id")
_TOKENS_IN = ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens")
_TOKENS_OUT = ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens")
_VALUES = ("stringValue", "intValue", "doubleValue", "boolValue")
_MASK = 2**63 - 1


@dataclass
class Span:
    """What is needed of a span."""

    line: int
    span_id: str
    parent_id: str
    start_ns: int
    end_ns: int
    server: bool
    name: str
    service: str
    attributes: dict[str, Any]


class Spans:
    """All spans of a file, as numbers only, until it is known which are requests.

    Spans of a request may be anywhere in the file and in any order, so that whether one
    lies inside another is known at the end only.
    """

    def __init__(self) -> None:
        self._ids = array("q")
        self._parents = array("q")
        self._servers = array("b")
        self._rows = array("q")
        self._times = array("q")
        self._numbers = array("d")
        self._keys: dict[str, int] = {}
        self._sessions: dict[str, int] = {}

    def add(self, span: Span) -> None:
        """Add a span."""
        self._ids.append(_id(span.span_id))
        self._parents.append(_id(span.parent_id))
        self._servers.append(span.server)
        key = span.service if _is_route_less(span.name) else span.name
        session = _first(span.attributes, _SESSIONS)
        self._rows.extend(
            (
                span.line,
                self._keys.setdefault(key or span.service, len(self._keys)),
                self._sessions.setdefault(text(session), len(self._sessions)),
            )
        )
        self._times.extend((span.start_ns, span.end_ns))
        tokens_in = _first(span.attributes, _TOKENS_IN)
        tokens_out = _first(span.attributes, _TOKENS_OUT)
        self._numbers.extend((number(tokens_in), number(tokens_out)))

    def batches(self, account: Account) -> Iterator[Batch]:
        """Yield those spans that are requests."""
        ids = np.frombuffer(self._ids, dtype=np.int64)
        server = np.frombuffer(self._servers, dtype=np.int8).astype(bool)
        parent = _positions(ids, np.frombuffer(self._parents, dtype=np.int64))
        chosen = requests(parent, server)
        account.n_rows += int(chosen.sum())
        n_inside = int(np.count_nonzero(server & ~chosen))
        if n_inside:
            account.skip("server spans inside other requests", n_inside)
        if len(ids) > chosen.sum() + n_inside:
            account.skip(
                "spans that are no requests", len(ids) - int(chosen.sum()) - n_inside
            )
        at = np.flatnonzero(chosen)
        for begin in range(0, len(at), ROWS_AT_ONCE):
            yield self._batch(at[begin : begin + ROWS_AT_ONCE])

    def _batch(self, at: Ints) -> Batch:
        rows = np.frombuffer(self._rows, dtype=np.int64).reshape(-1, 3)[at]
        times = np.frombuffer(self._times, dtype=np.int64).reshape(-1, 2)[at]
        tokens = np.frombuffer(self._numbers, dtype=np.float64).reshape(-1, 2)[at]
        keys, sessions = list(self._keys), list(self._sessions)
        return Batch(
            line=rows[:, 0].copy(),
            time_ns=times[:, 0].copy(),
            duration_s=(times[:, 1] - times[:, 0]) * np.float64(1e-9),
            input_tokens=None if np.isnan(tokens[:, 0]).all() else tokens[:, 0],
            output_tokens=None if np.isnan(tokens[:, 1]).all() else tokens[:, 1],
            key=[keys[i] for i in rows[:, 1].tolist()],
            session=[sessions[i] for i in rows[:, 2].tolist()],
        )


def requests(
    parent: Ints, server: np.ndarray[Any, np.dtype[np.bool_]]
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Say which spans are requests.

    They are the server spans that lie in no other server span, and spans without a
    parent in which no server span lies, such as calls of a service that writes none.

    Parameters
    ----------
    parent : Ints
        Position of each span's parent, -1 if it has none or the file lacks it.
    server : array of bool
        Whether a span is that of a server.
    """
    has_parent = parent >= 0
    inside = np.zeros(len(parent), dtype=bool)
    holds = np.zeros(len(parent), dtype=bool)
    above = np.where(has_parent, parent, 0)
    for _ in range(len(parent)):  # as often as spans are nested; cycles end it too
        now_inside = has_parent & (server[above] | inside[above])
        now_holds = holds.copy()
        now_holds[above[has_parent & (server | holds)]] = True
        if (now_inside == inside).all() and (now_holds == holds).all():
            break
        inside, holds = now_inside, now_holds
    return (server & ~inside) | (~has_parent & ~server & ~holds)


def _positions(ids: Ints, parents: Ints) -> Ints:
    """Return where each parent is among the spans; -1 if it is not there."""
    if not len(ids):
        return np.empty(0, dtype=np.int64)
    order = np.argsort(ids, kind="stable")
    found = np.minimum(np.searchsorted(ids[order], parents), len(ids) - 1)
    at = order[found]
    return np.where((ids[at] == parents) & (parents != 0), at, -1)


def _id(text_id: str) -> int:
    """Return the number of a span: it is written in hexadecimal digits."""
    try:
        return int(text_id, 16) & _MASK if text_id else 0
    except ValueError:
        return hash(text_id) & _MASK


def _is_route_less(name: str) -> bool:
    """Say whether a span is named by its method only, as where there is no route."""
    return name.upper() in ("", "GET", "POST", "PUT", "HTTP GET", "HTTP POST")


def _first(attributes: dict[str, Any], names: tuple[str, ...]) -> Json:
    return next((attributes[name] for name in names if name in attributes), None)


def _is_otlp(head: Head) -> bool:
    return mentions(head, "resourceSpans")


def _read_otlp(content: Content, _spec: Trace, account: Account) -> Iterator[Batch]:
    """Yield the requests in exports of traces as JSON."""
    account.zone = UTC
    account.notes.append(
        "each outermost server span is a request: the arrival is startTimeUnixNano, the "
        "service time lasts to endTimeUnixNano and has all waiting inside"
    )
    spans = Spans()
    for at, export in json_objects(content, account):
        for resource in items(export.get("resourceSpans")):
            of_service = _attributes(field(resource, "resource", "attributes"))
            service = text(of_service.get("service.name"))
            scopes = items(field(resource, "scopeSpans"))
            scopes += items(field(resource, "instrumentationLibrarySpans"))
            for scope in scopes:
                for span in items(field(scope, "spans")):
                    _add_otlp(spans, at, span, service, account)
    yield from spans.batches(account)


def _add_otlp(
    spans: Spans, at: int, span: Json, service: str, account: Account
) -> None:
    start_ns = ns_of_whole(field(span, "startTimeUnixNano"))
    end_ns = ns_of_whole(field(span, "endTimeUnixNano"))
    if start_ns is None or end_ns is None or not 0 < start_ns <= end_ns:
        account.n_rows += 1
        account.drop("no startTimeUnixNano before endTimeUnixNano", at)
        return
    spans.add(
        Span(
            at,
            text(field(span, "spanId")),
            text(field(span, "parentSpanId")),
            start_ns,
            end_ns,
            field(span, "kind") in _SERVER_KINDS,
            text(field(span, "name")),
            service,
            _attributes(field(span, "attributes")),
        )
    )


def _attributes(pairs: Json) -> dict[str, Any]:
    """Return attributes, of which each has a key and a value of one kind."""
    found = {}
    for pair in items(pairs):
        value = field(pair, "value")
        for kind in _VALUES:
            if field(value, kind) is not None:
                found[text(field(pair, "key"))] = field(value, kind)
    return found


def _is_jaeger(head: Head) -> bool:
    return mentions(head, "data", "traceID", "spanID", "operationName")


def _read_jaeger(content: Content, _spec: Trace, account: Account) -> Iterator[Batch]:
    """Yield the requests of traces as Jaeger's interface saves them."""
    account.zone = UTC
    account.notes.append(
        "each outermost server span is a request: the arrival is startTime in "
        "microseconds, the service time is duration and has all waiting inside"
    )
    spans = Spans()
    at = 0
    for _, answer in json_objects(content, account):
        for trace in items(answer.get("data")) or [answer]:
            processes = field(trace, "processes")
            for span in items(field(trace, "spans")):
                at += 1
                _add_jaeger(spans, at, span, processes, account)
    yield from spans.batches(account)


def _add_jaeger(
    spans: Spans, at: int, span: Json, processes: Json, account: Account
) -> None:
    start_ns = ns_of_whole(field(span, "startTime"), 1000)
    lasts_ns = ns_of_whole(field(span, "duration"), 1000)
    if start_ns is None or lasts_ns is None:
        account.n_rows += 1
        account.drop("no startTime and duration", at)
        return
    tags = {
        text(field(tag, "key")): field(tag, "value")
        for tag in items(field(span, "tags"))
    }
    parents = [
        text(field(reference, "spanID"))
        for reference in items(field(span, "references"))
        if field(reference, "refType") == "CHILD_OF"
    ]
    spans.add(
        Span(
            at,
            text(field(span, "spanID")),
            parents[0] if parents else text(field(span, "parentSpanID")),
            start_ns,
            start_ns + lasts_ns,
            tags.get("span.kind") in _SERVER_KINDS,
            text(field(span, "operationName")),
            text(field(processes, text(field(span, "processID")), "serviceName")),
            tags,
        )
    )


FORMATS: tuple[Format, ...] = (
    *metrics.FORMATS,
    Format(
        "otlp",
        "OpenTelemetry traces as JSON",
        _is_otlp,
        _read_otlp,
        arrival="startTimeUnixNano of the outermost server spans",
        holds="durations, gen_ai.usage tokens, the span's name as key, session.id or "
        "user.id as session",
        export="exporters: {file: {path: traces.jsonl}} in the collector",
    ),
    Format(
        "jaeger",
        "Jaeger traces as JSON",
        _is_jaeger,
        _read_jaeger,
        arrival="startTime (microseconds) of the outermost server spans",
        holds="durations, the operation as key, session.id or user.id as session",
        export="Trace JSON in Jaeger's menu, or GET /api/traces?service=NAME&limit=N",
    ),
)
