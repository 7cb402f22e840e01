import json
from datetime import UTC, datetime

import numpy as np
import pytest

from costsim.errors import TraceError
from costsim.traffic.formats.telemetry import requests

T0_NS = 1_735_689_600_000_000_000
T0 = datetime(2025, 1, 1, tzinfo=UTC)


def span(identity, parent="", *, kind=2, at_s=0.0, lasts_s=1.0, **attributes):
    start = T0_NS + round(at_s * 1e9)
    return {
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": identity,
        "parentSpanId": parent,
        "name": "POST /generate",
        "kind": kind,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + round(lasts_s * 1e9)),
        "attributes": [
            {"key": key.replace("__", "."), "value": value}
            for key, value in attributes.items()
        ],
    }


def otlp(*spans, service="infer"):
    name = {"key": "service.name", "value": {"stringValue": service}}
    resource = {"resource": {"attributes": [name]}}
    return {"resourceSpans": [{**resource, "scopeSpans": [{"spans": list(spans)}]}]}


def lines(*values):
    return "".join(json.dumps(value) + "\n" for value in values)


def test_server_spans_are_requests_with_times_written_as_text(read):
    trace = read(lines(otlp(span("a1", at_s=5, lasts_s=2.5)), otlp(span("a2"))))

    assert trace.format == "otlp"
    assert trace.start == T0
    assert trace.arrival_s.tolist() == [0, 5]
    assert trace.duration_s.tolist() == [1, 2.5]
    assert trace.keys == ("POST /generate",)


def test_a_request_that_goes_through_services_is_counted_once_wherever_its_spans_are(
    read,
):
    inner = otlp(span("c3", "b2"), service="model")
    client = otlp(span("b2", "a1", kind=3))
    outer = otlp(span("a1", kind="SPAN_KIND_SERVER", lasts_s=3), service="gateway")

    trace = read(lines(inner, client, outer))

    assert trace.duration_s.tolist() == [3]
    assert any("1 server spans inside other requests" in n for n in trace.notes)


def test_a_batch_without_a_server_span_of_its_own_is_as_many_requests_as_are_in_it(
    read,
):
    job = span("a1", kind=1, lasts_s=100)
    calls = [span("b1", "a1", at_s=1), span("b2", "a1", at_s=2)]

    trace = read(otlp(job, *calls))

    assert trace.n_requests == 2


def test_a_call_whose_server_writes_no_spans_is_a_request(read):
    trace = read(otlp(span("a1", kind=3), span("b1", "a1", kind=1)))

    assert trace.n_requests == 1


def test_tokens_and_sessions_are_those_of_the_conventions(read):
    trace = read(
        otlp(
            span(
                "a1",
                gen_ai__usage__input_tokens={"intValue": "512"},
                gen_ai__usage__output_tokens={"intValue": 64},
                user__id={"stringValue": "u1"},
            ),
            span("a2", at_s=1, user__id={"stringValue": "u1"}),
        )
    )

    assert trace.input_tokens[0] == 512
    assert trace.output_tokens[0] == 64
    assert np.isnan(trace.input_tokens[1])
    assert trace.session[0] == trace.session[1] >= 0


def test_a_span_that_ends_before_it_starts_is_refused(read):
    with pytest.raises(TraceError, match="no startTimeUnixNano before"):
        read(otlp(span("a1", lasts_s=-1), span("a2")))


def test_spans_whose_parents_go_round_end_the_search():
    parent = np.array([1, 0, -1])

    chosen = requests(parent, np.array([False, False, True]))

    assert chosen.tolist() == [False, False, True]


def test_jaeger_times_are_microseconds(read):
    server = {"key": "span.kind", "type": "string", "value": "server"}
    outer = {
        "traceID": "5b8e",
        "spanID": "a1",
        "operationName": "generate",
        "references": [],
        "startTime": T0_NS // 1000,
        "duration": 1_500_000,
        "tags": [server],
        "processID": "p1",
    }
    child = {"refType": "CHILD_OF", "traceID": "5b8e", "spanID": "a1"}
    inner = outer | {"spanID": "b2", "references": [child], "duration": 10}
    trace_of_two = {
        "traceID": "5b8e",
        "spans": [outer, inner],
        "processes": {"p1": {"serviceName": "infer"}},
    }

    trace = read(json.dumps({"data": [trace_of_two]}, indent=1))

    assert trace.format == "jaeger"
    assert trace.start == T0
    assert trace.duration_s.tolist() == [1.5]
    assert trace.keys == ("generate",)


def test_the_fixture_reads_by_detection_alone(shared_dir, read):
    text = (shared_dir / "traces" / "fixtures" / "otlp_span_1.jsonl").read_text()

    trace = read(text)

    assert (trace.format, trace.n_requests) == ("otlp", 1)
    assert trace.duration_s.tolist() == [1]
