import json
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from costsim.errors import TraceError
from costsim.scenario.trace import Trace
from costsim.traffic.formats.detect import read_trace


@pytest.fixture
def read(tmp_path):
    def read_text(text, name="trace.csv", needs=None, **keys):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_trace(Trace.model_validate({"path": str(path), **keys}), needs)

    return read_text


def lines(*rows):
    return "\n".join(json.dumps(row) for row in rows) + "\n"


def test_azure_of_2025_has_images_too(read):
    trace = read(
        b"\xef\xbb\xbfTIMESTAMP,NumImages,ContextTokens,GeneratedTokens\r\n"
        b"2024-10-15 00:00:00.0000001,1,4808,10\r\n"
        b"2024-10-15 00:00:01.0000002,0,12,7\r\n"
    )

    assert trace.format == "azure-llm"
    assert trace.start == datetime(2024, 10, 15, tzinfo=UTC)
    assert trace.span_s == pytest.approx(1.0000001, abs=1e-12)
    assert trace.input_tokens.tolist() == [4808, 12]


def test_vidur_counts_seconds_from_zero(read):
    trace = read("arrived_at,num_prefill_tokens,num_decode_tokens\n0.0,5,6\n1.5,7,8\n")

    assert trace.format == "vidur"
    assert trace.arrival_s.tolist() == [0.0, 1.5]
    assert trace.output_tokens.tolist() == [6, 8]


BURSTGPT = (
    "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
    "5,ChatGPT,472,18,490,Conversation log\n"
    "45,GPT-4,1087,0,1087,API log\n"
    "118,GPT-4,417,276,693,Conversation log\n"
)
BURSTGPT_3 = (
    "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,"
    "Total tokens,Log Type\n"
    "5,17,3.5,ChatGPT,472,18,490,Conversation log\n"
    "45,,1.25,GPT-4,1087,12,1099,API log\n"
    "46,17,2.5,ChatGPT,417,276,693,Conversation log\n"
)


def test_failed_requests_of_burstgpt_are_left_out_and_told(read):
    trace = read(BURSTGPT)

    assert trace.format == "burstgpt"
    assert trace.arrival_s.tolist() == [0.0, 113.0]
    assert trace.keys == ("ChatGPT", "GPT-4")
    assert trace.resolution_s == 1.0
    assert any("1 failed requests, without response" in note for note in trace.notes)


def test_burstgpt_is_read_by_the_names_of_its_columns(read):
    trace = read(BURSTGPT_3)

    assert trace.input_tokens.tolist() == [472, 1087, 417]
    assert trace.duration_s.tolist() == [3.5, 1.25, 2.5]
    assert trace.session[0] == trace.session[2] != -1
    assert trace.session[1] == -1


def test_mooncake_counts_milliseconds(read):
    trace = read(
        lines(
            {
                "timestamp": 0,
                "input_length": 6755,
                "output_length": 500,
                "hash_ids": [],
            },
            {"timestamp": 27482, "input_length": 6955, "output_length": 52},
        ),
        "trace.jsonl",
    )

    assert trace.format == "mooncake"
    assert trace.arrival_s.tolist() == [0.0, 27.482]
    assert any("times count milliseconds" in note for note in trace.notes)


def test_what_would_be_too_busy_in_milliseconds_is_in_seconds(read):
    rows = [
        {"timestamp": i // 3, "input_length": 5, "output_length": 6} for i in range(150)
    ]

    trace = read(lines(*rows), "trace.jsonl")

    assert trace.span_s == 49.0
    assert any("would be implausible" in note for note in trace.notes)


def test_decimals_are_seconds(read):
    row = {"timestamp": 0.5, "input_length": 5, "output_length": 6}

    trace = read(lines(row, {**row, "timestamp": 100.75}), "trace.jsonl")

    assert trace.span_s == 100.25


def test_batches_of_mooncake_are_a_resolution(read):
    rng = np.random.default_rng(2)
    stamps = [3000 * i + int(rng.integers(0, 3)) for i in range(40)]
    rows = [f"{stamp},5,6,1" for stamp in stamps for _ in range(10)]

    trace = read("\n".join(["timestamp,input_length,output_length,n_blocks", *rows]))

    assert trace.resolution_s == 3.0


def test_bailian_counts_seconds_and_has_chats(read):
    row = {"chat_id": 159, "parent_chat_id": -1, "input_length": 521, "type": "text"}
    row |= {"output_length": 132, "turn": 1, "hash_ids": [1, 2]}

    trace = read(
        lines(
            {**row, "timestamp": 61.114},
            {**row, "timestamp": 70, "turn": 2},
            {**row, "timestamp": 80, "chat_id": 160},
        ),
        "trace.jsonl",
    )

    assert trace.format == "bailian"
    assert trace.arrival_s.tolist() == pytest.approx([0.0, 8.886, 18.886])
    assert trace.session[0] == trace.session[1] != trace.session[2]


def test_the_chatbots_times_are_texts_in_any_order(read):
    row = {"hash_ids": {"a": 1}, "input_length": 3140, "output_length": 234}

    trace = read(
        lines(
            {**row, "timestamp": "12.0", "session_id": "s1"},
            {**row, "timestamp": "2.5", "session_id": "s2"},
            {**row, "timestamp": "20", "session_id": "s1"},
        ),
        "trace.jsonl",
    )

    assert trace.format == "chatbot"
    assert trace.arrival_s.tolist() == [0.0, 9.5, 17.5]
    assert trace.session[1] == trace.session[2]


def test_a_table_of_basetens_traces_needs_no_names(tmp_path):
    path = tmp_path / "trace.parquet"
    columns = {
        "timestamp_start_unix_ms": [1_772_452_800_500, 1_772_452_800_000],
        "prompt": ["a", "b"],
        "input_tokens": [5, 6],
        "output_tokens": [7, 8],
        "provided_session_id": ["s", None],
        "duration_e2e_ms": [1500.0, 250.0],
    }
    pq.write_table(pa.table(columns), path)

    trace = read_trace(Trace(path=str(path)))

    assert trace.format == "parquet"
    assert trace.start == datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert trace.duration_s.tolist() == [0.25, 1.5]
    assert trace.input_tokens.tolist() == [6, 5]
    assert trace.session.tolist()[0] == -1
    assert "'duration_e2e_ms' may include waiting" in trace.warnings[0]


SERVEGEN = (
    "0,1.5,2.0,Gamma,0.25,4.0\n600,0.0,1.0,Gamma,1,1\n1200,0.1,2.0,Weibull,.5,1\n"
)


def test_servegens_clients_have_no_header(read):
    trace = read(SERVEGEN, "chunk-7-trace.csv")

    assert trace.format == "servegen"
    assert trace.arrival_s.tolist() == [0.0, 1200.0]
    assert trace.count.tolist() == [900, 60]
    assert trace.width_s.tolist() == [600.0, 600.0]
    # Weibull gaps are taken as gamma gaps of the same coefficient of variation.
    assert trace.spacing_shape.tolist() == [0.25, 0.25]
    assert trace.keys == ("chunk-7",)


def test_servegens_table_has_a_key_for_each_client(shared_dir):
    path = shared_dir / "traces" / "servegen_language_clients_10min.parquet"

    trace = read_trace(Trace(path=str(path), keys=("m-large/3",)))

    table = pq.read_table(path, filters=[("model", "=", "m-large"), ("client", "=", 3)])
    assert trace.keys == ("m-large/3",)
    assert trace.n_requests == pytest.approx(
        600 * np.sum(table["rate"].to_numpy().astype(float)), abs=1
    )


FUNCTIONS = (
    "HashOwner,HashApp,HashFunction,Trigger,480,481,482\r\n"
    "o1,a1,f1,http,0,2,1\r\n"
    "o1,a1,f2,timer,1,0,1\r\n"
)


def test_azures_minutes_keep_their_numbers(read):
    trace = read(FUNCTIONS)

    assert trace.format == "azure-functions-2019"
    assert trace.n_requests == 5
    assert trace.keys == ("f1", "f2")
    # f2 is called in minute 480, when the log begins; f1 a minute later.
    assert trace.key.tolist()[:3] == [0, 1, 0]
    assert trace.count.tolist()[:3] == [0, 1, 2]
    assert trace.arrival_s.tolist() == [0.0, 0.0, 60.0, 120.0, 120.0]
    assert set(trace.width_s) == {60.0}


def test_azures_triggers_may_be_the_key(read):
    trace = read(FUNCTIONS, columns={"key": "Trigger"}, keys=["http"])

    assert trace.n_requests == 3


def test_a_bad_count_of_azures_drops_its_function(read):
    with pytest.raises(TraceError, match=r"counts that are not readable \(line 3\)"):
        read(FUNCTIONS.replace("timer,1", "timer,x"))


def test_azures_calls_of_2021_are_moved_from_their_ends(read):
    trace = read(
        "app,func,end_timestamp,duration\n"
        "a1,f1,10.0000000000000,9.000\na1,f2,11.5,0.0\na2,f3,12.0,0.25\n",
    )

    assert trace.format == "azure-functions-2021"
    assert trace.arrival_s.tolist() == [0.0, 10.5, 10.75]
    assert trace.keys == ("f1", "f2", "f3")
    assert any("1 calls have a duration of 0" in note for note in trace.notes)


def test_a_format_that_is_named_must_fit(read):
    with pytest.raises(TraceError, match="has no column 'arrived_at', which this form"):
        read("time,num_prefill_tokens\n0,1\n", format="vidur")
    with pytest.raises(TraceError, match="is not a ServeGen trace"):
        read("time,num_prefill_tokens\n0,1\n", format="servegen")
    with pytest.raises(TraceError, match="has no column 'HashFunction' to be the key"):
        read("time,1,2\n0,1,3\n", format="azure-functions-2019")
