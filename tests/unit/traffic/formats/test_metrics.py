import json
from datetime import UTC, datetime

import pytest

from costsim.errors import TraceError
from costsim.traffic.formats.metric_tables import parse_value

T0 = 1735689600
DAY = datetime(2025, 1, 1, tzinfo=UTC)


def prometheus(*results, kind="matrix"):
    return {"status": "success", "data": {"resultType": kind, "result": list(results)}}


def result(values, step=60, begin=T0, **labels):
    points = [[begin + step * i, v] for i, v in enumerate(values) if v is not None]
    return {"metric": labels, "values": points}


def cloudwatch(times, values, label="RequestCount"):
    results = [{"Id": "m1", "Label": label, "Timestamps": times, "Values": values}]
    return {"MetricDataResults": results}


def test_values_of_prometheus_are_counts_of_the_step_that_ends_there(read):
    trace = read(prometheus(result(["3", "NaN", None, "2", "0"])))

    assert trace.format == "prometheus"
    assert trace.count.tolist() == [3, 2, 0]
    assert trace.arrival_s.tolist() == [0, 180, 240]
    assert trace.width_s.tolist() == [60, 60, 60]
    assert trace.start == datetime(2024, 12, 31, 23, 59, tzinfo=UTC)


def test_fractions_of_an_increase_become_whole_with_their_total_kept(read):
    trace = read(prometheus(result(["0.5", "0.5", "1.5", "0.5"])))

    assert trace.count.sum() == 3


def test_rates_are_rates_if_the_user_says_so(read):
    trace = read(prometheus(result(["0.5", "0.25"])), columns={"rate": "value"})

    assert trace.count.tolist() == [30, 15]


def test_small_fractions_without_a_word_of_the_user_are_warned_of(read):
    trace = read(prometheus(result(["0.51", "0.25", "0.77", "1.13", "0.9"])))

    assert any("as rates are" in text for text in trace.warnings)


def test_a_recorded_rate_is_known_by_its_name(read):
    series = result(["0.5", "0.25"], __name__="job:requests:rate5m")

    trace = read(prometheus(series))

    assert trace.count.tolist() == [30, 15]


def test_a_counter_is_differenced_and_begins_anew_when_it_falls(read):
    values = ["100", "103", "103", None, "110", "4", "6"]

    trace = read(prometheus(result(values, __name__="http_requests_total")))

    assert trace.count.tolist() == [3, 7, 4, 2]
    assert trace.arrival_s.tolist() == [0, 120, 240, 300]
    assert trace.width_s.tolist() == [60, 120, 60, 60]


def test_a_counter_that_appears_later_began_at_zero_then(read):
    first = result(["10", "10", "10"], __name__="x_total", pod="a")
    later = result(["5", "6"], begin=T0 + 120, __name__="x_total", pod="b")

    trace = read(prometheus(first, later))

    assert trace.count.tolist() == [0, 5, 1]


def test_series_are_keys_by_the_labels_that_differ_and_histograms_are_left_out(read):
    trace = read(
        prometheus(
            result(["1", "1"], job="api", model="a"),
            result(["2", "2"], job="api", model="b"),
            result(["9", "9"], __name__="latency_bucket", job="api", le="1"),
        )
    )

    assert trace.n_requests == 6
    assert sorted(trace.keys) == ["a", "b"]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"status": "error", "error": "bad query"}, "is an error of Prometheus: bad"),
        (prometheus({"metric": {}, "value": [T0, "1"]}, kind="vector"), "query_range"),
        (prometheus(result(["5"])), "set traffic.trace.bin"),
        (prometheus(), "no points"),
    ],
)
def test_answers_that_are_no_counts_over_time_are_refused(read, answer, message):
    with pytest.raises(TraceError, match=message):
        read(answer, format="prometheus")


def test_grafana_tables_may_have_a_mark_a_separator_and_units(read):
    text = (
        '\ufeffsep=;\r\n"Time";"Total"\r\n2024-10-01 00:00:00;"1.5 K"\r\n'
        "2024-10-01 00:01:00;\r\n2024-10-01 00:02:00;20\r\n2024-10-01 00:03:00;1\r\n"
    )

    trace = read(text, "panel.csv")

    assert trace.format == "grafana"
    assert trace.count.tolist() == [1500, 20, 1]
    assert trace.arrival_s.tolist() == [0, 120, 180]
    assert trace.start.isoformat() == "2024-10-01T00:00:00"
    assert any("set traffic.trace.time_zone" in text for text in trace.warnings)


def test_grafana_times_are_those_of_the_zone_that_the_user_gives(read):
    text = '"Time","Total"\n2024-10-01 00:00:00,3\n2024-10-01 00:01:00,4\n'

    trace = read(text, time_zone="Europe/Paris")

    assert trace.start == datetime(2024, 9, 30, 22, 0, tzinfo=UTC)
    assert not any("time_zone" in text for text in trace.warnings)


def test_grafana_units_per_second_and_per_minute_are_rates(read):
    text = (
        '"Time","a","b"\n1735689600000,0.5 req/s,30 req/m\n1735689660000,0.5 req/s,\n'
    )

    trace = read(text)

    assert trace.start == DAY
    assert trace.count.tolist() == [30, 30, 30]
    assert sorted(trace.keys) == ["a", "b"]


def test_grafana_series_may_be_rows(read):
    text = "Series;Time;Value\na;2024-10-01T00:00:00+00:00;1\na;2024-10-01T00:01:00+00:00;2\n"

    trace = read(text, format="grafana")

    assert trace.count.tolist() == [1, 2]


def test_one_series_may_be_chosen_by_its_title(read):
    text = '"Time","Total","4xx Error"\n1735689600000,5,2\n1735689660000,6,2\n'

    trace = read(text, columns={"count": "Total"})

    assert trace.n_requests == 11
    with pytest.raises(TraceError, match="has no series 'Totl'"):
        read(text, columns={"count": "Totl"})


def test_values_that_never_fall_are_a_counter_and_that_is_said(read):
    rows = "".join(f"{T0 + 60 * i}000,{100 + 3 * i}\n" for i in range(12))

    trace = read('"Time","Requests"\n' + rows)

    assert trace.n_requests == 33
    assert any("never fall" in text for text in trace.warnings)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,234.5", (1234.5, "")),
        ("3.5 K", (3500, "")),
        ("1.2 req/s", (1.2, "req/s")),
        ("2 Mil", (2e6, "")),
        ("1e3", (1000, "")),
        ("-4", (-4, "")),
        ("30 rpm", (0.5, "/s")),
    ],
)
def test_values_may_have_units_and_thousands(text, expected):
    assert parse_value(text) == expected


def test_datadog_answers_have_milliseconds_and_an_interval(read):
    one = {
        "metric": "trace.http.request.hits",
        "expression": "sum:trace.http.request.hits{*}.as_count()",
        "scope": "*",
        "interval": 300,
        "pointlist": [[T0 * 1000.0, 12.0], [T0 * 1000.0 + 300_000, None]],
    }

    trace = read({"status": "ok", "series": [one]})

    assert trace.format == "datadog"
    assert trace.count.tolist() == [12]
    assert trace.width_s.tolist() == [300]
    assert trace.start == DAY


def test_datadog_rates_are_multiplied_by_the_interval(read):
    one = {
        "expression": "sum:trace.http.request.hits{*}",
        "unit": [{"name": "request"}, {"name": "second"}],
        "interval": 60,
        "pointlist": [[T0 * 1000, 0.5]],
    }

    trace = read({"series": [one]})

    assert trace.count.tolist() == [30]


def test_a_datadog_table_is_known_by_its_queries(read):
    text = "time,sum:trace.http.request.hits{env:prod}\n2025-01-01T00:00:00Z,5\n2025-01-01T00:01:00Z,6\n"

    trace = read(text, "widget.csv")

    assert trace.format == "datadog"
    assert trace.n_requests == 11


def test_cloudwatch_answers_are_sums_in_descending_order(read):
    times = ["2026-01-01T00:02:00Z", "2026-01-01T00:00:00+00:00"]

    trace = read(
        cloudwatch(["2026-01-01T00:03:00Z", *times], [7.0, 5.0, 3.0]), bin="60s"
    )

    assert trace.format == "cloudwatch"
    assert trace.count.tolist() == [3, 5, 7]
    assert trace.arrival_s.tolist() == [0, 120, 180]
    assert trace.start == datetime(2026, 1, 1, tzinfo=UTC)


def test_cloudwatch_averages_are_warned_of(read):
    times = [f"2026-01-01T00:0{i}:00Z" for i in range(7)]

    trace = read(cloudwatch(times, [1.0] * 7))

    assert any("ask for the statistic Sum" in text for text in trace.warnings)


def test_cloudwatch_statistics_are_unsorted_points(read):
    points = [
        {"Timestamp": "2026-01-01T00:01:00Z", "Sum": 4.0, "Unit": "Count"},
        {"Timestamp": "2026-01-01T00:00:00Z", "Sum": 2.0, "Unit": "Count"},
    ]

    trace = read({"Label": "RequestCount", "Datapoints": points})

    assert trace.count.tolist() == [2, 4]
    with pytest.raises(TraceError, match="--statistics Sum"):
        read({"Label": "x", "Datapoints": [{"Timestamp": "2026", "Average": 1}]})


def test_cloudwatch_tables_of_the_console_have_labels_above(read):
    text = (
        "Full label,RequestCount (api)\nLabel,RequestCount\n"
        "2026/01/01 00:00:00,2\n2026/01/01 00:01:00,4\n"
    )

    trace = read(text, "metrics.csv")

    assert trace.format == "cloudwatch"
    assert trace.n_requests == 6


def test_a_value_that_cannot_be_read_is_refused_with_its_line(read):
    text = '"Time","Total"\n1735689600000,5\n1735689660000,6\n1735689720000,lots of\n'

    with pytest.raises(TraceError, match=r"'Total' not readable \(line 4: 'lots of'"):
        read(text, format="grafana")


def test_an_array_of_results_is_read_as_promtool_prints_it(read):
    trace = read(json.dumps([result(["1", "2"], job="a")], indent=2))

    assert trace.format == "prometheus"
    assert trace.n_requests == 3
