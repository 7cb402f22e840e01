from datetime import UTC, datetime

import pytest

from costsim.errors import TraceError

ALB = (
    "{kind} 2025-07-02T22:23:00.186641Z app/lb/50dc 192.0.2.39:2817 10.0.0.1:80 "
    '{times} 200 200 0 57 "POST https://example.com:443/v1/images?a=b HTTP/1.1" '
    '"curl/7.46.0 \\"x\\"" ECDHE TLSv1.2 arn:aws:tg/1 "Root=1-58" "example.com" "arn" 1'
)
CREATED = ' 2025-07-02T22:22:48.364000Z "forward" "-" "-" "10.0.0.1:80" "200" "-" "-"'
FIELDS = (
    "#Version: 1.0\n#Fields: date time c-ip cs-uri-stem time-taken x-edge-result-type\n"
)


def alb(kind="https", times="0.086 1.048 0.037", rest=CREATED):
    return ALB.format(kind=kind, times=times) + rest + "\n"


def entry(latency="1.234567s", **changes):
    return {
        "insertId": "1",
        "httpRequest": {
            "requestMethod": "POST",
            "requestUrl": "https://svc-xyz.a.run.app/generate",
            "status": 200,
            "remoteIp": "192.0.2.1",
            "latency": latency,
        },
        "resource": {
            "type": "cloud_run_revision",
            "labels": {"service_name": "svc", "revision_name": "svc-1"},
        },
        "timestamp": "2026-01-01T12:00:00.123456Z",
        "logName": "projects/p/logs/run.googleapis.com%2Frequests",
        **changes,
    }


def test_alb_arrivals_are_the_time_of_creation_whatever_the_number_of_fields(read):
    longer = alb("h2", rest=CREATED + ' TID_1 "-" "-" "-"')

    trace = read(alb() + longer)

    assert trace.format == "alb"
    assert trace.start == datetime(2025, 7, 2, 22, 22, 48, 364_000, tzinfo=UTC)
    assert trace.arrival_s.tolist() == [0, 0]
    assert trace.duration_s == pytest.approx([1.085, 1.085])
    assert trace.keys == ("/v1/images",)


def test_older_alb_lines_arrive_before_their_end_by_the_three_times(read):
    trace = read(alb(rest=""))

    assert trace.start == datetime(2025, 7, 2, 22, 22, 59, 15_641, tzinfo=UTC)
    assert any("no request_creation_time" in note for note in trace.notes)


def test_alb_requests_that_never_were_sent_to_a_target_are_left_out(read):
    trace = read(alb(times="-1 -1 -1") + alb() + alb(times="0.001 -1 -1"))

    assert trace.n_requests == 2
    assert sorted(trace.duration_s.tolist())[0] == pytest.approx(1.085)
    assert any("1 requests that were never sent" in note for note in trace.notes)


def test_a_broken_alb_line_is_refused_with_its_number(read):
    with pytest.raises(TraceError, match=r"a line of another form \(line 2") as raised:
        read(alb() + "http 2025-07-02T22:23:00Z app\n" + alb())

    assert raised.value.line == 2


def test_cloudfront_stamps_the_end_in_utc(read):
    line = "2019-12-04\t21:02:31\t192.0.2.100\t/gen\t{}\tMiss\n"

    trace = read(FIELDS + line.format("2.5") + line.format("0.001"))

    assert trace.format == "cloudfront"
    assert trace.start == datetime(2019, 12, 4, 21, 2, 28, 500_000, tzinfo=UTC)
    assert trace.duration_s.tolist() == [2.5, 0.001]
    assert trace.resolution_s == 1
    assert trace.keys == ("/gen",)
    assert not trace.warnings


def test_cloudfront_columns_are_found_by_their_names(read):
    trace = read("#Fields: time-taken time date\r\n1.000\t21:02:31\t2019-12-04\r\n")

    assert trace.start == datetime(2019, 12, 4, 21, 2, 30, tzinfo=UTC)


def test_what_cloudfront_answered_from_its_cache_is_said(read):
    line = "2019-12-04\t21:02:31\t192.0.2.100\t/gen\t0.1\t{}\n"

    trace = read(FIELDS + line.format("Hit") + line.format("Miss"))

    assert any("50% of the requests" in text for text in trace.warnings)


def test_headers_within_a_joined_cloudfront_log_are_no_requests(read):
    line = "2019-12-04\t21:02:31\t192.0.2.100\t/gen\t0.1\tMiss\n"

    trace = read(FIELDS + line + FIELDS + line + "\n")

    assert trace.n_requests == 2


def test_cloudfront_version_2_is_read_as_json(read):
    line = (
        '{"date":"2024-11-14","time":"22:34:06","x-edge-location":"SOF50-P2",'
        '"cs-uri-stem":"/gen","time-taken":"0.250"}\n'
    )
    exact = line.replace('"date"', '"timestamp(ms)":"1731623646814","date"')

    by_second, by_milli = read(line), read(exact)

    assert by_second.format == by_milli.format == "cloudfront"
    assert by_second.start == datetime(2024, 11, 14, 22, 34, 5, 750_000, tzinfo=UTC)
    assert by_milli.start == datetime(2024, 11, 14, 22, 34, 6, 564_000, tzinfo=UTC)
    assert by_milli.resolution_s == 0.001


def test_cloud_run_entries_are_read_from_an_array_as_gcloud_prints_it(read):
    trace = read([entry(), entry(timestamp="2026-01-01T11:59:59Z")])

    assert trace.format == "cloud-run"
    assert trace.start == datetime(2026, 1, 1, 11, 59, 59, tzinfo=UTC)
    assert trace.arrival_s[1] == pytest.approx(1.123456, abs=1e-9)
    assert trace.duration_s == pytest.approx([1.234567, 1.234567])
    assert trace.keys == ("svc",)


def test_system_entries_of_cloud_run_are_no_requests(read):
    system = entry(textPayload="Starting new instance. Reason: AUTOSCALING")
    del system["httpRequest"]

    trace = read([system, entry()])

    assert trace.n_requests == 1
    assert any("1 entries on the start of an instance" in n for n in trace.notes)


def test_cloud_run_latencies_may_be_seconds_and_nanoseconds(read):
    trace = read([entry({"seconds": "2", "nanos": 500_000_000})])

    assert trace.duration_s.tolist() == [2.5]


@pytest.mark.parametrize(
    ("name", "expected", "n"),
    [("aws_alb_2.log", "alb", 2), ("aws_cloudfront_1.log", "cloudfront", 1)],
)
def test_fixtures_read_by_detection_alone(shared_dir, read, name, expected, n):
    trace = read((shared_dir / "traces" / "fixtures" / name).read_text())

    assert (trace.format, trace.n_requests) == (expected, n)
