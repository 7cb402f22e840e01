import gzip
from datetime import UTC, datetime

import numpy as np
import pytest

from costsim.errors import TraceError
from costsim.scenario.trace import Trace
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
        "2 requests in 1.5s",
        "times in 'arrival_s' are read as seconds from the start of the file",
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


def test_spans_that_include_waiting_are_taken_last_and_with_a_warning(read):
    alone = read("arrival,latency_ms,end_time\n0,1000,3\n1,1000,3\n")
    beside = read("arrival,latency_ms,duration\n0,1000,3\n1,1000,3\n")

    assert alone.duration_s.tolist() == [1.0, 1.0]
    assert "'latency_ms' may include waiting" in alone.warnings[0]
    assert beside.duration_s.tolist() == [3.0, 3.0]
    assert beside.warnings == ()


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
    assert f"read as {unit} since 1970" in trace.notes[1]
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
        ("0,long", "1 with 'duration' not readable"),
        ("soon,1", "1 with 'arrival' not readable"),
        ("nan,1", "1 with 'arrival' missing"),
        ("inf,1", "1 with 'arrival' not finite"),
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


@pytest.mark.parametrize("text", ["", "-", "n/a", "NaN", "null"])
def test_a_row_without_a_duration_is_kept_without_one(read, text):
    trace = read(many([f"99,{text}"]))

    assert len(trace.arrival_s) == 201
    assert np.isnan(trace.duration_s[0])
    assert np.all(trace.duration_s[1:] == 1)


def test_two_faults_in_a_row_count_once(read):
    trace = read(many(["-1,-1"]))

    assert trace.notes[-1:] == ("rows left out: 1 with 'arrival' negative (line 2)",)


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
    monkeypatch.setattr("costsim.traffic.formats.packing._PART", 50)
    monkeypatch.setattr("costsim.traffic.formats.content.BLOCK", 50)

    trace = read(many(["0,1"] * 50 + ["0,x"]))

    assert len(trace.arrival_s) == 250
    assert trace.notes[-1].endswith("(line 52: 'x')")


def test_only_what_the_service_needs_is_judged(read):
    text = "arrival,duration,output_tokens\n0,,5\n1,,6\n"

    assert read(text, needs=()).arrival_s.tolist() == [0.0, 1.0]
    assert read(text, needs=["output_tokens"]).output_tokens.tolist() == [5.0, 6.0]
    with pytest.raises(TraceError, match="has no durations; traffic"):
        read(text, needs=["duration_s"])


def test_what_the_service_needs_must_be_there(read):
    with pytest.raises(TraceError, match="has no column for duration; columns are"):
        read("arrival,tokens\n0,1\n", needs=["duration_s"])


def test_more_may_be_left_out_if_the_scenario_allows_it(read):
    assert len(read(many(["x,1"] * 20, n=100), max_dropped=0.2).arrival_s) == 100

    with pytest.raises(TraceError, match="max_dropped would allow more"):
        read(many(["x,1"] * 20, n=100))


def test_ends_are_moved_to_starts_by_the_durations(read):
    trace = read("end_time,duration_ms\n10,1000\n20,15000\n")

    assert trace.arrival_s.tolist() == [0.0, 4.0]
    assert trace.duration_s.tolist() == [15.0, 1.0]


def test_the_scenario_may_say_that_times_are_ends(read):
    text = "time,duration\n10,1\n20,15\n"

    assert read(text, stamped="end").arrival_s.tolist() == [0.0, 4.0]
    assert read(text, needs=(), stamped="end").arrival_s.tolist() == [0.0, 4.0]
    with pytest.raises(TraceError, match="has no column for arrival"):
        read("time\n10\n20\n", stamped="end")


def test_keys_and_sessions_are_read_by_their_usual_names(read):
    trace = read("time,model,user_id\n0,a,u1\n1,b,u2\n2,a,u1\n3,,\n")

    assert trace.keys == ("a", "b")
    assert trace.key.tolist() == [0, 1, 0, -1]
    assert trace.session[0] == trace.session[2] != trace.session[1]
    assert trace.session[3] == -1


COUNTS = (
    "time,requests\n2026-03-02T12:00Z,3\n2026-03-02T12:05Z,0\n2026-03-02T12:10Z,{}\n"
)


@pytest.mark.parametrize("name", ["requests", "count", "value", "Invocations"])
def test_regular_times_and_a_count_are_bins(read, name):
    trace = read(COUNTS.format(4).replace("requests", name))

    assert trace.arrival_s.tolist() == [0.0, 600.0]
    assert trace.count.tolist() == [3, 4]
    assert trace.width_s.tolist() == [300.0, 300.0]
    assert "rows are bins of 5m: bursts inside a bin are lost" in trace.warnings[0]


def test_counts_beside_durations_are_not_bins(read):
    trace = read("time,count,duration\n0,3,1\n60,3,1\n120,3,1\n")

    assert trace.count is None


def test_irregular_times_are_requests_whatever_a_value_is(read):
    trace = read("time,value\n0,3\n7,3\n9,3\n20,3\n", needs=())

    assert trace.count is None


def test_each_key_has_bins_of_its_own_width(read):
    rows = [f"{60 * i},a,1" for i in range(5)] + [f"{300 * i},b,2" for i in range(5)]

    trace = read("\n".join(["time,series,value", *rows]))

    assert set(trace.width_s[trace.key == 0]) == {60.0}
    assert set(trace.width_s[trace.key == 1]) == {300.0}
    assert np.all(np.diff(trace.arrival_s) >= 0)


def test_rates_times_the_width_are_whole_counts_of_the_same_total(read):
    rows = [f"{60 * i},0.0{i % 10}" for i in range(100)]

    trace = read("\n".join(["time,rps", *rows]))

    assert trace.n_requests == 60 * sum(i % 10 for i in range(100)) // 100
    assert trace.count.dtype == np.int64
    assert "requests per second are read from 'rps'" in trace.notes


def test_several_columns_of_numbers_are_series(read):
    trace = read(
        "date,web,batch\n2026-03-02 00:00,1,0\n2026-03-02 01:00,2,5\n"
        "2026-03-02 02:00,3,6\n"
    )

    assert trace.keys == ("web", "batch")
    assert trace.n_requests == 17
    assert trace.start == datetime(2026, 3, 2)  # noqa: DTZ001


def test_a_single_bin_needs_a_width(read):
    with pytest.raises(TraceError, match=r"set traffic\.trace\.bin"):
        read("time,requests\n0,5\n", columns={"count": "requests"})

    assert read("time,requests\n0,5\n", bin="1m").width_s.tolist() == [60.0]


def test_a_line_for_the_spreadsheet_before_the_header_is_passed_over(read):
    trace = read(b"\xef\xbb\xbfsep=;\r\narrival;duration\r\n0;1\r\n2;3\r\n")

    assert trace.duration_s.tolist() == [1.0, 3.0]


def test_quoted_fields_may_go_on_over_lines_and_blocks(read, monkeypatch):
    monkeypatch.setattr("costsim.traffic.formats.packing._PART", 64)
    monkeypatch.setattr("costsim.traffic.formats.content.BLOCK", 64)
    rows = [f'{i},"a\nb ""{i}"", c",{i % 7}' for i in range(200)]

    trace = read("\n".join(["arrival,note,duration", *rows]) + "\n")

    assert trace.arrival_s.tolist() == list(range(200))
    assert trace.duration_s.tolist() == [i % 7 for i in range(200)]


def test_numbers_may_turn_into_text_later_in_a_file(read, monkeypatch):
    monkeypatch.setattr("costsim.traffic.formats.packing._PART", 64)
    monkeypatch.setattr("costsim.traffic.formats.content.BLOCK", 64)
    rows = [f"{i},{i}" for i in range(300)]
    rows[250] = "250,abc"

    trace = read("\n".join(["arrival,duration", *rows]) + "\n")

    assert len(trace.arrival_s) == 299
    assert trace.notes[-1].endswith("1 with 'duration' not readable (line 252: 'abc')")
