import json
from datetime import UTC, datetime

import pytest

from costsim.errors import TraceError

T0 = 1735689600
DAY = datetime(2025, 1, 1, tzinfo=UTC)
SCRAPE = '# TYPE {0} counter\n{0}{{model_id="m1",status_code="200"}} {1}{2}\n'
BASETEN = "baseten_inference_requests_total"


def job(**changes):
    base = {"id": "j1", "status": "COMPLETED", "delayTime": 9000, "executionTime": 2500}
    return base | changes


def lines(*values):
    return "".join(json.dumps(value) + "\n" for value in values)


def modal(values, temporality, name="modal.input_events.total_inputs", **tags):
    attributes = [
        {"key": key, "value": {"stringValue": value}}
        for key, value in {"function_name": "generate", **tags}.items()
    ]
    points = [
        {
            "timeUnixNano": str((T0 + 60 * i) * 10**9),
            "asInt": str(value),
            "attributes": attributes,
        }
        for i, value in enumerate(values)
    ]
    data = {"dataPoints": points, "aggregationTemporality": temporality}
    scope = {"metrics": [{"name": name, "sum": data}]}
    return {"resourceMetrics": [{"resource": {}, "scopeMetrics": [scope]}]}


@pytest.mark.parametrize(
    "when",
    [
        {"createdAt": "2025-01-01T00:00:00Z"},
        {"submittedAt": T0 * 1000},
        {"timestamp": T0},
    ],
)
def test_runpod_jobs_arrive_when_the_user_submitted_them(read, when):
    trace = read(lines(job(**when), job(id="j2", **when)))

    assert trace.format == "runpod"
    assert trace.start == DAY
    assert trace.duration_s.tolist() == [2.5, 2.5]
    assert any("9s on average" in note for note in trace.notes)


def test_runpod_jobs_may_be_in_a_list_with_a_time_of_any_name(read):
    jobs = [job(my_time="2025-01-01T00:00:00Z")]

    trace = read({"jobs": jobs}, columns={"arrival": "my_time"})

    assert trace.start == DAY


def test_runpod_jobs_without_a_time_say_what_to_add(read):
    with pytest.raises(
        TraceError, match="add createdAt with the time of your own call"
    ):
        read(lines(job()))


def test_runpod_jobs_that_did_not_run_are_left_out(read):
    when = {"createdAt": "2025-01-01T00:00:00Z"}
    cancelled = {"id": "j2", "status": "CANCELLED", "delayTime": 10, **when}

    trace = read(lines(job(**when), cancelled))

    assert trace.n_requests == 1
    assert any("1 jobs that did not run" in note for note in trace.notes)


def test_modal_deltas_are_counts_of_the_step_before_their_time(read):
    trace = read(lines(modal([3, 0, 2], 1)))

    assert trace.format == "modal"
    assert trace.count.tolist() == [3, 2]
    assert trace.arrival_s.tolist() == [0, 120]
    assert trace.keys == ("generate",)


def test_modal_totals_are_differenced_for_each_container(read):
    trace = read(
        lines(
            modal([10, 13, 15], "AGGREGATION_TEMPORALITY_CUMULATIVE", container_id="a"),
            modal([100, 100, 101], 2, container_id="b"),
        )
    )

    assert trace.n_requests == 6


def test_modal_histograms_tell_the_mean_cold_start(read):
    point = {"count": "2", "sum": 24e6, "timeUnixNano": str(T0 * 10**9)}
    metric = {
        "name": "modal.input_events.coldstart_time_us",
        "histogram": {"dataPoints": [point]},
    }
    export = modal([3, 1], 1)
    export["resourceMetrics"][0]["scopeMetrics"][0]["metrics"].append(metric)

    trace = read(export)

    assert any("cold start 12s" in note for note in trace.notes)


def test_modal_metrics_in_a_table_of_points_are_chosen_by_their_name(read):
    text = (
        "timestamp,metric_name,value,function_name\n"
        "2025-01-01T00:00:00Z,modal.input_events.total_inputs,3,f\n"
        "2025-01-01T00:00:00Z,modal.container.running,9,f\n"
        "2025-01-01T00:01:00Z,modal.input_events.total_inputs,5,f\n"
        "2025-01-01T00:02:00Z,modal.input_events.total_inputs,1,f\n"
    )

    trace = read(text, "modal.csv")

    assert trace.format == "modal"
    assert trace.n_requests == 9
    assert trace.keys == ("f",)


def test_baseten_counters_are_differenced_and_other_metrics_left_out(read):
    def series(name, *values):
        points = [[T0 + 60 * i, value] for i, value in enumerate(values)]
        return {"metric": {"__name__": name, "model_id": "m1"}, "values": points}

    results = [
        series(BASETEN, "5", "9", "12"),
        series("baseten_replicas", "1", "2", "2"),
    ]

    trace = read(
        {"status": "success", "data": {"resultType": "matrix", "result": results}}
    )

    assert trace.format == "baseten"
    assert trace.count.tolist() == [4, 3]


def test_a_single_scrape_of_baseten_says_what_to_save_instead(read):
    with pytest.raises(TraceError, match="query_range"):
        read(SCRAPE.format(BASETEN, 5, ""))


def test_scrapes_of_baseten_with_times_are_a_series(read):
    scrapes = [
        SCRAPE.format(BASETEN, v, f" {(T0 + 30 * i)}000")
        for i, v in enumerate((1, 4, 9))
    ]

    trace = read("".join(scrapes))

    assert trace.format == "baseten"
    assert trace.count.tolist() == [3, 5]
    assert trace.keys == ("m1",)


def test_sagemaker_captures_arrive_at_the_time_of_inference(read):
    usage = {"usage": {"prompt_tokens": 11, "completion_tokens": 7}}
    event = {
        "captureData": {"endpointOutput": {"data": json.dumps(usage)}},
        "eventMetadata": {"eventId": "1", "inferenceTime": "2025-01-01T00:00:00Z"},
        "eventVersion": "0",
    }

    trace = read(lines(event, event))

    assert trace.format == "sagemaker"
    assert trace.start == DAY
    assert trace.resolution_s == 1
    assert trace.output_tokens.tolist() == [7, 7]
    assert any("sampling percentage" in text for text in trace.warnings)
