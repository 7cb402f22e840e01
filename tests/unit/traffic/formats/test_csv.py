import gzip
from datetime import UTC, datetime

import numpy as np
import pytest

from costsim.errors import TraceError
from costsim.scenario.traffic import Trace
from costsim.traffic.formats.detect import read_trace

NOON = 1_772_452_800  # 2026-03-02T12:00Z


@pytest.fixture
def read(tmp_path):
    def read_text(text, needs=None, **keys):
        path = tmp_path / "requests.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_trace(Trace.model_validate({"path": str(path), **keys}), needs)

    return read_text


def many(rows, n=200):
    """Return a file whose first rows are given and whose others are fine."""
    others = [f"{100 + i},1" for i in range(n)]
    return "\n".join(["arrival,duration", *rows, *others]) + "\n"


def test_seconds_from_zero_are_read_as_they_are(read):
    trace = read("arrival_s,duration_s\n5.5,2\n7,0.25\n")

    assert trace.arrival_s.tolist() == [0.0, 1.5]
    assert trace.duration_s.tolist() == [2.0, 0.25]
    assert trace.input_tokens is None
    assert trace.start is None
    assert trace.notes == (
        "2 requests in 1.5s: times in 'arrival_s' are read as seconds, the first at 0",
        "durations in 'duration_s' are read as seconds",
    )


@pytest.mark.parametrize(
    "header",
    [
        "arrival,duration,input_tokens,output_tokens",
        "Timestamp,Service Time,Request tokens,Response tokens",
        "arrived_at,runtime,num_prefill_tokens,num_decode_tokens",
        "TIME,Duration (s),prompt_tokens,completion_tokens",
        "start-time,exec_time,input_length,output_length",
        " created_at , processing_time ,ContextTokens,GeneratedTokens",
    ],
)
def test_usual_names_of_columns_are_known(read, header):
    trace = read(f"{header}\n0,1,10,100\n2,3,20,200\n")

    assert trace.arrival_s.tolist() == [0.0, 2.0]
    assert trace.duration_s.tolist() == [1.0, 3.0]
    assert trace.input_tokens.tolist() == [10.0, 20.0]
    assert trace.output_tokens.tolist() == [100.0, 200.0]


def test_columns_are_found_by_name_wherever_they_stand(read):
    trace = read("model,output_tokens,arrival,duration\na,7,0,1\nb,8,5,2\n")

    assert trace.arrival_s.tolist() == [0.0, 5.0]
    assert trace.output_tokens.tolist() == [7.0, 8.0]


def test_the_scenario_may_name_the_columns(read):
    trace = read(
        "arrival,t_start,secs\n9,0,1\n8,4,2\n",
        columns={"arrival": "t_start", "duration": "secs"},
    )

    assert trace.arrival_s.tolist() == [0.0, 4.0]
    assert trace.duration_s.tolist() == [1.0, 2.0]


def test_of_two_usual_names_the_better_is_taken_and_the_other_is_told(read):
    trace = read("time,arrival\n0,1\n0,3\n")

    assert trace.arrival_s.tolist() == [0.0, 2.0]
    assert trace.notes[1] == (
        "arrival is read from 'arrival', not from 'time'; "
        "traffic.trace.columns.arrival would choose another"
    )


def test_spans_that_include_waiting_are_not_taken_for_service_times(read):
    trace = read("arrival,latency,request_time,end_time\n0,1,2,3\n1,1,2,3\n")

    assert trace.duration_s is None


@pytest.mark.parametrize(
    ("factor", "unit"),
    [
        (1, "seconds"),
        (10**3, "milliseconds"),
        (10**6, "microseconds"),
        (10**9, "nanoseconds"),
    ],
)
def test_units_of_epoch_times_are_told_apart_by_their_size(read, factor, unit):
    trace = read(f"timestamp\n{NOON * factor}\n{(NOON + 90) * factor}\n")

    np.testing.assert_allclose(trace.arrival_s, [0, 90], atol=1e-6)
    assert trace.start == datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert f"read as {unit} since 1970" in trace.notes[0]
    assert "from 2026-03-02T12:00:00+00:00" in trace.notes[0]


def test_fractions_of_epoch_seconds_are_kept(read):
    trace = read(f"timestamp\n{NOON}.25\n{NOON}.75\n")

    np.testing.assert_allclose(trace.arrival_s, [0, 0.5], atol=1e-6)


def test_a_unit_in_the_name_of_a_column_is_heeded(read):
    trace = read("arrival_ms,duration_us\n0,500000\n1500,2000000\n")

    assert trace.arrival_s.tolist() == [0.0, 1.5]
    assert trace.duration_s.tolist() == [0.5, 2.0]


def test_the_scenario_overrules_a_unit_in_a_name(read):
    trace = read(
        "arrival_ms,duration_ms\n0,5\n1500,20\n", time_unit="us", duration_unit="s"
    )

    np.testing.assert_allclose(trace.arrival_s, [0, 0.0015])
    assert trace.duration_s.tolist() == [5.0, 20.0]


def test_units_given_by_the_scenario_scale_numbers(read):
    trace = read("arrival,duration\n0,5\n1500,20\n", time_unit="ms", duration_unit="ms")

    assert trace.arrival_s.tolist() == [0.0, 1.5]
    np.testing.assert_allclose(trace.duration_s, [0.005, 0.02])


@pytest.mark.parametrize(
    ("first", "second", "start"),
    [
        ("2026-03-02T12:00:00Z", "2026-03-02T12:01:30Z", "2026-03-02T12:00:00+00:00"),
        (
            "2026-03-02T12:00:00+01:00",
            "2026-03-02T11:01:30+00:00",
            "2026-03-02T12:00:00+01:00",
        ),
        ("2026-03-02 12:00:00", "2026-03-02 12:01:30", "2026-03-02T12:00:00"),
        ("2026-03-02T12:00", "2026-03-02T12:01:30.000", "2026-03-02T12:00:00"),
        (
            "2026-03-02 12:00:00.1234567",
            "2026-03-02 12:01:30.1234567",
            "2026-03-02T12:00:00.123456",
        ),
    ],
    ids=["utc", "offsets", "plain", "short", "seven-digits"],
)
def test_iso_8601_is_read_with_and_without_offset(read, first, second, start):
    trace = read(f"time\n{first}\n{second}\n")

    assert trace.arrival_s.tolist() == [0.0, 90.0]
    assert trace.start.isoformat() == start


def test_a_start_is_that_of_the_first_arrival_not_of_the_first_row(read):
    trace = read("time\n2026-03-02T12:00:05Z\n2026-03-02T12:00:00Z\n")

    assert trace.start == datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert trace.arrival_s.tolist() == [0.0, 5.0]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends_are_recognized(read, delimiter, end):
    rows = ["arrival,duration", "0,1", "2,3"]

    trace = read(end.join(rows).replace(",", delimiter) + end)

    assert trace.arrival_s.tolist() == [0.0, 2.0]
    assert trace.duration_s.tolist() == [1.0, 3.0]


def test_quotes_a_byte_order_mark_and_blank_lines_are_no_trouble(read):
    text = '\n"arrival","note, or none","duration"\n"0","a ""b"", c","1"\n\n2,,3\n\n'

    trace = read(b"\xef\xbb\xbf" + text.encode())

    assert trace.arrival_s.tolist() == [0.0, 2.0]
    assert trace.duration_s.tolist() == [1.0, 3.0]


def test_text_in_another_encoding_does_not_matter_outside_the_columns(read):
    trace = read(b"arrival,city\n0,Z\xfcrich\n1,Gen\xe8ve\n")

    assert trace.arrival_s.tolist() == [0.0, 1.0]


def test_the_last_line_may_lack_its_end(read):
    assert read("arrival\n0\n1").arrival_s.tolist() == [0.0, 1.0]


@pytest.mark.parametrize("name", ["requests.csv.gz", "requests.dat"])
def test_gzip_is_unpacked_whatever_its_name(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(gzip.compress(b"arrival\n0\n1\n"))

    trace = read_trace(Trace(path=str(path)))

    assert trace.arrival_s.tolist() == [0.0, 1.0]


def test_rows_out_of_order_are_sorted_with_their_values_and_counted(read):
    text = "arrival,duration\n0,1\n5,2\n3,3\n4,4\n5,5\n6,6\n"

    trace = read(text)

    assert trace.arrival_s.tolist() == [0, 3, 4, 5, 5, 6]
    assert trace.duration_s.tolist() == [1, 3, 4, 2, 5, 6]
    assert trace.notes[-1] == "2 rows out of order were sorted; first at line 4"


def test_one_row_out_of_order_is_told_in_the_singular(read):
    trace = read("arrival\n0\n5\n3\n9\n")

    assert trace.notes[-1] == "1 row out of order was sorted; first at line 4"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",1", "1 with 'arrival' missing"),
        ("0,", "1 with 'duration' missing"),
        ("0,n/a", "1 with 'duration' not readable"),
        ("soon,1", "1 with 'arrival' not readable"),
        ("nan,1", "1 with 'arrival' not finite"),
        ("0,NaN", "1 with 'duration' not finite"),
        ("0,inf", "1 with 'duration' not finite"),
        ("-1,1", "1 with 'arrival' negative"),
        ("0,-0.5", "1 with 'duration' negative"),
        ("0", "1 with another number of fields than the header"),
        ("0,1,2", "1 with another number of fields than the header"),
    ],
)
def test_a_row_that_cannot_be_used_is_left_out_and_told(read, row, reason):
    trace = read(many(["99,1", row]))

    assert len(trace.arrival_s) == 201
    assert len(trace.duration_s) == 201
    assert trace.notes[-1].startswith(f"rows left out: {reason} (line 3")


def test_two_faults_in_a_row_count_once(read):
    trace = read(many(["-1,-1"]))

    assert trace.notes[2:] == ("rows left out: 1 with 'arrival' negative (line 2)",)


def test_a_date_that_does_not_exist_is_left_out_and_told(read):
    dates = [f"2026-03-02T12:{i // 60:02}:{i % 60:02}Z" for i in range(200)]

    trace = read("\n".join(["time", "2026-02-30T00:00:00Z", "", *dates]) + "\n")

    assert len(trace.arrival_s) == 200
    assert trace.notes[-1] == (
        "rows left out: 1 with 'time' not readable (line 2: '2026-02-30T00:00:00Z')"
    )


def test_the_first_three_lines_at_fault_are_told(read):
    trace = read(many(["-1,1", "0,1", "-2,1", "-3,1", "-4,1"], n=500))

    assert trace.notes[-1] == (
        "rows left out: 4 with 'arrival' negative (lines 2, 4, 5, ...)"
    )


def test_up_to_one_in_a_hundred_rows_may_be_left_out(read):
    assert len(read(many(["x,1"], n=99)).arrival_s) == 99

    with pytest.raises(TraceError, match="1 of 99 rows cannot be used, more than 1%"):
        read(many(["x,1"], n=98))


def test_lines_are_counted_as_an_editor_does(read):
    text = many(['"0","1\n"', "1,1", "2,x"])

    trace = read(text)

    # The first row spans lines 2 and 3.
    assert trace.notes[-1].endswith("(line 5: 'x')")


def test_lines_are_counted_across_blocks(read, monkeypatch):
    monkeypatch.setattr("costsim.traffic.formats.rows._ROWS_AT_ONCE", 7)

    trace = read(many(["0,1"] * 50 + ["0,x"]))

    assert len(trace.arrival_s) == 250
    assert trace.notes[-1].endswith("(line 52: 'x')")


def test_only_what_the_service_needs_is_judged(read):
    text = "arrival,duration,output_tokens\n0,,5\n1,,6\n"

    assert read(text, needs=()).arrival_s.tolist() == [0.0, 1.0]
    assert read(text, needs=["output_tokens"]).output_tokens.tolist() == [5.0, 6.0]
    with pytest.raises(TraceError, match="2 of 2 rows cannot be used"):
        read(text, needs=["duration_s"])


def test_what_the_service_needs_must_be_there(read):
    with pytest.raises(TraceError, match="has no column for duration; columns are"):
        read("arrival,tokens\n0,1\n", needs=["duration_s"])


def test_too_many_rows_are_refused(read, monkeypatch):
    monkeypatch.setattr("costsim.traffic.formats.rows.MAX_ROWS", 100)

    with pytest.raises(TraceError, match="has more than 100 rows"):
        read(many([], n=101))
