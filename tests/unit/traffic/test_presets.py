"""Presets against the figures that were published of the traffic behind them."""

import numpy as np
import pytest
from traffic_scenario import scenario_with
from whole_traffic import generate

from costsim.scenario.schema import Scenario
from costsim.scenario.traffic_presets import traffic_presets
from costsim.traffic.synthesis import asked_rate

DAY = 86400.0
RATES = {
    "image-saas": 0.0135,
    "campus-chatbot": 0.0118,
    "code-assistant": 2.57,
    "chat-api": 5.5,
    "api-client": 1.0,
    "small-web": 0.2,
}


def of_preset(name, /, horizon="7d", **other):
    rate = {"rate": "1/s"} if name == "api-client" else {}
    return scenario_with(
        {"streams": [{"preset": name, **rate, **other}]}, horizon=horizon
    )


def dispersion(arrival_s, window_s):
    counts = np.bincount((arrival_s // window_s).astype(int))
    return counts.var() / counts.mean()


@pytest.mark.parametrize("name", traffic_presets())
def test_every_preset_is_a_stream_that_runs_at_its_rate(name):
    scenario = of_preset(name)
    stream = scenario.traffic.streams[0]

    generated = generate(scenario, 0)

    assert stream.name == name
    assert stream.rate == pytest.approx(RATES[name])
    assert asked_rate(scenario, stream, 7 * DAY) == pytest.approx(stream.rate, rel=0.1)
    assert generated.n_requests > 1000


@pytest.mark.parametrize("name", traffic_presets())
def test_every_preset_has_a_source_and_a_date(name):
    preset = traffic_presets()[name]

    assert preset.what
    assert preset.source
    assert preset.as_of
    assert preset.evidence is not None


@pytest.mark.parametrize("name", traffic_presets())
def test_what_a_preset_stands_for_may_be_written_out_instead(name):
    scenario = of_preset(name)

    written = Scenario.model_validate(scenario.model_dump(mode="json"))

    assert written.model_dump() == scenario.model_dump()
    assert np.array_equal(
        generate(written, 0).arrival_s, generate(scenario, 0).arrival_s
    )


def test_the_code_assistant_is_as_bursty_as_the_trace():
    # Of the trace: 13 at 1 s and 167 at 60 s; an hour varies.
    hours = [
        generate(of_preset("code-assistant", "1h"), i).arrival_s for i in range(40)
    ]

    assert np.median([dispersion(one, 1.0) for one in hours]) == pytest.approx(
        13.2, rel=0.3
    )
    assert np.median([dispersion(one, 60.0) for one in hours]) == pytest.approx(
        150, rel=0.3
    )


def test_the_chat_api_is_as_bursty_as_the_trace():
    hours = [generate(of_preset("chat-api", "1h"), i).arrival_s for i in range(20)]

    assert np.median([dispersion(one, 1.0) for one in hours]) == pytest.approx(
        1.39, rel=0.2
    )
    assert 8 < np.median([dispersion(one, 60.0) for one in hours]) < 25


def test_the_image_service_has_sessions_and_idle_hours_as_the_trace():
    scenario = of_preset("image-saas", "161d")
    arrivals = generate(scenario, 0)
    arrival_s = arrivals.arrival_s[arrivals.source == 0]

    # In 23 days 26,823 requests in 5,904 sessions, idle in 70 % of the minutes and 33 %
    # of the hours.
    days = 161
    # The slow noise leaves 9 % of spread to a mean over 161 days.
    assert len(arrival_s) / days == pytest.approx(26_823 / 23.02, rel=0.2)
    idle = [
        1 - len(np.unique(arrival_s // window)) / (days * DAY / window)
        for window in (60.0, 3600.0)
    ]
    assert idle[0] == pytest.approx(0.70, abs=0.06)
    assert idle[1] == pytest.approx(0.33, abs=0.08)
    assert dispersion(arrival_s, 60.0) == pytest.approx(3.75, rel=0.35)


def test_batches_of_the_image_service_come_along():
    scenario = of_preset("image-saas", "2100d", name="users")

    arrivals = generate(scenario, 0)

    assert arrivals.sources == ("users", "users batches")
    batch_s = arrivals.arrival_s[arrivals.source == 1]
    ends = np.flatnonzero(np.diff(batch_s, append=np.inf) > 3600)
    sizes = np.diff(ends, prepend=-1)
    assert len(sizes) == pytest.approx(100, abs=3.3 * 10)
    assert sizes.mean() == pytest.approx(100, rel=0.1)
    assert (sizes[:-1] < 60).sum() <= 1


def test_sessions_of_the_chatbot_are_as_many_as_in_the_trace():
    arrival_s = generate(of_preset("campus-chatbot", "70d"), 0).arrival_s

    assert len(arrival_s) / 10 == pytest.approx(7106, rel=0.1)
    assert dispersion(arrival_s, 60.0) == pytest.approx(1.73, rel=0.2)
    assert dispersion(arrival_s, 3600.0) == pytest.approx(21.4, rel=0.4)


def test_the_small_web_service_has_six_spikes_a_week_that_name_its_stream():
    scenario = of_preset("small-web", name="shop")

    [spike] = scenario.traffic.spikes

    assert spike.per_week == 6
    assert spike.streams == ("shop",)


def test_keys_beside_a_preset_replace_its_own():
    scenario = of_preset("campus-chatbot", rate="5/h", noise=[])

    [stream] = scenario.traffic.streams
    assert stream.rate == 5 / 3600
    assert stream.noises == ()
    assert stream.arrivals.process == "sessions"


def test_stages_beside_a_preset_replace_its_rate_and_profile():
    stages = [{"target": "5/s", "duration": "1h"}]

    [stream] = of_preset("campus-chatbot", stages=stages).traffic.streams

    assert (stream.rate, stream.seasonal) == (None, None)
    assert stream.arrivals.process == "sessions"


def test_a_preset_alone_is_short_for_one_stream():
    short = scenario_with({"preset": "image-saas"})

    assert short.traffic.model_dump() == of_preset("image-saas").traffic.model_dump()


def test_a_preset_without_a_profile_needs_no_start():
    scenario = scenario_with({"preset": "code-assistant"}, start=None, horizon="1h")

    assert generate(scenario, 0).n_requests > 1000


def test_seasonal_without_weights_drops_the_profile():
    traffic = {"streams": [{"preset": "image-saas", "seasonal": {}}]}
    scenario = scenario_with(traffic, start=None, horizon="1d")

    assert asked_rate(scenario, scenario.traffic.streams[0], DAY) == pytest.approx(
        0.0135
    )
