import gzip
import json
from datetime import UTC, datetime

import pytest

from costsim.errors import TraceError

VLLM = {
    "date": "20260101-120000",
    "backend": "openai",
    "model_id": "m",
    "num_prompts": 2,
    "request_rate": 1.0,
    "burstiness": 1.0,
    "max_concurrency": None,
    "duration": 3.1,
    "completed": 2,
    "start_times": [101.2, 100.0],
    "ttfts": [0.3, 0.2],
    "itls": [[0.03], [0.02, 0.02]],
    "input_lens": [12, 10],
    "output_lens": [2, 3],
    "errors": ["", ""],
}
K6_HEADER = "metric_name,timestamp,metric_value,check,error,group,method,name,status\n"
K6_POINT = '{{"type":"Point","metric":"{0}","data":{{"time":"{1}","value":{2},"tags":{{"name":"/a"}}}}}}\n'
LOCUST_HEADER = (
    "Timestamp,User Count,Type,Name,Requests/s,Failures/s,50%,Total Request Count\n"
)


def warned(trace):
    return any("results of a load test" in text for text in trace.warnings)


def guidellm(requests, **changes):
    metadata = {"version": 2, "guidellm_version": "0.8.1"}
    run = {"scheduler_state": {}, "requests": requests}
    return {"metadata": metadata, "benchmarks": [run], **changes}


def aiperf(start_ns, *, phase="profiling", cancelled=False, error=None):
    return {
        "metadata": {
            "request_start_ns": start_ns,
            "request_end_ns": start_ns + 1_500_000_000,
            "conversation_id": "c1",
            "benchmark_phase": phase,
            "was_cancelled": cancelled,
        },
        "metrics": {
            "request_latency": {"value": 1500.0, "unit": "ms"},
            "input_sequence_length": {"value": 128, "unit": "tokens"},
            "output_sequence_length": {"value": 32, "unit": "tokens"},
        },
        "error": error,
    }


def lines(values):
    return "".join(json.dumps(value) + "\n" for value in values)


def test_vllm_arrivals_count_from_the_first_and_latencies_are_summed(read):
    trace = read(VLLM)

    assert trace.format == "vllm-bench"
    assert trace.start is None
    assert trace.arrival_s == pytest.approx([0, 1.2])
    assert trace.duration_s == pytest.approx([0.24, 0.33])
    assert trace.input_tokens.tolist() == [10, 12]
    assert trace.output_tokens.tolist() == [3, 2]
    assert warned(trace)


def test_several_vllm_runs_in_one_file_follow_each_other(read):
    trace = read(lines([VLLM, VLLM]))

    assert trace.arrival_s == pytest.approx([0, 1.2, 3.1, 4.3])


def test_failed_vllm_requests_are_left_out(read):
    trace = read(VLLM | {"errors": ["boom", ""]})

    assert trace.n_requests == 1
    assert any("1 failed requests" in note for note in trace.notes)


def test_a_vllm_result_without_details_says_which_flag_to_use(read):
    brief = {name: value for name, value in VLLM.items() if name != "start_times"}

    with pytest.raises(TraceError, match="--save-detailed"):
        read(brief)


def test_guidellm_reports_are_read_by_their_timings(read):
    request = {
        "request_id": "1",
        "info": {
            "status": "completed",
            "timings": {"request_start": 1.7e9 + 0.5, "request_end": 1.7e9 + 2.75},
        },
        "input_metrics": {"text_tokens": 64},
        "output_metrics": {"text_tokens": 16},
    }
    requests = {"successful": [request], "errored": [request], "incomplete": []}

    trace = read(guidellm(requests))

    assert trace.format == "guidellm"
    assert trace.start == datetime.fromtimestamp(1.7e9 + 0.5, UTC)
    assert trace.duration_s == pytest.approx([2.25])
    assert (trace.input_tokens[0], trace.output_tokens[0]) == (64, 16)
    assert any("1 errored requests" in note for note in trace.notes)
    assert warned(trace)


def test_older_guidellm_reports_have_start_and_end_times(read):
    request = {
        "start_time": 1.7e9,
        "end_time": 1.7e9 + 1,
        "prompt_tokens": 5,
        "output_tokens": 7,
    }
    report = {"benchmarks": [{"type_": "generative_benchmark"}]}
    report["benchmarks"][0]["requests"] = {"successful": [request]}

    trace = read(json.dumps(report, indent=2))

    assert trace.format == "guidellm"
    assert trace.duration_s.tolist() == [1]
    assert trace.output_tokens.tolist() == [7]


def test_aiperf_nanoseconds_are_exact_and_the_warm_up_is_left_out(read):
    start = 1_764_000_000_123_456_789

    trace = read(
        lines(
            [
                aiperf(start - 10**9, phase="warmup"),
                aiperf(start + 1_000_000_001),
                aiperf(start),
                aiperf(start, cancelled=True),
                aiperf(start, error={"message": "boom"}),
            ]
        )
    )

    assert trace.format == "aiperf"
    assert trace.arrival_s.tolist() == [0, 1.000000001]
    assert trace.duration_s == pytest.approx([1.5, 1.5])
    assert trace.input_tokens.tolist() == [128, 128]
    assert trace.session[0] == trace.session[1]
    assert warned(trace)


def test_a_broken_line_of_aiperf_is_refused_by_its_number(read):
    with pytest.raises(TraceError, match=r"not valid JSON \(line 2"):
        read(lines([aiperf(10**18)]) + '{"metadata": {\n')


def test_genai_perf_stamps_are_nanoseconds(read):
    start = 1_764_000_000_000_000_000
    request = {
        "timestamp": start,
        "response_timestamps": [start + 1, start + 5 * 10**8],
    }
    silent = {"timestamp": start, "response_timestamps": []}
    mode = {"mode": "request_rate", "value": 1}

    trace = read({"experiments": [{"experiment": mode, "requests": [request, silent]}]})

    assert trace.format == "genai-perf"
    assert trace.duration_s == pytest.approx([0.5])
    assert trace.start == datetime.fromtimestamp(1_764_000_000, UTC)


@pytest.mark.parametrize(
    ("stamp", "resolution_s"),
    [
        ("1595325560", 1),
        ("1595325560000", 0),
        ("1595325560000000", 0),
        ("1595325560000000000", 0),
        ("2020-07-21T09:59:20Z", 0),
        ("2020-07-21T11:59:20.000000000+02:00", 0),
    ],
)
def test_k6_times_of_any_form_are_ends_and_values_are_milliseconds(
    read, stamp, resolution_s
):
    trace = read(
        f"{K6_HEADER}http_reqs,{stamp},1.000000,,,,GET,/a,200\n"
        f"http_req_duration,{stamp},1250.000000,,,,GET,/a,200\n"
        f"http_req_waiting,{stamp},1200.000000,,,,GET,/a,200\n"
    )

    assert trace.format == "k6"
    assert trace.n_requests == 1
    assert trace.start == datetime(2020, 7, 21, 9, 59, 18, 750_000, tzinfo=UTC)
    assert trace.duration_s.tolist() == [1.25]
    assert trace.resolution_s == resolution_s
    assert warned(trace)


def test_k6_columns_are_found_by_name_and_the_file_may_be_packed(read):
    text = "timestamp,scenario,metric_value,metric_name\n5,x,1000.0,http_req_duration\n"

    trace = read(gzip.compress(text.encode()), "test_results.gz", format="k6")

    assert trace.duration_s.tolist() == [1]


def test_k6_json_takes_points_of_one_metric_only(read):
    metric = '{"type":"Metric","data":{"name":"http_req_duration"},"metric":"http_req_duration"}\n'
    points = [
        K6_POINT.format("http_reqs", "2017-05-09T14:34:45.625742514+02:00", 1),
        K6_POINT.format(
            "http_req_duration", "2017-05-09T14:34:45.625742514+02:00", 500
        ),
        K6_POINT.format(
            "http_req_duration", "2017-05-09T14:34:46.625742514+02:00", 500
        ),
    ]

    trace = read(metric + "".join(points))

    assert trace.format == "k6"
    assert trace.arrival_s.tolist() == [0, 1]
    assert trace.start.astimezone(UTC) == datetime(
        2017, 5, 9, 12, 34, 45, 125_742, tzinfo=UTC
    )
    assert trace.keys == ("/a",)


def test_locust_requests_are_the_rise_of_the_aggregated_total(read):
    rows = [
        "1700000000,5,,Aggregated,0.0,0.0,N/A,N/A",
        "1700000001,5,GET,/a,9.0,0.0,110,100",
        "1700000001,5,,Aggregated,9.0,0.0,110,4",
        "1700000002,5,,Aggregated,9.0,0.0,110,4",
        "1700000003,5,,Aggregated,9.0,0.0,110,10",
        "1700000004,5,,Aggregated,9.0,0.0,110,3",
    ]

    trace = read(LOCUST_HEADER + "\r\n".join(rows) + "\r\n")

    assert trace.format == "locust"
    assert trace.count.tolist() == [4, 6, 3]
    assert trace.arrival_s.tolist() == [0, 2, 3]
    assert trace.start == datetime.fromtimestamp(1_700_000_000, UTC)
    assert trace.width_s.tolist() == [1, 1, 1]
    assert warned(trace)


@pytest.mark.parametrize("value", ["-5.0", "1e300", "inf"])
def test_durations_that_cannot_be_are_refused(read, value):
    good = "http_req_duration,1595325560,1250.0,,,,GET,/a,200\n"
    bad = f"http_req_duration,1595325560,{value},,,,GET,/a,200\n"

    with pytest.raises(TraceError, match=r"a duration that cannot be \(line 3"):
        read(K6_HEADER + good + bad)


def test_a_request_without_a_time_that_can_be_is_refused(read):
    with pytest.raises(TraceError, match="a start_time that cannot be read"):
        read(VLLM | {"start_times": [100.0, 1e30]})
