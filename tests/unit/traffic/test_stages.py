import numpy as np
import pytest
from traffic_scenario import first_rate, scenario_with, stream_of
from whole_traffic import generate

from costsim.traffic.synthesis import asked_rate, stream_notes

RAMP = [
    {"target": "10/s", "duration": "5m"},
    {"target": "10/s", "duration": "10m"},
    {"target": "40/s", "duration": "0s"},
    {"target": "40/s", "duration": "1m"},
    {"target": "0/s", "duration": "2m"},
]
ENDS_S = np.cumsum([300.0, 600.0, 0.0, 60.0, 120.0])


def staged(horizon=None, stages=RAMP, **other):
    return scenario_with(stream_of(None, stages=stages, **other), horizon=horizon)


def expected_until(scenario, t):
    rate = first_rate(scenario, scenario.start, scenario.horizon)
    return np.interp(t, rate.edges_s, rate.expected)


def test_ramps_bring_the_requests_under_them():
    found = expected_until(staged(), ENDS_S)

    assert found == pytest.approx([1500, 7500, 7500, 9900, 12_300])


def test_within_a_ramp_the_expected_number_grows_as_a_square():
    assert expected_until(staged(), 150.0) == pytest.approx(375)


def test_the_first_stage_begins_at_the_start_rate():
    stages = [{"target": "10/s", "duration": "100s"}]

    assert expected_until(staged(stages=stages, start_rate="4/s"), 100.0) == (
        pytest.approx(700)
    )


def test_stages_set_the_horizon_where_there_is_none():
    assert staged().horizon == 1080.0
    assert staged("1h").horizon == 3600.0


def test_after_the_last_stage_there_are_no_requests_and_a_note():
    stages = [{"target": "10/s", "duration": "10m"}]
    scenario = staged("1h", stages)

    arrival_s = generate(scenario, 0).arrival_s

    assert arrival_s.max() < 600
    assert asked_rate(scenario, scenario.traffic.streams[0], 3600.0) == (
        pytest.approx(3000 / 3600)
    )
    assert stream_notes(scenario, 3600.0) == [
        "the stages of 'requests' end after 10m of 1h: no requests afterwards"
    ]


@pytest.mark.parametrize(
    "process",
    [
        {"process": "gamma", "burstiness": 2},
        {"process": "hawkes", "branching": 0.3, "decay_time": "1s"},
        {"process": "sessions", "requests_per_session": 2, "think_time": "1s"},
    ],
    ids=lambda one: one["process"],
)
def test_any_process_follows_the_ramps(process):
    scenario = staged(arrivals=process)

    counts = [
        np.histogram(generate(scenario, i).arrival_s, [0, *ENDS_S[[0, 1, 3, 4]]])[0]
        for i in range(40)
    ]

    mean = np.mean(counts, axis=0)
    np.testing.assert_allclose(mean, [1500, 6000, 2400, 2400], rtol=0.03)


def test_spikes_and_noise_act_on_stages():
    spike = {"shape": "event", "at": "5m", "rise": "0s", "hold": "5m", "magnitude": 3}
    traffic = stream_of(
        None, stages=RAMP, noise={"sigma": 0.5, "correlation_time": "1m"}
    )
    scenario = scenario_with(
        {**traffic, "spikes": [{**spike, "fall_half_life": "0s"}]}, horizon=None
    )

    assert expected_until(scenario, 1080.0) == pytest.approx(12_300 + 6000)
    assert abs(generate(scenario, 0).n_requests - 18_300) > 5 * np.sqrt(18_300)
