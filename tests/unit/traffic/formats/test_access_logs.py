import gzip
from datetime import UTC, datetime

import numpy as np
import pytest

from costsim.errors import TraceError
from costsim.traffic.formats.access_logs import find_layout
from costsim.traffic.formats.content import Block
from costsim.traffic.formats.split import split_block
from costsim.traffic.formats.stamps import log_ns

TIME = "17/May/2015:10:05:03 +0000"
COMBINED = (
    '192.0.2.1 - - [17/May/2015:10:05:03 +0000] "GET /a?x=1 HTTP/1.1" 200 203 "-" "M/5"\n'
    '192.0.2.2 - ann [17/May/2015:12:05:01 +0200] "GET /b HTTP/1.1" 200 17 "-" "M/5 (X)"\n'
    '192.0.2.1 - - [17/May/2015:10:05:07 +0000] "POST /a?x=2 HTTP/1.1" 200 - "-" "M/5"\n'
)


def timed(tail, stamp="17/May/2015:10:05:03 +0000"):
    return f'192.0.2.1 - - [{stamp}] "GET /a HTTP/1.1" 200 9 "-" "M/5" {tail}\n'


def test_combined_lines_are_arrivals_by_their_own_zones_in_order(read):
    trace = read(COMBINED)

    assert trace.format == "apache"
    assert trace.start == datetime(2015, 5, 17, 10, 5, 1, tzinfo=UTC)
    assert trace.arrival_s.tolist() == [0, 2, 6]
    assert trace.resolution_s == 1
    assert trace.duration_s is None


def test_the_key_is_the_path_without_its_query_and_the_session_the_address(read):
    trace = read(COMBINED)

    assert [trace.keys[i] for i in trace.key] == ["/b", "/a", "/a"]
    assert trace.session[1] == trace.session[2] != trace.session[0]


def test_common_lines_are_read_too(read):
    trace = read(
        '192.0.2.1 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.0" 304 -\r\n'
    )

    assert trace.format == "apache"
    assert trace.keys == ("/",)


def test_a_whole_number_at_the_end_is_microseconds_from_a_stamp_at_the_start(read):
    trace = read(timed("1500000") + timed("250000"))

    assert trace.format == "apache"
    assert sorted(trace.duration_s) == [0.25, 1.5]
    assert trace.start == datetime(2015, 5, 17, 10, 5, 3, tzinfo=UTC)
    assert any("in microseconds" in note for note in trace.notes)


def test_a_whole_number_at_the_end_is_seconds_if_the_user_says_so(read):
    trace = read(timed("3"), duration_unit="s")

    assert trace.duration_s.tolist() == [3]


@pytest.mark.parametrize("tail", ["2.500", '"2.500"', "rt=2.500 uct=0.001"])
def test_a_decimal_number_at_the_end_is_that_of_nginx_whose_stamp_is_the_end(
    read, tail
):
    trace = read(timed(tail))

    assert trace.format == "nginx"
    assert trace.duration_s.tolist() == [2.5]
    assert trace.start == datetime(2015, 5, 17, 10, 5, 0, 500_000, tzinfo=UTC)


def test_nginx_without_a_time_of_service_is_late_and_that_is_said(read):
    trace = read(COMBINED, format="nginx")

    assert trace.start == datetime(2015, 5, 17, 10, 5, 1, tzinfo=UTC)
    assert any("late by the time of service" in text for text in trace.warnings)


def test_the_user_may_say_that_stamps_are_starts(read):
    trace = read(timed("2.500"), stamped="start")

    assert trace.start == datetime(2015, 5, 17, 10, 5, 3, tzinfo=UTC)


def test_a_virtual_host_before_the_address_is_not_the_address(read):
    line = (
        'example.org:443 192.0.2.9 - - [17/May/2015:10:05:03 +0000] "GET / H" 200 1\n'
    )

    trace = read(line * 2 + line.replace("example.org", "example.com"))

    assert len(set(trace.session.tolist())) == 1


def test_lines_that_cannot_be_split_at_once_are_split_one_by_one(read):
    odd = (
        '192.0.2.7 - Ann Lee [17/May/2015:10:05:09 +0000] "GET /n HTTP/1.1" 200 1 "-" "M"\n'
        '192.0.2.8 - - [17/May/2015:10:05:08 +0000] "GET /q\\"x HTTP/1.1" 200 1 "-" "M"\n'
    )

    trace = read(COMBINED + odd)

    assert trace.arrival_s.tolist() == [0, 2, 6, 7, 8]
    assert {"/n", '/q"x'} <= set(trace.keys)


def test_an_open_quotation_mark_costs_its_line_only_and_the_line_is_named(read):
    cut = '192.0.2.9 - - [17/May/2015:10:05:09 +0000] "GET /bro\n'

    trace = read(COMBINED * 40 + cut + COMBINED * 40)

    assert trace.n_requests == 240
    assert any(
        "1 with a line of another form (line 121" in note for note in trace.notes
    )


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (
            '1.1.1.1 - - [31/Feb/2015:10:05:03 +0000] "GET / H" 200 1 "-" "M"',
            "a time that cannot be read .line 4: '.31/Feb/2015",
        ),
        (
            '1.1.1.1 - - [17/May/2015:10:05:03 +0000] "GET / H" oops 1 "-" "M"',
            "a status that is no number .line 4: 'oops'",
        ),
    ],
)
def test_lines_that_cannot_be_used_are_refused_with_line_and_reason(
    read, broken, reason
):
    with pytest.raises(TraceError, match=reason):
        read(COMBINED + broken + "\n")


def test_blank_lines_crlf_and_bytes_that_are_not_utf8_do_no_harm(read):
    text = COMBINED.replace("\n", "\r\n").encode().replace(b"M/5 (X)", b"M\xff\xfe")

    trace = read(text + b"\r\n" + text)

    assert trace.n_requests == 6


def test_a_packed_log_is_the_same_log(read):
    trace = read(gzip.compress(COMBINED.encode()), "access.log.gz")

    assert trace.arrival_s.tolist() == [0, 2, 6]


def test_many_errors_are_requests_and_are_said(read):
    failed = COMBINED.replace('HTTP/1.1" 200', 'HTTP/1.1" 503')

    trace = read(COMBINED + failed)

    assert trace.n_requests == 6
    assert any("50% of the requests were failed (status 5xx)" in n for n in trace.notes)


def test_a_log_of_apache_is_read_by_the_form_that_the_user_gives(read):
    trace = read(
        '5.250|[17/May/2015:10:05:03 +0000]|192.0.2.1|"GET /a?b HTTP/1.1"|1750000\n',
        format="apache",
        log_format='%{X}o|%t|%a|"%r"|%D',
    )

    assert trace.start == datetime(2015, 5, 17, 10, 5, 3, tzinfo=UTC)
    assert trace.duration_s.tolist() == [1.75]
    assert trace.keys == ("/a",)


def test_a_time_at_the_end_of_a_request_is_an_end_in_a_form_too(read):
    trace = read("1700000010 2000\n", format="apache", log_format="%{end:sec}t %{ms}T")

    assert trace.start == datetime.fromtimestamp(1_700_000_008, UTC)


@pytest.mark.parametrize(
    ("form", "line"),
    [
        (
            '$remote_addr [$time_local] "$request" $status $request_time',
            '192.0.2.1 [17/May/2015:10:05:03 +0000] "GET /a?b HTTP/2" 200 1.500',
        ),
        (
            '$msec $remote_addr "$request_uri" $request_time ${request_length}',
            '1431857103.000 192.0.2.1 "/a?b" 1.500 77',
        ),
        (
            "$time_iso8601 $remote_addr $uri $upstream_response_time",
            "2015-05-17T12:05:03+02:00 192.0.2.1 /a 1.000, 0.500",
        ),
    ],
)
def test_a_log_of_nginx_is_read_by_the_form_that_the_user_gives(read, form, line):
    trace = read(f"{line}\n", format="nginx", log_format=form)

    assert trace.start == datetime(2015, 5, 17, 10, 5, 1, 500_000, tzinfo=UTC)
    assert trace.duration_s.tolist() == [1.5]
    assert trace.keys == ("/a",)


def test_a_form_that_does_not_fit_is_refused_by_its_first_line(read):
    with pytest.raises(TraceError, match="none of the first 20 lines is of the form"):
        read(COMBINED * 10, log_format="%D %t")


@pytest.mark.parametrize("form", ["%h %D", "$remote_addr $status", "%Q"])
def test_a_form_without_a_time_or_with_unknown_parts_is_refused(read, form):
    with pytest.raises(TraceError, match="log_format"):
        read("1.1.1.1 200\n", format="apache", log_format=form)


def test_other_text_is_no_access_log(read):
    with pytest.raises(TraceError, match="is not an access log"):
        read("arrival,duration\n1,2\n", format="apache")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (timed("12"), (11, 3, 10, "us")),
        (timed("0.012 80"), (12, 3, 10, "s")),
        (timed('"-"'), (11, 3, None, "")),
    ],
)
def test_the_layout_is_found_by_the_first_lines(line, expected):
    layout = find_layout([line.strip()] * 3)

    assert (layout.n_fields, layout.stamp, layout.duration, layout.unit) == expected


def test_a_block_is_split_with_the_numbers_of_its_lines_and_of_odd_ones():
    block = Block(b'a "b c" 1\nx y z w\nd "e \\" f" 2\n', first_line=11)

    fields, odd = split_block(block, " ", 3, [1, 2])

    assert fields.line.tolist() == [11, 13]
    assert fields.columns[0].texts().to_pylist() == ["b c", 'e " f']
    np.testing.assert_array_equal(fields.columns[1].floats(float), [1, 2])
    assert odd == [(12, "x y z w")]


def test_a_stamp_is_an_instant():
    expected = int(datetime(2015, 5, 17, 8, 35, 3, tzinfo=UTC).timestamp()) * 10**9

    assert log_ns("17/May/2015:10:05:03 +0130") == expected


def test_the_fixture_of_a_public_log_reads_by_detection_alone(shared_dir, read):
    text = (shared_dir / "traces" / "fixtures" / "apache_combined_400.log").read_text()

    trace = read(text)

    assert trace.n_requests == 400
    assert trace.start == datetime(2015, 5, 17, 10, 5, 0, tzinfo=UTC)
    assert any("out of order" in note for note in trace.notes)


def test_odd_lines_that_are_not_utf8_are_named_like_others(read, capfd):
    odd = b"\xff\xfe not a line of this log at all\n"

    trace = read(COMBINED.encode() * 60 + odd)

    assert trace.n_requests == 180
    assert any("(line 181: " in note for note in trace.notes)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "stamp", ["17/May/9999:10:05:03 +0000", "17/May/2015:99:05:03"]
)
def test_times_out_of_all_bounds_are_refused(read, stamp):
    with pytest.raises(TraceError, match="line 4"):
        read(COMBINED + COMBINED.splitlines()[0].replace(TIME, stamp) + "\n")
