"""Traffic at another volume: so many times the requests, and the same kind of traffic."""

from __future__ import annotations

import pytest
from traffic_scenario import scenario_with, stream_of

from costsim.scenario.scaled import scaled_traffic
from costsim.traffic.source import arrival_chunks, horizon_s, load_trace
from costsim.traffic.volume import volume_per_day

BOX = {"shape": "event", "rise": "0s", "hold": "1h", "fall_half_life": "0s"}
FACTORS = [0.01, 0.37, 3.0, 250.0]
BY_HOUR = [0.0] * 8 + [2.0] * 12 + [0.5] * 4
TRAFFIC = {
    "poisson": stream_of("40/h"),
    "gamma": stream_of("40/h", arrivals={"process": "gamma", "cv": 2.0}),
    "profile and growth": stream_of(
        "40/h", seasonal={"hour_of_day": BY_HOUR}, trend={"growth_per_month": 0.5}
    ),
    "noise": stream_of("40/h", noise={"sigma": 0.5, "correlation_time": "1h"}),
    "stages": stream_of(
        None,
        start_rate="10/h",
        stages=[
            {"target": "90/h", "duration": "6h"},
            {"target": "0/h", "duration": "2h"},
        ],
    ),
    "sessions": stream_of(
        "40/h",
        arrivals={
            "process": "sessions",
            "requests_per_session": {"distribution": "geometric", "mean": 4},
            "think_time": {"distribution": "exponential", "mean": "10s"},
        },
    ),
    "hawkes": stream_of(
        "40/h", arrivals={"process": "hawkes", "branching": 0.5, "decay_time": "10s"}
    ),
    "cron": stream_of(
        None, arrivals={"process": "cron", "every": "1h", "batch_size": 7}
    ),
    "random batches": stream_of(
        None,
        arrivals={
            "process": "cron",
            "every": "1h",
            "batch_size": {"distribution": "geometric", "mean": 5},
        },
    ),
    "times the usual": {
        **stream_of("40/h"),
        "spikes": [{"at": "3h", **BOX, "magnitude": 5}],
    },
    "a peak": {
        **stream_of("40/h"),
        "spikes": [{"at": "3h", **BOX, "peak": "300/h"}],
    },
    "a number of requests": {
        **stream_of("40/h"),
        "spikes": [{"at": "3h", **BOX, "requests": 200}],
    },
    "two streams": {
        "streams": [
            {"name": "a", "rate": "40/h"},
            {
                "name": "b",
                "arrivals": {"process": "cron", "every": "2h", "batch_size": 3},
            },
        ]
    },
}
BY_NAME = {"argvalues": list(TRAFFIC.values()), "ids": list(TRAFFIC)}


def volume(scenario):
    trace = load_trace(scenario)
    return volume_per_day(scenario, trace, horizon_s(scenario, trace))


def drawn(scenario):
    chunks = arrival_chunks(scenario, 0, load_trace(scenario))
    return [time for chunk in chunks for time in chunk.arrival_s.tolist()]


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("traffic", **BY_NAME)
def test_the_expected_requests_are_multiplied_exactly(traffic, factor):
    scenario = scenario_with(traffic)

    scaled = scaled_traffic(scenario, factor)

    assert volume(scenario) > 0
    assert volume(scaled) == pytest.approx(factor * volume(scenario), rel=1e-12)


@pytest.mark.parametrize("traffic", **BY_NAME)
def test_the_requests_drawn_are_as_many_as_asked_for(traffic):
    scaled = scaled_traffic(scenario_with(traffic, horizon="5d"), 30.0)

    n = len(drawn(scaled))

    # 30,000 requests; sessions, Hawkes and noise vary most.
    assert n == pytest.approx(5 * volume(scaled), rel=0.25)


@pytest.mark.parametrize("factor", FACTORS)
def test_a_trace_is_multiplied_exactly(tmp_path, factor):
    log = tmp_path / "log.csv"
    log.write_text("time\n" + "".join(f"{60 * i}\n" for i in range(100)), "utf-8")
    trace = {"path": str(log), "format": "csv", "columns": {"arrival": "time"}}
    scenario = scenario_with({"trace": trace}, horizon=None, start=None)

    scaled = scaled_traffic(scenario, factor)

    assert volume(scaled) == pytest.approx(factor * volume(scenario), rel=1e-12)


def test_batches_are_whole_and_right_on_average():
    cron = {"process": "cron", "every": "1h", "batch_size": 4}
    scenario = scenario_with(stream_of(None, arrivals=cron), horizon="300d")

    times = drawn(scaled_traffic(scenario, 0.3))

    sizes = {times.count(one) for one in set(times[:500])}
    assert sizes <= {1, 2}
    # 7,199 batches of 1.2 on average; the standard error of the sum is 34.
    assert len(times) == pytest.approx(0.3 * 4 * 7199, abs=4 * 34)


def test_what_is_relative_stays():
    scenario = scenario_with(
        {
            **TRAFFIC["sessions"],
            "spikes": [{"at": "3h", **BOX, "magnitude": 5}],
        }
    )

    scaled = scaled_traffic(scenario, 8.0)

    (before,), (after,) = scenario.traffic.streams, scaled.traffic.streams
    assert after.arrivals == before.arrivals
    assert scaled.traffic.spikes == scenario.traffic.spikes
    assert after.rate == 8 * before.rate


def test_everything_but_the_traffic_stays():
    scenario = scenario_with(TRAFFIC["a peak"])

    scaled = scaled_traffic(scenario, 8.0)

    assert scaled.model_copy(update={"traffic": scenario.traffic}) == scenario


def test_a_factor_of_one_changes_nothing():
    scenario = scenario_with(TRAFFIC["cron"])

    assert scaled_traffic(scenario, 1.0) is scenario
